//! Effects in words, as transcripts show them.

use std::collections::BTreeMap;

use consensus::{
    Digest, Effect, Frame, Members, NewView, OpenSlot, Order, Record, ReplicaId, Signed,
    StableProof, Status, Timer, ViewChange,
};

/// Names of batches and headers.
#[derive(Debug, Default)]
pub(crate) struct Names(BTreeMap<Digest, String>);

impl Names {
    /// Gives a digest a name.
    pub(crate) fn name(&mut self, digest: Digest, name: String) {
        self.0.insert(digest, name);
    }

    /// The name of a digest.
    fn of(&self, digest: Digest) -> &str {
        let null = digest == Digest::NULL;
        if null {
            "null"
        } else {
            self.0.get(&digest).map_or("?", String::as_str)
        }
    }

    /// One effect in one line.
    pub(crate) fn effect(&self, effect: &Effect) -> String {
        match effect {
            Effect::Persist(record) => format!("persist {}", self.record(record)),
            Effect::Broadcast(frame) => format!("broadcast {}", self.frame(frame)),
            Effect::Send(to, frame) => format!("send {to:?} {}", self.frame(frame)),
            Effect::Execute(committed) => {
                let by = match &committed.proof {
                    Order::Commits(proof) => format!("committed in v{}", proof.view),
                    Order::Block(proof) => format!("certified as {}", self.of(proof.header)),
                };
                let batch = self.of(committed.batch.digest());
                format!("execute {:?} {batch}, {by}", committed.seq)
            }
            Effect::Certified(proof) => {
                let by: Vec<ReplicaId> = proof.checkpoints.iter().map(|vote| vote.0).collect();
                format!(
                    "certified {:?} {} by {}",
                    proof.seq,
                    self.of(proof.header),
                    list(&by)
                )
            }
            Effect::Fetch { from, to } => format!("fetch {from:?}..{to:?}"),
            Effect::Arm(timer, after) => format!("arm {} {after:?}", timer_name(*timer)),
            Effect::Disarm(timer) => format!("disarm {}", timer_name(*timer)),
            Effect::Dropped(batch) => format!("dropped {}", self.of(batch.digest())),
            Effect::Forward(to) => format!("forward the oldest transaction to {to:?}"),
            Effect::Evidence(evidence) => format!(
                "evidence against {:?}: {:?} {} and {:?} {} at {:?} {:?}",
                evidence.member,
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
            Record::Accepted { .. } | Record::Prepared { .. } | Record::Committed { .. } => {
                self.phase(record)
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

    /// A record of one of the three phases.
    fn phase(&self, record: &Record) -> String {
        match record {
            Record::Accepted {
                pre_prepare,
                batch,
                prepare,
            } => {
                let body = pre_prepare.body;
                let with = if batch.is_some() {
                    " with its batch"
                } else {
                    ""
                };
                let own = if prepare.is_some() {
                    " and own PREPARE"
                } else {
                    ""
                };
                let named = self.of(body.digest);
                format!("accepted {:?} {:?} {named}{with}{own}", body.view, body.seq)
            }
            Record::Prepared {
                certificate,
                commit,
            } => {
                let by: Vec<ReplicaId> = certificate.prepares.iter().map(|vote| vote.0).collect();
                let own = if commit.is_some() {
                    " and own COMMIT"
                } else {
                    ""
                };
                let named = self.of(certificate.digest);
                let at = (certificate.view, certificate.seq);
                format!(
                    "prepared {:?} {:?} {named} by {}{own}",
                    at.0,
                    at.1,
                    list(&by)
                )
            }
            Record::Committed { certificate, batch } => {
                let by: Vec<ReplicaId> = certificate.commits.iter().map(|vote| vote.0).collect();
                let with = if batch.is_some() {
                    " with its batch"
                } else {
                    ""
                };
                let named = self.of(certificate.digest);
                let at = (certificate.view, certificate.seq);
                format!(
                    "committed {:?} {:?} {named} by {}{with}",
                    at.0,
                    at.1,
                    list(&by)
                )
            }
            other => panic!("not of a phase: {other:?}"),
        }
    }

    /// A frame.
    pub(crate) fn frame(&self, frame: &Frame) -> String {
        match frame {
            Frame::PrePrepare(one, _) => {
                let body = one.body;
                format!(
                    "PRE-PREPARE {:?} {:?} {}",
                    body.view,
                    body.seq,
                    self.of(body.digest)
                )
            }
            Frame::Prepare(one) => {
                let body = one.body;
                let named = self.of(body.digest);
                format!(
                    "PREPARE {:?} {:?} {named} of {:?}",
                    body.view, body.seq, one.from
                )
            }
            Frame::Commit(one) => {
                let body = one.body;
                let named = self.of(body.digest);
                format!(
                    "COMMIT {:?} {:?} {named} of {:?}",
                    body.view, body.seq, one.from
                )
            }
            Frame::Checkpoint(one) => {
                let body = one.body;
                format!(
                    "CHECKPOINT {:?} {} of {:?}",
                    body.seq,
                    self.of(body.header),
                    one.from
                )
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
            "VIEW-CHANGE {:?} of {:?}, {stable}, prepared [{prepared}]",
            body.view, one.from
        )
    }

    /// A NEW-VIEW with what it proposes again.
    fn new_view(&self, one: &Signed<NewView>) -> String {
        let body = one.body.body();
        let of: Vec<ReplicaId> = body.view_changes.iter().map(|change| change.from).collect();
        let again = body.pre_prepares.iter();
        let again: Vec<String> = again
            .map(|one| format!("{:?} {}", one.body.seq, self.of(one.body.digest)))
            .collect();
        let again = again.join(", ");
        format!(
            "NEW-VIEW {:?} from {}, proposes [{again}]",
            body.view,
            list(&of)
        )
    }

    /// A STATUS.
    fn status(&self, one: &Status) -> String {
        let phase = if one.active { "in" } else { "wants" };
        let open: Vec<String> = one.open.iter().map(|slot| self.open(slot)).collect();
        let mut words = format!(
            "STATUS {phase} {:?}, certified {:?}, executed {:?}",
            one.view, one.stable, one.executed
        );
        if !open.is_empty() {
            words += &format!(", open [{}]", open.join("; "));
        }
        if !one.active {
            words += &format!(", has VIEW-CHANGEs of {}", members(one.view_changes));
        }
        for (seq, held) in &one.checkpoints {
            words += &format!(", CHECKPOINTs {seq:?} of {}", members(*held));
        }
        words
    }

    /// An open sequence number in a STATUS.
    fn open(&self, slot: &OpenSlot) -> String {
        let mut words = format!("{:?}", slot.seq);
        if let Some(digest) = slot.lacks_batch {
            words += &format!(" lacks batch {}", self.of(digest));
        }
        if !slot.pre_prepare {
            words.push_str(" no proposal");
        }
        if slot.committed {
            words.push_str(" committed");
        } else if slot.prepared {
            words += &format!(" prepared, COMMITs of {}", members(slot.commits));
        } else {
            words += &format!(" PREPAREs of {}", members(slot.prepares));
        }
        words
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

/// Members in one word each.
fn list(members: &[ReplicaId]) -> String {
    let words: Vec<String> = members.iter().map(|member| format!("{member:?}")).collect();
    if words.is_empty() {
        "none".to_owned()
    } else {
        words.join(" ")
    }
}

/// A set of members.
fn members(set: Members) -> String {
    list(&set.iter().collect::<Vec<_>>())
}
