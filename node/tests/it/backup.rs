//! Backups: one file, made of a running ledger, believed in nothing.

use std::fs::{self, File};
use std::path::Path;
use std::sync::Arc;

use contract::Height;
use ed25519_dalek::SigningKey;
use node::snapshot::archive::{Archive, BackupError, Summary};
use node::store::{Opened, Store};

use super::research_ledger::{Consortium, Node, session};

/// Blocks on the ledger.
const BLOCKS: u64 = 40;

/// A ledger of some blocks, and a backup of it in the same folder.
struct Source {
    home: tempfile::TempDir,
    consortium: Consortium,
    genesis: Vec<u8>,
    node: Node,
    made: Summary,
}

impl Source {
    fn new() -> Self {
        let home = tempfile::tempdir().unwrap();
        let content = super::research_ledger::content(1_790_000_000_000);
        let genesis = content.to_json();
        let mut consortium = Consortium::founded(&content);
        let node = Node::start(home.path(), &consortium);
        for seq in 1..=BLOCKS {
            let transaction = match seq {
                1 => consortium.registration(7),
                _ => consortium.sign_ins(2, 7, [u32::try_from(seq).unwrap()]),
            };
            node.block(&consortium, seq, &[transaction]);
        }
        let mut file = File::create(home.path().join("backup")).unwrap();
        let key = SigningKey::from_bytes(&[9; 32]);
        let made = node.ledger.back_up(&genesis, &key, &mut file).unwrap();
        Self {
            home,
            consortium,
            genesis,
            node,
            made,
        }
    }

    fn file(&self) -> Vec<u8> {
        fs::read(self.home.path().join("backup")).unwrap()
    }

    /// Restores a file of these bytes into a folder.
    fn restore(&self, bytes: &[u8], dir: &Path) -> Result<Summary, BackupError> {
        let path = self.home.path().join("candidate");
        fs::write(&path, bytes)?;
        Archive::open(&path, &self.genesis)?.plant(dir)
    }
}

#[test]
fn a_backup_of_a_running_ledger_restores_to_the_same_ledger_with_every_body_and_receipt() {
    let source = Source::new();
    let home = tempfile::tempdir().unwrap();

    let restored = source.restore(&source.file(), &home.path().join("ledger"));

    let restored = restored.unwrap();
    assert_eq!(restored, source.made);
    assert_eq!(restored.height, Height::new(BLOCKS));
    let node = Node::start(home.path(), &source.consortium);
    assert_eq!(node.opened, Opened::Intact(Height::new(BLOCKS)));
    for height in (0..=BLOCKS).map(Height::new) {
        let (here, there) = (&node.ledger, &source.node.ledger);
        let (here, there) = (here.block(height).unwrap(), there.block(height).unwrap());
        let (here, there) = (here.unwrap(), there.unwrap());
        assert_eq!(here.header_bytes, there.header_bytes);
        assert_eq!(here.outcome_bytes, there.outcome_bytes);
        assert_eq!(here.certificate, there.certificate);
    }
    let row = node.ledger.session(&session(5), None).unwrap().unwrap();
    assert!(node.ledger.receipt(&row.transaction, 0).unwrap().is_some());
    let seq = BLOCKS + 1;
    let batch = source.consortium.batch(seq * 1_000, &[]);
    let continued = node.execute(source.consortium.ordered(seq, batch.clone()));
    let original = source.node.execute(source.consortium.ordered(seq, batch));
    assert_eq!(continued, original);
    node.stop();
}

#[test]
fn a_backup_with_a_byte_changed_cut_or_added_is_refused() {
    let source = Source::new();
    let good = source.file();
    let dir = source.home.path().join("restored");

    for at in (0..good.len()).step_by(97) {
        let mut bad = good.clone();
        bad[at] ^= 1;
        assert!(source.restore(&bad, &dir).is_err(), "byte {at} changed");
    }
    for length in [0, 30, good.len() / 2, good.len() - 1] {
        assert!(source.restore(&good[..length], &dir).is_err(), "{length}");
    }
    let longer = [good.as_slice(), &[0]].concat();
    assert!(matches!(
        source.restore(&longer, &dir),
        Err(BackupError::Malformed(_))
    ));
    source.restore(&good, &dir).unwrap();
}

#[test]
fn a_backup_of_another_ledger_is_refused_by_name() {
    let source = Source::new();
    let other = super::research_ledger::content(1_790_000_000_001).to_json();

    let error = Archive::open(&source.home.path().join("backup"), &other).unwrap_err();

    assert!(matches!(error, BackupError::OtherChain { .. }), "{error}");
}

#[test]
fn a_restored_store_whose_database_is_lost_says_that_it_cannot_be_rebuilt_here() {
    let source = Source::new();
    let dir = source.home.path().join("restored");
    source.restore(&source.file(), &dir).unwrap();
    fs::remove_dir_all(dir.join("db")).unwrap();

    let error = Store::open(&dir, Arc::clone(&source.consortium.genesis)).unwrap_err();

    assert!(error.to_string().contains("node repair"), "{error}");
}
