//! Who may connect, and what becomes of a member that breaks the rules of the wire.

use std::{net::SocketAddr, time::Duration};

use ed25519_dalek::SigningKey;
use node::{
    clock::Clock,
    metrics::{Metrics, Reason},
    network::{
        Inbox, MemberIndex, Network, NetworkError, Peer, Refusal, Settings,
        address::Address,
        frame::{Frame, Kind},
    },
};
use tokio::{
    sync::{mpsc, watch},
    time::timeout,
};
use zeroize::Zeroizing;

use crate::ports;

/// What a test's node saw.
#[derive(Debug, PartialEq, Eq)]
enum Seen {
    Frame(MemberIndex, Kind, Vec<u8>),
    Reconnected(MemberIndex),
    Lost(MemberIndex),
}

/// Notes everything; refuses frames that begin with `!`.
#[derive(Clone)]
struct Notes(mpsc::UnboundedSender<Seen>);

impl Notes {
    fn note(&self, seen: Seen) {
        self.0.send(seen).expect("the test listens");
    }
}

impl Inbox for Notes {
    async fn frame(&self, from: MemberIndex, kind: Kind, payload: Vec<u8>) -> Result<(), Refusal> {
        if payload.starts_with(b"!") {
            return Err(Refusal("garbage"));
        }
        self.note(Seen::Frame(from, kind, payload));
        Ok(())
    }

    async fn reconnected(&self, member: MemberIndex) {
        self.note(Seen::Reconnected(member));
    }

    fn lost(&self, member: MemberIndex) {
        self.note(Seen::Lost(member));
    }

    fn skew(&self, _member: MemberIndex, _skew_ms: i64) {}

    fn answer(&self, from: MemberIndex, request: &[u8]) -> Vec<u8> {
        [&from.to_le_bytes(), request].concat()
    }
}

/// A running network with what it saw and counted.
struct Running {
    network: Network,
    seen: mpsc::UnboundedReceiver<Seen>,
    metrics: Metrics,
    stop: watch::Sender<bool>,
}

impl Running {
    async fn next(&mut self) -> Seen {
        timeout(Duration::from_secs(20), self.seen.recv())
            .await
            .expect("something happens in time")
            .expect("the network runs")
    }

    fn refused(&self, reason: &'static str) -> u64 {
        self.metrics
            .refused_frames
            .get_or_create(&Reason { reason })
            .get()
    }
}

/// Waits until something that no event tells has come true.
async fn eventually(condition: impl Fn() -> bool) {
    let poll = async {
        while !condition() {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    timeout(Duration::from_secs(20), poll)
        .await
        .expect("it comes true in time");
}

fn seed(member: u8) -> [u8; 32] {
    [member.wrapping_add(1); 32]
}

/// A consortium of `count` members on free ports of this machine.
fn consortium(count: u8) -> Vec<(Peer, SocketAddr)> {
    ports::free(usize::from(count))
        .into_iter()
        .zip(0..)
        .map(|(at, member)| {
            let key = SigningKey::from_bytes(&seed(member))
                .verifying_key()
                .to_bytes();
            (
                Peer {
                    name: format!("m{member}"),
                    key,
                    address: Address::from(at),
                },
                at,
            )
        })
        .collect()
}

fn settings(members: &[(Peer, SocketAddr)], me: MemberIndex, key: [u8; 32]) -> Settings {
    Settings {
        members: members.iter().map(|(peer, _)| peer.clone()).collect(),
        me,
        seed: Zeroizing::new(key),
        listen: members[usize::from(me)].1,
        chain_prefix: "0badcafe".to_owned(),
        clock: Clock::start(),
        metrics: Metrics::new(1),
        voice: None,
    }
}

fn start(settings: Settings) -> Running {
    let (notes, seen) = mpsc::unbounded_channel();
    let (stop, stopped) = watch::channel(false);
    let metrics = settings.metrics.clone();
    let network = Network::start(settings, Notes(notes), stopped).unwrap();
    Running {
        network,
        seen,
        metrics,
        stop,
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn two_members_connect_exchange_frames_and_sync_and_notice_a_restart() {
    let members = consortium(2);
    let mut first = start(settings(&members, 0, seed(0)));
    let mut second = start(settings(&members, 1, seed(1)));
    assert_eq!(first.next().await, Seen::Reconnected(1));
    assert_eq!(second.next().await, Seen::Reconnected(0));

    let large = vec![7; 3_000_000];
    first
        .network
        .send(1, Frame::new(Kind::Consensus, b"vote".as_slice()));
    first
        .network
        .send(1, Frame::new(Kind::Consensus, large.clone()));
    assert_eq!(
        second.next().await,
        Seen::Frame(0, Kind::Consensus, b"vote".to_vec())
    );
    assert_eq!(second.next().await, Seen::Frame(0, Kind::Consensus, large));

    let answer = second.network.ask(0, b"blocks".to_vec()).await.unwrap();
    assert_eq!(answer, b"\x01\x00blocks");

    second.stop.send(true).unwrap();
    drop(second);
    assert_eq!(first.next().await, Seen::Lost(1));
    eventually(|| !first.network.connected(1)).await;
    first.network.ask(1, Vec::new()).await.unwrap_err();

    let mut again = start(settings(&members, 1, seed(1)));
    assert_eq!(first.next().await, Seen::Reconnected(1));
    assert_eq!(again.next().await, Seen::Reconnected(0));
    again
        .network
        .send(0, Frame::new(Kind::Transaction, b"t".as_slice()));
    assert_eq!(
        first.next().await,
        Seen::Frame(1, Kind::Transaction, b"t".to_vec())
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stranger_is_refused_at_the_handshake_and_hears_nothing() {
    let members = consortium(2);
    let victim = start(settings(&members, 0, seed(0)));

    let mut forged = consortium(2);
    forged[0] = members[0].clone();
    forged[1].0.key = SigningKey::from_bytes(&seed(66)).verifying_key().to_bytes();
    let mut stranger = start(settings(&forged, 1, seed(66)));

    eventually(|| victim.refused("handshake") >= 2).await;
    assert!(!victim.network.connected(1));
    assert!(!stranger.network.connected(0));
    assert!(
        !matches!(
            stranger.seen.try_recv(),
            Ok(Seen::Frame(..) | Seen::Reconnected(_))
        ),
        "no stream was ever opened to a stranger"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_member_that_sends_garbage_is_dropped_counted_and_may_come_back() {
    let members = consortium(2);
    let mut honest = start(settings(&members, 0, seed(0)));
    let mut broken = start(settings(&members, 1, seed(1)));
    assert_eq!(honest.next().await, Seen::Reconnected(1));
    assert_eq!(broken.next().await, Seen::Reconnected(0));

    broken
        .network
        .send(0, Frame::new(Kind::Consensus, b"!garbage".as_slice()));
    assert_eq!(honest.next().await, Seen::Lost(1));
    assert_eq!(honest.refused("garbage"), 1);

    assert_eq!(honest.next().await, Seen::Reconnected(1));
    broken
        .network
        .send(0, Frame::new(Kind::Ping, b"short".as_slice()));
    while honest.refused("bad_ping") == 0 {
        broken
            .network
            .send(0, Frame::new(Kind::Ping, b"short".as_slice()));
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert_eq!(honest.next().await, Seen::Lost(1));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_taken_port_and_a_foreign_key_are_told_apart() {
    let members = consortium(2);
    let _first = start(settings(&members, 0, seed(0)));
    let start = |settings| {
        let (_stop, stopped) = watch::channel(false);
        let (notes, _seen) = mpsc::unbounded_channel();
        Network::start(settings, Notes(notes), stopped).unwrap_err()
    };
    let taken = start(settings(&members, 0, seed(0)));
    assert!(matches!(taken, NetworkError::Listen { address, .. } if address == members[0].1));
    let foreign = start(settings(&members, 1, seed(9)));
    assert!(matches!(foreign, NetworkError::WrongKey { name } if name == "m1"));
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_dismissed_is_cut_off_and_has_its_place_again_when_it_is_admitted_again() {
    let members = consortium(3);
    let mut host = start(settings(&members[..1], 0, seed(0)));
    let _second = start(settings(&members[..2], 1, seed(1)));
    let _third = start(settings(&members, 2, seed(2)));

    let third = host.network.admit(&members[2].0);
    let second = host.network.admit(&members[1].0);
    assert_eq!((third, second), (Some(1), Some(2)), "in order of admission");
    eventually(|| host.network.reachable() == [1, 2]).await;

    host.network.restrict(&[2]);
    let mut lost = host.next().await;
    while lost != Seen::Lost(1) {
        lost = host.next().await;
    }
    eventually(|| host.network.reachable() == [2]).await;
    host.network.ask(1, Vec::new()).await.unwrap_err();

    assert_eq!(host.network.admit(&members[2].0), Some(1));
    eventually(|| host.network.reachable() == [1, 2]).await;
}
