//! What the RC drew for applicants who have not accepted yet: in memory alone, bounded, for ten minutes.

use std::collections::BTreeMap;

use contract::Aid;
use protocol::aidc1::AIDS;
use protocol::aidc1::application::Ticket;
use protocol::aidc1::limits::Source;
use protocol::aidc1::offer::Replaced;
use sha2::{Digest as _, Sha256};

use super::row::{AidSecrets, Aim, CodeHash, Index, LockKeys};

/// How long an offer is kept.
pub(super) const LIFE_MS: u64 = 600_000;
/// Offers kept at once.
const OFFERS: usize = 1_024;
/// Offers of one source kept at once.
const OFFERS_OF_ONE: usize = 64;

/// What was offered, and to whom.
#[derive(Debug)]
pub(super) struct Offered {
    pub(super) made_ms: u64,
    pub(super) source: Source,
    pub(super) aim: Aim,
    pub(super) index: Index,
    /// The new lock; behind it the one that asked for it, where that stays good.
    pub(super) locks: Vec<LockKeys>,
    pub(super) desk: Option<CodeHash>,
    pub(super) replaced: Option<Box<[Replaced; AIDS]>>,
    pub(super) aids: [Aid; AIDS],
    pub(super) secrets: Box<[AidSecrets; AIDS]>,
}

/// Too many applicants at once.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct NoRoom;

/// The offers, by the hash of their tickets.
#[derive(Debug, Default)]
pub(super) struct Offers(BTreeMap<[u8; 32], Offered>);

impl Offers {
    /// Whether another offer for this source has room.
    pub(super) fn has_room(&mut self, source: Source, now_ms: u64) -> Result<(), NoRoom> {
        self.expire(now_ms);
        let of_one = self.0.values().filter(|one| one.source == source).count();
        if self.0.len() < OFFERS && of_one < OFFERS_OF_ONE {
            Ok(())
        } else {
            Err(NoRoom)
        }
    }

    /// Keeps an offer until it is accepted or too old.
    pub(super) fn put(&mut self, ticket: &Ticket, offered: Offered) {
        self.0.insert(name(ticket), offered);
    }

    /// The offer of a ticket.
    pub(super) fn find(&mut self, ticket: &Ticket, now_ms: u64) -> Option<&Offered> {
        self.expire(now_ms);
        self.0.get(&name(ticket))
    }

    /// Forgets an offer.
    pub(super) fn take(&mut self, ticket: &Ticket) {
        self.0.remove(&name(ticket));
    }

    /// Forgets every offer that was made for this desk code.
    pub(super) fn drop_of_code(&mut self, code: &CodeHash) {
        self.0.retain(|_, offered| offered.desk != Some(*code));
    }

    fn expire(&mut self, now_ms: u64) {
        self.0
            .retain(|_, offered| now_ms.saturating_sub(offered.made_ms) < LIFE_MS);
    }
}

/// Found by a hash, so that no comparison tells anything of a ticket.
fn name(ticket: &Ticket) -> [u8; 32] {
    Sha256::digest(ticket.expose()).into()
}
