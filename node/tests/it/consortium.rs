//! A consortium of real nodes in one process, each with a home of its own.

use std::{
    net::{Ipv4Addr, SocketAddr, TcpListener},
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use consensus::{ChainId, Epoch, PublicKey};
use contract::{
    Aid, Author, BlockTime, Call, Height, Kind, Member, Role, Root, SignedTransaction, Transaction,
    genesis::Content,
};
use node::{
    clock::Clock, config::Config, keys::Keys, mempool::Ticket, metrics::Reason,
    network::address::Address, node::Node, status::NodeStatus, votelog,
};
use tempfile::TempDir;
use tokio::time::timeout;

/// Longer than anything may take on a loaded machine.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

/// Homes of members, and the nodes that run in them.
pub(crate) struct Consortium {
    pub(crate) nodes: Vec<Option<Node>>,
    configs: Vec<Config>,
    salt: u64,
    _folder: TempDir,
}

/// Free ports of this machine: held together while they are drawn, so that none comes twice.
fn free_ports(count: usize) -> Vec<SocketAddr> {
    let held: Vec<_> = (0..count)
        .map(|_| TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap())
        .collect();
    held.iter()
        .map(|listener| listener.local_addr().unwrap())
        .collect()
}

/// A home with keys and configuration.
fn home(folder: &Path, name: &str) -> (Config, Keys) {
    let home = folder.join(name);
    std::fs::create_dir_all(&home).unwrap();
    let mut config = Config::local(&home, name, 20_000, 0).unwrap();
    let ports = free_ports(4);
    config.p2p_listen = ports[0];
    config.p2p_advertise = Address::from(ports[0]);
    config.api_listen = ports[1];
    config.member_listen = ports[2];
    config.operations_listen = ports[3];
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
        let content = Content::new(Kind::Research, "test", now, members.collect());
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
            _folder: folder,
        }
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
            Err(elapsed) => panic!(
                "{elapsed}: {:#?}",
                *self.node(index).services().status.borrow()
            ),
        }
    }

    /// A transaction of member `author` that nothing refuses at vote time.
    pub(crate) fn transaction(&mut self, author: usize) -> SignedTransaction {
        self.salt = self.salt.wrapping_add(1);
        let services = self.node(author).services();
        let valid_until = BlockTime::new(services.clock.wall_ms()).plus_ms(60_000);
        Transaction::new(
            *services.genesis.chain(),
            Author::Member(services.server_id()),
            valid_until,
            self.salt.to_le_bytes(),
            Call::Revoke(Aid::new([7; 32])),
        )
        .sign(services.keys.member())
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
        let block = self
            .node(index)
            .services()
            .ledger
            .block(Height::new(height));
        block.unwrap().unwrap().header.state_root
    }
}
