//! Transactions of proposals that are under way are not cut a second time; those of others are.

use contract::batch::Memory as _;
use contract::check_batch;

use super::mempool::{cut, gossip, hashes};
use super::research_ledger::{Consortium, Node};

#[test]
fn what_a_view_change_dropped_waits_again_where_it_was() {
    let home = tempfile::tempdir().unwrap();
    let mut consortium = Consortium::new();
    let node = Node::start(home.path(), &consortium);
    let known: Vec<_> = (1..=3)
        .map(|patient| consortium.registration(patient))
        .collect();
    let unknown = consortium.registration(4);
    for transaction in &known {
        gossip(&node, transaction).unwrap();
    }
    let proposed = [known[0].clone(), unknown.clone()];
    let batch = consortium.batch(0, &proposed);
    let time = contract::BlockTime::new(consortium.start);
    let checked = check_batch(
        &batch,
        consortium.genesis.chain(),
        consortium.genesis.parameters(),
        time,
        |_| false,
    )
    .unwrap();

    let digest = *checked.digest();
    node.submitter.passed(checked);
    assert!(node.submitter.is_good(unknown.hash()));
    let all = cut(&node, &consortium, 1 << 20);
    assert_eq!(
        hashes(&all),
        hashes(&known),
        "what the replica did not take is proposed here"
    );
    node.pool.returned(&consortium.batch(0, &all));
    node.pool.proposed(&digest);
    assert_eq!(
        hashes(&cut(&node, &consortium, 1 << 20)),
        hashes(&known[1..]),
        "what another proposed is not proposed here"
    );
    node.pool.returned(&batch);

    assert_eq!(hashes(&cut(&node, &consortium, 1 << 20)), hashes(&proposed));
}
