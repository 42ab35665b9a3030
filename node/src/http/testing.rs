//! A ledger for tests: real store, real executor, real listeners' routes; in the place of consensus a task that orders
//! whatever waits and certifies it with the keys of three members.

use std::{path::PathBuf, sync::Arc};

use axum::{
    Router,
    body::Body,
    extract::ConnectInfo,
    http::{HeaderMap, Request, StatusCode},
};
use consensus::{
    Batch, CheckpointCertificate, CommitCertificate, Committed, Committee, Digest, Ed25519, Epoch,
    Kind as Vote, Order, Proven, ReplicaId, Scheme as _, Seq, Statement, View,
};
use contract::{
    BlockTime, Genesis, Kind, Member, PublicKey, Role, SpkiHash, SuiteId, genesis::Content,
};
use ed25519_dalek::SigningKey;
use http_body_util::BodyExt as _;
use tokio::sync::{mpsc, watch};
use tower::ServiceExt as _;

use super::{app::App, member_api, operations_api, patient_api};
use crate::{
    checkpoints::Checkpoints,
    clerk::Clerk,
    clock::Clock,
    collector::Collector,
    config::Config,
    epochs::Epochs,
    executor::{Executor, Reply},
    keys::Keys,
    mempool::Mempool,
    metrics::Metrics,
    outbox::Outbox,
    reports::Reports,
    services::Services,
    status::{MemberStatus, NodeStatus},
    term::Term,
};

/// The members' names, the registration centre first.
pub(crate) const NAMES: [&str; 4] = ["rc", "clinic-a", "clinic-b", "clinic-c"];

/// A genesis of one registration centre and three clinics, whose member keys come from the seeds 1 to 4.
pub(crate) fn genesis(kind: Kind) -> Genesis {
    founded(
        kind,
        1_795_305_600_000,
        seeds().map(|seed| PublicKey::new(seed.verifying_key().to_bytes())),
        without_limbasiya,
    )
}

/// Most claims are about blocks that nothing else is in: the second paper's servers register themselves.
fn without_limbasiya(content: &mut Content) {
    let suite = SuiteId::LIMBASIYA_2020;
    content.suites.retain(|known| *known != suite);
}

/// The seeds' keys.
fn seeds() -> [SigningKey; 4] {
    [1, 2, 3, 4].map(|seed| SigningKey::from_bytes(&[seed; 32]))
}

/// A genesis of members with these keys.
fn founded(
    kind: Kind,
    time_ms: u64,
    keys: [PublicKey; 4],
    change: impl FnOnce(&mut Content),
) -> Genesis {
    let network = [101, 102, 103, 104].map(|seed| {
        SigningKey::from_bytes(&[seed; 32])
            .verifying_key()
            .to_bytes()
    });
    let member = |((name, key), network): ((&str, PublicKey), [u8; 32])| Member {
        name: name.to_owned(),
        role: if name == "rc" { Role::Rc } else { Role::Server },
        key,
        network_key: PublicKey::new(network),
        tls_spki: SpkiHash::new([7; 32]),
        p2p: format!("/dns4/{name}/tcp/7100"),
        api: format!("https://{name}:8100"),
    };
    let members = NAMES
        .into_iter()
        .zip(keys)
        .zip(network)
        .map(member)
        .collect();
    let mut content = Content::new(kind, "demo", BlockTime::new(time_ms), members);
    change(&mut content);
    Genesis::parse(&content.to_json()).unwrap()
}

/// The members of a genesis, as consensus knows them.
fn committee_of(genesis: &Genesis) -> Committee {
    let chain = consensus::ChainId::new(*genesis.chain().as_bytes());
    let keys = genesis.committee();
    let keys = keys
        .iter()
        .map(|key| consensus::PublicKey::new(*key.as_bytes()))
        .collect();
    Committee::new(chain, Epoch::ZERO, keys).unwrap()
}

/// A node without consensus.
pub(crate) struct Bench {
    /// What the handlers share.
    pub(crate) app: App,
    /// Says things in its name.
    pub(crate) clerk: Clerk,
    /// Its home; gone with it.
    pub(crate) home: tempfile::TempDir,
    /// Changes what the node says of itself.
    pub(crate) status: watch::Sender<NodeStatus>,
    /// Tells the listeners to stop.
    pub(crate) stop: watch::Sender<bool>,
}

/// An answer, read whole.
pub(crate) struct Answer {
    /// The status line.
    pub(crate) status: StatusCode,
    /// The head.
    pub(crate) headers: HeaderMap,
    /// The body.
    pub(crate) body: Vec<u8>,
}

impl Answer {
    /// The body as text.
    pub(crate) fn text(&self) -> String {
        String::from_utf8(self.body.clone()).unwrap()
    }

    /// The body as JSON.
    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).unwrap()
    }
}

/// Whom a request is sent to.
#[derive(Clone, Copy)]
pub(crate) enum To {
    /// The patient API.
    Patients,
    /// The member API and explorer.
    Members,
    /// Operations.
    Operations,
}

impl Bench {
    /// A node of the member with this name, on a ledger of this kind.
    pub(crate) fn start(name: &str, kind: Kind) -> Self {
        Self::with(name, kind, |_config| {})
    }

    /// A member of a research ledger that has the second paper's suite.
    pub(crate) fn limbasiya(name: &str) -> Self {
        Self::on(name, (Kind::Research, |_content| {}), |_config| {})
    }

    /// The same with other settings.
    pub(crate) fn with(name: &str, kind: Kind, change: impl FnOnce(&mut Config)) -> Self {
        Self::on(name, (kind, without_limbasiya), change)
    }

    #[expect(clippy::too_many_lines, reason = "a node's parts, each named once")]
    fn on(
        name: &str,
        (kind, founding): (Kind, fn(&mut Content)),
        change: impl FnOnce(&mut Config),
    ) -> Self {
        let home = tempfile::tempdir().unwrap();
        let clock = Clock::start();
        let keys = Keys::create(home.path(), &["localhost".to_owned()]).unwrap();
        let place = NAMES.iter().position(|known| *known == name).unwrap();
        let mut signers = seeds();
        signers[place] = keys.member().clone();
        let public = signers
            .each_ref()
            .map(|key| PublicKey::new(key.verifying_key().to_bytes()));
        let since = clock.wall_ms().saturating_sub(1_000);
        let genesis = Arc::new(founded(kind, since, public, founding));
        std::fs::write(
            home.path().join("genesis.json"),
            genesis.content().to_json(),
        )
        .unwrap();
        let committee = committee_of(&genesis);
        let mut config =
            Config::local(home.path(), name, 7_100, u16::try_from(place).unwrap()).unwrap();
        change(&mut config);
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
        let orderer = Orderer {
            committee: committee.clone(),
            keys: signers
                .iter()
                .map(|key| Ed25519::from_seed(&key.to_bytes()))
                .collect(),
            pool,
            executor: started.executor,
            executed,
            clock,
            _outgoing: outgoing,
        };
        tokio::spawn(orderer.run());
        let term = Term::after(committee.chain(), &started.ledger.state()).unwrap();
        let term = watch::channel(Arc::new(term)).1;
        let (status, status_receiver) = watch::channel(healthy(name));
        let (stop, stopped) = watch::channel(false);
        let keys = Arc::new(keys);
        let clerk = Clerk {
            ledger: started.ledger.clone(),
            submitter: submitter.clone(),
            keys: Arc::clone(&keys),
            clock,
        };
        let me = genesis.members()[place].clone();
        let outbox = Outbox::open(home.path()).unwrap();
        let (collector, worker) = Collector::new(clerk.clone(), outbox.clone(), term.clone());
        tokio::spawn(worker.run(stopped.clone()));
        let reports = if config.report_refusals {
            let (reports, reporter) = Reports::on(clerk.clone(), term.clone());
            tokio::spawn(reporter.run(stopped.clone()));
            reports
        } else {
            Reports::off()
        };
        let services = Services {
            reports,
            epochs: Epochs::none(*genesis.chain(), me.server_id()),
            collector,
            outbox,
            me,
            term,
            ledger: started.ledger,
            submitter,
            status: status_receiver,
            keys,
            clock,
            config: Arc::new(config),
            metrics: Metrics::new(1),
            checkpoints: Checkpoints::open(home.path(), clock, Seq::ZERO),
            genesis,
        };
        Self {
            app: App::open(services, stopped).unwrap(),
            clerk,
            home,
            status,
            stop,
        }
    }

    /// The routes of a listener.
    pub(crate) fn router(&self, to: To) -> Router {
        match to {
            To::Patients => patient_api(&self.app),
            To::Members => member_api(&self.app),
            To::Operations => operations_api(&self.app),
        }
    }

    /// Asks a listener.
    pub(crate) async fn ask(&self, to: To, mut request: Request<Body>) -> Answer {
        let peer: std::net::SocketAddr = "192.0.2.7:4711".parse().unwrap();
        request.extensions_mut().insert(ConnectInfo(peer));
        let answer = self.router(to).oneshot(request).await.unwrap();
        let (head, body) = answer.into_parts();
        let body = body.collect().await.unwrap().to_bytes().to_vec();
        Answer {
            status: head.status,
            headers: head.headers,
            body,
        }
    }

    /// A `GET`, as a browser on the same machine sends it.
    pub(crate) async fn get(&self, to: To, path: &str) -> Answer {
        let request = Request::get(path)
            .header("host", "localhost:8200")
            .body(Body::empty());
        self.ask(to, request.unwrap()).await
    }

    /// A `POST` of a suite's message.
    pub(crate) async fn post(&self, path: &str, message: Vec<u8>) -> Answer {
        self.ask(To::Patients, post(path, message)).await
    }

    /// A first message of a terminal that says which block it knows.
    pub(crate) async fn hello_knowing(&self, known: &str, me5: Vec<u8>) -> Answer {
        let mut request = post("/v1/sign-in/hello", me5);
        let headers = request.headers_mut();
        headers.insert("aidchain-known-height", known.parse().unwrap());
        self.ask(To::Patients, request).await
    }

    /// A file in the home.
    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.home.path().join(name)
    }
}

/// A request that carries a suite's message.
fn post(path: &str, message: Vec<u8>) -> Request<Body> {
    let request = Request::post(path)
        .header("content-type", "application/octet-stream")
        .header("aidchain-suite", "0x7f01")
        .body(Body::from(message));
    request.unwrap()
}

/// What a node says when all is well.
fn healthy(name: &str) -> NodeStatus {
    let member = |known: &str| MemberStatus {
        name: known.to_owned(),
        role: if known == "rc" { "rc" } else { "server" }.to_owned(),
        up: true,
        last_seen_ms: Some(1),
        lowest: Some(0),
        height: Some(0),
        clock_skew_ms: Some(3),
        build: None,
    };
    NodeStatus {
        name: name.to_owned(),
        index: Some(0),
        primary: "rc".to_owned(),
        phase: "idle".to_owned(),
        quorum: 3,
        members: NAMES.map(member).to_vec(),
        ..NodeStatus::default()
    }
}

/// Stands where consensus does.
struct Orderer {
    /// Whose signatures count.
    committee: Committee,
    /// Their keys.
    keys: Vec<Ed25519>,
    /// What waits.
    pool: Mempool,
    /// Who executes.
    executor: Executor,
    /// What was executed.
    executed: mpsc::UnboundedReceiver<Reply>,
    /// The clocks.
    clock: Clock,
    /// Takes what would go to other members.
    _outgoing: mpsc::Receiver<Arc<[u8]>>,
}

impl Orderer {
    /// Orders what waits, block after block.
    async fn run(mut self) {
        let changed = self.pool.changed();
        let mut height = 1;
        loop {
            let time = BlockTime::new(self.clock.wall_ms());
            let Some(batch) = self.pool.cut(usize::MAX, time) else {
                changed.notified().await;
                continue;
            };
            let batch = Batch::new(batch);
            let commits = CommitCertificate {
                epoch: Epoch::ZERO,
                view: View::ZERO,
                seq: Seq::new(height),
                digest: batch.digest(),
                commits: self.sign(Vote::Commit, height, batch.digest()),
            };
            let proof = Order::Commits(Proven::verify(commits, &self.committee).unwrap());
            self.executor
                .execute(Committed {
                    seq: Seq::new(height),
                    batch,
                    proof,
                })
                .unwrap();
            let Some(Reply::Executed { header, .. }) = self.executed.recv().await else {
                return;
            };
            let checkpoints = self.sign(Vote::Checkpoint, height, header);
            let certificate = CheckpointCertificate {
                epoch: Epoch::ZERO,
                seq: Seq::new(height),
                header,
                checkpoints,
            };
            self.executor.certify(certificate).unwrap();
            height = height.saturating_add(1);
        }
    }

    /// Signatures of the first three members.
    fn sign(
        &self,
        kind: Vote,
        height: u64,
        digest: Digest,
    ) -> Vec<(ReplicaId, consensus::Signature)> {
        let chain = self.committee.chain();
        let statement = Statement {
            chain,
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
