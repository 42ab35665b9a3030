//! A consortium of real nodes in one process, each with a home of its own.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use consensus::{ChainId, Epoch, PublicKey};
use contract::{
    Aid, Author, BlockTime, Call, Height, Kind, Member, Outcome, Role, Root, ServerRecord,
    SignedTransaction, SuiteId, Transaction, contracts::servers, genesis::Content,
};
use node::{
    clock::Clock,
    config::Config,
    epochs::EpochsError,
    keys::Keys,
    mempool::Ticket,
    metrics::Reason,
    network::address::Address,
    node::{MEMBER_FILE, Node, NodeError},
    outbox::OutboxError,
    services::Services,
    status::NodeStatus,
    vault::VaultError,
    votelog,
};
use tempfile::TempDir;
use tokio::time::timeout;

use crate::ports;

/// Longer than anything may take on a loaded machine.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

/// Homes of members, and the nodes that run in them.
pub(crate) struct Consortium {
    pub(crate) nodes: Vec<Option<Node>>,
    configs: Vec<Config>,
    salt: u64,
    folder: TempDir,
}

/// A home with keys and configuration.
fn home(folder: &Path, name: &str) -> (Config, Keys) {
    let home = folder.join(name);
    std::fs::create_dir_all(&home).unwrap();
    let mut config = Config::local(&home, name, 20_000, 0).unwrap();
    let drawn = ports::free(4);
    config.p2p_listen = drawn[0];
    config.p2p_advertise = Address::from(drawn[0]);
    config.api_listen = drawn[1];
    config.member_listen = drawn[2];
    config.operations_listen = drawn[3];
    config.write().unwrap();
    let keys = Keys::create(&home, &config.api_names).unwrap();
    (config, keys)
}

/// A member as the genesis file names it.
fn member(config: &Config, keys: &Keys, role: Role) -> Member {
    Member {
        name: config.name.clone(),
        role,
        key: keys.member_public(),
        network_key: keys.network_public(),
        tls_spki: *keys.tls_spki_sha256(),
        p2p: config.p2p_advertise.to_string(),
        api: format!("https://{}", config.api_listen),
    }
}

impl Consortium {
    /// Homes of an RC and `count` − 1 servers on a research ledger; nothing runs yet.
    pub(crate) fn found(count: usize) -> Self {
        Self::found_with(count, &[SuiteId::AIDC_1, SuiteId::WU_2021])
    }

    /// The same without AIDC-1: nodes publish no keys for sign-ins, and nothing is proposed before a test says so.
    pub(crate) fn found_quiet(count: usize) -> Self {
        Self::found_with(count, &[SuiteId::WU_2021])
    }

    fn found_with(count: usize, suites: &[SuiteId]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let homes: Vec<_> = (0..count)
            .map(|index| match index {
                0 => home(folder.path(), "rc"),
                _ => home(folder.path(), &format!("clinic-{index}")),
            })
            .collect();
        let members = homes.iter().enumerate().map(|(index, (config, keys))| {
            member(
                config,
                keys,
                if index == 0 { Role::Rc } else { Role::Server },
            )
        });
        let now = BlockTime::new(Clock::start().wall_ms());
        let content = Content {
            suites: suites.to_vec(),
            ..Content::new(Kind::Research, "test", now, members.collect())
        };
        let genesis = content.to_json();
        let parsed = contract::Genesis::parse(&genesis).unwrap();
        let chain = ChainId::new(*parsed.chain().as_bytes());
        for (config, keys) in &homes {
            std::fs::write(config.genesis_path(), &genesis).unwrap();
            let key = PublicKey::new(*keys.member_public().as_bytes());
            votelog::create(&config.home, key).unwrap();
            votelog::birth(&config.home, chain, key, Epoch::ZERO).unwrap();
        }
        let configs: Vec<_> = homes.into_iter().map(|(config, _)| config).collect();
        Self {
            nodes: configs.iter().map(|_| None).collect(),
            configs,
            salt: 0,
            folder,
        }
    }

    /// A home of somebody who asks the members to be admitted; tells its place here and how it describes itself.
    pub(crate) fn newcomer(&mut self, name: &str) -> (usize, Member) {
        let (config, keys) = home(self.folder.path(), name);
        let genesis = std::fs::read(self.configs[0].genesis_path()).unwrap();
        let chain = contract::Genesis::parse(&genesis).unwrap();
        let chain = ChainId::new(*chain.chain().as_bytes());
        std::fs::write(config.genesis_path(), genesis).unwrap();
        let member = member(&config, &keys, Role::Server);
        let text = serde_json::to_vec(&member).unwrap();
        std::fs::write(config.home.join(MEMBER_FILE), text).unwrap();
        let key = PublicKey::new(*keys.member_public().as_bytes());
        votelog::create(&config.home, key).unwrap();
        votelog::birth(&config.home, chain, key, Epoch::ZERO.next()).unwrap();
        let place = self.configs.len();
        self.configs.push(config);
        self.nodes.push(None);
        (place, member)
    }

    /// Founds a consortium, starts all its nodes and waits until all are connected.
    pub(crate) async fn start(count: usize) -> Self {
        let mut consortium = Self::found(count);
        for index in 0..count {
            consortium.start_node(index);
        }
        for index in 0..count {
            consortium
                .until(index, |status| status.connected() == count)
                .await;
        }
        consortium
    }

    /// Starts one node.
    pub(crate) fn start_node(&mut self, index: usize) {
        self.nodes[index] = Some(Node::start(self.configs[index].clone()).unwrap());
    }

    /// Ends one node without its doing.
    pub(crate) async fn kill_node(&mut self, index: usize) {
        let node = self.nodes[index].take().unwrap();
        let mut status = node.services().status.clone();
        let mut heights = node.services().ledger.subscribe();
        drop(node);
        let listen = self.configs[index].p2p_listen;
        let gone = async {
            // Its driver, its executor and its listener end one after the other.
            while status.changed().await.is_ok() {}
            while heights.changed().await.is_ok() {}
            while std::net::TcpListener::bind(listen).is_err() {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        timeout(PATIENCE, gone).await.unwrap();
    }

    /// Starts a node again that was killed; readers of its old life may hold its database for a moment.
    pub(crate) async fn revive_node(&mut self, index: usize) {
        let config = &self.configs[index];
        let started = async {
            loop {
                match Node::start(config.clone()) {
                    Ok(node) => break node,
                    Err(
                        NodeError::Executor(node::executor::ExecutorError::Store(
                            node::store::StoreError::Disk { .. },
                        ))
                        | NodeError::Epochs(EpochsError::Vault(VaultError::InUse { .. }))
                        | NodeError::Outbox(OutboxError::InUse { .. }),
                    ) => {
                        tokio::time::sleep(Duration::from_millis(50)).await;
                    }
                    Err(other) => panic!("{other}"),
                }
            }
        };
        let node = timeout(PATIENCE, started).await.unwrap();
        self.nodes[index] = Some(node);
    }

    /// Stops one node in order.
    pub(crate) async fn stop_node(&mut self, index: usize) {
        self.nodes[index].take().unwrap().stop().await.unwrap();
    }

    /// One running node.
    pub(crate) fn node(&self, index: usize) -> &Node {
        self.nodes[index].as_ref().unwrap()
    }

    /// The configuration of one node.
    pub(crate) fn config(&self, index: usize) -> &Config {
        &self.configs[index]
    }

    /// Waits until one node has refused a frame for a reason.
    pub(crate) async fn refusal(&self, index: usize, reason: &'static str) {
        let metrics = self.node(index).services().metrics.clone();
        let counted = async {
            while metrics
                .refused_frames
                .get_or_create(&Reason { reason })
                .get()
                == 0
            {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        };
        timeout(PATIENCE, counted).await.expect(reason);
    }

    /// The home of one node.
    pub(crate) fn home(&self, index: usize) -> PathBuf {
        self.configs[index].home.clone()
    }

    /// Waits until a node's status fulfils a condition.
    pub(crate) async fn until(
        &self,
        index: usize,
        condition: impl Fn(&NodeStatus) -> bool,
    ) -> NodeStatus {
        let mut status = self.node(index).services().status.clone();
        let fulfilled = timeout(PATIENCE, status.wait_for(&condition)).await;
        match fulfilled {
            Ok(status) => status.unwrap().clone(),
            Err(elapsed) => panic!("{elapsed}: {index} of\n{}", self.portrait()),
        }
    }

    /// Waits until a node's ledger holds the certificate of a block.
    pub(crate) async fn certified(&self, index: usize, height: u64) {
        let mut heights = self.node(index).services().ledger.subscribe();
        let there = heights.wait_for(|newest| newest.get() >= height);
        match timeout(PATIENCE, there).await {
            Ok(known) => drop(known.unwrap()),
            Err(elapsed) => panic!("{elapsed}: {index} of\n{}", self.portrait()),
        }
    }

    /// How each running node stands, in one line each.
    fn portrait(&self) -> String {
        let nodes = self.nodes.iter().flatten();
        let lines = nodes.map(|node| {
            let now = node.services().status.borrow().clone();
            format!(
                "{}: epoch {}, view {}, {}, executed {}, stable {}, missing {:?}, {:?}, {:?}\n",
                now.name,
                now.epoch,
                now.view,
                now.phase,
                now.executed,
                now.stable,
                now.missing,
                now.stalled,
                now.votes_lost
            )
        });
        lines.collect()
    }

    /// Waits until the newest record of a member for sign-ins is as asked, at that member.
    pub(crate) async fn record(
        &self,
        index: usize,
        asked: impl Fn(&ServerRecord) -> bool,
    ) -> ServerRecord {
        let services = self.node(index).services().clone();
        let found = async {
            loop {
                let state = services.ledger.state();
                let record = servers::newest_record_at(&state, &services.server_id()).unwrap();
                if let Some(record) = record.filter(&asked) {
                    return record;
                }
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        timeout(PATIENCE, found).await.unwrap()
    }

    /// A transaction of member `author` that nothing refuses at vote time.
    pub(crate) fn transaction(&mut self, author: usize) -> SignedTransaction {
        self.call(author, Call::Revoke(Aid::new([7; 32])))
    }

    /// A transaction of member `author` with this call.
    pub(crate) fn call(&mut self, author: usize, call: Call) -> SignedTransaction {
        self.salt = self.salt.wrapping_add(1);
        signed(self.node(author).services(), self.salt, call)
    }

    /// Submits a call of member `author` and waits for what the ledger says to it.
    pub(crate) async fn ask(&mut self, author: usize, call: Call) -> Outcome {
        let bytes: Arc<[u8]> = self.call(author, call).as_bytes().into();
        let submitter = self.node(author).services().submitter.clone();
        let ticket = submitter.submit(bytes).await.unwrap();
        ticket.wait(PATIENCE).await.unwrap().outcome
    }

    /// Submits a transaction at its author.
    pub(crate) async fn send(&mut self, author: usize) -> Ticket {
        let bytes: Arc<[u8]> = self.transaction(author).as_bytes().into();
        self.node(author)
            .services()
            .submitter
            .submit(bytes)
            .await
            .unwrap()
    }

    /// Submits a transaction at its author and waits until it is final there; tells the height.
    pub(crate) async fn submit(&mut self, author: usize) -> u64 {
        let ticket = self.send(author).await;
        match ticket.wait(PATIENCE).await {
            Ok(committed) => committed.height.get(),
            Err(why) => {
                panic!(
                    "{why}: {:#?}",
                    *self.node(author).services().status.borrow()
                );
            }
        }
    }

    /// The state root after a certified height, at one node.
    pub(crate) fn state_root(&self, index: usize, height: u64) -> Root {
        let ledger = &self.node(index).services().ledger;
        let clock = Clock::start();
        // The votes are certified a moment before the block is in the store.
        loop {
            if let Some(block) = ledger.block(Height::new(height)).unwrap() {
                return block.header.state_root;
            }
            assert!(
                clock.elapsed() < PATIENCE,
                "node {index} lacks block {height}"
            );
            std::thread::sleep(Duration::from_millis(5));
        }
    }
}

/// A transaction of a node with this call.
pub(crate) fn signed(services: &Services, salt: u64, call: Call) -> SignedTransaction {
    let valid_until = BlockTime::new(services.clock.wall_ms()).plus_ms(60_000);
    Transaction::new(
        *services.genesis.chain(),
        Author::Member(services.server_id()),
        valid_until,
        salt.to_le_bytes(),
        call,
    )
    .sign(services.keys.member())
}
