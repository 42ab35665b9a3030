//! A database whose entries are broken in a way that its own checksums do not show.

use std::path::Path;
use std::thread;
use std::time::Duration;

use contract::{CannotExecute, Height};
use node::executor::{ExecutorError, Reply};
use node::store::Opened;

use super::executor::{assert_whole, database, four_blocks};
use super::research_ledger::{Consortium, Node};

/// The database; threads of the one just closed may hold its lock for a moment.
fn opened(path: &Path) -> sled::Db {
    let tries = (0..250).map(|_| {
        thread::sleep(Duration::from_millis(20));
        sled::open(path)
    });
    tries.flatten().next().unwrap()
}

#[test]
fn a_state_that_cannot_be_read_ends_the_executor_and_is_rebuilt_at_the_next_start() {
    let home = tempfile::tempdir().unwrap();
    let mut consortium = Consortium::new();
    let node = Node::start(home.path(), &consortium);
    let headers = four_blocks(&node, &mut consortium);
    node.stop();
    let nodes = opened(&database(home.path()));
    let all: Vec<_> = nodes.scan_prefix(b"n").map(Result::unwrap).collect();
    let root = all.iter().map(|(key, _)| key.len()).min().unwrap();
    for (key, value) in all.iter().filter(|(key, _)| key.len() > root) {
        nodes.insert(key, vec![0xff; value.len()]).unwrap();
    }
    nodes.flush().unwrap();
    drop(nodes);

    let node = Node::start(home.path(), &consortium);
    assert_eq!(node.opened, Opened::Intact(Height::new(4)));
    let many: Vec<_> = (20..60).map(|it| consortium.registration(it)).collect();
    let batch = consortium.batch(5_000, &many);
    node.executor.execute(consortium.ordered(5, batch)).unwrap();
    let said = node.reply();
    assert!(
        matches!(
            said,
            Reply::Failed(
                ExecutorError::Cannot(CannotExecute::State(_)) | ExecutorError::Panicked { .. }
            )
        ),
        "{said:?}"
    );
    node.abandon();

    let node = Node::start(home.path(), &consortium);
    assert!(
        matches!(&node.opened, Opened::Rebuilt { .. }),
        "{:?}",
        node.opened
    );
    assert_whole(&node, &headers);
}
