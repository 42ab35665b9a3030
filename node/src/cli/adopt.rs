//! `aidchain node adopt`: from a home with keys to a member of one ledger.

use std::path::{Path, PathBuf};

use clap::Args;
use consensus::Epoch;
use contract::genesis::{Genesis, Member};
use patient::code::{Code, Exit};
use patient::files;
use patient::light::short;
use patient::output::{Console, Failure};
use serde_json::json;

use super::home::{self, GENESIS};
use super::node::failure::of_config;
use crate::config::{Config, Overrides};
use crate::keys::Keys;
use crate::votelog::{self, VoteLogError};

pub(super) const EXAMPLE: &str = "\
Example:
  aidchain node adopt genesis.json --home /var/lib/aidchain";

/// Which ledger, in which home.
#[derive(Clone, Debug, Args)]
pub(super) struct Adopt {
    /// Genesis file that lists this member
    #[arg(value_name = "GENESIS")]
    genesis: PathBuf,
    /// Home that `key init` made
    #[arg(long, value_name = "DIR", env = "AIDCHAIN_HOME")]
    home: PathBuf,
}

impl Adopt {
    pub(super) fn run(&self, console: &Console) -> Result<Exit, Failure> {
        let (genesis, file) = files::genesis(&self.genesis)?;
        let config =
            Config::load(&self.home, &Overrides::default()).map_err(|error| of_config(&error))?;
        let keys = Keys::load(&self.home).map_err(|error| home::key_failure(&error))?;
        listed(&genesis, &config, &keys)?;
        same_ledger(&self.home, &genesis)?;
        match home::bind(&self.home, &keys, &genesis, &file, Epoch::new(0)) {
            Ok(()) => {}
            Err(failure) if self.is_adopted(&failure) => {
                console.talk("This home has adopted that ledger already.");
            }
            Err(failure) => return Err(failure),
        }
        let object = json!({
            "schema": "aidchain.adopted/1",
            "home": self.home,
            "name": config.name,
            "chain": genesis.chain(),
            "kind": genesis.kind(),
        });
        let text = format!(
            "{} is a member of {} ledger {}.\nStart it: aidchain node run --home {}",
            config.name,
            genesis.kind(),
            short(genesis.chain()),
            self.home.display()
        );
        console.data(&object, &text)?;
        Ok(Exit::Ok)
    }

    /// Whether the votes of this home are bound to a ledger already.
    fn is_adopted(&self, failure: &Failure) -> bool {
        let born = VoteLogError::AlreadyBorn {
            path: self.home.join(votelog::FOLDER),
        };
        failure.why() == Some(born.to_string().as_str())
    }
}

/// Checks that the genesis file lists this home's member with exactly its keys.
fn listed(genesis: &Genesis, config: &Config, keys: &Keys) -> Result<(), Failure> {
    let not = |why: String| Failure::new(Code::NotAMember).because(why);
    let member = genesis.member_named(&config.name).ok_or_else(|| {
        let names: Vec<_> = genesis
            .members()
            .iter()
            .map(|it| it.name.as_str())
            .collect();
        not(format!(
            "this home is {:?}, the members are {}",
            config.name,
            names.join(", ")
        ))
    })?;
    differing(member, keys).map_or(Ok(()), |what| {
        Err(not(format!(
            "the {what} of {:?} in the genesis file is not the one in {}",
            config.name,
            config.home.display()
        )))
    })
}

fn differing(member: &Member, keys: &Keys) -> Option<&'static str> {
    if member.key != keys.member_public() {
        return Some("member key");
    }
    if member.network_key != keys.network_public() {
        return Some("network key");
    }
    (member.tls_spki != *keys.tls_spki_sha256()).then_some("TLS key")
}

fn same_ledger(home: &Path, genesis: &Genesis) -> Result<(), Failure> {
    let path = home.join(GENESIS);
    if !path.exists() {
        return Ok(());
    }
    let (old, _file) = files::genesis(&path)?;
    if old.chain() == genesis.chain() {
        return Ok(());
    }
    Err(Failure::new(Code::OtherGenesis)
        .message("this home belongs to another ledger")
        .because(format!(
            "it has     {}\nyou named {}",
            old.chain(),
            genesis.chain()
        )))
}
