//! A consortium of four in memory, with patients, that the tests execute batches on.

use std::sync::Arc;

use contract::contracts::evidence::{Culprit, Misbehaviour};
use contract::contracts::identity::id_commitment;
use contract::encoding::decode;
use contract::genesis::Content;
use contract::identity::SpkiHash;
use contract::{
    Aid, AuthResult, Author, Blob, BlockTime, Call, ChainId, CheckedBatch, Epoch, Execution,
    Genesis, Kind, LegacyResult, Member, MemoryState, Outcome, PatientRecord, PublicKey,
    Registration, Role, ServerId, ServerRecord, SessionId, SignatureBytes, SignedTransaction,
    Snapshot, Status, SuiteId, Tip, Transaction, check_batch, encode_batch, execute, found,
};
use ed25519_dalek::{Signer as _, SigningKey};
use k256::schnorr;

/// The time of block 0.
pub(crate) const START: u64 = 1_800_000_000_000;
/// The names of the members, the RC first.
pub(crate) const NAMES: [&str; 4] = ["rc", "clinic-a", "clinic-b", "clinic-c"];

pub(crate) const fn time(after_start: u64) -> BlockTime {
    BlockTime::new(START + after_start)
}

pub(crate) fn public(signer: &SigningKey) -> PublicKey {
    PublicKey::new(signer.verifying_key().to_bytes())
}

pub(crate) fn sign(signer: &SigningKey, message: &[u8]) -> SignatureBytes {
    SignatureBytes::new(signer.sign(message).to_bytes())
}

/// A patient under AIDC-1 with all her keys.
pub(crate) struct Patient {
    pub(crate) dh: schnorr::SigningKey,
    pub(crate) sig: SigningKey,
    pub(crate) recovery: SigningKey,
    pub(crate) record: PatientRecord,
}

impl Patient {
    pub(crate) fn new(seed: u8) -> Self {
        let dh = schnorr::SigningKey::from_slice(&[seed; 32]).unwrap();
        let sig = SigningKey::from_bytes(&[seed ^ 0x55; 32]);
        let recovery = SigningKey::from_bytes(&[seed ^ 0xaa; 32]);
        let pk_dh = PublicKey::new(dh.verifying_key().to_bytes().into());
        let aid = Aid::of_keys(SuiteId::AIDC_1, &pk_dh, &public(&sig));
        let record = PatientRecord {
            aid,
            pk_dh,
            pk_sig: public(&sig),
            pk_recovery: public(&recovery),
            status: Status::Active,
            epoch: 0,
            c_id: Blob::new(vec![seed; 80]),
            id_commit: id_commitment(&aid, &[seed; 32], b"patient"),
        };
        Self {
            dh,
            sig,
            recovery,
            record,
        }
    }

    /// Her registration, with both proofs of possession.
    pub(crate) fn registration(&self, chain: &ChainId) -> Registration {
        self.registration_after(chain, 0)
    }

    /// The same, in place of an AID after so many replacements.
    pub(crate) fn registration_after(&self, chain: &ChainId, epoch: u32) -> Registration {
        let digest = self.record.possession_digest(chain);
        let proof_dh = self.dh.sign_raw(&digest, &[7; 32]).unwrap().to_bytes();
        Registration {
            record: PatientRecord {
                epoch,
                ..self.record.clone()
            },
            proof_dh: SignatureBytes::new(proof_dh),
            proof_sig: sign(&self.sig, &digest),
        }
    }
}

/// A judge who believes every confession: epoch u32, place u16, view u64, seq u64.
#[derive(Debug)]
pub(crate) struct Confessions;

/// What this judge takes for evidence.
pub(crate) fn confession(epoch: u32, place: u16, view: u64, seq: u64) -> Blob {
    Blob::new(contract::encoding::encode(&(epoch, place, view, seq)))
}

impl Misbehaviour for Confessions {
    fn epoch(&self, evidence: &[u8]) -> Option<Epoch> {
        let (epoch, ..): (u32, u16, u64, u64) = decode(evidence, 22).ok()?;
        Some(Epoch::new(epoch))
    }

    fn check(
        &self,
        _chain: &ChainId,
        _epoch: Epoch,
        committee: &[PublicKey],
        evidence: &[u8],
    ) -> Option<Culprit> {
        let (_, place, view, seq): (u32, u16, u64, u64) = decode(evidence, 22).ok()?;
        committee.get(usize::from(place))?;
        Some(Culprit { place, view, seq })
    }
}

/// A genesis, its keys, and a ledger that grows in memory.
pub(crate) struct Consortium {
    pub(crate) genesis: Arc<Genesis>,
    pub(crate) keys: Vec<SigningKey>,
    pub(crate) state: MemoryState,
    pub(crate) tip: Tip,
    salt: u64,
}

/// The content of a four-member genesis.
pub(crate) fn content(kind: Kind) -> Content {
    let members = NAMES
        .iter()
        .zip(1_u8..)
        .map(|(name, seed)| Member {
            name: (*name).to_owned(),
            role: if seed == 1 { Role::Rc } else { Role::Server },
            key: public(&SigningKey::from_bytes(&[seed; 32])),
            network_key: public(&SigningKey::from_bytes(&[seed + 100; 32])),
            tls_spki: SpkiHash::new([seed; 32]),
            p2p: format!("/ip4/127.0.0.1/tcp/710{seed}"),
            api: format!("https://127.0.0.1:810{seed}"),
        })
        .collect();
    Content::new(kind, "demo", time(0), members)
}

/// A record of a member's first key epoch, valid for a day.
pub(crate) fn server_record(genesis_content: &Content, member: usize) -> ServerRecord {
    let member = &genesis_content.members[member];
    let dh = schnorr::SigningKey::from_slice(&[0x33; 32]).unwrap();
    ServerRecord {
        server_id: member.server_id(),
        node_key: member.key,
        dh_epoch_key: PublicKey::new(dh.verifying_key().to_bytes().into()),
        key_epoch: 1,
        not_before: time(0),
        not_after: time(86_400_000),
        suites: vec![SuiteId::AIDC_1],
    }
}

/// The same server's record of another epoch, with that epoch's key.
pub(crate) fn renewed(record: &ServerRecord, key_epoch: u8) -> ServerRecord {
    let dh = schnorr::SigningKey::from_slice(&[0x40 + key_epoch; 32]).unwrap();
    ServerRecord {
        dh_epoch_key: PublicKey::new(dh.verifying_key().to_bytes().into()),
        key_epoch: u32::from(key_epoch),
        ..record.clone()
    }
}

impl Consortium {
    pub(crate) fn founded(content: &Content) -> Self {
        let genesis = Arc::new(Genesis::parse(&content.to_json()).unwrap());
        let (tip, block_0) = found(Arc::clone(&genesis), Arc::new(Confessions)).unwrap();
        let mut state = MemoryState::new();
        state.apply(block_0.writes());
        Self {
            genesis,
            keys: (1..=4).map(|s| SigningKey::from_bytes(&[s; 32])).collect(),
            state,
            tip,
            salt: 0,
        }
    }

    /// A secure ledger that knows patient 1 and every server's first epoch.
    pub(crate) fn secure() -> Self {
        let mut content = content(Kind::Secure);
        content.patients = vec![Patient::new(1).record];
        content.servers = (0..4).map(|i| server_record(&content, i)).collect();
        Self::founded(&content)
    }

    pub(crate) fn research() -> Self {
        Self::founded(&content(Kind::Research))
    }

    pub(crate) fn chain(&self) -> &ChainId {
        self.genesis.chain()
    }

    pub(crate) fn id(&self, member: usize) -> ServerId {
        self.genesis.members()[member].server_id()
    }

    /// A member's transaction, valid for a minute from the tip's time on.
    pub(crate) fn by_member(&mut self, member: usize, call: Call) -> SignedTransaction {
        let valid_until = self.tip.header().time.plus_ms(60_000);
        self.signed(Author::Member(self.id(member)), member, valid_until, call)
    }

    pub(crate) fn signed(
        &mut self,
        author: Author,
        key: usize,
        valid_until: BlockTime,
        call: Call,
    ) -> SignedTransaction {
        let key = self.keys[key].clone();
        self.signed_with(author, &key, valid_until, call)
    }

    pub(crate) fn signed_with(
        &mut self,
        author: Author,
        key: &SigningKey,
        valid_until: BlockTime,
        call: Call,
    ) -> SignedTransaction {
        self.salt += 1;
        let salt = self.salt.to_le_bytes();
        Transaction::new(*self.chain(), author, valid_until, salt, call).sign(key)
    }

    /// What a patient herself sends, signed with one of her keys.
    pub(crate) fn by_patient(
        &mut self,
        patient: &Patient,
        key: &SigningKey,
        call: Call,
    ) -> SignedTransaction {
        let valid_until = self.tip.header().time.plus_ms(60_000);
        self.signed_with(Author::Patient(patient.record.aid), key, valid_until, call)
    }

    /// What a member's call comes to, in a block at the tip's time.
    pub(crate) fn calls(&mut self, member: usize, call: Call) -> Outcome {
        let transaction = self.by_member(member, call);
        self.one(transaction)
    }

    /// What a patient's call under one of her keys comes to, in a block at the tip's time.
    pub(crate) fn patient_calls(
        &mut self,
        patient: &Patient,
        key: &SigningKey,
        call: Call,
    ) -> Outcome {
        let transaction = self.by_patient(patient, key, call);
        self.one(transaction)
    }

    /// Lets block time go by, with an empty block.
    pub(crate) fn wait(&mut self, ms: u64) {
        let later = self.tip.header().time.plus_ms(ms);
        self.block(later, &[]);
    }

    /// A sign-in of a patient at a member, with its statement.
    pub(crate) fn result(&self, patient: &Patient, member: usize, sid: u8) -> AuthResult {
        let now = self.tip.header().time;
        self.result_at(patient, member, SessionId::new([sid; 32]), now)
    }

    pub(crate) fn result_at(
        &self,
        patient: &Patient,
        member: usize,
        sid: SessionId,
        t3: BlockTime,
    ) -> AuthResult {
        let mut result = AuthResult {
            suite: SuiteId::AIDC_1,
            server_id: self.id(member),
            key_epoch: 1,
            aid: patient.record.aid,
            t1: t3,
            t3,
            sid,
            pk_sig: patient.record.pk_sig,
            sigma: SignatureBytes::new([0; 64]),
        };
        result.sigma = sign(&patient.sig, &result.statement_digest(self.chain()));
        result
    }

    pub(crate) fn legacy(&self, aid: Aid, member: usize, sid: u8) -> LegacyResult {
        let now = self.tip.header().time;
        LegacyResult {
            suite: SuiteId::WU_2021,
            server_id: self.id(member),
            aid,
            t1: now,
            t3: now,
            sid: SessionId::new([sid; 32]),
        }
    }

    /// The batch as every voter checks it.
    pub(crate) fn checked(
        &self,
        at: BlockTime,
        transactions: &[SignedTransaction],
    ) -> CheckedBatch {
        let bytes = encode_batch(at, transactions.iter().map(SignedTransaction::as_bytes));
        check_batch(
            &bytes,
            self.genesis.chain(),
            self.genesis.parameters(),
            at,
            |_| false,
        )
        .unwrap()
    }

    /// Executes a batch and moves on.
    pub(crate) fn apply(&mut self, batch: &CheckedBatch) -> Execution {
        let execution = execute(&self.state, &self.tip, batch).unwrap();
        self.state.apply(execution.writes());
        self.tip.advance(&execution);
        execution
    }

    /// Executes transactions as one block at this time.
    pub(crate) fn block(
        &mut self,
        at: BlockTime,
        transactions: &[SignedTransaction],
    ) -> Vec<Outcome> {
        let batch = self.checked(at, transactions);
        self.apply(&batch).outcomes().to_vec()
    }

    /// Executes one transaction as a block at the tip's time.
    pub(crate) fn one(&mut self, transaction: SignedTransaction) -> Outcome {
        let now = self.tip.header().time;
        self.block(now, &[transaction]).remove(0)
    }

    pub(crate) const fn snapshot(&self) -> Snapshot<&MemoryState> {
        Snapshot::new(&self.state, self.tip.height())
    }
}
