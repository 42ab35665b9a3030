//! `aidchain patient register`: Me1 to the registration centre, Me3 onto the card, the proof from the ledger.

use std::path::{Path, PathBuf};

use clap::Args;
use contract::genesis::{Genesis, Member, Role};
use contract::identity::TransactionHash;
use protocol::suite::Message as _;
use protocol::wu;
use serde_json::json;

use super::bounds::SuiteChoice;
use super::receipt::{Sought, keep};
use crate::capture;
use crate::card::{self, Card, Profile};
use crate::client::{Answer, Client, Question, Url};
use crate::clock::Stopwatch;
use crate::code::{Code, Exit};
use crate::files::{self, Readers};
use crate::light::{Expect, short};
use crate::output::{Console, Failure, Mark};
use crate::secret_input::Source;

pub(super) const EXAMPLE: &str = "\
Example, on a research ledger:
  aidchain patient register --profile mine --genesis genesis.json --suite wu-2021 \\
    --accept-risk=insecure-suite --bio one.json --bio two.json --bio three.json";

/// Who registers, where, with what.
#[derive(Clone, Debug, Args)]
pub struct Register {
    /// Name of the card on this terminal (not the patient's ID)
    #[arg(long, value_name = "NAME")]
    profile: Profile,
    /// Genesis file of the ledger: all that is trusted
    #[arg(long, value_name = "FILE", env = "AIDCHAIN_GENESIS")]
    genesis: PathBuf,
    /// Address of the registration centre, where it is not the one in the genesis file
    #[arg(long, value_name = "URL")]
    node: Option<Url>,
    #[command(flatten)]
    suite: SuiteChoice,
    #[command(flatten)]
    secrets: Secrets,
    /// Capture file; give three of the same face
    #[arg(long, value_name = "FILE")]
    bio: Vec<PathBuf>,
    #[command(flatten)]
    places: Places,
}

/// Where ID and password come from.
#[derive(Clone, Debug, Args)]
pub(super) struct Secrets {
    /// File that holds the patient's ID
    #[arg(long, value_name = "FILE", conflicts_with = "id_fd")]
    id_file: Option<PathBuf>,
    /// Open descriptor that gives the patient's ID
    #[arg(long, value_name = "N")]
    id_fd: Option<u32>,
    /// File that holds the password
    #[arg(
        long,
        value_name = "FILE",
        env = "AIDCHAIN_PASSWORD_FILE",
        conflicts_with = "password_fd"
    )]
    password_file: Option<PathBuf>,
    /// Open descriptor that gives the password
    #[arg(long, value_name = "N")]
    password_fd: Option<u32>,
}

impl Secrets {
    pub(super) const fn id(&self) -> Source<'_> {
        Source {
            what: "Patient ID",
            flag: "--id",
            file: self.id_file.as_ref(),
            descriptor: self.id_fd,
        }
    }

    pub(super) const fn password(&self) -> Source<'_> {
        Source {
            what: "Password",
            flag: "--password",
            file: self.password_file.as_ref(),
            descriptor: self.password_fd,
        }
    }
}

/// Where files go.
#[derive(Clone, Debug, Args)]
pub(super) struct Places {
    /// Card file, where it is not in the user's data folder
    #[arg(long, value_name = "FILE")]
    pub(super) card: Option<PathBuf>,
    /// Folder for the receipt
    #[arg(long, value_name = "DIR", default_value = ".")]
    pub(super) receipts: PathBuf,
}

impl Register {
    pub(super) fn run(&self, console: &Console) -> Result<Exit, Failure> {
        let (genesis, genesis_file) = files::genesis(&self.genesis)?;
        self.suite.check(&genesis, console)?;
        let card_path = card::path(&self.profile, self.places.card.as_deref())?;
        if card_path.exists() {
            return Err(Failure::new(Code::CardExists)
                .message(format!("{} exists already", card_path.display())));
        }
        let id = self.secrets.id().id(console)?;
        let password = self.secrets.password().password(console)?;
        let bio = capture::enrolment(&self.bio)?;
        let client = self.centre(&genesis)?;

        let watch = Stopwatch::start();
        let me1 = wu::Me1 { id, password, bio };
        let answer = client
            .ask(suite_message("/v1/register", me1.encode()))?
            .success()?;
        let me3 = wu::Me3::parse(answer.body())
            .map_err(|error| Failure::new(Code::BadAnswer).because(error))?;
        let transaction = transaction(&answer)?;
        console.step(Mark::Good, "centre", "accepted the identity");

        let card = Card::new(&genesis, wu::Card::new(me3, &me1.id));
        card.write(&card_path)?;
        keep_genesis(&card_path, &genesis_file)?;
        let aid = card.wu().aid();
        let sought = Sought {
            path: format!("/v1/registrations/{transaction}"),
            expect: Expect {
                aid: Some(aid),
                transaction: Some(transaction),
                ..Expect::default()
            },
            pending: Code::RegistrationPending,
        };
        let (verified, receipt) = keep(
            &client,
            &genesis,
            &sought,
            &self.profile,
            &self.places.receipts,
        )?;
        let finality = watch.elapsed_ms();
        console.step(
            Mark::Good,
            "ledger",
            &format!(
                "anonymous identity committed at height {} ({}/{} signatures, {finality:.0} ms)",
                verified.height,
                verified.signers.len(),
                verified.committee_size
            ),
        );
        let object = json!({
            "schema": "aidchain.registration/1",
            "ledger": genesis.kind(),
            "suite": "wu-2021",
            "aid": aid,
            "transaction": transaction,
            "height": verified.height,
            "finality_ms": finality,
            "card": card_path,
            "receipt": receipt,
        });
        let text = format!(
            "AID         {aid}\nCard        {}   (mode 0600: keep it; it holds no password)\nReceipt     {}",
            card_path.display(),
            receipt.display()
        );
        console.data(&object, &text)?;
        Ok(Exit::Ok)
    }

    fn centre(&self, genesis: &Genesis) -> Result<Client, Failure> {
        let centre = genesis
            .members()
            .iter()
            .find(|member| member.role == Role::Rc)
            .ok_or_else(|| Failure::new(Code::BadGenesis))?;
        client(centre, self.node.as_ref())
    }
}

/// The patient interface of a member: at its own address or at the given one, under its pinned key in any case.
pub(super) fn client(member: &Member, node: Option<&Url>) -> Result<Client, Failure> {
    let url = match node {
        Some(url) => url.clone(),
        None => member.api.parse().map_err(|error| {
            Failure::new(Code::BadGenesis)
                .message(format!(
                    "the genesis file's address of {} is unusable",
                    member.name
                ))
                .because(error)
        })?,
    };
    Ok(Client::pinned(url, member.tls_spki))
}

/// Keeps the genesis file beside the card, so that later sign-ins trust the same ledger without being told.
fn keep_genesis(card: &Path, bytes: &[u8]) -> Result<(), Failure> {
    let path = card::genesis_path(card);
    if path.exists() {
        return Ok(());
    }
    files::write_new(&path, bytes, Readers::All, Code::FileExists)
}

fn transaction(answer: &Answer) -> Result<TransactionHash, Failure> {
    let named = answer.header("aidchain-transaction").unwrap_or_default();
    named.parse().map_err(|error| {
        Failure::new(Code::BadAnswer)
            .because(format!("its transaction is {:?}: {error}", short(&named)))
    })
}

/// A message of Wu-2021 to a patient interface.
pub(super) fn suite_message(path: &str, body: Vec<u8>) -> Question {
    Question::post(path, body).header("aidchain-suite", "0x7f01")
}
