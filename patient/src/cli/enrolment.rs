//! The end of every command that enrols: the ledger is waited for, and what is known is said.

use std::path::Path;

use protocol::aidc1::offer::Taken;
use serde_json::json;

use crate::aidc1::ledger::Ledger;
use crate::aidc1::pending::{Kind, Pending, Stands};
use crate::aidc1::place::Place;
use crate::code::Exit;
use crate::known;
use crate::output::{Console, Failure, Mark};

/// What a command says at its end.
pub(super) struct End<'a> {
    pub(super) ledger: Ledger<'a>,
    pub(super) place: &'a Place,
    /// Where the new recovery code went, if there is one and it went to a file.
    pub(super) code: Option<&'a Path>,
}

impl End<'_> {
    /// Brings a pending enrolment to its end, or says how to go on.
    pub(super) fn of(&self, pending: &Pending, console: &Console) -> Result<Exit, Failure> {
        let stands = pending.finish(self.ledger, self.place).map_err(|failure| {
            if !self.place.pending().exists() {
                return failure;
            }
            let path = self.place.pending();
            failure.note(format!(
                "what was begun is kept in {}: the same command finishes it",
                path.display()
            ))
        })?;
        match stands {
            Stands::Done => self.done(pending, console),
            Stands::Waits(taken) => self.waits(pending, taken, console),
        }
    }

    fn done(&self, pending: &Pending, console: &Console) -> Result<Exit, Failure> {
        let genesis = self.ledger.genesis;
        let aid = first(pending);
        let height = known::height(self.place.card(), genesis.chain())?;
        if aid.is_some() {
            let text = format!("sixteen anonymous identities, each as made; height {height}");
            console.step(Mark::Good, "ledger", &text);
        }
        let object = json!({
            "schema": "aidchain.enrolment/1",
            "ledger": genesis.kind(),
            "suite": "aidc-1",
            "kind": pending.kind,
            "status": "done",
            "aid": aid,
            "height": height,
            "card": self.place.card(),
            "device": self.place.device(),
            "recovery_code_file": self.code,
        });
        let mut lines = Vec::new();
        lines.extend(aid.map(|aid| format!("AID         {aid}   (the first of sixteen)")));
        lines.push(format!("Card        {}", self.place.card().display()));
        lines.push(format!(
            "Device      {}   (keep it here: copied together the two are worth more to a thief)",
            self.place.device().display()
        ));
        console.data(&object, &lines.join("\n"))?;
        Ok(Exit::Ok)
    }

    fn waits(&self, pending: &Pending, taken: Taken, console: &Console) -> Result<Exit, Failure> {
        let again = format!("run the same command again later: {}", again(pending.kind));
        let (status, text, counts) = match taken {
            Taken::Submitted => (
                "submitted",
                "It was handed to the ledger and is not on it yet.".to_owned(),
                None,
            ),
            Taken::Queued { waiting, needed } => (
                "queued",
                format!(
                    "It waits with {waiting} of {needed} others, so that the ledger does not show which \
                     identities belong together; at most 24 hours."
                ),
                Some((waiting, needed)),
            ),
            Taken::AwaitsApproval => (
                "awaits-approval",
                "It waits for another member's approval, and then for the ledger's delay."
                    .to_owned(),
                None,
            ),
        };
        let object = json!({
            "schema": "aidchain.enrolment/1",
            "ledger": self.ledger.genesis.kind(),
            "suite": "aidc-1",
            "kind": pending.kind,
            "status": status,
            "waiting": counts.map(|(waiting, _)| waiting),
            "needed": counts.map(|(_, needed)| needed),
            "aid": first(pending),
            "card": self.place.card(),
            "device": self.place.device(),
            "recovery_code_file": self.code,
        });
        console.data(&object, &format!("{text}\nNext        {again}"))?;
        Ok(match taken {
            // It should have been there by now.
            Taken::Submitted => Exit::NoQuorum,
            Taken::Queued { .. } | Taken::AwaitsApproval => Exit::Ok,
        })
    }
}

fn first(pending: &Pending) -> Option<contract::identity::Aid> {
    let registrations = pending.acceptance.as_ref()?.registrations.first()?;
    Some(registrations.record.aid)
}

fn again(kind: Kind) -> String {
    format!("aidchain patient {} …", kind.command())
}
