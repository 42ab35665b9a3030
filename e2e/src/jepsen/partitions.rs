//! Who does not hear whom: the shapes in which networks break.

use std::collections::BTreeSet;

use super::lab::{Cut, MEMBERS};
use crate::dice::Dice;

/// A set of lost directions.
type Cuts = BTreeSet<Cut>;

/// The members in an order by chance.
fn shuffled(dice: &mut Dice) -> Vec<usize> {
    let mut left: Vec<usize> = (0..MEMBERS).collect();
    let mut order = Vec::new();
    while !left.is_empty() {
        order.push(left.swap_remove(place(dice, left.len())));
    }
    order
}

/// A place below a length.
fn place(dice: &mut Dice, length: usize) -> usize {
    let limit = u64::try_from(length).unwrap_or(1);
    usize::try_from(dice.below(limit)).unwrap_or_default()
}

/// Both directions between two members.
const fn both(one: usize, other: usize) -> [Cut; 2] {
    [(one, other), (other, one)]
}

/// Two and two: neither half has a quorum.
pub(super) fn halves(dice: &mut Dice) -> Cuts {
    let order = shuffled(dice);
    let (one, other) = order.split_at(MEMBERS / 2);
    one.iter()
        .flat_map(|a| other.iter().flat_map(move |b| both(*a, *b)))
        .collect()
}

/// A ring: each member hears its two neighbours, so that each sees a majority and no two the same one.
pub(super) fn ring(dice: &mut Dice) -> Cuts {
    let order = shuffled(dice);
    let opposite = order.iter().zip(order.iter().skip(MEMBERS / 2));
    opposite
        .flat_map(|(one, other)| both(*one, *other))
        .collect()
}

/// One member alone.
pub(super) fn isolated(victim: usize) -> Cuts {
    (0..MEMBERS)
        .filter(|other| *other != victim)
        .flat_map(|other| both(victim, other))
        .collect()
}

/// Some directions only: a member that hears nobody, or one that nobody hears, or any mixture.
pub(super) fn one_way(victim: usize, dice: &mut Dice) -> Cuts {
    let others = || (0..MEMBERS).filter(|other| *other != victim);
    match dice.below(3) {
        0 => others().map(|other| (other, victim)).collect(),
        1 => others().map(|other| (victim, other)).collect(),
        _ => (0..MEMBERS)
            .flat_map(|from| (0..MEMBERS).map(move |to| (from, to)))
            .filter(|(from, to)| from != to && dice.below(3) == 0)
            .collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Whom a member both hears and reaches.
    fn friends(cuts: &Cuts, member: usize) -> BTreeSet<usize> {
        (0..MEMBERS)
            .filter(|other| !cuts.contains(&(*other, member)) && !cuts.contains(&(member, *other)))
            .collect()
    }

    #[test]
    fn halves_leave_everybody_one_other() {
        for seed in 0..50 {
            let cuts = halves(&mut Dice::new(seed));
            assert!((0..MEMBERS).all(|member| friends(&cuts, member).len() == 2));
        }
    }

    #[test]
    fn in_a_ring_everybody_sees_a_majority_and_no_two_the_same() {
        for seed in 0..50 {
            let cuts = ring(&mut Dice::new(seed));
            let seen: BTreeSet<_> = (0..MEMBERS).map(|member| friends(&cuts, member)).collect();
            assert_eq!(seen.len(), MEMBERS);
            assert!(seen.iter().all(|friends| friends.len() == 3));
        }
    }

    #[test]
    fn an_isolated_member_is_alone_and_the_others_are_not_hurt() {
        let cuts = isolated(2);

        assert_eq!(friends(&cuts, 2), BTreeSet::from([2]));
        assert_eq!(friends(&cuts, 0), BTreeSet::from([0, 1, 3]));
    }

    #[test]
    fn one_way_cuts_are_sometimes_really_one_way() {
        let lopsided = |seed| {
            let cuts = one_way(1, &mut Dice::new(seed));
            cuts.iter().any(|(from, to)| !cuts.contains(&(*to, *from)))
        };

        assert!((0..50).filter(|seed| lopsided(*seed)).count() > 40);
    }
}
