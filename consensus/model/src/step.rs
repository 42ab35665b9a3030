//! The steps of an honest member: when each is allowed, and what it changes.

use crate::setting::{Rule, Setting};
use crate::world::{Batch, Change, Member, Proof, World};

/// What one member does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Action<const S: usize> {
    /// Which member.
    pub member: usize,
    /// What.
    pub step: Step<S>,
}

/// What a member can do. Places are sequence numbers, from 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step<const S: usize> {
    /// The primary says PRE-PREPARE.
    Propose {
        /// Where.
        place: usize,
        /// What.
        batch: Batch,
    },
    /// A backup says PREPARE.
    Prepare {
        /// Where.
        place: usize,
        /// What.
        batch: Batch,
    },
    /// A member holds a prepared certificate of its view, and says COMMIT.
    Certify {
        /// Where.
        place: usize,
        /// What.
        batch: Batch,
        /// Whether it says COMMIT; not if it voted for the other batch of an equivocating primary.
        commit: bool,
    },
    /// A member says VIEW-CHANGE.
    Leave {
        /// The view it asks for.
        view: usize,
    },
    /// The new primary says NEW-VIEW.
    Begin {
        /// Its view.
        view: usize,
        /// What its VIEW-CHANGEs come to.
        outcome: Change<S>,
    },
    /// A backup takes a NEW-VIEW.
    Enter {
        /// Its view.
        view: usize,
        /// What its VIEW-CHANGEs come to.
        outcome: Change<S>,
    },
    /// A member executes the next place and says CHECKPOINT.
    Execute,
    /// A member holds a checkpoint certificate.
    Settle {
        /// Of so many places.
        stable: u8,
    },
    /// A member loses something that should be durable; only where that rule is taken out.
    Crash,
}

impl Setting {
    /// Whether a member is the primary of a view. Where no names are given, whoever acts first is,
    /// and nobody is of two views: that covers every way to give names.
    pub fn leads<const S: usize, const V: usize>(
        &self,
        world: &World<S, V>,
        member: usize,
        view: usize,
    ) -> bool {
        if world.lies(view) {
            return false;
        }
        if let Some(primaries) = &self.primaries {
            return primaries.get(view) == Some(&member);
        }
        let taken = world.members.iter().any(|other| other.led(view));
        let busy = (0..V).any(|other| other != view && world.members[member].led(other));
        world.members[member].led(view) || !(taken || busy)
    }

    /// Whether the protocol allows a step. That the outcome of a NEW-VIEW follows from a quorum of
    /// VIEW-CHANGEs is not asked here: see [`Setting::outcomes`].
    pub fn allows<const S: usize, const V: usize>(
        &self,
        world: &World<S, V>,
        action: &Action<S>,
    ) -> bool {
        let member = &world.members[action.member];
        let view = usize::from(member.view);
        let open = |place: usize, batch: Batch| {
            member.active
                && place >= usize::from(member.knows.stable)
                && self.contradicts_no_execution(world, member, place, batch)
        };
        match action.step {
            Step::Propose { place, batch } => {
                open(place, batch)
                    && self.leads(world, action.member, view)
                    && member.own(place).is_none()
                    && batch != Batch::BAD
            }
            Step::Prepare { place, batch } => {
                open(place, batch) && self.may_prepare(world, member, place, batch)
            }
            Step::Certify {
                place,
                batch,
                commit,
            } => {
                let known = member.knows.prepared[place];
                let own = member.own(place);
                open(place, batch)
                    && known.is_none_or(|known| known.view != member.view)
                    && (!commit || own.is_none_or(|own| own == batch))
                    && self.prepared(world, (view, place), batch)
            }
            Step::Leave { view: target } => target > view && target < V,
            Step::Begin { view: target, .. } => {
                !member.active
                    && view == target
                    && member.began[view].is_none()
                    && self.leads(world, action.member, view)
            }
            Step::Enter {
                view: target,
                outcome,
            } => {
                let ahead = target > view || (target == view && !member.active);
                let begun = world
                    .members
                    .iter()
                    .flat_map(Member::lives)
                    .any(|life| life.began[target] == Some(outcome));
                ahead && !member.led(target) && (begun || world.lies(target))
            }
            Step::Execute => self.may_execute(world, member),
            Step::Settle { stable } => {
                stable > member.knows.stable && self.certified(world, stable)
            }
            Step::Crash => match self.without {
                Some(Rule::DurableVotes) => member.before.is_none(),
                Some(Rule::DurableCertificates) => {
                    member.knows.prepared.iter().any(Option::is_some)
                }
                _ => false,
            },
        }
    }

    /// Whether a backup that has not voted here finds the proposal valid: by its own check, or by the
    /// certificate that it holds or that its NEW-VIEW names.
    fn may_prepare<const S: usize, const V: usize>(
        &self,
        world: &World<S, V>,
        member: &Member<S, V>,
        place: usize,
        batch: Batch,
    ) -> bool {
        let view = usize::from(member.view);
        let again = member.entered.reproposal(place);
        let proved = member.knows.prepared[place].map(|proof| proof.batch);
        let valid = batch != Batch::BAD || again == Some(batch) || proved == Some(batch);
        valid
            && member.own(place).is_none()
            && again.is_none_or(|again| again == batch)
            && !member.led(view)
            && self.proposed(world, (view, place), batch)
    }

    /// Whether a member that has executed a place votes there for nothing else: its log proves the order.
    fn contradicts_no_execution<const S: usize, const V: usize>(
        &self,
        world: &World<S, V>,
        member: &Member<S, V>,
        place: usize,
        batch: Batch,
    ) -> bool {
        let mut views = 0..V;
        place >= usize::from(member.executed)
            || views.any(|view| self.committed(world, (view, place), batch))
    }

    /// Whether the next place of a member is ordered, or certified by others.
    fn may_execute<const S: usize, const V: usize>(
        &self,
        world: &World<S, V>,
        member: &Member<S, V>,
    ) -> bool {
        let place = usize::from(member.executed);
        place < S
            && (self.ordered(world, place).next().is_some()
                || self.certified(world, member.executed + 1))
    }

    /// Takes a step.
    pub fn apply<const S: usize, const V: usize>(
        &self,
        world: &mut World<S, V>,
        action: &Action<S>,
    ) {
        let member = &mut world.members[action.member];
        let view = usize::from(member.view);
        match action.step {
            Step::Propose { place, batch } => member.proposals[view][place] = Some(batch),
            Step::Prepare { place, batch } => member.prepares[view][place] = Some(batch),
            Step::Certify {
                place,
                batch,
                commit,
            } => {
                let view = member.view;
                member.knows.prepared[place] = Some(Proof { view, batch });
                if commit {
                    member.commits[usize::from(view)][place] = Some(batch);
                }
            }
            Step::Leave { view } => {
                member.view = narrow(view);
                member.active = false;
                member.entered = Change::default();
                let kept = self.keeps(Rule::PreparedInViewChange);
                let mut change = member.knows;
                if !kept {
                    change.prepared = [None; S];
                }
                member.changes[view] = Some(change);
            }
            Step::Begin { view, outcome } => {
                member.began[view] = Some(outcome);
                for place in 0..S {
                    member.proposals[view][place] = outcome.reproposal(place);
                }
                enter(member, view, outcome);
            }
            Step::Enter { view, outcome } => enter(member, view, outcome),
            Step::Execute => member.executed += 1,
            Step::Settle { stable } => {
                member.knows.stable = stable;
                member.knows = member.knows.trimmed();
            }
            Step::Crash if self.keeps(Rule::DurableVotes) => member.knows.prepared = [None; S],
            Step::Crash => {
                let before = core::mem::take(member);
                member.before = Some(Box::new(before));
            }
        }
    }

    /// Every step that some member can take.
    pub fn steps<const S: usize, const V: usize>(&self, world: &World<S, V>) -> Vec<Action<S>> {
        let mut steps = Vec::new();
        let outcomes: Vec<_> = (0..V).map(|view| self.new_views(world, view)).collect();
        for (member, local) in world.members.iter().enumerate() {
            // Members that are in the same state have the same steps: one of them is enough.
            if world.members[..member].contains(local) {
                continue;
            }
            let mut offer = |step| {
                let action = Action { member, step };
                if self.allows(world, &action) {
                    steps.push(action);
                }
            };
            for place in 0..S {
                for batch in Batch::all::<S>().iter().copied() {
                    if batch != Batch::NULL && follows(local, place) {
                        offer(Step::Propose { place, batch });
                    }
                    offer(Step::Prepare { place, batch });
                    let own = local.own(place);
                    offer(Step::Certify {
                        place,
                        batch,
                        commit: own.is_none_or(|own| own == batch),
                    });
                }
            }
            for (view, outcomes) in outcomes.iter().enumerate() {
                offer(Step::Leave { view });
                for outcome in outcomes {
                    let outcome = *outcome;
                    offer(Step::Begin { view, outcome });
                    offer(Step::Enter { view, outcome });
                }
            }
            if self.checkpoints {
                offer(Step::Execute);
                (1..=narrow(S)).for_each(|stable| offer(Step::Settle { stable }));
            }
            offer(Step::Crash);
        }
        steps
    }

    /// What NEW-VIEWs for a view can say: what its primary has said, if that is honest.
    fn new_views<const S: usize, const V: usize>(
        &self,
        world: &World<S, V>,
        view: usize,
    ) -> Vec<Change<S>> {
        let lives = world.members.iter().flat_map(Member::lives);
        let mut begun: Vec<Change<S>> = lives.filter_map(|life| life.began[view]).collect();
        if view > 0 && (begun.is_empty() || !self.keeps(Rule::DurableVotes)) {
            begun.extend(self.outcomes(world, view));
        }
        begun.sort_unstable();
        begun.dedup();
        begun
    }
}

/// A member is in a view, with the prepared certificates of its NEW-VIEW. The checkpoint in it is
/// taken over by a step of its own, between which and this one a crash may come.
fn enter<const S: usize, const V: usize>(
    member: &mut Member<S, V>,
    view: usize,
    outcome: Change<S>,
) {
    member.view = narrow(view);
    member.active = true;
    member.entered = outcome;
    for (known, proof) in member.knows.prepared.iter_mut().zip(outcome.prepared) {
        // None is less than any certificate, and a lower view than a higher one.
        if known.map(|known| known.view) < proof.map(|proof| proof.view) {
            *known = proof;
        }
    }
    member.knows = member.knows.trimmed();
}

/// Views and places are few.
fn narrow(number: usize) -> u8 {
    u8::try_from(number).unwrap_or(u8::MAX)
}

/// Whether everything below a place is settled or proposed. The search goes through proposals
/// in this order only, which reaches the same worlds; that a primary proposes out of order,
/// because it knows the places between to be ordered in another view, is no step of its own.
fn follows<const S: usize, const V: usize>(member: &Member<S, V>, place: usize) -> bool {
    let settled = usize::from(member.knows.stable.max(member.entered.stable));
    let proposed = member.proposals.get(usize::from(member.view));
    (settled..place).all(|below| proposed.is_some_and(|row| row[below].is_some()))
}
