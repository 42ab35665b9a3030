//! A member that lies: three honest ones go on, count what they refuse, and vote for nothing false.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use consensus::{
    Batch, ChainId, Checkpoint, Committee, Digest, Ed25519, Epoch, Frame as Talk, PrePrepare,
    PublicKey, ReplicaId, Seq, Signable, Signed, View,
};
use contract::{BlockTime, Genesis};
use node::{
    clock::Clock,
    keys::Keys,
    metrics::{Metrics, Reason},
    network::{
        Inbox, MemberIndex, Network, Peer, Refusal, Settings,
        frame::{Frame, Kind},
    },
};
use tokio::sync::watch;
use zeroize::Zeroizing;

use crate::consortium::Consortium;

/// Pause before a liar says the same again.
const AGAIN: Duration = Duration::from_millis(200);

/// A liar listens to nobody, and answers who asks for blocks with these bytes.
#[derive(Clone)]
pub(crate) struct Deaf(pub(crate) Arc<Mutex<Vec<u8>>>);

impl Inbox for Deaf {
    async fn frame(&self, _: MemberIndex, _: Kind, _: Vec<u8>) -> Result<(), Refusal> {
        Ok(())
    }

    async fn reconnected(&self, _: MemberIndex) {}

    fn lost(&self, _: MemberIndex) {}

    fn skew(&self, _: MemberIndex, _: i64) {}

    fn answer(&self, _: MemberIndex, _: &[u8]) -> Vec<u8> {
        self.0.lock().unwrap().clone()
    }
}

/// A network with the true keys of member `me`, in the hands of a liar.
pub(crate) struct Liar {
    pub(crate) network: Network,
    pub(crate) committee: Committee,
    key: Ed25519,
    me: u16,
    _stop: watch::Sender<bool>,
}

impl Liar {
    pub(crate) fn start(consortium: &Consortium, me: usize) -> Self {
        Self::answering(consortium, me, Deaf(Arc::new(Mutex::new(vec![0xff; 1000]))))
    }

    pub(crate) fn answering(consortium: &Consortium, me: usize, answers: Deaf) -> Self {
        let genesis = std::fs::read(consortium.config(me).genesis_path()).unwrap();
        let genesis = Genesis::parse(&genesis).unwrap();
        let config = consortium.config(me);
        let keys = Keys::load(&config.home).unwrap();
        let peers = genesis.members().iter().map(|member| Peer {
            name: member.name.clone(),
            key: *member.network_key.as_bytes(),
            address: member.p2p.parse().unwrap(),
        });
        let settings = Settings {
            members: peers.collect(),
            me: u16::try_from(me).unwrap(),
            seed: Zeroizing::new(*keys.network_seed()),
            listen: config.p2p_listen,
            chain_prefix: hex::encode(genesis.chain().as_bytes())
                .chars()
                .take(8)
                .collect(),
            clock: Clock::start(),
            metrics: Metrics::new(1),
            voice: None,
        };
        let (stop, stopped) = watch::channel(false);
        let voters = genesis.committee();
        let voters = voters
            .iter()
            .map(|key| PublicKey::new(*key.as_bytes()))
            .collect();
        let chain = ChainId::new(*genesis.chain().as_bytes());
        Self {
            network: Network::start(settings, answers, stopped).unwrap(),
            committee: Committee::new(chain, Epoch::ZERO, voters).unwrap(),
            key: Ed25519::from_seed(&keys.member().to_bytes()),
            me: u16::try_from(me).unwrap(),
            _stop: stop,
        }
    }

    pub(crate) async fn connected(&self, others: &[u16]) {
        while !others.iter().all(|other| self.network.connected(*other)) {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    pub(crate) fn say(&self, to: u16, talk: &Talk) {
        self.send(to, &Frame::new(Kind::Consensus, talk.encode()));
    }

    fn send(&self, to: u16, frame: &Frame) {
        self.network.send(to, frame.clone());
    }

    /// Says the same again and again until something comes of it: what is said while two
    /// connections are made into one is lost, and a liar answers no STATUS.
    pub(crate) async fn until<T>(&self, say: impl Fn(), event: impl Future<Output = T>) -> T {
        let repeating = async {
            loop {
                say();
                tokio::time::sleep(AGAIN).await;
            }
        };
        tokio::select! {
            never = repeating => never,
            done = event => done,
        }
    }

    pub(crate) fn sign<T: Signable>(&self, body: T) -> Signed<T> {
        Signed::sign(body, ReplicaId::new(self.me), &self.committee, &self.key)
    }

    pub(crate) fn proposal(&self, seq: u64, batch: &Batch) -> Talk {
        let body = PrePrepare {
            view: View::ZERO,
            seq: Seq::new(seq),
            digest: batch.digest(),
        };
        Talk::PrePrepare(self.sign(body), batch.clone())
    }
}

/// How often one honest node refused frames for a reason.
fn refused(consortium: &Consortium, index: usize, reason: &'static str) -> u64 {
    let metrics = &consortium.node(index).services().metrics;
    metrics
        .refused_frames
        .get_or_create(&Reason { reason })
        .get()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lying_primary_is_replaced_and_what_it_said_is_counted() {
    let mut consortium = Consortium::found_quiet(4);
    for index in 1..4 {
        consortium.start_node(index);
    }
    let liar = Liar::start(&consortium, 0);
    liar.connected(&[1, 2, 3]).await;

    let now = BlockTime::new(Clock::start().wall_ms());
    let one = Batch::new(contract::encode_batch(now, []));
    let other = Batch::new(contract::encode_batch(now.plus_ms(1), []));
    let stale = Batch::new(contract::encode_batch(now.minus_ms(3_600_000), []));
    let lie = || {
        liar.say(1, &liar.proposal(1, &one));
        liar.say(2, &liar.proposal(1, &other));
        liar.say(3, &liar.proposal(1, &stale));
    };
    liar.until(lie, consortium.refusal(3, "batch_too_old"))
        .await;

    let height = consortium.submit(1).await;
    for index in 1..4 {
        let status = consortium
            .until(index, |status| status.executed >= height)
            .await;
        assert!(status.view > 0, "the primary of view 0 is the liar");
        assert_eq!(
            consortium.state_root(index, height),
            consortium.state_root(1, height)
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn m3_garbage_forged_votes_and_false_certificates_change_nothing() {
    let mut consortium = Consortium::found_quiet(4);
    for index in 0..3 {
        consortium.start_node(index);
    }
    let liar = Liar::start(&consortium, 3);
    liar.connected(&[0, 1, 2]).await;
    let before = consortium.submit(0).await;

    let garbage = Frame::new(Kind::Consensus, vec![0xab; 2_000_000]);
    let say = || liar.send(0, &garbage);
    liar.until(say, consortium.refusal(0, "malformed")).await;

    let header = Digest::new([9; 32]);
    let body = Checkpoint {
        seq: Seq::new(before + 1),
        header,
    };
    let own = liar.sign(body);
    let forged = Signed {
        from: ReplicaId::new(1),
        ..own
    };
    let forged = Talk::Checkpoint(forged);
    let say = || liar.say(1, &forged);
    liar.until(say, consortium.refusal(1, "bad_signature"))
        .await;

    let nonsense = Frame::new(Kind::Transaction, b"no transaction".as_slice());
    let say = || liar.send(2, &nonsense);
    liar.until(say, consortium.refusal(2, "transaction_malformed"))
        .await;

    let height = consortium.submit(2).await;
    assert!(height > before);
    for index in 0..3 {
        let status = consortium
            .until(index, |status| status.executed >= height)
            .await;
        assert_eq!(status.diverged, None);
        assert_eq!(
            consortium.state_root(index, height),
            consortium.state_root(0, height)
        );
    }
    assert_eq!(
        refused(&consortium, 0, "bad_signature"),
        0,
        "the forgery went to one node only"
    );
}
