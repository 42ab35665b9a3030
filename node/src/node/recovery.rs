//! From the disk to a replica that stands where it stood: store, vote log, replica, in this order.

use std::sync::Arc;

use consensus::{
    CheckpointCertificate, Ed25519, Effect, Effects, Log, PublicKey, Record, RecoverError, Replica,
    Seq,
};
use contract::Height;
use tokio::sync::mpsc;
use tracing::{debug, info, warn};

use super::{NodeError, foundation::Foundation};
use crate::{
    clock::Clock,
    config::Config,
    executor::{Executor, Reply, Started},
    limits,
    mempool::{Mempool, Submitter},
    store::Opened,
    term::Term,
    votelog::{self, Loss, VoteLog},
};

/// Everything that was found again.
pub(super) struct Recovered {
    /// The executor over the store.
    pub(super) started: Started,
    /// What it says.
    pub(super) replies: mpsc::UnboundedReceiver<Reply>,
    /// The pool as the driver sees it.
    pub(super) pool: Mempool,
    /// The pool as everybody else sees it.
    pub(super) submitter: Submitter,
    /// What is submitted here, for the other members.
    pub(super) outgoing: mpsc::Receiver<Arc<[u8]>>,
    /// The vote log; none when votes were lost.
    pub(super) log: Option<VoteLog>,
    /// What the vote log holds.
    pub(super) records: Log,
    /// The epoch in which this node goes on, not seated yet.
    pub(super) term: Term,
    /// The replica.
    pub(super) replica: Replica<Ed25519>,
    /// What recovery brought about.
    pub(super) effects: Effects,
}

impl Recovered {
    /// Opens store and vote log of a home and recovers the replica.
    pub(super) fn from_disk(
        config: &Config,
        base: &Foundation,
        clock: Clock,
        rules: u64,
    ) -> Result<Self, NodeError> {
        let (outlet, outgoing) = mpsc::channel(limits::OUTLET);
        let (pool, submitter) = Mempool::new(Arc::clone(&base.genesis), clock, outlet);
        let (reply, replies) = mpsc::unbounded_channel();
        let replies_of = move |said| {
            if reply.send(said).is_err() {
                debug!("the driver has stopped");
            }
        };
        let genesis = Arc::clone(&base.genesis);
        let home = &config.home;
        let started = Executor::start_knowing(rules, home, genesis, pool.clone(), replies_of)?;
        started.executor.retain(config.retain)?;
        let (mut log, records) = open_log(config, base)?;
        say_opened(&started.opened, &records);
        let certificates = certificates(&records);
        let newest = started.ledger.certified().certificate.clone();
        let records = with_newest(records, newest);
        let term = present(base, &started, &certificates)?.known_to(rules)?;
        pool.enter(&term.rules);
        let setup = || term.setup(&base.keys);
        let recovered = Replica::recover(setup(), records.clone(), &started.newest, clock.now());
        let (replica, effects) = match recovered {
            Err(error @ RecoverError::BadRecord { .. }) => {
                warn!(event = "votes_lost", %error, "{}", OBSERVER);
                log = None;
                Replica::recover(setup(), Log::Damaged, &started.newest, clock.now())?
            }
            other => other?,
        };
        // With a result of its own that is not the certified one, nothing more is taken over from the log.
        let agrees = !effects.iter().any(|it| matches!(it, Effect::Diverged(_)));
        for certificate in certificates.into_iter().filter(|_| agrees) {
            started.executor.certify(certificate)?;
        }
        Ok(Self {
            started,
            replies,
            pool,
            submitter,
            outgoing,
            log,
            records,
            term,
            replica,
            effects,
        })
    }
}

/// What the loss of votes means.
const OBSERVER: &str =
    "this node signs nothing in this epoch; it follows the blocks that the others certify";

/// The epoch in which this node goes on: that of its newest block. After an epoch's last block it is the next one, but only
/// if that block and all that may have been under way with it are certified here; otherwise the old one has to certify them.
fn present(
    base: &Foundation,
    started: &Started,
    certificates: &[CheckpointCertificate],
) -> Result<Term, NodeError> {
    let ledger = &started.ledger;
    let top = ledger.executed();
    let next = Term::after(base.chain, &ledger.state_executed(top))?;
    let Some(below) = top.previous() else {
        return Ok(next);
    };
    // A snapshot brings no state from before its block, and leaves nothing under way below it.
    if next.origin.get() != top.get() || top <= ledger.base() {
        return Ok(next);
    }
    let old = Term::after(base.chain, &ledger.state_executed(below))?;
    let first = old
        .origin
        .max(Seq::new(top.get().saturating_sub(old.parameters().window)));
    for height in (first.get()..top.get()).map(|below| Height::new(below).next()) {
        let known = |one: &CheckpointCertificate| one.seq.get() == height.get();
        if !certificates.iter().any(known) && ledger.certificate(height)?.is_none() {
            return Ok(old);
        }
    }
    Ok(next)
}

/// Says in one line what became of the store.
fn say_opened(opened: &Opened, log: &Log) {
    match opened {
        Opened::Fresh if knows_blocks(log) => {
            warn!(
                event = "store_rebuilt",
                why = "it is missing",
                "the store is rebuilt from the vote log and from certified blocks of the others"
            );
        }
        Opened::Fresh => info!(event = "store_fresh", "the ledger begins here"),
        Opened::Intact(height) => info!(
            event = "store_intact",
            height = height.get(),
            "the store is whole"
        ),
        Opened::Rebuilt { why } => {
            warn!(event = "store_rebuilt", %why, "the store is rebuilt from the vote log and from certified blocks of the others");
        }
    }
}

/// Whether this member has voted on a block before: then a ledger once lay here.
fn knows_blocks(log: &Log) -> bool {
    matches!(log, Log::Whole(records) if records.iter().any(|record| record.seq().is_some()))
}

/// Opens the vote log, or says what its loss means.
fn open_log(config: &Config, base: &Foundation) -> Result<(Option<VoteLog>, Log), NodeError> {
    let key = PublicKey::new(*base.me.key.as_bytes());
    match VoteLog::open(&config.home, base.chain, key)? {
        votelog::Opened::Intact { log, records } => Ok((Some(*log), Log::Whole(records))),
        votelog::Opened::Lost(Loss::OtherChain) => Err(NodeError::ForeignLog {
            home: config.home.clone(),
        }),
        votelog::Opened::Lost(loss) => {
            warn!(event = "votes_lost", %loss, "{}", OBSERVER);
            Ok((None, Log::Damaged))
        }
    }
}

/// The certificates in a vote log: the store may lack those of its newest blocks.
fn certificates(log: &Log) -> Vec<CheckpointCertificate> {
    let Log::Whole(records) = log else {
        return Vec::new();
    };
    let certificate = |record: &Record| {
        if let Record::Stable { certificate } | Record::CaughtUp { certificate, .. } = record {
            Some(certificate.clone())
        } else {
            None
        }
    };
    records.iter().filter_map(certificate).collect()
}

/// The log, and behind it the store's newest certificate: after a snapshot, the log ends below it.
fn with_newest(log: Log, newest: Option<CheckpointCertificate>) -> Log {
    match (log, newest) {
        (Log::Whole(mut records), Some(certificate)) => {
            records.push(Record::Stable { certificate });
            Log::Whole(records)
        }
        (log, _) => log,
    }
}
