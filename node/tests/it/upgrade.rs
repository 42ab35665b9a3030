//! Newer rules of the ledger: members tell each other what their builds know, and one that lacks the rules stops before the
//! first block under them.

use contract::{
    Call, Outcome,
    contracts::membership::{MembershipChange, ParameterChange},
};
use node::{
    driver::Ended,
    host::HostError,
    node::{Node, NodeError, Variant},
    term::TermError,
};
use tokio::time::timeout;

use crate::consortium::{Consortium, PATIENCE};

/// Starts a node whose build knows one version of the rules more than this one does.
fn start_newer(consortium: &mut Consortium, place: usize) {
    let variant = Variant {
        rules: Variant::default().rules.saturating_add(1),
        ..Variant::default()
    };
    let config = consortium.config(place).clone();
    consortium.nodes[place] = Some(Node::start_variant(config, variant).unwrap());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_that_lacks_the_rules_stops_before_their_first_block_and_goes_on_as_a_newer_build() {
    let old = Variant::default().rules;
    let mut consortium = Consortium::found(4);
    (0..3).for_each(|place| start_newer(&mut consortium, place));
    consortium.start_node(3);
    let told = |status: &node::status::NodeStatus| {
        let known = status
            .members
            .iter()
            .filter_map(|member| member.build.as_ref());
        known.map(|build| build.rules).collect::<Vec<_>>() == [old + 1, old + 1, old + 1, old]
    };
    for place in 0..4 {
        consortium.until(place, told).await;
    }

    let change = MembershipChange {
        parameters: vec![ParameterChange {
            name: "protocol_version".to_owned(),
            value: old + 1,
        }],
        ..MembershipChange::default()
    };
    let approve = Call::ApproveChange(change.id(consortium.node(0).services().genesis.chain()));
    let propose = Call::ProposeChange(Box::new(change));
    for (place, call) in [(0, propose), (1, approve.clone()), (2, approve)] {
        let outcome = consortium.ask(place, call).await;
        assert!(matches!(outcome, Outcome::Done(_)), "{outcome:?}");
    }

    let mut stopped = consortium.nodes[3].take().unwrap();
    let ended = timeout(PATIENCE, stopped.ended()).await.unwrap();
    let Ended::Failed(HostError::Term(TermError::Rules {
        first,
        version,
        known,
    })) = ended
    else {
        panic!("{ended:?}");
    };
    assert_eq!((version, known), (old + 1, old));
    let ledger = stopped.services().ledger.clone();
    stopped.stop().await.unwrap();
    let certified = ledger.certified().height;
    assert_eq!(
        certified.next(),
        first,
        "it has everything before that block"
    );
    drop(ledger);
    let later = consortium.submit(0).await;
    assert!(later >= first.get());
    let again = Node::start(consortium.config(3).clone());
    assert!(matches!(
        again,
        Err(NodeError::Term(TermError::Rules { .. }))
    ));
    // Its parts let go of the ledger's files a moment later.
    tokio::time::sleep(std::time::Duration::from_millis(500)).await;

    start_newer(&mut consortium, 3);
    consortium.certified(3, later).await;
    assert_eq!(
        consortium.state_root(3, later),
        consortium.state_root(0, later)
    );
}
