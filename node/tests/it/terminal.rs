//! Claims about prompts, made on a pseudo-terminal: what is asked, and that no key typed there is shown.

use std::{
    fs::File,
    io::{Read as _, Write as _},
    process::{Child, Command, Stdio},
    sync::mpsc::{Receiver, channel},
    thread,
    time::Duration,
};

use rustix::pty::{OpenptFlags, grantpt, ioctl_tiocgptpeer, openpt, unlockpt};
use rustix::termios::{LocalModes, tcgetattr};

use crate::devnet::{Devnet, ID, PASSWORD, RISK};

/// Longer than anything may take on a loaded machine.
const PATIENCE: Duration = Duration::from_secs(30);

/// A terminal tells nobody when its echo is turned off: it has to be asked again and again.
const STEP: Duration = Duration::from_millis(1);

/// A terminal, the command that runs on it, and what it showed.
struct Terminal {
    keyboard: File,
    screen: Receiver<Vec<u8>>,
    seen: String,
    child: Child,
}

impl Terminal {
    /// Runs a command with a terminal of its own as its controlling one.
    fn run(devnet: &Devnet, arguments: &[&str]) -> Self {
        let flags = OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC;
        let master = openpt(flags).unwrap();
        grantpt(&master).unwrap();
        unlockpt(&master).unwrap();
        let slave = ioctl_tiocgptpeer(&master, flags).unwrap();
        let child = devnet
            .command("setsid")
            .args(["--ctty", env!("CARGO_BIN_EXE_aidchain")])
            .args(arguments)
            .stdin(slave.try_clone().unwrap())
            .stdout(slave.try_clone().unwrap())
            .stderr(slave)
            .spawn()
            .unwrap();
        let keyboard = File::from(master);
        let mut shown = keyboard.try_clone().unwrap();
        let (lines, screen) = channel();
        thread::spawn(move || {
            let mut buffer = [0; 1024];
            // A terminal whose last process has ended gives an error, not an end.
            while let Ok(length @ 1..) = shown.read(&mut buffer) {
                if lines.send(buffer[..length].to_vec()).is_err() {
                    break;
                }
            }
        });
        Self {
            keyboard,
            screen,
            seen: String::new(),
            child,
        }
    }

    /// Waits for a question and for the echo to be off, then types the answer.
    fn answer(&mut self, question: &str, answer: &str) {
        while !self.seen.ends_with(question) {
            let more = self.screen.recv_timeout(PATIENCE).expect(question);
            self.seen.push_str(&String::from_utf8_lossy(&more));
        }
        let mut left = PATIENCE;
        while self.echoes() {
            thread::sleep(STEP);
            left = left.checked_sub(STEP).expect("what is typed is not shown");
        }
        writeln!(self.keyboard, "{answer}").unwrap();
    }

    fn echoes(&self) -> bool {
        let modes = tcgetattr(&self.keyboard).unwrap();
        modes.local_modes.contains(LocalModes::ECHO)
    }

    /// All that was shown, and how the command ended.
    fn end(mut self) -> (i32, String) {
        let status = self.child.wait().unwrap();
        while let Ok(more) = self.screen.recv_timeout(PATIENCE) {
            self.seen.push_str(&String::from_utf8_lossy(&more));
        }
        assert!(self.echoes(), "the terminal is left as it was found");
        (status.code().unwrap(), self.seen)
    }
}

fn sign_in() -> Vec<&'static str> {
    let mut arguments = vec!["patient", "auth", "--profile", "mine"];
    arguments.extend(["--server", "clinic-a"]);
    arguments.extend(["--bio", "faces/captures/S03/05.json"]);
    arguments.extend(RISK);
    arguments
}

#[test]
fn id_and_password_are_asked_for_on_the_terminal_and_never_shown() {
    let devnet = Devnet::up();

    for (password, status, end) in [
        (PASSWORD, 0, "Signed in at clinic-a."),
        ("heron-basalt-17", 4, "AC0421"),
    ] {
        let mut terminal = Terminal::run(&devnet, &sign_in());
        terminal.answer("Patient ID: ", ID);
        terminal.answer("Password: ", password);
        let (ended, seen) = terminal.end();

        assert_eq!(ended, status, "{seen}");
        assert!(seen.contains(end), "{seen}");
        for typed in [ID, password] {
            assert!(!seen.contains(typed), "{typed}: {seen}");
        }
    }
}

#[test]
fn without_a_terminal_a_missing_id_or_password_is_an_error_at_once() {
    let devnet = Devnet::up();
    let without_terminal = |more: &[&str]| {
        let mut command: Command = devnet.command("setsid");
        command
            .args(["--wait", env!("CARGO_BIN_EXE_aidchain")])
            .args(sign_in())
            .args(more)
            .arg("--json");
        // Standard input stays open and silent: whoever waits for it waits for ever.
        let (silent, _held) = std::io::pipe().unwrap();
        let child = command
            .stdin(silent)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let (ended, end) = channel();
        thread::spawn(move || ended.send(child.wait_with_output().unwrap()));
        let output = end.recv_timeout(PATIENCE).expect("it ends by itself");
        let error: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
        (output.status.code().unwrap(), error)
    };

    for (given, needed) in [
        (&[][..], "--id-file"),
        (&["--id-file", "id"], "--password-file"),
        (&["--password-file", "pw"], "--id-file"),
    ] {
        let (status, error) = without_terminal(given);
        assert_eq!((status, &error["code"]), (2, &"AC0003".into()), "{error}");
        assert_eq!(error["schema"], "aidchain.error/1");
        let help = error["help"].as_str().unwrap();
        assert!(help.contains(needed), "{help}");
    }
    let (status, error) = without_terminal(&["--id-file", "id", "--password-file", "pw"]);
    assert_eq!(status, 0, "{error}");
}
