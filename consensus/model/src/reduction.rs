//! Fewer states that say the same: one representative for all states that nothing can tell apart.
//!
//! Three reductions, each of which keeps every behaviour: members are sorted, for names mean
//! nothing; A and B may be exchanged; and what is never read again is forgotten. The last is why
//! votes move to the [`Pool`] when their sender leaves the view, and why of a view that all honest
//! members have left only its certificates remain.
//!
//! [`Pool`]: crate::Pool

use crate::setting::{Rule, Setting};
use crate::world::{Batch, Change, Member, World};

/// More than any quorum needs.
const ENOUGH: u8 = 64;

impl Setting {
    /// The one state that stands for all that differ in nothing that matters.
    pub fn representative<const S: usize, const V: usize>(
        &self,
        mut world: World<S, V>,
    ) -> World<S, V> {
        // A member that forgets its votes says things twice, and they must count once.
        if self.keeps(Rule::DurableVotes) {
            pool(&mut world);
            for view in 0..V {
                self.freeze(&mut world, view);
            }
        }
        let mut other = world.clone();
        exchange(&mut other);
        for world in [&mut world, &mut other] {
            world.members.sort_unstable();
            world
                .pool
                .changes
                .iter_mut()
                .for_each(|changes| changes.sort_unstable());
        }
        world.min(other)
    }

    /// A view that all honest members have left: its certificates exist, or never will.
    fn freeze<const S: usize, const V: usize>(&self, world: &mut World<S, V>, view: usize) {
        let here = |member: &Member<S, V>| usize::from(member.view) == view;
        let above = |member: &Member<S, V>| usize::from(member.view) > view;
        let closed = |member: &Member<S, V>| above(member) || (here(member) && member.active);
        if !world.members.iter().all(closed) {
            return;
        }
        // Nobody begins or enters it any more.
        world.pool.changes[view].clear();
        let over = !world.members.iter().any(here);
        if !over {
            return;
        }
        for place in 0..S {
            for batch in Batch::all::<S>().iter().copied() {
                let prepared = self.prepared(world, (view, place), batch);
                let committed = self.committed(world, (view, place), batch);
                world.pool.prepares[view][place][batch.index()] = if prepared { ENOUGH } else { 0 };
                world.pool.commits[view][place][batch.index()] = if committed { ENOUGH } else { 0 };
            }
        }
        let proved =
            |place: usize, batch: Batch| world.pool.prepares[view][place][batch.index()] == ENOUGH;
        for member in &mut world.members {
            if member.led(view) {
                member.began[view] = Some(Change::default());
                for (place, proposal) in member.proposals[view].iter_mut().enumerate() {
                    *proposal = proposal.filter(|batch| proved(place, *batch));
                }
            }
        }
    }
}

/// Moves what was said in views that its sender has left to the pool, and every VIEW-CHANGE.
fn pool<const S: usize, const V: usize>(world: &mut World<S, V>) {
    for member in &mut world.members {
        let current = usize::from(member.view);
        for view in 0..current {
            for place in 0..S {
                if let Some(batch) = member.prepares[view][place].take() {
                    world.pool.prepares[view][place][batch.index()] += 1;
                }
                if let Some(batch) = member.commits[view][place].take() {
                    world.pool.commits[view][place][batch.index()] += 1;
                }
            }
        }
        for (view, change) in member.changes.iter_mut().enumerate() {
            world.pool.changes[view].extend(change.take());
        }
        // Nothing leads on from the last view. An invalid batch is remembered: it may be voted for.
        if current + 1 == V {
            for proof in &mut member.knows.prepared {
                *proof = proof.filter(|proof| proof.batch == Batch::BAD);
            }
        }
    }
}

/// The same world with A and B exchanged.
fn exchange<const S: usize, const V: usize>(world: &mut World<S, V>) {
    let counts = world
        .pool
        .prepares
        .iter_mut()
        .chain(&mut world.pool.commits);
    for counts in counts.flatten() {
        counts.swap(Batch::A.index(), Batch::B.index());
    }
    for change in world.pool.changes.iter_mut().flatten() {
        exchange_change(change);
    }
    world.members.iter_mut().for_each(exchange_member);
}

/// The same member with A and B exchanged.
fn exchange_member<const S: usize, const V: usize>(member: &mut Member<S, V>) {
    let votes = member
        .proposals
        .iter_mut()
        .chain(&mut member.prepares)
        .chain(&mut member.commits);
    for batch in votes.flatten().flatten() {
        *batch = batch.exchanged();
    }
    let changes = member
        .changes
        .iter_mut()
        .chain(&mut member.began)
        .flatten()
        .chain([&mut member.entered, &mut member.knows]);
    changes.for_each(exchange_change);
    if let Some(before) = &mut member.before {
        exchange_member(before);
    }
}

/// The same VIEW-CHANGE with A and B exchanged.
fn exchange_change<const S: usize>(change: &mut Change<S>) {
    for proof in change.prepared.iter_mut().flatten() {
        proof.batch = proof.batch.exchanged();
    }
}
