//! Epochs as the ledger decides them: transactions that change the committee, and those with
//! which a member that lost its votes asks to begin again.

use std::sync::Arc;

use consensus::{Batch, Epoch, Seq};

use crate::ledger::{Store, transactions};
use crate::node::KEYS_APART;

/// Transactions from here on change the committee: the first one to the plan's first change.
pub(crate) const CHANGES: u64 = 1 << 32;

/// Transactions from here on end an epoch without a change, so that a member may begin again.
pub(crate) const REJOINS: u64 = 1 << 40;

/// Who the members are, and who they become.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Plan {
    /// How many blocks lie between a change and the last block of its epoch.
    pub window: u64,
    /// The keys of the first committee.
    pub genesis: Vec<u16>,
    /// The keys of the committees that follow when they are asked for.
    pub changes: Vec<Vec<u16>>,
}

/// One epoch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Term {
    /// Its number.
    pub epoch: Epoch,
    /// The block before its first one.
    pub origin: Seq,
    /// The keys of its committee, in order.
    pub keys: Vec<u16>,
}

/// The decided end of an epoch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ending {
    /// Its last block.
    pub last: Seq,
    /// The keys of the next committee, in order.
    pub keys: Vec<u16>,
    /// The transaction that decided it.
    pub by: u64,
}

impl Store {
    /// The epoch in which a replica starts, and that epoch's last block where it is decided:
    /// the newest block's, or the one after it when the blocks up to its end are certified.
    pub fn term(&self) -> (Arc<Term>, Option<Seq>) {
        let Some(block) = self.newest_block() else {
            let first = Term {
                epoch: Epoch::ZERO,
                origin: Seq::ZERO,
                keys: self.plan.genesis.clone(),
            };
            return (Arc::new(first), None);
        };
        match block.ending.as_deref() {
            Some(ending) if self.height() == ending.last && self.is_whole(ending.last) => {
                (Arc::new(next(&block.term, ending)), None)
            }
            ending => (Arc::clone(&block.term), ending.map(|ending| ending.last)),
        }
    }

    /// The epoch after the one that ends with the newest block, if one does.
    pub fn next_term(&self) -> Option<Term> {
        let block = self.newest_block()?;
        let ending = block.ending.as_deref()?;
        (self.height() == ending.last).then(|| next(&block.term, ending))
    }

    /// Whether the last W blocks up to here are certified.
    fn is_whole(&self, last: Seq) -> bool {
        let first = last.get().saturating_sub(self.plan.window);
        let mut blocks = (first..last.get()).map(|seq| self.block(Seq::new(seq).next()));
        blocks.all(|block| block.is_some_and(|block| block.certificate.is_some()))
    }

    /// The epoch of the block that is made of this batch, and the end that is decided with it.
    pub(super) fn terms_after(&self, seq: Seq, batch: &Batch) -> (Arc<Term>, Option<Arc<Ending>>) {
        let (term, ending) = match self.newest_block() {
            None => (self.term().0, None),
            Some(block) => match &block.ending {
                Some(ending) if ending.last < seq => (Arc::new(next(&block.term, ending)), None),
                ending => (Arc::clone(&block.term), ending.clone()),
            },
        };
        let decided = || {
            let mut asked = transactions(batch).into_iter();
            let (by, keys) = asked.find_map(|by| Some((by, self.asked(&term, by)?)))?;
            let last = seq.plus(self.plan.window);
            Some(Arc::new(Ending { last, keys, by }))
        };
        let ending = ending.or_else(decided);
        (term, ending)
    }

    /// The committee that a transaction asks for; none when it was executed before, or asks for
    /// a key that was removed.
    fn asked(&self, term: &Term, transaction: u64) -> Option<Vec<u16>> {
        if transaction < CHANGES || self.all_transactions().any(|known| known == transaction) {
            return None;
        }
        if transaction >= REJOINS {
            return Some(term.keys.clone());
        }
        let keys = self.plan.changes.get((transaction - CHANGES) as usize)?;
        let new = keys.iter().filter(|key| !term.keys.contains(*key));
        let mut returning = new.filter(|key| self.knew(term, **key));
        (*keys != term.keys && returning.next().is_none()).then(|| keys.clone())
    }

    /// Whether a key, or a later one of the same person, has been a member's before: one that was removed never
    /// returns, and whoever took a new key has no older one any more. No block of the running epoch may be there yet.
    fn knew(&self, running: &Term, key: u16) -> bool {
        let outdates = |known: &u16| *known >= key && known % KEYS_APART == key % KEYS_APART;
        let before = self.blocks.values().map(|block| &*block.term);
        let mut terms = before.chain([running]);
        terms.any(|term| term.keys.iter().any(outdates))
    }
}

/// The epoch after this end.
fn next(term: &Term, ending: &Ending) -> Term {
    Term {
        epoch: term.epoch.next(),
        origin: ending.last,
        keys: ending.keys.clone(),
    }
}
