//! `aidchain member request`: the newcomer's keys, made where they stay, and a file that asks the members.

use std::path::{Path, PathBuf};

use clap::Args;
use consensus::Epoch;
use contract::contracts::membership::{Candidate, faults, possession_digest};
use contract::genesis::{Genesis, Role};
use contract::{ChainId, SignatureBytes, signature};
use ed25519_dalek::Signer as _;
use patient::client::{Client, Question, Url};
use patient::code::{Code, Exit};
use patient::files::{self, Readers};
use patient::output::{Console, Failure};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::super::home::{self, Draft};
use super::super::key;
use crate::network::address::Address;
use crate::node::MEMBER_FILE;

const SCHEMA: &str = "aidchain.member-request/1";
const FILE_BYTES_MAX: usize = 16 << 10;

/// Who asks to join which ledger.
#[derive(Clone, Debug, Args)]
pub(in crate::cli) struct Request {
    /// New home of the node
    #[arg(long, value_name = "DIR", env = "AIDCHAIN_HOME")]
    home: PathBuf,
    /// Genesis file of the ledger
    #[arg(long, value_name = "FILE", env = "AIDCHAIN_GENESIS")]
    genesis: PathBuf,
    /// The newcomer's name
    #[arg(long, value_name = "NAME")]
    name: String,
    /// Address where the other members reach it
    #[arg(long, value_name = "HOST:PORT")]
    p2p: Address,
    /// Address where patients reach it
    #[arg(long, value_name = "URL")]
    api: Url,
    /// File to write for the members, NAME.request.json when none is given
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

/// What a newcomer tells the members: public keys, addresses, and the proof that it holds the key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RequestFile {
    schema: String,
    chain: ChainId,
    candidate: Candidate,
}

impl RequestFile {
    /// The candidate in a file, if it is for this ledger and its key signed it.
    pub(super) fn read(path: &Path, chain: &ChainId) -> Result<Candidate, Failure> {
        let refuse = |problem: &dyn std::fmt::Display| {
            Failure::new(Code::BadMemberFile)
                .message(format!(
                    "{} is not a file of `member request`",
                    path.display()
                ))
                .because(problem)
                .help("let the newcomer make it again: aidchain member request")
        };
        let bytes = files::read(path, FILE_BYTES_MAX)?;
        let file: Self = serde_json::from_slice(&bytes).map_err(|error| refuse(&error))?;
        if file.schema != SCHEMA {
            return Err(refuse(&format!("its schema is not {SCHEMA}")));
        }
        if file.chain != *chain {
            return Err(Failure::new(Code::OtherGenesis)
                .message(format!("{} asks to join another ledger", path.display()))
                .because(format!("it names {}\nthis ledger is {chain}", file.chain)));
        }
        let candidate = file.candidate;
        let digest = possession_digest(chain, &candidate.member);
        if !signature::is_valid(&candidate.member.key, &digest, &candidate.possession) {
            return Err(refuse(&"the key in it did not sign it"));
        }
        Ok(candidate)
    }
}

impl Request {
    pub(super) fn run(&self, console: &Console) -> Result<Exit, Failure> {
        let (genesis, file) = files::genesis(&self.genesis)?;
        let config = key::config(&self.home, &self.name, &self.p2p, &self.api)?;
        let epoch = newest_epoch(&genesis)?;
        let draft = Draft::begin(&self.home)?;
        let keys = home::make(&config)?;
        // The key is new: what was certified so far, it cannot have voted on.
        let first = Epoch::new(epoch.saturating_add(1));
        home::bind(&self.home, &keys, &genesis, &file, first)?;
        let member = home::member(&config, &keys, Role::Server, self.api.to_string());
        let text = json(&member)?;
        let path = self.home.join(MEMBER_FILE);
        files::write_new(&path, text.as_bytes(), Readers::All, Code::FileExists)?;
        let digest = possession_digest(genesis.chain(), &member);
        let request = RequestFile {
            schema: SCHEMA.to_owned(),
            chain: *genesis.chain(),
            candidate: Candidate {
                possession: SignatureBytes::new(keys.member().sign(&digest).to_bytes()),
                member,
            },
        };
        let text = json(&request)?;
        let out = self.out.clone();
        let out = out.unwrap_or_else(|| format!("{}.request.json", self.name).into());
        files::write_new(&out, text.as_bytes(), Readers::All, Code::FileExists)?;
        draft.finish();
        let say = format!(
            "{} asks to join ledger {}.\n\
             Give {} to each member, who runs: aidchain member approve {}\n\
             Start the node; it follows the ledger, says when it is ready, and votes from the next epoch on:\n  \
             aidchain node run --home {}",
            self.name,
            patient::light::short(genesis.chain()),
            out.display(),
            out.display(),
            self.home.display()
        );
        console.data(&request, &say)?;
        Ok(Exit::Ok)
    }
}

/// An epoch that the ledger has reached: the highest that so many founders name that one of them is honest.
fn newest_epoch(genesis: &Genesis) -> Result<u32, Failure> {
    let mut told: Vec<u32> = genesis
        .members()
        .iter()
        .filter_map(|member| {
            let url: Url = member.api.parse().ok()?;
            let client = Client::pinned(url, member.tls_spki);
            let answer = client
                .ask(Question::get("/v1/status"))
                .ok()?
                .success()
                .ok()?;
            let status: Value = answer.json().ok()?;
            u32::try_from(status.get("epoch")?.as_u64()?).ok()
        })
        .collect();
    told.sort_unstable_by(|one, other| other.cmp(one));
    let needed = faults(genesis.members().len());
    told.get(needed).copied().ok_or_else(|| {
        Failure::new(Code::CannotReach)
            .message("too few founding members answer to know how far the ledger is")
            .because(format!(
                "{} of {} answered, {} are needed",
                told.len(),
                genesis.members().len(),
                needed.saturating_add(1)
            ))
            .note("no changes were made")
            .help("see that this machine reaches the members' patient APIs, and ask again")
    })
}

fn json(value: &impl Serialize) -> Result<String, Failure> {
    let mut text = serde_json::to_string_pretty(value)
        .map_err(|error| Failure::new(Code::Bug).because(error))?;
    text.push('\n');
    Ok(text)
}

#[cfg(test)]
mod tests {
    use contract::Member;
    use contract::PublicKey;
    use contract::identity::SpkiHash;
    use ed25519_dalek::SigningKey;
    use proptest::prelude::*;

    use super::*;

    fn request(signer: &SigningKey, chain: ChainId) -> RequestFile {
        let key = PublicKey::new(signer.verifying_key().to_bytes());
        let member = Member {
            name: "clinic-d".to_owned(),
            role: Role::Server,
            key,
            network_key: key,
            tls_spki: SpkiHash::new([1; 32]),
            p2p: "/ip4/10.0.0.9/tcp/7100".to_owned(),
            api: "https://10.0.0.9:8100".to_owned(),
        };
        let digest = possession_digest(&chain, &member);
        RequestFile {
            schema: SCHEMA.to_owned(),
            chain,
            candidate: Candidate {
                possession: SignatureBytes::new(signer.sign(&digest).to_bytes()),
                member,
            },
        }
    }

    #[test]
    fn only_a_request_for_this_ledger_that_its_key_signed_is_read() {
        let folder = tempfile::tempdir().expect("folder");
        let path = folder.path().join("clinic-d.request.json");
        let (ours, other) = (ChainId::new([1; 32]), ChainId::new([2; 32]));
        let read = |file: &RequestFile| {
            std::fs::write(&path, json(file).expect("json")).expect("written");
            RequestFile::read(&path, &ours).map_err(|failure| failure.code())
        };
        let good = request(&SigningKey::from_bytes(&[7; 32]), ours);

        assert_eq!(read(&good), Ok(good.candidate.clone()));
        let elsewhere = request(&SigningKey::from_bytes(&[7; 32]), other);
        assert_eq!(read(&elsewhere), Err(Code::OtherGenesis));
        let mut changed = good.clone();
        changed.candidate.member.name = "clinic-e".to_owned();
        assert_eq!(read(&changed), Err(Code::BadMemberFile));
        let mut newer = good;
        newer.schema = "aidchain.member-request/2".to_owned();
        assert_eq!(read(&newer), Err(Code::BadMemberFile));
    }

    proptest! {
        #[test]
        fn a_changed_file_is_refused_or_brings_the_candidate_whose_key_signed_it(
            at in any::<prop::sample::Index>(),
            byte in any::<u8>(),
        ) {
            let folder = tempfile::tempdir().expect("folder");
            let path = folder.path().join("clinic-d.request.json");
            let ours = ChainId::new([1; 32]);
            let good = request(&SigningKey::from_bytes(&[7; 32]), ours);
            let mut bytes = json(&good).expect("json").into_bytes();
            let at = at.index(bytes.len());
            bytes[at] = byte;
            std::fs::write(&path, bytes).expect("written");

            if let Ok(candidate) = RequestFile::read(&path, &ours) {
                prop_assert_eq!(candidate, good.candidate);
            }
        }
    }
}
