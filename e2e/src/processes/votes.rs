//! Reads every member's vote log and looks for a contradiction, as an accuser would.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use bench::consortium::Consortium;
use consensus::{Digest, Kind, Record};

use crate::claims::{Verdict, ensure};

/// Bytes of a log file's header: magic, version, chain, key, number, salt, checksum.
const HEADER: usize = 16 + 2 + 32 + 32 + 8 + 16 + 4;

/// Which statement: member, epoch, view, sequence number, kind.
type Place = (usize, u32, u64, u64, Kind);

/// Everything that was ever seen signed. Read often: old log files are dropped.
#[derive(Debug, Default)]
pub(crate) struct Seen {
    /// By those whose logs were read.
    own: BTreeMap<Place, Digest>,
    /// Proposals that they accepted, by epoch, view and sequence number.
    accepted: BTreeMap<(u32, u64, u64), BTreeSet<Digest>>,
}

impl Seen {
    /// How many different statements were seen.
    pub(crate) fn len(&self) -> usize {
        self.own.len()
    }

    /// How many places there are where members accepted different proposals of one primary.
    pub(crate) fn split_proposals(&self) -> usize {
        self.accepted
            .values()
            .filter(|digests| digests.len() > 1)
            .count()
    }

    /// Adds what the logs of these members hold now. Fails at the first statement that contradicts an earlier one.
    pub(crate) fn add(&mut self, consortium: &Consortium, members: &[usize]) -> Verdict {
        let asked = |index: &usize| members.contains(index);
        for node in consortium.nodes.iter().filter(|node| asked(&node.index)) {
            for record in records(&node.home.join("votes")) {
                self.add_record(node.index, &record)?;
            }
        }
        Ok(())
    }

    /// Adds the member's own statements in one record.
    fn add_record(&mut self, member: usize, record: &Record) -> Verdict {
        match record {
            Record::Accepted {
                pre_prepare,
                prepare,
                ..
            } => {
                let (epoch, body) = (pre_prepare.epoch.get(), pre_prepare.body);
                let place = (epoch, body.view.get(), body.seq.get());
                self.accepted.entry(place).or_default().insert(body.digest);
                if usize::from(pre_prepare.from.get()) == member {
                    let place = (
                        member,
                        epoch,
                        body.view.get(),
                        body.seq.get(),
                        Kind::PrePrepare,
                    );
                    self.note(place, body.digest)?;
                }
                let Some(prepare) = prepare else {
                    return Ok(());
                };
                let body = prepare.body;
                let place = (
                    member,
                    epoch,
                    body.view.get(),
                    body.seq.get(),
                    Kind::Prepare,
                );
                self.note(place, body.digest)
            }
            Record::Prepared {
                commit: Some(commit),
                ..
            } => {
                let (epoch, body) = (commit.epoch.get(), commit.body);
                let place = (member, epoch, body.view.get(), body.seq.get(), Kind::Commit);
                self.note(place, body.digest)
            }
            Record::Checkpoint { own } => {
                let place = (
                    member,
                    own.epoch.get(),
                    0,
                    own.body.seq.get(),
                    Kind::Checkpoint,
                );
                self.note(place, own.body.header)
            }
            Record::Key { .. }
            | Record::Birth { .. }
            | Record::Prepared { commit: None, .. }
            | Record::Committed { .. }
            | Record::CaughtUp { .. }
            | Record::Stable { .. }
            | Record::ViewChange(_)
            | Record::NewView(_) => Ok(()),
        }
    }

    /// Takes one statement. PREPARE and COMMIT of one place must also name the same batch.
    fn note(&mut self, place: Place, digest: Digest) -> Verdict {
        let (member, epoch, view, seq, kind) = place;
        let rivals: &[Kind] = match kind {
            Kind::PrePrepare | Kind::Prepare | Kind::Commit => {
                &[Kind::PrePrepare, Kind::Prepare, Kind::Commit]
            }
            Kind::Checkpoint | Kind::ViewChange | Kind::NewView => &[Kind::Checkpoint],
        };
        for rival in rivals {
            if let Some(other) = self.own.get(&(member, epoch, view, seq, *rival)) {
                ensure(*other == digest, || {
                    format!(
                        "member {member} signed {rival:?} {other:?} and {kind:?} {digest:?} \
                         in view {view} at {seq}"
                    )
                })?;
            }
        }
        self.own.insert(place, digest);
        Ok(())
    }
}

/// All whole records of a log, oldest file first.
pub(super) fn records(folder: &Path) -> Vec<Record> {
    let entries = fs::read_dir(folder)
        .into_iter()
        .flatten()
        .filter_map(Result::ok);
    let mut files: Vec<_> = entries.map(|entry| entry.path()).collect();
    files.retain(|path| path.extension().is_some_and(|extension| extension == "log"));
    files.sort();
    let contents = files.iter().filter_map(|path| fs::read(path).ok());
    contents
        .flat_map(|bytes| file_records(bytes.get(HEADER..).unwrap_or_default()))
        .collect()
}

/// The records in a file's frames (length, checksum, then records with a length each). What a
/// kill cut short at the end was never sent.
fn file_records(mut frames: &[u8]) -> Vec<Record> {
    let mut records = Vec::new();
    while let Some((length, rest)) = split_length(frames) {
        let split = rest.get(4..).and_then(|rest| rest.split_at_checked(length));
        let Some((mut group, next)) = split else {
            break;
        };
        while let Some((length, rest)) = split_length(group) {
            let Some((record, rest)) = rest.split_at_checked(length) else {
                break;
            };
            records.extend(Record::decode(record).ok());
            group = rest;
        }
        frames = next;
    }
    records
}

/// Where a log file has a byte of a frame behind which another whole one stands: damage there is no torn end.
pub(super) fn before_another_frame(file: &[u8]) -> Option<usize> {
    let (length, rest) = split_length(file.get(HEADER..)?)?;
    let (_first, others) = rest.get(4..)?.split_at_checked(length)?;
    let (length, rest) = split_length(others)?;
    rest.get(4..)?.split_at_checked(length)?;
    HEADER.checked_add(8)
}

/// A length of four bytes, and what follows.
fn split_length(bytes: &[u8]) -> Option<(usize, &[u8])> {
    let (length, rest) = bytes.split_first_chunk::<4>()?;
    Some((usize::try_from(u32::from_le_bytes(*length)).ok()?, rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    const ONE: Digest = Digest::new([1; 32]);
    const OTHER: Digest = Digest::new([2; 32]);

    #[test]
    fn two_batches_at_one_place_are_a_contradiction() {
        let mut seen = Seen::default();

        seen.note((0, 0, 3, 9, Kind::Prepare), ONE).unwrap();
        seen.note((0, 0, 3, 9, Kind::Prepare), ONE).unwrap();
        assert!(
            seen.note((0, 0, 3, 9, Kind::Commit), OTHER)
                .unwrap_err()
                .to_string()
                .contains("view 3 at 9")
        );
    }

    #[test]
    fn another_view_or_member_contradicts_nobody() {
        let mut seen = Seen::default();

        seen.note((0, 0, 3, 9, Kind::Prepare), ONE).unwrap();
        seen.note((0, 0, 4, 9, Kind::Prepare), OTHER).unwrap();
        seen.note((1, 0, 3, 9, Kind::Prepare), OTHER).unwrap();
    }

    #[test]
    fn records_are_read_up_to_the_torn_end() {
        let record = Record::Key {
            key: consensus::PublicKey::new([3; 32]),
        };
        let bytes = record.encode();
        let mut group = u32::try_from(bytes.len()).unwrap().to_le_bytes().to_vec();
        group.extend(&bytes);
        let mut file = u32::try_from(group.len()).unwrap().to_le_bytes().to_vec();
        file.extend([0; 4]);
        file.extend(&group);
        let whole = file.clone();
        file.extend(&whole[..20]);

        assert_eq!(file_records(&file), [record]);
    }
}
