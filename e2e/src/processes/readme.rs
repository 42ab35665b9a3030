//! The README's commands: each is run by a test, here or where the list below says.

use std::fs;
use std::path::Path;
use std::process::Command;

use crate::claims::{Broken, Claims, ensure};
use crate::tools::{Ended, finish};

/// Commands that are run elsewhere, and where.
const ELSEWHERE: [(&str, &str); 6] = [
    ("./scripts/demo", "step `demo` of scripts/test"),
    ("./scripts/test", "what runs this"),
    ("scripts/bench ledger", "step `bench` of scripts/test"),
    (
        "scripts/bench sign-in",
        "step `bench of sign-ins` of scripts/test",
    ),
    (
        "docker compose up",
        "e2e compose, with the Compose that is there",
    ),
    (
        "scripts/build-static && AIDCHAIN_TARGET=prebuilt",
        "e2e compose",
    ),
];

/// Fewer commands than this mean that the README was not understood.
const COMMANDS_MIN: usize = 6;

/// The claim.
pub(super) fn claims(claims: &mut Claims) {
    claims.hold(
        "every command of the README's tour works when typed in order",
        || {
            let text = fs::read_to_string("README.md")?;
            let tour = own(&commands(&text));
            ensure(tour.len() >= COMMANDS_MIN, || {
                format!("only {} commands: {tour:?}", tour.len())
            })?;
            let folder = tempfile::tempdir()?;
            let ended = typed(&tour, folder.path())?;
            // Whatever happened, nothing of the tour goes on running.
            drop(typed(
                &["aidchain devnet down --wipe".to_owned()],
                folder.path(),
            ));
            ended.ended_with(0)
        },
    );
}

/// Lines that begin with a prompt inside `console` blocks.
fn commands(text: &str) -> Vec<String> {
    let mut inside = false;
    let mut found = Vec::new();
    for line in text.lines() {
        if let Some(language) = line.trim_start().strip_prefix("```") {
            inside = language == "console";
        } else if let Some(command) = line.strip_prefix("$ ").filter(|_| inside) {
            found.push(command.trim().to_owned());
        }
    }
    found
}

/// The commands that nobody else runs.
fn own(commands: &[String]) -> Vec<String> {
    let elsewhere = |command: &str| {
        ELSEWHERE
            .iter()
            .any(|(known, _)| command.starts_with(known))
    };
    commands
        .iter()
        .filter(|command| !elsewhere(command))
        .cloned()
        .collect()
}

/// Types them into one shell in an empty folder, with the built programs in its path.
fn typed(commands: &[String], folder: &Path) -> Result<Ended, Broken> {
    let programs = fs::canonicalize("dist")?;
    let path = format!(
        "{}:{}",
        programs.display(),
        std::env::var("PATH").unwrap_or_default()
    );
    let mut shell = Command::new("sh");
    shell
        .args(["-e", "-x", "-c", &commands.join("\n")])
        .current_dir(folder);
    shell
        .env("PATH", path)
        .env("HOME", folder)
        .env_remove("XDG_DATA_HOME");
    Ok(finish(&mut shell)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "\
```console
$ ./scripts/demo
its output
$ aidchain devnet up
```
$ not in a block
```json
$ not a console
```
";

    #[test]
    fn prompts_in_console_blocks_are_commands() {
        assert_eq!(commands(TEXT), ["./scripts/demo", "aidchain devnet up"]);
    }

    #[test]
    fn what_is_run_elsewhere_is_not_run_here() {
        assert_eq!(own(&commands(TEXT)), ["aidchain devnet up"]);
    }
}
