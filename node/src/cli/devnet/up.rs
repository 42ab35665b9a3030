//! `aidchain devnet up`: found, start, wait until all serve. What runs already is left alone.

use std::process::Child;
use std::thread;
use std::time::Duration;

use clap::Args;
use contract::genesis::Kind;
use patient::clock::Stopwatch;
use patient::code::{Code, Exit};
use patient::light::short;
use patient::output::{Console, Failure, Mark};
use serde_json::{Value, json};

use super::members::{Devnet, Member};
use super::{Place, process};
use crate::cli::consortium::{Plan, Reach};
use crate::cli::home::GENESIS;
use crate::config::BASE_PORT;
use crate::node::{PortError, check_ports};

/// The members of a devnet; the first is the registration centre.
const MEMBERS: [&str; 4] = ["rc", "clinic-a", "clinic-b", "clinic-c"];
/// How long members may take to serve; three seconds is the goal, not the limit.
const READY_MAX: Duration = Duration::from_secs(20);
const STEP: Duration = Duration::from_millis(20);

/// What to start.
#[derive(Clone, Debug, Args)]
pub(in super::super) struct Up {
    #[command(flatten)]
    place: Place,
    /// First port of the first member, for a new consortium
    #[arg(long, value_name = "PORT", default_value_t = BASE_PORT)]
    base_port: u16,
    /// A ledger for studying the papers' insecure schemes, for a new consortium
    #[arg(long)]
    research: bool,
}

impl Up {
    pub(super) fn run(&self, console: &Console) -> Result<Exit, Failure> {
        let watch = Stopwatch::start();
        if !self.place.home.join(GENESIS).exists() {
            self.found(console)?;
        }
        let mut devnet = Devnet::open(&self.place.home)?;
        self.same_kind(&devnet)?;
        self.ports_are_free(&devnet)?;
        let mut children = start(&mut devnet)?;
        devnet.remember()?;
        wait(&devnet, &mut children)?;

        let ready_ms = watch.elapsed_ms();
        for member in devnet.members() {
            let pid = member.pid().map_or_else(String::new, |pid| pid.to_string());
            console.step(
                Mark::Good,
                member.name(),
                &format!("pid {pid}  p2p {}  api {}", member.p2p(), member.api()),
            );
        }
        report(&devnet, ready_ms, children.len(), console)?;
        Ok(Exit::Ok)
    }

    fn found(&self, console: &Console) -> Result<(), Failure> {
        let kind = if self.research {
            Kind::Research
        } else {
            Kind::Secure
        };
        let members = MEMBERS.map(str::to_owned);
        let plan = Plan {
            folder: &self.place.home,
            members: &members,
            kind,
            name: "demo",
            base_port: self.base_port,
            reach: Reach::Loopback,
        };
        for (place, name) in MEMBERS.iter().enumerate() {
            let config = plan.config(place, name)?;
            check_ports(&config).map_err(|error| self.taken(name, &error))?;
        }
        console.talk(&format!(
            "Creating consortium \"demo\" in {}  (1 registration centre + 3 servers, tolerates 1 faulty)",
            self.place.home.display()
        ));
        let genesis = plan.make()?;
        console.step(Mark::Good, "keys", "4 members, key files of mode 0600");
        let chain = short(genesis.chain());
        console.step(Mark::Good, "genesis", &format!("{chain}  ({kind} ledger)"));
        Ok(())
    }

    /// A flag that cannot be obeyed is refused, not ignored.
    fn same_kind(&self, devnet: &Devnet) -> Result<(), Failure> {
        if self.research && devnet.genesis().kind() == Kind::Secure {
            return Err(Failure::new(Code::HomeNotEmpty)
                .message(format!("{} holds a secure ledger", self.place.home.display()))
                .help("choose another folder with --home, or delete this one: aidchain devnet down --wipe"));
        }
        Ok(())
    }

    fn ports_are_free(&self, devnet: &Devnet) -> Result<(), Failure> {
        let stopped = devnet.members().iter().filter(|it| it.pid().is_none());
        for member in stopped {
            check_ports(member.config()).map_err(|error| self.taken(member.name(), &error))?;
        }
        Ok(())
    }

    fn taken(&self, name: &str, error: &PortError) -> Failure {
        let failure = Failure::new(Code::PortTaken)
            .message(format!(
                "cannot listen on {} ({} of {name}): {}",
                error.address,
                error.key.trim_end_matches("_listen"),
                error.cause
            ))
            .note("nothing was started");
        let free = self.base_port.saturating_add(100);
        let failure = failure.help(format!(
            "stop what holds it, or move the ports: aidchain devnet up --home DIR --base-port {free}"
        ));
        match &error.holder.0 {
            Some((pid, _name)) => {
                failure.because(format!("held by pid {pid} {:?}", command_line(*pid)))
            }
            None => failure,
        }
    }
}

/// A process as its command line shows it.
fn command_line(pid: u32) -> String {
    let bytes = std::fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
    let text = String::from_utf8_lossy(&bytes).replace('\0', " ");
    text.trim().to_owned()
}

/// Starts what does not run.
fn start(devnet: &mut Devnet) -> Result<Vec<(String, Child)>, Failure> {
    let mut children = Vec::new();
    for member in devnet.members_mut() {
        if member.pid().is_none() {
            let child = process::start(member.home(), &member.log())?;
            member.started_as(child.id());
            children.push((member.name().to_owned(), child));
        }
    }
    Ok(children)
}

/// Waits until every member serves and sees the others, or says which does not.
fn wait(devnet: &Devnet, children: &mut [(String, Child)]) -> Result<(), Failure> {
    let watch = Stopwatch::start();
    let mut waiting: Vec<&Member> = devnet.members().iter().collect();
    while !waiting.is_empty() {
        for (name, child) in children.iter_mut() {
            ended_early(devnet, name, child)?;
        }
        waiting.retain(|member| !(member.is_ready() && sees_all(member, devnet)));
        let Some(slow) = waiting.first() else {
            break;
        };
        if watch.elapsed() > READY_MAX {
            return Err(Failure::new(Code::NotReady)
                .message(format!(
                    "{} is not ready after {} s",
                    slow.name(),
                    READY_MAX.as_secs()
                ))
                .because(process::tail(&slow.log()))
                .help(format!("read {}", slow.log().display()))
                .note("the members that were started still run: aidchain devnet down"));
        }
        thread::sleep(STEP);
    }
    Ok(())
}

fn ended_early(devnet: &Devnet, name: &str, child: &mut Child) -> Result<(), Failure> {
    let Ok(Some(status)) = child.try_wait() else {
        return Ok(());
    };
    let log = devnet
        .members()
        .iter()
        .find(|member| member.name() == name)
        .map(Member::log)
        .unwrap_or_default();
    Err(Failure::new(Code::CannotStart)
        .message(format!("the node of {name} ended at once, with {status}"))
        .because(process::tail(&log))
        .help(format!("read {}", log.display())))
}

fn sees_all(member: &Member, devnet: &Devnet) -> bool {
    let Ok(status) = member.status() else {
        return false;
    };
    let members = status.get("members").and_then(Value::as_array);
    let up = members.map_or(0, |all| {
        let is_up = |one: &&Value| one.get("up").and_then(Value::as_bool) == Some(true);
        all.iter().filter(is_up).count()
    });
    up == devnet.members().len()
}

fn report(
    devnet: &Devnet,
    ready_ms: f64,
    started: usize,
    console: &Console,
) -> Result<(), Failure> {
    let members: Vec<_> = devnet
        .members()
        .iter()
        .map(|member| {
            json!({
                "name": member.name(), "pid": member.pid(), "home": member.home(), "p2p": member.p2p(),
                "api": member.api(), "member": member.explorer(), "operations": member.operations(),
            })
        })
        .collect();
    let first = devnet.members().first();
    let explorer = first.map(Member::explorer).unwrap_or_default();
    let metrics = first.map(Member::operations).unwrap_or_default();
    let folder = first
        .and_then(|it| it.home().parent())
        .unwrap_or_else(|| std::path::Path::new("."));
    let object = json!({
        "schema": "aidchain.devnet-up/1",
        "home": folder,
        "chain": devnet.genesis().chain(),
        "kind": devnet.genesis().kind(),
        "started": started,
        "ready_ms": ready_ms,
        "explorer": explorer,
        "members": members,
    });
    let all = devnet.members().len();
    let next = match devnet.genesis().kind() {
        Kind::Research => format!(
            "\n  Faces      aidchain research faces --seed 1 --out faces\n  Next       aidchain patient register --profile mine --genesis {}/{GENESIS} \\\n               --suite wu-2021 --accept-risk=insecure-suite --bio … --bio … --bio …",
            folder.display()
        ),
        Kind::Secure => String::new(),
    };
    let text = format!(
        "Ready in {:.1} s: {all}/{all} members, {started} started now.\n  Explorer   {explorer}/\n  Metrics    {metrics}/metrics{next}\n  Stop       aidchain devnet down --home {}        (keeps data; --wipe deletes it)",
        ready_ms / 1000.0,
        folder.display()
    );
    console.data(&object, &text)
}
