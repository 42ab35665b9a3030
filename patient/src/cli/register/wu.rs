//! `aidchain patient register` under the suite of Wu et al.: Me1 to the registration centre, Me3 onto the card, the proof
//! from the ledger.

use contract::genesis::Genesis;
use protocol::suite::Message as _;
use protocol::wu;

use super::legacy::Enrolled;
use super::{Register, keep_genesis};
use crate::capture;
use crate::card::{self, Held};
use crate::client::Question;
use crate::clock::Stopwatch;
use crate::code::{Code, Exit};
use crate::limbasiya::transaction;
use crate::output::{Console, Failure, Mark};

impl Register {
    /// Enrols on a research ledger.
    pub(super) fn wu(
        &self,
        (genesis, genesis_file): (&Genesis, &[u8]),
        console: &Console,
    ) -> Result<Exit, Failure> {
        let card_path = self.new_card()?;
        let id = self.id.source().id(console)?;
        let password = self.password.source().wu_password(console)?;
        let bio = capture::enrolment(&self.face.bio)?;
        let client = self.centre_client(genesis)?;

        let watch = Stopwatch::start();
        let me1 = wu::Me1 { id, password, bio };
        let answer = client
            .ask(suite_message("/v1/register", me1.encode()))?
            .success()?;
        let me3 = wu::Me3::parse(answer.body())
            .map_err(|error| Failure::new(Code::BadAnswer).because(error))?;
        let transaction = transaction(&answer)?;
        console.step(Mark::Good, "centre", "accepted the identity");

        let card = wu::Card::new(me3, &me1.id);
        let aid = card.aid();
        card::write(&card_path, genesis, Held::Wu(&card))?;
        keep_genesis(&card_path, genesis_file)?;
        let enrolled = Enrolled {
            client: &client,
            suite: "wu-2021",
            aid,
            transaction,
            watch,
        };
        self.registered((genesis, &card_path), &enrolled, console)
    }
}

/// A message of Wu-2021 to a patient interface.
pub(in crate::cli) fn suite_message(path: &str, body: Vec<u8>) -> Question {
    Question::post(path, body).header("aidchain-suite", "0x7f01")
}
