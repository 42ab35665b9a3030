//! `aidchain patient auth` under the suite of Wu et al.: Me5 to a server, Me7 back, the receipt from the ledger.

use contract::genesis::Genesis;
use contract::identity::{Height, SessionId};
use protocol::suite::{Message as _, Opened, Pending as _, Suite as _};
use protocol::wu::{self, Wu2021};
use protocol::{Reason, Timestamp};

use super::Auth;
use super::legacy::{Accepted, locked};
use crate::aidc1::state::BEHIND_WAIT;
use crate::cli::register::wu::suite_message;
use crate::client::{Client, KNOWN_HEIGHT};
use crate::clock::{self, Stopwatch};
use crate::code::{Code, Exit};
use crate::output::{Console, Failure, Mark};
use crate::{capture, card, dice, known};

impl Auth {
    /// Signs in on a research ledger.
    pub(super) fn wu(
        &self,
        (genesis, card_path): (&Genesis, &std::path::Path),
        console: &Console,
    ) -> Result<Exit, Failure> {
        let card = card::read_wu(card_path, genesis)?;
        let (client, server) = self.at(genesis, card_path)?;
        let credential = self.unlock(&card, console)?;

        let watch = Stopwatch::start();
        let known = known::height(card_path, genesis.chain())?;
        let session = self.handshake(&client, &credential, known, console)?;
        let accepted = Accepted {
            client: &client,
            server,
            suite: "wu-2021",
            aid: card.aid(),
            session,
            round_trip_ms: watch.elapsed_ms(),
            watch,
        };
        self.recorded((genesis, card_path), &accepted, console)
    }

    /// Opens the card with what the patient knows and is. A refusal is local and says no more than that.
    fn unlock(&self, card: &wu::Card, console: &Console) -> Result<wu::Credential, Failure> {
        let id = self.id.source().id(console)?;
        let password = self.password.source().wu_password(console)?;
        let first = self.factor.bio.first();
        let bio = capture::template(first.ok_or_else(|| Failure::new(Code::FactorMissing))?)?;
        let opened = card.unlock(id, &password, bio);
        opened.map_err(|_failed| locked())
    }

    fn handshake(
        &self,
        client: &Client,
        credential: &wu::Credential,
        known: Height,
        console: &Console,
    ) -> Result<SessionId, Failure> {
        let mut rng = dice::seeded()?;
        let now = || Timestamp::from_millis(clock::wall_ms());
        let Opened { message, state } = Wu2021::open(credential, now(), &mut rng);
        let hello = suite_message("/v1/sign-in/hello", message.encode())
            .header(KNOWN_HEIGHT, known.get().to_string())
            .waits(BEHIND_WAIT);
        let answer = client.ask(hello)?.success()?;
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
