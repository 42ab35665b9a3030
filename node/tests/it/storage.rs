//! Finding things again: indexes in memory, in runs, and rebuilt.
#![expect(
    clippy::arithmetic_side_effects,
    reason = "a wrong number is a failed test"
)]

use contract::{Height, ServerId};
use node::store::{Cursor, Page, ResultQuery, ResultRow};

use super::research_ledger::{Consortium, Node, aid, session};

/// Sessions 0.. of three patients at three servers, four in each of five blocks from block 2 on.
fn ledger(node: &Node, consortium: &mut Consortium) {
    let registrations: Vec<_> = (0..3)
        .map(|patient| consortium.registration(patient))
        .collect();
    node.block(consortium, 1, &registrations);
    for block in 0..5_u32 {
        let first = block * 4;
        let bundles = [
            consortium.sign_ins(1, 0, [first, first + 1]),
            consortium.sign_ins(2, 1, [first + 2]),
            consortium.sign_ins(3, 2, [first + 3]),
        ];
        node.block(consortium, u64::from(block) + 2, &bundles);
    }
}

fn query() -> ResultQuery {
    ResultQuery {
        limit: 100,
        ..ResultQuery::default()
    }
}

fn at_server(server: ServerId) -> ResultQuery {
    ResultQuery {
        server: Some(server),
        ..query()
    }
}

fn rows(node: &Node, query: &ResultQuery) -> Vec<ResultRow> {
    let Page { rows, next } = node.ledger.results(query).unwrap();
    assert_eq!(next, None);
    rows
}

/// The numbers of the sessions of these rows.
fn numbers(rows: &[ResultRow]) -> Vec<u32> {
    rows.iter()
        .map(|row| (0..20).find(|number| session(*number) == row.sid).unwrap())
        .collect()
}

/// Every question has the same answer, wherever the indexes are.
fn assert_answers(node: &Node, consortium: &Consortium) {
    let newest_first: Vec<u32> = (0..20).rev().collect();
    assert_eq!(numbers(&rows(node, &query())), newest_first);

    let of_patient = ResultQuery {
        aid: Some(aid(0)),
        ..query()
    };
    let expected: Vec<u32> = (0..20).rev().filter(|number| number % 4 < 2).collect();
    assert_eq!(numbers(&rows(node, &of_patient)), expected);

    let expected: Vec<u32> = (0..20).rev().filter(|number| number % 4 == 3).collect();
    assert_eq!(
        numbers(&rows(node, &at_server(consortium.server(3)))),
        expected
    );

    let nowhere = ResultQuery {
        aid: Some(aid(0)),
        ..at_server(consortium.server(3))
    };
    assert_eq!(rows(node, &nowhere), []);
    assert_eq!(rows(node, &at_server(consortium.server(0))), []);

    for number in 0..20 {
        let row = node
            .ledger
            .session(&session(number), None)
            .unwrap()
            .unwrap();
        assert_eq!(row.sid, session(number));
        assert_eq!(row.height, Height::new(u64::from(number / 4) + 2));
        let located = node.ledger.transaction(&row.transaction).unwrap().unwrap();
        assert_eq!((located.height, located.index), (row.height, row.index));
    }
    assert_eq!(node.ledger.session(&session(20), None).unwrap(), None);
}

#[test]
fn every_index_answers_from_memory_and_from_the_database() {
    let home = tempfile::tempdir().unwrap();
    let mut consortium = Consortium::new();
    let node = Node::start(home.path(), &consortium);
    ledger(&node, &mut consortium);
    assert_answers(&node, &consortium);
    node.abandon();

    let node = Node::start(home.path(), &consortium);
    assert_answers(&node, &consortium);
    node.stop();

    let node = Node::start(home.path(), &consortium);
    assert_answers(&node, &consortium);
    node.stop();

    std::fs::remove_dir_all(home.path().join("ledger").join("db")).unwrap();
    let node = Node::start(home.path(), &consortium);
    assert_answers(&node, &consortium);
}

#[test]
fn pages_follow_each_other_without_a_gap_or_a_repetition() {
    let home = tempfile::tempdir().unwrap();
    let mut consortium = Consortium::new();
    let node = Node::start(home.path(), &consortium);
    ledger(&node, &mut consortium);

    for limit in [1, 3, 4, 7, 19] {
        let mut seen = Vec::new();
        let mut cursor: Option<Cursor> = None;
        loop {
            let page = node
                .ledger
                .results(&ResultQuery {
                    cursor,
                    limit,
                    ..query()
                })
                .unwrap();
            assert!(page.rows.len() <= limit);
            seen.extend(numbers(&page.rows));
            match page.next {
                Some(next) => cursor = Some(next.to_string().parse().unwrap()),
                None => break,
            }
        }
        let newest_first: Vec<u32> = (0..20).rev().collect();
        assert_eq!(seen, newest_first, "pages of {limit}");
    }
}

#[test]
fn results_can_be_asked_for_since_a_time_and_as_of_a_height() {
    let home = tempfile::tempdir().unwrap();
    let mut consortium = Consortium::new();
    let node = Node::start(home.path(), &consortium);
    ledger(&node, &mut consortium);

    let since = ResultQuery {
        since_ms: Some(consortium.start + 5_000),
        ..query()
    };
    assert_eq!(
        numbers(&rows(&node, &since)),
        [19, 18, 17, 16, 15, 14, 13, 12]
    );
    let past = ResultQuery {
        at_height: Some(Height::new(3)),
        aid: Some(aid(1)),
        ..query()
    };
    assert_eq!(numbers(&rows(&node, &past)), [6, 2]);
    let future = ResultQuery {
        at_height: Some(Height::new(1_000)),
        ..past
    };
    assert_eq!(numbers(&rows(&node, &future)), [18, 14, 10, 6, 2]);
}

#[test]
fn blocks_are_found_by_height_and_by_hash_with_what_peers_need() {
    let home = tempfile::tempdir().unwrap();
    let mut consortium = Consortium::new();
    let node = Node::start(home.path(), &consortium);
    ledger(&node, &mut consortium);

    let mut parent = node.ledger.block(Height::new(0)).unwrap().unwrap().hash;
    for height in (1..=6).map(Height::new) {
        let block = node.ledger.block(height).unwrap().unwrap();
        assert_eq!(block.header.parent, parent);
        assert_eq!(block.header.height, height);
        assert_eq!(block.committed_in_view, Some(0));
        assert_eq!(
            node.ledger.block_by_hash(&block.hash).unwrap(),
            Some(height)
        );
        let (header, batch, certificate) = node.ledger.certified_block(height).unwrap().unwrap();
        assert_eq!(header, block.header_bytes);
        assert_eq!(batch, block.batch);
        assert_eq!(certificate, block.certificate.unwrap().encode());
        parent = block.hash;
    }
    assert!(node.ledger.block(Height::new(7)).unwrap().is_none());
}
