//! The processes of a devnet: found by their number and their command line, so that no stranger is ever stopped.

use std::fs::{self, OpenOptions};
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::Duration;

use patient::code::Code;
use patient::output::Failure;
use rustix::process::{Pid, Signal, kill_process};

/// A node ends within five seconds of a polite request; one more for the system.
const STOP_MAX: Duration = Duration::from_secs(6);
const STEP: Duration = Duration::from_millis(10);
const SHOWN_MAX: Duration = Duration::from_millis(500);
/// How much of a log the error of a failed start shows.
const TAIL_LINES: usize = 5;

/// Starts `aidchain node run` for a home; it lives on when this command ends.
pub(super) fn start(home: &Path, log: &Path) -> Result<Child, Failure> {
    let cannot = |error: std::io::Error| {
        Failure::new(Code::CannotStart)
            .message(format!("cannot start the node of {}", home.display()))
            .because(error)
    };
    let out = OpenOptions::new()
        .create(true)
        .append(true)
        .open(log)
        .map_err(cannot)?;
    let err = out.try_clone().map_err(cannot)?;
    let program = std::env::current_exe().map_err(cannot)?;
    let child = Command::new(program)
        .args(["node", "run", "--home"])
        .arg(home)
        .stdin(Stdio::null())
        .stdout(out)
        .stderr(err)
        // Its own group: Ctrl-C at this terminal is not meant for it.
        .process_group(0)
        .spawn()
        .map_err(cannot)?;
    shows_itself(&child, home);
    Ok(child)
}

/// Waits until a new process can be recognised: for an instant it shows no arguments.
fn shows_itself(child: &Child, home: &Path) {
    let mut waited = Duration::ZERO;
    while !runs(child.id(), home) && waited < SHOWN_MAX {
        thread::sleep(STEP);
        waited = waited.saturating_add(STEP);
    }
}

/// Whether the process runs and is the node of this home.
pub(super) fn runs(pid: u32, home: &Path) -> bool {
    let process = Path::new("/proc").join(pid.to_string());
    let Ok(arguments) = fs::read(process.join("cmdline")) else {
        return false;
    };
    let home = home.as_os_str().as_encoded_bytes();
    let names_home = arguments.split(|byte| *byte == 0).any(|it| it == home);
    names_home && !is_zombie(&process)
}

/// Asks the process to stop and waits until it has.
pub(super) fn stop(pid: u32, home: &Path) -> Result<(), Failure> {
    let number = i32::try_from(pid).ok().and_then(Pid::from_raw);
    let Some(number) = number else {
        return Ok(());
    };
    if let Err(error) = kill_process(number, Signal::TERM) {
        if !runs(pid, home) {
            return Ok(());
        }
        return Err(Failure::new(Code::CannotStop).because(error));
    }
    let mut waited = Duration::ZERO;
    while runs(pid, home) {
        if waited > STOP_MAX {
            return Err(Failure::new(Code::CannotStop).message(format!(
                "process {pid} did not stop within {} s",
                STOP_MAX.as_secs()
            )));
        }
        thread::sleep(STEP);
        waited = waited.saturating_add(STEP);
    }
    Ok(())
}

/// The last lines of a log.
pub(super) fn tail(log: &Path) -> String {
    let text = fs::read_to_string(log).unwrap_or_default();
    let lines: Vec<_> = text.lines().collect();
    let from = lines.len().saturating_sub(TAIL_LINES);
    lines.get(from..).unwrap_or_default().join("\n")
}

/// A process that has ended and that nobody has taken note of.
fn is_zombie(process: &Path) -> bool {
    let stat = fs::read_to_string(process.join("stat")).unwrap_or_default();
    // The state follows the name, which stands in brackets and may hold anything.
    let state = stat
        .rsplit_once(") ")
        .and_then(|(_, rest)| rest.chars().next());
    matches!(state, None | Some('Z' | 'X'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_process_with_this_home_on_its_command_line_counts() {
        let folder = tempfile::tempdir().expect("folder");
        let mut child = Command::new("sleep").arg("60").spawn().expect("sleep");
        shows_itself(&child, Path::new("60"));

        assert!(runs(child.id(), Path::new("60")));
        assert!(!runs(child.id(), folder.path()));

        child.kill().expect("kill");
        child.wait().expect("ended");
        assert!(!runs(child.id(), Path::new("60")));
    }

    #[test]
    fn a_stopped_process_that_nobody_waited_for_does_not_run() {
        let mut child = Command::new("sleep").arg("61").spawn().expect("sleep");
        shows_itself(&child, Path::new("61"));

        stop(child.id(), Path::new("61")).expect("stopped");

        assert!(!runs(child.id(), Path::new("61")));
        child.wait().expect("ended");
    }
}
