//! A ledger of four with known keys, from which the samples come.

use std::sync::Arc;

use contract::contracts::evidence::{Culprit, Misbehaviour};
use contract::contracts::identity::id_commitment;
use contract::contracts::membership::{
    Candidate, ContractChange, MembershipChange, ParameterChange, Renewal, Replacement,
};
use contract::contracts::registry::ContractStatus;
use contract::genesis::Content;
use contract::identity::SpkiHash;
use contract::{
    Aid, AuthResult, Author, Blob, BlockTime, Call, ChainId, ChangeId, Epoch, Genesis, HeaderHash,
    Height, Kind, LegacyResult, LimbasiyaServer, Member, MemoryState, PatientRecord, PublicKey,
    Registration, Role, ServerRecord, SessionId, SignatureBytes, SignedTransaction, Status,
    SuiteId, Tip, Transaction, WuRecord, found,
};
use ed25519_dalek::{Signer as _, SigningKey};

/// The time of block 0.
const START_MS: u64 = 1_800_000_000_000;

/// The ledger.
#[derive(Debug)]
pub(crate) struct Stock {
    /// Its foundation: a research ledger, which takes calls of every kind.
    pub(crate) genesis: Arc<Genesis>,
    /// The members' keys, the RC's first.
    pub(crate) keys: Vec<SigningKey>,
}

/// A judge who finds no fault with anybody.
#[derive(Debug)]
struct Lenient;

impl Misbehaviour for Lenient {
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

/// The key with this seed.
pub(crate) fn key(seed: u8) -> SigningKey {
    SigningKey::from_bytes(&[seed; 32])
}

/// Its public half.
pub(crate) fn public(key: &SigningKey) -> PublicKey {
    PublicKey::new(key.verifying_key().to_bytes())
}

/// A time after block 0.
pub(crate) const fn time(after_ms: u64) -> BlockTime {
    BlockTime::new(START_MS + after_ms)
}

/// A member whose keys have this seed.
fn member(seed: u8) -> Member {
    Member {
        name: format!("member-{seed}"),
        role: if seed == 1 { Role::Rc } else { Role::Server },
        key: public(&key(seed)),
        network_key: public(&key(seed + 100)),
        tls_spki: SpkiHash::new([seed; 32]),
        p2p: format!("/ip4/127.0.0.1/tcp/71{seed:02}"),
        api: format!("https://127.0.0.1:81{seed:02}"),
    }
}

impl Stock {
    /// The ledger, founded.
    pub(crate) fn new() -> Self {
        let keys = (1..=4).map(key).collect();
        let content = Content::new(
            Kind::Research,
            "fuzz",
            time(0),
            (1..=4).map(member).collect(),
        );
        let genesis = Genesis::parse(&content.to_json())
            .unwrap_or_else(|error| unreachable!("the genesis of the samples: {error}"));
        Self {
            genesis: Arc::new(genesis),
            keys,
        }
    }

    /// Block 0: its tip, and the state after it.
    pub(crate) fn founded(&self) -> (Tip, MemoryState) {
        let (tip, execution) = found(Arc::clone(&self.genesis), Arc::new(Lenient))
            .unwrap_or_else(|error| unreachable!("block 0 of the samples: {error}"));
        let mut state = MemoryState::new();
        state.apply(execution.writes());
        (tip, state)
    }

    /// One transaction of each kind.
    pub(crate) fn transactions(&self) -> Vec<SignedTransaction> {
        let calls = self.calls();
        let salted = (0_u8..).zip(calls);
        salted
            .map(|(salt, call)| self.signed(1, [salt; 8], call))
            .collect()
    }

    /// A member's transaction.
    pub(crate) fn signed(&self, place: usize, salt: [u8; 8], call: Call) -> SignedTransaction {
        let author = Author::Member(self.genesis.members()[place].server_id());
        Transaction::new(*self.genesis.chain(), author, time(60_000), salt, call)
            .sign(&self.keys[place])
    }

    /// What may be asked.
    fn calls(&self) -> Vec<Call> {
        let aid = Aid::new([9; 32]);
        vec![
            Call::Register(Box::new(registration())),
            Call::Revoke(aid),
            Call::Shred(aid),
            Call::WuRegister(WuRecord {
                aid,
                id: Blob::new(b"synthetic".to_vec()),
            }),
            Call::Results(vec![self.result(1), self.result(2)]),
            Call::LegacyResults(vec![self.legacy(aid, 1), self.legacy(aid, 2)]),
            Call::SetServer(self.server()),
            Call::ProposeChange(Box::new(self.change())),
            Call::ApproveChange(ChangeId::new([6; 32])),
            Call::CancelChange(ChangeId::new([6; 32])),
            Call::Ready {
                height: Height::new(7),
                header: HeaderHash::new([8; 32]),
            },
            Call::Rejoin { random: [9; 16] },
            Call::Evidence(Blob::new(vec![5; 222])),
            Call::LimbasiyaServer(LimbasiyaServer {
                server_id: self.genesis.members()[1].server_id(),
                id: self.genesis.members()[1].name.clone(),
                place: "Goa".to_owned(),
            }),
            Call::LimbasiyaUser(aid),
        ]
    }

    /// A sign-in that the patient signed.
    fn result(&self, session: u8) -> AuthResult {
        let patient = key(77);
        let mut result = AuthResult {
            suite: SuiteId::AIDC_1,
            server_id: self.genesis.members()[1].server_id(),
            key_epoch: 1,
            aid: Aid::new([9; 32]),
            t1: time(1),
            t3: time(2),
            sid: SessionId::new([session; 32]),
            pk_sig: public(&patient),
            sigma: SignatureBytes::new([0; 64]),
        };
        let digest = result.statement_digest(self.genesis.chain());
        result.sigma = SignatureBytes::new(patient.sign(&digest).to_bytes());
        result
    }

    /// A sign-in on the server's word.
    fn legacy(&self, aid: Aid, session: u8) -> LegacyResult {
        LegacyResult {
            suite: SuiteId::WU_2021,
            server_id: self.genesis.members()[1].server_id(),
            aid,
            t1: time(1),
            t3: time(2),
            sid: SessionId::new([session; 32]),
        }
    }

    /// A server's record.
    fn server(&self) -> ServerRecord {
        ServerRecord {
            server_id: self.genesis.members()[1].server_id(),
            node_key: public(&self.keys[1]),
            dh_epoch_key: PublicKey::new([2; 32]),
            key_epoch: 1,
            not_before: time(0),
            not_after: time(86_400_000),
            suites: vec![SuiteId::AIDC_1],
        }
    }

    /// A change with something in each of its lists.
    fn change(&self) -> MembershipChange {
        let candidate = |seed| Candidate {
            member: member(seed),
            possession: SignatureBytes::new([seed; 64]),
        };
        let id = |place: usize| self.genesis.members()[place].server_id();
        MembershipChange {
            add: vec![candidate(10)],
            remove: vec![id(3)],
            replace: vec![Replacement {
                leaver: id(2),
                candidate: candidate(11),
            }],
            renew: vec![Renewal {
                id: id(1),
                to: member(12),
                by_old: SignatureBytes::new([1; 64]),
                by_new: SignatureBytes::new([2; 64]),
            }],
            parameters: vec![ParameterChange {
                name: "depth".to_owned(),
                value: 3,
            }],
            contracts: vec![ContractChange {
                id: contract::contract_id::AUTHLOG,
                version: 2,
                status: ContractStatus::Enabled,
            }],
            lower_faults: true,
        }
    }
}

/// A registration whose proofs prove nothing.
fn registration() -> Registration {
    let aid = Aid::new([9; 32]);
    Registration {
        record: PatientRecord {
            aid,
            pk_dh: PublicKey::new([2; 32]),
            pk_sig: public(&key(77)),
            pk_recovery: public(&key(78)),
            status: Status::Active,
            epoch: 0,
            c_id: Blob::new(vec![3; 80]),
            id_commit: id_commitment(&aid, &[4; 32], b"patient"),
        },
        proof_dh: SignatureBytes::new([1; 64]),
        proof_sig: SignatureBytes::new([2; 64]),
    }
}
