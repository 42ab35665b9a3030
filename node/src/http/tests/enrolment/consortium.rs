//! Four members in one process: real vaults, executors and routes; in the place of consensus a task that orders what
//! waits at any of them and has all of them execute it.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::extract::ConnectInfo;
use axum::http::{Request, StatusCode};
use consensus::{
    Batch, CheckpointCertificate, CommitCertificate, Committed, Committee, Digest, Ed25519, Epoch,
    Kind as Vote, Order, Proven, ReplicaId, Scheme as _, Seq, Statement, View,
};
use contract::genesis::Content;
use contract::{
    Aid, Author, BlockTime, Call, ChainId, Genesis, Kind, Member, Outcome, PatientRecord,
    PublicKey, Role, ServerId, ServerRecord, SpkiHash, SuiteId, Transaction,
};
use http_body_util::BodyExt as _;
use protocol::Timestamp;
use protocol::aidc1::EpochSecret;
use tokio::sync::{mpsc, watch};
use tower::ServiceExt as _;

use crate::centre::Ledger as _;
use crate::checkpoints::Checkpoints;
use crate::clerk::Clerk;
use crate::clock::Clock;
use crate::collector::Collector;
use crate::config::Config;
use crate::epochs::Epochs;
use crate::executor::{Executor, Reply};
use crate::http::app::App;
use crate::http::testing::{Answer, NAMES, To};
use crate::http::{member_api, operations_api, patient_api};
use crate::keys::Keys;
use crate::mempool::Mempool;
use crate::metrics::Metrics;
use crate::outbox::Outbox;
use crate::reports::Reports;
use crate::services::Services;
use crate::status::NodeStatus;
use crate::term::Term;

/// How long something on the ledger is waited for.
const PATIENCE: Duration = Duration::from_secs(20);

/// One member.
pub(super) struct Node {
    pub(super) home: tempfile::TempDir,
    pub(super) id: ServerId,
    pub(super) services: Services,
    /// What the handlers share; nothing while the member is down.
    app: Option<App>,
    stop: watch::Sender<bool>,
}

/// The members, the RC first.
pub(super) struct Consortium {
    pub(super) nodes: Vec<Node>,
    pub(super) genesis: Arc<Genesis>,
}

impl Consortium {
    /// Four members, on a ledger of today.
    pub(super) fn start() -> Self {
        Self::with(|_config| {})
    }

    /// The same with other settings of the RC.
    #[expect(clippy::too_many_lines, reason = "a node's parts, each named once")]
    pub(super) fn with(change: impl FnOnce(&mut Config)) -> Self {
        let clock = Clock::start();
        let homes: Vec<_> = NAMES.iter().map(|_| tempfile::tempdir().unwrap()).collect();
        let keys: Vec<Arc<Keys>> = homes
            .iter()
            .map(|home| Arc::new(Keys::create(home.path(), &["localhost".to_owned()]).unwrap()))
            .collect();
        let mut rng = patient::dice::seeded().unwrap();
        let secrets: Vec<_> = NAMES.iter().map(|_| EpochSecret::draw(&mut rng)).collect();
        let genesis = Arc::new(founded(clock.wall_ms(), &keys, &secrets));
        let committee = committee_of(&genesis);
        let mut nodes = Vec::new();
        let mut parts = Vec::new();
        let mut change = Some(change);
        for (place, (home, keys)) in homes.into_iter().zip(&keys).enumerate() {
            let number = u16::try_from(place).unwrap();
            let mut config = Config::local(home.path(), NAMES[place], 7_100, number).unwrap();
            if let Some(change) = change.take() {
                change(&mut config);
            }
            let (outlet, outgoing) = mpsc::channel(1_024);
            let (pool, submitter) = Mempool::new(Arc::clone(&genesis), clock, outlet);
            let (replies, executed) = mpsc::unbounded_channel();
            let started = Executor::start(
                home.path(),
                Arc::clone(&genesis),
                pool.clone(),
                move |reply| {
                    drop(replies.send(reply));
                },
            )
            .unwrap();
            let term = Term::after(committee.chain(), &started.ledger.state()).unwrap();
            let me = genesis.members()[place].clone();
            let epochs = Epochs::none(*genesis.chain(), me.server_id());
            let record = contract::contracts::servers::record_at(
                &started.ledger.state(),
                &me.server_id(),
                0,
            );
            epochs
                .install(record.unwrap().unwrap(), &secrets[place])
                .unwrap();
            let (stop, stopped) = watch::channel(false);
            let term = watch::channel(Arc::new(term)).1;
            let clerk = Clerk {
                ledger: started.ledger.clone(),
                submitter: submitter.clone(),
                keys: Arc::clone(keys),
                clock,
            };
            let outbox = Outbox::open(home.path()).unwrap();
            let (collector, worker) = Collector::new(clerk, outbox.clone(), term.clone());
            tokio::spawn(worker.run(stopped.clone()));
            let services = Services {
                epochs,
                collector,
                outbox,
                reports: Reports::off(),
                term,
                ledger: started.ledger,
                submitter,
                status: watch::channel(NodeStatus::default()).1,
                keys: Arc::clone(keys),
                clock,
                config: Arc::new(config),
                metrics: Metrics::new(1),
                checkpoints: Checkpoints::open(home.path(), clock, Seq::ZERO),
                genesis: Arc::clone(&genesis),
                me: me.clone(),
            };
            nodes.push(Node {
                home,
                id: me.server_id(),
                app: Some(App::open(services.clone(), stopped).unwrap()),
                services,
                stop,
            });
            parts.push((pool, started.executor, executed, outgoing));
        }
        let signers = keys
            .iter()
            .map(|key| Ed25519::from_seed(&key.member().to_bytes()));
        let orderer = Orderer {
            committee,
            keys: signers.collect(),
            parts,
            clock,
        };
        tokio::spawn(orderer.run());
        Self { nodes, genesis }
    }

    pub(super) fn chain(&self) -> &ChainId {
        self.genesis.chain()
    }

    pub(super) fn rc(&self) -> &Node {
        &self.nodes[0]
    }

    /// The member with this id.
    pub(super) fn member(&self, id: &ServerId) -> &Node {
        self.nodes.iter().find(|node| node.id == *id).unwrap()
    }

    /// What the RC's certified ledger holds under an AID.
    pub(super) fn record(&self, aid: &Aid) -> Option<PatientRecord> {
        self.rc().services.ledger.state().record(aid).unwrap()
    }

    /// A call of a member, certified when this returns.
    pub(super) async fn submit(&self, member: usize, call: Call) {
        let services = &self.nodes[member].services;
        let mut salt = [0; 8];
        getrandom::fill(&mut salt).unwrap();
        let until = BlockTime::new(services.clock.wall_ms()).plus_ms(60_000);
        let author = Author::Member(services.server_id());
        let signed =
            Transaction::new(*self.chain(), author, until, salt, call).sign(services.keys.member());
        let ticket = services.submitter.submit(signed.as_bytes().into()).await;
        let done = ticket.unwrap().wait(PATIENCE).await.unwrap();
        let outcome = done.outcome;
        assert!(matches!(outcome, Outcome::Done(_)), "{outcome:?}");
    }

    /// Waits until something holds of the RC's certified ledger.
    pub(super) async fn until(&self, holds: impl Fn(&Self) -> bool) {
        let wait = async {
            let mut heights = self.rc().services.ledger.subscribe();
            while !holds(self) {
                // A job ends a moment behind its block.
                drop(tokio::time::timeout(Duration::from_millis(50), heights.changed()).await);
            }
        };
        tokio::time::timeout(PATIENCE, wait)
            .await
            .expect("the ledger has it in time");
    }
}

impl Node {
    /// Ends its key epochs before their time.
    pub(super) fn end_epochs(&self) {
        let far = Timestamp::from_millis(u64::MAX);
        assert!(!self.services.epochs.erase_ended(far).is_empty());
    }

    /// Begins another key epoch, with a key of its own.
    pub(super) fn begin_epoch(&self, key_epoch: u32) {
        let secret = EpochSecret::draw(&mut patient::dice::seeded().unwrap());
        let state = self.services.ledger.state();
        let record = contract::contracts::servers::record_at(&state, &self.id, 0);
        let record = ServerRecord {
            key_epoch,
            dh_epoch_key: secret.public(),
            ..record.unwrap().unwrap()
        };
        self.services.epochs.install(record, &secret).unwrap();
    }

    /// Whether it answers.
    pub(super) fn is_up(&self) -> bool {
        self.app.is_some()
    }

    /// Stops its listeners and what they keep.
    pub(super) async fn stop(&mut self) {
        self.stop.send_replace(true);
        self.app = None;
        // The task that talks to the ledger ends by itself.
        while crate::vault::Vault::open(self.home.path(), "evaluators").is_err() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    /// Starts them again over what is on the disk.
    pub(super) fn start(&mut self) {
        let (stop, stopped) = watch::channel(false);
        self.app = Some(App::open(self.services.clone(), stopped).unwrap());
        self.stop = stop;
    }

    /// Sends octets to the patients' listener.
    pub(super) async fn post(&self, path: &str, body: Vec<u8>) -> Answer {
        let request = Request::post(path)
            .header("content-type", "application/octet-stream")
            .body(Body::from(body));
        self.ask(To::Patients, request.unwrap()).await
    }

    /// Sends JSON to the members' listener.
    pub(super) async fn desk(&self, path: &str, body: &serde_json::Value) -> Answer {
        let request = Request::post(path)
            .header("content-type", "application/json")
            .header("host", "localhost:8200")
            .body(Body::from(body.to_string()));
        self.ask(To::Members, request.unwrap()).await
    }

    pub(super) async fn ask(&self, to: To, mut request: Request<Body>) -> Answer {
        let Some(app) = &self.app else {
            return Answer {
                status: StatusCode::BAD_GATEWAY,
                headers: axum::http::HeaderMap::new(),
                body: Vec::new(),
            };
        };
        let router = match to {
            To::Patients => patient_api(app),
            To::Members => member_api(app),
            To::Operations => operations_api(app),
        };
        let peer: std::net::SocketAddr = "192.0.2.7:4711".parse().unwrap();
        request.extensions_mut().insert(ConnectInfo(peer));
        let answer = router.oneshot(request).await.unwrap();
        let (head, body) = answer.into_parts();
        let body = body.collect().await.unwrap().to_bytes().to_vec();
        Answer {
            status: head.status,
            headers: head.headers,
            body,
        }
    }

    /// Whether these bytes are in any file of its home.
    pub(super) fn holds(&self, needle: &[u8]) -> bool {
        holds(self.home.path(), needle)
    }
}

fn holds(folder: &std::path::Path, needle: &[u8]) -> bool {
    let entries = std::fs::read_dir(folder).unwrap();
    entries.map(|entry| entry.unwrap().path()).any(|path| {
        if path.is_dir() {
            return holds(&path, needle);
        }
        let bytes = std::fs::read(&path).unwrap_or_default();
        bytes.windows(needle.len()).any(|window| window == needle)
    })
}

fn founded(now_ms: u64, keys: &[Arc<Keys>], secrets: &[EpochSecret]) -> Genesis {
    let member = |(name, keys): (&&str, &Arc<Keys>)| Member {
        name: (*name).to_owned(),
        role: if *name == "rc" {
            Role::Rc
        } else {
            Role::Server
        },
        key: keys.member_public(),
        network_key: keys.network_public(),
        tls_spki: SpkiHash::new(*keys.tls_spki_sha256().as_bytes()),
        p2p: format!("/dns4/{name}/tcp/7100"),
        api: format!("https://{name}:8100"),
    };
    let members: Vec<Member> = NAMES.iter().zip(keys).map(member).collect();
    let time = BlockTime::new(now_ms.saturating_sub(1_000));
    let records = members
        .iter()
        .zip(secrets)
        .map(|(member, secret)| ServerRecord {
            server_id: member.server_id(),
            node_key: member.key,
            dh_epoch_key: secret.public(),
            key_epoch: 0,
            not_before: time,
            not_after: time.plus_ms(24 * 3_600_000),
            suites: vec![SuiteId::AIDC_1],
        });
    let records = records.collect();
    let mut content = Content::new(Kind::Secure, "demo", time, members);
    content.servers = records;
    content.parameters.recovery_delay_ms = 1_000;
    Genesis::parse(&content.to_json()).unwrap()
}

fn committee_of(genesis: &Genesis) -> Committee {
    let chain = consensus::ChainId::new(*genesis.chain().as_bytes());
    let keys = genesis.committee();
    let keys = keys.iter().map(|key| PublicKey::new(*key.as_bytes()));
    let keys = keys.map(|key| consensus::PublicKey::new(*key.as_bytes()));
    Committee::new(chain, Epoch::ZERO, keys.collect()).unwrap()
}

/// One member's pool, executor, what it executed, and what it would send.
type Parts = (
    Mempool,
    Executor,
    mpsc::UnboundedReceiver<Reply>,
    mpsc::Receiver<Arc<[u8]>>,
);

/// Stands where consensus does.
struct Orderer {
    committee: Committee,
    keys: Vec<Ed25519>,
    parts: Vec<Parts>,
    clock: Clock,
}

impl Orderer {
    /// Orders what waits at any member, block after block, until the test is over.
    async fn run(mut self) {
        let mut height = 1;
        loop {
            let changed: Vec<_> = self.parts.iter().map(|parts| parts.0.changed()).collect();
            let time = BlockTime::new(self.clock.wall_ms());
            let cut = self
                .parts
                .iter()
                .find_map(|parts| parts.0.cut(usize::MAX, time));
            let Some(bytes) = cut else {
                let waits = changed.iter().map(|one| Box::pin(one.notified()));
                drop(futures::future::select_all(waits).await);
                continue;
            };
            if !self.order(height, bytes).await {
                return;
            }
            height = height.saturating_add(1);
        }
    }

    async fn order(&mut self, height: u64, bytes: Vec<u8>) -> bool {
        let batch = Batch::new(bytes);
        let commits = CommitCertificate {
            epoch: Epoch::ZERO,
            view: View::ZERO,
            seq: Seq::new(height),
            digest: batch.digest(),
            commits: self.sign(Vote::Commit, height, batch.digest()),
        };
        let proof = Order::Commits(Proven::verify(commits, &self.committee).unwrap());
        let mut result = None;
        for (_, executor, executed, _) in &mut self.parts {
            let committed = Committed {
                seq: Seq::new(height),
                batch: batch.clone(),
                proof: proof.clone(),
            };
            if executor.execute(committed).is_err() {
                return false;
            }
            let Some(Reply::Executed { header, .. }) = executed.recv().await else {
                return false;
            };
            result = Some(header);
        }
        let header = result.unwrap();
        let certificate = CheckpointCertificate {
            epoch: Epoch::ZERO,
            seq: Seq::new(height),
            header,
            checkpoints: self.sign(Vote::Checkpoint, height, header),
        };
        let mut executors = self.parts.iter().map(|parts| &parts.1);
        executors.all(|executor| executor.certify(certificate.clone()).is_ok())
    }

    /// Signatures of the first three members.
    fn sign(
        &self,
        kind: Vote,
        height: u64,
        digest: Digest,
    ) -> Vec<(ReplicaId, consensus::Signature)> {
        let statement = Statement {
            chain: self.committee.chain(),
            epoch: Epoch::ZERO,
            kind,
            view: View::ZERO,
            seq: Seq::new(height),
            digest,
        };
        let keys = (0_u16..).zip(&self.keys).take(3);
        keys.map(|(place, key)| (ReplicaId::new(place), key.sign(&statement.bytes())))
            .collect()
    }
}
