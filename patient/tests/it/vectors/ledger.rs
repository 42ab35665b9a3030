//! Small ledgers with known keys, and receipts from their blocks.

use consensus::{ChainId, Digest, Epoch, Kind as Vote, Seq, Statement, View};
use contract::contracts::{disclosure, limbasiya};
use contract::genesis::{Content, Genesis, Kind, Member, Role, committee_digest};
use contract::identity::{
    Aid, BlockTime, HeaderHash, Height, PublicKey, Root, SessionId, SignatureBytes, SpkiHash,
    SuiteId,
};
use contract::merkle;
use contract::outcome::{Outcome, Output};
use contract::record::{AuthResult, LegacyResult, WuRecord};
use contract::transaction::{Author, Call, Transaction};
use contract::{Blob, Header, SignedTransaction, TransactionProof};
use ed25519_dalek::{Signer as _, SigningKey};
use patient::receipt::{Bytes, Certificate, EpochProof, MemberSignature, Receipt};

use super::NOW_MS;

/// Block times of the vectors: an hour before they are judged.
pub(crate) const TIME_MS: u64 = NOW_MS - 3_600_000;
const NAMES: [&str; 6] = [
    "rc", "clinic-a", "clinic-b", "clinic-c", "clinic-d", "clinic-e",
];

pub(crate) struct Ledger {
    pub(crate) genesis: Genesis,
    pub(crate) file: Vec<u8>,
    pub(crate) keys: Vec<SigningKey>,
}

pub(crate) fn key(seed: u8) -> SigningKey {
    SigningKey::from_bytes(&[seed; 32])
}

pub(crate) fn public(key: &SigningKey) -> PublicKey {
    PublicKey::new(key.verifying_key().to_bytes())
}

pub(crate) const fn aid(number: u8) -> Aid {
    Aid::new([number; 32])
}

impl Ledger {
    pub(crate) fn new(kind: Kind, size: usize) -> Self {
        let keys: Vec<_> = (1..).map(key).take(size).collect();
        let members = (0..size).map(|place| member(place, &keys[place])).collect();
        let time = BlockTime::new(TIME_MS - 86_400_000);
        let mut content = Content::new(kind, "vectors", time, members);
        // The vectors were made when these contracts were not built in; their files stay valid.
        let later = [disclosure::ID, limbasiya::ID];
        content.contracts.retain(|one| !later.contains(&one.id));
        content
            .suites
            .retain(|suite| *suite != SuiteId::LIMBASIYA_2020);
        let file = content.to_json();
        Self {
            genesis: Genesis::parse(&file).unwrap(),
            file,
            keys,
        }
    }

    pub(crate) fn transaction(&self, author: usize, call: Call) -> SignedTransaction {
        let author_id = self.genesis.members()[author].server_id();
        let until = BlockTime::new(TIME_MS + 60_000);
        let salt = [u8::try_from(author).unwrap(); 8];
        Transaction::new(
            *self.genesis.chain(),
            Author::Member(author_id),
            until,
            salt,
            call,
        )
        .sign(&self.keys[author])
    }

    pub(crate) fn sign_in(&self, author: usize, patients: &[u8]) -> SignedTransaction {
        let server_id = self.genesis.members()[author].server_id();
        let results = patients.iter().map(|patient| LegacyResult {
            suite: SuiteId::WU_2021,
            server_id,
            aid: aid(*patient),
            t1: BlockTime::new(TIME_MS - 2_000),
            t3: BlockTime::new(TIME_MS - 1_000),
            sid: SessionId::new([patient.wrapping_add(100); 32]),
        });
        self.transaction(author, Call::LegacyResults(results.collect()))
    }

    pub(crate) fn secure_sign_in(&self, author: usize, patient: u8) -> SignedTransaction {
        let sign = |signer: &SigningKey, digest: &[u8]| {
            SignatureBytes::new(signer.sign(digest).to_bytes())
        };
        self.secure_sign_in_by(author, patient, sign)
    }

    /// A bundle of AIDC-1 sign-ins of these patients at one server.
    pub(crate) fn bundle(&self, author: usize, patients: &[u8]) -> SignedTransaction {
        let sign = |signer: &SigningKey, digest: &[u8]| {
            SignatureBytes::new(signer.sign(digest).to_bytes())
        };
        let results = patients
            .iter()
            .map(|patient| self.result(author, *patient, sign));
        self.transaction(author, Call::Results(results.collect()))
    }

    /// The same, with σ as `sign` makes it.
    pub(crate) fn secure_sign_in_by(
        &self,
        author: usize,
        patient: u8,
        sign: impl Fn(&SigningKey, &[u8]) -> SignatureBytes,
    ) -> SignedTransaction {
        let result = self.result(author, patient, sign);
        self.transaction(author, Call::Results(vec![result]))
    }

    fn result(
        &self,
        author: usize,
        patient: u8,
        sign: impl Fn(&SigningKey, &[u8]) -> SignatureBytes,
    ) -> AuthResult {
        let signer = key(patient);
        let mut result = AuthResult {
            suite: SuiteId::AIDC_1,
            server_id: self.genesis.members()[author].server_id(),
            key_epoch: 1,
            aid: aid(patient),
            t1: BlockTime::new(TIME_MS - 2_000),
            t3: BlockTime::new(TIME_MS - 1_000),
            sid: SessionId::new([patient; 32]),
            pk_sig: public(&signer),
            sigma: SignatureBytes::new([0; 64]),
        };
        let digest = result.statement_digest(self.genesis.chain());
        result.sigma = sign(&signer, &digest);
        result
    }

    pub(crate) fn registration(&self, patient: u8) -> SignedTransaction {
        let record = WuRecord {
            aid: aid(patient),
            id: Blob::new(b"synthetic-patient".to_vec()),
        };
        self.transaction(0, Call::WuRegister(record))
    }

    /// The block at height 15 of epoch 0 that holds these transactions.
    pub(crate) fn block(&self, content: Vec<(SignedTransaction, Outcome)>) -> Block {
        let transactions = content.iter().map(|(one, _)| one.leaf_hash());
        let outcomes = content
            .iter()
            .map(|(_, outcome)| merkle::leaf_hash(&outcome.encode()));
        let header = Header {
            version: 1,
            chain: *self.genesis.chain(),
            height: Height::new(15),
            epoch: contract::identity::Epoch::new(0),
            time: BlockTime::new(TIME_MS),
            parent: HeaderHash::new([0xA1; 32]),
            batch_digest: Root::new([0xA2; 32]),
            transactions_root: merkle::root(&transactions.collect::<Vec<_>>()),
            outcomes_root: merkle::root(&outcomes.collect::<Vec<_>>()),
            state_root: Root::new([0xA3; 32]),
            history_root: Root::new([0xA4; 32]),
            next_committee: self.genesis.committee_digest(),
        };
        Block { header, content }
    }

    /// The standard block: five transactions, of which number 2 is a sign-in of patient 7 at clinic-c.
    pub(crate) fn standard(&self) -> Block {
        self.block(vec![
            (self.registration(7), written()),
            (self.sign_in(1, &[8]), recorded()),
            (self.sign_in(3, &[7]), recorded()),
            (self.sign_in(2, &[9, 7, 8]), recorded()),
            (self.registration(8), written()),
        ])
    }

    /// A receipt of the ledger's block for its transaction at `index`, signed by these members.
    pub(crate) fn receipt(&self, block: &Block, index: usize, signers: &[u16]) -> Receipt {
        let signed = |member: &u16| (*member, &self.keys[usize::from(*member)]);
        self.receipt_signed(
            block,
            index,
            &signers.iter().map(signed).collect::<Vec<_>>(),
        )
    }

    pub(crate) fn receipt_signed(
        &self,
        block: &Block,
        index: usize,
        signers: &[(u16, &SigningKey)],
    ) -> Receipt {
        self.receipt_of_entry(block, (index, 0), signers)
    }

    /// The same for the result at an entry of a bundle.
    pub(crate) fn receipt_of_entry(
        &self,
        block: &Block,
        at: (usize, usize),
        signers: &[(u16, &SigningKey)],
    ) -> Receipt {
        let header = block.header.encode();
        let (transactions, outcomes): (Vec<_>, Vec<_>) = block
            .content
            .iter()
            .map(|(transaction, outcome)| (transaction.clone(), outcome.encode()))
            .unzip();
        let proof = TransactionProof::of_block(&header, &transactions, &outcomes, at).unwrap();
        Receipt::of_proof(&self.genesis, proof, certify(&block.header, signers)).unwrap()
    }

    /// The end of epoch `epoch` at `height`, which hands over to `next`, signed by `signers`.
    pub(crate) fn epoch_end(
        &self,
        epoch: u32,
        height: u64,
        next: &[SigningKey],
        signers: &[(u16, &SigningKey)],
    ) -> EpochProof {
        let committee: Vec<_> = next.iter().map(public).collect();
        self.epoch_end_keys(epoch, height, committee, signers)
    }

    pub(crate) fn epoch_end_keys(
        &self,
        epoch: u32,
        height: u64,
        committee: Vec<PublicKey>,
        signers: &[(u16, &SigningKey)],
    ) -> EpochProof {
        let mut header = self.block(Vec::new()).header;
        header.epoch = contract::identity::Epoch::new(epoch);
        header.height = Height::new(height);
        header.next_committee = committee_digest(&committee);
        EpochProof {
            header: Bytes(header.encode()),
            committee,
            certificate: certify(&header, signers),
        }
    }
}

pub(crate) struct Block {
    pub(crate) header: Header,
    pub(crate) content: Vec<(SignedTransaction, Outcome)>,
}

pub(crate) const fn written() -> Outcome {
    Outcome::Done(Output::Written)
}

pub(crate) const fn recorded() -> Outcome {
    Outcome::Done(Output::Recorded {
        refused: Vec::new(),
    })
}

/// What a member signs for this header.
pub(crate) fn statement(header: &Header) -> Statement {
    Statement {
        chain: ChainId::new(*header.chain.as_bytes()),
        epoch: Epoch::new(header.epoch.get()),
        kind: Vote::Checkpoint,
        view: View::ZERO,
        seq: Seq::new(header.height.get()),
        digest: Digest::new(*header.hash().as_bytes()),
    }
}

pub(crate) fn certify(header: &Header, signers: &[(u16, &SigningKey)]) -> Certificate {
    certify_statement(header, &statement(header), signers)
}

/// A certificate for the header whose signatures are over another statement.
pub(crate) fn certify_statement(
    header: &Header,
    statement: &Statement,
    signers: &[(u16, &SigningKey)],
) -> Certificate {
    let signature = |key: &SigningKey| SignatureBytes::new(key.sign(&statement.bytes()).to_bytes());
    Certificate {
        epoch: header.epoch.get(),
        height: header.height.get(),
        signatures: signers
            .iter()
            .map(|(member, key)| MemberSignature {
                member: *member,
                signature: signature(key),
            })
            .collect(),
    }
}

fn member(place: usize, key: &SigningKey) -> Member {
    let seed = u8::try_from(place).unwrap();
    Member {
        name: NAMES[place].to_owned(),
        role: if place == 0 { Role::Rc } else { Role::Server },
        key: public(key),
        network_key: public(&self::key(seed + 200)),
        tls_spki: SpkiHash::new([seed + 100; 32]),
        p2p: format!("/ip4/127.0.0.1/tcp/{}", 7100 + place),
        api: format!("https://127.0.0.1:{}", 8100 + place),
    }
}

/// The genesis files of the folder.
pub(crate) fn geneses() -> Vec<(&'static str, Vec<u8>)> {
    vec![
        ("genesis-4", Ledger::new(Kind::Research, 4).file),
        ("genesis-5", Ledger::new(Kind::Research, 5).file),
        ("genesis-6", Ledger::new(Kind::Research, 6).file),
        ("genesis-secure", Ledger::new(Kind::Secure, 4).file),
    ]
}
