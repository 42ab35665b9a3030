//! `aidchain key rotate`: a member's next key, proposed to the others. CONSENSUS.md §4: the command that makes a key makes
//! its vote log with it; the running node does the rest.

use clap::Args;
use consensus::{ChainId, Epoch};
use contract::contracts::membership::{MembershipChange, Renewal, quorum, renewal_digest};
use contract::{Call, Genesis, Member, PublicKey, ServerId, SignatureBytes};
use ed25519_dalek::{Signer as _, SigningKey};
use patient::code::{Code, Exit};
use patient::light::short;
use patient::output::{Console, Failure};
use serde_json::json;

use super::super::home::{key_failure, log_failure};
use super::super::member::at::{At, Consortium, Submitted};
use crate::keys::rotation::{self, RotationError};

pub(super) const EXAMPLE: &str = "\
Example, on the member's machine; every other member then approves the change by its id:
  aidchain key rotate --home /var/lib/aidchain
  aidchain member approve --change CHANGE --home /var/lib/aidchain";

/// Whose key.
#[derive(Clone, Debug, Args)]
pub(in crate::cli) struct Rotate {
    #[command(flatten)]
    at: At,
}

impl Rotate {
    pub(super) fn run(&self, console: &Console) -> Result<Exit, Failure> {
        let voter = self.at.voter()?;
        let before = voter.members()?;
        let seat = voter.seat(&before)?;
        let chain = ChainId::new(*voter.genesis().chain().as_bytes());
        // The key is new: in the epochs so far it cannot have voted.
        let first = Epoch::new(before.epoch.saturating_add(1));
        let new = rotation::make(self.at.home(), chain, first).map_err(failure)?;
        let present = seat.member();
        let change = change(
            voter.genesis(),
            (seat.server_id, &present),
            voter.key(),
            &new,
        );
        let id = change.id(voter.genesis().chain());
        let is_open = |members: &Consortium| members.changes.iter().any(|open| open.id == id);
        let done = if is_open(&before) {
            None
        } else {
            let call = Call::ProposeChange(Box::new(change));
            Some(voter.submit(seat, call).map_err(|failure| {
                failure.note("the new key waits in rotation/; the same command proposes it again")
            })?)
        };
        let now = voter.members()?;
        let open = now.changes.iter().find(|open| open.id == id);
        let ends_at = done.as_ref().and_then(Submitted::epoch_ends_at);
        let stage = match (open, ends_at) {
            (_, Some(last)) => format!("decided: the epoch ends with block {last}"),
            (Some(open), None) => open.stage.clone(),
            (None, None) => "closed".to_owned(),
        };
        let (old, new) = (present.key, public(&new));
        let object = json!({
            "schema": "aidchain.key-rotate/1", "member": seat.name, "old_key": old, "new_key": new,
            "change": id, "stage": stage, "epoch_ends_at": ends_at,
            "transaction": done.as_ref().map(|done| &done.hash),
            "height": done.as_ref().and_then(|done| done.height),
        });
        let members = before.members.len();
        let text = format!(
            "{} asks to vote with key {} in place of {}: change {id}.\n  {stage} ({} of {members} members decide)",
            seat.name,
            short(&new),
            short(&old),
            quorum(members)
        );
        console.data(&object, &text)?;
        console.talk(&format!(
            "Each other member: aidchain member approve --change {id}\n\
             Keep this member's node running: it says when the new key is ready, votes with the old one to the end of the \
             epoch and with the new one from the next block on, and destroys the old one. Until then both are needed."
        ));
        Ok(Exit::Ok)
    }
}

/// The change that gives a member another key; both keys sign it.
fn change(
    genesis: &Genesis,
    (id, present): (ServerId, &Member),
    old: &SigningKey,
    new: &SigningKey,
) -> MembershipChange {
    let to = Member {
        key: public(new),
        ..present.clone()
    };
    let digest = renewal_digest(genesis.chain(), &id, &to);
    let signed = |key: &SigningKey| SignatureBytes::new(key.sign(&digest).to_bytes());
    MembershipChange {
        renew: vec![Renewal {
            id,
            by_old: signed(old),
            by_new: signed(new),
            to,
        }],
        ..MembershipChange::default()
    }
}

fn public(key: &SigningKey) -> PublicKey {
    PublicKey::new(key.verifying_key().to_bytes())
}

fn failure(error: RotationError) -> Failure {
    match error {
        RotationError::Key(error) => key_failure(&error),
        RotationError::Log(error) => log_failure(error),
        RotationError::File { .. } => Failure::new(Code::CannotWrite).message(error.to_string()),
    }
}
