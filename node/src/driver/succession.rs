//! From one epoch to the next: a new replica for a new committee, over the same vote log, without a restart.

use std::{collections::BTreeSet, path::PathBuf, sync::Arc, sync::Mutex, sync::PoisonError};

use consensus::{
    CheckpointCertificate, Ed25519, Effects, Epoch, Log, PublicKey, Record, RecoverError, Replica,
    Time,
};
use contract::{Height, Outcome, TransactionHash};
use tokio::sync::watch;
use tracing::{info, warn};

use crate::{
    host::HostError,
    keys::Keys,
    ledger::Ledger,
    network::Network,
    term::Term,
    votelog::{self, VoteLog},
};

/// What each next replica is made from.
#[derive(Debug)]
pub struct Parts {
    /// Says who votes next.
    pub ledger: Ledger,
    /// Reaches them.
    pub network: Network,
    /// This node's keys.
    pub keys: Arc<Keys>,
    /// Where the vote log lies.
    pub home: PathBuf,
    /// The newest version of the ledger's rules that this software knows.
    pub rules: u64,
    /// What this process has asked for to get its vote back.
    pub claims: Claims,
    /// Tells everybody else.
    pub terms: watch::Sender<Arc<Term>>,
}

/// The Rejoins that this process has submitted: only one of them gives it its vote back, never one of an earlier life,
/// which may have voted after it.
#[derive(Clone, Debug, Default)]
pub struct Claims(Arc<Mutex<BTreeSet<TransactionHash>>>);

impl Claims {
    /// Notes a Rejoin, before it is submitted.
    pub fn add(&self, rejoin: TransactionHash) {
        let mut claims = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        claims.insert(rejoin);
    }

    /// All that were submitted.
    fn all(&self) -> BTreeSet<TransactionHash> {
        let claims = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        claims.clone()
    }
}

/// Makes the next replicas.
#[derive(Debug)]
pub struct Succession {
    parts: Parts,
    /// `Key` and `Birth` of the vote log.
    begin: Vec<Record>,
    /// Records of epochs after the running one, which the log held at the start.
    later: Vec<Record>,
}

/// A replica, and what its start brought about.
pub(super) type Next = (Replica<Ed25519>, Effects, Arc<Term>);

impl Succession {
    /// After the epoch of this term, whose replica has taken in this log.
    pub fn new(parts: Parts, epoch: Epoch, log: &Log) -> Self {
        let records = match log {
            Log::Whole(records) => records.as_slice(),
            Log::Damaged => &[],
        };
        let of = |wanted: &dyn Fn(&Record) -> bool| {
            let records = records.iter().filter(|record| wanted(record));
            records.cloned().collect()
        };
        Self {
            parts,
            begin: of(&|record| record.epoch().is_none()),
            later: of(&|record| record.epoch() > Some(epoch)),
        }
    }

    /// The running epoch.
    pub fn term(&self) -> Arc<Term> {
        Arc::clone(&self.parts.terms.borrow())
    }

    /// The newest certificate.
    pub(super) fn newest(&self) -> Option<CheckpointCertificate> {
        self.parts.ledger.certified().certificate.clone()
    }

    /// The replica of the epoch after the one that has ended here with this certificate.
    pub(super) fn next(
        &mut self,
        log: &mut Option<VoteLog>,
        ended: &CheckpointCertificate,
        now: Time,
    ) -> Result<Next, HostError> {
        let last = Height::new(ended.seq.get());
        let chain = self.term().committee.chain();
        let term = Term::after(chain, &self.parts.ledger.state_executed(last))?;
        let term = term.known_to(self.parts.rules)?;
        let term = Arc::new(term.seated(&self.parts.network));
        if log.is_none() {
            *log = self.reborn(ended, term.epoch())?;
        }
        let records = match log {
            Some(_) => self.records(ended),
            None => Log::Damaged,
        };
        let store = [(ended.seq, ended.header)];
        let recovered = Replica::recover(term.setup(&self.parts.keys), records, &store, now);
        let (replica, effects) = match recovered {
            Err(error @ RecoverError::BadRecord { .. }) => {
                warn!(event = "votes_lost", %error, "the vote log cannot be used in this epoch");
                *log = None;
                Replica::recover(term.setup(&self.parts.keys), Log::Damaged, &store, now)?
            }
            other => other?,
        };
        self.later
            .retain(|record| record.epoch() > Some(term.epoch()));
        info!(
            event = "epoch",
            epoch = term.epoch().get(),
            first = term.origin.next().get(),
            members = term.members.len(),
            standing = ?replica.standing(),
            "an epoch begins"
        );
        self.parts.terms.send_replace(Arc::clone(&term));
        Ok((replica, effects, term))
    }

    /// What the next replica takes in: whose log it is, how the last epoch ended, and what was voted later.
    fn records(&self, ended: &CheckpointCertificate) -> Log {
        let certificate = ended.clone();
        let ended = [Record::Stable { certificate }];
        let records = self.begin.iter().chain(&ended).chain(&self.later);
        Log::Whole(records.cloned().collect())
    }

    /// A new vote log, if a Rejoin of this very process is on the ledger in the epoch that has ended: this process has
    /// signed nothing since, and the next epoch began after it. Before that nothing is known of what was signed.
    fn reborn(
        &mut self,
        ended: &CheckpointCertificate,
        first_epoch: Epoch,
    ) -> Result<Option<VoteLog>, HostError> {
        let mut claims = self.parts.claims.all().into_iter();
        if !claims.any(|claim| self.was_granted(&claim, ended)) {
            return Ok(None);
        }
        let chain = self.term().committee.chain();
        let key = PublicKey::new(*self.parts.keys.member_public().as_bytes());
        votelog::renew(&self.parts.home, chain, key, first_epoch)?;
        match VoteLog::open(&self.parts.home, chain, key)? {
            votelog::Opened::Intact { log, records } => {
                info!(
                    event = "rejoined",
                    epoch = first_epoch.get(),
                    "this node votes again"
                );
                (self.begin, self.later) = (records, Vec::new());
                Ok(Some(*log))
            }
            votelog::Opened::Lost(loss) => {
                warn!(event = "votes_lost", %loss, "the new vote log cannot be used");
                Ok(None)
            }
        }
    }

    /// Whether a Rejoin ended the epoch that has ended.
    fn was_granted(&self, claim: &TransactionHash, ended: &CheckpointCertificate) -> bool {
        let ledger = &self.parts.ledger;
        let Ok(Some(located)) = ledger.transaction(claim) else {
            return false;
        };
        let header = ledger.header(located.height).ok().flatten();
        let same = header.is_some_and(|header| header.epoch.get() == ended.epoch.get());
        same && located.height.get() <= ended.seq.get()
            && matches!(located.outcome, Outcome::Done(_))
    }
}
