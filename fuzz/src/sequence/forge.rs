//! What a liar can sign with its own key: votes for anything, VIEW-CHANGEs that hide and repeat,
//! NEW-VIEWs that follow and that do not, and certificates of others as they are or with parts gone.

use consensus::{
    Batch, Checkpoint, CheckpointCertificate, Commit, Committee, Digest, Frame, NewView,
    NewViewBody, PrePrepare, Prepare, PreparedCertificate, ReplicaId, Seq, Signed, StableProof,
    View, ViewChange, ViewChangeBody, reproposals,
};
use simulator::{Dice, KeyedHash};

use super::known::Known;

/// A liar at work.
pub(super) struct Forger<'a> {
    /// Its place.
    pub(super) id: ReplicaId,
    /// Its key.
    pub(super) key: KeyedHash,
    /// The members.
    pub(super) committee: &'a Committee<KeyedHash>,
    /// What it has heard.
    pub(super) known: &'a Known,
    /// Chance.
    pub(super) dice: &'a mut Dice,
}

impl Forger<'_> {
    /// Something that it says.
    pub(super) fn frame(&mut self) -> Option<Frame> {
        let (view, seq, digest) = (self.view(), self.seq(), self.digest());
        Some(match self.dice.below(10) {
            0 | 1 => {
                let batch = Batch::new(self.dice.below(4).to_le_bytes().to_vec());
                let digest = if self.dice.chance(950) {
                    batch.digest()
                } else {
                    digest
                };
                Frame::PrePrepare(self.sign(PrePrepare { view, seq, digest }), batch)
            }
            2 => Frame::Prepare(self.sign(Prepare { view, seq, digest })),
            3 => Frame::Commit(self.sign(Commit { view, seq, digest })),
            4 => Frame::Checkpoint(self.sign(Checkpoint {
                seq,
                header: digest,
            })),
            5 | 6 => Frame::ViewChange(self.change(view)),
            7 | 8 => Frame::NewView(self.new_view(view)),
            _ => self.certificate()?,
        })
    }

    /// Signs a body.
    fn sign<T: consensus::Signable>(&self, body: T) -> Signed<T> {
        Signed::sign(body, self.id, self.committee, &self.key)
    }

    /// A view, now and then an absurd one.
    fn view(&mut self) -> View {
        View::new(match self.dice.below(40) {
            0 => u64::MAX,
            _ => self.dice.below(8),
        })
    }

    /// A sequence number, now and then an absurd one.
    fn seq(&mut self) -> Seq {
        Seq::new(match self.dice.below(40) {
            0 => u64::MAX,
            1 => self.dice.below(1 << 20),
            _ => self.dice.below(20),
        })
    }

    /// A digest that means something, or nothing.
    fn digest(&mut self) -> Digest {
        let known = self
            .known
            .digests
            .get(self.dice.place(self.known.digests.len()));
        match self.dice.below(8) {
            0 => Digest::NULL,
            1 => Batch::new(self.dice.below(4).to_le_bytes().to_vec()).digest(),
            _ => known.copied().unwrap_or(Digest::NULL),
        }
    }

    /// A VIEW-CHANGE with some of the certificates that exist.
    fn change(&mut self, view: View) -> Signed<ViewChange> {
        let stable = self
            .known
            .stable
            .get(self.dice.place(self.known.stable.len()))
            .cloned();
        let stable = match stable.filter(|_| self.dice.chance(600)) {
            Some(certificate) => StableProof::Certified(certificate),
            None if self.dice.chance(950) => StableProof::Origin(Seq::ZERO),
            None => StableProof::Origin(self.seq()),
        };
        let mut prepared: Vec<PreparedCertificate> = Vec::new();
        for certificate in &self.known.prepared {
            if self.dice.chance(300) {
                prepared.push(certificate.clone());
            }
        }
        if self.dice.chance(950) {
            prepared.retain(|one| one.seq > stable.seq() && one.view < view);
            prepared.sort_by_key(|one| (one.seq, one.view));
            prepared.dedup_by_key(|one| one.seq);
        }
        self.sign(ViewChange::new(ViewChangeBody {
            view,
            stable,
            prepared,
        }))
    }

    /// A NEW-VIEW of VIEW-CHANGEs that exist, its own among them; its proposals follow, or not.
    fn new_view(&mut self, view: View) -> Signed<NewView> {
        let own = self.change(view);
        let others = self
            .known
            .changes
            .iter()
            .filter(|one| one.body.body().view == view);
        let mut view_changes: Vec<Signed<ViewChange>> = others.cloned().chain([own]).collect();
        view_changes.sort_by_key(|one| one.from);
        if self.dice.chance(950) {
            view_changes.dedup_by_key(|one| one.from);
        }
        if self.dice.chance(200) {
            view_changes.pop();
        }
        let mut proposals = reproposals(&view_changes);
        match self.dice.below(8) {
            0 => proposals.clear(),
            1 => proposals.truncate(1),
            2 => {
                let digest = self.digest();
                for proposal in &mut proposals {
                    proposal.1 = digest;
                }
            }
            _ => {}
        }
        let proposals = proposals.into_iter().take(64);
        let sign = |(seq, digest)| self.sign(PrePrepare { view, seq, digest });
        let pre_prepares = proposals.map(sign).collect();
        self.sign(NewView::new(NewViewBody {
            view,
            view_changes,
            pre_prepares,
        }))
    }

    /// Somebody's certificate, perhaps with a signature gone or repeated.
    fn certificate(&mut self) -> Option<Frame> {
        let spoil = self.dice.chance(400);
        match self.dice.below(3) {
            0 => {
                let known = &self.known.prepared;
                let mut one = known.get(self.dice.place(known.len()))?.clone();
                if spoil {
                    one.prepares.pop();
                }
                Some(Frame::Prepared(one))
            }
            1 => {
                let known = &self.known.committed;
                let mut one = known.get(self.dice.place(known.len()))?.clone();
                if spoil {
                    let twice = one.commits.first().copied();
                    one.commits.extend(twice);
                }
                Some(Frame::Committed(one))
            }
            _ => {
                let known = &self.known.stable;
                let one = known.get(self.dice.place(known.len()))?.clone();
                let header = if spoil { self.digest() } else { one.header };
                Some(Frame::Stable(CheckpointCertificate { header, ..one }))
            }
        }
    }
}
