//! `aidchain devnet`: a whole consortium of real processes on this machine.

mod members;
mod process;
mod up;

use std::path::PathBuf;

use clap::{Args, Subcommand};
use patient::code::{Code, Exit};
use patient::output::{Console, Failure, Mark};
use serde_json::json;

pub(super) use self::members::Devnet;

const UP_EXAMPLE: &str = "Example:\n  aidchain devnet up --research";
const DOWN_EXAMPLE: &str =
    "Example:\n  aidchain devnet down            (keeps the data; --wipe deletes it)";
const STATUS_EXAMPLE: &str = "Example:\n  aidchain devnet status --json";

/// Run a whole consortium on this machine, to try it out
#[derive(Clone, Debug, Subcommand)]
pub(super) enum DevnetCommand {
    /// Start every member that does not run; found the consortium first where there is none
    #[command(after_help = UP_EXAMPLE)]
    Up(up::Up),
    /// Stop all members
    #[command(after_help = DOWN_EXAMPLE)]
    Down(Down),
    /// Say which members run
    #[command(after_help = STATUS_EXAMPLE)]
    Status(Place),
}

/// Which consortium.
#[derive(Clone, Debug, Args)]
pub(super) struct Place {
    /// Folder of the consortium
    #[arg(long, value_name = "DIR", default_value = ".aidchain/demo")]
    home: PathBuf,
}

/// Which consortium, and what becomes of its data.
#[derive(Clone, Debug, Args)]
pub(super) struct Down {
    #[command(flatten)]
    place: Place,
    /// Delete the consortium's folder, keys and ledger included
    #[arg(long)]
    wipe: bool,
}

impl DevnetCommand {
    pub(super) fn run(&self, console: &Console) -> Result<Exit, Failure> {
        match self {
            Self::Up(command) => command.run(console),
            Self::Down(command) => command.run(console),
            Self::Status(place) => place.status(console),
        }
    }
}

impl Down {
    fn run(&self, console: &Console) -> Result<Exit, Failure> {
        let devnet = Devnet::open(&self.place.home)?;
        let mut stopped = Vec::new();
        for member in devnet.members() {
            if member.stop()? {
                console.step(Mark::Good, member.name(), "stopped");
                stopped.push(member.name().to_owned());
            }
        }
        if self.wipe {
            std::fs::remove_dir_all(&self.place.home)
                .map_err(|error| patient::files::cannot_write(&self.place.home, &error))?;
        }
        let object = json!({
            "schema": "aidchain.devnet-down/1",
            "home": self.place.home,
            "stopped": stopped,
            "wiped": self.wipe,
        });
        let rest = if self.wipe {
            "data deleted"
        } else {
            "data kept"
        };
        console.data(&object, &format!("{} stopped, {rest}.", stopped.len()))?;
        Ok(Exit::Ok)
    }
}

impl Place {
    fn status(&self, console: &Console) -> Result<Exit, Failure> {
        let devnet = Devnet::open(&self.home)?;
        let mut lines = Vec::new();
        let mut members = Vec::new();
        for member in devnet.members() {
            let pid = member.pid();
            let status = pid.and_then(|_| member.status().ok());
            let height = status.as_ref().and_then(|it| it.get("height")).cloned();
            let view = status.as_ref().and_then(|it| it.get("view")).cloned();
            let ready = pid.is_some() && member.is_ready();
            let mark = if ready { Mark::Good } else { Mark::Bad };
            let state = match (pid, ready) {
                (Some(pid), true) => format!("pid {pid}, ready"),
                (Some(pid), false) => format!("pid {pid}, not ready"),
                (None, _) => "stopped".to_owned(),
            };
            let at = height
                .as_ref()
                .map_or_else(String::new, |it| format!(", height {it}"));
            lines.push(mark.line(member.name(), &format!("{state}{at}")));
            members.push(json!({
                "name": member.name(), "pid": pid, "ready": ready, "height": height, "view": view,
                "home": member.home(), "p2p": member.p2p(), "api": member.api(),
                "member": member.explorer(), "operations": member.operations(),
            }));
        }
        let running = devnet
            .members()
            .iter()
            .filter(|it| it.pid().is_some())
            .count();
        let object = json!({
            "schema": "aidchain.devnet-status/1",
            "home": self.home,
            "chain": devnet.genesis().chain(),
            "kind": devnet.genesis().kind(),
            "running": running,
            "members": members,
        });
        console.data(&object, &lines.join("\n"))?;
        if running == 0 {
            return Ok(Code::CannotReach.exit());
        }
        Ok(Exit::Ok)
    }
}
