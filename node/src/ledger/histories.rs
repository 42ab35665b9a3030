//! What the ledger has about one identity: all that happened to it, and its sign-ins with their receipts.

use contract::contracts::{authlog, disclosure, identity};
use contract::{Aid, Snapshot, Standing, StateError};
use patient::receipt::Receipt;

use super::{Asked, Cursor, Ledger, LedgerError};
use crate::store::Reader;
use crate::store::history::{Account, accounts};

/// Accounts of sign-ins, and where older ones begin.
#[derive(Debug)]
pub struct Accounts {
    /// The newest first, each with the receipt of its transaction as far as this node has its block's certificate.
    pub rows: Vec<(Account, Option<Receipt>)>,
    /// Ask with this for older ones; none if there are none.
    pub next: Option<Cursor>,
}

/// How much one page may hold.
#[derive(Debug, Clone, Copy)]
pub struct PageSize {
    /// Accounts.
    pub rows: usize,
    /// Octets of the transactions in their receipts; the first one is there whatever its size.
    pub bytes: usize,
}

/// The keys of everything that happened to an identity: events, origin, recovery, claims that take a place, disclosures,
/// each with its count, so that nothing can be left out. At most `most`; of what is counted, the newest.
pub fn keys_of(state: &Snapshot<Reader>, aid: &Aid, most: usize) -> Result<Vec<Asked>, StateError> {
    let mut asked: Vec<Asked> = vec![
        (identity::ID, identity::identity_key(aid)),
        (identity::ID, identity::events_key(aid)),
        (identity::ID, identity::origin_key(aid)),
        (identity::ID, identity::recovery_key(aid)),
        (authlog::ID, authlog::claims_key(aid)),
        (disclosure::ID, disclosure::count_key(aid)),
    ];
    for open in authlog::claims_at(state, aid)?.open {
        let key = authlog::claim_key(aid, &open.server_id, &open.sid);
        asked.push((authlog::ID, key));
    }
    let disclosures = disclosure::disclosures_of(state, aid)?;
    for (nth, entry) in disclosures.iter().enumerate().rev() {
        let Ok(nth) = u32::try_from(nth) else { break };
        if asked.len().saturating_add(2) > most {
            break;
        }
        asked.push((disclosure::ID, disclosure::nth_key(aid, nth)));
        asked.push((disclosure::ID, disclosure::entry_key(entry.number)));
    }
    let events = identity::events_at(state, aid)?.len();
    let room = most.saturating_sub(asked.len());
    let events = (0..u32::try_from(events).unwrap_or(u32::MAX)).rev();
    asked.extend(
        events
            .take(room)
            .map(|number| (identity::ID, identity::event_key(aid, number))),
    );
    Ok(asked)
}

impl Ledger {
    /// An identity's sign-ins and claims in certified blocks, older than `before` if that is given.
    pub fn accounts(
        &self,
        aid: &Aid,
        before: Option<Cursor>,
        size: PageSize,
    ) -> Result<Accounts, LedgerError> {
        let certified = self.certified().height;
        let newest = before.map_or(certified, |cursor| cursor.height.min(certified));
        let mut page = Accounts {
            rows: Vec::new(),
            next: None,
        };
        let mut bytes = 0_usize;
        for height in self.reader.heights_of(aid, newest)? {
            let Some(block) = self.reader.block(height)? else {
                continue;
            };
            let older = accounts(&block, aid)
                .into_iter()
                .filter(|account| before.is_none_or(|cursor| account.place < cursor));
            for account in older {
                let at = (account.place.index, account.place.entry.into());
                let receipt = self.receipt_in(&block, at)?;
                let length = receipt
                    .as_ref()
                    .map_or(0, |receipt| receipt.transaction.0.len());
                bytes = bytes.saturating_add(length);
                let full = page.rows.len() >= size.rows || bytes > size.bytes;
                if let Some((last, _)) = page.rows.last().filter(|_| full) {
                    page.next = Some(last.place);
                    return Ok(page);
                }
                page.rows.push((account, receipt));
            }
        }
        Ok(page)
    }
}

/// What the state has under an account of an identity that is a claim.
pub fn claim_key(aid: &Aid, account: &Account) -> Option<Asked> {
    (account.standing == Standing::Claimed).then(|| {
        let key = authlog::claim_key(aid, &account.server_id, &account.sid);
        (authlog::ID, key)
    })
}
