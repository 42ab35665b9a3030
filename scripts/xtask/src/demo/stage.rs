//! What the demo plays on: a temporary folder, free ports, four nodes.

use std::fs::{self, Permissions};
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use serde_json::Value;

use super::program::{Program, text};
use super::{Stop, Suite};
use crate::clock::Stopwatch;
use crate::say;

/// The members, the registration centre first.
pub(crate) const NODES: [&str; 4] = ["rc", "clinic-a", "clinic-b", "clinic-c"];
/// Whose faces are used: the same people at every run.
const SEED: &str = "1";

/// The consortium and where everything of it is.
#[derive(Debug)]
pub(crate) struct Stage {
    pub(crate) program: Program,
    pub(crate) folder: PathBuf,
    pub(crate) base_port: u16,
    /// By which suite she signs in.
    pub(crate) suite: Suite,
    kept: bool,
}

impl Stage {
    /// A new folder with secrets and synthetic faces in it; no process yet.
    pub(crate) fn build(suite: Suite) -> Result<Self, Stop> {
        let program = Program::find()?;
        let folder = std::env::temp_dir().join(format!("aidchain-demo-{}", Stopwatch::stamp()));
        fs::create_dir(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
        let stage = Self {
            program,
            folder,
            base_port: free_ports()?,
            suite,
            kept: false,
        };
        stage.secret("id", "demo-patient-1")?;
        stage.secret("password", "correct horse battery")?;
        stage.secret("wrong-password", "incorrect horse")?;
        stage.must(&["research", "faces", "--seed", SEED, "--out", "faces"])?;
        Ok(stage)
    }

    /// Writes a secret that a command reads.
    pub(crate) fn secret(&self, name: &str, content: &str) -> Result<(), Stop> {
        let path = self.folder.join(name);
        let written = fs::write(&path, content)
            .and_then(|()| fs::set_permissions(&path, Permissions::from_mode(0o600)));
        written.map_err(|error| format!("{}: {error}", path.display()))
    }

    /// Runs a command in the folder that must succeed.
    pub(crate) fn must(&self, arguments: &[&str]) -> Result<Value, Stop> {
        self.program.must(&self.folder, arguments)
    }

    /// The member interface of a node.
    pub(crate) fn member(&self, place: usize) -> String {
        let place = u16::try_from(place).unwrap_or(0);
        let port = self.base_port.saturating_add(1100).saturating_add(place);
        format!("http://127.0.0.1:{port}")
    }

    /// What a node says about the ledger.
    pub(crate) fn status(&self, place: usize) -> Result<Value, Stop> {
        self.must(&["ledger", "status", "--node", &self.member(place)])
    }

    /// The process numbers by member.
    pub(crate) fn process(&self, name: &str) -> Result<u64, Stop> {
        let devnet = self.must(&["devnet", "status", "--home", "consortium"])?;
        let members = devnet.get("members").and_then(Value::as_array);
        members
            .into_iter()
            .flatten()
            .find(|member| text(member, "name") == Ok(name))
            .and_then(|member| member.get("pid").and_then(Value::as_u64))
            .ok_or_else(|| format!("{name} does not run: {devnet}"))
    }

    /// Stops the nodes; dropping the stage then deletes the folder.
    pub(crate) fn stop(&self) -> Result<(), Stop> {
        let ended = self.must(&["devnet", "down", "--home", "consortium"])?;
        let stopped = ended
            .get("stopped")
            .and_then(Value::as_array)
            .map_or(0, Vec::len);
        if stopped != NODES.len() {
            return Err(format!(
                "{stopped} nodes stopped, {} were running",
                NODES.len()
            ));
        }
        say::line("  ✓ stopped      4 nodes, cleanly");
        Ok(())
    }

    /// Leaves everything as it is.
    pub(crate) fn keep(&mut self) {
        self.kept = true;
        say::line(&format!(
            "  The consortium keeps running. Stop it: aidchain devnet down --wipe --home {}/consortium",
            self.folder.display()
        ));
    }

    /// The capture with this number of a synthetic person, from 1.
    pub(crate) fn capture(person: &str, number: usize) -> String {
        format!("faces/captures/{person}/{number:02}.json")
    }
}

impl Drop for Stage {
    fn drop(&mut self) {
        if self.kept {
            return;
        }
        // After a failure nodes may still run; what cannot be stopped or deleted is named for the reader.
        if self.folder.join("consortium").exists() {
            let down = ["devnet", "down", "--home", "consortium"];
            if let Err(stop) = self.program.run(&self.folder, &down) {
                say::error(&stop);
            }
        }
        if let Err(error) = fs::remove_dir_all(&self.folder) {
            say::error(&format!("{}: {error}", self.folder.display()));
        }
    }
}

/// A base port with room for the four times four ports of a devnet.
fn free_ports() -> Result<u16, Stop> {
    let is_free = |base: &u16| {
        [0, 1000, 1100, 2000].iter().all(|offset: &u16| {
            (0..4).all(|place: u16| {
                let port = base.saturating_add(*offset).saturating_add(place);
                TcpListener::bind(("127.0.0.1", port)).is_ok()
            })
        })
    };
    (0..40_u16)
        .map(|step| 7100_u16.saturating_add(step.saturating_mul(10)))
        .find(is_free)
        .ok_or_else(|| "no free ports from 7100 on".to_owned())
}

/// Where a receipt is, as a command named it.
pub(crate) fn receipt(answer: &Value) -> Result<&Path, Stop> {
    text(answer, "receipt").map(Path::new)
}
