//! Which members signed which header of which block, wherever their CHECKPOINTs differ.
//!
//! A report and no proof: an honest member whose disk, memory or build is at fault signs what it computed. The newest
//! reports are kept in the home, so that a restart does not make them forgotten.

mod file;

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use consensus::{CheckpointCertificate, Digest, Epoch, ReplicaId, Seq, WINDOW_MAX};
use contract::HeaderHash;
use serde::{Deserialize, Serialize};
use tokio::sync::{Notify, watch};
use tracing::warn;

use crate::{clock::Clock, term::Term};

/// Reports that are kept, of the highest blocks.
pub const REPORTS_MAX: usize = 100;

/// Headers of one block that are noted of one member: one that signs more has shown enough.
const HEADERS_MAX: usize = 4;

/// How far above the newest certified block a vote is noted: no honest member votes further ahead.
const AHEAD: u64 = WINDOW_MAX.saturating_mul(2);

/// Blocks whose votes are noted. Votes below come too late to matter.
const BLOCKS_MAX: usize = 4_096;

/// A block of which members signed different headers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Report {
    /// The block.
    pub height: u64,
    /// Its epoch.
    pub epoch: u32,
    /// When the difference was noticed here, in ms since 1970.
    pub noticed_ms: u64,
    /// The header that a quorum signed, once there is one.
    pub certified: Option<HeaderHash>,
    /// Each header, and who signed it.
    pub results: Vec<Signed>,
}

/// A header and who signed it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Signed {
    /// Hash of the header.
    pub header: HeaderHash,
    /// Members by name.
    pub members: Vec<String>,
}

/// Where votes are noted; a clone is the same place.
#[derive(Clone, Debug)]
pub struct Checkpoints(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    path: PathBuf,
    clock: Clock,
    noted: Mutex<Noted>,
    changed: Notify,
}

/// What is known.
#[derive(Debug)]
struct Noted {
    /// The newest certified block that was seen.
    newest: Seq,
    blocks: BTreeMap<(Epoch, Seq), Block>,
    reports: BTreeMap<u64, Report>,
}

/// The votes on one block.
#[derive(Debug, Default)]
struct Block {
    votes: Vec<(ReplicaId, Digest)>,
}

impl Checkpoints {
    /// The reports of a home, at a ledger whose newest certified block is this one.
    pub fn open(home: &Path, clock: Clock, newest: Seq) -> Self {
        let path = home.join(file::NAME);
        let reports = file::read(&path).unwrap_or_else(|why| {
            warn!(event = "reports_lost", %why, "earlier reports of differing results are not read");
            Vec::new()
        });
        let reports = reports.into_iter().map(|report| (report.height, report));
        let noted = Noted {
            newest,
            blocks: BTreeMap::new(),
            reports: reports.collect(),
        };
        Self(Arc::new(Shared {
            path,
            clock,
            noted: Mutex::new(noted),
            changed: Notify::new(),
        }))
    }

    /// A member of this epoch signed a header.
    pub fn signed(&self, term: &Term, (seq, header): (Seq, Digest), member: ReplicaId) {
        let mut noted = self.noted();
        if noted.vote(term.epoch(), (seq, header), member) {
            self.report(&mut noted, term, seq);
        }
    }

    /// A quorum of this epoch signed a header.
    pub fn certified(&self, term: &Term, certificate: &CheckpointCertificate) {
        let CheckpointCertificate {
            epoch, seq, header, ..
        } = *certificate;
        if epoch != term.epoch() {
            return;
        }
        let mut noted = self.noted();
        noted.newest = noted.newest.max(seq);
        let mut differs = false;
        for (member, _) in &certificate.checkpoints {
            differs |= noted.vote(epoch, (seq, header), *member);
        }
        if differs {
            self.report(&mut noted, term, seq);
        }
    }

    /// The reports, that of the highest block first.
    pub fn reports(&self) -> Vec<Report> {
        self.noted().reports.values().rev().cloned().collect()
    }

    /// Writes the reports to the home whenever there is a new one.
    pub async fn keep(self, mut stopped: watch::Receiver<bool>) {
        loop {
            tokio::select! {
                () = self.0.changed.notified() => {}
                _ = stopped.wait_for(|stop| *stop) => return,
            }
            let (path, reports) = (self.0.path.clone(), self.reports());
            let written = tokio::task::spawn_blocking(move || file::write(&path, &reports)).await;
            if let Ok(Err(why)) = written {
                warn!(event = "reports_not_kept", %why, "a report of differing results is not on the disk");
            }
        }
    }

    fn noted(&self) -> MutexGuard<'_, Noted> {
        self.0.noted.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Makes or renews the report of a block.
    fn report(&self, noted: &mut Noted, term: &Term, seq: Seq) {
        let Some(block) = noted.blocks.get(&(term.epoch(), seq)) else {
            return;
        };
        let height = seq.get();
        let known = noted.reports.get(&height);
        let report = Report {
            height,
            epoch: term.epoch().get(),
            noticed_ms: known.map_or_else(|| self.0.clock.wall_ms(), |known| known.noticed_ms),
            certified: block.certified(term.committee.quorum()),
            results: block.results(term),
        };
        if known == Some(&report) {
            return;
        }
        if known.is_none() {
            warn!(event = "results_differ", height, results = ?report.results, "members signed different results of one block");
        }
        noted.reports.insert(height, report);
        while noted.reports.len() > REPORTS_MAX {
            noted.reports.pop_first();
        }
        self.0.changed.notify_one();
    }
}

impl Noted {
    /// Notes a vote; whether it is new, and another header of the block is signed too.
    fn vote(&mut self, epoch: Epoch, (seq, header): (Seq, Digest), member: ReplicaId) -> bool {
        if seq > self.newest.plus(AHEAD) {
            return false;
        }
        let block = self.blocks.entry((epoch, seq)).or_default();
        let own = block.votes.iter().filter(|(voter, _)| *voter == member);
        let full = own.clone().count() >= HEADERS_MAX;
        if full || own.clone().any(|(_, other)| *other == header) {
            return false;
        }
        block.votes.push((member, header));
        let differs = block.differs();
        while self.blocks.len() > BLOCKS_MAX {
            self.blocks.pop_first();
        }
        differs
    }
}

impl Block {
    /// Whether members signed different headers.
    fn differs(&self) -> bool {
        let first = self.votes.first().map(|(_, header)| header);
        self.votes.iter().any(|(_, header)| Some(header) != first)
    }

    /// The header that so many members signed.
    fn certified(&self, quorum: usize) -> Option<HeaderHash> {
        let votes_for = |header: &Digest| {
            let votes = self.votes.iter().filter(|(_, other)| other == header);
            votes.count()
        };
        let mut headers = self.votes.iter().map(|(_, header)| header);
        let certified = headers.find(|header| votes_for(header) >= quorum);
        certified.copied().map(hash)
    }

    /// Each header and who signed it, the one with the most signers first.
    fn results(&self, term: &Term) -> Vec<Signed> {
        let mut results: Vec<Signed> = Vec::new();
        let mut votes = self.votes.clone();
        votes.sort_by_key(|(member, _)| *member);
        for (member, header) in votes {
            let (header, name) = (hash(header), term.name(member).to_owned());
            match results.iter_mut().find(|known| known.header == header) {
                Some(known) => known.members.push(name),
                None => results.push(Signed {
                    header,
                    members: vec![name],
                }),
            }
        }
        results.sort_by_key(|one| std::cmp::Reverse(one.members.len()));
        results
    }
}

/// A digest of consensus as the ledger names headers.
const fn hash(digest: Digest) -> HeaderHash {
    HeaderHash::new(*digest.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    const SEQ: Seq = Seq::new(7);

    fn nothing() -> Noted {
        Noted {
            newest: Seq::ZERO,
            blocks: BTreeMap::new(),
            reports: BTreeMap::new(),
        }
    }

    fn header(byte: u8) -> Digest {
        Digest::new([byte; 32])
    }

    fn vote(noted: &mut Noted, member: u16, byte: u8) -> bool {
        noted.vote(Epoch::ZERO, (SEQ, header(byte)), ReplicaId::new(member))
    }

    #[test]
    fn equal_results_are_no_difference_and_the_same_vote_twice_is_told_once() {
        let mut noted = nothing();

        assert!(!vote(&mut noted, 0, 1));
        assert!(!vote(&mut noted, 1, 1));
        assert!(vote(&mut noted, 2, 2));
        assert!(!vote(&mut noted, 2, 2), "told before");
        assert!(vote(&mut noted, 3, 1), "the report has another signer");
    }

    #[test]
    fn the_same_height_in_another_epoch_is_another_block() {
        let mut noted = nothing();

        assert!(!vote(&mut noted, 0, 1));
        assert!(!noted.vote(Epoch::ZERO.next(), (SEQ, header(2)), ReplicaId::new(1)));
    }

    #[test]
    fn a_member_that_signs_whatever_it_likes_fills_no_memory() {
        let mut noted = nothing();

        for byte in 0..=255 {
            vote(&mut noted, 3, byte);
        }
        let noted_of_one: usize = noted.blocks.values().map(|block| block.votes.len()).sum();
        assert_eq!(noted_of_one, HEADERS_MAX);
        for seq in [AHEAD.saturating_add(1), u64::MAX] {
            noted.vote(Epoch::ZERO, (Seq::new(seq), header(1)), ReplicaId::new(3));
        }
        assert_eq!(noted.blocks.len(), 1, "too far ahead of the ledger");
        noted.newest = Seq::new(1 << 40);
        for seq in 0..10_000 {
            noted.vote(Epoch::ZERO, (Seq::new(seq), header(1)), ReplicaId::new(3));
        }
        assert_eq!(noted.blocks.len(), BLOCKS_MAX);
    }
}
