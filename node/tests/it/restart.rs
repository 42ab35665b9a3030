//! What a node finds again, what it rebuilds, and what it may no longer do.

use node::{
    executor::ExecutorError,
    node::{LockError, Node, NodeError},
    store::StoreError,
};

use crate::consortium::Consortium;

#[tokio::test(flavor = "multi_thread")]
async fn all_four_stop_and_start_again_where_they_were() {
    let mut consortium = Consortium::start(4).await;
    let mut height = 0;
    for author in [0, 1, 2, 3, 0] {
        height = consortium.submit(author).await;
    }
    for index in 0..4 {
        consortium
            .until(index, |status| status.stable >= height)
            .await;
        consortium.stop_node(index).await;
    }
    for index in 0..4 {
        consortium.start_node(index);
    }
    for index in 0..4 {
        let status = consortium
            .until(index, |status| status.stable.min(status.executed) >= height)
            .await;
        assert_eq!(status.votes_lost, None);
        assert_eq!(
            consortium.state_root(index, height),
            consortium.state_root(0, height)
        );
    }
    assert!(consortium.submit(2).await > height);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wiped_store_is_rebuilt_to_the_same_state_root() {
    let mut consortium = Consortium::start(4).await;
    let mut height = 0;
    for _ in 0..6 {
        height = consortium.submit(1).await;
    }
    consortium.until(2, |status| status.stable >= height).await;
    consortium.stop_node(2).await;
    std::fs::remove_dir_all(consortium.home(2).join("ledger")).unwrap();

    consortium.start_node(2);
    consortium.until(2, |status| status.stable >= height).await;
    let later = consortium.submit(2).await;
    for index in 0..4 {
        consortium
            .until(index, |status| status.stable >= later)
            .await;
        assert_eq!(
            consortium.state_root(index, later),
            consortium.state_root(2, later)
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_that_lost_store_and_votes_takes_everything_from_the_others() {
    let mut consortium = Consortium::start(4).await;
    let mut height = 0;
    for _ in 0..6 {
        height = consortium.submit(0).await;
    }
    consortium.stop_node(3).await;
    std::fs::remove_dir_all(consortium.home(3).join("ledger")).unwrap();
    std::fs::remove_dir_all(consortium.home(3).join("votes")).unwrap();
    consortium.start_node(3);
    let later = consortium.submit(0).await;
    assert!(later > height);
    let observer = consortium.until(3, |status| status.executed >= later).await;
    assert!(observer.votes_lost.is_some());
    assert_eq!(
        consortium.state_root(3, later),
        consortium.state_root(0, later)
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn ledger_and_votes_of_another_genesis_are_refused_and_kept() {
    let mut consortium = Consortium::start(4).await;
    consortium.submit(0).await;
    consortium.stop_node(0).await;
    let config = consortium.config(0).clone();
    let ours = std::fs::read_to_string(config.genesis_path()).unwrap();
    let another = ours.replace("\"name\": \"test\"", "\"name\": \"other\"");
    assert_ne!(ours, another);
    std::fs::write(config.genesis_path(), another).unwrap();

    let error = Node::start(config.clone()).unwrap_err();
    let NodeError::Executor(ExecutorError::Store(StoreError::OtherChain { .. })) = error else {
        panic!("{error:?}");
    };
    let aside = config.home.join("ledger-of-ours");
    std::fs::rename(config.home.join("ledger"), &aside).unwrap();
    let error = Node::start(config.clone()).unwrap_err();
    assert!(matches!(error, NodeError::ForeignLog { .. }), "{error:?}");

    std::fs::write(config.genesis_path(), ours).unwrap();
    std::fs::remove_dir_all(config.home.join("ledger")).unwrap();
    std::fs::rename(aside, config.home.join("ledger")).unwrap();
    consortium.start_node(0);
    assert!(consortium.submit(0).await > 1, "nothing was lost");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_node_in_the_same_home_is_refused_and_names_the_first() {
    let consortium = Consortium::start(4).await;
    let error = Node::start(consortium.config(0).clone()).unwrap_err();
    let pid = std::process::id();
    assert!(matches!(error, NodeError::Lock(LockError::Held { pid: Some(p), .. }) if p == pid));
}
