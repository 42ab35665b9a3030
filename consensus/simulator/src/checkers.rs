//! What must hold in every run, whatever happens.

use core::time::Duration;
use std::collections::{BTreeMap, BTreeSet};

use consensus::{
    CheckpointCertificate, Committee, Digest, Epoch, Evidence, Frame, Kind, ReplicaId, Scheme, Seq,
    Statement, Time, View, Vote,
};

use crate::ledger::{self, AHEAD_MAX_MS, Block, CHANGES, Term, transactions};
use crate::node::{Node, time_of_day};
use crate::scheme::SimulatedScheme;

/// How far ahead an honest clock may be, in milliseconds.
const SKEW_MAX_MS: u64 = 1_000;

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
    /// A block holds what no honest member may vote for.
    Unlawful {
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
    /// Somebody was accused of what he did not sign.
    FalseEvidence {
        /// The member.
        member: ReplicaId,
    },
    /// An honest node stopped because its result was not the certified one.
    Diverged {
        /// Whose node.
        member: u16,
    },
    /// A vote log could not be replayed.
    Unrecoverable {
        /// Whose log.
        member: u16,
    },
    /// A block that somebody was told is final is missing at an honest member in the end.
    Lost {
        /// The height.
        seq: Seq,
        /// Whose node lacks it.
        member: u16,
    },
    /// After everything healed, not everything was executed in time.
    Stuck {
        /// Whose node is not done.
        member: u16,
    },
    /// After a long loss of quorum the next block took too long.
    SlowRecovery {
        /// How long.
        after: Duration,
    },
    /// So much was on its way at once that answers must have called forth answers.
    Storm {
        /// When.
        at: Time,
    },
    /// Views rose while nobody reached a quorum.
    ViewsRace {
        /// How far.
        view: u64,
    },
}

/// A member of an epoch.
type Seat = (Epoch, ReplicaId);

/// Watches all members from outside.
#[derive(Debug, Default)]
pub struct Checkers {
    /// The header that an honest member first executed at each height.
    executed: BTreeMap<Seq, Digest>,
    /// Heights whose certificates somebody has seen.
    acknowledged: BTreeMap<Seq, Digest>,
    /// What each honest member voted for at each view and sequence number.
    votes: BTreeMap<(Seat, View, Seq), Digest>,
    /// What each honest member said of each block.
    checkpoints: BTreeMap<(Seat, Seq), Digest>,
    /// The members that are Byzantine.
    byzantine: BTreeSet<Seat>,
    /// The epochs whose members are known.
    known: BTreeSet<Epoch>,
    /// How often somebody was accused, rightly.
    accusations: usize,
    /// The first rule that was broken.
    violation: Option<Violation>,
}

impl Checkers {
    /// Notes who is Byzantine in an epoch.
    pub fn seats<S: SimulatedScheme>(&mut self, term: &Term, nodes: &[Node<S>]) {
        if !self.known.insert(term.epoch) {
            return;
        }
        for (place, key) in term.keys.iter().enumerate() {
            let seat = ReplicaId::new(place as u16);
            let mut theirs = nodes.iter().filter(|node| node.owns(*key));
            if theirs.any(|node| !node.is_honest()) {
                self.byzantine.insert((term.epoch, seat));
            }
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

    /// Agreement and validity: an honest member has executed a block. Submitted so far are
    /// ordinary transactions below a number, and others one by one.
    pub fn executed(&mut self, now: Time, seq: Seq, block: &Block, submitted: (u64, &[u64])) {
        if *self.executed.entry(seq).or_insert(block.hash) != block.hash {
            self.report(Violation::Disagreement { seq });
        }
        let acknowledged = self.acknowledged.get(&seq);
        if acknowledged.is_some_and(|known| *known != block.hash) {
            self.report(Violation::OtherCertificate { seq });
        }
        let latest = time_of_day(now) + AHEAD_MAX_MS + SKEW_MAX_MS;
        if !ledger::is_readable(&block.batch) || block.time_ms > latest {
            self.report(Violation::Unlawful { seq });
        }
        let sent = |one: &u64| (*one < CHANGES && *one < submitted.0) || submitted.1.contains(one);
        if !transactions(&block.batch).iter().all(sent) {
            self.report(Violation::Invented { seq });
        }
    }

    /// Certified prefix: an honest member holds a certificate.
    pub fn certified(&mut self, certificate: &CheckpointCertificate) {
        let (seq, header) = (certificate.seq, certificate.header);
        let agreed = *self.acknowledged.entry(seq).or_insert(header) == header;
        let executed = self.executed.get(&seq);
        if !agreed || executed.is_some_and(|known| *known != header) {
            self.report(Violation::OtherCertificate { seq });
        }
    }

    /// No contradiction: an honest node, a member or not, sends a frame to all.
    pub fn sent(
        &mut self,
        (epoch, seat): (Epoch, Option<ReplicaId>),
        observer: bool,
        frame: &Frame,
    ) {
        let (view, seq, digest, signer) = match frame {
            Frame::PrePrepare(one, _) => (one.body.view, one.body.seq, one.body.digest, one.from),
            Frame::Prepare(one) => (one.body.view, one.body.seq, one.body.digest, one.from),
            Frame::Commit(one) => (one.body.view, one.body.seq, one.body.digest, one.from),
            Frame::Checkpoint(one) => {
                if Some(one.from) == seat {
                    self.silence(observer, one.from);
                    self.checkpoint((epoch, one.from), one.body.seq, one.body.header);
                }
                return;
            }
            Frame::ViewChange(one) => {
                return self.silence(observer && Some(one.from) == seat, one.from);
            }
            Frame::NewView(one) => {
                self.silence(observer && Some(one.from) == seat, one.from);
                for proposal in &one.body.body().pre_prepares {
                    let body = proposal.body;
                    self.vote((epoch, proposal.from), body.view, body.seq, body.digest);
                }
                return;
            }
            Frame::Prepared(_)
            | Frame::Committed(_)
            | Frame::Stable(_)
            | Frame::Batch(_)
            | Frame::Status(_) => return,
        };
        if Some(signer) == seat {
            self.silence(observer, signer);
            self.vote((epoch, signer), view, seq, digest);
        }
    }

    /// A vote of a member for a batch.
    fn vote(&mut self, seat: Seat, view: View, seq: Seq, digest: Digest) {
        let same = *self.votes.entry((seat, view, seq)).or_insert(digest) == digest;
        if !same && !self.byzantine.contains(&seat) {
            let member = seat.1;
            self.report(Violation::Contradiction { member, seq });
        }
    }

    /// A CHECKPOINT of a member.
    fn checkpoint(&mut self, seat: Seat, seq: Seq, header: Digest) {
        if *self.checkpoints.entry((seat, seq)).or_insert(header) != header {
            let member = seat.1;
            self.report(Violation::Contradiction { member, seq });
        }
    }

    /// A member that lost its votes must not sign.
    fn silence(&mut self, broken: bool, member: ReplicaId) {
        if broken {
            self.report(Violation::ObserverSigned { member });
        }
    }

    /// Evidence must be of a Byzantine member, and of what it signed.
    pub fn accused<S: Scheme>(&mut self, evidence: &Evidence, committee: &Committee<S>) {
        let member = evidence.member;
        if !self.byzantine.contains(&(evidence.epoch, member)) {
            self.report(Violation::Slander { member });
        }
        let signed = |vote: &Vote| {
            let statement = Statement {
                chain: committee.chain(),
                epoch: evidence.epoch,
                kind: vote.kind,
                view: evidence.view,
                seq: evidence.seq,
                digest: vote.digest,
            };
            let key = committee.key(member);
            key.is_some_and(|key| S::verify(key, &statement.bytes(), &vote.signature))
        };
        let of_a_phase =
            |vote: &Vote| matches!(vote.kind, Kind::PrePrepare | Kind::Prepare | Kind::Commit);
        let (first, second) = (&evidence.first, &evidence.second);
        let differ = first.digest != second.digest;
        let mut both = [first, second].into_iter();
        if differ && both.all(|vote| signed(vote) && of_a_phase(vote)) {
            self.accusations += 1;
        } else {
            self.report(Violation::FalseEvidence { member });
        }
    }

    /// How often somebody was accused, rightly.
    pub const fn accusations(&self) -> usize {
        self.accusations
    }

    /// Durability: everything acknowledged is in a node's chain.
    pub fn keeps_everything(&mut self, member: u16, block: impl Fn(Seq) -> Option<Digest>) {
        let mut acknowledged = self.acknowledged.iter();
        let lost = acknowledged.find(|(seq, header)| block(**seq) != Some(**header));
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
