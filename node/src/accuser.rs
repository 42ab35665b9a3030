//! Tells the ledger of contradictions that this node has seen, as transactions of this member.

use std::{collections::BTreeMap, sync::Arc};

use consensus::Evidence;
use contract::{Author, Blob, BlockTime, Call, Transaction, limits::EVIDENCE_PER_MEMBER_MAX};
use tokio::sync::{mpsc, watch};
use tracing::{debug, info, warn};

use crate::{clock::Clock, keys::Keys, limits, mempool::Submitter, term::Terms};

/// For how long an accusation is valid, in milliseconds of block time.
const VALID_MS: u64 = 60_000;

/// Takes what the replica found; never makes it wait.
#[derive(Clone, Debug)]
pub struct Accuser(mpsc::Sender<Evidence>);

impl Accuser {
    /// Hands over a contradiction. One more than the queue holds is dropped: it proves nothing that the others do not.
    pub fn accuse(&self, evidence: Evidence) {
        if self.0.try_send(evidence).is_err() {
            warn!(event = "evidence_dropped", "too much evidence at once");
        }
    }
}

/// What accusing needs.
#[derive(Debug)]
pub struct Clerk {
    /// Takes what is accused, here and to the other members.
    pub submitter: Submitter,
    /// Signs.
    pub keys: Arc<Keys>,
    /// The clocks.
    pub clock: Clock,
    /// Who this node is in the running epoch.
    pub terms: Terms,
    /// The ledger's name.
    pub chain: contract::ChainId,
}

impl Clerk {
    /// Starts to take evidence; ends with the node.
    pub fn start(self, stopped: watch::Receiver<bool>) -> Accuser {
        let (sender, receiver) = mpsc::channel(limits::EVIDENCE_WAITING);
        tokio::spawn(self.run(receiver, stopped));
        Accuser(sender)
    }

    async fn run(self, mut receiver: mpsc::Receiver<Evidence>, mut stopped: watch::Receiver<bool>) {
        let mut told = BTreeMap::new();
        loop {
            let evidence = tokio::select! {
                evidence = receiver.recv() => evidence,
                _ = stopped.wait_for(|stop| *stop) => None,
            };
            let Some(evidence) = evidence else { return };
            // The ledger takes no more about one member in one epoch.
            let about = (evidence.epoch, evidence.member);
            let count: &mut u32 = told.entry(about).or_default();
            if *count < EVIDENCE_PER_MEMBER_MAX {
                *count = count.saturating_add(1);
                self.tell(&evidence).await;
            }
        }
    }

    /// Submits one accusation, if this node is a member.
    async fn tell(&self, evidence: &Evidence) {
        let key = self.keys.member_public();
        let author = {
            let term = self.terms.borrow();
            let mut members = term.members.iter();
            let own = members.find(|record| record.member.key == key);
            own.map(|record| Author::Member(record.server_id))
        };
        let mut salt = [0; 8];
        let (Some(author), Ok(())) = (author, getrandom::fill(&mut salt)) else {
            return;
        };
        let until = BlockTime::new(self.clock.wall_ms()).plus_ms(VALID_MS);
        let call = Call::Evidence(Blob::new(evidence.encode()));
        let signed =
            Transaction::new(self.chain, author, until, salt, call).sign(self.keys.member());
        match self.submitter.submit(signed.as_bytes().into()).await {
            Ok(_ticket) => info!(event = "evidence_submitted", ?evidence, "told the ledger"),
            Err(why) => debug!(%why, "the evidence was not taken"),
        }
    }
}
