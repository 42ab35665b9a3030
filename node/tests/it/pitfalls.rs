//! Rows of the catalogue of pitfalls that only whole parts of a node can show.

use std::fs::{self, File};
use std::process::Command;
use std::sync::{Arc, Mutex, mpsc};
use std::thread;
use std::time::Duration;

use consensus::{ChainId, Epoch, PublicKey, Record};
use contract::Height;
use node::votelog::{self, Opened, VoteLog, VoteLogError};

use crate::byzantine_peer::{Deaf, Liar};
use crate::consortium::Consortium;
use crate::research_ledger;

/// Longer than any lock may be held.
const LONG: Duration = Duration::from_secs(20);

/// The log is put on a pipe between its reading and its writing: bytes go in, but no system
/// makes them durable there.
#[test]
fn w4_what_the_disk_does_not_confirm_is_not_written() {
    let home = tempfile::tempdir().unwrap();
    let (chain, key) = (ChainId::new([1; 32]), PublicKey::new([2; 32]));
    votelog::create(home.path(), key).unwrap();
    votelog::birth(home.path(), chain, key, Epoch::ZERO).unwrap();
    let folder = fs::read_dir(home.path().join("votes")).unwrap();
    let file = folder.map(|entry| entry.unwrap().path()).next().unwrap();
    let bytes = fs::read(&file).unwrap();
    fs::remove_file(&file).unwrap();
    assert!(
        Command::new("mkfifo")
            .arg(&file)
            .status()
            .unwrap()
            .success()
    );
    let reader = thread::spawn(move || {
        fs::write(&file, bytes).unwrap();
        File::open(&file).unwrap()
    });

    let Opened::Intact { mut log, .. } = VoteLog::open(home.path(), chain, key).unwrap() else {
        panic!("the log is whole");
    };
    let _open = reader.join().unwrap();
    log.append(&Record::Key { key }).unwrap();
    let synced = log.sync();

    assert!(
        matches!(synced, Err(VoteLogError::Disk { .. })),
        "{synced:?}"
    );
    assert!(matches!(log.sync(), Err(VoteLogError::Closed)));
}

#[test]
fn m13_whatever_is_refused_the_pool_is_free_for_the_next() {
    let home = tempfile::tempdir().unwrap();
    let mut consortium = research_ledger::Consortium::new();
    let node = research_ledger::Node::start(home.path(), &consortium);
    let call = consortium.registration(1).call().clone();
    let expired = consortium.call_until(0, consortium.start - 1, call.clone());
    let good = consortium.call(0, call);
    let mut forged = good.as_bytes().to_vec();
    *forged.last_mut().unwrap() ^= 1;

    for bytes in [vec![1, 2, 3], expired.as_bytes().to_vec(), forged] {
        let refused = node.submitter.gossiped(bytes).unwrap_err();
        let (free, freed) = mpsc::channel();
        let pool = node.pool.clone();
        thread::spawn(move || free.send(pool.size()));

        assert_eq!(freed.recv_timeout(LONG), Ok((0, 0)), "{refused}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn c15_a_member_whose_blocks_are_corrupt_is_left_for_the_next() {
    let mut consortium = Consortium::start(4).await;
    let mut height = 0;
    for _ in 0..4 {
        height = consortium.submit(1).await;
    }
    consortium.until(2, |status| status.stable >= height).await;
    let mut answer = Vec::new();
    for block in 1..=height {
        let ledger = &consortium.node(1).services().ledger;
        let found = ledger.certified_block(Height::new(block)).unwrap().unwrap();
        let (header, batch, mut certificate) = found;
        if block == 2 {
            *certificate.last_mut().unwrap() ^= 1;
        }
        for part in [header, batch, certificate] {
            answer.extend(u32::try_from(part.len()).unwrap().to_le_bytes());
            answer.extend(part);
        }
    }
    for index in 0..4 {
        consortium.stop_node(index).await;
    }
    fs::remove_dir_all(consortium.home(3).join("ledger")).unwrap();
    fs::remove_dir_all(consortium.home(3).join("votes")).unwrap();

    let liar = Liar::answering(&consortium, 0, Deaf(Arc::new(Mutex::new(answer))));
    consortium.start_node(3);
    liar.connected(&[3]).await;
    consortium.until(3, |status| status.connected() == 2).await;
    consortium.start_node(1);
    consortium.start_node(2);

    consortium
        .until(3, |status| status.executed >= height)
        .await;
    assert_eq!(
        consortium.state_root(3, height),
        consortium.state_root(1, height)
    );
}
