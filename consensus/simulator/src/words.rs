//! Inputs and effects in words, as transcripts and traces show them.

use std::collections::BTreeMap;

use consensus::{
    CommitCertificate, Digest, Effect, Frame, Input, Members, NewView, OpenSlot, Order, PrePrepare,
    PreparedCertificate, Record, ReplicaId, Signed, StableProof, Status, Timer, ViewChange, Votes,
};

/// Names of members, by their places.
const PEOPLE: [&str; 31] = [
    "Ann", "Bob", "Cyd", "Dan", "Eve", "Fay", "Gus", "Hal", "Ida", "Jon", "Kay", "Leo", "Mia",
    "Ned", "Ola", "Pam", "Quy", "Ray", "Sue", "Tom", "Uma", "Val", "Wim", "Xia", "Yan", "Zoe",
    "Abe", "Bea", "Cal", "Dot", "Eli",
];

/// Names of batches, headers and members.
#[derive(Clone, Debug, Default)]
pub struct Names {
    /// Batches and headers that have a name.
    digests: BTreeMap<Digest, String>,
    /// Whether members go by first names, and digests without a name by their first bytes.
    familiar: bool,
}

impl Names {
    /// Members by first names, digests by their first bytes.
    pub fn familiar() -> Self {
        Self {
            familiar: true,
            ..Self::default()
        }
    }

    /// Gives a digest a name.
    pub fn name(&mut self, digest: Digest, name: String) {
        self.digests.insert(digest, name);
    }

    /// The name of a digest.
    fn of(&self, digest: Digest) -> String {
        if digest == Digest::NULL {
            return "null".to_owned();
        }
        let stranger = || {
            if self.familiar {
                short(digest)
            } else {
                "?".to_owned()
            }
        };
        self.digests.get(&digest).cloned().unwrap_or_else(stranger)
    }

    /// The name of a member.
    pub fn member(&self, member: ReplicaId) -> String {
        match PEOPLE.get(usize::from(member.get())) {
            Some(name) if self.familiar => (*name).to_owned(),
            _ => format!("{member:?}"),
        }
    }

    /// Members in one word each.
    fn list(&self, members: impl IntoIterator<Item = ReplicaId>) -> String {
        let words: Vec<String> = members.into_iter().map(|one| self.member(one)).collect();
        if words.is_empty() {
            "none".to_owned()
        } else {
            words.join(" ")
        }
    }

    /// Those who signed a certificate.
    fn signers(&self, votes: &Votes) -> String {
        self.list(votes.iter().map(|vote| vote.0))
    }

    /// A set of members.
    fn members(&self, set: Members) -> String {
        self.list(set.iter())
    }

    /// One input in one line.
    pub fn input(&self, input: &Input) -> String {
        match input {
            Input::Message(_) => "a message".to_owned(),
            Input::Batch(batch) => {
                format!("a batch to propose: {}", self.of(batch.batch().digest()))
            }
            Input::Executed { seq, header, .. } => {
                format!("executed {seq:?}, header {}", self.of(*header))
            }
            Input::Status { .. } => "a STATUS".to_owned(),
            Input::Fetched(block) => format!("block {:?} from a peer", block.seq()),
            Input::Expired(timer) => format!("the {} timer ran out", timer_name(*timer)),
            Input::Reconnected(peer) => format!("connected to {}", self.member(*peer)),
            Input::Pending(pending) => match pending.oldest {
                Some(oldest) => format!("waits for transaction {oldest} of its pool"),
                None => "its pool is empty".to_owned(),
            },
            Input::Overtaken => "a member speaks in a later epoch".to_owned(),
        }
    }

    /// One effect in one line.
    pub fn effect(&self, effect: &Effect) -> String {
        match effect {
            Effect::Persist(record) => format!("persist {}", self.record(record)),
            Effect::Broadcast(frame) => format!("broadcast {}", self.frame(frame)),
            Effect::Send(to, frame) => format!("send {} {}", self.member(*to), self.frame(frame)),
            Effect::Execute(committed) => {
                let by = match &committed.proof {
                    Order::Commits(proof) => format!("committed in v{}", proof.view),
                    Order::Block(proof) => format!("certified as {}", self.of(proof.header)),
                };
                let batch = self.of(committed.batch.digest());
                format!("execute {:?} {batch}, {by}", committed.seq)
            }
            Effect::Certified(proof) => {
                let by = self.signers(&proof.checkpoints);
                let header = self.of(proof.header);
                format!("certified {:?} {header} by {by}", proof.seq)
            }
            Effect::Fetch { from, to } => format!("fetch {from:?}..{to:?}"),
            Effect::Arm(timer, after) => format!("arm {} {after:?}", timer_name(*timer)),
            Effect::Disarm(timer) => format!("disarm {}", timer_name(*timer)),
            Effect::Dropped(batch) => format!("dropped {}", self.of(batch.digest())),
            Effect::Forward(to) => {
                format!("forward the oldest transaction to {}", self.member(*to))
            }
            Effect::Evidence(evidence) => format!(
                "evidence against {}: {:?} {} and {:?} {} at {:?} {:?}",
                self.member(evidence.member),
                evidence.first.kind,
                self.of(evidence.first.digest),
                evidence.second.kind,
                self.of(evidence.second.digest),
                evidence.view,
                evidence.seq,
            ),
            Effect::Diverged(divergence) => format!(
                "diverged at {:?}: own {}, certified {}",
                divergence.seq,
                self.of(divergence.own),
                self.of(divergence.certified)
            ),
        }
    }

    /// A record.
    fn record(&self, record: &Record) -> String {
        match record {
            Record::Key { .. } => "KEY".to_owned(),
            Record::Birth { first_epoch, .. } => format!("BIRTH {first_epoch:?}"),
            Record::Accepted {
                pre_prepare,
                batch,
                prepare,
            } => {
                let body = pre_prepare.body;
                let with = also(batch.is_some(), " with its batch");
                let own = also(prepare.is_some(), " and own PREPARE");
                let named = self.of(body.digest);
                format!("accepted {:?} {:?} {named}{with}{own}", body.view, body.seq)
            }
            Record::Prepared {
                certificate,
                commit,
            } => {
                let own = also(commit.is_some(), " and own COMMIT");
                format!("prepared {}{own}", self.prepared(certificate))
            }
            Record::Committed { certificate, batch } => {
                let with = also(batch.is_some(), " with its batch");
                format!("committed {}{with}", self.committed(certificate))
            }
            Record::CaughtUp { certificate, .. } => {
                format!(
                    "caught up {:?} {}",
                    certificate.seq,
                    self.of(certificate.header)
                )
            }
            Record::Checkpoint { own } => {
                format!(
                    "own CHECKPOINT {:?} {}",
                    own.body.seq,
                    self.of(own.body.header)
                )
            }
            Record::Stable { certificate } => {
                format!(
                    "stable {:?} {}",
                    certificate.seq,
                    self.of(certificate.header)
                )
            }
            Record::ViewChange(own) => self.view_change(own),
            Record::NewView(one) => self.new_view(one),
        }
    }

    /// A prepared certificate and who signed it.
    fn prepared(&self, proof: &PreparedCertificate) -> String {
        let (named, by) = (self.of(proof.digest), self.signers(&proof.prepares));
        format!("{:?} {:?} {named} by {by}", proof.view, proof.seq)
    }

    /// A commit certificate and who signed it.
    fn committed(&self, proof: &CommitCertificate) -> String {
        let (named, by) = (self.of(proof.digest), self.signers(&proof.commits));
        format!("{:?} {:?} {named} by {by}", proof.view, proof.seq)
    }

    /// A frame.
    pub fn frame(&self, frame: &Frame) -> String {
        match frame {
            Frame::PrePrepare(one, _) => {
                let PrePrepare { view, seq, digest } = one.body;
                format!("PRE-PREPARE {view:?} {seq:?} {}", self.of(digest))
            }
            Frame::Prepare(one) => {
                let (body, from) = (one.body, self.member(one.from));
                let named = self.of(body.digest);
                format!("PREPARE {:?} {:?} {named} of {from}", body.view, body.seq)
            }
            Frame::Commit(one) => {
                let (body, from) = (one.body, self.member(one.from));
                let named = self.of(body.digest);
                format!("COMMIT {:?} {:?} {named} of {from}", body.view, body.seq)
            }
            Frame::Checkpoint(one) => {
                let (header, from) = (self.of(one.body.header), self.member(one.from));
                format!("CHECKPOINT {:?} {header} of {from}", one.body.seq)
            }
            Frame::ViewChange(one) => self.view_change(one),
            Frame::NewView(one) => self.new_view(one),
            Frame::Prepared(one) => {
                let named = self.of(one.digest);
                format!("prepared certificate {:?} {:?} {named}", one.view, one.seq)
            }
            Frame::Committed(one) => {
                let named = self.of(one.digest);
                format!("commit certificate {:?} {:?} {named}", one.view, one.seq)
            }
            Frame::Stable(one) => {
                format!(
                    "checkpoint certificate {:?} {}",
                    one.seq,
                    self.of(one.header)
                )
            }
            Frame::Batch(one) => format!("batch {}", self.of(one.digest())),
            Frame::Status(one) => self.status(one),
        }
    }

    /// A VIEW-CHANGE with what it has prepared.
    fn view_change(&self, one: &Signed<ViewChange>) -> String {
        let body = one.body.body();
        let stable = match &body.stable {
            StableProof::Origin(seq) => format!("origin {seq:?}"),
            StableProof::Certified(proof) => format!("stable {:?}", proof.seq),
        };
        let prepared = body.prepared.iter();
        let prepared: Vec<String> = prepared
            .map(|proof| format!("{:?} {} {:?}", proof.seq, self.of(proof.digest), proof.view))
            .collect();
        let prepared = prepared.join(", ");
        format!(
            "VIEW-CHANGE {:?} of {}, {stable}, prepared [{prepared}]",
            body.view,
            self.member(one.from)
        )
    }

    /// A NEW-VIEW with what it proposes again.
    fn new_view(&self, one: &Signed<NewView>) -> String {
        let body = one.body.body();
        let of = self.list(body.view_changes.iter().map(|change| change.from));
        let again = body.pre_prepares.iter();
        let again: Vec<String> = again
            .map(|one| format!("{:?} {}", one.body.seq, self.of(one.body.digest)))
            .collect();
        let again = again.join(", ");
        format!("NEW-VIEW {:?} from {of}, proposes [{again}]", body.view)
    }

    /// A STATUS.
    fn status(&self, one: &Status) -> String {
        let phase = if one.active { "in" } else { "wants" };
        let open: Vec<String> = one.open.iter().map(|slot| self.open(slot)).collect();
        let mut words = vec![format!(
            "STATUS {phase} {:?}, certified {:?}, executed {:?}",
            one.view, one.stable, one.executed
        )];
        if !open.is_empty() {
            words.push(format!(", open [{}]", open.join("; ")));
        }
        if !one.active {
            words.push(format!(
                ", has VIEW-CHANGEs of {}",
                self.members(one.view_changes)
            ));
        }
        for (seq, held) in &one.checkpoints {
            words.push(format!(", CHECKPOINTs {seq:?} of {}", self.members(*held)));
        }
        words.concat()
    }

    /// An open sequence number in a STATUS.
    fn open(&self, slot: &OpenSlot) -> String {
        let mut words = vec![format!("{:?}", slot.seq)];
        if let Some(digest) = slot.lacks_batch {
            words.push(format!(" lacks batch {}", self.of(digest)));
        }
        if !slot.pre_prepare {
            words.push(" no proposal".to_owned());
        }
        if slot.committed {
            words.push(" committed".to_owned());
        } else if slot.prepared {
            words.push(format!(
                " prepared, COMMITs of {}",
                self.members(slot.commits)
            ));
        } else {
            words.push(format!(" PREPAREs of {}", self.members(slot.prepares)));
        }
        words.concat()
    }
}

/// A timer's name.
const fn timer_name(timer: Timer) -> &'static str {
    match timer {
        Timer::Request => "request",
        Timer::Forward => "forward",
        Timer::NewView => "new-view",
        Timer::Status => "status",
        Timer::Heartbeat => "heartbeat",
    }
}

/// Words that are said only sometimes.
const fn also(said: bool, words: &str) -> &str {
    if said { words } else { "" }
}

/// The first bytes of a digest.
fn short(digest: Digest) -> String {
    let [first, second, third, ..] = digest.as_bytes();
    format!("{first:02x}{second:02x}{third:02x}")
}
