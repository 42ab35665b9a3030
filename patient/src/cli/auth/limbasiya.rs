//! `aidchain patient auth` under the suite of Limbasiya et al.: request to a server, its reply, the receipt from the
//! ledger.

use std::path::Path;

use contract::genesis::Genesis;
use protocol::limbasiya::{Credential, Unlocked, Word};

use super::Auth;
use super::legacy::Accepted;
use crate::card;
use crate::clock::Stopwatch;
use crate::code::{Code, Exit};
use crate::output::{Console, Failure, Mark};
use crate::{known, limbasiya};

impl Auth {
    /// Signs in on a research ledger.
    pub(super) fn limbasiya(
        &self,
        (genesis, card_path): (&Genesis, &Path),
        console: &Console,
    ) -> Result<Exit, Failure> {
        if !self.factor.bio.is_empty() {
            return Err(Failure::new(Code::Usage)
                .message("suite limbasiya-2020 has no biometric")
                .help("leave --bio out"));
        }
        let card = card::read_limbasiya(card_path, genesis)?;
        let (client, server) = self.at(genesis, card_path)?;
        let id = self.id.source().id(console)?;
        let password = self.password.source().wu_password(console)?;
        let unlocked = card.unlock(id, password);
        let unlocked = unlocked.map_err(|_failed| super::legacy::locked())?;
        let credential = self.credential(&unlocked)?;

        let watch = Stopwatch::start();
        let known = known::height(card_path, genesis.chain())?;
        let signed_in = limbasiya::sign_in(&client, &credential, known)?;
        console.step(
            Mark::Good,
            "server",
            &format!(
                "{} answered as the suite demands and accepted you",
                self.server
            ),
        );
        let accepted = Accepted {
            client: &client,
            server,
            suite: "limbasiya-2020",
            aid: *unlocked.uid(),
            session: signed_in.session,
            round_trip_ms: watch.elapsed_ms(),
            watch,
        };
        self.recorded((genesis, card_path), &accepted, console)
    }

    /// What the card has for this server.
    fn credential(&self, unlocked: &Unlocked) -> Result<Credential, Failure> {
        let listed = Word::parse(self.server.as_bytes()).ok();
        let listed = listed.and_then(|word| unlocked.credential(&word));
        listed.ok_or_else(|| {
            Failure::new(Code::NoSuchServer)
                .message(format!("the list on the card does not have {}", self.server))
                .because("it was not registered when the card was made")
                .help("a change of the password brings the newest list: aidchain patient change password")
        })
    }
}
