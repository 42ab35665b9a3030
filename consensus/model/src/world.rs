//! The state of the model: what every honest member holds and has said, for ever.
//!
//! There is no network. What was said stays said, and anybody may have heard it or not: a step
//! asks whether the messages it needs *exist*. Loss, delay, duplication and reordering are all in
//! that. Byzantine members have no state: everything that their keys can sign exists from the start.

use core::num::NonZeroU16;

/// What is ordered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Batch(NonZeroU16);

impl Batch {
    /// Fills a gap.
    pub const NULL: Self = Self(NonZeroU16::MIN);
    /// A client's batch.
    pub const A: Self = Self(NonZeroU16::MIN.saturating_add(1));
    /// Another client's batch.
    pub const B: Self = Self(NonZeroU16::MIN.saturating_add(2));
    /// A batch that fails every honest member's vote-time check.
    pub const BAD: Self = Self(NonZeroU16::MIN.saturating_add(3));

    /// What the model knows. A single place has no gap, so there the null batch is left out.
    pub const fn all<const S: usize>() -> &'static [Self] {
        if S == 1 {
            &[Self::A, Self::B, Self::BAD]
        } else {
            &[Self::A, Self::B, Self::BAD, Self::NULL]
        }
    }

    /// A further batch, for runs that know more of them.
    pub fn numbered(number: usize) -> Option<Self> {
        let number = u16::try_from(number).ok()?.checked_add(5)?;
        NonZeroU16::new(number).map(Self)
    }

    /// Its place in [`Counts`]; for the model's own batches only.
    pub fn index(self) -> usize {
        usize::from(self.0.get()) - 1
    }

    /// A and B are alike: the same batch with their names exchanged.
    #[must_use]
    pub const fn exchanged(self) -> Self {
        match self.0.get() {
            2 => Self::B,
            3 => Self::A,
            _ => self,
        }
    }
}

/// What a prepared certificate proves.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Proof {
    /// The view it is of.
    pub view: u8,
    /// The batch.
    pub batch: Batch,
}

/// What a VIEW-CHANGE says, and what a NEW-VIEW makes of a quorum of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Change<const S: usize> {
    /// How many sequence numbers, from the first, are stable.
    pub stable: u8,
    /// The prepared certificate for each of the others.
    pub prepared: [Option<Proof>; S],
}

impl<const S: usize> Default for Change<S> {
    fn default() -> Self {
        Self {
            stable: 0,
            prepared: [None; S],
        }
    }
}

impl<const S: usize> Change<S> {
    /// What a NEW-VIEW with this outcome proposes again at a place: the prepared batch, the null
    /// batch in a gap, nothing above the highest prepared one.
    pub fn reproposal(&self, place: usize) -> Option<Batch> {
        if place < usize::from(self.stable) {
            return None;
        }
        let rest = self.prepared.get(place..)?;
        match rest.first()? {
            Some(proof) => Some(proof.batch),
            None => rest.iter().any(Option::is_some).then_some(Batch::NULL),
        }
    }

    /// Nothing is said of what is stable.
    #[must_use]
    pub fn trimmed(mut self) -> Self {
        let stable = usize::from(self.stable);
        self.prepared
            .iter_mut()
            .take(stable)
            .for_each(|proof| *proof = None);
        self
    }
}

/// What a member has said at each place of one view.
pub type Said<const S: usize> = [Option<Batch>; S];

/// One honest member.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Member<const S: usize, const V: usize> {
    /// The view it is in, or wants to enter.
    pub view: u8,
    /// Whether it is in the view.
    pub active: bool,
    /// What the NEW-VIEW of its view came to; nothing in view 0 and outside of a view.
    pub entered: Change<S>,
    /// How many places it knows to be stable, and the certificate of the highest view at the others.
    pub knows: Change<S>,
    /// How many places it has executed; it has said CHECKPOINT for each.
    pub executed: u8,
    /// Its PRE-PREPAREs by view, those in its NEW-VIEW included.
    pub proposals: [Said<S>; V],
    /// Its PREPAREs by view.
    pub prepares: [Said<S>; V],
    /// Its COMMITs by view.
    pub commits: [Said<S>; V],
    /// Its VIEW-CHANGEs by the view they ask for.
    pub changes: [Option<Change<S>>; V],
    /// Its NEW-VIEWs by view.
    pub began: [Option<Change<S>>; V],
    /// What it said before it lost its log; only where that rule is taken out.
    pub before: Option<Box<Self>>,
}

impl<const S: usize, const V: usize> Default for Member<S, V> {
    fn default() -> Self {
        Self {
            view: 0,
            active: true,
            entered: Change::default(),
            knows: Change::default(),
            executed: 0,
            proposals: [[None; S]; V],
            prepares: [[None; S]; V],
            commits: [[None; S]; V],
            changes: [None; V],
            began: [None; V],
            before: None,
        }
    }
}

impl<const S: usize, const V: usize> Member<S, V> {
    /// This member and what it was before it forgot.
    pub fn lives(&self) -> impl Iterator<Item = &Self> {
        core::iter::once(self).chain(self.before.as_deref())
    }

    /// Whether it has acted as the primary of a view.
    pub fn led(&self, view: usize) -> bool {
        self.lives().any(|life| {
            life.began[view].is_some() || life.proposals[view].iter().any(Option::is_some)
        })
    }

    /// The batch it voted for at a place of its view, whatever the phase.
    pub fn own(&self, place: usize) -> Option<Batch> {
        let view = usize::from(self.view);
        self.proposals[view][place]
            .or(self.prepares[view][place])
            .or(self.commits[view][place])
    }
}

/// How many members said each of the model's four batches.
pub type Counts = [u8; 4];

/// What was said by members that have since left the view it was said in. It counts as ever, but
/// who said it is never asked again, so the states need not tell.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Pool<const S: usize, const V: usize> {
    /// PREPAREs by view and place.
    pub prepares: [[Counts; S]; V],
    /// COMMITs by view and place.
    pub commits: [[Counts; S]; V],
    /// VIEW-CHANGEs by the view they ask for.
    pub changes: [Vec<Change<S>>; V],
}

impl<const S: usize, const V: usize> Default for Pool<S, V> {
    fn default() -> Self {
        Self {
            prepares: [[[0; 4]; S]; V],
            commits: [[[0; 4]; S]; V],
            changes: [const { Vec::new() }; V],
        }
    }
}

/// All of it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct World<const S: usize, const V: usize> {
    /// The views whose primaries are Byzantine, one bit each.
    pub lying: u64,
    /// The honest members. Which of them is the primary of a view shows when it acts as that.
    pub members: Vec<Member<S, V>>,
    /// What members have said in views that they have left.
    pub pool: Pool<S, V>,
}

impl<const S: usize, const V: usize> World<S, V> {
    /// The beginning.
    pub fn new(lying: u64, members: usize) -> Self {
        Self {
            lying,
            members: vec![Member::default(); members],
            pool: Pool::default(),
        }
    }

    /// Whether the primary of a view is Byzantine.
    pub const fn lies(&self, view: usize) -> bool {
        self.lying >> view & 1 == 1
    }

    /// How many members have said something in one of their lives.
    pub fn count(&self, said: impl Fn(&Member<S, V>) -> bool) -> usize {
        let saying = self
            .members
            .iter()
            .filter(|member| member.lives().any(&said));
        saying.count()
    }
}
