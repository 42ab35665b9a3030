//! Whose turn it is when a batch is cut: deficit round robin (Shreedhar and Varghese 1995) over authors.
//!
//! Counted in octets, not in transactions: a member that submits bundles of 256 results gets no more of a batch than
//! one that submits them singly.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Bound::{Excluded, Unbounded};

use contract::Author;

/// Octets of a batch that an author fills before it is the next one's turn. Who takes more, because a transaction is
/// longer, sits out as many turns.
const TURN_BYTES: usize = 256;

/// What still fits into a batch.
#[derive(Debug, Clone, Copy)]
pub(super) struct Room {
    pub(super) bytes: usize,
    pub(super) results: usize,
}

impl Room {
    /// What fits beside one transaction more, if that one fits.
    pub(super) fn without(self, bytes: usize, results: usize) -> Option<Self> {
        Some(Self {
            bytes: self.bytes.checked_sub(bytes)?,
            results: self.results.checked_sub(results)?,
        })
    }
}

/// Who was served last, and who took more than its turn.
#[derive(Debug)]
pub(super) struct Turns {
    last: Option<Author>,
    /// Octets beyond their turns that authors with something queued took.
    debts: BTreeMap<Author, usize>,
}

impl Turns {
    /// Before the first turn.
    pub(super) const fn new() -> Self {
        Self {
            last: None,
            debts: BTreeMap::new(),
        }
    }

    /// The author after the one served last that has something queued and is not done, and the octets that it may take
    /// now: none while it makes up for earlier ones.
    pub(super) fn next<Q>(
        &mut self,
        queues: &BTreeMap<Author, Q>,
        done: &BTreeSet<Author>,
    ) -> Option<(Author, usize)> {
        let open = |author: &&Author| !done.contains(author);
        let after = self.last.and_then(|last| {
            let behind = queues.range((Excluded(last), Unbounded));
            behind.map(|(author, _)| author).find(open)
        });
        let author = *after.or_else(|| queues.keys().find(open))?;
        self.last = Some(author);
        Some((author, self.begin(&author)))
    }

    /// Begins an author's turn.
    fn begin(&mut self, author: &Author) -> usize {
        let Some(debt) = self.debts.get_mut(author) else {
            return TURN_BYTES;
        };
        let turn = TURN_BYTES.saturating_sub(*debt);
        *debt = debt.saturating_sub(TURN_BYTES);
        if *debt == 0 {
            self.debts.remove(author);
        }
        turn
    }

    /// An author took this much beyond its turn.
    pub(super) fn charge(&mut self, author: Author, debt: usize) {
        if debt > 0 {
            self.debts.insert(author, debt);
        }
    }

    /// An author has nothing queued any more. It keeps nobody waiting, and owes nothing.
    pub(super) fn forget(&mut self, author: &Author) {
        self.debts.remove(author);
    }
}
