//! Opening the store: whose it is, whether it is whole, and what to do if it is not.

use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use contract::{Genesis, Header, Height, History, Snapshot};

use crate::store::blocks::{Blocks, OpenedBlocks};
use crate::store::error::StoreError;
use crate::store::floor::Floor;
use crate::store::hashes::Hashes;
use crate::store::index::Salt;
use crate::store::reader::{Reader, Shared};
use crate::store::writer::{Store, StoredTip};
use crate::store::{Database, Writes, keys, set_aside};

/// The format written by this program.
pub(super) const VERSION: u16 = 2;

/// Blocks below the newest one whose links are checked at start.
const LINKS_CHECKED: u64 = 16;

/// What opening the store found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Opened {
    /// Nothing was there.
    Fresh,
    /// The store is whole up to this block.
    Intact(Height),
    /// The store was damaged or missing in part; it is rebuilt from the block file, the
    /// vote log and peers. What was damaged stands aside under the name `*.broken`.
    Rebuilt {
        /// What was wrong, for one line of the log.
        why: String,
    },
}

/// The file that asks the next start to rebuild the database.
const MARK: &str = "rebuild";

/// Asks the next start to rebuild the database in `dir`: what is wrong with it was found
/// where a start does not look.
pub(super) fn mark(dir: &Path) -> Result<(), StoreError> {
    let path = dir.join(MARK);
    fs::write(&path, b"").map_err(|source| StoreError::disk("write", &path, source))
}

/// Whether a rebuild was asked for; from now on it is not.
fn take_mark(dir: &Path) -> Result<bool, StoreError> {
    let path = dir.join(MARK);
    match fs::remove_file(&path) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(false),
        Err(source) => Err(StoreError::disk("remove", &path, source)),
    }
}

/// The values beside the tip's height.
struct TipRecord {
    tip: StoredTip,
    indexed: Height,
    end: u64,
}

impl Store {
    /// Opens the store of this ledger in folder `dir`, or makes it. Whatever the block file
    /// holds beyond the database waits for [`Store::next_replay`].
    pub fn open(dir: &Path, genesis: Arc<Genesis>) -> Result<(Self, Opened), StoreError> {
        fs::create_dir_all(dir).map_err(|source| StoreError::disk("create", dir, source))?;
        let path = dir.join("db");
        let had_database = path.exists();
        let chain = genesis.chain().as_bytes();
        let hashes = Hashes::open(dir, chain)?;
        let (blocks, mut why) = match Blocks::open(dir, chain)? {
            OpenedBlocks::Fresh(blocks) if had_database => {
                (blocks, Some("the block file was missing".to_owned()))
            }
            OpenedBlocks::Fresh(blocks) | OpenedBlocks::Found(blocks) => (blocks, None),
            OpenedBlocks::Replaced(blocks) => (
                blocks,
                Some("the block file's header was damaged".to_owned()),
            ),
        };
        if !had_database && blocks.end() > Blocks::first() {
            why = Some("the database was missing".to_owned());
        }
        if take_mark(dir)? && path.exists() {
            why = why.or_else(|| Some("damage was found while it was in use".to_owned()));
            set_aside(&path)?;
        }
        let found = match Database::open(&path) {
            Ok(db) => Self::over(db, (blocks, hashes.clone()), Arc::clone(&genesis), &path)?,
            Err(StoreError::Database { what, .. }) => Err((blocks, what)),
            Err(error) => return Err(error),
        };
        let store = match found {
            Ok(store) if why.is_none() || (store.tip.is_none() && hashes.count()? == 0) => store,
            Ok(store) => Self::anew((store.into_blocks(), hashes), genesis, &path)?,
            Err((blocks, damage)) => {
                why.get_or_insert(damage);
                Self::anew((blocks, hashes), genesis, &path)?
            }
        };
        let has_blocks = store.blocks.end() > Blocks::first();
        let opened = match (why, store.height()) {
            (Some(why), _) => Opened::Rebuilt { why },
            (None, Some(height)) => Opened::Intact(height),
            (None, None) if has_blocks => Opened::Rebuilt {
                why: "the database was empty".to_owned(),
            },
            (None, None) => Opened::Fresh,
        };
        Ok((store, opened))
    }

    /// The store over a database that opened; or the block file back, and what is wrong.
    fn over(
        db: Database,
        (blocks, hashes): (Blocks, Hashes),
        genesis: Arc<Genesis>,
        path: &Path,
    ) -> Result<Result<Self, (Blocks, String)>, StoreError> {
        let damage = |what: &str| format!("the database {what}");
        let salt = match db.get(keys::META) {
            Ok(Some(meta)) => match meta_fields(&meta) {
                Some((VERSION, chain, salt)) if chain == *genesis.chain().as_bytes() => salt,
                Some((VERSION, chain, _)) => {
                    return Err(StoreError::OtherChain {
                        path: path.to_path_buf(),
                        found: hex::encode(chain),
                    });
                }
                Some((found, ..)) => {
                    return Err(StoreError::Version {
                        path: path.to_path_buf(),
                        found,
                        known: VERSION,
                    });
                }
                None => return Ok(Err((blocks, damage("has no readable label")))),
            },
            Ok(None) => label(&db, &genesis)?,
            Err(StoreError::Database { what, .. }) => return Ok(Err((blocks, what))),
            Err(error) => return Err(error),
        };
        let tip = match db.get(keys::TIP) {
            Ok(Some(value)) => match tip_record(&value) {
                Some(record) => Some(record),
                None => return Ok(Err((blocks, damage("has no readable tip")))),
            },
            Ok(None) => None,
            Err(StoreError::Database { what, .. }) => return Ok(Err((blocks, what))),
            Err(error) => return Err(error),
        };
        let floor = match db.get(keys::FLOOR) {
            Ok(Some(value)) => match Floor::decode(&value) {
                Some(floor) => floor,
                None => return Ok(Err((blocks, damage("has no readable floor")))),
            },
            Ok(None) => Floor::lowest(),
            Err(StoreError::Database { what, .. }) => return Ok(Err((blocks, what))),
            Err(error) => return Err(error),
        };
        let shared = Shared::new(genesis, db, (blocks.reader(), hashes), salt);
        let mut store = Self::empty(Arc::new(shared), blocks);
        store.floor = floor;
        store.shared.reach(floor);
        let Some(record) = tip else {
            return Ok(Ok(store));
        };
        match store.resume(record) {
            Ok(()) => Ok(Ok(store)),
            Err(StoreError::Database { what, .. }) => Ok(Err((store.into_blocks(), what))),
            Err(StoreError::Damaged { height }) => Ok(Err((
                store.into_blocks(),
                damage(&format!("does not fit the block file at height {height}")),
            ))),
            Err(error) => Err(error),
        }
    }

    /// An empty database in the place of one that is set aside. Only a block file that begins
    /// with block 0 can fill it again.
    fn anew(
        (blocks, hashes): (Blocks, Hashes),
        genesis: Arc<Genesis>,
        path: &Path,
    ) -> Result<Self, StoreError> {
        if hashes.count()? > 0 {
            return Err(StoreError::Beyond {
                path: path.to_path_buf(),
            });
        }
        set_aside(path)?;
        let db = Database::open(path)?;
        let salt = label(&db, &genesis)?;
        let shared = Shared::new(genesis, db, (blocks.reader(), hashes), salt);
        Ok(Self::empty(Arc::new(shared), blocks))
    }

    /// A store over a database without a block.
    pub(super) const fn empty(shared: Arc<Shared>, blocks: Blocks) -> Self {
        Self {
            shared,
            blocks,
            tip: None,
            indexed: Height::new(0),
            replay_at: Blocks::first(),
            floor: Floor::lowest(),
        }
    }

    /// Checks the newest blocks and the state's root, and reads the indexes that were not
    /// written yet.
    fn resume(&mut self, record: TipRecord) -> Result<(), StoreError> {
        let height = record.tip.height;
        let damaged = StoreError::Damaged {
            height: height.get(),
        };
        if record.end > self.blocks.end() {
            return Err(damaged);
        }
        let reader = self.reader();
        // A crash may have come between the record of a new floor and the release of what is below.
        self.blocks.release(self.floor.offset)?;
        let header = linked(&reader, height)?;
        let root = Snapshot::new(&reader, height).root();
        if root.ok() != Some(header.state_root) {
            return Err(damaged);
        }
        self.replay_at = record.end;
        self.indexed = record.indexed;
        self.tip = Some(record.tip);
        self.shared.executed.store(height.get(), Ordering::Release);
        let first = self.indexed.next().max(self.floor.height);
        for unindexed in first.get()..=height.get() {
            let at = Height::new(unindexed);
            let block = reader.block(at)?.ok_or_else(|| StoreError::damaged(at))?;
            self.shared.note(at, &block.transactions, &block.outcomes);
        }
        Ok(())
    }

    /// Gives the database up and keeps the block file.
    fn into_blocks(self) -> Blocks {
        self.blocks
    }
}

/// The header at `height`, after checking that it and those below are linked by their hashes.
fn linked(reader: &Reader, height: Height) -> Result<Header, StoreError> {
    let lowest = height.get().saturating_sub(LINKS_CHECKED);
    let lowest = lowest.max(reader.lowest().get());
    let mut parent = None;
    for at in lowest..=height.get() {
        let damaged = || StoreError::Damaged { height: at };
        let raw = reader.raw_block(Height::new(at))?.ok_or_else(damaged)?;
        let header = Header::decode(&raw.header).ok().ok_or_else(damaged)?;
        let hash = contract::header_hash(&raw.header);
        let known = reader.hash_at(Height::new(at))?;
        let fits = header.height.get() == at
            && header.chain == *reader.genesis().chain()
            && known == Some(hash)
            && parent.is_none_or(|parent| parent == header.parent);
        if !fits {
            return Err(damaged());
        }
        if at == height.get() {
            return Ok(header);
        }
        parent = Some(hash);
    }
    Err(StoreError::Damaged {
        height: height.get(),
    })
}

/// Labels an empty database.
pub(super) fn label(db: &Database, genesis: &Genesis) -> Result<Salt, StoreError> {
    let mut salt = Salt::default();
    getrandom::fill(&mut salt).map_err(|error| StoreError::disk("salt", &db.path, error.into()))?;
    let mut meta = VERSION.to_be_bytes().to_vec();
    meta.extend_from_slice(genesis.chain().as_bytes());
    meta.extend_from_slice(&salt);
    let mut writes = Writes::default();
    writes.put(keys::META, meta);
    db.apply(writes)?;
    Ok(salt)
}

/// Version, chain and salt of a label.
fn meta_fields(meta: &[u8]) -> Option<(u16, [u8; 32], Salt)> {
    let (version, rest) = meta.split_first_chunk::<2>()?;
    let (chain, salt) = rest.split_first_chunk::<32>()?;
    Some((u16::from_be_bytes(*version), *chain, salt.try_into().ok()?))
}

/// Reads what [`Store`] wrote under the tip's key.
fn tip_record(value: &[u8]) -> Option<TipRecord> {
    let (height, rest) = value.split_first_chunk::<8>()?;
    let (indexed, rest) = rest.split_first_chunk::<8>()?;
    let (end, history) = rest.split_first_chunk::<8>()?;
    Some(TipRecord {
        tip: StoredTip {
            height: Height::new(u64::from_be_bytes(*height)),
            history: History::decode(history).ok()?,
        },
        indexed: Height::new(u64::from_be_bytes(*indexed)),
        end: u64::from_be_bytes(*end),
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn what_stands_under_the_label_and_the_tip_is_read_whole_or_not_at_all(
            bytes in proptest::collection::vec(any::<u8>(), 0..120),
            blocks in 0_u8..40,
        ) {
            if let Some((version, chain, salt)) = meta_fields(&bytes) {
                let again = [version.to_be_bytes().as_slice(), &chain, &salt].concat();
                prop_assert_eq!(again, bytes.clone());
            }
            let mut history = History::new();
            for at in 0..blocks {
                history.append(&contract::HeaderHash::new([at; 32]));
            }
            let mut value = bytes;
            value.resize(24, 0);
            value.extend(history.encode());
            let read = tip_record(&value).unwrap();
            prop_assert_eq!(read.tip.history, history);
            prop_assert_eq!(read.end.to_be_bytes(), &value[16..24]);
            value.push(0);
            prop_assert!(tip_record(&value).is_none());
        }
    }
}
