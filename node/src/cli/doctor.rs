//! `aidchain doctor`: everything that can be looked at without changing anything, while the node runs or stands still.
//!
//! Files are only read and no lock is taken, so that it never stands in a node's way. The others are asked what they tell
//! any patient.

mod asking;
mod disk;
mod finding;
mod others;

use std::path::PathBuf;

use clap::Args;
use contract::genesis::Genesis;
use contract::{PublicKey, SpkiHash};
use patient::client::{Client, Question};
use patient::code::Exit;
use patient::files;
use patient::output::{Console, Failure};
use serde::Deserialize;

use self::asking::{Asked, Told};
use self::finding::{Check, Finding, Findings, Life};
use super::ledger::source;
use super::node::failure::of_config;
use crate::config::{Config, Overrides};
use crate::keys::{KeyError, Keys};
use crate::node::is_held;
use crate::store::Inspected;

pub(super) const EXAMPLE: &str = "\
Examples:
  aidchain doctor --home /var/lib/aidchain
  aidchain doctor --home /var/lib/aidchain --only clock --json";

/// Blocks that are re-checked when no number is given.
const BLOCKS: usize = 10_000;

/// Which node.
#[derive(Clone, Debug, Args)]
pub(super) struct Doctor {
    /// Home of the node
    #[arg(long, value_name = "DIR", env = "AIDCHAIN_HOME")]
    home: PathBuf,
    /// How many of the newest blocks to re-check; the checksums of all are read in any case
    #[arg(long, value_name = "N", default_value_t = BLOCKS, conflicts_with = "all")]
    blocks: usize,
    /// Re-check all blocks
    #[arg(long)]
    all: bool,
    /// Tell of these only
    #[arg(long, value_name = "CHECK", value_delimiter = ',')]
    only: Vec<Check>,
    /// File with a token of `explorer login`, to learn of members that the genesis file does not name
    #[arg(long, value_name = "FILE", env = "AIDCHAIN_TOKEN_FILE")]
    token_file: Option<PathBuf>,
}

/// What `/v1/members` says.
#[derive(Debug, Deserialize)]
struct Members {
    members: Vec<Seat>,
}

/// A member.
#[derive(Debug, Deserialize)]
struct Seat {
    name: String,
    key: PublicKey,
    tls_spki: SpkiHash,
    api: String,
}

impl Doctor {
    pub(super) fn run(&self, console: &Console) -> Result<Exit, Failure> {
        let config =
            Config::load(&self.home, &Overrides::default()).map_err(|error| of_config(&error))?;
        let (genesis, _file) = files::genesis(&config.genesis_path())?;
        let mut findings = self.examine(&config, &genesis)?;
        findings.0.retain(|finding| self.wants(finding.check));
        console.data(&findings.json(), &findings.text())?;
        Ok(findings.exit())
    }

    /// Looks at everything, or at what was asked for and what it rests on.
    fn examine(&self, config: &Config, genesis: &Genesis) -> Result<Findings, Failure> {
        let keys = Keys::load(&self.home);
        let (own, others) = self.ask(config, genesis, &keys)?;
        // Where the system does not tell who holds the lock, a node that answers runs.
        let runs = is_held(&self.home).unwrap_or_else(|| own.status.is_ok());
        let life = if runs { Life::Runs } else { Life::Stands };
        let mut findings = Findings::default();
        let all = &mut findings.0;
        all.push(disk::home(config));
        all.push(disk::keys(&keys));
        all.push(others::versions(&own, &others));
        let (ledger, inspected) = self.ledger(genesis, life);
        all.push(disk::disk(&self.home, inspected.as_ref()));
        all.push(disk::ports(config, life));
        all.push(disk::votes(&self.home, genesis, &keys));
        all.push(disk::vault(&self.home));
        all.extend(ledger);
        all.push(others::node(life, &own));
        all.push(others::peers(&own, &others, genesis));
        all.push(others::clock(&own, &others));
        all.push(others::state(inspected.as_ref(), &others));
        Ok(findings)
    }

    /// Reads the block file, if anything that was asked for rests on it.
    fn ledger(&self, genesis: &Genesis, life: Life) -> (Option<Finding>, Option<Inspected>) {
        let rests = [Check::Ledger, Check::Disk, Check::State];
        if !rests.into_iter().any(|check| self.wants(check)) {
            return (None, None);
        }
        let newest = if self.all { usize::MAX } else { self.blocks };
        let (finding, inspected) = disk::ledger(&self.home, genesis, newest, life);
        (Some(finding), inspected)
    }

    fn wants(&self, check: Check) -> bool {
        self.only.is_empty() || self.only.contains(&check)
    }

    /// Asks this home's node and all other members.
    fn ask(
        &self,
        config: &Config,
        genesis: &Genesis,
        keys: &Result<Keys, KeyError>,
    ) -> Result<(Told, Vec<Told>), Failure> {
        let founder = genesis.member_named(&config.name);
        let pin = match (keys, founder) {
            (Ok(keys), _) => *keys.tls_spki_sha256(),
            (Err(_), Some(founder)) => founder.tls_spki,
            (Err(_), None) => SpkiHash::new([0; 32]),
        };
        let own = Asked {
            name: config.name.clone(),
            url: asking::own(disk::reached(config.api_listen))?,
            pin,
        };
        let mut all = vec![own];
        let seats = self.members(config).unwrap_or_else(|| seats(genesis));
        for seat in seats.iter().filter(|seat| !is_own(seat, config, keys)) {
            // An address that no client can dial is a member that does not answer.
            if let Ok(url) = seat.api.parse() {
                let (name, pin) = (seat.name.clone(), seat.tls_spki);
                all.push(Asked { name, url, pin });
            }
        }
        let mut told = asking::ask(&all).into_iter();
        let own = told
            .next()
            .ok_or_else(|| Failure::new(patient::code::Code::Bug))?;
        Ok((own, told.collect()))
    }

    /// The members of the running epoch, if this home's node tells them.
    fn members(&self, config: &Config) -> Option<Vec<Seat>> {
        let listener = disk::reached(config.member_listen);
        if !listener.ip().is_loopback() {
            return None;
        }
        let client = Client::plain(format!("http://{listener}").parse().ok()?);
        let client = match &self.token_file {
            Some(path) => client.with_token(source::token(path).ok()?),
            None => client,
        };
        let answer = client.ask(Question::get("/v1/members")).ok()?;
        let members: Members = answer.success().ok()?.json().ok()?;
        Some(members.members)
    }
}

/// Whether a member is this home's.
fn is_own(seat: &Seat, config: &Config, keys: &Result<Keys, KeyError>) -> bool {
    match keys {
        Ok(keys) => seat.key == keys.member_public(),
        Err(_) => seat.name == config.name,
    }
}

/// The founders.
fn seats(genesis: &Genesis) -> Vec<Seat> {
    let founders = genesis.members().iter();
    founders
        .map(|member| Seat {
            name: member.name.clone(),
            key: member.key,
            tls_spki: member.tls_spki,
            api: member.api.clone(),
        })
        .collect()
}
