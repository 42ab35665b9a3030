//! What one identity did or claimed, the newest first, in pages: for the patient herself.

use contract::{Aid, Claimed, Height, ServerId, SessionId, Standing, claimed, recorded};

use crate::store::entry::StoredBlock;
use crate::store::error::StoreError;
use crate::store::index::Kind;
use crate::store::reader::Reader;
use crate::store::results::Cursor;

/// One account of a sign-in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Account {
    /// Where it stands.
    pub place: Cursor,
    /// How far it reaches.
    pub standing: Standing,
    /// The server.
    pub server_id: ServerId,
    /// The session.
    pub sid: SessionId,
}

impl Reader {
    /// The heights that may hold something about an identity, the newest first, from `newest` down.
    pub(crate) fn heights_of(&self, aid: &Aid, newest: Height) -> Result<Vec<Height>, StoreError> {
        let spots = self.spots(Kind::Identity, aid.as_bytes())?;
        let heights = spots.into_iter().map(|spot| spot.height);
        let mut heights: Vec<Height> = heights.filter(|height| *height <= newest).collect();
        heights.dedup();
        heights.reverse();
        Ok(heights)
    }
}

/// What a block says about an identity's sign-ins, the last first.
pub fn accounts(block: &StoredBlock, aid: &Aid) -> Vec<Account> {
    let account = |(transaction, entry): (usize, usize), standing, (server_id, sid)| {
        Some(Account {
            place: Cursor {
                height: block.header.height,
                index: u32::try_from(transaction).ok()?,
                entry: u16::try_from(entry).ok()?,
            },
            standing,
            server_id,
            sid,
        })
    };
    let (transactions, outcomes) = (&block.transactions, &block.outcomes);
    let results = recorded(transactions, outcomes)
        .filter(|result| result.aid() == aid)
        .filter_map(|result| {
            let of = (*result.server_id(), *result.sid());
            account((result.transaction, result.entry), result.standing(), of)
        });
    let claims = claimed(transactions, outcomes).filter_map(|claim| match claim.claimed {
        Claimed::Patient(result) if result.aid == *aid => {
            let of = (result.server_id, result.sid);
            account((claim.transaction, claim.entry), Standing::Claimed, of)
        }
        Claimed::Patient(_) | Claimed::Server(_) => None,
    });
    let mut accounts: Vec<Account> = results.chain(claims).collect();
    accounts.sort_by_key(|account| std::cmp::Reverse(account.place));
    accounts
}
