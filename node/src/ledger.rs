//! What every reader uses: the HTTP APIs, the explorer, peers that catch up.
//!
//! It never writes. Only blocks with a certificate at this node are final; what is executed
//! but not certified yet is pending, and no question about identities or results sees it.

mod excerpts;
pub mod histories;
mod proofs;

use std::sync::Arc;

use consensus::CheckpointCertificate;
use contract::{
    ContractId, Genesis, Header, HeaderHash, Height, ServerId, SessionId, Snapshot, StateError,
    StateProof, TransactionHash, TransactionProof,
};
use patient::receipt::{self, Receipt};
use tokio::sync::watch;

use crate::snapshot::{serve::Server, wire::Request};
use crate::store::Reader;

pub use excerpts::Asked;

pub use crate::store::{
    CertifiedBytes, Cursor, Located, NotACursor, PAGE_ROWS_MAX, Page, ResultForm, ResultQuery,
    ResultRow, StoreError, StoredBlock,
};

/// The newest certified block.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tip {
    /// Its height.
    pub height: Height,
    /// Its header.
    pub header: Header,
    /// Its header's hash.
    pub hash: HeaderHash,
    /// The proof that it is final; none for block 0, which is known to all.
    pub certificate: Option<CheckpointCertificate>,
}

/// Why a question has no answer.
#[derive(Debug, thiserror::Error)]
pub enum LedgerError {
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The state failed.
    #[error(transparent)]
    State(#[from] StateError),
}

/// Reads the ledger at this node. Cloning shares.
#[derive(Debug, Clone)]
pub struct Ledger {
    reader: Reader,
    snapshots: Server,
    tip: watch::Receiver<Arc<Tip>>,
    certified: watch::Receiver<Height>,
}

/// Moves the tip; the executor holds it.
#[derive(Debug)]
pub(crate) struct TipSetter {
    tip: watch::Sender<Arc<Tip>>,
    certified: watch::Sender<Height>,
}

impl TipSetter {
    /// A newer block is final.
    pub(crate) fn set(&self, tip: Tip) {
        let height = tip.height;
        self.tip.send_replace(Arc::new(tip));
        self.certified.send_replace(height);
    }
}

impl Ledger {
    /// A ledger whose newest certified block is `tip`.
    pub(crate) fn new(reader: Reader, tip: Tip) -> (Self, TipSetter) {
        let (certified, certified_receiver) = watch::channel(tip.height);
        let (tip, tip_receiver) = watch::channel(Arc::new(tip));
        let ledger = Self {
            snapshots: Server::new(reader.clone()),
            reader,
            tip: tip_receiver,
            certified: certified_receiver,
        };
        (ledger, TipSetter { tip, certified })
    }

    /// The answer to a request of a member that takes a snapshot; none if it is no such request.
    pub fn snapshot_answer(&self, request: &[u8]) -> Option<Vec<u8>> {
        let request = Request::decode(request)?;
        Some(self.snapshots.answer(&request, self.certified().height))
    }

    /// The store's reading side.
    pub(crate) const fn reader(&self) -> &Reader {
        &self.reader
    }

    /// The lowest height whose state was ever here.
    pub fn base(&self) -> Height {
        self.reader.base()
    }

    /// The lowest block whose body is kept here.
    pub fn lowest(&self) -> Height {
        self.reader.lowest()
    }

    /// The rules.
    pub fn genesis(&self) -> &Genesis {
        self.reader.genesis()
    }

    /// The newest certified block.
    pub fn certified(&self) -> Arc<Tip> {
        Arc::clone(&self.tip.borrow())
    }

    /// The newest executed block.
    pub fn executed(&self) -> Height {
        self.reader.executed()
    }

    /// Tells of each newer certified height.
    pub fn subscribe(&self) -> watch::Receiver<Height> {
        self.certified.clone()
    }

    /// The block at a height, executed here; final if it has a certificate or one above it has.
    pub fn block(&self, height: Height) -> Result<Option<StoredBlock>, StoreError> {
        self.reader.block(height)
    }

    /// The height of the block with this header hash.
    pub fn block_by_hash(&self, hash: &HeaderHash) -> Result<Option<Height>, StoreError> {
        self.reader.block_by_hash(hash)
    }

    /// A transaction on the ledger. It may be in a block that is not certified yet.
    pub fn transaction(&self, hash: &TransactionHash) -> Result<Option<Located>, StoreError> {
        self.reader.transaction(hash, self.executed())
    }

    /// The sign-in of a session in a certified block: at this server, or the first one at any. Its number alone names none:
    /// whoever sees it travel can record the same number with a patient of its own.
    pub fn session(
        &self,
        sid: &SessionId,
        server: Option<&ServerId>,
    ) -> Result<Option<ResultRow>, StoreError> {
        self.reader.session(sid, server, self.certified().height)
    }

    /// Sign-ins in certified blocks, the newest first.
    pub fn results(&self, query: &ResultQuery) -> Result<Page<ResultRow>, StoreError> {
        self.reader.results(query, self.certified().height)
    }

    /// The state after the newest certified block.
    pub fn state(&self) -> Snapshot<Reader> {
        Snapshot::new(self.reader.clone(), self.certified().height)
    }

    /// The state after a block; only heights shortly below the newest are kept whole.
    pub fn state_at(&self, height: Height) -> Snapshot<Reader> {
        Snapshot::new(self.reader.clone(), height.min(self.certified().height))
    }

    /// The state after an executed block, certified or not: what the node itself goes by.
    pub(crate) fn state_executed(&self, height: Height) -> Snapshot<Reader> {
        Snapshot::new(self.reader.clone(), height)
    }

    /// The header of an executed block.
    pub fn header(&self, height: Height) -> Result<Option<Header>, StoreError> {
        self.reader.header(height)
    }

    /// The certificate of a block, if it has one of its own here.
    pub fn certificate(&self, height: Height) -> Result<Option<CheckpointCertificate>, StoreError> {
        self.reader.certificate(height)
    }

    /// What is, or that nothing is, under a contract's key in the state of the certified
    /// block that is returned beside the proof.
    pub fn prove(
        &self,
        contract: &ContractId,
        key: &[u8],
    ) -> Result<(Arc<Tip>, StateProof), LedgerError> {
        let tip = self.certified();
        let proof = Snapshot::new(self.reader.clone(), tip.height).prove(contract, key)?;
        Ok((tip, proof))
    }

    /// The receipt of a transaction, of a bundle of results that of the one at `entry`; none before its block has a
    /// certificate of its own here.
    pub fn receipt(
        &self,
        hash: &TransactionHash,
        entry: u32,
    ) -> Result<Option<Receipt>, LedgerError> {
        let Some(located) = self.reader.transaction(hash, self.certified().height)? else {
            return Ok(None);
        };
        match self.reader.block(located.height)? {
            Some(block) => self.receipt_in(&block, (located.index, entry)),
            None => Ok(None),
        }
    }

    /// The receipt of the transaction at an index of a block, and of the result at an entry of that: its place, the
    /// block's certificate, and how the committee that gave it came to be.
    pub fn receipt_in(
        &self,
        block: &StoredBlock,
        at: (u32, u32),
    ) -> Result<Option<Receipt>, LedgerError> {
        let Some(mut receipt) = place_in(self.genesis(), block, at) else {
            return Ok(None);
        };
        let epochs = proofs::epochs_before(&self.reader, &self.state(), block.header.epoch)?;
        Ok(epochs.map(|epochs| {
            receipt.epochs = epochs;
            receipt
        }))
    }

    /// The bytes of header, batch and certificate of a block, for a peer that lacks it.
    pub fn certified_block(&self, height: Height) -> Result<Option<CertifiedBytes>, StoreError> {
        self.reader.certified_block(height)
    }
}

/// The place of the transaction at an index of a block, and of the result at an entry of that, under the block's
/// certificate; a whole receipt in the first epoch only. None without a certificate.
pub fn place_in(
    genesis: &Genesis,
    block: &StoredBlock,
    (index, entry): (u32, u32),
) -> Option<Receipt> {
    let certificate = block.certificate.as_ref()?;
    let at = (usize::try_from(index).ok()?, usize::try_from(entry).ok()?);
    let outcomes = &block.outcome_bytes;
    let proof = TransactionProof::of_block(&block.header_bytes, &block.transactions, outcomes, at)?;
    Receipt::of_proof(genesis, proof, certificate_of(certificate))
}

/// A certificate in the form of the receipt file.
pub fn certificate_of(certificate: &CheckpointCertificate) -> receipt::Certificate {
    receipt::Certificate {
        epoch: certificate.epoch.get(),
        height: certificate.seq.get(),
        signatures: certificate
            .checkpoints
            .iter()
            .map(|(member, signature)| receipt::MemberSignature {
                member: member.get(),
                signature: contract::SignatureBytes::new(signature.to_bytes()),
            })
            .collect(),
    }
}
