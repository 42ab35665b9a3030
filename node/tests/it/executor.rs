//! Executing, certifying, restarting: what was written comes back, whatever is broken.

use std::fs::{self, OpenOptions};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use consensus::{Digest, Divergence, Seq};
use contract::contracts::identity;
use contract::{Height, Outcome, Refused, Root};
use node::executor::{Executor, ExecutorError, Reply, divergence_file};
use node::mempool::Mempool;
use node::store::{Opened, StoreError};
use tokio::sync::mpsc;

use super::research_ledger::{Consortium, Node, aid, content, session};

/// Block 1 registers a patient; in blocks 2 to 4 she signs in at each server, twice in each block.
pub(super) fn four_blocks(node: &Node, consortium: &mut Consortium) -> Vec<Digest> {
    let registration = consortium.registration(7);
    let mut headers = vec![node.block(consortium, 1, &[registration])];
    for member in 1..=3_u8 {
        let number = u32::from(member);
        let bundle = consortium.sign_ins(member, 7, [number, number + 100]);
        headers.push(node.block(consortium, u64::from(number) + 1, &[bundle]));
    }
    headers
}

pub(super) fn database(home: &Path) -> PathBuf {
    home.join("ledger").join("db")
}

fn block_file(home: &Path) -> PathBuf {
    home.join("ledger").join("blocks")
}

fn copy_folder(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy_folder(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).unwrap();
        }
    }
}

/// Height and hash of each block as a recovering replica is told.
fn told(headers: &[Digest]) -> Vec<(Seq, Digest)> {
    (1..).map(Seq::new).zip(headers.iter().copied()).collect()
}

/// The sessions on the ledger, the newest first.
fn sessions(node: &Node) -> Vec<contract::SessionId> {
    let query = node::store::ResultQuery {
        limit: 100,
        ..Default::default()
    };
    let page = node.ledger.results(&query).unwrap();
    page.rows.iter().map(|row| row.sid).collect()
}

fn all_sessions() -> Vec<contract::SessionId> {
    [103, 3, 102, 2, 101, 1].map(session).to_vec()
}

/// Everything a reader can see of the four blocks is there.
pub(super) fn assert_whole(node: &Node, headers: &[Digest]) {
    assert_eq!(node.newest, told(headers));
    assert_eq!(node.ledger.certified().height, Height::new(4));
    assert_eq!(
        node.ledger.certified().hash.as_bytes(),
        headers[3].as_bytes()
    );
    assert_eq!(sessions(node), all_sessions());
    let root = node.ledger.state().root().unwrap();
    assert_eq!(root, node.ledger.certified().header.state_root);
    for height in 1..=4 {
        let block = node.ledger.block(Height::new(height)).unwrap().unwrap();
        assert!(block.certificate.is_some(), "block {height}");
    }
}

#[test]
fn a_batch_is_final_only_with_its_certificate() {
    let home = tempfile::tempdir().unwrap();
    let mut consortium = Consortium::new();
    let node = Node::start(home.path(), &consortium);
    assert_eq!(node.opened, Opened::Fresh);
    assert_eq!(node.ledger.certified().height, Height::new(0));
    let registration = consortium.registration(7);
    let bundle = consortium.sign_ins(1, 7, [1]);
    let batch = consortium.batch(500, &[registration, bundle.clone()]);

    let header = node.execute(consortium.ordered(1, batch));

    assert_eq!(node.ledger.executed(), Height::new(1));
    assert_eq!(node.ledger.certified().height, Height::new(0));
    assert_eq!(node.ledger.session(&session(1), None).unwrap(), None);
    assert_eq!(
        identity::identity_at(&node.ledger.state(), &aid(7)).unwrap(),
        None
    );
    assert_eq!(node.ledger.receipt(bundle.hash(), 0).unwrap(), None);
    assert_eq!(node.ledger.certified_block(Height::new(1)).unwrap(), None);

    let heights = node.ledger.subscribe();
    node.certify(consortium.certificate(1, header));

    assert_eq!(*heights.borrow(), Height::new(1));
    assert_eq!(node.ledger.certified().hash.as_bytes(), header.as_bytes());
    let row = node.ledger.session(&session(1), None).unwrap().unwrap();
    assert_eq!((row.height, row.index, row.entry), (Height::new(1), 1, 0));
    assert_eq!(row.aid, aid(7));
    assert_eq!(row.server_id, consortium.server(1));
    assert!(
        identity::identity_at(&node.ledger.state(), &aid(7))
            .unwrap()
            .is_some()
    );
}

#[test]
fn a_receipt_of_one_node_is_what_the_light_client_accepts() {
    let home = tempfile::tempdir().unwrap();
    let mut consortium = Consortium::new();
    let node = Node::start(home.path(), &consortium);
    let registration = consortium.registration(7);
    let bundle = consortium.sign_ins(2, 7, [1, 2]);
    node.block(&consortium, 1, &[registration, bundle.clone()]);

    let receipt = node.ledger.receipt(bundle.hash(), 0).unwrap().unwrap();

    let expected = patient::light::Expect {
        aid: Some(aid(7)),
        server: Some("clinic-b".to_owned()),
        session: Some(session(2)),
        transaction: Some(*bundle.hash()),
    };
    let now = consortium.start + 1_000;
    let (report, verdict) = patient::light::verify(&receipt, &consortium.genesis, &expected, now);
    assert!(verdict.is_ok(), "{report:?}");
    let mut tampered = receipt;
    tampered.certificate.signatures.pop();
    let (_, verdict) = patient::light::verify(&tampered, &consortium.genesis, &expected, now);
    assert_eq!(verdict.ok(), None);
}

#[test]
fn presence_and_absence_are_proved_at_the_certified_height() {
    let home = tempfile::tempdir().unwrap();
    let mut consortium = Consortium::new();
    let node = Node::start(home.path(), &consortium);
    four_blocks(&node, &mut consortium);
    let id = contract::contract_id::IDENTITY;

    for (patient, present) in [(7, true), (8, false)] {
        let key = identity::identity_key(&aid(patient));
        let (tip, proof) = node.ledger.prove(&id, &key).unwrap();
        assert_eq!(tip.height, Height::new(4));
        let value = proof.verify(&tip.header.state_root, &id, &key).unwrap();
        assert_eq!(value.is_some(), present);
    }
}

#[test]
fn a_clean_restart_finds_everything_and_goes_on() {
    let home = tempfile::tempdir().unwrap();
    let mut consortium = Consortium::new();
    let node = Node::start(home.path(), &consortium);
    let headers = four_blocks(&node, &mut consortium);
    node.stop();

    let node = Node::start(home.path(), &consortium);

    assert_eq!(node.opened, Opened::Intact(Height::new(4)));
    assert_whole(&node, &headers);
    let bundle = consortium.sign_ins(1, 7, [50]);
    node.block(&consortium, 5, &[bundle]);
    assert!(node.ledger.session(&session(50), None).unwrap().is_some());
}

#[test]
fn a_restart_remembers_what_must_not_come_twice() {
    let home = tempfile::tempdir().unwrap();
    let mut consortium = Consortium::new();
    let node = Node::start(home.path(), &consortium);
    four_blocks(&node, &mut consortium);
    let bundle = consortium.sign_ins(1, 7, [60]);
    node.block(&consortium, 5, std::slice::from_ref(&bundle));
    node.stop();

    let node = Node::start(home.path(), &consortium);
    let again = consortium.sign_ins(1, 7, [60]);
    node.block(&consortium, 6, &[bundle.clone(), again]);

    let block = node.ledger.block(Height::new(6)).unwrap().unwrap();
    assert_eq!(block.outcomes[0], Outcome::Refused(Refused::Replayed));
    assert_eq!(block.outcomes[1].refusal_of(0), Some(Refused::SessionSeen));
    let located = node.ledger.transaction(bundle.hash()).unwrap().unwrap();
    assert_eq!(
        located.height,
        Height::new(5),
        "the occurrence that counted is found"
    );
}

#[test]
fn a_database_that_lags_is_brought_up_from_the_block_file() {
    let home = tempfile::tempdir().unwrap();
    let mut consortium = Consortium::new();
    let node = Node::start(home.path(), &consortium);
    let registration = consortium.registration(7);
    let mut headers = vec![node.block(&consortium, 1, &[registration])];
    node.stop();
    let old = home.path().join("old");
    copy_folder(&database(home.path()), &old);
    let node = Node::start(home.path(), &consortium);
    for member in 1..=3_u8 {
        let number = u32::from(member);
        let bundle = consortium.sign_ins(member, 7, [number, number + 100]);
        headers.push(node.block(&consortium, u64::from(number) + 1, &[bundle]));
    }
    node.abandon();
    fs::remove_dir_all(database(home.path())).unwrap();
    copy_folder(&old, &database(home.path()));

    let node = Node::start(home.path(), &consortium);

    assert_eq!(node.opened, Opened::Intact(Height::new(1)));
    assert_whole(&node, &headers);
}

#[test]
fn a_missing_or_damaged_database_is_rebuilt_and_equals_the_old_one() {
    let home = tempfile::tempdir().unwrap();
    let mut consortium = Consortium::new();
    let node = Node::start(home.path(), &consortium);
    let headers = four_blocks(&node, &mut consortium);
    node.stop();

    fs::remove_dir_all(database(home.path())).unwrap();
    let node = Node::start(home.path(), &consortium);
    assert_eq!(
        node.opened,
        Opened::Rebuilt {
            why: "the database was missing".to_owned()
        }
    );
    assert_whole(&node, &headers);
    node.stop();

    let file = database(home.path()).join("db");
    let mut bytes = fs::read(&file).unwrap();
    for byte in bytes.iter_mut().step_by(7) {
        *byte ^= 0x5a;
    }
    fs::write(&file, bytes).unwrap();
    let node = Node::start(home.path(), &consortium);
    assert!(
        matches!(&node.opened, Opened::Rebuilt { .. }),
        "{:?}",
        node.opened
    );
    assert_whole(&node, &headers);
    node.stop();

    fs::write(database(home.path()).join("conf"), b"no configuration").unwrap();
    let node = Node::start(home.path(), &consortium);
    assert!(
        matches!(&node.opened, Opened::Rebuilt { .. }),
        "{:?}",
        node.opened
    );
    assert_whole(&node, &headers);
    assert!(database(home.path()).with_extension("broken").exists());
}

#[test]
fn damage_found_in_use_is_rebuilt_at_the_next_start() {
    let home = tempfile::tempdir().unwrap();
    let mut consortium = Consortium::new();
    let node = Node::start(home.path(), &consortium);
    let headers = four_blocks(&node, &mut consortium);
    node.stop();
    fs::write(home.path().join("ledger").join("rebuild"), b"").unwrap();

    let node = Node::start(home.path(), &consortium);
    assert!(
        matches!(&node.opened, Opened::Rebuilt { .. }),
        "{:?}",
        node.opened
    );
    assert_whole(&node, &headers);
    node.stop();

    let node = Node::start(home.path(), &consortium);
    assert_eq!(node.opened, Opened::Intact(Height::new(4)), "once");
}

#[test]
fn a_torn_block_file_loses_only_its_end_and_the_batches_give_the_same_headers_again() {
    let home = tempfile::tempdir().unwrap();
    let mut consortium = Consortium::new();
    let node = Node::start(home.path(), &consortium);
    let registration = consortium.registration(7);
    let first = node.block(&consortium, 1, &[registration]);
    let kept = fs::metadata(block_file(home.path())).unwrap().len();
    let bundle = consortium.sign_ins(1, 7, [1]);
    let second = node.block(&consortium, 2, std::slice::from_ref(&bundle));
    node.stop();
    let whole = fs::metadata(block_file(home.path())).unwrap().len();

    for cut in [whole - 1, whole - 200, kept + 300, kept + 8, kept + 1, kept] {
        OpenOptions::new()
            .write(true)
            .open(block_file(home.path()))
            .unwrap()
            .set_len(cut)
            .unwrap();

        let node = Node::start(home.path(), &consortium);

        assert!(node.newest.starts_with(&told(&[first])), "cut at {cut}");
        if node.newest.len() == 1 {
            let batch = consortium.batch(2_000, std::slice::from_ref(&bundle));
            assert_eq!(node.execute(consortium.ordered(2, batch)), second);
        }
        node.certify(consortium.certificate(2, second));
        assert!(node.ledger.session(&session(1), None).unwrap().is_some());
        node.stop();
    }
}

#[test]
fn a_missing_block_file_means_starting_from_block_0() {
    let home = tempfile::tempdir().unwrap();
    let mut consortium = Consortium::new();
    let node = Node::start(home.path(), &consortium);
    let registration = consortium.registration(7);
    let first = node.block(&consortium, 1, std::slice::from_ref(&registration));
    node.stop();
    fs::remove_file(block_file(home.path())).unwrap();

    let node = Node::start(home.path(), &consortium);

    assert_eq!(
        node.opened,
        Opened::Rebuilt {
            why: "the block file was missing".to_owned()
        }
    );
    assert_eq!(node.newest, []);
    assert_eq!(node.block(&consortium, 1, &[registration]), first);
}

#[test]
fn another_ledgers_store_is_refused_and_left_alone() {
    let home = tempfile::tempdir().unwrap();
    let ours = Consortium::founded(&content(1_800_000_000_000));
    Node::start(home.path(), &ours).stop();
    let theirs = Consortium::founded(&content(1_800_000_000_001));
    let before = fs::read(block_file(home.path())).unwrap();
    let start = |home: &Path| {
        let (outlet, _) = mpsc::channel(1);
        let genesis = Arc::clone(&theirs.genesis);
        let (pool, _) = Mempool::new(Arc::clone(&genesis), node::clock::Clock::start(), outlet);
        Executor::start(home, genesis, pool, |_| {}).map(drop)
    };

    let error = start(home.path()).unwrap_err();

    let chain = hex::encode(ours.genesis.chain().as_bytes());
    assert!(
        matches!(&error, ExecutorError::Store(StoreError::OtherChain { found, .. }) if *found == chain),
        "{error}"
    );
    assert_eq!(fs::read(block_file(home.path())).unwrap(), before);

    fs::remove_file(block_file(home.path())).unwrap();
    let error = start(home.path()).unwrap_err();
    assert!(
        matches!(&error, ExecutorError::Store(StoreError::OtherChain { found, .. }) if *found == chain),
        "the database alone says it too: {error}"
    );
}

#[test]
fn a_block_out_of_order_ends_the_executor() {
    let home = tempfile::tempdir().unwrap();
    let consortium = Consortium::new();
    let node = Node::start(home.path(), &consortium);

    let batch = consortium.batch(0, &[]);
    node.executor.execute(consortium.ordered(2, batch)).unwrap();

    let Reply::Failed(ExecutorError::OutOfOrder { next, came }) = node.reply() else {
        panic!("block 2 was executed before block 1");
    };
    assert_eq!((next, came), (Height::new(1), Height::new(2)));
}

#[test]
fn a_null_batch_has_its_parents_time_and_an_empty_one_its_own() {
    let home = tempfile::tempdir().unwrap();
    let consortium = Consortium::new();
    let node = Node::start(home.path(), &consortium);

    node.execute(consortium.ordered(1, Vec::new()));
    node.execute(consortium.ordered(2, consortium.batch(700, &[])));
    node.execute(consortium.ordered(3, Vec::new()));

    let time = |height| {
        let block = node.ledger.block(Height::new(height)).unwrap().unwrap();
        block.header.time.get() - consortium.start
    };
    assert_eq!([time(1), time(2), time(3)], [0, 700, 700]);
}

#[test]
fn c8_a_certificate_for_another_header_is_never_stored() {
    let home = tempfile::tempdir().unwrap();
    let consortium = Consortium::new();
    let node = Node::start(home.path(), &consortium);
    node.execute(consortium.ordered(1, consortium.batch(0, &[])));

    let other = consortium.certificate(1, Digest::new([5; 32]));
    node.executor.certify(other).unwrap();

    assert!(matches!(
        node.reply(),
        Reply::Failed(ExecutorError::OtherHeader { height }) if height == Height::new(1)
    ));
    assert_eq!(node.ledger.certified().height, Height::new(0));
}

#[test]
fn a_divergence_leaves_a_report_with_batch_and_write_set() {
    let home = tempfile::tempdir().unwrap();
    let mut consortium = Consortium::new();
    let node = Node::start(home.path(), &consortium);
    let registration = consortium.registration(7);
    let batch = consortium.batch(0, &[registration]);
    let own = node.execute(consortium.ordered(1, batch.clone()));

    let divergence = Divergence {
        seq: Seq::new(1),
        own,
        certified: Digest::new([5; 32]),
    };
    let mut certified = node.ledger.block(Height::new(1)).unwrap().unwrap().header;
    certified.state_root = Root::new([5; 32]);
    node.executor.diverged(divergence, Some(certified)).unwrap();
    let mismatch = node.mismatch();

    assert_eq!(
        (mismatch.seq, mismatch.roots.as_slice()),
        (Seq::new(1), ["state_root"].as_slice())
    );

    let report = fs::read_to_string(divergence_file(home.path(), Seq::new(1))).unwrap();
    assert!(report.starts_with("StateRootMismatch at block 1\n"));
    assert!(report.contains("they differ in         state_root\n"));
    assert!(report.contains(&hex::encode(batch)));
    assert!(report.contains("wrote value"));
}
