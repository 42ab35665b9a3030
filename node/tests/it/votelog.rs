//! The vote log under torn writes, flipped bits and missing files.

use std::fs;
use std::path::{Path, PathBuf};

use consensus::{Batch, ChainId, CheckpointCertificate, Digest, Epoch, PublicKey, Record, Seq};
use node::votelog::{self, Loss, Opened, VoteLog, VoteLogError};
use tempfile::TempDir;

const CHAIN: ChainId = ChainId::new([1; 32]);
const KEY: PublicKey = PublicKey::new([2; 32]);

/// A record about `seq` with a body of `bytes` bytes.
fn block(seq: u64, bytes: usize) -> Record {
    Record::CaughtUp {
        header: vec![7; 3],
        body: Batch::new(vec![u8::try_from(seq % 251).unwrap(); bytes]),
        certificate: CheckpointCertificate {
            epoch: Epoch::ZERO,
            seq: Seq::new(seq),
            header: Digest::NULL,
            checkpoints: Vec::new(),
        },
    }
}

/// A home whose log belongs to `CHAIN` and `KEY`.
fn home() -> TempDir {
    let home = tempfile::tempdir().unwrap();
    votelog::create(home.path(), KEY).unwrap();
    votelog::birth(home.path(), CHAIN, KEY, Epoch::ZERO).unwrap();
    home
}

const fn origin() -> [Record; 2] {
    [
        Record::Key { key: KEY },
        Record::Birth {
            chain: CHAIN,
            key: KEY,
            first_epoch: Epoch::ZERO,
        },
    ]
}

fn open(home: &Path) -> (Box<VoteLog>, Vec<Record>) {
    match VoteLog::open(home, CHAIN, KEY).unwrap() {
        Opened::Intact { log, records } => (log, records),
        Opened::Lost(loss) => panic!("{loss}"),
    }
}

fn loss(home: &Path) -> Loss {
    match VoteLog::open(home, CHAIN, KEY).unwrap() {
        Opened::Intact { records, .. } => panic!("intact with {} records", records.len()),
        Opened::Lost(loss) => loss,
    }
}

fn commit(log: &mut VoteLog, records: &[Record]) {
    for record in records {
        log.append(record).unwrap();
    }
    log.sync().unwrap();
}

fn files(home: &Path) -> Vec<PathBuf> {
    let mut files: Vec<PathBuf> = fs::read_dir(home.join("votes"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    files.sort();
    files
}

fn only_file(home: &Path) -> PathBuf {
    let files = files(home);
    assert_eq!(files.len(), 1);
    files[0].clone()
}

#[test]
fn what_was_synced_comes_back_in_order_and_the_rest_does_not() {
    let home = home();
    let (mut log, records) = open(home.path());
    assert_eq!(records, origin());

    commit(&mut log, &[block(1, 10), block(2, 0)]);
    commit(&mut log, &[block(3, 300)]);
    log.append(&block(4, 10)).unwrap();
    drop(log);

    let (_, records) = open(home.path());
    assert_eq!(records[2..], [block(1, 10), block(2, 0), block(3, 300)]);
}

#[test]
fn a_torn_last_group_is_cut_off_at_every_length_and_the_log_goes_on() {
    let home = home();
    let (mut log, _) = open(home.path());
    commit(&mut log, &[block(1, 20)]);
    let file = only_file(home.path());
    let kept = fs::read(&file).unwrap();
    commit(&mut log, &[block(2, 20), block(3, 20)]);
    drop(log);
    let whole = fs::read(&file).unwrap();

    for length in kept.len()..whole.len() {
        fs::write(&file, &whole[..length]).unwrap();

        let (mut log, records) = open(home.path());
        assert_eq!(records[2..], [block(1, 20)], "length {length}");
        assert_eq!(fs::read(&file).unwrap(), kept, "length {length}");

        commit(&mut log, &[block(4, 5)]);
        let (_, records) = open(home.path());
        assert_eq!(records[2..], [block(1, 20), block(4, 5)]);
    }
}

#[test]
fn a_last_group_that_the_disk_left_as_zeros_is_cut_off() {
    let home = home();
    let (mut log, _) = open(home.path());
    commit(&mut log, &[block(1, 20)]);
    let file = only_file(home.path());
    let kept = fs::metadata(&file).unwrap().len();
    commit(&mut log, &[block(2, 5000)]);
    drop(log);
    let mut bytes = fs::read(&file).unwrap();
    let start = usize::try_from(kept).unwrap();
    bytes[start..].fill(0);
    fs::write(&file, bytes).unwrap();

    let (_, records) = open(home.path());

    assert_eq!(records[2..], [block(1, 20)]);
    assert_eq!(fs::metadata(&file).unwrap().len(), kept);
}

#[test]
fn w10_every_flipped_bit_before_the_last_group_means_votes_lost() {
    let home = home();
    let (mut log, _) = open(home.path());
    commit(&mut log, &[block(1, 4)]);
    let file = only_file(home.path());
    let guarded = fs::metadata(&file).unwrap().len();
    commit(&mut log, &[block(2, 4)]);
    drop(log);
    let whole = fs::read(&file).unwrap();

    for bit in 0..usize::try_from(guarded).unwrap() * 8 {
        let mut bad = whole.clone();
        bad[bit / 8] ^= 1 << (bit % 8);
        fs::write(&file, &bad).unwrap();

        let loss = loss(home.path());
        assert!(
            matches!(loss, Loss::Damaged { number: 1, .. }),
            "bit {bit}: {loss:?}"
        );
        assert_eq!(
            fs::read(&file).unwrap(),
            bad,
            "a damaged log is left as it is"
        );
    }
}

#[test]
fn a_flipped_bit_in_the_first_group_means_votes_lost_even_if_it_is_the_last() {
    let home = home();
    let file = only_file(home.path());
    let mut bytes = fs::read(&file).unwrap();
    *bytes.last_mut().unwrap() ^= 1;
    fs::write(&file, bytes).unwrap();

    assert!(matches!(loss(home.path()), Loss::Damaged { .. }));
}

#[test]
fn a_missing_or_empty_folder_means_votes_lost_and_no_log_is_made() {
    let home = tempfile::tempdir().unwrap();
    assert_eq!(loss(home.path()), Loss::Missing);
    assert!(!home.path().join("votes").exists());

    fs::create_dir(home.path().join("votes")).unwrap();
    assert_eq!(loss(home.path()), Loss::Missing);
    assert_eq!(files(home.path()), Vec::<PathBuf>::new());
}

#[test]
fn a_log_without_birth_or_of_another_key_or_chain_means_votes_lost() {
    let unborn = tempfile::tempdir().unwrap();
    votelog::create(unborn.path(), KEY).unwrap();
    assert_eq!(loss(unborn.path()), Loss::NoBirth);

    let foreign_key = tempfile::tempdir().unwrap();
    let other = PublicKey::new([3; 32]);
    votelog::create(foreign_key.path(), other).unwrap();
    votelog::birth(foreign_key.path(), CHAIN, other, Epoch::ZERO).unwrap();
    assert_eq!(loss(foreign_key.path()), Loss::OtherKey);

    let foreign_chain = tempfile::tempdir().unwrap();
    votelog::create(foreign_chain.path(), KEY).unwrap();
    votelog::birth(
        foreign_chain.path(),
        ChainId::new([9; 32]),
        KEY,
        Epoch::ZERO,
    )
    .unwrap();
    assert_eq!(loss(foreign_chain.path()), Loss::OtherChain);
}

#[test]
fn a_log_is_made_once_and_born_once() {
    let home = home();
    let before = fs::read(only_file(home.path())).unwrap();

    assert!(matches!(
        votelog::create(home.path(), KEY),
        Err(VoteLogError::AlreadyThere { .. })
    ));
    assert!(matches!(
        votelog::birth(home.path(), CHAIN, KEY, Epoch::new(1)),
        Err(VoteLogError::AlreadyBorn { .. })
    ));
    assert_eq!(fs::read(only_file(home.path())).unwrap(), before);
}

#[test]
fn birth_never_makes_a_log_and_never_takes_another_keys() {
    let empty = tempfile::tempdir().unwrap();
    assert!(matches!(
        votelog::birth(empty.path(), CHAIN, KEY, Epoch::ZERO),
        Err(VoteLogError::Lost(Loss::Missing))
    ));
    assert!(!empty.path().join("votes").exists());

    let foreign = tempfile::tempdir().unwrap();
    votelog::create(foreign.path(), PublicKey::new([3; 32])).unwrap();
    assert!(matches!(
        votelog::birth(foreign.path(), CHAIN, KEY, Epoch::ZERO),
        Err(VoteLogError::Lost(Loss::OtherKey))
    ));
}

#[test]
fn a_newer_format_is_refused_by_its_version() {
    let home = home();
    let file = only_file(home.path());
    let mut bytes = fs::read(&file).unwrap();
    bytes[16..18].copy_from_slice(&2_u16.to_le_bytes());
    let sum = crc32fast::hash(&bytes[..106]);
    bytes[106..110].copy_from_slice(&sum.to_le_bytes());
    fs::write(&file, bytes).unwrap();

    let error = VoteLog::open(home.path(), CHAIN, KEY).unwrap_err();

    assert!(
        matches!(
            error,
            VoteLogError::Version {
                found: 2,
                known: 1,
                ..
            }
        ),
        "{error}"
    );
}

#[test]
fn a_rolled_log_begins_with_what_was_carried_over_and_still_holds_the_older_file() {
    let home = home();
    let (mut log, _) = open(home.path());
    commit(&mut log, &[block(1, 10), block(2, 10)]);

    log.roll(&[block(2, 10)]).unwrap();
    commit(&mut log, &[block(3, 10)]);
    drop(log);

    let (_, records) = open(home.path());
    assert_eq!(records[2..4], [block(1, 10), block(2, 10)]);
    assert_eq!(records[4..6], origin());
    assert_eq!(records[6..], [block(2, 10), block(3, 10)]);
}

#[test]
fn a_file_goes_only_when_everything_in_it_is_stable_and_durable() {
    let home = home();
    let (mut log, _) = open(home.path());
    commit(&mut log, &[block(1, 10), block(5, 10)]);
    log.roll(&[block(5, 10)]).unwrap();
    let seq = Seq::new;

    assert!(!log.wants_release(seq(4)));
    assert_eq!(log.release(seq(4), seq(9)).unwrap(), 0);
    assert!(log.wants_release(seq(5)));
    assert_eq!(log.release(seq(9), seq(4)).unwrap(), 0);
    assert_eq!(files(home.path()).len(), 2);

    assert_eq!(log.release(seq(5), seq(5)).unwrap(), 1);
    assert_eq!(files(home.path()).len(), 1);
    commit(&mut log, &[block(6, 10)]);
    drop(log);

    let (_, records) = open(home.path());
    assert_eq!(records[..2], origin());
    assert_eq!(records[2..], [block(5, 10), block(6, 10)]);
}

#[test]
fn more_can_be_carried_over_than_fits_one_frame() {
    let home = home();
    let (mut log, _) = open(home.path());
    let megabytes: Vec<Record> = (1..=70).map(|seq| block(seq, 1 << 20)).collect();

    log.roll(&megabytes).unwrap();
    commit(&mut log, &[block(71, 1)]);
    log.release(Seq::new(0), Seq::new(0)).unwrap();
    drop(log);

    let (_, records) = open(home.path());
    assert!(records.ends_with(&[block(70, 1 << 20), block(71, 1)]));
    assert_eq!(records.len(), 2 + 70 + 1);
}

#[test]
fn the_file_being_written_is_never_released() {
    let home = home();
    let (mut log, _) = open(home.path());
    commit(&mut log, &[block(1, 10)]);

    assert_eq!(log.release(Seq::new(9), Seq::new(9)).unwrap(), 0);
    assert_eq!(files(home.path()).len(), 1);
}

#[test]
fn a_gap_between_files_and_damage_in_an_older_file_mean_votes_lost() {
    let home = home();
    let (mut log, _) = open(home.path());
    for seq in 1..=2 {
        commit(&mut log, &[block(seq, 10)]);
        log.roll(&[]).unwrap();
    }
    drop(log);
    let names = files(home.path());
    let middle = fs::read(&names[1]).unwrap();

    let mut bad = middle.clone();
    *bad.last_mut().unwrap() ^= 1;
    fs::write(&names[1], bad).unwrap();
    assert!(matches!(loss(home.path()), Loss::Damaged { number: 2, .. }));

    fs::write(&names[1], &middle[..middle.len() - 1]).unwrap();
    assert!(matches!(loss(home.path()), Loss::Damaged { number: 2, .. }));

    fs::remove_file(&names[1]).unwrap();
    assert_eq!(loss(home.path()), Loss::SegmentMissing { number: 2 });
}

#[test]
fn a_file_whose_making_was_interrupted_is_removed() {
    let home = home();
    let unfinished = home.path().join("votes").join("0000000000000002.tmp");
    fs::write(&unfinished, b"half").unwrap();

    let (_, records) = open(home.path());

    assert_eq!(records, origin());
    assert!(!unfinished.exists());
}

#[test]
fn a_whole_record_that_means_nothing_means_votes_lost() {
    let home = home();
    let (mut log, _) = open(home.path());
    commit(&mut log, &[block(1, 10)]);
    drop(log);
    let file = only_file(home.path());
    let mut bytes = fs::read(&file).unwrap();
    let salt: [u8; 16] = bytes[90..106].try_into().unwrap();
    let group = [3_u32.to_le_bytes().as_slice(), b"xyz"].concat();
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(&salt);
    hasher.update(&(group.len() as u64).to_le_bytes());
    hasher.update(&group);
    bytes.extend(u32::try_from(group.len()).unwrap().to_le_bytes());
    bytes.extend(hasher.finalize().to_le_bytes());
    bytes.extend(group);
    fs::write(&file, bytes).unwrap();

    assert_eq!(loss(home.path()), Loss::Undecodable { number: 1 });
}

#[test]
fn sync_times_are_counted_once_a_group() {
    let home = home();
    let (mut log, _) = open(home.path());
    let times = log.times();

    commit(&mut log, &[block(1, 10), block(2, 10)]);
    log.sync().unwrap();

    let count: u64 = times.buckets().iter().map(|(_, count)| count).sum();
    assert_eq!(count, 1);
    assert!(times.quantile_us(500).is_some());
}

#[test]
fn votes_lost_says_which() {
    assert_eq!(
        Loss::Missing.to_string(),
        "votes lost: this member's vote log is missing"
    );
    assert_eq!(
        Loss::Damaged {
            number: 3,
            offset: 17
        }
        .to_string(),
        "votes lost: file 3 of the vote log is damaged at byte 17"
    );
}
