//! What is left to take of a snapshot, in the order in which it is asked for.
//!
//! Hashes first, since blocks are checked against them; the state from the root down, the newest
//! branch first, so that the list stays short; blocks from the snapshot's down, until one lies
//! before the replay window.

use std::collections::{BTreeSet, VecDeque};

use contract::state::{StatePart, StatePath};
use contract::{HeaderHash, Height};

use super::NotTaken;
use crate::network::MemberIndex;
use crate::snapshot::proof::{Proved, Unproved};
use crate::snapshot::staging::{Name, Staging};
use crate::snapshot::wire::{Request, SEGMENT_HASHES, SPAN_BLOCKS};
use crate::store::StoreError;

/// One part to be taken.
#[derive(Debug, Clone)]
pub(super) struct Job {
    part: Part,
    shared: Shared,
    /// Whether it was looked for on the disk.
    pub(super) looked: bool,
    /// Members that do not have it.
    pub(super) avoid: BTreeSet<MemberIndex>,
}

/// What all jobs share.
#[derive(Debug, Clone)]
struct Shared {
    proved: std::sync::Arc<Proved>,
    staging: Staging,
}

/// What is to be taken.
#[derive(Debug, Clone)]
enum Part {
    /// Part of the header hashes.
    Hashes(u64),
    /// Part of the state, and the hash it must have.
    State(StatePath, [u8; 32]),
    /// Blocks, and the hash of each header.
    Blocks(Height, Vec<HeaderHash>),
}

/// What a part that was checked leads to.
#[derive(Debug)]
pub(super) struct Taken {
    /// Its length.
    bytes: u64,
    /// Parts of the state below it.
    below: Vec<(StatePath, [u8; 32])>,
    /// How many blocks it holds, and whether the lowest lies before the replay window.
    blocks: Option<(u64, bool)>,
}

/// All parts of a snapshot that are left.
#[derive(Debug)]
pub(super) struct Jobs {
    shared: Shared,
    waiting: VecDeque<Job>,
    /// Parts of the hashes that are on their way or waiting.
    hashes_left: usize,
    /// The highest block that was not asked for yet.
    next_block: Option<Height>,
    /// Whether a block before the replay window has come.
    bottom: bool,
    /// Parts of the hashes that were read last.
    segment: Option<(u64, Vec<u8>)>,
    used: BTreeSet<[u8; 32]>,
    taken: u64,
    bytes: u64,
}

impl Jobs {
    /// Everything.
    pub(super) fn new(proved: Proved, staging: Staging) -> Self {
        let shared = Shared {
            proved: std::sync::Arc::new(proved),
            staging,
        };
        let root = *shared.proved.header.state_root.as_bytes();
        let segments = shared.proved.manifest.segments.len();
        let mut jobs = Self {
            next_block: Some(shared.proved.height()),
            hashes_left: segments,
            shared,
            waiting: VecDeque::new(),
            bottom: false,
            segment: None,
            used: BTreeSet::new(),
            taken: 0,
            bytes: 0,
        };
        for segment in (0..u64::try_from(segments).unwrap_or(u64::MAX)).rev() {
            jobs.push(Part::Hashes(segment));
        }
        jobs.push(Part::State(StatePath::ROOT, root));
        jobs
    }

    /// Adds a part to the end of the list.
    fn push(&mut self, part: Part) {
        self.waiting.push_back(Job {
            part,
            shared: self.shared.clone(),
            looked: false,
            avoid: super::nobody(),
        });
    }

    /// The next part to take; none while nothing can be asked for.
    pub(super) fn next(&mut self) -> Result<Option<Job>, NotTaken> {
        if let Some(job) = self.waiting.pop_front() {
            return Ok(Some(job));
        }
        if self.hashes_left > 0 || self.bottom {
            return Ok(None);
        }
        let Some(last) = self.next_block else {
            return Ok(None);
        };
        let first = last.get().saturating_sub(SPAN_BLOCKS.saturating_sub(1));
        self.next_block = first.checked_sub(1).map(Height::new);
        self.push_blocks(Height::new(first), last)?;
        Ok(self.waiting.pop_front())
    }

    /// A part comes back to be asked for again.
    pub(super) fn again(&mut self, job: Job) {
        self.waiting.push_front(job);
    }

    /// Takes in what a part leads to.
    pub(super) fn done(&mut self, job: &Job, taken: Taken) {
        self.taken = self.taken.saturating_add(1);
        self.bytes = self.bytes.saturating_add(taken.bytes);
        match &job.part {
            Part::Hashes(_) => self.hashes_left = self.hashes_left.saturating_sub(1),
            Part::State(_, hash) => {
                self.used.insert(*hash);
                for (path, hash) in taken.below.into_iter().rev() {
                    self.push(Part::State(path, hash));
                    // The newest branch first.
                    if let Some(job) = self.waiting.pop_back() {
                        self.waiting.push_front(job);
                    }
                }
            }
            Part::Blocks(first, hashes) => {
                let (came, bottom) = taken.blocks.unwrap_or_default();
                self.bottom |= bottom;
                let rest = hashes
                    .iter()
                    .skip(usize::try_from(came).unwrap_or(usize::MAX));
                let rest: Vec<HeaderHash> = rest.copied().collect();
                if !rest.is_empty() {
                    let next = Height::new(first.get().saturating_add(came));
                    self.push(Part::Blocks(next, rest));
                }
            }
        }
    }

    /// Whether nothing is left to ask for.
    pub(super) fn is_done(&self) -> bool {
        let blocks = self.bottom || self.next_block.is_none();
        self.waiting.is_empty() && self.hashes_left == 0 && blocks
    }

    /// The parts of the state, by their hashes.
    pub(super) const fn used(&self) -> &BTreeSet<[u8; 32]> {
        &self.used
    }

    /// How many parts came, and how many bytes.
    pub(super) const fn progress(&self) -> (u64, u64) {
        (self.taken, self.bytes)
    }

    /// Asks for blocks whose hashes are on the disk.
    fn push_blocks(&mut self, first: Height, last: Height) -> Result<(), NotTaken> {
        let mut hashes = Vec::new();
        for at in (first.get()..=last.get()).map(Height::new) {
            hashes.push(self.hash(at)?);
        }
        self.push(Part::Blocks(first, hashes));
        Ok(())
    }

    /// The proved hash of the header at a height.
    fn hash(&mut self, at: Height) -> Result<HeaderHash, NotTaken> {
        let proved = &self.shared.proved;
        if at == proved.height() {
            return Ok(proved.hash);
        }
        let every = SEGMENT_HASHES as u64;
        let segment = at.get().checked_div(every).unwrap_or(0);
        if self
            .segment
            .as_ref()
            .is_none_or(|(known, _)| *known != segment)
        {
            let name = Name::Hashes(proved.height(), segment);
            let bytes = self.shared.staging.read(&name).unwrap_or_default();
            self.segment = Some((segment, bytes));
        }
        let place = at.get().checked_rem(every).unwrap_or(0);
        let place = usize::try_from(place).unwrap_or(usize::MAX);
        let (hashes, _) = self
            .segment
            .as_ref()
            .map_or(&[][..], |(_, bytes)| bytes)
            .as_chunks::<32>();
        let hash = hashes.get(place).copied().map(HeaderHash::new);
        hash.ok_or_else(|| StoreError::damaged(at).into())
    }
}

impl Job {
    /// What to ask a member.
    pub(super) fn request(&self) -> Request {
        let height = self.shared.proved.height();
        match &self.part {
            Part::Hashes(segment) => Request::Hashes(height, *segment),
            Part::State(path, _) => Request::State(height, path.clone()),
            Part::Blocks(first, hashes) => {
                let count = u64::try_from(hashes.len()).unwrap_or(u64::MAX);
                let last = first.get().saturating_add(count).saturating_sub(1);
                Request::Blocks(*first, Height::new(last))
            }
        }
    }

    /// The part from the disk, checked as an answer is; none if it is not there.
    pub(super) fn look(&self) -> Option<Result<Taken, Unproved>> {
        let bytes = self.shared.staging.read(&self.name())?;
        Some(self.check(&bytes))
    }

    /// Whether these bytes are the part.
    pub(super) fn check(&self, bytes: &[u8]) -> Result<Taken, Unproved> {
        let proved = &self.shared.proved;
        let mut taken = Taken {
            bytes: bytes.len() as u64,
            below: Vec::new(),
            blocks: None,
        };
        match &self.part {
            Part::Hashes(segment) => proved.check_hashes(*segment, bytes)?,
            Part::State(path, expected) => {
                if let StatePart::Split(limbs) = Proved::check_state(path, expected, bytes)? {
                    let below = limbs
                        .iter()
                        .map(|limb| (path.child(limb.nibble), limb.hash()));
                    taken.below = below.collect();
                }
            }
            Part::Blocks(first, hashes) => {
                let hash = |at: Height| {
                    let place = at.get().saturating_sub(first.get());
                    let place = usize::try_from(place).unwrap_or(usize::MAX);
                    hashes.get(place).copied()
                };
                let (blocks, lowest) = proved.check_blocks(*first, bytes, hash)?;
                let bottom = lowest.time < proved.since() || first.get() == 0;
                taken.blocks = Some((u64::try_from(blocks.len()).unwrap_or(0), bottom));
            }
        }
        Ok(taken)
    }

    /// Keeps the part on the disk.
    pub(super) fn keep(&self, bytes: &[u8]) -> Result<(), NotTaken> {
        Ok(self.shared.staging.keep(&self.name(), bytes)?)
    }

    /// Removes the part from the disk.
    pub(super) fn discard(&self) -> Result<(), NotTaken> {
        Ok(self.shared.staging.discard(&self.name())?)
    }

    /// What it is called on the disk.
    fn name(&self) -> Name {
        let height = self.shared.proved.height();
        match &self.part {
            Part::Hashes(segment) => Name::Hashes(height, *segment),
            Part::State(_, hash) => Name::State(*hash),
            Part::Blocks(first, _) => Name::Blocks(height, *first),
        }
    }
}
