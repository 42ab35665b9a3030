//! Where the binaries are, and how to run a program to its end.

use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::Value;

use crate::claims::{Broken, Verdict, ensure, ensure_equal};

/// The node binary: `AIDCHAIN_BIN`, or the one that `scripts/build-static` made.
/// Absolute, since some of these commands run in a folder of their own.
pub(crate) fn aidchain() -> PathBuf {
    let named = std::env::var_os("AIDCHAIN_BIN").map(PathBuf::from);
    let path = named.unwrap_or_else(|| PathBuf::from("dist/aidchain"));
    // One that is not there is named as it was given.
    path.canonicalize().unwrap_or(path)
}

/// The dynamically linked binary that the tests were built beside: a static one ignores `faketime`.
pub(crate) fn dynamic_aidchain() -> Result<PathBuf, Broken> {
    let target =
        std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| PathBuf::from("target"), PathBuf::from);
    let named = std::env::var_os("AIDCHAIN_DYNAMIC_BIN").map(PathBuf::from);
    let path = named.unwrap_or_else(|| target.join("debug/aidchain"));
    ensure(path.is_file(), || {
        format!("no {}: `cargo build --workspace` makes it", path.display())
    })?;
    Ok(path.canonicalize()?)
}

/// What a program came to.
#[derive(Debug, Clone)]
pub(crate) struct Ended {
    /// The exit code; -1 if a signal ended it.
    pub(crate) code: i32,
    /// Standard output.
    pub(crate) out: String,
    /// Standard error.
    pub(crate) talk: String,
}

impl Ended {
    /// The last line of output that is JSON.
    pub(crate) fn json(&self) -> Value {
        let lines = self.out.lines().rev();
        let whole = serde_json::from_str(&self.out).ok();
        let last = || {
            lines
                .clone()
                .find_map(|line| serde_json::from_str(line).ok())
        };
        whole.or_else(last).unwrap_or_default()
    }

    /// Whether it ended with this code; if not, says what it printed.
    pub(crate) fn ended_with(&self, code: i32) -> Verdict {
        ensure_equal("exit code", &self.code, &code)
            .map_err(|why| Broken::from(format!("{why}\n{}{}", self.out, self.talk)))
    }
}

/// Runs a command without a terminal.
pub(crate) fn finish(command: &mut Command) -> io::Result<Ended> {
    let output = command.stdin(Stdio::null()).output()?;
    Ok(Ended {
        code: output.status.code().unwrap_or(-1),
        out: String::from_utf8_lossy(&output.stdout).into_owned(),
        talk: String::from_utf8_lossy(&output.stderr).into_owned(),
    })
}

/// Whether a program of that name is in the path.
pub(crate) fn has(program: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).any(|folder| folder.join(program).is_file())
}

/// Where screenshots go.
pub(crate) fn pictures() -> PathBuf {
    Path::new("target/e2e").to_owned()
}
