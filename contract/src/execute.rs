//! From an ordered batch to a block: the only way the state changes.
//!
//! The same genesis and the same batches give the same bytes at every node. A
//! transaction that the rules refuse becomes an outcome inside the block; no
//! transaction makes a block invalid.

use std::sync::Arc;

use thiserror::Error;

use crate::batch::CheckedBatch;
use crate::block::{HEADER_VERSION, Header, header_hash};
use crate::contract_id::ContractId;
use crate::contracts::evidence::Misbehaviour;
use crate::contracts::registry::{self, ContractEntry};
use crate::contracts::{Context, View, contract_of, identity, membership, servers};
use crate::genesis::{Genesis, PROTOCOL_VERSION, Parameters, committee_digest};
use crate::history::History;
use crate::identity::{BlockTime, Epoch, HeaderHash, Height, PublicKey, Root, ServerId};
use crate::merkle;
use crate::outcome::{Outcome, Output, Refused};
use crate::state::{self, MemoryState, StateError, StateReader, WriteSet};
use crate::transaction::{Author, Call, SignedTransaction};
use crate::window::{Additions, Window, WindowView};

/// Everything besides the state that the next block depends on.
#[derive(Clone, Debug)]
pub struct Tip {
    /// The rules.
    genesis: Arc<Genesis>,
    /// Who judges evidence.
    judge: Arc<dyn Misbehaviour>,
    /// The newest executed block.
    header: Header,
    /// Its hash.
    hash: HeaderHash,
    /// The tree over all header hashes, the newest included.
    history: History,
    /// The replay window after it.
    window: Window,
    /// The newest version of the ledger's rules that the software knows.
    rules: u64,
}

/// The last block of an epoch, and who comes after it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EpochEnd {
    /// The last block that the present committee certifies.
    pub last: Height,
    /// The keys of the next committee, in order.
    pub committee: Vec<PublicKey>,
}

/// An executed batch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Execution {
    /// The block's header.
    header: Header,
    /// Its bytes.
    header_bytes: Vec<u8>,
    /// Its hash.
    hash: HeaderHash,
    /// What became of each transaction.
    outcomes: Vec<Outcome>,
    /// The same, encoded: the leaves of the outcomes tree.
    outcome_bytes: Vec<Vec<u8>>,
    /// What changes in the state.
    writes: WriteSet,
    /// Whether and when the epoch ends.
    epoch_end: Option<EpochEnd>,
    /// What the block adds to the replay window.
    additions: Additions,
}

/// A batch that cannot be executed here; the node stops and says why.
#[derive(Debug, Error)]
pub enum CannotExecute {
    /// The state failed.
    #[error(transparent)]
    State(#[from] StateError),
    /// The ledger activated a contract that this software lacks.
    #[error(
        "block {height} needs contract {id} version {version}, which this software lacks: upgrade it"
    )]
    ContractMissing {
        /// Which contract.
        id: ContractId,
        /// Which version of it.
        version: u16,
        /// The block that needs it.
        height: Height,
    },
    /// The members decided on rules that this software lacks.
    #[error(
        "block {height} is made by version {version} of the ledger's rules, \
         this software knows {known}: upgrade it"
    )]
    ProtocolMissing {
        /// The version that the members decided on.
        version: u64,
        /// The newest version that this software knows.
        known: u64,
        /// The first block under it.
        height: Height,
    },
}

/// Block 0, its state and the tip after it.
pub fn found(
    genesis: Arc<Genesis>,
    judge: Arc<dyn Misbehaviour>,
) -> Result<(Tip, Execution), CannotExecute> {
    let nothing = MemoryState::new();
    let height = Height::new(0);
    let mut view = View::new(&nothing, height);
    membership::found(&mut view, &genesis);
    registry::found(&mut view, &genesis);
    identity::found(&mut view, &genesis);
    servers::found(&mut view, &genesis);
    view.keep();
    let (state_root, writes) = state::write(&nothing, height, view.into_written()?)?;
    let header = Header {
        version: HEADER_VERSION,
        chain: *genesis.chain(),
        height,
        epoch: Epoch::new(0),
        time: genesis.time(),
        parent: HeaderHash::new([0; 32]),
        batch_digest: Root::ZERO,
        transactions_root: merkle::empty_root(),
        outcomes_root: merkle::empty_root(),
        state_root,
        history_root: merkle::empty_root(),
        next_committee: genesis.committee_digest(),
    };
    let execution = Execution::new(header, Vec::new(), writes, Additions::default());
    let tip = Tip::resume(genesis, judge, execution.header.clone(), History::new());
    Ok((tip, execution))
}

/// Executes the next batch. Changes nothing: the caller stores the execution's
/// write set with the block and then advances the tip.
pub fn execute(
    reader: &dyn StateReader,
    tip: &Tip,
    batch: &CheckedBatch,
) -> Result<Execution, CannotExecute> {
    let mut block = Block::after(tip, reader, batch.time())?;
    let outcomes: Vec<Outcome> = batch
        .transactions()
        .iter()
        .map(|transaction| block.outcome_of(transaction))
        .collect();
    let end = block.close();
    let (height, epoch, time) = (block.height, block.epoch, block.time);
    let additions = block.window.into_additions();
    let (state_root, writes) = state::write(&reader, height, block.view.into_written()?)?;
    let mut header = tip.next_header(batch, time, state_root);
    header.epoch = epoch;
    if let Some(end) = end.as_ref().filter(|end| end.last == height) {
        header.next_committee = committee_digest(&end.committee);
    }
    let mut execution = Execution::new(header, outcomes, writes, additions);
    execution.epoch_end = end;
    Ok(execution)
}

/// A block in the making.
struct Block<'a> {
    /// The state under the block's writes.
    view: View<'a>,
    /// The replay window under the block's additions.
    window: WindowView<'a>,
    /// The ledger's foundation.
    genesis: &'a Genesis,
    /// Who judges evidence.
    judge: &'a dyn Misbehaviour,
    /// The rules in numbers before the block.
    parameters: Parameters,
    /// The contracts' registry before the block.
    contracts: Vec<ContractEntry>,
    /// The epoch that the block belongs to.
    epoch: Epoch,
    /// The block's height.
    height: Height,
    /// The block's time.
    time: BlockTime,
}

impl<'a> Block<'a> {
    /// The block after the tip, if this software has the contracts for it.
    fn after(
        tip: &'a Tip,
        reader: &'a dyn StateReader,
        batch_time: Option<BlockTime>,
    ) -> Result<Self, CannotExecute> {
        let parent = &tip.header;
        let time = batch_time.map_or(parent.time, |time| time.max(parent.time));
        let height = parent.height.next();
        let mut view = View::new(reader, parent.height);
        let parameters = membership::parameters(&mut view);
        if parameters.protocol_version > tip.rules {
            return Err(CannotExecute::ProtocolMissing {
                version: parameters.protocol_version,
                known: tip.rules,
                height,
            });
        }
        let contracts = registry::entries(&mut view);
        if let Some(missing) = registry::missing(&contracts, height) {
            return Err(CannotExecute::ContractMissing {
                id: missing.id.clone(),
                version: missing.version,
                height,
            });
        }
        let epoch = membership::present(&mut view).number;
        Ok(Self {
            view,
            window: tip.window.at(time, parameters.replay_window_ms),
            genesis: &tip.genesis,
            judge: tip.judge.as_ref(),
            parameters,
            contracts,
            epoch,
            height,
            time,
        })
    }

    /// Executes one transaction; a refused one leaves no trace in the state.
    fn outcome_of(&mut self, transaction: &SignedTransaction) -> Outcome {
        let result = self
            .admit(transaction)
            .and_then(|()| self.call(transaction));
        match result {
            Ok(output) => {
                self.view.keep();
                Outcome::Done(output)
            }
            Err(refused) => {
                self.view.undo();
                Outcome::Refused(refused)
            }
        }
    }

    /// What holds for every transaction, whatever it asks.
    fn admit(&mut self, transaction: &SignedTransaction) -> Result<(), Refused> {
        let valid_until = transaction.transaction().valid_until();
        let window_ms = self.parameters.replay_window_ms;
        // First, so that exactly the replayed ones are not noted anew.
        if !self.window.note_transaction(transaction.hash()) {
            return Err(Refused::Replayed);
        }
        if valid_until < self.time {
            return Err(Refused::Expired);
        }
        if valid_until > self.time.plus_ms(window_ms) {
            return Err(Refused::TooFarAhead);
        }
        self.check_author(transaction)?;
        if !self
            .window
            .charge(transaction, self.parameters.max_per_author)
        {
            return Err(Refused::OverQuota);
        }
        Ok(())
    }

    /// The author exists, and the key that signed is the author's.
    fn check_author(&mut self, transaction: &SignedTransaction) -> Result<(), Refused> {
        let key = transaction.transaction().key();
        let is_the_authors = match transaction.author() {
            Author::Member(id) if self.is_a_candidates(transaction, id) => Some(true),
            Author::Member(id) => {
                membership::member(&mut self.view, id).map(|known| known.member.key == *key)
            }
            Author::Patient(aid) => {
                identity::identity(&mut self.view, aid).map(|known| known.is_held_by(key))
            }
        };
        match is_the_authors {
            Some(true) => Ok(()),
            Some(false) => Err(Refused::WrongKey),
            None => Err(Refused::UnknownAuthor),
        }
    }

    /// Whether somebody says that it is ready, under the key that an approved change
    /// gives it: the only call of one who is no member yet.
    fn is_a_candidates(&mut self, transaction: &SignedTransaction, id: &ServerId) -> bool {
        let key = transaction.transaction().key();
        matches!(transaction.call(), Call::Ready { .. })
            && membership::is_candidate(&mut self.view, id, key, self.time)
    }

    /// Whether and when the epoch ends; behind its last block the next one begins.
    fn close(&mut self) -> Option<EpochEnd> {
        let present = membership::present(&mut self.view);
        let ending = present.end.as_ref()?;
        if ending.last == self.height {
            membership::close_epoch(&mut self.view, &present, ending, self.time);
            self.view.keep();
        }
        Some(EpochEnd {
            last: ending.last,
            committee: ending.keys.clone(),
        })
    }

    fn call(&mut self, transaction: &SignedTransaction) -> Result<Output, Refused> {
        let id = contract_of(transaction.call());
        let active = |entry: &ContractEntry| entry.id == id && entry.is_active(self.height);
        if !self.contracts.iter().any(active) {
            return Err(Refused::ContractInactive);
        }
        let mut context = Context {
            state: &mut self.view,
            window: &mut self.window,
            genesis: self.genesis,
            parameters: &self.parameters,
            judge: self.judge,
            height: self.height,
            time: self.time,
            author: *transaction.author(),
            key: *transaction.transaction().key(),
        };
        context.dispatch(transaction.call())
    }
}

impl Tip {
    /// The tip at a block that was executed before: its header and the history
    /// *without* it. Its replay window is empty: `recall` every block with a time
    /// within the window of this one's.
    pub fn resume(
        genesis: Arc<Genesis>,
        judge: Arc<dyn Misbehaviour>,
        header: Header,
        mut history: History,
    ) -> Self {
        let hash = header.hash();
        history.append(&hash);
        Self {
            genesis,
            judge,
            header,
            hash,
            history,
            window: Window::default(),
            rules: PROTOCOL_VERSION,
        }
    }

    /// The same in software that knows the rules up to this version: every node says it, and only
    /// one of a test says another than [`PROTOCOL_VERSION`].
    #[must_use]
    pub const fn knowing(mut self, rules: u64) -> Self {
        self.rules = rules;
        self
    }

    /// Takes a block that was executed before, the newest included, into the
    /// replay window; in order, one at a time, since all of them may be large.
    pub fn recall(
        &mut self,
        time: BlockTime,
        transactions: &[SignedTransaction],
        outcomes: &[Outcome],
    ) {
        let window_ms = self.genesis.parameters().replay_window_ms;
        self.window.replay(time, window_ms, transactions, outcomes);
    }

    /// Moves on by one block, whose write set is in the state.
    pub fn advance(&mut self, execution: &Execution) {
        debug_assert!(
            execution.header.parent == self.hash,
            "the block continues this tip"
        );
        let window_ms = self.genesis.parameters().replay_window_ms;
        self.window
            .advance(execution.header.time, window_ms, &execution.additions);
        self.history.append(&execution.hash);
        self.header = execution.header.clone();
        self.hash = execution.hash;
    }

    /// The header of the block after the tip, but for its outcomes.
    fn next_header(&self, batch: &CheckedBatch, time: BlockTime, state_root: Root) -> Header {
        let leaves = batch.transactions().iter();
        let leaves: Vec<_> = leaves.map(SignedTransaction::leaf_hash).collect();
        Header {
            version: HEADER_VERSION,
            chain: self.header.chain,
            height: self.header.height.next(),
            epoch: self.header.epoch,
            time,
            parent: self.hash,
            batch_digest: *batch.digest(),
            transactions_root: merkle::root(&leaves),
            outcomes_root: merkle::empty_root(),
            state_root,
            history_root: self.history.root(),
            next_committee: self.header.next_committee,
        }
    }

    /// The rules.
    pub const fn genesis(&self) -> &Arc<Genesis> {
        &self.genesis
    }

    /// The newest executed block.
    pub const fn header(&self) -> &Header {
        &self.header
    }

    /// Its hash.
    pub const fn hash(&self) -> &HeaderHash {
        &self.hash
    }

    /// Its height.
    pub const fn height(&self) -> Height {
        self.header.height
    }

    /// The tree over all header hashes, the newest included.
    pub const fn history(&self) -> &History {
        &self.history
    }
}

impl Execution {
    /// Completes the header with the outcomes' root.
    fn new(
        mut header: Header,
        outcomes: Vec<Outcome>,
        writes: WriteSet,
        additions: Additions,
    ) -> Self {
        let outcome_bytes: Vec<Vec<u8>> = outcomes.iter().map(Outcome::encode).collect();
        let leaves: Vec<_> = outcome_bytes
            .iter()
            .map(|bytes| merkle::leaf_hash(bytes))
            .collect();
        header.outcomes_root = merkle::root(&leaves);
        let header_bytes = header.encode();
        Self {
            hash: header_hash(&header_bytes),
            header,
            header_bytes,
            outcomes,
            outcome_bytes,
            writes,
            epoch_end: None,
            additions,
        }
    }

    /// The block's header.
    pub const fn header(&self) -> &Header {
        &self.header
    }

    /// The header's bytes.
    pub fn header_bytes(&self) -> &[u8] {
        &self.header_bytes
    }

    /// The header's hash: what this node's checkpoint signs.
    pub const fn hash(&self) -> &HeaderHash {
        &self.hash
    }

    /// What became of each transaction, in order.
    pub fn outcomes(&self) -> &[Outcome] {
        &self.outcomes
    }

    /// The encoded outcomes, in order.
    pub fn outcome_bytes(&self) -> &[Vec<u8>] {
        &self.outcome_bytes
    }

    /// What changes in the state.
    pub const fn writes(&self) -> &WriteSet {
        &self.writes
    }

    /// The end of the epoch, once one is fixed.
    pub const fn epoch_end(&self) -> Option<&EpochEnd> {
        self.epoch_end.as_ref()
    }
}
