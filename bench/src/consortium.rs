//! A consortium of real processes on loopback, made as hospitals make theirs: each member its own
//! keys, one genesis file, adopted by all.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use contract::genesis::{Content, Genesis, Kind, Member};
use contract::identity::BlockTime;
use contract::record::{PatientRecord, ServerRecord};
use rustix::process::{Pid, Signal, kill_process, kill_process_group};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::clock::{wait_for, wall_ms};
use crate::http::Connection;
use crate::place::Place;
use crate::workload::Workload;

/// The members, the registration centre first.
pub const NAMES: [&str; 4] = ["rc", "clinic-a", "clinic-b", "clinic-c"];

/// Lowest port that is tried for a consortium.
const FIRST_PORT: u16 = 10_100;

/// Distances of the four listeners from the base port.
const LISTENERS: [u16; 4] = [0, 1000, 1100, 2000];

/// One member: its home, and its process if it runs.
#[derive(Debug)]
pub struct Node {
    /// The member's name.
    pub name: String,
    /// Its home.
    pub home: PathBuf,
    /// Position in the committee.
    pub index: usize,
    /// Its first port.
    pub base: u16,
    /// Where it runs.
    pub place: Place,
    /// Its process.
    pub child: Option<Child>,
}

impl Node {
    /// The address of one of its listeners.
    fn listener(&self, distance: u16) -> SocketAddr {
        SocketAddr::from((Ipv4Addr::LOCALHOST, self.base.saturating_add(distance)))
    }

    /// Where members dial it.
    pub fn p2p(&self) -> SocketAddr {
        SocketAddr::from((self.place.address(), self.base))
    }

    /// Where patients reach it.
    pub fn api(&self) -> SocketAddr {
        self.listener(1000)
    }

    /// Member API and explorer.
    pub fn member_api(&self) -> SocketAddr {
        self.listener(1100)
    }

    /// Health and metrics.
    pub fn operations(&self) -> SocketAddr {
        self.listener(2000)
    }

    /// A connection to one of its listeners, made where it runs.
    pub fn connection(&self, listener: SocketAddr, patience: Duration) -> Connection {
        Connection::from(self.place.clone(), listener, patience)
    }

    /// The process id while it runs.
    pub fn pid(&self) -> Option<u32> {
        self.child.as_ref().map(Child::id)
    }

    /// The command that runs it, for a test that wants to change something about it.
    pub fn command(&self, binary: &Path) -> io::Result<Command> {
        let log = OpenOptions::new()
            .create(true)
            .append(true)
            .open(self.log_path())?;
        let mut command = self.place.command(binary);
        self.tell(command.args(["node", "run"]));
        command
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log);
        Ok(command)
    }

    /// Tells a program which home it has and where it listens.
    pub fn tell(&self, command: &mut Command) {
        command
            .arg("--home")
            .arg(&self.home)
            .env("AIDCHAIN_P2P_LISTEN", self.p2p().to_string())
            .env("AIDCHAIN_API_LISTEN", self.api().to_string())
            .env("AIDCHAIN_MEMBER_LISTEN", self.member_api().to_string())
            .env("AIDCHAIN_OPERATIONS_LISTEN", self.operations().to_string())
            .env("AIDCHAIN_EXPLORER_LOGIN", "false");
    }

    /// Where its output goes.
    pub fn log_path(&self) -> PathBuf {
        self.home.with_extension("log")
    }

    /// Everything it said so far.
    pub fn log(&self) -> String {
        let bytes = fs::read(self.log_path()).unwrap_or_default();
        String::from_utf8_lossy(&bytes).into_owned()
    }

    /// Starts it, unless it runs.
    pub fn start(&mut self, binary: &Path) -> io::Result<()> {
        if self.child.is_none() {
            self.child = Some(self.command(binary)?.spawn()?);
        }
        Ok(())
    }

    /// Takes a process started from [`Node::command`].
    pub fn adopt(&mut self, child: Child) {
        self.kill();
        self.child = Some(child);
    }

    /// Ends it at whatever instruction it is.
    pub fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            let group = i32::try_from(child.id()).ok().and_then(Pid::from_raw);
            // What was started through another program leads a group with it; any other child
            // leads none and is killed by itself. Failing means that it has ended, which is as good.
            let grouped =
                group.is_some_and(|group| kill_process_group(group, Signal::KILL).is_ok());
            if !grouped {
                drop(child.kill());
            }
            drop(child.wait());
        }
    }

    /// Asks it to stop; whether it ended with success in time.
    pub fn stop(&mut self, limit: Duration) -> bool {
        let Some(mut child) = self.child.take() else {
            return true;
        };
        let pid = i32::try_from(child.id()).ok().and_then(Pid::from_raw);
        let asked = pid.is_some_and(|pid| kill_process(pid, Signal::TERM).is_ok());
        let ended = wait_for(limit, || child.try_wait().ok().flatten());
        if ended.is_none() {
            drop(child.kill());
            drop(child.wait());
        }
        asked && ended.is_some_and(|status| status.success())
    }

    /// The exit code, if it ended by itself within the limit.
    pub fn exit_code(&mut self, limit: Duration) -> Option<i32> {
        let child = self.child.as_mut()?;
        let status = wait_for(limit, || child.try_wait().ok().flatten())?;
        self.child = None;
        status.code()
    }

    /// The status it tells; `None` while it does not answer.
    pub fn status(&self) -> Option<Value> {
        let mut connection = self.connection(self.member_api(), Duration::from_secs(2));
        let response = connection.get("/v1/status").ok()?;
        (response.status == 200).then(|| response.json())
    }

    /// Whether it answers `/readyz` with success.
    pub fn is_ready(&self) -> bool {
        let mut connection = self.connection(self.operations(), Duration::from_secs(2));
        let response = connection.get("/readyz");
        response.is_ok_and(|response| response.status == 200)
    }

    /// Newest certified height it tells; `None` while it does not answer.
    pub fn height(&self) -> Option<u64> {
        self.status()?.get("height")?.as_u64()
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        self.kill();
    }
}

/// Four members and where they live. Dropping it kills them and removes their homes.
#[derive(Debug)]
pub struct Consortium {
    /// The node binary.
    pub binary: PathBuf,
    /// The members in committee order.
    pub nodes: Vec<Node>,
    /// The genesis they adopted.
    pub genesis: Genesis,
    /// The folder that holds everything; removed with this value.
    pub folder: TempDir,
}

impl Consortium {
    /// Makes keys, a secure genesis that lists the workload's patients and every server, and homes.
    pub fn create(binary: &Path, workload: &Workload) -> io::Result<Self> {
        let places = [const { Place::Loopback }; NAMES.len()];
        Self::create_in(binary, workload, places)
    }

    /// A registration centre alone, which others may join: its neighbours' ports are free too.
    pub fn create_alone(binary: &Path, workload: &Workload) -> io::Result<Self> {
        let known = (workload.patient_records(), wall_ms());
        Self::found(binary, known, Workload::server_records, [Place::Loopback])
    }

    /// Members that know these patients and publish their own keys for sign-ins: the genesis names none.
    pub fn with_patients(binary: &Path, patients: Vec<PatientRecord>) -> io::Result<Self> {
        let places = [const { Place::Loopback }; NAMES.len()];
        Self::found(binary, (patients, wall_ms()), |_members| Vec::new(), places)
    }

    /// The same with each member in its own place.
    pub fn create_in(
        binary: &Path,
        workload: &Workload,
        places: [Place; NAMES.len()],
    ) -> io::Result<Self> {
        let known = (workload.patient_records(), wall_ms());
        Self::found(binary, known, Workload::server_records, places)
    }

    /// The same without patients, with a genesis of a time in the past.
    pub fn create_at(binary: &Path, time_ms: u64) -> io::Result<Self> {
        let places = [const { Place::Loopback }; NAMES.len()];
        let known = (Vec::new(), time_ms);
        Self::found(binary, known, Workload::server_records, places)
    }

    /// Members in their places over a genesis with these patients, this time and these keys of servers.
    fn found(
        binary: &Path,
        (patients, time_ms): (Vec<PatientRecord>, u64),
        servers: fn(&[Member]) -> Vec<ServerRecord>,
        places: impl IntoIterator<Item = Place>,
    ) -> io::Result<Self> {
        let folder = tempfile::tempdir()?;
        let base = free_base_port()?;
        let mut nodes = Vec::new();
        let mut members = Vec::new();
        for (index, (name, place)) in NAMES.into_iter().zip(places).enumerate() {
            let home = folder.path().join(name);
            let base = base.saturating_add(u16::try_from(index).unwrap_or_default());
            let node = Node {
                name: name.to_owned(),
                home,
                index,
                base,
                place,
                child: None,
            };
            members.push(make_keys(binary, &node)?);
            nodes.push(node);
        }
        let mut content = Content::new(Kind::Secure, "loopback", BlockTime::new(time_ms), members);
        content.patients = patients;
        content.servers = servers(&content.members);
        let file = content.to_json();
        let genesis = Genesis::parse(&file).map_err(io::Error::other)?;
        let path = folder.path().join("genesis.json");
        fs::write(&path, file)?;
        for node in &nodes {
            let home = node.home.display().to_string();
            aidchain(
                binary,
                &[
                    "node",
                    "adopt",
                    &path.display().to_string(),
                    "--home",
                    &home,
                ],
            )?;
        }
        Ok(Self {
            binary: binary.to_owned(),
            nodes,
            genesis,
            folder,
        })
    }

    /// A ledger without patients, made by the one command for a single machine.
    pub fn local(binary: &Path, kind: Kind) -> io::Result<Self> {
        let folder = tempfile::tempdir()?;
        let base = free_base_port()?;
        let homes = folder.path().join("consortium");
        let (local, names, port) = (
            homes.display().to_string(),
            NAMES.join(","),
            base.to_string(),
        );
        let mut arguments = vec!["consortium", "init", "--local", &local];
        arguments.extend(["--members", &names, "--base-port", &port]);
        if kind == Kind::Research {
            arguments.push("--research");
        }
        aidchain(binary, &arguments)?;
        let file = fs::read(homes.join("genesis.json"))?;
        fs::write(folder.path().join("genesis.json"), &file)?;
        let genesis = Genesis::parse(&file).map_err(io::Error::other)?;
        let node = |(index, name): (usize, &str)| {
            let base = base.saturating_add(u16::try_from(index).unwrap_or_default());
            Node {
                name: name.to_owned(),
                home: homes.join(name),
                index,
                base,
                place: Place::Loopback,
                child: None,
            }
        };
        let nodes = NAMES.into_iter().enumerate().map(node).collect();
        Ok(Self {
            binary: binary.to_owned(),
            nodes,
            genesis,
            folder,
        })
    }

    /// The genesis file.
    pub fn genesis_path(&self) -> PathBuf {
        self.folder.path().join("genesis.json")
    }

    /// Starts every member that does not run.
    pub fn start_all(&mut self) -> io::Result<()> {
        let binary = self.binary.clone();
        self.nodes
            .iter_mut()
            .try_for_each(|node| node.start(&binary))
    }

    /// Waits until each running member answers `/readyz` with success.
    pub fn wait_ready(&self, limit: Duration) -> io::Result<()> {
        let running = self.nodes.iter().filter(|node| node.child.is_some());
        for node in running {
            if wait_for(limit, || node.is_ready().then_some(())).is_none() {
                return Err(self.not_ready(node, limit));
            }
        }
        Ok(())
    }

    /// What to say of a member that has not become ready.
    pub fn not_ready(&self, node: &Node, limit: Duration) -> io::Error {
        let told: Vec<_> = self.nodes.iter().map(Node::status).collect();
        let text = format!(
            "{} was not ready in {limit:?}; the statuses: {told:?}; it said:\n{}",
            node.name,
            node.log()
        );
        io::Error::new(io::ErrorKind::TimedOut, text)
    }
}

/// Runs `key init` for a member and reads back what it publishes.
fn make_keys(binary: &Path, node: &Node) -> io::Result<Member> {
    let p2p = format!("/ip4/{}/tcp/{}", node.place.address(), node.p2p().port());
    let api = format!("https://{}", node.api());
    let home = node.home.display().to_string();
    let arguments = [
        "key", "init", "--home", &home, "--name", &node.name, "--p2p", &p2p, "--api", &api,
    ];
    let printed: Value = serde_json::from_slice(&aidchain(binary, &arguments)?)?;
    let published = printed.get("member").cloned().unwrap_or_default();
    let mut member = json!({ "role": if node.index == 0 { "rc" } else { "server" } });
    for field in ["name", "key", "network_key", "tls_spki", "p2p", "api"] {
        if let (Some(object), Some(value)) = (member.as_object_mut(), published.get(field)) {
            object.insert(field.to_owned(), value.clone());
        }
    }
    Ok(serde_json::from_value(member)?)
}

/// Runs the node binary to its end and returns what it printed.
pub fn aidchain(binary: &Path, arguments: &[&str]) -> io::Result<Vec<u8>> {
    let output = Command::new(binary)
        .args(arguments)
        .stdin(Stdio::null())
        .output()?;
    if output.status.success() {
        return Ok(output.stdout);
    }
    let talk = String::from_utf8_lossy(&output.stderr).into_owned();
    Err(io::Error::other(format!(
        "aidchain {}: {}\n{talk}",
        arguments.join(" "),
        output.status
    )))
}

/// Members for which ports are kept beside each other.
const SEATS: u16 = 10;

/// A base port from which the ports of [`SEATS`] members are free now. Different processes start looking at different
/// places, so that two runs beside each other do not take the same.
fn free_base_port() -> io::Result<u16> {
    let offset = u16::try_from(std::process::id() % 700)
        .unwrap_or_default()
        .saturating_mul(10);
    let start = FIRST_PORT.saturating_add(offset);
    let candidates = (start..28_000).step_by(10);
    candidates
        .into_iter()
        .find(|base| all_free(*base))
        .ok_or_else(|| io::Error::other("no free ports for a consortium"))
}

/// Whether every listener of all members fits.
fn all_free(base: u16) -> bool {
    let mut ports = (0..SEATS).flat_map(|member| {
        LISTENERS.map(|distance| base.saturating_add(distance).saturating_add(member))
    });
    ports.all(|port| TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok())
}

/// Reads the seed of a member's key, to sign in its name.
pub fn member_seed(home: &Path) -> io::Result<[u8; 32]> {
    let text = io::read_to_string(File::open(home.join("keys/member.key"))?)?;
    let digits = text.lines().nth(1).unwrap_or_default().trim();
    let mut seed = [0; 32];
    hex::decode_to_slice(digits, &mut seed).map_err(io::Error::other)?;
    Ok(seed)
}
