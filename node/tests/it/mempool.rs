//! What may wait, for how long, in whose turn, and who hears of it.

use std::sync::Arc;
use std::time::Duration;

use consensus::Seq;
use contract::batch::Memory as _;
use contract::{Author, Height, Outcome, Output, Parameters, SignedTransaction, check_batch};
use node::mempool::{Committed, SubmitError, Unsettled};
use tokio::runtime::{Builder, Runtime};

use super::research_ledger::{Consortium, Node, content};

const SHORT: Duration = Duration::from_millis(1);
const LONG: Duration = Duration::from_secs(30);

fn runtime() -> Runtime {
    Builder::new_current_thread().enable_time().build().unwrap()
}

pub(crate) fn gossip(node: &Node, transaction: &SignedTransaction) -> Result<bool, SubmitError> {
    node.submitter.gossiped(transaction.as_bytes().to_vec())
}

/// The transactions of a batch that the pool cuts now.
pub(crate) fn cut(
    node: &Node,
    consortium: &Consortium,
    bytes_max: usize,
) -> Vec<SignedTransaction> {
    let time = contract::BlockTime::new(consortium.start);
    node.pool
        .cut(bytes_max, time)
        .map(|bytes| {
            check_batch(
                &bytes,
                consortium.genesis.chain(),
                consortium.genesis.parameters(),
                time,
                |_| true,
            )
            .unwrap()
            .transactions()
            .to_vec()
        })
        .unwrap_or_default()
}

pub(crate) fn hashes(transactions: &[SignedTransaction]) -> Vec<contract::TransactionHash> {
    transactions.iter().map(|one| *one.hash()).collect()
}

#[test]
fn a_ticket_settles_with_the_certificate_and_not_before() {
    let home = tempfile::tempdir().unwrap();
    let mut consortium = Consortium::new();
    let mut node = Node::start(home.path(), &consortium);
    let transaction = consortium.registration(7);
    let bytes: Arc<[u8]> = transaction.as_bytes().into();
    let runtime = runtime();

    let first = runtime
        .block_on(node.submitter.submit(Arc::clone(&bytes)))
        .unwrap();
    let second = runtime
        .block_on(node.submitter.submit(Arc::clone(&bytes)))
        .unwrap();
    let impatient = runtime
        .block_on(node.submitter.submit(Arc::clone(&bytes)))
        .unwrap();
    assert_eq!(node.sent().as_ref(), Some(&bytes), "to the others");
    assert_eq!(node.sent(), None, "once");
    let below = node.execute(consortium.ordered(1, Vec::new()));
    let batch = consortium.batch(0, &cut(&node, &consortium, 1 << 20));
    let header = node.execute(consortium.ordered(2, batch));
    node.certify(consortium.certificate(1, below));
    assert_eq!(
        runtime.block_on(impatient.wait(SHORT)),
        Err(Unsettled::StillPending)
    );
    let late = runtime
        .block_on(node.submitter.submit(Arc::clone(&bytes)))
        .unwrap();
    node.certify(consortium.certificate(2, header));

    let committed = Committed {
        hash: *transaction.hash(),
        height: Height::new(2),
        index: 0,
        outcome: Outcome::Done(Output::Written),
    };
    for ticket in [first, second, late] {
        assert_eq!(runtime.block_on(ticket.wait(LONG)), Ok(committed.clone()));
    }
    assert_eq!(
        runtime.block_on(node.submitter.submit(bytes)).unwrap_err(),
        SubmitError::AlreadyKnown {
            height: Height::new(2),
            index: 0
        }
    );
}

#[test]
fn pending_names_the_oldest_that_is_not_executed() {
    let home = tempfile::tempdir().unwrap();
    let mut consortium = Consortium::new();
    let node = Node::start(home.path(), &consortium);
    assert_eq!(node.pool.pending().oldest, None);
    let (one, two) = (consortium.registration(1), consortium.registration(2));

    gossip(&node, &one).unwrap();
    gossip(&node, &two).unwrap();
    assert_eq!(node.pool.pending().oldest, Some(1));
    assert_eq!(node.pool.oldest().as_deref(), Some(one.as_bytes()));
    cut(&node, &consortium, 1 << 20);
    assert_eq!(
        node.pool.pending().oldest,
        Some(1),
        "a proposed one is not executed"
    );
    node.block(&consortium, 1, &[one]);

    assert_eq!(node.pool.pending().oldest, Some(2));
    assert_eq!(node.pool.pending().executed, 1);
    node.block(&consortium, 2, &[two]);
    assert_eq!(node.pool.pending().oldest, None);
    assert_eq!(node.pool.size(), (0, 0));
}

#[test]
fn the_same_transaction_waits_once() {
    let home = tempfile::tempdir().unwrap();
    let mut consortium = Consortium::new();
    let node = Node::start(home.path(), &consortium);
    let one = consortium.registration(1);

    assert_eq!(gossip(&node, &one), Ok(true));
    assert_eq!(gossip(&node, &one), Ok(false));
    assert_eq!(cut(&node, &consortium, 1 << 20).len(), 1);
    assert_eq!(gossip(&node, &one), Ok(false), "also while it is proposed");
    assert_eq!(cut(&node, &consortium, 1 << 20), []);

    node.block(&consortium, 1, std::slice::from_ref(&one));
    assert_eq!(
        gossip(&node, &one),
        Err(SubmitError::AlreadyKnown {
            height: Height::new(1),
            index: 0
        })
    );
}

#[test]
fn what_this_node_signed_itself_is_held_to_the_same_limits_and_checked_no_more() {
    let home = tempfile::tempdir().unwrap();
    let mut consortium = Consortium::new();
    let mut node = Node::start(home.path(), &consortium);
    let call = consortium.registration(1).call().clone();
    let expired = consortium.call_until(0, consortium.start - 1, call.clone());
    let own = consortium.call(0, call);
    let submit = |one: &SignedTransaction| {
        let submitted = node.submitter.submit_checked(one.clone());
        runtime().block_on(submitted)
    };

    assert!(matches!(submit(&expired), Err(SubmitError::Expired { .. })));
    assert_eq!(submit(&own).unwrap().hash(), own.hash());
    assert!(node.submitter.is_good(own.hash()));
    assert_eq!(node.sent(), Some(own.shared()));
}

#[test]
fn what_is_wrong_with_a_transaction_is_said() {
    let home = tempfile::tempdir().unwrap();
    let mut consortium = Consortium::new();
    let node = Node::start(home.path(), &consortium);
    let call = consortium.registration(1).call().clone();
    let window = consortium.genesis.parameters().replay_window_ms;

    let expired = consortium.call_until(0, consortium.start - 1, call.clone());
    assert!(matches!(
        gossip(&node, &expired),
        Err(SubmitError::Expired { .. })
    ));
    let eternal = consortium.call_until(0, consortium.start + window + 600_000, call.clone());
    assert!(matches!(
        gossip(&node, &eternal),
        Err(SubmitError::TooFarAhead { .. })
    ));
    let good = consortium.call(0, call);
    let mut forged = good.as_bytes().to_vec();
    *forged.last_mut().unwrap() ^= 1;
    assert!(matches!(
        node.submitter.gossiped(forged),
        Err(SubmitError::Invalid(_))
    ));
    assert!(matches!(
        node.submitter.gossiped(vec![1, 2, 3]),
        Err(SubmitError::Malformed(_))
    ));
    assert!(!node.submitter.is_good(good.hash()));
    assert_eq!(gossip(&node, &good), Ok(true));
    assert!(node.submitter.is_good(good.hash()));
    assert_eq!(node.pool.size().0, 1);
}

#[test]
fn what_the_next_epochs_limits_forbid_goes_and_does_not_come_again() {
    let home = tempfile::tempdir().unwrap();
    let mut consortium = Consortium::new();
    let node = Node::start(home.path(), &consortium);
    let (large, small) = (
        consortium.sign_ins(1, 7, 0..10),
        consortium.sign_ins(1, 7, 10..15),
    );
    let runtime = runtime();
    let ticket = runtime
        .block_on(node.submitter.submit(large.as_bytes().into()))
        .unwrap();
    gossip(&node, &small).unwrap();
    cut(&node, &consortium, 1 << 20);

    node.pool.enter(&Parameters {
        bundle_results_max: 5,
        ..consortium.genesis.parameters().clone()
    });

    assert_eq!(
        runtime.block_on(ticket.wait(LONG)),
        Err(Unsettled::Expired),
        "nobody waits for it for ever"
    );
    assert_eq!(cut(&node, &consortium, 1 << 20), [small]);
    assert!(
        node.submitter.is_good(large.hash()),
        "its signatures are good"
    );
    let again = gossip(&node, &large);
    assert!(matches!(again, Err(SubmitError::Invalid(_))), "{again:?}");
}

#[test]
fn the_pool_has_the_room_that_the_running_epoch_gives_it() {
    let home = tempfile::tempdir().unwrap();
    let mut consortium = Consortium::new();
    let node = Node::start(home.path(), &consortium);
    node.pool.enter(&Parameters {
        pool_transactions_max: 8,
        ..consortium.genesis.parameters().clone()
    });
    for number in 0..2 {
        gossip(&node, &consortium.sign_ins(1, 7, [number])).unwrap();
    }

    let third = gossip(&node, &consortium.sign_ins(1, 7, [2]));

    assert!(
        matches!(third, Err(SubmitError::OverShare { .. })),
        "{third:?}"
    );
    node.pool.enter(consortium.genesis.parameters());
    assert_eq!(gossip(&node, &consortium.sign_ins(1, 7, [2])), Ok(true));
}

#[test]
fn a_batch_takes_turns_among_authors() {
    let home = tempfile::tempdir().unwrap();
    let mut consortium = Consortium::new();
    let node = Node::start(home.path(), &consortium);
    let flood: Vec<_> = (0..10)
        .map(|number| consortium.sign_ins(1, 7, [number]))
        .collect();
    let modest = [
        consortium.sign_ins(2, 7, [100]),
        consortium.sign_ins(3, 7, [101]),
    ];
    for transaction in flood.iter().chain(&modest) {
        gossip(&node, transaction).unwrap();
    }
    let room_for_four = 16 + 4 * (8 + flood[0].as_bytes().len());

    let first = cut(&node, &consortium, room_for_four);
    let second = cut(&node, &consortium, room_for_four);

    let turns = |batch: &[SignedTransaction]| {
        let mut authors: Vec<_> = batch.iter().map(|one| *one.author()).collect();
        authors.sort();
        authors.dedup();
        authors
    };
    assert_eq!(first.len(), 4);
    assert_eq!(turns(&first).len(), 3, "nobody waits for the flood");
    assert!(modest.iter().all(|one| first.contains(one)));
    let of_flood = |one: &&SignedTransaction| *one.author() == Author::Member(consortium.server(1));
    let flooded: Vec<_> = first
        .iter()
        .chain(&second)
        .filter(of_flood)
        .cloned()
        .collect();
    assert_eq!(
        hashes(&flooded),
        hashes(&flood[..6]),
        "an author's own stay in order"
    );
}

#[test]
fn long_bundles_get_no_more_of_a_batch_than_short_ones() {
    let home = tempfile::tempdir().unwrap();
    let mut consortium = Consortium::new();
    let node = Node::start(home.path(), &consortium);
    let long: Vec<_> = (0..4)
        .map(|bundle| consortium.sign_ins(1, 7, bundle * 100..bundle * 100 + 100))
        .collect();
    let short: Vec<_> = (0..60)
        .map(|bundle| consortium.sign_ins(2, 7, 1_000 + bundle * 5..1_005 + bundle * 5))
        .collect();
    for transaction in long.iter().chain(&short) {
        gossip(&node, transaction).unwrap();
    }
    let room_for_two_long = 16 + 2 * (8 + long[0].as_bytes().len());

    let batch = cut(&node, &consortium, room_for_two_long);

    let of = |member| {
        let author = Author::Member(consortium.server(member));
        let own = batch.iter().filter(|one| *one.author() == author);
        own.map(|one| one.as_bytes().len()).sum::<usize>()
    };
    assert_eq!(of(1), long[0].as_bytes().len(), "one long bundle");
    assert!(of(2) * 10 > of(1) * 9, "{} beside {}", of(2), of(1));
}

#[test]
fn a_batch_stays_within_its_bytes_and_results() {
    let home = tempfile::tempdir().unwrap();
    let mut content = content(node::clock::Clock::start().wall_ms());
    content.parameters.batch_results_max = 300;
    let mut consortium = Consortium::founded(&content);
    let node = Node::start(home.path(), &consortium);
    let bundles: Vec<_> = (0..4)
        .map(|bundle| consortium.sign_ins(1, 7, bundle * 100..bundle * 100 + 100))
        .collect();
    let time = contract::BlockTime::new(consortium.start);
    for bundle in &bundles[..2] {
        gossip(&node, bundle).unwrap();
    }
    assert_eq!(
        node.pool.cut_full(1 << 20, time),
        None,
        "200 of 300 results"
    );
    for bundle in &bundles[2..] {
        gossip(&node, bundle).unwrap();
    }

    let exactly_two = 16 + 2 * (8 + bundles[0].as_bytes().len());
    let nothing = cut(&node, &consortium, 16 + 8 + bundles[0].as_bytes().len() - 1);
    let two = cut(&node, &consortium, exactly_two);
    node.pool.returned(&consortium.batch(0, &two));
    let one = cut(&node, &consortium, exactly_two - 1);
    node.pool.returned(&consortium.batch(0, &one));
    let full = node.pool.cut_full(1 << 20, time).unwrap();

    assert_eq!(nothing, []);
    assert_eq!(hashes(&two), hashes(&bundles[..2]));
    assert_eq!(hashes(&one), hashes(&bundles[..1]));
    let full = check_batch(
        &full,
        consortium.genesis.chain(),
        consortium.genesis.parameters(),
        time,
        |_| true,
    )
    .unwrap();
    assert_eq!(hashes(full.transactions()), hashes(&bundles[..3]));
}

#[test]
fn the_pool_is_bounded_and_so_is_each_authors_share() {
    let home = tempfile::tempdir().unwrap();
    let mut content = content(node::clock::Clock::start().wall_ms());
    content.parameters.pool_transactions_max = 100;
    let mut consortium = Consortium::founded(&content);
    let node = Node::start(home.path(), &consortium);
    let mut next = 0_u32;
    let mut send = |consortium: &mut Consortium, member| {
        next += 1;
        gossip(&node, &consortium.sign_ins(member, 7, [next]))
    };

    for member in 0..3 {
        for _ in 0..25 {
            assert_eq!(send(&mut consortium, member), Ok(true));
        }
        assert!(matches!(
            send(&mut consortium, member),
            Err(SubmitError::OverShare { .. })
        ));
    }
    for _ in 0..25 {
        assert_eq!(send(&mut consortium, 3), Ok(true));
    }
    assert!(matches!(
        send(&mut consortium, 3),
        Err(SubmitError::Full { .. })
    ));

    let batch = cut(&node, &consortium, 1 << 20);
    assert_eq!(batch.len(), 100);
    node.block(&consortium, 1, &batch[..1]);
    let freed = (0..4)
        .find(|member| *batch[0].author() == Author::Member(consortium.server(*member)))
        .unwrap();
    assert_eq!(
        send(&mut consortium, freed),
        Ok(true),
        "room comes back to its author"
    );
}

#[test]
fn the_pools_bytes_are_bounded() {
    let home = tempfile::tempdir().unwrap();
    let mut content = content(node::clock::Clock::start().wall_ms());
    content.parameters.pool_bytes_max = 1 << 20;
    let mut consortium = Consortium::founded(&content);
    let node = Node::start(home.path(), &consortium);
    let mut bytes = 0;
    let refused = loop {
        let bundle = consortium.sign_ins(1, 7, 0..200);
        match gossip(&node, &bundle) {
            Ok(_) => bytes += bundle.as_bytes().len(),
            Err(error) => break (error, bundle.as_bytes().len()),
        }
    };

    assert!(matches!(refused.0, SubmitError::OverShare { .. }));
    assert!(bytes <= 1 << 18);
    assert!(bytes + refused.1 > 1 << 18);
    assert_eq!(node.pool.size().1, bytes);
}

#[test]
fn one_that_can_no_longer_be_executed_leaves_and_its_ticket_says_so() {
    let home = tempfile::tempdir().unwrap();
    let mut consortium = Consortium::new();
    let node = Node::start(home.path(), &consortium);
    let call = consortium.registration(1).call().clone();
    let brief = consortium.call_until(0, consortium.start + 30_000, call);
    let runtime = runtime();
    let ticket = runtime
        .block_on(node.submitter.submit(brief.as_bytes().into()))
        .unwrap();
    let at_its_time = consortium.batch(30_000, &[]);
    let after_it = consortium.batch(30_001, &[]);

    node.execute(consortium.ordered(1, at_its_time));
    assert_eq!(node.pool.size().0, 1);
    node.execute(consortium.ordered(2, after_it));

    assert_eq!(node.pool.size().0, 0);
    assert_eq!(runtime.block_on(ticket.wait(LONG)), Err(Unsettled::Expired));
    assert_eq!(node.sync(), Seq::new(2));
}
