//! Runs of the real replica, held against the model.
//!
//! Every record that an honest member made durable is one step of the model, and must be allowed
//! by the same function that the checker uses ([`Setting::allows`]); every frame that it sent must
//! say what a durable record of its, or an allowed certificate, says. So a replica that votes
//! twice, forgets a certificate, begins a view that does not follow, or speaks before its disk
//! does, is caught, whether or not anything went wrong because of it.
//!
//! Each epoch is a run of the model of its own. What links them is held as well: nothing is said in
//! an epoch before the last block of the one before is certified, and nothing about a block beyond
//! the last.

use core::fmt;
use std::collections::BTreeMap;

use consensus::{
    CheckpointCertificate, CommitCertificate, Digest, Epoch, Frame, NewView, PrePrepare, Prepare,
    PreparedCertificate, Record, ReplicaId, Seq, Signed, StableProof, View, ViewChange,
};
use simulator::{Cast, Deed, History};

use crate::setting::Setting;
use crate::step::{Action, Step};
use crate::world::{Batch, Change, Proof, World};

/// The most sequence numbers of an epoch.
const SEQS: usize = 192;

/// The most views of an epoch.
const VIEWS: usize = 64;

/// A deed that the model does not allow.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Deviation {
    /// In which epoch.
    pub epoch: Epoch,
    /// Who did it.
    pub member: ReplicaId,
    /// What it did.
    pub deed: Deed,
    /// What is wrong with it.
    pub why: Why,
}

/// Why a deed is no step of the model.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Why {
    /// The step is not allowed in the state that the member is in.
    NotAllowed,
    /// The member said what none of its durable records says.
    NotDurable,
    /// A certificate, or a NEW-VIEW, that no messages make.
    NotProved,
    /// A VIEW-CHANGE that is not what its sender knows.
    NotWhatItKnows,
    /// The epoch before is not over: its last block has no certificate.
    NotBegun,
    /// The epoch is over before this block.
    Over,
    /// More views, sequence numbers or batches than are kept here.
    Beyond,
}

impl fmt::Display for Deviation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            epoch,
            member,
            deed,
            why,
        } = self;
        write!(f, "{epoch:?} {member:?}: {why:?}: {deed:?}")
    }
}

/// One run of the simulator: a run of the model for each epoch.
#[derive(Debug)]
pub struct Conformance(BTreeMap<Epoch, Run>);

impl Conformance {
    /// Follows a whole run; gives how many steps of the model it took.
    pub fn of(history: &History) -> Result<usize, Box<Deviation>> {
        let last = |epoch: Epoch| history.epochs.get(&epoch.next()).map(|next| next.origin);
        let epochs = history.epochs.iter();
        let runs = epochs.map(|(epoch, cast)| (*epoch, Run::begin(*epoch, cast, last(*epoch))));
        let mut all = Self(runs.collect());
        for (epoch, member, deed) in &history.deeds {
            all.follow(*epoch, *member, deed).map_err(|why| {
                let (epoch, member, deed) = (*epoch, *member, deed.clone());
                Box::new(Deviation {
                    epoch,
                    member,
                    deed,
                    why,
                })
            })?;
        }
        Ok(all.0.values().map(|run| run.steps).sum())
    }

    /// One deed of a member in an epoch.
    fn follow(&mut self, epoch: Epoch, member: ReplicaId, deed: &Deed) -> Result<(), Why> {
        let mut earlier = self.0.range(..epoch);
        let before = earlier.next_back().map(|(_, run)| run);
        if before.is_some_and(|run| !run.is_over()) {
            return Err(Why::NotBegun);
        }
        let run = self.0.get_mut(&epoch).ok_or(Why::NotBegun)?;
        run.follow(member, deed)
    }
}

/// One epoch of a run, followed in the model.
#[derive(Debug)]
struct Run {
    /// The block before the first one.
    origin: Seq,
    /// The last one, if another epoch follows.
    last: Option<Seq>,
    /// Members and liars.
    setting: Setting,
    /// Where the model stands.
    world: World<SEQS, VIEWS>,
    /// The honest members' places in the model.
    honest: BTreeMap<ReplicaId, usize>,
    /// Every batch that was named so far.
    batches: BTreeMap<Digest, Batch>,
    /// Every CHECKPOINT of an honest member.
    checkpoints: BTreeMap<(ReplicaId, Seq), Digest>,
    /// Steps of the model taken so far.
    steps: usize,
}

impl Run {
    /// The model before the epoch.
    fn begin(epoch: Epoch, cast: &Cast, last: Option<Seq>) -> Self {
        let members = (0..cast.size).filter_map(|place| u16::try_from(place).ok());
        let honest = members
            .map(ReplicaId::new)
            .filter(|member| !cast.byzantine.contains(member));
        let honest: BTreeMap<ReplicaId, usize> = honest.zip(0..).collect();
        let turn = usize::try_from(epoch.get()).unwrap_or(usize::MAX) % cast.size;
        let primary = |view: usize| {
            let place = u16::try_from((turn + view) % cast.size).ok()?;
            honest.get(&ReplicaId::new(place)).copied()
        };
        let lying = (0..VIEWS).filter(|view| primary(*view).is_none());
        let lying = lying.fold(0, |all, view| all | 1_u64 << view);
        // No member has this place, so nobody leads a liar's view.
        let nobody = honest.len();
        let primaries = (0..VIEWS)
            .map(|view| primary(view).unwrap_or(nobody))
            .collect();
        Self {
            origin: cast.origin,
            last,
            setting: Setting {
                liars: cast.size - honest.len(),
                primaries: Some(primaries),
                checkpoints: true,
                ..Setting::of(cast.size)
            },
            world: World::new(lying, honest.len()),
            honest,
            batches: BTreeMap::from([(Digest::NULL, Batch::NULL)]),
            checkpoints: BTreeMap::new(),
            steps: 0,
        }
    }

    /// Whether its last block is certified.
    fn is_over(&self) -> bool {
        let of_last = self.checkpoints.iter();
        let of_last = of_last.filter(|((_, seq), _)| Some(*seq) == self.last);
        let mut headers = of_last.map(|(_, header)| *header);
        headers.any(|header| self.is_certified(self.last, header))
    }

    /// Whether a certificate over this header can be put together.
    fn is_certified(&self, seq: Option<Seq>, header: Digest) -> bool {
        let mut said = self.checkpoints.iter();
        let same = said
            .by_ref()
            .filter(|((_, one), said)| Some(*one) == seq && **said == header);
        same.count() + self.setting.liars >= self.setting.quorum()
    }

    /// One deed of a member.
    fn follow(&mut self, member: ReplicaId, deed: &Deed) -> Result<(), Why> {
        let Some(place) = self.honest.get(&member).copied() else {
            return Ok(());
        };
        match deed {
            Deed::Durable(record) => self.record(member, place, record),
            Deed::Sent(frame) => self.frame(frame),
        }
    }

    /// A record is durable: a step of the model.
    fn record(&mut self, id: ReplicaId, member: usize, record: &Record) -> Result<(), Why> {
        match record {
            Record::Accepted {
                pre_prepare,
                prepare,
                ..
            } => self.accepted(id, member, pre_prepare, prepare.as_ref()),
            Record::Prepared {
                certificate,
                commit,
            } => {
                let view = view_of(certificate.view)?;
                let place = self.place(certificate.seq)?;
                let batch = self.batch(certificate.digest)?;
                self.in_view(member, view)?;
                let commit = commit.is_some();
                self.take(
                    member,
                    &Step::Certify {
                        place,
                        batch,
                        commit,
                    },
                )
            }
            Record::Committed { certificate, .. } => self.committed(certificate),
            Record::CaughtUp { certificate, .. } => self.certified(certificate),
            Record::Checkpoint { own } => {
                let said = self
                    .checkpoints
                    .entry((id, own.body.seq))
                    .or_insert(own.body.header);
                if *said != own.body.header {
                    return Err(Why::NotAllowed);
                }
                let executed = self.place(own.body.seq)? + 1;
                while usize::from(self.world.members[member].executed) < executed {
                    self.take(member, &Step::Execute)?;
                }
                Ok(())
            }
            Record::Stable { certificate } => {
                self.certified(certificate)?;
                let stable = narrow(self.place(certificate.seq)? + 1)?;
                if stable > self.world.members[member].knows.stable {
                    self.take(member, &Step::Settle { stable })?;
                }
                Ok(())
            }
            Record::ViewChange(own) => self.leave(member, own),
            Record::NewView(new_view) => self.new_view(id, member, new_view),
            Record::Key { .. } | Record::Birth { .. } => Ok(()),
        }
    }

    /// A proposal of its own, or one that it took with its PREPARE, or only the batch of one.
    fn accepted(
        &mut self,
        id: ReplicaId,
        member: usize,
        proposal: &Signed<PrePrepare>,
        prepare: Option<&Signed<Prepare>>,
    ) -> Result<(), Why> {
        let PrePrepare { view, seq, digest } = proposal.body;
        let ((here, place), batch) = self.vote(view, seq, digest)?;
        let own = self.world.members[member].proposals[here][place];
        if let Some(vote) = prepare {
            let same = Prepare { view, seq, digest } == vote.body && vote.from == id;
            same.then_some(()).ok_or(Why::NotAllowed)?;
            self.in_view(member, here)?;
            self.take(member, &Step::Prepare { place, batch })
        } else if proposal.from == id && own != Some(batch) {
            self.in_view(member, here)?;
            self.take(member, &Step::Propose { place, batch })
        } else {
            self.proposal(proposal)
        }
    }

    /// A member leaves its view, and says what it knows.
    fn leave(&mut self, member: usize, own: &Signed<ViewChange>) -> Result<(), Why> {
        let (view, change) = self.change(own)?;
        let knows = &self.world.members[member].knows;
        if knows.stable != change.stable || knows.prepared != change.prepared {
            return Err(Why::NotWhatItKnows);
        }
        self.take(member, &Step::Leave { view })
    }

    /// A view begins for a member.
    fn new_view(
        &mut self,
        id: ReplicaId,
        member: usize,
        new_view: &Signed<NewView>,
    ) -> Result<(), Why> {
        let (view, outcome) = self.outcome(new_view)?;
        if new_view.from == id {
            self.take(member, &Step::Begin { view, outcome })
        } else {
            self.take(member, &Step::Enter { view, outcome })
        }
    }

    /// What a NEW-VIEW comes to, if it follows from VIEW-CHANGEs that exist, and says just that.
    fn outcome(&mut self, new_view: &Signed<NewView>) -> Result<(usize, Change<SEQS>), Why> {
        let body = new_view.body.body();
        let view = view_of(body.view)?;
        let mut changes = Vec::new();
        for signed in &body.view_changes {
            let (wanted, change) = self.change(signed)?;
            if wanted != view {
                return Err(Why::NotProved);
            }
            changes.push((self.honest.get(&signed.from).copied(), change));
        }
        let mut senders: Vec<ReplicaId> = body.view_changes.iter().map(|one| one.from).collect();
        senders.sort_unstable();
        senders.dedup();
        let outcome = self.setting.justified(&self.world, view, &changes);
        let outcome = outcome
            .filter(|_| senders.len() == changes.len())
            .ok_or(Why::NotProved)?;
        let mut again = vec![None; SEQS];
        for proposal in &body.pre_prepares {
            let here = view_of(proposal.body.view)?;
            let place = self.place(proposal.body.seq)?;
            let batch = self.batch(proposal.body.digest)?;
            if here != view {
                return Err(Why::NotProved);
            }
            again[place] = Some(batch);
        }
        let same = (0..SEQS).all(|place| outcome.reproposal(place) == again[place]);
        same.then_some((view, outcome)).ok_or(Why::NotProved)
    }

    /// What a VIEW-CHANGE says, in the model's words.
    fn change(&mut self, signed: &Signed<ViewChange>) -> Result<(usize, Change<SEQS>), Why> {
        let body = signed.body.body();
        let stable = match &body.stable {
            StableProof::Origin(_) => 0,
            StableProof::Certified(certificate) => {
                self.certified(certificate)?;
                narrow(self.place(certificate.seq)? + 1)?
            }
        };
        let mut change = Change {
            stable,
            ..Change::default()
        };
        for certificate in &body.prepared {
            let (view, place) = (view_of(certificate.view)?, self.place(certificate.seq)?);
            let (view, batch) = (narrow(view)?, self.batch(certificate.digest)?);
            change.prepared[place] = Some(Proof { view, batch });
        }
        Ok((view_of(body.view)?, change))
    }

    /// A frame left a member: everything in it must have been said, by whom it names.
    fn frame(&mut self, frame: &Frame) -> Result<(), Why> {
        match frame {
            // Who passes on a liar's vote answers for none of it: it may be about any block.
            Frame::PrePrepare(one, _) if self.lies(one.from) => Ok(()),
            Frame::Prepare(one) if self.lies(one.from) => Ok(()),
            Frame::Commit(one) if self.lies(one.from) => Ok(()),
            Frame::PrePrepare(one, _) => self.proposal(one),
            Frame::Prepare(one) => {
                let (at, batch) = self.vote(one.body.view, one.body.seq, one.body.digest)?;
                let said = |member: usize| self.world.members[member].prepares[at.0][at.1];
                self.said(one.from, |member| said(member) == Some(batch))
            }
            Frame::Commit(one) => {
                let (at, batch) = self.vote(one.body.view, one.body.seq, one.body.digest)?;
                let said = |member: usize| self.world.members[member].commits[at.0][at.1];
                self.said(one.from, |member| said(member) == Some(batch))
            }
            Frame::Checkpoint(one) => {
                let said = self.checkpoints.get(&(one.from, one.body.seq));
                self.said(one.from, |_| said == Some(&one.body.header))
            }
            Frame::ViewChange(one) => {
                let (view, change) = self.change(one)?;
                let said = |member: usize| self.world.members[member].changes[view];
                self.said(one.from, |member| said(member) == Some(change))
            }
            Frame::NewView(one) => {
                let (view, outcome) = self.outcome(one)?;
                let said = |member: usize| self.world.members[member].began[view];
                self.said(one.from, |member| said(member) == Some(outcome))
            }
            Frame::Prepared(certificate) => self.prepared(certificate),
            Frame::Committed(certificate) => self.committed(certificate),
            Frame::Stable(certificate) => self.certified(certificate),
            Frame::Batch(_) | Frame::Status(_) => Ok(()),
        }
    }

    /// A proposal was made by its sender, if that is honest.
    fn proposal(&mut self, one: &Signed<PrePrepare>) -> Result<(), Why> {
        let (at, batch) = self.vote(one.body.view, one.body.seq, one.body.digest)?;
        let said = |member: usize| self.world.members[member].proposals[at.0][at.1];
        self.said(one.from, |member| said(member) == Some(batch))
    }

    /// Whether a member is not honest.
    fn lies(&self, member: ReplicaId) -> bool {
        !self.honest.contains_key(&member)
    }

    /// Whether an honest sender has said it; a liar may have said anything.
    fn said(&self, from: ReplicaId, said: impl Fn(usize) -> bool) -> Result<(), Why> {
        let honest = self.honest.get(&from);
        honest
            .is_none_or(|member| said(*member))
            .then_some(())
            .ok_or(Why::NotDurable)
    }

    /// A prepared certificate that can be put together.
    fn prepared(&mut self, one: &PreparedCertificate) -> Result<(), Why> {
        let (at, batch) = self.vote(one.view, one.seq, one.digest)?;
        let proved = self.setting.prepared(&self.world, at, batch);
        proved.then_some(()).ok_or(Why::NotProved)
    }

    /// A commit certificate that can be put together.
    fn committed(&mut self, one: &CommitCertificate) -> Result<(), Why> {
        let (at, batch) = self.vote(one.view, one.seq, one.digest)?;
        let proved = self.setting.committed(&self.world, at, batch);
        proved.then_some(()).ok_or(Why::NotProved)
    }

    /// A checkpoint certificate that can be put together of CHECKPOINTs over this very header.
    fn certified(&self, one: &CheckpointCertificate) -> Result<(), Why> {
        let proved = self.is_certified(Some(one.seq), one.header);
        proved.then_some(()).ok_or(Why::NotProved)
    }

    /// Takes a step that must be allowed.
    fn take(&mut self, member: usize, step: &Step<SEQS>) -> Result<(), Why> {
        let action = Action {
            member,
            step: *step,
        };
        if !self.setting.allows(&self.world, &action) {
            return Err(Why::NotAllowed);
        }
        self.setting.apply(&mut self.world, &action);
        self.steps += 1;
        Ok(())
    }

    /// A place of the model.
    fn place(&self, seq: Seq) -> Result<usize, Why> {
        if self.last.is_some_and(|last| seq > last) {
            return Err(Why::Over);
        }
        let place = seq.get().checked_sub(self.origin.next().get());
        let place = place.and_then(|place| usize::try_from(place).ok());
        place.filter(|place| *place < SEQS).ok_or(Why::Beyond)
    }

    /// A vote is for the view that its sender is in.
    fn in_view(&self, member: usize, view: usize) -> Result<(), Why> {
        let here = usize::from(self.world.members[member].view) == view;
        here.then_some(()).ok_or(Why::NotAllowed)
    }

    /// A vote in the model's words.
    fn vote(
        &mut self,
        view: View,
        seq: Seq,
        digest: Digest,
    ) -> Result<((usize, usize), Batch), Why> {
        let at = (view_of(view)?, self.place(seq)?);
        Ok((at, self.batch(digest)?))
    }

    /// A batch of the model.
    fn batch(&mut self, digest: Digest) -> Result<Batch, Why> {
        if let Some(known) = self.batches.get(&digest) {
            return Ok(*known);
        }
        let batch = Batch::numbered(self.batches.len()).ok_or(Why::Beyond)?;
        self.batches.insert(digest, batch);
        Ok(batch)
    }
}

/// A place or a view as the model keeps it.
fn narrow(number: usize) -> Result<u8, Why> {
    u8::try_from(number).ok().ok_or(Why::Beyond)
}

/// A view as the model keeps it.
fn view_of(view: View) -> Result<usize, Why> {
    let view = usize::try_from(view.get()).ok();
    view.filter(|view| *view < VIEWS).ok_or(Why::Beyond)
}
