//! What is checked: how many members lie, which rule is taken out, and what follows from the messages.

use std::collections::BTreeSet;

use crate::world::{Batch, Change, Proof, World};

/// A rule of the protocol that can be taken out, to see that it is needed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rule {
    /// VIEW-CHANGE carries the prepared certificates.
    PreparedInViewChange,
    /// A quorum is ceil((n + f + 1) / 2), not one less.
    Quorum,
    /// A receiver computes NEW-VIEW again from the VIEW-CHANGEs in it.
    NewViewChecked,
    /// Of several certificates NEW-VIEW takes that of the highest view.
    HighestView,
    /// The certificates in a VIEW-CHANGE are verified.
    CertificatesChecked,
    /// A member finds its votes again after a crash.
    DurableVotes,
    /// A member finds its prepared certificates again after a crash.
    DurableCertificates,
}

impl Rule {
    /// All of them.
    pub const ALL: [Self; 7] = [
        Self::PreparedInViewChange,
        Self::Quorum,
        Self::NewViewChecked,
        Self::HighestView,
        Self::CertificatesChecked,
        Self::DurableVotes,
        Self::DurableCertificates,
    ];
}

/// One configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Setting {
    /// n.
    pub size: usize,
    /// How many of them are Byzantine; at most f.
    pub liars: usize,
    /// The rule that is taken out.
    pub without: Option<Rule>,
    /// Whether members execute, say CHECKPOINT and let what is stable go.
    pub checkpoints: bool,
    /// The primary of each view among the honest members, where names matter; else whoever acts first.
    pub primaries: Option<Vec<usize>>,
}

impl Setting {
    /// All rules, f Byzantine members.
    pub const fn of(size: usize) -> Self {
        Self {
            size,
            liars: consensus::faults(size),
            without: None,
            checkpoints: false,
            primaries: None,
        }
    }

    /// The same without a rule.
    #[must_use]
    pub fn without(self, rule: Rule) -> Self {
        Self {
            without: Some(rule),
            ..self
        }
    }

    /// The same with checkpoints.
    #[must_use]
    pub fn with_checkpoints(self) -> Self {
        Self {
            checkpoints: true,
            ..self
        }
    }

    /// Whether a rule holds.
    pub fn keeps(&self, rule: Rule) -> bool {
        self.without != Some(rule)
    }

    /// How many make a quorum.
    pub fn quorum(&self) -> usize {
        let quorum = consensus::quorum(self.size);
        if self.keeps(Rule::Quorum) {
            quorum
        } else {
            quorum - 1
        }
    }

    /// Whether the primary of a view has proposed this batch; a Byzantine one has proposed everything.
    pub fn proposed<const S: usize, const V: usize>(
        &self,
        world: &World<S, V>,
        (view, place): (usize, usize),
        batch: Batch,
    ) -> bool {
        let said = |life: &crate::Member<S, V>| life.proposals[view][place] == Some(batch);
        world.lies(view) || world.count(said) > 0
    }

    /// Whether a prepared certificate can be put together: the proposal, and quorum − 1 PREPAREs
    /// of backups. The PREPARE of a primary never counts.
    pub fn prepared<const S: usize, const V: usize>(
        &self,
        world: &World<S, V>,
        (view, place): (usize, usize),
        batch: Batch,
    ) -> bool {
        let said = |life: &crate::Member<S, V>| life.prepares[view][place] == Some(batch);
        let left = world.pool.prepares[view][place].get(batch.index());
        let lying_backups = self.liars - usize::from(world.lies(view));
        world.count(said) + many(left) + lying_backups + 1 >= self.quorum()
            && self.proposed(world, (view, place), batch)
    }

    /// Whether a commit certificate can be put together.
    pub fn committed<const S: usize, const V: usize>(
        &self,
        world: &World<S, V>,
        (view, place): (usize, usize),
        batch: Batch,
    ) -> bool {
        let said = |life: &crate::Member<S, V>| life.commits[view][place] == Some(batch);
        let left = world.pool.commits[view][place].get(batch.index());
        world.count(said) + many(left) + self.liars >= self.quorum()
    }

    /// Whether a checkpoint certificate of the first `stable` places can be put together.
    pub fn certified<const S: usize, const V: usize>(
        &self,
        world: &World<S, V>,
        stable: u8,
    ) -> bool {
        stable == 0 || world.count(|life| life.executed >= stable) + self.liars >= self.quorum()
    }

    /// The batches that are ordered at a place, with their views; two batches would be a fork.
    pub fn ordered<const S: usize, const V: usize>(
        &self,
        world: &World<S, V>,
        place: usize,
    ) -> impl Iterator<Item = (usize, Batch)> {
        // Without a liar among them a quorum of COMMITs has an honest one, whatever the batch is called.
        let named = world
            .members
            .iter()
            .filter(|_| self.primaries.is_some())
            .flat_map(move |member| {
                (0..V).filter_map(move |view| Some((view, member.commits[view][place]?)))
            });
        let all = (0..V).flat_map(|view| Batch::all::<S>().iter().map(move |batch| (view, *batch)));
        all.chain(named)
            .filter(move |(view, batch)| self.committed(world, (*view, place), *batch))
    }

    /// Whether a VIEW-CHANGE for a view may be signed by a liar: what it claims must be provable.
    pub fn provable<const S: usize, const V: usize>(
        &self,
        world: &World<S, V>,
        view: usize,
        change: &Change<S>,
    ) -> bool {
        let proofs = change.prepared.iter().enumerate();
        let proved = |(place, proof): (usize, &Option<Proof>)| {
            proof.is_none_or(|proof| {
                let at = (usize::from(proof.view), place);
                at.0 < view
                    && place >= usize::from(change.stable)
                    && self.prepared(world, at, proof.batch)
            })
        };
        self.certified(world, change.stable) && proofs.into_iter().all(proved)
    }

    /// What a NEW-VIEW makes of some VIEW-CHANGEs: the highest stable checkpoint, and everywhere the
    /// certificate of the highest view. Several answers only where that rule is taken out.
    pub fn merged<const S: usize>(&self, changes: &[Change<S>]) -> Vec<Change<S>> {
        let stable = changes.iter().map(|change| change.stable).max();
        let mut merged = vec![Change {
            stable: stable.unwrap_or(0),
            ..Change::default()
        }];
        for place in 0..S {
            let proofs = changes.iter().filter_map(|change| change.prepared[place]);
            let proofs: BTreeSet<Proof> = proofs.collect();
            let chosen: BTreeSet<Proof> = if self.keeps(Rule::HighestView) {
                proofs.last().copied().into_iter().collect()
            } else {
                proofs
            };
            if !chosen.is_empty() {
                let every = merged.iter().flat_map(|change| {
                    chosen.iter().map(move |proof| {
                        let mut change = *change;
                        change.prepared[place] = Some(*proof);
                        change
                    })
                });
                merged = every.collect();
            }
        }
        merged
    }

    /// Whether some VIEW-CHANGEs make a NEW-VIEW for a view, and what it comes to: a quorum of
    /// them, those of honest members as they said them, those of liars provable.
    pub fn justified<const S: usize, const V: usize>(
        &self,
        world: &World<S, V>,
        view: usize,
        changes: &[(Option<usize>, Change<S>)],
    ) -> Option<Change<S>> {
        let real = changes.iter().all(|(member, change)| match member {
            Some(member) => world.members[*member].changes[view].as_ref() == Some(change),
            None => self.provable(world, view, change),
        });
        let liars = changes.iter().filter(|(member, _)| member.is_none());
        let enough = changes.len() >= self.quorum() && liars.count() <= self.liars;
        let changes: Vec<Change<S>> = changes.iter().map(|(_, change)| *change).collect();
        self.merged(&changes)
            .first()
            .copied()
            .filter(|_| real && enough)
    }

    /// What NEW-VIEWs of a view can come to, over all quorums of VIEW-CHANGEs that exist.
    pub fn outcomes<const S: usize, const V: usize>(
        &self,
        world: &World<S, V>,
        view: usize,
    ) -> BTreeSet<Change<S>> {
        if world.lies(view) && !self.keeps(Rule::NewViewChecked) {
            return any_claim(view).into_iter().collect();
        }
        let mut said: Vec<Vec<Change<S>>> = world
            .members
            .iter()
            .map(|member| {
                let changes = member.lives().filter_map(|life| life.changes[view]);
                changes.collect()
            })
            .filter(|changes: &Vec<_>| !changes.is_empty())
            .collect();
        said.extend(world.pool.changes[view].iter().map(|change| vec![*change]));
        if said.len() + self.liars < self.quorum() {
            return BTreeSet::new();
        }
        let mut claims = any_claim(view);
        if self.keeps(Rule::CertificatesChecked) {
            claims.retain(|claim| self.provable(world, view, claim));
        }
        said.extend((0..self.liars).map(|_| claims.clone()));
        let mut outcomes = BTreeSet::new();
        self.choose(&said, &mut Vec::new(), &mut outcomes);
        outcomes
    }

    /// Goes through all ways to choose a quorum, one VIEW-CHANGE of each chosen member.
    fn choose<const S: usize>(
        &self,
        said: &[Vec<Change<S>>],
        chosen: &mut Vec<Change<S>>,
        outcomes: &mut BTreeSet<Change<S>>,
    ) {
        if chosen.len() == self.quorum() {
            outcomes.extend(self.merged(chosen));
            return;
        }
        let Some((first, rest)) = said.split_first() else {
            return;
        };
        if chosen.len() + said.len() < self.quorum() {
            return;
        }
        self.choose(rest, chosen, outcomes);
        for change in first {
            chosen.push(*change);
            self.choose(rest, chosen, outcomes);
            chosen.pop();
        }
    }
}

/// A count of the pool; batches that the model does not know have none there.
fn many(left: Option<&u8>) -> usize {
    left.copied().map_or(0, usize::from)
}

/// Everything that a VIEW-CHANGE for this view could claim.
fn any_claim<const S: usize>(view: usize) -> Vec<Change<S>> {
    let proofs = (0..view).flat_map(|view| {
        let view = u8::try_from(view).unwrap_or(u8::MAX);
        let batches = Batch::all::<S>().iter();
        batches.map(move |batch| {
            let batch = *batch;
            Some(Proof { view, batch })
        })
    });
    let proofs: Vec<Option<Proof>> = core::iter::once(None).chain(proofs).collect();
    let mut claims = vec![Change::default()];
    for place in 0..S {
        let every = claims.iter().flat_map(|claim| {
            proofs.iter().map(move |proof| {
                let mut claim = *claim;
                claim.prepared[place] = *proof;
                claim
            })
        });
        claims = every.collect();
    }
    let stables = 0..=u8::try_from(S).unwrap_or(u8::MAX);
    let every = stables.flat_map(|stable| {
        let claims = claims.iter();
        claims.map(move |claim| Change { stable, ..*claim }.trimmed())
    });
    let distinct: BTreeSet<Change<S>> = every.collect();
    distinct.into_iter().collect()
}
