//! One replica's host: its log, its blocks, its executor, and a tape of everything it was told.

use std::collections::{BTreeMap, VecDeque};

use consensus::{
    Batch, CertifiedBlock, CheckpointCertificate, Committed, Committee, Digest, Domain, Effect,
    Effects, EpochEnd, Explanation, Input, Log, Parameters, Record, Rejected, Replica, ReplicaId,
    Scheme as _, Seq, Setup, Time, Timer,
};
use simulator::{KeyedHash, SimulatedScheme as _};

/// What all hosts share.
#[derive(Debug)]
pub(super) struct World {
    /// The members.
    pub(super) committee: Committee<KeyedHash>,
    /// The replicas' parameters.
    pub(super) parameters: Parameters,
    /// The block that decides the epoch's end, if one does.
    pub(super) ending: Option<Seq>,
}

impl World {
    /// What the block at a height says of the epoch's end.
    fn end(&self, seq: Seq) -> Option<EpochEnd> {
        let decided = self.ending.filter(|ending| seq >= *ending)?;
        let last = decided.plus(self.parameters.window);
        let next = self.committee.keys().to_vec();
        (seq <= last).then_some(EpochEnd { last, next })
    }
}

/// One block on a disk.
#[derive(Clone, Debug)]
struct Block {
    /// The hash of its header.
    hash: Digest,
    /// The bytes of its header.
    header: Vec<u8>,
    /// Its batch.
    batch: Batch,
}

/// Where a life began.
#[derive(Clone, Debug)]
struct Birth {
    /// The log.
    log: Vec<Record>,
    /// Height and hash of the stored blocks.
    store: Vec<(Seq, Digest)>,
    /// E, if a stored block says it.
    end: Option<Seq>,
    /// When.
    now: Time,
    /// What came of it.
    effects: Effects,
}

/// A host.
#[derive(Debug)]
pub(super) struct Host {
    /// Its replica's place.
    pub(super) id: ReplicaId,
    /// The running replica.
    pub(super) replica: Option<Replica<KeyedHash>>,
    /// The vote log.
    log: Vec<Record>,
    /// The blocks from 1 on.
    chain: Vec<Block>,
    /// Below this height the log may have forgotten, so the store must not.
    floor: usize,
    /// Certificates by height.
    certificates: BTreeMap<Seq, CheckpointCertificate>,
    /// Batches that wait for the executor.
    orders: VecDeque<Committed>,
    /// When each timer runs out.
    pub(super) timers: BTreeMap<Timer, Time>,
    /// How this life began.
    birth: Option<Birth>,
    /// What it was told in this life, and what it answered.
    tape: Vec<(Time, Input, Result<Effects, Rejected>)>,
}

impl Host {
    /// A host with a fresh log.
    pub(super) fn new(id: ReplicaId, world: &World) -> Self {
        Self {
            id,
            replica: None,
            log: fresh(id, world),
            chain: Vec::new(),
            floor: 0,
            certificates: BTreeMap::new(),
            orders: VecDeque::new(),
            timers: BTreeMap::new(),
            birth: None,
            tape: Vec::new(),
        }
    }

    /// Starts the replica from the disk.
    pub(super) fn start(&mut self, now: Time, world: &World) -> Option<Effects> {
        let log: Option<Vec<Record>> = self
            .log
            .iter()
            .map(|record| Record::decode(&record.encode()).ok())
            .collect();
        let heights = (1..).map(Seq::new).zip(&self.chain);
        let store: Vec<(Seq, Digest)> = heights.map(|(seq, block)| (seq, block.hash)).collect();
        let newest = store.last().map_or(Seq::ZERO, |last| last.0);
        let end = world.end(newest).map(|end| end.last);
        let mut birth = Birth {
            log: log?,
            store,
            end,
            now,
            effects: Vec::new(),
        };
        let (replica, effects) = birth.give(self.id, world)?;
        birth.effects.clone_from(&effects);
        self.replica = Some(replica);
        self.birth = Some(birth);
        Some(effects)
    }

    /// Loses what is not on the disk, and up to so many of the blocks that the log has as well.
    pub(super) fn crash(&mut self, lost: usize) {
        self.replica = None;
        self.orders.clear();
        self.timers.clear();
        self.tape.clear();
        let kept = self.chain.len().saturating_sub(lost).max(self.floor);
        self.chain.truncate(kept);
    }

    /// Its log holds nothing any more, and does not tell.
    pub(super) fn forget(&mut self, world: &World) {
        self.log = fresh(self.id, world);
    }

    /// The vote log.
    pub(super) fn log(&self) -> &[Record] {
        &self.log
    }

    /// Whether a replica starts from this log and these blocks.
    pub(super) fn recovers(&self, log: Vec<Record>, world: &World) -> bool {
        let birth = self.birth.clone().map(|birth| Birth { log, ..birth });
        birth.is_some_and(|birth| birth.give(self.id, world).is_some())
    }

    /// Starts the log afresh with what the replica carries over.
    pub(super) fn roll(&mut self) {
        if let Some(replica) = &self.replica {
            self.log = replica.carry_over();
            self.floor = self.chain.len();
        }
    }

    /// Hands an input to the replica. On an error: whether nothing has changed.
    pub(super) fn step(&mut self, now: Time, input: Input) -> Option<Result<Effects, bool>> {
        let replica = self.replica.as_mut()?;
        let before = sight(replica, now);
        let answer = replica.step(now, input.clone());
        let told = match &answer {
            Ok(effects) => Ok(effects.clone()),
            Err(_) => Err(sight(replica, now) == before),
        };
        self.tape.push((now, input, answer));
        Some(told)
    }

    /// Performs one effect.
    pub(super) fn perform(&mut self, now: Time, effect: Effect) {
        match effect {
            Effect::Persist(record) => self.log.push(record),
            Effect::Execute(committed) => self.orders.push_back(committed),
            Effect::Certified(proof) => {
                self.certificates.insert(proof.seq, proof.into_inner());
            }
            Effect::Arm(timer, after) => {
                self.timers.insert(timer, now.after(after));
            }
            Effect::Disarm(timer) => {
                self.timers.remove(&timer);
            }
            _ => {}
        }
    }

    /// The next waiting batch is executed.
    pub(super) fn execute(&mut self, world: &World) -> Option<Input> {
        let order = self.orders.pop_front()?;
        let parent = self.chain.last().map_or(Digest::NULL, |block| block.hash);
        let mut header = parent.as_bytes().to_vec();
        header.extend_from_slice(order.batch.digest().as_bytes());
        let hash = Digest::of(Domain::Header, &header);
        self.chain.push(Block {
            hash,
            header,
            batch: order.batch,
        });
        Some(Input::Executed {
            seq: order.seq,
            header: hash,
            epoch_end: world.end(order.seq),
        })
    }

    /// Whether the executor has this one before it.
    pub(super) fn executes(&self, seq: Seq) -> bool {
        self.orders.front().is_some_and(|order| order.seq == seq)
    }

    /// How many blocks it has.
    pub(super) const fn height(&self) -> usize {
        self.chain.len()
    }

    /// A certified block as it serves it.
    pub(super) fn block(&self, at: usize, world: &World) -> Option<CertifiedBlock> {
        let Block { header, batch, .. } = self.chain.get(at)?.clone();
        let proof = self.certificates.get(&Seq::new(at as u64 + 1))?.clone();
        CertifiedBlock::verify(header, batch.digest(), batch, proof, &world.committee).ok()
    }

    /// How many records hold what the replica keeps.
    pub(super) fn kept(&self) -> usize {
        self.replica
            .as_ref()
            .map_or(0, |replica| replica.carry_over().len())
    }

    /// Whether this life, lived again, brings the very same.
    pub(super) fn repeats(&self, world: &World) -> bool {
        let (Some(birth), Some(_)) = (&self.birth, &self.replica) else {
            return true;
        };
        let Some((mut again, effects)) = birth.give(self.id, world) else {
            return false;
        };
        let same = |(now, input, answer): &(Time, Input, Result<Effects, Rejected>)| {
            again.step(*now, input.clone()) == *answer
        };
        effects == birth.effects && self.tape.iter().all(same)
    }
}

impl Birth {
    /// The replica that begins so.
    fn give(&self, id: ReplicaId, world: &World) -> Option<(Replica<KeyedHash>, Effects)> {
        let setup = Setup {
            committee: world.committee.clone(),
            key: KeyedHash::of_member(id.get()),
            parameters: world.parameters,
            origin: Seq::ZERO,
            end: self.end,
        };
        Replica::recover(setup, Log::Whole(self.log.clone()), &self.store, self.now).ok()
    }
}

/// The log of a member that has signed nothing.
fn fresh(id: ReplicaId, world: &World) -> Vec<Record> {
    let key = KeyedHash::of_member(id.get()).public();
    let (chain, first_epoch) = (world.committee.chain(), world.committee.epoch());
    vec![
        Record::Key { key },
        Record::Birth {
            chain,
            key,
            first_epoch,
        },
    ]
}

/// Everything that can be seen of a replica from outside.
fn sight(
    replica: &Replica<KeyedHash>,
    now: Time,
) -> (Explanation, Vec<Record>, Option<consensus::Want>) {
    (
        replica.explanation(now),
        replica.carry_over(),
        replica.wants_batch(),
    )
}
