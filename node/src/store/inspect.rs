//! Reading a block file without touching it, while its node runs or stands still: is every block what its hashes say?
//!
//! Nothing is locked, cut or written, and the database is not opened: only the file that everything else comes from.

use std::collections::{BTreeMap, VecDeque};
use std::path::Path;

use contract::{
    BlockTime, CheckedBatch, Genesis, Header, HeaderHash, Height, Root, SignedTransaction,
    batch_digest, merkle,
};

use super::blocks::{Blocks, Place, Viewed};
use super::entry::{self, Entry, RawBlock};
use super::error::StoreError;

/// What a block file holds.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Inspected {
    /// How many blocks it holds.
    pub blocks: usize,
    /// How many of them, the newest, were checked.
    pub checked: usize,
    /// State roots and times after the blocks that were checked.
    pub roots: BTreeMap<Height, (Root, BlockTime)>,
    /// Octets of the entries that were checked.
    pub checked_bytes: u64,
    /// What is wrong, if anything is.
    pub fault: Option<Fault>,
    /// Octets behind the last whole entry: one that is being written now, or was when the power went.
    pub torn_bytes: u64,
}

/// What is wrong with a block file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// An entry is damaged, and whole ones follow.
    #[error("the entry at byte {offset} is damaged")]
    Entry {
        /// Where it begins.
        offset: u64,
    },
    /// A block is not readable.
    #[error("block {height} cannot be read")]
    Unreadable {
        /// Where it should be.
        height: Height,
    },
    /// A part of a block is not what its header says.
    #[error("block {height}: its {part} does not fit its header")]
    Part {
        /// The block.
        height: Height,
        /// Which part.
        part: &'static str,
    },
    /// A block does not follow from the one before.
    #[error("block {height} does not follow from the one before it")]
    Link {
        /// The block.
        height: Height,
    },
}

/// Reads the block file in `dir`, and checks the newest blocks in it, `newest` at most. `None` where there is none.
pub fn inspect(
    dir: &Path,
    genesis: &Genesis,
    newest: usize,
) -> Result<Option<Inspected>, StoreError> {
    match Blocks::view(dir, genesis.chain().as_bytes())? {
        Viewed::Missing => Ok(None),
        Viewed::Broken => Ok(Some(Inspected {
            fault: Some(Fault::Entry { offset: 0 }),
            ..Inspected::default()
        })),
        Viewed::Here(blocks) => Walked::all(&blocks, newest)?
            .check(&blocks, genesis)
            .map(Some),
    }
}

/// Where the newest blocks stand.
struct Walked {
    blocks: usize,
    newest: VecDeque<Place>,
    fault: Option<Fault>,
    torn_bytes: u64,
}

impl Walked {
    /// Walks over all entries, checking the checksum of each.
    fn all(file: &Blocks, newest: usize) -> Result<Self, StoreError> {
        let mut walked = Self {
            blocks: 0,
            newest: VecDeque::new(),
            fault: None,
            torn_bytes: 0,
        };
        let mut at = file.begin()?;
        while let Some((place, bytes)) = file.next(at)? {
            if entry::is_block(&bytes) {
                walked.blocks = walked.blocks.saturating_add(1);
                walked.newest.push_back(place);
                if walked.newest.len() > newest {
                    walked.newest.pop_front();
                }
            }
            at = place.end();
        }
        walked.torn_bytes = file.end().saturating_sub(at);
        if walked.torn_bytes > 0 && file.any_behind(at)? {
            walked.fault = Some(Fault::Entry { offset: at });
        }
        Ok(walked)
    }

    /// Checks the newest blocks, each by itself and against the one before.
    fn check(self, file: &Blocks, genesis: &Genesis) -> Result<Inspected, StoreError> {
        let mut inspected = Inspected {
            blocks: self.blocks,
            torn_bytes: self.torn_bytes,
            fault: self.fault,
            ..Inspected::default()
        };
        let reader = file.reader();
        let mut below = None;
        for place in self.newest {
            let bytes = reader.read(place)?.unwrap_or_default();
            match check_next(&bytes, below, genesis) {
                Ok(header) => {
                    below = Some((header.height, header.hash()));
                    inspected.take(&header, place);
                }
                Err(fault) => {
                    inspected.fault.get_or_insert(fault);
                    break;
                }
            }
        }
        Ok(inspected)
    }
}

/// The header of the block above another one, if all of it is what its hashes say.
fn check_next(
    bytes: &[u8],
    below: Option<(Height, HeaderHash)>,
    genesis: &Genesis,
) -> Result<Header, Fault> {
    let Some(Entry::Block(raw)) = entry::read(bytes) else {
        return Err(Fault::Unreadable {
            height: below.map_or(Height::new(0), |(height, _)| height.next()),
        });
    };
    let header = check_block(&raw, genesis)?;
    let follows =
        below.is_none_or(|(height, hash)| header.height == height.next() && header.parent == hash);
    if follows {
        Ok(header)
    } else {
        Err(Fault::Link {
            height: header.height,
        })
    }
}

/// The header of a block whose parts are those that the header names.
fn check_block(raw: &RawBlock, genesis: &Genesis) -> Result<Header, Fault> {
    let unknown = Fault::Unreadable {
        height: Height::new(0),
    };
    let header = Header::decode(&raw.header).ok().ok_or(unknown)?;
    let height = header.height;
    let wrong = |part| Fault::Part { height, part };
    if header.chain != *genesis.chain() {
        return Err(wrong("chain"));
    }
    if batch_digest(&raw.batch) != header.batch_digest {
        return Err(wrong("batch"));
    }
    let batch = CheckedBatch::certified(&raw.batch, genesis).ok();
    let batch = batch.ok_or_else(|| wrong("batch"))?;
    let transactions = batch.transactions().iter();
    let transactions = transactions.map(SignedTransaction::leaf_hash);
    if merkle::root(&transactions.collect::<Vec<_>>()) != header.transactions_root {
        return Err(wrong("list of transactions"));
    }
    let outcomes = raw.outcomes.iter().map(|one| merkle::leaf_hash(one));
    if merkle::root(&outcomes.collect::<Vec<_>>()) != header.outcomes_root {
        return Err(wrong("list of outcomes"));
    }
    Ok(header)
}

impl Inspected {
    /// Notes a block that was checked.
    fn take(&mut self, header: &Header, place: Place) {
        self.checked = self.checked.saturating_add(1);
        let bytes = place.end().saturating_sub(place.offset);
        self.checked_bytes = self.checked_bytes.saturating_add(bytes);
        self.roots
            .insert(header.height, (header.state_root, header.time));
    }
}
