//! What must hold in every run, whatever happens.

use std::collections::{BTreeMap, BTreeSet};

use consensus::{CheckpointCertificate, Digest, Evidence, Frame, ReplicaId, Seq, View};

use crate::ledger::{Block, transactions};

/// A rule that a run has broken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Violation {
    /// Two honest members executed different blocks at one height.
    Disagreement {
        /// The height.
        seq: Seq,
    },
    /// A block holds a transaction that nobody submitted.
    Invented {
        /// The height.
        seq: Seq,
    },
    /// An honest member signed two things that contradict each other.
    Contradiction {
        /// The member.
        member: ReplicaId,
        /// The sequence number.
        seq: Seq,
    },
    /// A member that lost its votes signed something.
    ObserverSigned {
        /// The member.
        member: ReplicaId,
    },
    /// A certificate proves another header than the one that honest members executed.
    OtherCertificate {
        /// The height.
        seq: Seq,
    },
    /// An honest member was accused.
    Slander {
        /// The member.
        member: ReplicaId,
    },
    /// An honest member stopped because its result was not the certified one.
    Diverged {
        /// The member.
        member: ReplicaId,
    },
    /// A vote log could not be replayed.
    Unrecoverable {
        /// The member.
        member: ReplicaId,
    },
    /// A block that somebody was told is final is missing at an honest member in the end.
    Lost {
        /// The height.
        seq: Seq,
        /// The member that lacks it.
        member: ReplicaId,
    },
    /// After everything healed, not everything was executed in time.
    Stuck {
        /// A member that is not done.
        member: ReplicaId,
    },
}

/// Watches all members from outside.
#[derive(Debug, Default)]
pub struct Checkers {
    /// The header that an honest member first executed at each height.
    executed: BTreeMap<Seq, Digest>,
    /// Heights whose certificates somebody has seen.
    acknowledged: BTreeMap<Seq, Digest>,
    /// What each honest member voted for at each view and sequence number.
    votes: BTreeMap<(ReplicaId, View, Seq), Digest>,
    /// What each honest member said of each block.
    checkpoints: BTreeMap<(ReplicaId, Seq), Digest>,
    /// The members that are Byzantine.
    byzantine: BTreeSet<ReplicaId>,
    /// The first rule that was broken.
    violation: Option<Violation>,
}

impl Checkers {
    /// Checkers for a run in which these members are Byzantine.
    pub fn new(byzantine: impl IntoIterator<Item = ReplicaId>) -> Self {
        Self {
            byzantine: byzantine.into_iter().collect(),
            ..Self::default()
        }
    }

    /// Notes a broken rule; the first one counts.
    pub fn report(&mut self, violation: Violation) {
        self.violation.get_or_insert(violation);
    }

    /// The first rule that was broken.
    pub const fn violation(&self) -> Option<&Violation> {
        self.violation.as_ref()
    }

    /// Agreement and validity: an honest member has executed a block.
    pub fn executed(&mut self, seq: Seq, block: &Block, submitted: u64) {
        if *self.executed.entry(seq).or_insert(block.hash) != block.hash {
            self.report(Violation::Disagreement { seq });
        }
        if self
            .acknowledged
            .get(&seq)
            .is_some_and(|known| *known != block.hash)
        {
            self.report(Violation::OtherCertificate { seq });
        }
        if transactions(&block.batch)
            .iter()
            .any(|transaction| *transaction >= submitted)
        {
            self.report(Violation::Invented { seq });
        }
    }

    /// Certified prefix: an honest member holds a certificate.
    pub fn certified(&mut self, certificate: &CheckpointCertificate) {
        let (seq, header) = (certificate.seq, certificate.header);
        let agreed = *self.acknowledged.entry(seq).or_insert(header) == header;
        if !agreed
            || self
                .executed
                .get(&seq)
                .is_some_and(|known| *known != header)
        {
            self.report(Violation::OtherCertificate { seq });
        }
    }

    /// No contradiction: an honest member sends a frame to all.
    pub fn sent(&mut self, from: ReplicaId, observer: bool, frame: &Frame) {
        let (view, seq, digest, signer) = match frame {
            Frame::PrePrepare(one, _) => (one.body.view, one.body.seq, one.body.digest, one.from),
            Frame::Prepare(one) => (one.body.view, one.body.seq, one.body.digest, one.from),
            Frame::Commit(one) => (one.body.view, one.body.seq, one.body.digest, one.from),
            Frame::Checkpoint(one) => return self.checkpoint(from, observer, one),
            Frame::ViewChange(one) => return self.silence(observer && one.from == from, from),
            Frame::NewView(one) => {
                self.silence(observer && one.from == from, from);
                for proposal in &one.body.body().pre_prepares {
                    let body = proposal.body;
                    self.vote(proposal.from, body.view, body.seq, body.digest);
                }
                return;
            }
            Frame::Prepared(_)
            | Frame::Committed(_)
            | Frame::Stable(_)
            | Frame::Batch(_)
            | Frame::Status(_) => return,
        };
        if signer == from {
            self.silence(observer, from);
            self.vote(from, view, seq, digest);
        }
    }

    /// A vote of a member for a batch.
    fn vote(&mut self, member: ReplicaId, view: View, seq: Seq, digest: Digest) {
        if *self.votes.entry((member, view, seq)).or_insert(digest) != digest
            && !self.byzantine.contains(&member)
        {
            self.report(Violation::Contradiction { member, seq });
        }
    }

    /// A CHECKPOINT of a member.
    fn checkpoint(
        &mut self,
        from: ReplicaId,
        observer: bool,
        one: &consensus::Signed<consensus::Checkpoint>,
    ) {
        if one.from != from {
            return;
        }
        self.silence(observer, from);
        let (seq, header) = (one.body.seq, one.body.header);
        if *self.checkpoints.entry((from, seq)).or_insert(header) != header {
            self.report(Violation::Contradiction { member: from, seq });
        }
    }

    /// A member that lost its votes must not sign.
    fn silence(&mut self, broken: bool, member: ReplicaId) {
        if broken {
            self.report(Violation::ObserverSigned { member });
        }
    }

    /// Evidence must be of a Byzantine member.
    pub fn accused(&mut self, evidence: &Evidence) {
        if !self.byzantine.contains(&evidence.member) {
            self.report(Violation::Slander {
                member: evidence.member,
            });
        }
    }

    /// Durability: everything acknowledged is in the member's chain.
    pub fn keeps_everything(&mut self, member: ReplicaId, block: impl Fn(Seq) -> Option<Digest>) {
        let lost = self
            .acknowledged
            .iter()
            .find(|(seq, header)| block(**seq) != Some(**header));
        if let Some((seq, _)) = lost {
            let seq = *seq;
            self.report(Violation::Lost { seq, member });
        }
    }

    /// The highest block that was acknowledged.
    pub fn newest(&self) -> Seq {
        self.acknowledged
            .last_key_value()
            .map_or(Seq::ZERO, |(seq, _)| *seq)
    }

    /// How many heights have been acknowledged.
    pub fn height(&self) -> usize {
        self.acknowledged.len()
    }
}
