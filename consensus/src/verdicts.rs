//! Signatures that were found valid, so that a node checks none of them twice.
//!
//! A vote comes by itself, in certificates of several members, in their VIEW-CHANGEs, and once more
//! in the NEW-VIEW that holds these. Among 31 members with 64 prepared places a view change would
//! be 70,000 checks at each of them, and its NEW-VIEW would come later than anybody waits for it.
//! Almost all of these signatures came before, and those of a VIEW-CHANGE or NEW-VIEW itself stand
//! for all that is in it: its statement names the whole body.

use core::fmt;
use std::collections::BTreeSet;

use crate::committee::ReplicaId;
use crate::signed::{Signature, Statement};

/// The most signatures of one member in each of two generations: those of all phases for two
/// windows, and more. A member that signs more pushes out its own alone.
const GENERATION_MAX: usize = 512;

/// The bytes that a signature covers.
pub(crate) type Stated = [u8; Statement::LENGTH];

/// Where a host keeps its [`Verdicts`], for the tasks that check signatures side by side.
///
/// It must answer yes only where the very same three were learned before, for the same committee:
/// whether a signature is valid stays a function of key, statement and signature.
pub trait Memory: fmt::Debug + Send + Sync {
    /// Whether this signature of this member over this statement is known to be valid, and with
    /// it everything that the statement names.
    fn knows(&self, member: ReplicaId, stated: &Stated, signature: &Signature) -> bool;

    /// This signature was found valid, and everything that its statement names.
    fn learn(&self, member: ReplicaId, stated: &Stated, signature: &Signature);
}

/// The newest valid signatures of one member, in two generations.
#[derive(Clone, Debug, Default)]
struct Generations {
    young: BTreeSet<(Signature, Stated)>,
    old: BTreeSet<(Signature, Stated)>,
}

/// Valid signatures of one committee's members; bounded, and the oldest are forgotten first.
#[derive(Clone, Default)]
pub struct Verdicts {
    /// By the members' places; as many as have signed something.
    members: Vec<Generations>,
}

impl Verdicts {
    /// Whether this signature was found valid and is not forgotten.
    pub fn contains(&self, member: ReplicaId, stated: &Stated, signature: &Signature) -> bool {
        let wanted = (*signature, *stated);
        let known = self.members.get(usize::from(member.get()));
        known.is_some_and(|known| known.young.contains(&wanted) || known.old.contains(&wanted))
    }

    /// Remembers a signature that was found valid, of a member of the committee.
    pub fn insert(&mut self, member: ReplicaId, stated: &Stated, signature: &Signature) {
        let place = usize::from(member.get());
        if self.members.len() <= place {
            let places = place.saturating_add(1);
            self.members.resize_with(places, Generations::default);
        }
        let Some(known) = self.members.get_mut(place) else {
            return;
        };
        if known.young.len() >= GENERATION_MAX {
            known.old = core::mem::take(&mut known.young);
        }
        known.young.insert((*signature, *stated));
    }
}

impl fmt::Debug for Verdicts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let count = |known: &Generations| known.young.len().saturating_add(known.old.len());
        write!(
            f,
            "{} signatures",
            self.members.iter().map(count).sum::<usize>()
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The `number`-th signature, over a statement that begins with this byte.
    fn signature(number: u64, stated: u8) -> (Stated, Signature) {
        let mut bytes = [0; 64];
        bytes[..8].copy_from_slice(&number.to_le_bytes());
        let mut statement = [7; Statement::LENGTH];
        statement[0] = stated;
        (statement, Signature::new(&bytes))
    }

    #[test]
    fn nothing_is_known_but_what_was_learned_of_this_member_over_this_statement() {
        let mut verdicts = Verdicts::default();
        let (stated, learned) = signature(1, 1);
        verdicts.insert(ReplicaId::new(3), &stated, &learned);

        let knows = |member, (stated, signature): (Stated, Signature)| {
            verdicts.contains(ReplicaId::new(member), &stated, &signature)
        };

        assert!(knows(3, signature(1, 1)));
        assert!(!knows(2, signature(1, 1)), "another member's");
        assert!(!knows(4, signature(1, 1)), "a member that signed nothing");
        assert!(!knows(3, signature(2, 1)), "another signature");
        assert!(!knows(3, signature(1, 2)), "another statement");
    }

    #[test]
    fn a_member_that_signs_without_end_pushes_out_its_own_signatures_alone() {
        let mut verdicts = Verdicts::default();
        let (calm, loud) = (ReplicaId::new(0), ReplicaId::new(1));
        for number in 0..10 {
            let (stated, signature) = signature(number, 0);
            verdicts.insert(calm, &stated, &signature);
        }

        let many = 3 * GENERATION_MAX as u64;
        for number in 0..many {
            let (stated, signature) = signature(number, 0);
            verdicts.insert(loud, &stated, &signature);
        }

        let known = |member, numbers: core::ops::Range<u64>| {
            let all = numbers.map(|number| signature(number, 0));
            all.filter(|(stated, one)| verdicts.contains(member, stated, one))
                .count()
        };
        assert_eq!(known(calm, 0..10), 10);
        let window = GENERATION_MAX as u64;
        assert_eq!(known(loud, many - window..many), GENERATION_MAX);
        assert!(known(loud, 0..many) <= 2 * GENERATION_MAX);
    }
}
