//! The keys of the database: one letter, then what is asked for. Numbers are big-endian, so
//! that keys are in the order of heights.

use contract::{Height, ServerId, Table};

use crate::store::blocks::Place;

/// Whose database this is: version, chain, salt of the indexes.
pub(super) const META: &[u8] = b"m";
/// The newest executed block.
pub(super) const TIP: &[u8] = b"t";

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
