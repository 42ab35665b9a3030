//! `aidchain patient auth`: Me5 to a server, Me7 back, the receipt from the ledger.

use std::path::PathBuf;

use clap::Args;
use contract::genesis::Genesis;
use contract::identity::SessionId;
use protocol::suite::{Message as _, Opened, Pending as _, Suite as _};
use protocol::wu::{self, Wu2021};
use protocol::{Reason, Timestamp};
use serde_json::json;

use super::bounds::SuiteChoice;
use super::receipt::{Sought, keep};
use super::register::{Places, Secrets, client, suite_message};
use crate::card::{self, Card, Profile};
use crate::client::{Client, Url};
use crate::clock::{self, Stopwatch};
use crate::code::{Code, Exit};
use crate::light::Expect;
use crate::output::{Console, Failure, Mark};
use crate::{capture, dice, files, refusals};

pub(super) const EXAMPLE: &str = "\
Example, on a research ledger:
  aidchain patient auth --profile mine --server clinic-c --suite wu-2021 \\
    --accept-risk=insecure-suite --bio today.json";

/// Who signs in, where, with what.
#[derive(Clone, Debug, Args)]
pub struct Auth {
    /// Name of the card on this terminal
    #[arg(long, value_name = "NAME")]
    profile: Profile,
    /// Member to sign in at, by its name
    #[arg(long, value_name = "NAME")]
    server: String,
    /// Genesis file of the ledger, where it is not the one kept with the card
    #[arg(long, value_name = "FILE", env = "AIDCHAIN_GENESIS")]
    genesis: Option<PathBuf>,
    /// Address of the member, where it is not the one in the genesis file
    #[arg(long, value_name = "URL")]
    node: Option<Url>,
    #[command(flatten)]
    suite: SuiteChoice,
    #[command(flatten)]
    secrets: Secrets,
    /// Capture file
    #[arg(long, value_name = "FILE")]
    bio: PathBuf,
    #[command(flatten)]
    places: Places,
}

impl Auth {
    pub(super) fn run(&self, console: &Console) -> Result<Exit, Failure> {
        let card_path = card::path(&self.profile, self.places.card.as_deref())?;
        let trusted = self
            .genesis
            .clone()
            .unwrap_or_else(|| card::genesis_path(&card_path));
        if !card_path.exists() {
            return Err(Failure::new(Code::CardMissing)
                .because(format!("{} is not there", card_path.display()))
                .help(format!(
                    "register first: aidchain patient register --profile {}",
                    self.profile
                )));
        }
        let (genesis, _file) = files::genesis(&trusted)?;
        self.suite.check(&genesis, console)?;
        let card = Card::read(&card_path, &genesis)?;
        let client = self.server(&genesis)?;
        let credential = self.unlock(&card, console)?;

        let watch = Stopwatch::start();
        let session = self.handshake(&client, &credential, console)?;
        let round_trip = watch.elapsed_ms();
        let sought = Sought {
            path: format!("/v1/sessions/{session}"),
            expect: Expect {
                aid: Some(card.wu().aid()),
                server: Some(self.server.clone()),
                session: Some(session),
                transaction: None,
            },
            pending: Code::ResultPending,
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
                "result at height {}, {}/{} signatures, {finality:.0} ms",
                verified.height,
                verified.signers.len(),
                verified.committee_size
            ),
        );
        let object = json!({
            "schema": "aidchain.sign-in/1",
            "ledger": genesis.kind(),
            "suite": "wu-2021",
            "server": self.server,
            "aid": card.wu().aid(),
            "session": session,
            "transaction": verified.transaction,
            "height": verified.height,
            "round_trip_ms": round_trip,
            "finality_ms": finality,
            "receipt": receipt,
        });
        let text = format!(
            "Signed in at {}.\nReceipt {}",
            self.server,
            receipt.display()
        );
        console.data(&object, &text)?;
        Ok(Exit::Ok)
    }

    fn server(&self, genesis: &Genesis) -> Result<Client, Failure> {
        let member = genesis.member_named(&self.server).ok_or_else(|| {
            let names: Vec<_> = genesis
                .members()
                .iter()
                .map(|member| member.name.as_str())
                .collect();
            Failure::new(Code::NoSuchServer)
                .message(format!("no member is called {:?}", self.server))
                .help(format!("the members are {}", names.join(", ")))
        })?;
        client(member, self.node.as_ref())
    }

    /// Opens the card with what the patient knows and is. A refusal is local and says no more than that.
    fn unlock(&self, card: &Card, console: &Console) -> Result<wu::Credential, Failure> {
        let id = self.secrets.id().id(console)?;
        let password = self.secrets.password().password(console)?;
        let bio = capture::template(&self.bio)?;
        let opened = card.wu().unlock(id, &password, bio);
        opened.map_err(|_failed| {
            let failure = Failure::new(Code::CredentialDidNotOpen)
                .message("sign-in refused; nothing was sent to the clinic");
            match refusals::note(Code::CredentialDidNotOpen) {
                Some(support) => failure.support(support),
                None => failure,
            }
        })
    }

    fn handshake(
        &self,
        client: &Client,
        credential: &wu::Credential,
        console: &Console,
    ) -> Result<SessionId, Failure> {
        let mut rng = dice::seeded()?;
        let now = || Timestamp::from_millis(clock::wall_ms());
        let Opened { message, state } = Wu2021::open(credential, now(), &mut rng);
        let answer = client
            .ask(suite_message("/v1/sign-in/hello", message.encode()))?
            .success()?;
        let me7 = wu::Me7::parse(answer.body())
            .map_err(|error| Failure::new(Code::BadAnswer).because(error))?;
        let finished = state.finish(&me7, now()).map_err(|failed| {
            if failed.reason() == Reason::Expired {
                return Failure::new(Code::ClockSkew).message(format!(
                    "the clock of {} differs from this terminal's",
                    self.server
                ));
            }
            Failure::new(Code::ServerNotProved)
                .message(format!("{} did not prove its identity", self.server))
        })?;
        console.step(
            Mark::Good,
            "server",
            &format!(
                "{} answered as the suite demands and accepted you",
                self.server
            ),
        );
        Ok(finished.session)
    }
}
