//! The vote log: a file as a disk may give it back, and a file whose checksums fit what it should not hold.

use std::fs;
use std::path::Path;

use consensus::{
    ChainId, Digest, Epoch, PreparedCertificate, PublicKey, Record, Seq, Signature, View,
};
use node::votelog::{self, Opened, VoteLog};

use super::only_file;
use crate::target::patient::{folder, put};
use crate::target::{Target, Verdict, holds};

/// The ledger.
const CHAIN: ChainId = ChainId::new([1; 32]);
/// The member.
const KEY: PublicKey = PublicKey::new([2; 32]);
/// Bytes in front of a file's first frame, and where in them the salt stands.
const HEADER: usize = 110;
const SALT: std::ops::Range<usize> = 90..106;

/// Records such as a replica writes.
fn records() -> Vec<Record> {
    let seq = Seq::new(4);
    let prepared = PreparedCertificate {
        epoch: Epoch::ZERO,
        view: View::ZERO,
        seq,
        digest: Digest::new([3; 32]),
        pre_prepare: Signature::new(&[4; 64]),
        prepares: Vec::new(),
    };
    vec![
        Record::Key { key: KEY },
        Record::Birth {
            chain: CHAIN,
            key: KEY,
            first_epoch: Epoch::ZERO,
        },
        Record::Prepared {
            certificate: prepared,
            commit: None,
        },
    ]
}

/// A home with a log, and its file.
fn log(home: &Path) -> Vec<u8> {
    let made = votelog::create(home, KEY)
        .and_then(|()| votelog::birth(home, CHAIN, KEY, Epoch::ZERO))
        .and_then(|()| VoteLog::open(home, CHAIN, KEY));
    if let Ok(Opened::Intact { mut log, .. }) = made {
        for record in &records()[2..] {
            let written = log.append(record).and_then(|()| log.sync());
            assert!(written.is_ok(), "the sample is written");
        }
    }
    fs::read(only_file(&home.join(votelog::FOLDER))).unwrap_or_default()
}

/// Opens the log twice: what it gives must be the same, for a node acts on it.
fn twice(home: &Path) -> Verdict {
    let open = || match VoteLog::open(home, CHAIN, KEY) {
        Ok(Opened::Intact { records, .. }) => Some(records),
        Ok(Opened::Lost(_)) | Err(_) => None,
    };
    match (open(), open()) {
        (None, None) => Verdict::Refused,
        (first, second) => holds(first == second, "it opens differently a second time"),
    }
}

/// A file, changed anywhere.
pub(super) fn file() -> Target {
    let home = folder();
    let sample = log(home.path());
    let path = only_file(&home.path().join(votelog::FOLDER));
    Target::bytes("node/vote log file", vec![sample], move |bytes| {
        put(&path, bytes);
        twice(home.path())
    })
}

/// A frame whose checksum is right, behind a file's header.
pub(super) fn group() -> Target {
    let home = folder();
    let whole = log(home.path());
    let path = only_file(&home.path().join(votelog::FOLDER));
    let mut group = Vec::new();
    for record in records() {
        let bytes = record.encode();
        group.extend(u32::try_from(bytes.len()).unwrap_or(0).to_le_bytes());
        group.extend(bytes);
    }
    Target::bytes("node/vote log records", vec![group], move |bytes| {
        let mut sum = crc32fast::Hasher::new();
        sum.update(&whole[SALT]);
        sum.update(&(bytes.len() as u64).to_le_bytes());
        sum.update(bytes);
        let length = u32::try_from(bytes.len()).unwrap_or(u32::MAX).to_le_bytes();
        let sum = sum.finalize().to_le_bytes();
        put(&path, &[&whole[..HEADER], &length, &sum, bytes].concat());
        twice(home.path())
    })
}
