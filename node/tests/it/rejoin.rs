//! Members that lost their votes: they come back through the ledger, and never before.

use std::time::Duration;

use consensus::Standing;
use node::clock::Clock;

use crate::consortium::{Consortium, PATIENCE};

#[tokio::test(flavor = "multi_thread")]
async fn a_member_that_lost_its_votes_votes_again_within_five_seconds() {
    let mut consortium = Consortium::start(4).await;
    consortium.submit(0).await;
    consortium.stop_node(3).await;
    std::fs::remove_dir_all(consortium.home(3).join("votes")).unwrap();

    let clock = Clock::start();
    consortium.start_node(3);
    let back = |status: &node::status::NodeStatus| {
        status.epoch == 1 && matches!(status.standing, Some(Standing::Voter(_)))
    };
    consortium.until(3, back).await;
    let took = clock.elapsed();

    assert!(took < Duration::from_secs(5), "{took:?}");
    consortium.stop_node(1).await;
    let height = consortium.submit(0).await;
    consortium.until(3, |status| status.stable >= height).await;
    consortium.stop_node(3).await;
    consortium.start_node(3);
    consortium.until(3, back).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_member_without_votes_signs_nothing_and_says_that_too_few_are_left_to_let_it_in_again() {
    let mut consortium = Consortium::start(4).await;
    let height = consortium.submit(0).await;
    consortium.stop_node(2).await;
    consortium.stop_node(3).await;
    std::fs::remove_dir_all(consortium.home(3).join("votes")).unwrap();
    consortium.start_node(3);

    let ticket = consortium.send(1).await;
    let told = |text: &str| text.contains("signs nothing") && text.contains("too few");
    consortium
        .until(3, |status| status.votes_lost.as_deref().is_some_and(told))
        .await;
    let stuck = consortium.until(1, |status| status.stalled.is_some()).await;
    assert_eq!(
        stuck.stable, height,
        "two voters of four are no quorum, whatever an observer sees"
    );
    assert!(
        !consortium.home(3).join("votes").exists(),
        "no log is made for a key that exists before the ledger says so"
    );

    consortium.start_node(2);
    ticket.wait(PATIENCE).await.unwrap();
    consortium
        .until(3, |status| status.votes_lost.is_none())
        .await;
    assert!(consortium.home(3).join("votes").exists());
}
