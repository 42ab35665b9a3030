//! How far down this store reaches: bodies of blocks, and versions of the state.

use contract::Height;

use crate::store::blocks::Blocks;

/// The lower ends of what is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Floor {
    /// The lowest block whose body is kept.
    pub(super) height: Height,
    /// Where in the block file it begins.
    pub(super) offset: u64,
    /// The lowest height whose state was ever here: that of a snapshot, or 0.
    pub(super) base: Height,
}

impl Floor {
    /// Of a store that began with block 0.
    pub(super) const fn lowest() -> Self {
        Self {
            height: Height::new(0),
            offset: Blocks::first(),
            base: Height::new(0),
        }
    }

    /// As a value of the database.
    pub(super) fn encode(self) -> Vec<u8> {
        let mut bytes = self.height.get().to_be_bytes().to_vec();
        bytes.extend_from_slice(&self.offset.to_be_bytes());
        bytes.extend_from_slice(&self.base.get().to_be_bytes());
        bytes
    }

    /// Reads what [`Self::encode`] wrote.
    pub(super) fn decode(bytes: &[u8]) -> Option<Self> {
        let (height, rest) = bytes.split_first_chunk::<8>()?;
        let (offset, base) = rest.split_first_chunk::<8>()?;
        Some(Self {
            height: Height::new(u64::from_be_bytes(*height)),
            offset: u64::from_be_bytes(*offset),
            base: Height::new(u64::from_be_bytes(base.try_into().ok()?)),
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_value_is_read_as_the_floor_that_writes_it_or_not_at_all(
            bytes in proptest::collection::vec(any::<u8>(), 20..28),
        ) {
            let read = Floor::decode(&bytes);
            prop_assert_eq!(read.is_some(), bytes.len() == 24);
            if let Some(floor) = read {
                prop_assert_eq!(floor.encode(), bytes);
            }
        }
    }
}
