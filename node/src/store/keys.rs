//! The keys of the database: one letter, then what is asked for. Numbers are big-endian, so
//! that keys are in the order of heights.

use contract::{Height, ServerId, Table};

use crate::store::blocks::Place;

/// Whose database this is: version, chain, salt of the indexes.
pub(super) const META: &[u8] = b"m";
/// The newest executed block.
pub(super) const TIP: &[u8] = b"t";

/// The lowest block whose body is kept, and the lowest height whose state is.
pub(super) const FLOOR: &[u8] = b"f";

/// Where the block at a height stands.
pub(super) fn block(height: Height) -> Vec<u8> {
    numbered(b'b', height)
}

/// The height of the block with a header hash.
pub(super) fn hash(hash: &[u8; 32]) -> Vec<u8> {
    joined(b'h', hash)
}

/// The certificate of the block at a height.
pub(super) fn certificate(height: Height) -> Vec<u8> {
    numbered(b'c', height)
}

/// The header of the last block of an epoch whose body is not kept.
pub(super) fn ending(height: Height) -> Vec<u8> {
    numbered(b'e', height)
}

/// Keys that a block made stale.
pub(super) fn stale(height: Height) -> Vec<u8> {
    numbered(b'x', height)
}

/// An entry of the state.
pub(super) fn state(table: Table, key: &[u8]) -> Vec<u8> {
    let letter = match table {
        Table::Nodes => b'n',
        Table::Values => b'v',
    };
    joined(letter, key)
}

/// A block with results of a server.
pub(super) fn server(server: &ServerId, height: Height) -> Vec<u8> {
    let mut key = joined(b's', server.as_bytes());
    key.extend_from_slice(&height.get().to_be_bytes());
    key
}

/// The lowest and the highest key of a value in the state: all its versions lie between.
pub(super) fn values(low: &[u8; 32], high: &[u8; 32]) -> (Vec<u8>, Vec<u8>) {
    let mut first = joined(b'v', low);
    first.extend_from_slice(&[0; 8]);
    let mut last = joined(b'v', high);
    last.extend_from_slice(&[0xff; 8]);
    (first, last)
}

/// The hashed key and the height in a key of a value.
pub(super) fn value_of(key: &[u8]) -> Option<([u8; 32], Height)> {
    let hashed = key.get(1..33)?.try_into().ok()?;
    Some((hashed, height_of(key.get(33..)?)?))
}

/// Part of an index: entries whose prints begin with `bucket`, of the run that was written
/// with the block at a height, and the part's number in that run.
pub(super) fn run(kind: u8, bucket: u8, (height, part): (Height, u32)) -> Vec<u8> {
    let mut key = vec![b'i', kind, bucket];
    key.extend_from_slice(&height.get().to_be_bytes());
    key.extend_from_slice(&part.to_be_bytes());
    key
}

/// The height at the end of a key.
pub(super) fn height_of(key: &[u8]) -> Option<Height> {
    key.last_chunk::<8>()
        .map(|bytes| Height::new(u64::from_be_bytes(*bytes)))
}

/// A letter and a height.
fn numbered(letter: u8, height: Height) -> Vec<u8> {
    joined(letter, &height.get().to_be_bytes())
}

/// A letter and bytes.
fn joined(letter: u8, bytes: &[u8]) -> Vec<u8> {
    let mut key = Vec::with_capacity(bytes.len().saturating_add(1));
    key.push(letter);
    key.extend_from_slice(bytes);
    key
}

/// A place in the block file, as a value.
pub(super) fn place_bytes(place: Place) -> Vec<u8> {
    let mut bytes = place.offset.to_be_bytes().to_vec();
    bytes.extend_from_slice(&place.length.to_be_bytes());
    bytes
}

/// The place that a value names.
pub(super) fn place(bytes: &[u8]) -> Option<Place> {
    let (offset, length) = bytes.split_first_chunk::<8>()?;
    Some(Place {
        offset: u64::from_be_bytes(*offset),
        length: u32::from_be_bytes(length.try_into().ok()?),
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_place_and_a_key_are_read_as_what_writes_them_or_not_at_all(
            bytes in proptest::collection::vec(any::<u8>(), 0..48),
        ) {
            let read = place(&bytes);
            prop_assert_eq!(read.is_some(), bytes.len() == 12);
            if let Some(place) = read {
                prop_assert_eq!(&place_bytes(place), &bytes);
            }
            prop_assert_eq!(height_of(&bytes).is_some(), bytes.len() >= 8);
            if let Some((hashed, height)) = value_of(&bytes) {
                let (first, last) = values(&hashed, &hashed);
                prop_assert!(first[1..33] == bytes[1..33] && last[1..33] == bytes[1..33]);
                prop_assert!(bytes.ends_with(&height.get().to_be_bytes()));
            }
        }
    }
}
