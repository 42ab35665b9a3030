//! `aidchain consortium init`: the genesis file, with the members' homes or from their public keys.

use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv4Addr};
use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use consensus::Epoch;
use contract::genesis::{Content, Genesis, Kind, Member, Parameters, Role};
use contract::identity::BlockTime;
use patient::clock;
use patient::code::{Code, Exit};
use patient::files::{self, Readers};
use patient::light::short;
use patient::output::{Console, Failure, Mark};
use serde_json::json;

use super::home::{self, Draft, GENESIS};
use super::key::MemberFile;
use super::node::failure::of_config;
use crate::config::{BASE_PORT, Config};

/// How long a recovery without a patient's key waits where a consortium lives on one machine, to be tried out.
const RECOVERY_DELAY_MS: u64 = 2_000;

const EXAMPLE: &str = "\
Examples:
  aidchain consortium init --local demo --members rc,clinic-a,clinic-b,clinic-c --research
  aidchain consortium init --from rc.member.json clinic-a.member.json clinic-b.member.json \\
    clinic-c.member.json --out genesis.json";

/// Found a consortium
#[derive(Clone, Debug, Subcommand)]
pub(super) enum ConsortiumCommand {
    /// Write the genesis file: with keys made here for all members, or from the members' own files
    #[command(after_help = EXAMPLE)]
    Init(Init),
}

impl ConsortiumCommand {
    pub(super) fn run(&self, console: &Console) -> Result<Exit, Failure> {
        match self {
            Self::Init(command) => command.run(console),
        }
    }
}

/// What to found.
#[derive(Clone, Debug, Args)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a flag of the command line"
)]
pub(super) struct Init {
    /// New folder with one home per member, for one machine
    #[arg(
        long,
        value_name = "DIR",
        requires = "members",
        conflicts_with = "from"
    )]
    local: Option<PathBuf>,
    /// Names of the members; the first is the registration centre
    #[arg(long, value_name = "NAME,NAME,…", value_delimiter = ',')]
    members: Vec<String>,
    /// Files that the members made with `key init`
    #[arg(long, value_name = "FILE", num_args = 1.., requires = "out", required_unless_present = "local")]
    from: Vec<PathBuf>,
    /// Genesis file to write
    #[arg(long, value_name = "FILE", requires = "from")]
    out: Option<PathBuf>,
    /// A ledger for studying the papers' insecure schemes with synthetic patients
    #[arg(long)]
    research: bool,
    /// Name of the consortium, for people
    #[arg(long, value_name = "TEXT", default_value = "demo")]
    name: String,
    /// First port of the first member
    #[arg(long, value_name = "PORT", default_value_t = BASE_PORT)]
    base_port: u16,
    /// For containers: members listen on every address and find each other by name
    #[arg(long, requires = "local")]
    p2p_by_name: bool,
    /// Do nothing and succeed where the consortium exists already
    #[arg(long, requires = "local")]
    if_missing: bool,
}

/// What a local consortium is made of.
#[derive(Clone, Debug)]
pub(super) struct Plan<'a> {
    pub(super) folder: &'a Path,
    pub(super) members: &'a [String],
    pub(super) kind: Kind,
    pub(super) name: &'a str,
    pub(super) base_port: u16,
    pub(super) reach: Reach,
}

/// How members find each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reach {
    /// On this machine's loopback.
    Loopback,
    /// By their names, in a network of containers.
    ByName,
}

impl Init {
    fn run(&self, console: &Console) -> Result<Exit, Failure> {
        let kind = if self.research {
            Kind::Research
        } else {
            Kind::Secure
        };
        match (&self.local, &self.out) {
            (Some(folder), _) => self.local(folder, kind, console),
            (None, Some(out)) => self.join(out, kind, console),
            (None, None) => Err(Failure::new(Code::Usage).message("--from FILE… needs --out FILE")),
        }
    }

    fn local(&self, folder: &Path, kind: Kind, console: &Console) -> Result<Exit, Failure> {
        if self.if_missing && folder.join(GENESIS).exists() {
            let (genesis, _file) = files::genesis(&folder.join(GENESIS))?;
            console.talk(&format!("{} holds a consortium already", folder.display()));
            report(console, &genesis, folder)?;
            return Ok(Exit::Ok);
        }
        let plan = Plan {
            folder,
            members: &self.members,
            kind,
            name: &self.name,
            base_port: self.base_port,
            reach: if self.p2p_by_name {
                Reach::ByName
            } else {
                Reach::Loopback
            },
        };
        let genesis = plan.make()?;
        console.step(
            Mark::Good,
            "keys",
            &format!(
                "{} members, key files of mode 0600",
                genesis.members().len()
            ),
        );
        report(console, &genesis, folder)?;
        Ok(Exit::Ok)
    }

    fn join(&self, out: &Path, kind: Kind, console: &Console) -> Result<Exit, Failure> {
        let members = self
            .from
            .iter()
            .map(|path| MemberFile::read(path))
            .collect::<Result<Vec<_>, _>>()?;
        let (genesis, file) = found(kind, &self.name, members, Parameters::default())?;
        files::write_new(out, &file, Readers::All, Code::FileExists)?;
        report(console, &genesis, out)?;
        Ok(Exit::Ok)
    }
}

impl Plan<'_> {
    /// Makes every home and the genesis file, or nothing.
    pub(super) fn make(&self) -> Result<Genesis, Failure> {
        if let Some(name) = repeated(self.members) {
            return Err(
                Failure::new(Code::Usage).message(format!("two members are called {name:?}"))
            );
        }
        let draft = Draft::begin(self.folder)?;
        let mut made = Vec::new();
        for (place, name) in self.members.iter().enumerate() {
            let config = self.config(place, name)?;
            files::make_folder(&config.home)?;
            let keys = home::make(&config)?;
            let api = format!("https://127.0.0.1:{}", config.api_listen.port());
            let role = if place == 0 { Role::Rc } else { Role::Server };
            made.push((home::member(&config, &keys, role, api), config, keys));
        }
        let members = made.iter().map(|(member, ..)| member.clone()).collect();
        let parameters = Parameters {
            recovery_delay_ms: RECOVERY_DELAY_MS,
            ..Parameters::default()
        };
        let (genesis, file) = found(self.kind, self.name, members, parameters)?;
        for (_member, config, keys) in &made {
            home::bind(&config.home, keys, &genesis, &file, Epoch::new(0))?;
        }
        // Last, because it says that the rest is complete.
        files::write_new(
            &self.folder.join(GENESIS),
            &file,
            Readers::All,
            Code::FileExists,
        )?;
        draft.finish();
        Ok(genesis)
    }

    /// The configuration of the member at this place.
    pub(super) fn config(&self, place: usize, name: &str) -> Result<Config, Failure> {
        // Names become folders, so they are checked before anything is made of them.
        let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        if name.is_empty() || name.len() > 63 || !name.chars().all(plain) {
            return Err(Failure::new(Code::Usage)
                .message(format!("{name:?} cannot name a member"))
                .because("names are lower-case letters, digits and hyphens"));
        }
        let index = u16::try_from(place).unwrap_or(u16::MAX);
        let mut config = Config::local(&self.folder.join(name), name, self.base_port, index)
            .map_err(|error| of_config(&error))?;
        if self.reach == Reach::ByName {
            let every = IpAddr::V4(Ipv4Addr::UNSPECIFIED);
            config.p2p_advertise = format!("/dns4/{name}/tcp/{}", config.p2p_listen.port())
                .parse()
                .map_err(|error| Failure::new(Code::Usage).because(error))?;
            config.p2p_listen.set_ip(every);
            config.api_listen.set_ip(every);
            config.member_listen.set_ip(every);
            config.explorer_login = true;
            config.api_names.push(name.to_owned());
        }
        Ok(config)
    }
}

fn repeated(names: &[String]) -> Option<&String> {
    let mut seen = BTreeSet::new();
    names.iter().find(|name| !seen.insert(*name))
}

fn found(
    kind: Kind,
    name: &str,
    members: Vec<Member>,
    parameters: Parameters,
) -> Result<(Genesis, Vec<u8>), Failure> {
    let now = BlockTime::new(clock::wall_ms());
    let content = Content {
        parameters,
        ..Content::new(kind, name, now, members)
    };
    let file = content.to_json();
    let genesis = Genesis::parse(&file)
        .map_err(|error| Failure::new(Code::BadMemberFile).message(error.to_string()))?;
    Ok((genesis, file))
}

fn report(console: &Console, genesis: &Genesis, place: &Path) -> Result<(), Failure> {
    let members: Vec<_> = genesis
        .members()
        .iter()
        .map(|member| json!({ "name": member.name, "role": member.role, "p2p": member.p2p, "api": member.api }))
        .collect();
    let object = json!({
        "schema": "aidchain.consortium/1",
        "place": place,
        "chain": genesis.chain(),
        "kind": genesis.kind(),
        "name": genesis.name(),
        "members": members,
    });
    let faults = genesis.members().len().saturating_sub(1) / 3;
    let text = format!(
        "Consortium {:?} in {}: {} members, tolerates {faults} faulty\n  genesis     {} ({} ledger)",
        genesis.name(),
        place.display(),
        genesis.members().len(),
        short(genesis.chain()),
        genesis.kind()
    );
    console.data(&object, &text)
}
