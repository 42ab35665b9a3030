//! `aidchain patient register` under the suite of Limbasiya et al.: UID and A to the registration centre, C, D and the
//! list of servers onto the card, the proof from the ledger.

use contract::genesis::Genesis;
use protocol::limbasiya::Draft;

use super::legacy::Enrolled;
use super::{Register, keep_genesis};
use crate::card::{self, Held};
use crate::clock::Stopwatch;
use crate::code::{Code, Exit};
use crate::output::{Console, Failure, Mark};
use crate::{dice, limbasiya};

impl Register {
    /// Enrols on a research ledger.
    pub(super) fn limbasiya(
        &self,
        (genesis, genesis_file): (&Genesis, &[u8]),
        console: &Console,
    ) -> Result<Exit, Failure> {
        if !self.face.bio.is_empty() {
            return Err(Failure::new(Code::Usage)
                .message("suite limbasiya-2020 has no biometric")
                .help("leave --bio out"));
        }
        let card_path = self.new_card()?;
        let id = self.id.source().id(console)?;
        let password = self.password.source().new_wu_password(console)?;
        let client = self.centre_client(genesis)?;

        let watch = Stopwatch::start();
        let draft = Draft::new(id, password, &mut dice::seeded()?);
        let application = draft.application();
        let (issued, transaction) = limbasiya::register(&client, &application)?;
        console.step(Mark::Good, "centre", "accepted the identity");

        let card = draft.card(&issued);
        card::write(&card_path, genesis, Held::Limbasiya(&card))?;
        keep_genesis(&card_path, genesis_file)?;
        let enrolled = Enrolled {
            client: &client,
            suite: "limbasiya-2020",
            aid: application.uid,
            transaction,
            watch,
        };
        self.registered((genesis, &card_path), &enrolled, console)
    }
}
