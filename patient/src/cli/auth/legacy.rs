//! How a sign-in under a suite of the papers ends: the server's own word on the ledger, and the receipt for it.

use std::path::Path;

use contract::genesis::Genesis;
use contract::identity::{Aid, SessionId};
use serde_json::json;

use super::Auth;
use crate::aidc1::ledger::Ledger;
use crate::aidc1::members::{Members, name_in_receipts};
use crate::cli::receipt::{Sought, keep};
use crate::client::Client;
use crate::clock::Stopwatch;
use crate::code::{Code, Exit};
use crate::light::Expect;
use crate::output::{Console, Failure, Mark};
use crate::{known, refusals};

/// A sign-in that the server accepted.
pub(super) struct Accepted<'a> {
    pub(super) client: &'a Client,
    /// As a receipt of it names the server.
    pub(super) server: String,
    pub(super) suite: &'static str,
    pub(super) aid: Aid,
    pub(super) session: SessionId,
    pub(super) round_trip_ms: f64,
    pub(super) watch: Stopwatch,
}

impl Auth {
    /// The member to sign in at, and how a receipt of it names it.
    pub(super) fn at(&self, genesis: &Genesis, card: &Path) -> Result<(Client, String), Failure> {
        let members = Members::beside(card, genesis)?;
        let member = Ledger::new(genesis, &members).named(&self.server)?;
        let client = Client::of_member(&member.member, self.node.as_ref())?;
        Ok((client, name_in_receipts(member, genesis)))
    }

    /// Fetches and keeps the receipt, and says so.
    pub(super) fn recorded(
        &self,
        (genesis, card_path): (&Genesis, &Path),
        done: &Accepted<'_>,
        console: &Console,
    ) -> Result<Exit, Failure> {
        let sought = Sought {
            path: format!("/v1/sessions/{}", done.session),
            expect: Expect {
                aid: Some(done.aid),
                server: Some(done.server.clone()),
                session: Some(done.session),
                transaction: None,
            },
            pending: Code::ResultPending,
        };
        let (verified, receipt) =
            keep(done.client, genesis, &sought, &self.profile, &self.receipts)?;
        known::note(card_path, genesis.chain(), verified.height)?;
        let finality = done.watch.elapsed_ms();
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
            "suite": done.suite,
            "server": self.server,
            "aid": done.aid,
            "session": done.session,
            "transaction": verified.transaction,
            "height": verified.height,
            "round_trip_ms": done.round_trip_ms,
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
}

/// The card did not open: a refusal that is local and says no more than that.
pub(in crate::cli) fn locked() -> Failure {
    let failure = Failure::new(Code::CredentialDidNotOpen)
        .message("sign-in refused; nothing was sent to the clinic");
    match refusals::note(Code::CredentialDidNotOpen) {
        Some(support) => failure.support(support),
        None => failure,
    }
}
