//! What registrations under the papers' suites have in common: where they go, and how they end.

use std::path::{Path, PathBuf};

use contract::genesis::{Genesis, Role};
use contract::identity::{Aid, TransactionHash};
use serde_json::json;

use super::Register;
use crate::card;
use crate::cli::receipt::{Sought, keep};
use crate::client::Client;
use crate::clock::Stopwatch;
use crate::code::{Code, Exit};
use crate::known;
use crate::light::Expect;
use crate::output::{Console, Failure, Mark};

/// A registration that the centre accepted.
pub(super) struct Enrolled<'a> {
    pub(super) client: &'a Client,
    pub(super) suite: &'static str,
    pub(super) aid: Aid,
    pub(super) transaction: TransactionHash,
    pub(super) watch: Stopwatch,
}

impl Register {
    /// Where the card will be; nothing is there yet.
    pub(super) fn new_card(&self) -> Result<PathBuf, Failure> {
        let path = card::path(&self.profile, self.places.card.as_deref())?;
        if path.exists() {
            return Err(Failure::new(Code::CardExists)
                .message(format!("{} exists already", path.display())));
        }
        Ok(path)
    }

    /// The registration centre.
    pub(super) fn centre_client(&self, genesis: &Genesis) -> Result<Client, Failure> {
        let centre = genesis
            .members()
            .iter()
            .find(|member| member.role == Role::Rc)
            .ok_or_else(|| Failure::new(Code::BadGenesis))?;
        Client::of_member(centre, self.node.as_ref())
    }

    /// Fetches and keeps the receipt, and says so.
    pub(super) fn registered(
        &self,
        (genesis, card_path): (&Genesis, &Path),
        done: &Enrolled<'_>,
        console: &Console,
    ) -> Result<Exit, Failure> {
        let (aid, transaction) = (done.aid, done.transaction);
        let sought = Sought {
            path: format!("/v1/registrations/{transaction}"),
            expect: Expect {
                aid: Some(aid),
                transaction: Some(transaction),
                ..Expect::default()
            },
            pending: Code::RegistrationPending,
        };
        let (verified, receipt) =
            keep(done.client, genesis, &sought, &self.profile, &self.receipts)?;
        known::note(card_path, genesis.chain(), verified.height)?;
        let finality = done.watch.elapsed_ms();
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
            "suite": done.suite,
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
}
