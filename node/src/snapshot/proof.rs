//! What makes each part of a snapshot true: the genesis file, a quorum's certificate, and hashes.

use std::sync::Arc;

use consensus::{
    ChainId, CheckpointCertificate, Committee, Digest, Domain, Epoch, Proven, PublicKey,
};
use contract::state::{NotThePart, StatePart, StatePath};
use contract::{
    CheckedBatch, Genesis, Header, HeaderHash, Height, SignedTransaction, batch_digest, history,
    merkle,
};

use super::wire::{self, EpochProof, Manifest, SEGMENT_HASHES, SnapshotBlock};

/// Changes of the committee that a snapshot may prove: as many as a receipt.
const EPOCHS_MAX: usize = patient::receipt::EPOCHS_MAX;

/// Why a part of a snapshot is not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Unproved {
    /// The bytes are not what was asked for.
    #[error("the bytes are not a part of a snapshot")]
    Malformed,
    /// The header is another ledger's, or of another height.
    #[error("the header is not the one of the snapshot's block")]
    OtherHeader,
    /// The certificate is not one of the committee that follows from the genesis file.
    #[error("the certificate does not prove the header")]
    NotCertified,
    /// The epochs do not lead from the genesis file to the certificate.
    #[error("the epoch proofs do not lead to the committee that signed")]
    Epochs,
    /// The roots over the header hashes do not make the history root.
    #[error("the header hashes do not lead to the history root")]
    History,
    /// A part of the state has another hash.
    #[error(transparent)]
    State(#[from] NotThePart),
    /// A block is not the one in the history, or not the one that its header names.
    #[error("a block is not the one that the history names")]
    Block,
}

/// A snapshot whose header is proved: what its parts are checked against.
#[derive(Debug, Clone)]
pub struct Proved {
    /// The rules.
    pub genesis: Arc<Genesis>,
    /// The proof as it came.
    pub manifest: Manifest,
    /// The header of the snapshot's block.
    pub header: Header,
    /// Its hash.
    pub hash: HeaderHash,
    /// The committees of all epochs up to the snapshot's.
    pub committees: Vec<Committee>,
}

impl Proved {
    /// Checks a manifest, from the genesis file up.
    pub fn check(manifest: Manifest, genesis: &Arc<Genesis>) -> Result<Self, Unproved> {
        let header = Header::decode(&manifest.header)
            .ok()
            .ok_or(Unproved::Malformed)?;
        if header.chain != *genesis.chain() {
            return Err(Unproved::OtherHeader);
        }
        let committees = committees(&manifest.epochs, genesis)?;
        let newest = committees.last().ok_or(Unproved::Epochs)?;
        certified(&manifest.header, &header, &manifest.certificate, newest)?;
        let hashes = usize::try_from(header.height.get()).unwrap_or(usize::MAX);
        let root = merkle::root(&manifest.segments);
        let count = hashes.div_ceil(SEGMENT_HASHES);
        if manifest.segments.len() != count || root != header.history_root {
            return Err(Unproved::History);
        }
        Ok(Self {
            genesis: Arc::clone(genesis),
            hash: contract::header_hash(&manifest.header),
            header,
            manifest,
            committees,
        })
    }

    /// Whether a certificate of the epoch that it names proves these header bytes.
    pub fn check_certificate(
        &self,
        header: &[u8],
        certificate: &CheckpointCertificate,
    ) -> Result<(), Unproved> {
        let of_epoch = |committee: &&Committee| committee.epoch() == certificate.epoch;
        let committee = self.committees.iter().find(of_epoch);
        let committee = committee.ok_or(Unproved::NotCertified)?;
        let read = Header::decode(header).ok().ok_or(Unproved::Malformed)?;
        certified(header, &read, certificate, committee)
    }

    /// The height of the snapshot.
    pub const fn height(&self) -> Height {
        self.header.height
    }

    /// Blocks with at least this time belong to the replay window of the next one.
    pub fn since(&self) -> contract::BlockTime {
        let window = self.genesis.parameters().replay_window_ms;
        self.header.time.minus_ms(window)
    }

    /// How many hashes a part of the history has; 0 where there is no such part.
    pub fn segment_hashes(&self, segment: u64) -> usize {
        let first = segment.saturating_mul(SEGMENT_HASHES as u64);
        let left = self.height().get().saturating_sub(first);
        usize::try_from(left)
            .unwrap_or(usize::MAX)
            .min(SEGMENT_HASHES)
    }

    /// Whether these are the header hashes of a part of the history.
    pub fn check_hashes(&self, segment: u64, bytes: &[u8]) -> Result<(), Unproved> {
        let (hashes, rest) = bytes.as_chunks::<32>();
        if !rest.is_empty() || hashes.len() != self.segment_hashes(segment) {
            return Err(Unproved::Malformed);
        }
        let at = usize::try_from(segment).unwrap_or(usize::MAX);
        let expected = self.manifest.segments.get(at);
        let expected = expected.ok_or(Unproved::Malformed)?;
        if segment_root(hashes) == *expected {
            Ok(())
        } else {
            Err(Unproved::History)
        }
    }

    /// Whether this is the part of the state under a path, whose hash is known.
    pub fn check_state(
        path: &StatePath,
        expected: &[u8; 32],
        bytes: &[u8],
    ) -> Result<StatePart, Unproved> {
        let part = StatePart::decode(bytes).ok().ok_or(Unproved::Malformed)?;
        part.check(path, expected)?;
        Ok(part)
    }

    /// Whether these are the blocks from `first` on; `hash` gives the proved hash of a header.
    /// Tells how many there are and the header of the lowest.
    pub fn check_blocks(
        &self,
        first: Height,
        bytes: &[u8],
        hash: impl Fn(Height) -> Option<HeaderHash>,
    ) -> Result<(Vec<SnapshotBlock>, Header), Unproved> {
        let blocks = wire::blocks(bytes).ok_or(Unproved::Malformed)?;
        let mut lowest = None;
        for (at, block) in (first.get()..).map(Height::new).zip(&blocks) {
            let header = self.check_block(block, at, hash(at).ok_or(Unproved::Block)?)?;
            lowest.get_or_insert(header);
        }
        let lowest = lowest.ok_or(Unproved::Malformed)?;
        Ok((blocks, lowest))
    }

    /// The header of a block whose parts are those that the header names.
    fn check_block(
        &self,
        block: &SnapshotBlock,
        at: Height,
        hash: HeaderHash,
    ) -> Result<Header, Unproved> {
        let header = Header::decode(&block.header).ok();
        let header = header.ok_or(Unproved::Malformed)?;
        let batch = CheckedBatch::certified(&block.batch, &self.genesis).ok();
        let batch = batch.ok_or(Unproved::Malformed)?;
        let transactions = batch.transactions().iter();
        let transactions = transactions.map(SignedTransaction::leaf_hash);
        let outcomes = block.outcomes.iter().map(|it| merkle::leaf_hash(it));
        let fits = contract::header_hash(&block.header) == hash
            && header.height == at
            && batch_digest(&block.batch) == header.batch_digest
            && merkle::root(&transactions.collect::<Vec<_>>()) == header.transactions_root
            && merkle::root(&outcomes.collect::<Vec<_>>()) == header.outcomes_root;
        if fits {
            Ok(header)
        } else {
            Err(Unproved::Block)
        }
    }
}

/// The root over the hashes of one part of the history.
pub fn segment_root(hashes: &[[u8; 32]]) -> [u8; 32] {
    let leaves: Vec<merkle::Hash> = hashes
        .iter()
        .map(|hash| history::leaf(&HeaderHash::new(*hash)))
        .collect();
    *merkle::root(&leaves).as_bytes()
}

/// The committees to which the epoch proofs lead, one after the other.
fn committees(epochs: &[EpochProof], genesis: &Genesis) -> Result<Vec<Committee>, Unproved> {
    let chain = ChainId::new(*genesis.chain().as_bytes());
    let keys = genesis.committee();
    let keys = keys.iter().map(|key| PublicKey::new(*key.as_bytes()));
    let first = Committee::new(chain, Epoch::ZERO, keys.collect());
    let mut committee: Committee = first.ok().ok_or(Unproved::Epochs)?;
    if epochs.len() > EPOCHS_MAX {
        return Err(Unproved::Epochs);
    }
    let mut committees = vec![committee.clone()];
    let mut last = Height::new(0);
    for proof in epochs {
        let header = Header::decode(&proof.header).ok().ok_or(Unproved::Epochs)?;
        certified(&proof.header, &header, &proof.certificate, &committee)
            .or(Err(Unproved::Epochs))?;
        let keys = proof.next.iter().map(|key| PublicKey::new(*key));
        let next = Committee::new(chain, committee.epoch().next(), keys.collect());
        let next: Committee = next.ok().ok_or(Unproved::Epochs)?;
        let handed_over = next.digest().as_bytes() == header.next_committee.as_bytes();
        if !handed_over || header.height <= last {
            return Err(Unproved::Epochs);
        }
        last = header.height;
        committees.push(next.clone());
        committee = next;
    }
    Ok(committees)
}

/// Whether a quorum of this committee certified these header bytes.
fn certified(
    bytes: &[u8],
    header: &Header,
    certificate: &CheckpointCertificate,
    committee: &Committee,
) -> Result<(), Unproved> {
    let names = certificate.header == Digest::of(Domain::Header, bytes)
        && certificate.seq.get() == header.height.get()
        && header.chain.as_bytes() == committee.chain().as_bytes();
    let proven = Proven::verify(certificate.clone(), committee);
    if names && proven.is_ok() {
        Ok(())
    } else {
        Err(Unproved::NotCertified)
    }
}
