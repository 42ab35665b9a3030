//! A running node whose member's next key waits in its home: says in that key's name that it is ready, and starts again
//! with it when the ledger has given it the member's place.

use std::path::PathBuf;
use std::time::Duration;

use contract::contracts::membership::{self, GuestKind, MemberRecord};
use contract::{Author, BlockTime, Call, Outcome, PublicKey, ServerId, StateError, Transaction};
use ed25519_dalek::SigningKey;
use tokio::sync::watch;
use tracing::{debug, info, warn};

use crate::clock::Clock;
use crate::keys::rotation::{self, RotationError};
use crate::ledger::Ledger;
use crate::mempool::Submitter;
use crate::petition::{PATIENCE, READY_AGAIN_MS, VALID_MS, random};

/// Pause between two looks while nothing becomes final.
const PAUSE: Duration = Duration::from_millis(500);

/// The least pause between two looks.
const BREATH: Duration = Duration::from_millis(100);

/// Whose key waits, and where.
#[derive(Clone, Debug)]
pub struct Renewal {
    /// Says what is decided.
    pub ledger: Ledger,
    /// Where the key waits.
    pub home: PathBuf,
    /// The member's name, which outlives its keys.
    pub name: String,
}

impl Renewal {
    /// Marks the renewal in the home as decided, if it is. The ledger must be durable.
    pub fn settle(&self) -> Result<(), RotationError> {
        let Some(key) = rotation::next(&self.home)? else {
            return Ok(());
        };
        match self.seat(&public(&key)) {
            Ok(Some(seat)) => rotation::decide(&self.home, &seat.member),
            Ok(None) => Ok(()),
            Err(cause) => {
                warn!(%cause, "cannot read whether the renewed key is in force; the next start will");
                Ok(())
            }
        }
    }

    /// This member's record, if the key in it is this one in the epoch of the next block.
    fn seat(&self, key: &PublicKey) -> Result<Option<MemberRecord>, StateError> {
        let epoch = membership::epoch_at(&self.ledger.state())?;
        let mut seats = epoch.committee.into_iter();
        Ok(seats.find(|seat| seat.member.name == self.name && seat.member.key == *key))
    }

    /// This member's id, if the members have approved this key for it and the end of the epoch is still open.
    fn awaited(&self, key: &PublicKey) -> Result<Option<ServerId>, StateError> {
        let (state, now) = (self.ledger.state(), self.ledger.certified().header.time);
        let epoch = membership::epoch_at(&state)?;
        if epoch.end.is_some() {
            return Ok(None);
        }
        let guests = membership::guests_at(&state)?;
        let approved = guests.iter().any(|guest| {
            guest.until >= now && guest.why == GuestKind::Candidate && guest.member.key == *key
        });
        let mut seats = epoch.committee.iter();
        let seat = seats.find(|seat| approved && seat.member.name == self.name);
        Ok(seat.map(|seat| seat.server_id))
    }
}

/// Looks after a renewal while the node runs.
#[derive(Debug)]
pub struct Renewer {
    /// Whose.
    pub renewal: Renewal,
    /// Takes the new key's word.
    pub submitter: Submitter,
    /// The clocks.
    pub clock: Clock,
    /// Has the node stopped and started again.
    pub again: watch::Sender<bool>,
}

impl Renewer {
    /// Looks again and again, until the node stops or is to start again.
    pub async fn run(self, mut stopped: watch::Receiver<bool>) {
        tokio::select! {
            () = self.follow() => {}
            _ = stopped.wait_for(|stop| *stop) => {}
        }
    }

    async fn follow(&self) {
        let mut heights = self.renewal.ledger.subscribe();
        let mut ready_at = None;
        loop {
            match self.look(&mut ready_at).await {
                Ok(true) => return,
                Ok(false) => {}
                Err(cause) => warn!(%cause, "cannot look after the key that waits in rotation/"),
            }
            tokio::time::sleep(BREATH).await;
            let changed = tokio::time::timeout(PAUSE, heights.changed()).await;
            if matches!(changed, Ok(Err(_))) {
                debug!("the ledger has stopped");
                return;
            }
        }
    }

    /// One look; true when the node is to start again.
    async fn look(&self, ready_at: &mut Option<BlockTime>) -> Result<bool, Unseen> {
        let Some(key) = rotation::next(&self.renewal.home)? else {
            return Ok(false);
        };
        let public = public(&key);
        if self.renewal.seat(&public)?.is_some() {
            info!(
                event = "key_renewed",
                "the ledger has given this member its new key: the node starts again with it"
            );
            self.again.send_replace(true);
            return Ok(true);
        }
        let now = self.renewal.ledger.certified().header.time;
        let due = ready_at.is_none_or(|at| now >= at.plus_ms(READY_AGAIN_MS));
        if due && let Some(id) = self.renewal.awaited(&public)? {
            info!(event = "key_ready", %public, "the approved key says that it is ready");
            if self.say_ready(&key, id).await {
                *ready_at = Some(now);
            }
        }
        Ok(false)
    }

    /// Says in the key's name that it is ready; whether the ledger took it.
    async fn say_ready(&self, key: &SigningKey, id: ServerId) -> bool {
        let ledger = &self.renewal.ledger;
        let tip = ledger.certified();
        let now = BlockTime::new(self.clock.wall_ms()).max(tip.header.time);
        let Some(salt) = random() else { return false };
        let call = Call::Ready {
            height: tip.height,
            header: tip.hash,
        };
        let (chain, until) = (*ledger.genesis().chain(), now.plus_ms(VALID_MS));
        let signed = Transaction::new(chain, Author::Member(id), until, salt, call).sign(key);
        let ticket = match self.submitter.submit(signed.as_bytes().into()).await {
            Ok(ticket) => ticket,
            Err(why) => {
                debug!(%why, "the word of the new key was not taken");
                return false;
            }
        };
        match ticket.wait(PATIENCE).await {
            Ok(done) => matches!(done.outcome, Outcome::Done(_)),
            Err(why) => {
                debug!(%why, "the word of the new key is not final yet");
                false
            }
        }
    }
}

/// Why it cannot be seen how a renewal stands.
#[derive(Debug, thiserror::Error)]
enum Unseen {
    /// The home cannot be read.
    #[error(transparent)]
    Home(#[from] RotationError),
    /// The ledger cannot be read.
    #[error(transparent)]
    State(#[from] StateError),
}

fn public(key: &SigningKey) -> PublicKey {
    PublicKey::new(key.verifying_key().to_bytes())
}
