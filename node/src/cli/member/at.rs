//! A member's home and its own node: who signs, and who is asked.

use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::Args;
use contract::identity::ChangeId;
use contract::{
    Author, BlockTime, Call, Genesis, Member, PublicKey, Role, ServerId, SpkiHash, Transaction,
};
use ed25519_dalek::SigningKey;
use patient::client::{Client, OCTETS, Question, Url};
use patient::clock;
use patient::code::Code;
use patient::files;
use patient::output::Failure;
use serde::Deserialize;
use serde_json::Value;

use super::super::home;
use super::super::ledger::source;
use super::super::node::failure::of_config;
use crate::config::{Config, Overrides};
use crate::keys::Keys;

/// How long the node is asked to wait for the block's certificate.
const WAIT: Duration = Duration::from_secs(10);
/// For how long a vote is valid, in milliseconds.
const VALID_MS: u64 = 60_000;

/// Whose vote it is.
#[derive(Clone, Debug, Args)]
pub(in crate::cli) struct At {
    /// Home of the member's node, whose key signs
    #[arg(long, value_name = "DIR", env = "AIDCHAIN_HOME")]
    home: PathBuf,
    /// Member interface to ask, when it is not the one that the home's node.toml names
    #[arg(long, value_name = "URL", env = "AIDCHAIN_NODE")]
    node: Option<Url>,
    /// File with a token of `explorer login`
    #[arg(long, value_name = "FILE", env = "AIDCHAIN_TOKEN_FILE")]
    token_file: Option<PathBuf>,
}

/// A member at its node.
#[derive(Debug)]
pub(in crate::cli) struct Voter {
    client: Client,
    keys: Keys,
    genesis: Genesis,
}

/// The consortium, as the node says.
#[derive(Clone, Debug, Deserialize)]
pub(in crate::cli) struct Consortium {
    pub(in crate::cli) epoch: u32,
    pub(in crate::cli) members: Vec<Seat>,
    pub(in crate::cli) changes: Vec<Change>,
}

/// One member.
#[derive(Clone, Debug, Deserialize)]
pub(in crate::cli) struct Seat {
    pub(in crate::cli) name: String,
    pub(in crate::cli) server_id: ServerId,
    role: Role,
    key: PublicKey,
    network_key: PublicKey,
    tls_spki: SpkiHash,
    p2p: String,
    api: String,
}

impl Seat {
    /// Everything the ledger says of this member.
    pub(in crate::cli) fn member(&self) -> Member {
        Member {
            name: self.name.clone(),
            role: self.role,
            key: self.key,
            network_key: self.network_key,
            tls_spki: self.tls_spki,
            p2p: self.p2p.clone(),
            api: self.api.clone(),
        }
    }
}

/// One open proposal.
#[derive(Clone, Debug, Deserialize)]
pub(in crate::cli) struct Change {
    pub(in crate::cli) id: ChangeId,
    pub(in crate::cli) stage: String,
    pub(in crate::cli) faults_before: usize,
    pub(in crate::cli) faults_after: usize,
}

/// What became of a vote.
#[derive(Clone, Debug, Deserialize)]
pub(in crate::cli) struct Submitted {
    pub(in crate::cli) hash: String,
    #[serde(default)]
    pub(in crate::cli) height: Option<u64>,
    #[serde(default)]
    outcome: Value,
}

impl Submitted {
    /// The last block of the epoch, if the vote has ended it.
    pub(in crate::cli) fn epoch_ends_at(&self) -> Option<u64> {
        self.outcome.get("epoch_ends_at").and_then(Value::as_u64)
    }
}

impl At {
    /// The home.
    pub(in crate::cli) fn home(&self) -> &Path {
        &self.home
    }

    /// Reads the home.
    pub(in crate::cli) fn voter(&self) -> Result<Voter, Failure> {
        let config =
            Config::load(&self.home, &Overrides::default()).map_err(|error| of_config(&error))?;
        let keys = Keys::load(&self.home).map_err(|error| home::key_failure(&error))?;
        let (genesis, _file) = files::genesis(&config.genesis_path())?;
        let url = match &self.node {
            Some(url) => url.clone(),
            None => own(&config)?,
        };
        let client = if url.is_tls() {
            let founders = genesis.members().iter().map(|member| member.tls_spki);
            let pins = founders.chain([*keys.tls_spki_sha256()]).collect();
            Client::pinned_to_any(url, pins)
        } else {
            Client::plain(url)
        };
        let client = match &self.token_file {
            Some(path) => client.with_token(source::token(path)?),
            None => client,
        };
        Ok(Voter {
            client,
            keys,
            genesis,
        })
    }
}

/// The member interface that a home's node serves; it speaks TLS where other machines can reach it.
fn own(config: &Config) -> Result<Url, Failure> {
    let scheme = if config.member_listen.ip().is_loopback() {
        "http"
    } else {
        "https"
    };
    let port = config.member_listen.port();
    format!("{scheme}://127.0.0.1:{port}")
        .parse()
        .map_err(|error| Failure::new(Code::Bug).because(error))
}

impl Voter {
    /// The member key of this home.
    pub(in crate::cli) const fn key(&self) -> &SigningKey {
        self.keys.member()
    }

    /// How this home's node is asked.
    pub(in crate::cli) const fn client(&self) -> &Client {
        &self.client
    }

    /// The ledger.
    pub(in crate::cli) const fn genesis(&self) -> &Genesis {
        &self.genesis
    }

    /// The consortium, as the node says.
    pub(in crate::cli) fn members(&self) -> Result<Consortium, Failure> {
        let question = Question::get("/v1/members");
        self.client.ask(question)?.success()?.json()
    }

    /// The member whose key this home has.
    pub(in crate::cli) fn seat<'a>(&self, members: &'a Consortium) -> Result<&'a Seat, Failure> {
        let key = self.keys.member_public();
        let mut seats = members.members.iter();
        seats.find(|seat| seat.key == key).ok_or_else(|| {
            Failure::new(Code::NotAMember)
                .message("this home's key is not that of a member")
                .because(format!("no member of the running epoch has key {key}"))
                .help("see who is: aidchain member list")
        })
    }

    /// Signs a call as this member, hands it to the node, and hears what became of it.
    pub(in crate::cli) fn submit(&self, author: &Seat, call: Call) -> Result<Submitted, Failure> {
        let mut salt = [0; 8];
        getrandom::fill(&mut salt).map_err(|error| Failure::new(Code::Bug).because(error))?;
        let until = BlockTime::new(clock::wall_ms()).plus_ms(VALID_MS);
        let author = Author::Member(author.server_id);
        let signed = Transaction::new(*self.genesis.chain(), author, until, salt, call)
            .sign(self.keys.member());
        let path = format!("/v1/transactions?wait_ms={}", WAIT.as_millis());
        let question = Question::post(path, signed.as_bytes().to_vec())
            .header("content-type", OCTETS)
            .waits(WAIT);
        let answer = self.client.ask(question)?.success()?;
        if answer.is_pending() {
            return Err(Failure::new(Code::TimedOut)
                .message(format!(
                    "the members have not certified the vote within {WAIT:?}"
                ))
                .note("it may still take effect; asking again is safe")
                .help("see whether it counts: aidchain member list"));
        }
        let submitted: Submitted = answer.json()?;
        match submitted.outcome.get("reason").and_then(Value::as_str) {
            None => Ok(submitted),
            Some(reason) => Err(Failure::new(Code::ContractRefused)
                .message("the ledger refused the vote")
                .because(reason)
                .help("see what is proposed, and who is a member: aidchain member list")),
        }
    }
}
