//! The ledger in memory: blocks, the state with its proofs, and certificates by a quorum.

use std::sync::Arc;

use contract::contract_id::{ContractId, IDENTITY, SERVERS};
use contract::contracts::evidence::{Culprit, Misbehaviour};
use contract::contracts::{identity, servers};
use contract::genesis::Genesis;
use contract::identity::{Aid, BlockTime, ChainId, Epoch, PublicKey, SessionId};
use contract::state::Snapshot;
use contract::transaction::{Author, Call, Transaction};
use contract::{
    Execution, Header, MemoryState, Outcome, SignedTransaction, Tip, TransactionProof, check_batch,
    encode_batch, execute, found,
};
use ed25519_dalek::SigningKey;
use patient::excerpt::{Entry, Excerpt, SCHEMA};
use patient::receipt::{Bytes, Receipt, Version};

use crate::vectors::ledger::certify;

/// Nobody contradicts himself here.
#[derive(Debug)]
struct Nobody;

impl Misbehaviour for Nobody {
    fn epoch(&self, _evidence: &[u8]) -> Option<Epoch> {
        None
    }

    fn check(
        &self,
        _chain: &ChainId,
        _epoch: Epoch,
        _committee: &[PublicKey],
        _evidence: &[u8],
    ) -> Option<Culprit> {
        None
    }
}

/// A block and what was in it.
pub(crate) struct Block {
    pub(crate) transactions: Vec<SignedTransaction>,
    pub(crate) execution: Execution,
}

/// The ledger.
pub(crate) struct Chain {
    pub(crate) genesis: Arc<Genesis>,
    pub(crate) keys: Vec<SigningKey>,
    pub(crate) state: MemoryState,
    pub(crate) tip: Tip,
    pub(crate) blocks: Vec<Block>,
    salt: u64,
}

impl Chain {
    pub(crate) fn found(file: &[u8], keys: Vec<SigningKey>) -> Self {
        let genesis = Arc::new(Genesis::parse(file).unwrap());
        let (tip, execution) = found(Arc::clone(&genesis), Arc::new(Nobody)).unwrap();
        let mut state = MemoryState::new();
        state.apply(execution.writes());
        let transactions = Vec::new();
        let mut chain = Self {
            genesis,
            keys,
            state,
            tip,
            blocks: vec![Block {
                transactions,
                execution,
            }],
            salt: 0,
        };
        // Nobody certifies block 0: the genesis file says it all.
        chain.block(Vec::new());
        chain
    }

    /// A member's call, in a block of its own.
    pub(crate) fn calls(&mut self, member: usize, call: Call) -> Outcome {
        let author = Author::Member(self.genesis.members()[member].server_id());
        self.salt += 1;
        let until = BlockTime::new(patient::clock::wall_ms() + 60_000);
        let salt = self.salt.to_le_bytes();
        let signed = Transaction::new(*self.genesis.chain(), author, until, salt, call)
            .sign(&self.keys[member]);
        self.append(signed)
    }

    /// A block with this transaction.
    pub(crate) fn append(&mut self, signed: SignedTransaction) -> Outcome {
        self.block(vec![signed]).remove(0)
    }

    fn block(&mut self, transactions: Vec<SignedTransaction>) -> Vec<Outcome> {
        let now = BlockTime::new(patient::clock::wall_ms());
        let bytes = encode_batch(now, transactions.iter().map(SignedTransaction::as_bytes));
        let genesis = &self.genesis;
        let batch = check_batch(&bytes, genesis.chain(), genesis.parameters(), now, |_| {
            false
        })
        .unwrap();
        let execution = execute(&self.state, &self.tip, &batch).unwrap();
        self.state.apply(execution.writes());
        self.tip.advance(&execution);
        let outcomes = execution.outcomes().to_vec();
        self.blocks.push(Block {
            transactions,
            execution,
        });
        outcomes
    }

    pub(crate) const fn snapshot(&self) -> Snapshot<&MemoryState> {
        Snapshot::new(&self.state, self.tip.height())
    }

    const fn header(&self) -> &Header {
        self.tip.header()
    }

    fn quorum(&self) -> Vec<(u16, &SigningKey)> {
        (0_u16..).zip(&self.keys).take(3).collect()
    }

    /// What the newest state has under these keys.
    pub(crate) fn excerpt(&self, keys: Vec<(ContractId, Vec<u8>)>) -> Excerpt {
        let snapshot = self.snapshot();
        let entry = |(contract, key): (ContractId, Vec<u8>)| Entry {
            contract: contract.as_str().to_owned(),
            proof: Bytes(snapshot.prove(&contract, &key).unwrap().encode()),
            key: Bytes(key),
        };
        Excerpt {
            schema: SCHEMA.to_owned(),
            version: Version,
            chain: *self.genesis.chain(),
            kind: self.genesis.kind(),
            entries: keys.into_iter().map(entry).collect(),
            header: Bytes(self.header().encode()),
            certificate: certify(self.header(), &self.quorum()),
            epochs: Vec::new(),
        }
    }

    /// The excerpt of all servers' keys.
    pub(crate) fn servers(&self) -> Excerpt {
        let keys = self.genesis.members().iter().flat_map(|member| {
            let id = member.server_id();
            [servers::newest_key(&id), servers::record_key(&id, 1)]
        });
        self.excerpt(keys.map(|key| (SERVERS, key)).collect())
    }

    /// The excerpt of one AID.
    pub(crate) fn record(&self, aid: &Aid) -> Excerpt {
        let keys = [identity::identity_key(aid), identity::origin_key(aid)];
        self.excerpt(keys.into_iter().map(|key| (IDENTITY, key)).collect())
    }

    /// The receipt of a session, if its result is on the ledger.
    pub(crate) fn receipt_of(&self, sid: &SessionId) -> Option<Receipt> {
        let entry_in = |block: &Block| {
            let mut all = contract::recorded(&block.transactions, block.execution.outcomes());
            all.find(|one| one.sid() == sid).map(|one| one.entry)
        };
        let mut blocks = self.blocks.iter();
        blocks.find_map(|block| Some(self.receipt(block, entry_in(block)?)))
    }

    /// The receipt of a block's only transaction; of a bundle of results that of the one at `entry`.
    pub(crate) fn receipt(&self, block: &Block, entry: usize) -> Receipt {
        let (execution, at) = (&block.execution, (0, entry));
        let header = Header::decode(execution.header_bytes()).unwrap();
        let outcomes = execution.outcome_bytes();
        let proof =
            TransactionProof::of_block(execution.header_bytes(), &block.transactions, outcomes, at)
                .unwrap();
        Receipt::of_proof(&self.genesis, proof, certify(&header, &self.quorum())).unwrap()
    }
}
