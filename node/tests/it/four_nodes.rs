//! Four nodes over real sockets: what one is told, all certify.

use node::status::NodeStatus;

use crate::consortium::{Consortium, PATIENCE};

#[tokio::test(flavor = "multi_thread")]
async fn what_is_submitted_at_any_node_is_certified_at_all_four_with_one_state_root() {
    let mut consortium = Consortium::start(4).await;
    let mut height = 0;
    for author in 0..4 {
        height = consortium.submit(author).await;
    }
    assert!(
        height >= 4,
        "four submissions one after the other make four blocks"
    );
    for index in 0..4 {
        consortium
            .until(index, |status| status.stable >= height)
            .await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_others_go_on_when_the_primary_stops_and_it_catches_up_when_it_returns() {
    let mut consortium = Consortium::start(4).await;
    consortium.submit(1).await;
    consortium.stop_node(0).await;

    let height = consortium.submit(1).await;
    let status = consortium.until(1, |status| status.view > 0).await;
    assert_ne!(status.primary, "rc");
    assert!(!status.members[0].up);

    consortium.start_node(0);
    let back = consortium.until(0, |status| status.stable >= height).await;
    assert_eq!(back.votes_lost, None);
    let later = consortium.submit(0).await;
    consortium.until(0, |status| status.stable >= later).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_quorum_nothing_is_certified_and_the_missing_are_named_until_they_return() {
    let mut consortium = Consortium::start(4).await;
    let before = consortium.submit(0).await;
    consortium.stop_node(2).await;
    consortium.stop_node(3).await;

    let ticket = consortium.send(0).await;
    let stalled = consortium.until(0, |status| status.stalled.is_some()).await;
    assert_eq!(stalled.stable, before);
    let text = stalled.stalled.unwrap();
    assert!(
        text.contains("clinic-2") && text.contains("clinic-3"),
        "{text}"
    );
    assert!(!stalled.members[2].up && !stalled.members[3].up);

    consortium.start_node(2);
    let moving = consortium.until(0, |status| status.stable > before).await;
    assert!(moving.connected() >= 3);
    ticket.wait(PATIENCE).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_was_told_that_his_block_is_final_finds_it_in_the_status() {
    let mut consortium = Consortium::start(4).await;
    for author in [0, 1, 2, 3, 0, 1, 2, 3] {
        let height = consortium.submit(author).await;
        let status = consortium.node(author).services().status.borrow().clone();
        assert!(
            status.executed >= height && status.stable >= height,
            "block {height} is final: {status:#?}"
        );
        assert_eq!(status.missing, Vec::<String>::new(), "all are connected");
    }
    let heartbeat = |status: &NodeStatus| {
        let timer = status.timer.as_ref();
        status.phase == "idle" && timer.is_some_and(|timer| timer.name == "heartbeat")
    };
    let idle = consortium.until(0, heartbeat).await;
    assert_eq!(idle.missing, Vec::<String>::new());

    consortium.stop_node(3).await;
    let lacking = consortium
        .until(0, |status| !status.missing.is_empty())
        .await;
    assert_eq!(lacking.missing, ["clinic-3"]);
    assert_eq!(lacking.stalled, None, "three of four are enough");
}
