//! A consortium that grows and shrinks while it works: nobody restarts, nothing that was acknowledged is lost.

use std::{sync::Arc, time::Duration};

use contract::{
    Aid, BlockTime, Call, Height, Invalid, LegacyResult, Outcome, Output, SessionId,
    SignatureBytes, SuiteId, TransactionHash,
    contracts::membership::{Candidate, MembershipChange, ParameterChange, possession_digest},
};
use ed25519_dalek::Signer as _;
use node::{
    keys::Keys,
    mempool::SubmitError,
    metrics::Reason,
    network::frame::{Frame, Kind},
    services::Services,
    status::NodeStatus,
};
use tokio::{sync::watch, task::JoinHandle};

use crate::{
    byzantine_peer::Liar,
    consortium::{Consortium, PATIENCE, signed},
};

/// The newest block that is executed and certified at a node.
fn final_at(status: &NodeStatus) -> u64 {
    status.stable.min(status.executed)
}

/// Transactions that are submitted one after the other at one node until they are to end.
struct Load {
    stop: watch::Sender<bool>,
    task: JoinHandle<Vec<(TransactionHash, Height)>>,
}

impl Load {
    /// Begins to submit.
    fn start(services: Services, first: u64) -> Self {
        let (stop, stopped) = watch::channel(false);
        let task = tokio::spawn(async move {
            let mut acknowledged = Vec::new();
            for salt in first.. {
                if *stopped.borrow() {
                    break;
                }
                let transaction = signed(&services, salt, Call::Revoke(Aid::new([8; 32])));
                let bytes: Arc<[u8]> = transaction.as_bytes().into();
                let ticket = services.submitter.submit(bytes).await.unwrap();
                let done = ticket
                    .wait(PATIENCE.saturating_mul(2))
                    .await
                    .expect("the ledger never halts");
                acknowledged.push((*transaction.hash(), done.height));
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
            acknowledged
        });
        Self { stop, task }
    }

    /// Ends, and tells what was acknowledged.
    async fn end(self) -> Vec<(TransactionHash, Height)> {
        self.stop.send_replace(true);
        self.task.await.unwrap()
    }
}

impl Consortium {
    /// Homes of these newcomers, running, and the change that admits them.
    fn candidates(&mut self, names: &[&str]) -> (Vec<usize>, Vec<Candidate>) {
        let mut places = Vec::new();
        let mut candidates = Vec::new();
        for name in names {
            let (place, member) = self.newcomer(name);
            let chain = *self.node(0).services().genesis.chain();
            let keys = Keys::load(&self.home(place)).unwrap();
            let digest = possession_digest(&chain, &member);
            let possession = keys.member().sign(&digest).to_bytes();
            self.start_node(place);
            places.push(place);
            candidates.push(Candidate {
                member,
                possession: SignatureBytes::new(possession),
            });
        }
        (places, candidates)
    }

    /// Has a change proposed by the first of these members and approved by the others.
    async fn decide(&mut self, members: &[usize], change: MembershipChange) {
        let chain = *self.node(0).services().genesis.chain();
        let id = change.id(&chain);
        for (turn, member) in members.iter().enumerate() {
            let call = if turn == 0 {
                Call::ProposeChange(Box::new(change.clone()))
            } else {
                Call::ApproveChange(id)
            };
            let outcome = self.ask(*member, call).await;
            let Outcome::Done(output) = outcome else {
                panic!("{member}: {outcome:?}");
            };
            if matches!(output, Output::EpochEnds { .. }) {
                return;
            }
        }
    }

    /// Waits until these nodes vote in an epoch.
    async fn vote_in(&self, members: &[usize], epoch: u32) {
        for member in members {
            let status = self
                .until(*member, |status| {
                    status.epoch >= epoch && status.votes_lost.is_none()
                })
                .await;
            assert_eq!(status.members.len(), members.len(), "{status:#?}");
        }
    }

    /// Checks that every acknowledged transaction is on the ledger of each node, where it was said to be.
    async fn have_all(&self, members: &[usize], acknowledged: &[(TransactionHash, Height)]) {
        let highest = acknowledged.iter().map(|(_, height)| height.get()).max();
        for member in members {
            self.until(*member, |status| final_at(status) >= highest.unwrap())
                .await;
            let ledger = &self.node(*member).services().ledger;
            for (hash, height) in acknowledged {
                let found = ledger.transaction(hash).unwrap();
                assert_eq!(found.map(|found| found.height), Some(*height));
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn one_member_becomes_four_and_seven_and_four_again_under_load_and_nothing_is_lost() {
    let mut consortium = Consortium::start(1).await;
    let load = Load::start(consortium.node(0).services().clone(), 1 << 40);
    let first = consortium.submit(0).await;

    let (_, add) = consortium.candidates(&["clinic-1", "clinic-2", "clinic-3"]);
    let four = MembershipChange {
        add,
        ..MembershipChange::default()
    };
    consortium.decide(&[0], four).await;
    consortium.vote_in(&[0, 1, 2, 3], 1).await;
    consortium.submit(3).await;

    let (_, add) = consortium.candidates(&["clinic-4", "clinic-5", "clinic-6"]);
    let seven = MembershipChange {
        add,
        ..MembershipChange::default()
    };
    consortium.decide(&[0, 1, 2], seven).await;
    consortium.vote_in(&[0, 1, 2, 3, 4, 5, 6], 2).await;
    consortium.submit(6).await;

    let leavers = [1, 2, 5].map(|place| consortium.node(place).services().server_id());
    let shrink = MembershipChange {
        remove: leavers.to_vec(),
        lower_faults: true,
        ..MembershipChange::default()
    };
    consortium.decide(&[0, 6, 4, 3, 1, 2], shrink).await;
    consortium.vote_in(&[0, 3, 4, 6], 3).await;
    let last = consortium.submit(4).await;
    let gone = consortium.until(1, |status| status.epoch >= 3).await;

    let acknowledged = load.end().await;
    consortium.have_all(&[0, 3, 4, 6], &acknowledged).await;
    assert!(acknowledged.len() > 20, "{}", acknowledged.len());
    assert!(gone.votes_lost.unwrap().contains("not a member"));
    for member in [0, 3, 4, 6] {
        consortium
            .until(member, |status| final_at(status) >= last)
            .await;
        let root = consortium.state_root(member, last);
        assert_eq!(root, consortium.state_root(0, last));
        let early = consortium
            .node(member)
            .services()
            .ledger
            .certificate(Height::new(first));
        assert!(
            early.unwrap().is_some(),
            "the first epoch's are still there"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn members_that_are_killed_in_the_middle_of_a_change_come_back_and_vote_in_the_next_epoch() {
    let mut consortium = Consortium::start(4).await;
    let load = Load::start(consortium.node(0).services().clone(), 1 << 40);
    let (_, add) = consortium.candidates(&["clinic-4"]);
    let five = MembershipChange {
        add,
        ..MembershipChange::default()
    };
    consortium.decide(&[0, 1, 2], five).await;
    for victim in [1, 2, 3, 4] {
        consortium.kill_node(victim).await;
        consortium.revive_node(victim).await;
    }

    consortium.vote_in(&[0, 1, 2, 3, 4], 1).await;
    let height = consortium.submit(4).await;

    let acknowledged = load.end().await;
    consortium.have_all(&[0, 1, 2, 3, 4], &acknowledged).await;
    for member in 0..5 {
        let root = consortium.state_root(member, height);
        assert_eq!(root, consortium.state_root(0, height));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn all_lose_power_in_the_middle_of_a_change_and_go_on() {
    let mut consortium = Consortium::start(4).await;
    let leaver = consortium.node(3).services().server_id();
    let three = MembershipChange {
        remove: vec![leaver],
        lower_faults: true,
        ..MembershipChange::default()
    };
    consortium.decide(&[0, 1, 2], three).await;
    for round in 0..4 {
        for member in 0..4 {
            consortium.kill_node(member).await;
        }
        for member in 0..4 {
            consortium.revive_node(member).await;
        }
        tokio::time::sleep(Duration::from_millis(100 * round)).await;
    }

    consortium.vote_in(&[0, 1, 2], 1).await;
    let height = consortium.submit(2).await;
    for member in 0..4 {
        consortium
            .until(member, |status| final_at(status) >= height)
            .await;
        let root = consortium.state_root(member, height);
        assert_eq!(root, consortium.state_root(0, height));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_empty_store_is_filled_from_genesis_across_the_epochs() {
    let mut consortium = Consortium::start(1).await;
    let (_, add) = consortium.candidates(&["clinic-1", "clinic-2", "clinic-3"]);
    let four = MembershipChange {
        add,
        ..MembershipChange::default()
    };
    consortium.decide(&[0], four).await;
    consortium.vote_in(&[0, 1, 2, 3], 1).await;
    let height = consortium.submit(2).await;
    consortium
        .until(2, |status| final_at(status) >= height)
        .await;
    consortium.stop_node(2).await;
    std::fs::remove_dir_all(consortium.home(2).join("ledger")).unwrap();

    consortium.start_node(2);

    let back = |status: &NodeStatus| {
        status.epoch == 1 && final_at(status) >= height && status.votes_lost.is_none()
    };
    consortium.until(2, back).await;
    let later = consortium.submit(2).await;
    let root = consortium.state_root(2, later);
    consortium
        .until(1, |status| final_at(status) >= later)
        .await;
    assert_eq!(root, consortium.state_root(1, later));
}

/// A bundle of so many sign-ins that this node claims to have seen.
fn bundle(services: &Services, results: usize) -> Arc<[u8]> {
    let now = BlockTime::new(services.clock.wall_ms());
    let result = LegacyResult {
        suite: SuiteId::WU_2021,
        server_id: services.server_id(),
        aid: Aid::new([8; 32]),
        t1: now,
        t3: now,
        sid: SessionId::new([3; 32]),
    };
    let salt = u64::try_from(results).unwrap();
    let call = Call::LegacyResults(vec![result; results]);
    signed(services, salt, call).as_bytes().into()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_limit_that_the_members_raise_holds_from_the_next_epoch_on_without_a_restart() {
    let mut consortium = Consortium::start(4).await;
    let services = consortium.node(3).services().clone();
    let too_many = services.submitter.submit(bundle(&services, 300)).await;
    assert_eq!(
        too_many.unwrap_err(),
        SubmitError::Invalid(Invalid::TooManyEntries {
            found: 300,
            limit: 256
        })
    );

    let name = "bundle_results_max".to_owned();
    let raised = MembershipChange {
        parameters: vec![ParameterChange { name, value: 300 }],
        ..MembershipChange::default()
    };
    consortium.decide(&[0, 1, 2], raised).await;
    consortium.vote_in(&[0, 1, 2, 3], 1).await;

    let ticket = services.submitter.submit(bundle(&services, 300)).await;
    let committed = ticket.unwrap().wait(PATIENCE).await.unwrap();
    assert!(
        matches!(committed.outcome, Outcome::Done(_)),
        "{committed:?}"
    );
    let too_many = services.submitter.submit(bundle(&services, 301)).await;
    assert!(matches!(too_many, Err(SubmitError::Invalid(_))));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_member_that_goes_by_a_later_epochs_limits_stays_connected() {
    let mut consortium = Consortium::found(4);
    for index in 0..3 {
        consortium.start_node(index);
    }
    let ahead = Liar::start(&consortium, 3);
    ahead.connected(&[0, 1, 2]).await;
    let services = consortium.node(0).services().clone();
    let said = [bundle(&services, 300), bundle(&services, 20)];
    let say = || {
        for bytes in &said {
            let frame = Frame::new(Kind::Transaction, Arc::clone(bytes));
            ahead.network.send(0, frame);
        }
    };

    let taken = async {
        while services.ledger.certified().height == Height::new(0) {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    let taken = ahead.until(say, tokio::time::timeout(PATIENCE, taken));
    taken.await.unwrap();
    let reason = "transaction_invalid";
    let refused = services
        .metrics
        .refused_frames
        .get_or_create(&Reason { reason })
        .get();
    assert_eq!(refused, 0);
}
