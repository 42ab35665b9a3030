//! A research ledger of four members whose votes and transactions the tests sign themselves.
#![expect(
    clippy::arithmetic_side_effects,
    clippy::wildcard_enum_match_arm,
    reason = "a fixture of tests: a wrong number or reply is a failed test"
)]

use std::path::Path;
use std::sync::{Arc, mpsc};
use std::time::Duration;

use consensus::{
    Batch, Checkpoint, CheckpointCertificate, Commit, CommitCertificate, Committed, Committee,
    Digest, Ed25519, Epoch, Order, Proven, ReplicaId, Seq, Signed, View,
};
use contract::genesis::Content;
use contract::identity::SpkiHash;
use contract::{
    Aid, Author, Blob, BlockTime, Call, Genesis, Kind, LegacyResult, Member, PublicKey, Role,
    ServerId, SessionId, SignedTransaction, SuiteId, Transaction, WuRecord, encode_batch,
};
use ed25519_dalek::SigningKey;
use node::clock::Clock;
use node::executor::{Executor, Mismatch, Reply, Started};
use node::ledger::Ledger;
use node::mempool::{Mempool, Submitter};
use node::store::Opened;
use tokio::sync::mpsc as async_mpsc;

/// How long a test waits for the executor before it fails.
const PATIENCE: Duration = Duration::from_secs(30);

/// The ledger's rules, and every member's key.
pub(crate) struct Consortium {
    pub(crate) genesis: Arc<Genesis>,
    pub(crate) start: u64,
    committee: Committee,
    salt: u64,
}

fn key(member: u8) -> SigningKey {
    SigningKey::from_bytes(&[member + 1; 32])
}

/// The content of the genesis file, to be changed by a test.
pub(crate) fn content(start: u64) -> Content {
    let public = |seed: u8| {
        PublicKey::new(
            SigningKey::from_bytes(&[seed; 32])
                .verifying_key()
                .to_bytes(),
        )
    };
    let members = ["rc", "clinic-a", "clinic-b", "clinic-c"]
        .iter()
        .zip(1_u8..)
        .map(|(name, seed)| Member {
            name: (*name).to_owned(),
            role: if seed == 1 { Role::Rc } else { Role::Server },
            key: public(seed),
            network_key: public(seed + 100),
            tls_spki: SpkiHash::new([seed; 32]),
            p2p: format!("/ip4/127.0.0.1/tcp/710{seed}"),
            api: format!("https://127.0.0.1:810{seed}"),
        })
        .collect();
    Content::new(Kind::Research, "test", BlockTime::new(start), members)
}

impl Consortium {
    pub(crate) fn new() -> Self {
        Self::founded(&content(Clock::start().wall_ms()))
    }

    pub(crate) fn founded(content: &Content) -> Self {
        let genesis = Arc::new(Genesis::parse(&content.to_json()).unwrap());
        let keys = genesis
            .committee()
            .iter()
            .map(|key| consensus::PublicKey::new(*key.as_bytes()))
            .collect();
        let chain = consensus::ChainId::new(*genesis.chain().as_bytes());
        Self {
            committee: Committee::new(chain, Epoch::ZERO, keys).unwrap(),
            start: content.time_ms.get(),
            genesis,
            salt: 0,
        }
    }

    pub(crate) fn server(&self, member: u8) -> ServerId {
        self.genesis.members()[usize::from(member)].server_id()
    }

    /// A call of a member, valid for a minute from the start.
    pub(crate) fn call(&mut self, member: u8, call: Call) -> SignedTransaction {
        self.call_until(member, self.start + 60_000, call)
    }

    pub(crate) fn call_until(
        &mut self,
        member: u8,
        valid_until: u64,
        call: Call,
    ) -> SignedTransaction {
        self.salt += 1;
        let author = Author::Member(self.server(member));
        Transaction::new(
            *self.genesis.chain(),
            author,
            BlockTime::new(valid_until),
            self.salt.to_le_bytes(),
            call,
        )
        .sign(&key(member))
    }

    /// The RC registers a patient.
    pub(crate) fn registration(&mut self, patient: u8) -> SignedTransaction {
        let record = WuRecord {
            aid: aid(patient),
            id: Blob::new(vec![patient; 8]),
        };
        self.call(0, Call::WuRegister(record))
    }

    /// A member reports these sign-ins of a patient, each by its session's first byte.
    pub(crate) fn sign_ins(
        &mut self,
        member: u8,
        patient: u8,
        sessions: impl IntoIterator<Item = u32>,
    ) -> SignedTransaction {
        let results = sessions
            .into_iter()
            .map(|number| LegacyResult {
                suite: SuiteId::WU_2021,
                server_id: self.server(member),
                aid: aid(patient),
                t1: BlockTime::new(self.start),
                t3: BlockTime::new(self.start),
                sid: session(number),
            })
            .collect();
        self.call(member, Call::LegacyResults(results))
    }

    /// One sign-in at a time after the start, valid until a time.
    pub(crate) fn sign_in_at(
        &mut self,
        after_ms: u64,
        valid_until: u64,
        number: u32,
    ) -> SignedTransaction {
        let time = BlockTime::new(self.start + after_ms);
        let result = LegacyResult {
            suite: SuiteId::WU_2021,
            server_id: self.server(2),
            aid: aid(7),
            t1: time,
            t3: time,
            sid: session(number),
        };
        self.call_until(2, valid_until, Call::LegacyResults(vec![result]))
    }

    /// The bytes of a batch at a time after the start.
    pub(crate) fn batch(&self, after_ms: u64, transactions: &[SignedTransaction]) -> Vec<u8> {
        encode_batch(
            BlockTime::new(self.start + after_ms),
            transactions.iter().map(SignedTransaction::as_bytes),
        )
    }

    /// A batch with the COMMITs of a quorum.
    pub(crate) fn ordered(&self, seq: u64, batch: Vec<u8>) -> Committed {
        let batch = Batch::new(batch);
        let body = Commit {
            view: View::ZERO,
            seq: Seq::new(seq),
            digest: batch.digest(),
        };
        let certificate = CommitCertificate {
            epoch: Epoch::ZERO,
            view: body.view,
            seq: body.seq,
            digest: body.digest,
            commits: Self::votes(|from, key| {
                Signed::sign(body, from, &self.committee, key).signature
            }),
        };
        Committed {
            seq: body.seq,
            batch,
            proof: Order::Commits(Proven::verify(certificate, &self.committee).unwrap()),
        }
    }

    /// The CHECKPOINTs of a quorum over a header.
    pub(crate) fn certificate(&self, seq: u64, header: Digest) -> CheckpointCertificate {
        let body = Checkpoint {
            seq: Seq::new(seq),
            header,
        };
        CheckpointCertificate {
            epoch: Epoch::ZERO,
            seq: body.seq,
            header,
            checkpoints: Self::votes(|from, key| {
                Signed::sign(body, from, &self.committee, key).signature
            }),
        }
    }

    fn votes(
        sign: impl Fn(ReplicaId, &Ed25519) -> consensus::Signature,
    ) -> Vec<(ReplicaId, consensus::Signature)> {
        (0..3_u8)
            .map(|member| {
                let from = ReplicaId::new(u16::from(member));
                (from, sign(from, &Ed25519::from_seed(&[member + 1; 32])))
            })
            .collect()
    }
}

pub(crate) const fn aid(patient: u8) -> Aid {
    Aid::new([patient; 32])
}

pub(crate) fn session(number: u32) -> SessionId {
    let mut bytes = [9; 32];
    bytes[..4].copy_from_slice(&number.to_le_bytes());
    SessionId::new(bytes)
}

/// An executor over a home, with the test in the driver's place.
pub(crate) struct Node {
    pub(crate) executor: Executor,
    pub(crate) ledger: Ledger,
    pub(crate) opened: Opened,
    pub(crate) newest: Vec<(Seq, Digest)>,
    pub(crate) pool: Mempool,
    pub(crate) submitter: Submitter,
    replies: mpsc::Receiver<Reply>,
    outlet: async_mpsc::Receiver<Arc<[u8]>>,
    thread: std::thread::JoinHandle<()>,
}

impl Node {
    pub(crate) fn start(home: &Path, consortium: &Consortium) -> Self {
        let (sender, outlet) = async_mpsc::channel(1024);
        let genesis = Arc::clone(&consortium.genesis);
        let (pool, submitter) = Mempool::new(Arc::clone(&genesis), Clock::start(), sender);
        let (tell, replies) = mpsc::channel();
        let Started {
            executor,
            ledger,
            opened,
            newest,
            thread,
        } = Executor::start(home, genesis, pool.clone(), move |reply| {
            drop(tell.send(reply));
        })
        .unwrap();
        Self {
            executor,
            ledger,
            opened,
            newest,
            pool,
            submitter,
            replies,
            outlet,
            thread,
        }
    }

    pub(crate) fn reply(&self) -> Reply {
        self.replies.recv_timeout(PATIENCE).unwrap()
    }

    /// Executes an ordered batch; the hash of its header.
    pub(crate) fn execute(&self, committed: Committed) -> Digest {
        let wanted = committed.seq;
        self.executor.execute(committed).unwrap();
        match self.reply() {
            Reply::Executed { seq, header, .. } if seq == wanted => header,
            other => panic!("{other:?}"),
        }
    }

    /// Executes and certifies a block; the hash of its header.
    pub(crate) fn block(
        &self,
        consortium: &Consortium,
        seq: u64,
        transactions: &[SignedTransaction],
    ) -> Digest {
        let batch = consortium.batch(seq * 1_000, transactions);
        let header = self.execute(consortium.ordered(seq, batch));
        self.certify(consortium.certificate(seq, header));
        header
    }

    /// Hands a certificate in and waits until it is stored.
    pub(crate) fn certify(&self, certificate: CheckpointCertificate) {
        self.executor.certify(certificate).unwrap();
        self.sync();
    }

    /// What the executor found of a divergence.
    pub(crate) fn mismatch(&self) -> Mismatch {
        match self.reply() {
            Reply::WrittenDown(mismatch) => mismatch,
            other => panic!("{other:?}"),
        }
    }

    /// Makes the store durable; the height that is.
    pub(crate) fn sync(&self) -> Seq {
        self.executor.sync().unwrap();
        match self.reply() {
            Reply::Durable(seq) => seq,
            other => panic!("{other:?}"),
        }
    }

    /// What the node would have sent to the other members.
    pub(crate) fn sent(&mut self) -> Option<Arc<[u8]>> {
        self.outlet.try_recv().ok()
    }

    /// Stops cleanly.
    pub(crate) fn stop(self) {
        self.executor.stop().unwrap();
        self.thread.join().unwrap();
    }

    /// Ends without writing anything more, as far as a process can do that to itself.
    pub(crate) fn abandon(self) {
        drop(self.executor);
        self.thread.join().unwrap();
    }
}
