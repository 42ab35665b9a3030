//! The members as processes in their namespaces, and everything that can be done to them.

use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::Duration;

use bench::clock::{wait_for, wall_ms};
use bench::consortium::Consortium;
use bench::workload::Workload;
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

use super::lab::{Cut, Lab, MEMBERS};
use crate::byzantine;
use crate::claims::{Broken, Verdict, ensure};
use crate::tools::{aidchain, dynamic_aidchain};

/// Patients in the genesis.
const PATIENTS: u32 = 50;

/// How long a member may take to stop in order.
const STOP: Duration = Duration::from_secs(5);

/// How long a member may take to start.
const START: Duration = Duration::from_secs(20);

/// How long a member may take to see that its clock was set: it looks once a second.
const CLOCK_SEEN: Duration = Duration::from_secs(5);

/// How exactly a clock is seen from outside.
const CLOCK_ERROR_MS: u64 = 400;

/// Where Debian and its kin keep the library that misleads a program about the time.
const FAKETIME: &str = "/usr/lib/x86_64-linux-gnu/faketime/libfaketimeMT.so.1";

/// How members run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Kind {
    /// All as a hospital would run them.
    Plain,
    /// With clocks that can be set while they run.
    Clocks,
    /// With one member that does not keep to the protocol.
    Liar {
        /// Which member.
        member: usize,
        /// How it behaves, by name.
        character: String,
    },
}

impl Kind {
    /// Whether a member is sure to tell two stories while it is the first primary.
    pub(super) fn splits(&self) -> bool {
        matches!(self, Self::Liar { member: 0, character } if character == byzantine::TWO_FACED)
    }
}

/// Four members in a lab.
#[derive(Debug)]
pub(super) struct Field<'a> {
    lab: &'a Lab,
    kind: Kind,
    /// Whether a member has lost its disk.
    wiped: bool,
    /// The processes.
    pub(super) consortium: Consortium,
    /// Whom they know.
    pub(super) workload: Workload,
}

impl<'a> Field<'a> {
    /// A fresh consortium: its members run, and are not ready yet.
    pub(super) fn start(lab: &'a Lab, kind: Kind) -> Result<Self, Broken> {
        let workload = Workload::new(7, PATIENTS);
        lab.cut(&BTreeSet::new())?;
        let consortium = Consortium::create_in(&aidchain(), &workload, lab.places())?;
        let mut field = Self {
            lab,
            kind,
            wiped: false,
            consortium,
            workload,
        };
        for member in 0..MEMBERS {
            field.write_clock(member, 0)?;
            field.revive(member)?;
        }
        Ok(field)
    }

    /// The members that keep to the protocol.
    pub(super) fn honest(&self) -> Vec<usize> {
        let liar = match &self.kind {
            Kind::Liar { member, .. } => Some(*member),
            Kind::Plain | Kind::Clocks => None,
        };
        (0..MEMBERS)
            .filter(|member| Some(*member) != liar)
            .collect()
    }

    /// Starts a member, unless it runs.
    pub(super) fn revive(&mut self, member: usize) -> Verdict {
        let command = self.command(member)?;
        let node = self
            .consortium
            .nodes
            .get_mut(member)
            .ok_or("no such member")?;
        if node.child.is_none() {
            let mut command = command;
            node.child = Some(command.spawn()?);
        }
        Ok(())
    }

    /// Starts these members and waits until each answers: how long a program takes to start is the machine's affair.
    pub(super) fn revive_all(&mut self, members: &[usize]) -> Verdict {
        for member in members {
            self.revive(*member)?;
        }
        for member in members {
            let node = self.consortium.nodes.get(*member);
            let node = node.ok_or("no such member")?;
            ensure(wait_for(START, || node.status()).is_some(), || {
                format!("{} did not answer in {START:?}:\n{}", node.name, node.log())
            })?;
        }
        Ok(())
    }

    /// What runs a member.
    fn command(&self, member: usize) -> Result<Command, Broken> {
        let node = self.consortium.nodes.get(member).ok_or("no such member")?;
        match &self.kind {
            Kind::Liar {
                member: liar,
                character,
            } if *liar == member => {
                // The log and the silence on standard input are those of every other member.
                let log = fs::OpenOptions::new()
                    .create(true)
                    .append(true)
                    .open(node.log_path())?;
                let mut command = node.place.command(&std::env::current_exe()?);
                node.tell(command.args(["byzantine", character]));
                command
                    .stdin(Stdio::null())
                    .stdout(log.try_clone()?)
                    .stderr(log);
                Ok(command)
            }
            Kind::Plain | Kind::Liar { .. } => Ok(node.command(&self.consortium.binary)?),
            Kind::Clocks => {
                ensure(PathBuf::from(FAKETIME).is_file(), || {
                    format!("no {FAKETIME}: install faketime")
                })?;
                let mut command = node.command(&dynamic_aidchain()?)?;
                command
                    .env("LD_PRELOAD", FAKETIME)
                    .env("FAKETIME_TIMESTAMP_FILE", self.clock(member))
                    .env("FAKETIME_CACHE_DURATION", "1")
                    .env("FAKETIME_DONT_FAKE_MONOTONIC", "1");
                Ok(command)
            }
        }
    }

    /// The file that says how wrong a member's clock is.
    fn clock(&self, member: usize) -> PathBuf {
        self.consortium
            .folder
            .path()
            .join(format!("clock-{member}"))
    }

    /// Sets a member's clock this many milliseconds ahead; the member sees it within a second.
    fn write_clock(&self, member: usize, ahead_ms: i64) -> Verdict {
        let sign = if ahead_ms < 0 { '-' } else { '+' };
        let ahead = Duration::from_millis(ahead_ms.unsigned_abs()).as_secs_f64();
        // Replaced in one step: a half-written offset would be a time of its own.
        let (new, old) = (self.clock(member).with_extension("new"), self.clock(member));
        fs::write(&new, format!("{sign}{ahead:.3}\n"))?;
        Ok(fs::rename(new, old)?)
    }

    /// Sets a member's clock this many milliseconds ahead, and waits until the member sees it.
    pub(super) fn set_clock(&self, member: usize, ahead_ms: i64) -> Verdict {
        self.write_clock(member, ahead_ms)?;
        let node = self.consortium.nodes.get(member).ok_or("no such member")?;
        let told = || {
            let clock = node.status()?.get("clock_ms")?.as_u64()?;
            clock.checked_signed_diff(wall_ms())
        };
        let set = wait_for(CLOCK_SEEN, || {
            told().filter(|ahead| ahead.abs_diff(ahead_ms) <= CLOCK_ERROR_MS)
        });
        ensure(set.is_some(), || {
            format!(
                "{}: the clock should be {ahead_ms} ms ahead and is {:?}",
                node.name,
                told()
            )
        })
    }

    /// From now on exactly these frames are lost.
    pub(super) fn cut(&self, cuts: &BTreeSet<Cut>) -> Verdict {
        self.lab.cut(cuts)
    }

    /// Ends a member at whatever instruction it is.
    pub(super) fn kill(&mut self, member: usize) {
        if let Some(node) = self.consortium.nodes.get_mut(member) {
            node.kill();
        }
    }

    /// Ends a member in order.
    pub(super) fn stop(&mut self, member: usize) -> Verdict {
        let node = self
            .consortium
            .nodes
            .get_mut(member)
            .ok_or("no such member")?;
        ensure(node.stop(STOP), || {
            format!("{} did not stop in {STOP:?}", node.name)
        })
    }

    /// Stops a member's process without its noticing, or lets it go on.
    pub(super) fn signal(&self, member: usize, signal: Signal) -> Verdict {
        let node = self.consortium.nodes.get(member).ok_or("no such member")?;
        let pid = node
            .pid()
            .and_then(|pid| Pid::from_raw(i32::try_from(pid).ok()?));
        let pid = pid.ok_or_else(|| format!("{} does not run", node.name))?;
        kill_process(pid, signal).map_err(|error| format!("{}: {error}", node.name).into())
    }

    /// Takes everything from a dead member that it ever wrote, but not its keys.
    pub(super) fn wipe(&mut self, member: usize) -> Verdict {
        let node = self.consortium.nodes.get(member).ok_or("no such member")?;
        for folder in ["votes", "ledger"] {
            let folder = node.home.join(folder);
            if folder.exists() {
                fs::remove_dir_all(folder)?;
            }
        }
        self.wiped = true;
        Ok(())
    }

    /// Whether a member has lost its disk.
    pub(super) const fn was_wiped(&self) -> bool {
        self.wiped
    }

    /// Whether a member answers and does not say that its votes are lost.
    pub(super) fn votes(&self, member: usize) -> bool {
        let node = self.consortium.nodes.get(member);
        let status = node.and_then(bench::consortium::Node::status);
        status.is_some_and(|status| status.get("votes_lost").is_some_and(Value::is_null))
    }

    /// How they run.
    pub(super) const fn kind(&self) -> &Kind {
        &self.kind
    }

    /// The primary by what the members say; the first that says one is believed.
    pub(super) fn primary(&self) -> Option<usize> {
        let nodes = || self.consortium.nodes.iter();
        let status = nodes().find_map(bench::consortium::Node::status)?;
        let name = status.get("primary")?.as_str()?;
        nodes().position(|node| node.name == name)
    }
}
