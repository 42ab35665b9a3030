//! Running the binary and reading what it says.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::Value;

use super::Stop;

/// The binary under demonstration.
#[derive(Debug, Clone)]
pub(crate) struct Program(PathBuf);

/// How a command ended: its exit status and its JSON.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) status: i32,
    pub(crate) json: Value,
}

impl Program {
    /// The binary that `AIDCHAIN_BIN` names, or the one that was built.
    pub(crate) fn find() -> Result<Self, Stop> {
        let named = std::env::var_os("AIDCHAIN_BIN").map(PathBuf::from);
        let path = named.unwrap_or_else(|| PathBuf::from("dist/aidchain"));
        let absolute = path.canonicalize().map_err(|error| {
            format!(
                "{}: {error}; build it with scripts/build-static",
                path.display()
            )
        })?;
        Ok(Self(absolute))
    }

    /// Runs a command with `--json` in `folder` and waits for its end, whatever it is.
    pub(crate) fn run<A: AsRef<OsStr>>(
        &self,
        folder: &Path,
        arguments: &[A],
    ) -> Result<Ended, Stop> {
        let shown = || {
            let words: Vec<_> = arguments
                .iter()
                .map(|it| it.as_ref().to_string_lossy())
                .collect();
            format!("aidchain {}", words.join(" "))
        };
        let output = Command::new(&self.0)
            .args(arguments)
            .args(["--json", "--no-input"])
            .current_dir(folder)
            .env("XDG_DATA_HOME", folder.join("data"))
            .stdin(Stdio::null())
            .output()
            .map_err(|error| format!("{}: {error}", shown()))?;
        let status = output
            .status
            .code()
            .ok_or_else(|| format!("{} was killed", shown()))?;
        let text = String::from_utf8_lossy(&output.stdout);
        let json = serde_json::from_str(text.trim()).map_err(|error| {
            let errors = String::from_utf8_lossy(&output.stderr);
            format!(
                "{} ended with {status} and no JSON ({error}): {text}{errors}",
                shown()
            )
        })?;
        Ok(Ended { status, json })
    }

    /// The same, of a command that must succeed.
    pub(crate) fn must<A: AsRef<OsStr>>(
        &self,
        folder: &Path,
        arguments: &[A],
    ) -> Result<Value, Stop> {
        let ended = self.run(folder, arguments)?;
        if ended.status == 0 {
            return Ok(ended.json);
        }
        let words: Vec<_> = arguments
            .iter()
            .map(|it| it.as_ref().to_string_lossy())
            .collect();
        Err(format!(
            "aidchain {} ended with {}: {}",
            words.join(" "),
            ended.status,
            ended.json
        ))
    }
}

/// A text in a JSON object.
pub(crate) fn text<'a>(value: &'a Value, key: &str) -> Result<&'a str, Stop> {
    value
        .get(key)
        .and_then(Value::as_str)
        .ok_or_else(|| format!("no text {key:?} in {value}"))
}

/// A number in a JSON object.
pub(crate) fn number(value: &Value, key: &str) -> Result<u64, Stop> {
    value
        .get(key)
        .and_then(Value::as_u64)
        .ok_or_else(|| format!("no number {key:?} in {value}"))
}
