//! Where transactions, sessions and identities occur: indexes that cost little to write.
//!
//! A key in the database for each result would cost more than executing it. So new entries
//! stay in memory, and when there are enough of them they are sorted by their prints into
//! buckets and written as one run, one key a bucket. What was in memory is read again from
//! the blocks at start. A print is eight bytes of a salted hash; what it leads to is
//! compared in full by the reader.

use std::collections::BTreeSet;

use contract::Height;
use sha2::{Digest as _, Sha256};

/// Entries in memory before they are written as a run.
pub(super) const RUN_ENTRIES: usize = 65_536;

/// Blocks before a run is written, however few entries there are: bounds what a start reads.
pub(super) const RUN_BLOCKS: u64 = 16_384;

/// A part of a run is not longer than this, and one entry: the database keeps longer values
/// in files of their own.
const PART_BYTES: usize = 16 * 1024;

/// Bytes of an entry in a run: print, height, position, entry.
const PACKED_BYTES: usize = 8 + 8 + 4 + 2;

/// What is looked up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Kind {
    /// A transaction by its hash.
    Transaction = 1,
    /// Results by their session's number, which several servers may have recorded.
    Session = 2,
    /// Results, and patients' claims, by their identity.
    Identity = 3,
}

/// A place on the ledger.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Spot {
    /// The block.
    pub(super) height: Height,
    /// The transaction in it.
    pub(super) index: u32,
    /// The result in that; 0 for the transaction itself.
    pub(super) entry: u16,
}

/// Eight bytes that stand for a hash.
pub(super) type Print = [u8; 8];

/// Random bytes of one store: nobody who chooses hashes can aim at one bucket.
pub(super) type Salt = [u8; 16];

/// The print of a hash.
pub(super) fn print(salt: &Salt, hash: &[u8; 32]) -> Print {
    let digest = Sha256::new()
        .chain_update(salt)
        .chain_update(hash)
        .finalize();
    let mut print = Print::default();
    for (to, from) in print.iter_mut().zip(digest.as_slice()) {
        *to = *from;
    }
    print
}

/// The bucket of a print.
pub(super) const fn bucket(print: Print) -> u8 {
    let [first, ..] = print;
    first
}

/// Entries that are not in a run yet.
#[derive(Debug, Default)]
pub(super) struct Recent {
    entries: BTreeSet<(Kind, Print, Spot)>,
}

impl Recent {
    /// Adds an entry.
    pub(super) fn add(&mut self, kind: Kind, print: Print, spot: Spot) {
        self.entries.insert((kind, print, spot));
    }

    /// How many there are.
    pub(super) fn len(&self) -> usize {
        self.entries.len()
    }

    /// The places of a print.
    pub(super) fn find(&self, kind: Kind, print: Print) -> Vec<Spot> {
        let first = Spot {
            height: Height::new(0),
            index: 0,
            entry: 0,
        };
        let last = Spot {
            height: Height::new(u64::MAX),
            index: u32::MAX,
            entry: u16::MAX,
        };
        self.entries
            .range((kind, print, first)..=(kind, print, last))
            .map(|(_, _, spot)| *spot)
            .collect()
    }

    /// The parts of a run of all entries, each with its kind and bucket; a bucket may have
    /// several.
    pub(super) fn run(&self) -> Vec<(Kind, u8, Vec<u8>)> {
        let mut parts: Vec<(Kind, u8, Vec<u8>)> = Vec::new();
        for (kind, print, spot) in &self.entries {
            let bucket = bucket(*print);
            match parts.last_mut() {
                Some((last, at, bytes))
                    if last == kind && *at == bucket && bytes.len() < PART_BYTES =>
                {
                    pack(*print, spot, bytes);
                }
                _ => {
                    let mut bytes = Vec::new();
                    pack(*print, spot, &mut bytes);
                    parts.push((*kind, bucket, bytes));
                }
            }
        }
        parts
    }

    /// Forgets everything, after it was written.
    pub(super) fn clear(&mut self) {
        self.entries.clear();
    }
}

/// Appends an entry to a part of a run.
fn pack(print: Print, spot: &Spot, bytes: &mut Vec<u8>) {
    bytes.extend_from_slice(&print);
    bytes.extend_from_slice(&spot.height.get().to_be_bytes());
    bytes.extend_from_slice(&spot.index.to_be_bytes());
    bytes.extend_from_slice(&spot.entry.to_be_bytes());
}

/// The places of a print in a part of a run.
pub(super) fn find(part: &[u8], print: Print) -> Vec<Spot> {
    part.chunks_exact(PACKED_BYTES)
        .filter(|packed| packed.starts_with(&print))
        .filter_map(unpack)
        .collect()
}

/// The place in a packed entry.
fn unpack(packed: &[u8]) -> Option<Spot> {
    let (height, rest) = packed.get(8..)?.split_first_chunk::<8>()?;
    let (index, entry) = rest.split_first_chunk::<4>()?;
    Some(Spot {
        height: Height::new(u64::from_be_bytes(*height)),
        index: u32::from_be_bytes(*index),
        entry: u16::from_be_bytes(entry.try_into().ok()?),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const SALT: Salt = [3; 16];

    fn spot(height: u64) -> Spot {
        Spot {
            height: Height::new(height),
            index: 7,
            entry: 255,
        }
    }

    #[test]
    fn every_entry_is_found_in_memory_and_in_its_run_under_its_kind_alone() {
        let mut recent = Recent::default();
        let prints: Vec<Print> = (0..=255_u8).map(|i| print(&SALT, &[i; 32])).collect();
        for (height, print) in (0..).zip(&prints) {
            recent.add(Kind::Session, *print, spot(height));
            recent.add(Kind::Session, *print, spot(height + 1000));
        }
        let run = recent.run();

        for (height, print) in (0..).zip(&prints) {
            let wanted = [spot(height), spot(height + 1000)];
            assert_eq!(recent.find(Kind::Session, *print), wanted);
            assert_eq!(recent.find(Kind::Identity, *print), []);
            let (_, _, part) = run
                .iter()
                .find(|(kind, at, _)| *kind == Kind::Session && *at == bucket(*print))
                .unwrap();
            assert_eq!(find(part, *print), wanted);
        }
        assert!(run.is_sorted_by_key(|(kind, bucket, _)| (*kind, *bucket)));
    }

    #[test]
    fn an_identity_with_many_results_is_spread_over_short_parts_and_found_whole() {
        let mut recent = Recent::default();
        let print = print(&SALT, &[1; 32]);
        let spots: Vec<Spot> = (0..10_000).map(spot).collect();
        for spot in &spots {
            recent.add(Kind::Identity, print, *spot);
        }

        let run = recent.run();

        let longest = run.iter().map(|(_, _, part)| part.len()).max().unwrap();
        assert!(longest < PART_BYTES + PACKED_BYTES);
        let found: Vec<Spot> = run
            .iter()
            .flat_map(|(_, _, part)| find(part, print))
            .collect();
        assert_eq!(found, spots);
    }

    #[test]
    fn another_salt_gives_other_prints() {
        assert_ne!(print(&SALT, &[1; 32]), print(&[4; 16], &[1; 32]));
    }
}
