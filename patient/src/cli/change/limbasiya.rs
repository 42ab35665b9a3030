//! `aidchain patient change password` under the suite of Limbasiya et al. (L-11).
//!
//! Stopped half-way, the same command again brings it to its end: the centre gives the same answer to the same change.

use contract::genesis::Genesis;
use protocol::Timestamp;
use protocol::wu::Password;
use serde_json::json;

use super::NewPassword;
use crate::aidc1::ledger::Ledger;
use crate::aidc1::place::Place;
use crate::card::{self, Held};
use crate::cli::auth::legacy::locked;
use crate::code::Exit;
use crate::output::{Console, Failure, Mark};
use crate::{clock, limbasiya};

impl NewPassword {
    /// Changes the password of a card of a research ledger.
    pub(super) fn limbasiya(
        &self,
        (ledger, place): (Ledger<'_>, &Place),
        console: &Console,
    ) -> Result<Exit, Failure> {
        let genesis: &Genesis = ledger.genesis;
        let card = card::read_limbasiya(place.card(), genesis)?;
        let id = self.id.source().id(console)?;
        let old = self.lock.password.source().wu_password(console)?;
        let new: Password = self.source().new_wu_password(console)?;
        let unlocked = card.unlock(id, old).map_err(|_failed| {
            locked().message("the old password does not fit; nothing was sent to the centre")
        })?;
        let client = ledger.client(ledger.centre()?)?;

        let now = Timestamp::from_millis(clock::wall_ms());
        let (change, draft) = unlocked.change(new, now);
        let issued = limbasiya::change(&client, &change)?;
        let card = draft.card(&issued);
        card::replace(place.card(), genesis, Held::Limbasiya(&card))?;
        console.step(Mark::Good, "centre", "changed the password");
        let object = json!({
            "schema": "aidchain.password-changed/1",
            "ledger": genesis.kind(),
            "suite": "limbasiya-2020",
            "aid": change.uid,
            "card": place.card(),
        });
        let text = format!(
            "The password is changed. Servers take it with their next table.\nCard        {}",
            place.card().display()
        );
        console.data(&object, &text)?;
        Ok(Exit::Ok)
    }
}
