//! Letting go of old blocks: their bodies, certificates and indexes; never their hashes, nor the
//! last header of an epoch with its certificate.
//!
//! A crash at any point leaves a whole store. First the hashes are made durable in their file,
//! then one atomic step moves the floor and removes what lies below it from the database, and
//! only when that is durable the block file gives the disk back. What a crash leaves undone, the
//! next start or the next pruning does.

use std::fmt;
use std::str::FromStr;

use contract::{BlockTime, Height};

use crate::store::error::StoreError;
use crate::store::floor::Floor;
use crate::store::index::Kind;
use crate::store::writer::{Store, kept_snapshot};
use crate::store::{Writes, keys};

/// Blocks that one step lets go, so that execution never waits long for it.
pub const PRUNE_BLOCKS: u64 = 512;

/// How much of the ledger a node keeps whole: bodies of blocks, without which there is no receipt.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Retain {
    /// All of it.
    #[default]
    All,
    /// The newest blocks.
    Blocks(u64),
    /// The blocks of the last days, by block time.
    Days(u64),
}

/// Milliseconds of a day.
const DAY_MS: u64 = 24 * 3_600_000;

impl Retain {
    /// Whether a block with this height and time is to be kept under this tip.
    fn keeps(self, block: (Height, BlockTime), tip: (Height, BlockTime)) -> bool {
        match self {
            Self::All => true,
            Self::Blocks(count) => block.0.get().saturating_add(count) > tip.0.get(),
            Self::Days(days) => block.1.plus_ms(days.saturating_mul(DAY_MS)) >= tip.1,
        }
    }
}

impl fmt::Display for Retain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::All => f.write_str("all"),
            Self::Blocks(count) => write!(f, "{count} blocks"),
            Self::Days(days) => write!(f, "{days} days"),
        }
    }
}

/// Not a way to say how much is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not `all`, `N blocks` or `N days`")]
pub struct NotRetain;

impl FromStr for Retain {
    type Err = NotRetain;

    fn from_str(text: &str) -> Result<Self, NotRetain> {
        if text == "all" {
            return Ok(Self::All);
        }
        let (number, unit) = text.split_once(' ').ok_or(NotRetain)?;
        let number = number.parse().ok().filter(|number| *number > 0);
        let retain = match (number.ok_or(NotRetain)?, unit) {
            (count, "blocks") => Self::Blocks(count),
            (days, "days") => Self::Days(days),
            _ => return Err(NotRetain),
        };
        (retain.to_string() == text)
            .then_some(retain)
            .ok_or(NotRetain)
    }
}

/// Buckets of an index.
const BUCKETS: std::ops::RangeInclusive<u8> = 0..=u8::MAX;

/// What a step of pruning did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pruned {
    /// The lowest block whose body is still kept.
    pub lowest: Height,
    /// Whether the file system took the space back.
    pub given_back: bool,
}

impl Store {
    /// The lowest block that `retain` and those who take a snapshot here need: of the older
    /// snapshot offered, the replay window and one block below it, which shows where it begins.
    /// Looks at no more than [`PRUNE_BLOCKS`]; while the ledger is copied, everything is needed.
    pub fn needed(&self, retain: Retain, window_ms: u64) -> Result<Height, StoreError> {
        let reader = self.reader();
        let lowest = reader.lowest();
        let snapshot = kept_snapshot(self.height().unwrap_or(lowest));
        let copied = self.shared.held() != u64::MAX;
        if retain == Retain::All || snapshot <= lowest || copied {
            return Ok(lowest);
        }
        let header = |at| reader.header(at)?.ok_or_else(|| StoreError::damaged(at));
        let since = header(snapshot)?.time.minus_ms(window_ms);
        let tip = header(reader.executed())?;
        let last = lowest.get().saturating_add(PRUNE_BLOCKS);
        for at in (lowest.get()..last.min(snapshot.get())).map(Height::new) {
            let wanted = retain.keeps((at, header(at)?.time), (tip.height, tip.time));
            if wanted || header(at.next())?.time >= since {
                return Ok(at);
            }
        }
        Ok(Height::new(last).min(snapshot))
    }

    /// Lets go of bodies below `floor`, at most [`PRUNE_BLOCKS`] at once; the newest block stays.
    pub fn prune(&mut self, floor: Height) -> Result<Option<Pruned>, StoreError> {
        let first = self.floor.height;
        let newest = self.height().unwrap_or(Height::new(0));
        let last = first.get().saturating_add(PRUNE_BLOCKS);
        let floor = floor.min(newest).min(Height::new(last));
        if floor <= first {
            return Ok(None);
        }
        let reader = self.reader();
        let count = floor.get().saturating_sub(first.get());
        let hashes = reader.hashes(first, usize::try_from(count).unwrap_or(usize::MAX))?;
        let located = self.shared.db.get(&keys::block(floor))?;
        let place = located
            .as_deref()
            .and_then(|value| value.split_last_chunk::<32>())
            .and_then(|(place, _)| keys::place(place))
            .ok_or_else(|| StoreError::damaged(floor))?;
        self.shared.hashes.write(first, &hashes)?;
        let next = Floor {
            height: floor,
            offset: place.offset,
            base: self.floor.base,
        };
        let mut writes = Writes::default();
        for (at, hash) in (first.get()..)
            .map(Height::new)
            .zip(hashes.chunks_exact(32))
        {
            writes.delete(&keys::block(at));
            // The last header of an epoch and its certificate prove the next committee for ever.
            match reader.ending(at)? {
                Some(header) => writes.put(&keys::ending(at), header),
                None => writes.delete(&keys::certificate(at)),
            }
            if let Ok(hash) = hash.try_into() {
                writes.delete(&keys::hash(hash));
            }
        }
        writes.put(keys::FLOOR, next.encode());
        self.shared.db.apply(writes)?;
        self.floor = next;
        self.shared.reach(next);
        self.prune_indexes(floor)?;
        self.blocks.sync()?;
        self.shared.db.sync()?;
        let given_back = self.blocks.release(next.offset)?;
        Ok(Some(Pruned {
            lowest: floor,
            given_back,
        }))
    }

    /// Removes index entries that lead to blocks below the floor alone.
    fn prune_indexes(&self, floor: Height) -> Result<(), StoreError> {
        let db = &self.shared.db;
        let mut writes = Writes::default();
        for kind in [Kind::Transaction, Kind::Session, Kind::Identity] {
            for bucket in BUCKETS {
                let first = keys::run(kind as u8, bucket, (Height::new(0), 0));
                let last = keys::run(kind as u8, bucket, (floor, 0));
                for pair in db.within(&first, &last) {
                    let (key, _) = pair?;
                    if key != last {
                        writes.delete(&key);
                    }
                }
            }
        }
        for member in self.shared.genesis.members() {
            let server = member.server_id();
            let first = keys::server(&server, Height::new(0));
            for pair in db.within(&first, &keys::server(&server, floor)) {
                let (key, _) = pair?;
                if keys::height_of(&key).is_some_and(|at| at < floor) {
                    writes.delete(&key);
                }
            }
        }
        db.apply(writes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_kept_reads_back_from_its_text_and_from_nothing_else() {
        for retain in [Retain::All, Retain::Blocks(100_000), Retain::Days(30)] {
            assert_eq!(retain.to_string().parse(), Ok(retain));
        }
        for text in [
            "",
            "none",
            "0 days",
            "-1 blocks",
            "5",
            "5 weeks",
            "5  days",
            "+5 days",
            "05 blocks",
        ] {
            assert_eq!(text.parse::<Retain>(), Err(NotRetain), "{text}");
        }
    }

    #[test]
    fn the_newest_blocks_and_the_blocks_of_the_last_days_are_kept_and_no_older_ones() {
        let at = |height: u64, days: u64| (Height::new(height), BlockTime::new(days * DAY_MS));
        let tip = at(100, 50);

        assert!(Retain::All.keeps(at(0, 0), tip));
        assert!(Retain::Blocks(10).keeps(at(91, 0), tip));
        assert!(!Retain::Blocks(10).keeps(at(90, 50), tip));
        assert!(Retain::Days(7).keeps(at(1, 43), tip));
        assert!(!Retain::Days(7).keeps(at(99, 42), tip));
    }
}
