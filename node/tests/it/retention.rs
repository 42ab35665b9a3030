//! Letting old blocks go, and what stays for ever.
#![expect(
    clippy::arithmetic_side_effects,
    reason = "a fixture of tests: a wrong number is a failed test"
)]

use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

use contract::Height;
use node::snapshot::wire::Request;
use node::store::{Opened, PRUNE_BLOCKS, Retain, SNAPSHOT_EVERY, Store, inspect};

use super::research_ledger::{Consortium, Node, session};
use super::snapshot::{NEWEST, after, block};

/// A ledger with two snapshots, of which the older one is kept whole; its newest block.
const LONG: u64 = 2 * SNAPSHOT_EVERY + 200;

/// Octets of the disk that a file uses.
fn used(path: &Path) -> u64 {
    std::fs::metadata(path).unwrap().blocks() * 512
}

#[test]
fn old_blocks_go_step_by_step_and_what_proves_the_ledger_stays() {
    let home = tempfile::tempdir().unwrap();
    let mut consortium = Consortium::new();
    let node = Node::start(home.path(), &consortium);
    for seq in 1..=NEWEST {
        block(&node, &mut consortium, seq);
    }
    let hashes: Vec<_> = [0, 1, 16, 1_000, NEWEST]
        .map(|seq| node.ledger.block(Height::new(seq)).unwrap().unwrap().hash)
        .into();
    for seq in NEWEST + 1..=LONG {
        block(&node, &mut consortium, seq);
    }
    let blocks = home.path().join("ledger/blocks");
    assert_eq!(node.ledger.lowest(), Height::new(0), "all is kept at first");

    node.executor.retain(Retain::Blocks(100)).unwrap();
    for seq in LONG + 1..=LONG + 64 * 12 {
        block(&node, &mut consortium, seq);
        if seq.is_multiple_of(64) {
            node.sync();
        }
    }

    let lowest = node.ledger.lowest();
    let window = consortium.genesis.parameters().replay_window_ms / after(1);
    let needed = SNAPSHOT_EVERY - window;
    assert!(
        lowest.get() > PRUNE_BLOCKS && lowest.get() < needed,
        "{lowest} of {needed}"
    );
    assert!(lowest.get() + 3 > needed, "{lowest} of {needed}");
    let length = std::fs::metadata(&blocks).unwrap().len();
    let uses = used(&blocks);
    assert!(uses < length / 5 * 4, "{uses} of {length}");
    for (seq, hash) in [0, 1, 16, 1_000, NEWEST].into_iter().zip(&hashes) {
        let height = Height::new(seq);
        assert_eq!(node.ledger.block_by_hash(hash).unwrap(), Some(height));
        let kept = node.ledger.block(height).unwrap().is_some();
        assert_eq!(kept, height >= lowest, "block {seq}");
    }
    assert_eq!(node.ledger.session(&session(16), None).unwrap(), None);
    let late = u32::try_from(NEWEST - NEWEST % 16).unwrap();
    assert!(node.ledger.session(&session(late), None).unwrap().is_some());
    for snapshot in [SNAPSHOT_EVERY, 2 * SNAPSHOT_EVERY] {
        let request = Request::Manifest(Height::new(snapshot)).encode();
        let answer = node.ledger.snapshot_answer(&request).unwrap();
        assert!(!answer.is_empty(), "{snapshot} is served");
    }
    let inspected = inspect(&home.path().join("ledger"), &consortium.genesis, usize::MAX);
    let inspected = inspected.unwrap().unwrap();
    assert_eq!((inspected.fault, inspected.torn_bytes), (None, 0));
    assert_eq!(inspected.checked, inspected.blocks);
    assert_eq!(inspected.roots.first_key_value().unwrap().0, &lowest);
    node.stop();

    let (store, opened) = Store::open(
        &home.path().join("ledger"),
        std::sync::Arc::clone(&consortium.genesis),
    )
    .unwrap();
    assert!(matches!(opened, Opened::Intact(_)), "{opened:?}");
    assert_eq!(store.reader().lowest(), lowest);
}
