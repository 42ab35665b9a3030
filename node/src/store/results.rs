//! Listing sign-ins: by identity, by server, by time; the newest first, in pages.

use std::fmt;
use std::str::FromStr;

use contract::{
    Aid, BlockTime, Evidence, Height, Recorded, ServerId, SessionId, SuiteId, TransactionHash,
    recorded,
};

use crate::store::entry::StoredBlock;
use crate::store::error::StoreError;
use crate::store::index::Kind;
use crate::store::reader::Reader;

/// Most rows of a page.
pub const PAGE_ROWS_MAX: usize = 1_000;

/// Most blocks that are read for one page; a page may be short and still have a next one.
const PAGE_BLOCKS_MAX: usize = 2_000;

/// What is asked for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ResultQuery {
    /// Only this identity's.
    pub aid: Option<Aid>,
    /// Only this server's.
    pub server: Option<ServerId>,
    /// Only in blocks with at least this time.
    pub since_ms: Option<u64>,
    /// Only up to this block; the newest certified one otherwise.
    pub at_height: Option<Height>,
    /// Only older than the last row of the page before.
    pub cursor: Option<Cursor>,
    /// Most rows of the page; at least 1, at most [`PAGE_ROWS_MAX`].
    pub limit: usize,
}

/// Where a page ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Cursor {
    /// The block.
    pub height: Height,
    /// The transaction in it.
    pub index: u32,
    /// The result in that.
    pub entry: u16,
}

/// In which form a sign-in was recorded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ResultForm {
    /// With the patient's signed statement.
    Statement,
    /// With the patient's signed statement, after its window.
    Late,
    /// The server's word alone, under a suite of the papers.
    Legacy,
}

/// A recorded sign-in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ResultRow {
    /// The block.
    pub height: Height,
    /// The transaction in it.
    pub index: u32,
    /// The result in that.
    pub entry: u16,
    /// The block's time.
    pub time: BlockTime,
    /// The transaction.
    pub transaction: TransactionHash,
    /// The suite that was run.
    pub suite: SuiteId,
    /// Where.
    pub server_id: ServerId,
    /// Who.
    pub aid: Aid,
    /// The session.
    pub sid: SessionId,
    /// The patient's time.
    pub t1: BlockTime,
    /// The server's time.
    pub t3: BlockTime,
    /// With or without the patient's statement.
    pub form: ResultForm,
}

/// Some rows, and where the next ones begin.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page<T> {
    /// The rows, the newest first.
    pub rows: Vec<T>,
    /// Ask with this for older ones; none if there are none.
    pub next: Option<Cursor>,
}

impl fmt::Display for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}", self.height, self.index, self.entry)
    }
}

/// The text is not one that a page named.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a cursor is three numbers with dots between them, as the page before gave it")]
pub struct NotACursor;

impl FromStr for Cursor {
    type Err = NotACursor;

    fn from_str(text: &str) -> Result<Self, NotACursor> {
        let mut parts = text.split('.');
        let mut part = || parts.next().ok_or(NotACursor);
        let height = part()?.parse().or(Err(NotACursor))?;
        let index = part()?.parse().or(Err(NotACursor))?;
        let entry = part()?.parse().or(Err(NotACursor))?;
        if parts.next().is_some() {
            return Err(NotACursor);
        }
        let cursor = Self {
            height: Height::new(height),
            index,
            entry,
        };
        // Neither signs nor zeros in front: a place has one name.
        (cursor.to_string() == text)
            .then_some(cursor)
            .ok_or(NotACursor)
    }
}

impl ResultRow {
    /// The row of a recorded result.
    fn of(block: &StoredBlock, result: &Recorded<'_>) -> Option<Self> {
        Some(Self {
            height: block.header.height,
            index: u32::try_from(result.transaction).ok()?,
            entry: u16::try_from(result.entry).ok()?,
            time: block.header.time,
            transaction: *block.transactions.get(result.transaction)?.hash(),
            suite: result.suite(),
            server_id: *result.server_id(),
            aid: *result.aid(),
            sid: *result.sid(),
            t1: result.t1(),
            t3: result.t3(),
            form: match result.evidence {
                Evidence::Statement(_) => ResultForm::Statement,
                Evidence::Late(_) => ResultForm::Late,
                Evidence::Legacy(_) => ResultForm::Legacy,
            },
        })
    }

    /// Where a page that ends with this row ends.
    pub const fn cursor(&self) -> Cursor {
        Cursor {
            height: self.height,
            index: self.index,
            entry: self.entry,
        }
    }
}

/// The sign-ins of a block, the last first.
pub(super) fn rows(block: &StoredBlock) -> Vec<ResultRow> {
    let mut rows: Vec<ResultRow> = recorded(&block.transactions, &block.outcomes)
        .filter_map(|result| ResultRow::of(block, &result))
        .collect();
    rows.reverse();
    rows
}

impl Reader {
    /// The sign-in of a session in a block up to `limit`: the first at this server, or at any. The index has every place of
    /// a number; who had it with whom is compared here.
    pub fn session(
        &self,
        sid: &SessionId,
        server: Option<&ServerId>,
        limit: Height,
    ) -> Result<Option<ResultRow>, StoreError> {
        let asked = |row: &ResultRow| {
            row.sid == *sid && server.is_none_or(|server| *server == row.server_id)
        };
        let spots = self.spots(Kind::Session, sid.as_bytes())?;
        let mut heights: Vec<Height> = spots.into_iter().map(|spot| spot.height).collect();
        heights.dedup();
        for height in heights.into_iter().take_while(|height| *height <= limit) {
            let Some(block) = self.block(height)? else {
                continue;
            };
            if let Some(row) = rows(&block).into_iter().rfind(asked) {
                return Ok(Some(row));
            }
        }
        Ok(None)
    }

    /// A page of sign-ins in blocks up to `newest`.
    pub fn results(
        &self,
        query: &ResultQuery,
        newest: Height,
    ) -> Result<Page<ResultRow>, StoreError> {
        let newest = query.at_height.map_or(newest, |asked| asked.min(newest));
        let newest = query
            .cursor
            .map_or(newest, |cursor| cursor.height.min(newest));
        let limit = query.limit.clamp(1, PAGE_ROWS_MAX);
        let mut rows = Vec::new();
        for (read, height) in self.candidates(query, newest)?.enumerate() {
            let height = height?;
            if read >= PAGE_BLOCKS_MAX {
                // Everything in this block is still to come.
                let next = Cursor {
                    height,
                    index: u32::MAX,
                    entry: u16::MAX,
                };
                return Ok(Page {
                    rows,
                    next: Some(next),
                });
            }
            let Some(block) = self.block(height)? else {
                continue;
            };
            if query
                .since_ms
                .is_some_and(|since| block.header.time.get() < since)
            {
                break;
            }
            rows.extend(
                self::rows(&block)
                    .into_iter()
                    .filter(|row| query.takes(row)),
            );
            if rows.len() > limit {
                rows.truncate(limit);
                let next = rows.last().map(ResultRow::cursor);
                return Ok(Page { rows, next });
            }
        }
        Ok(Page { rows, next: None })
    }

    /// The heights that may hold what is asked for, the newest first.
    fn candidates<'a>(
        &'a self,
        query: &ResultQuery,
        newest: Height,
    ) -> Result<Box<dyn Iterator<Item = Result<Height, StoreError>> + 'a>, StoreError> {
        if let Some(aid) = &query.aid {
            let mut heights: Vec<Height> = self
                .spots(Kind::Identity, aid.as_bytes())?
                .into_iter()
                .map(|spot| spot.height)
                .filter(|height| *height <= newest)
                .collect();
            heights.dedup();
            return Ok(Box::new(heights.into_iter().rev().map(Ok)));
        }
        if let Some(server) = &query.server {
            return Ok(Box::new(self.blocks_of_server(server, newest)));
        }
        Ok(Box::new(
            (0..=newest.get())
                .rev()
                .map(|height| Ok(Height::new(height))),
        ))
    }
}

impl ResultQuery {
    /// Whether a row is asked for.
    fn takes(&self, row: &ResultRow) -> bool {
        self.aid.is_none_or(|aid| aid == row.aid)
            && self.server.is_none_or(|server| server == row.server_id)
            && self.cursor.is_none_or(|cursor| row.cursor() < cursor)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_reads_back_from_its_text_and_from_nothing_else() {
        let cursor = Cursor {
            height: Height::new(12),
            index: 3,
            entry: 255,
        };

        assert_eq!(cursor.to_string().parse(), Ok(cursor));
        for text in [
            "",
            "1",
            "1.2",
            "1.2.3.4",
            "a.2.3",
            "1.2.65536",
            "-1.2.3",
            "+1.2.3",
            "1.2.03",
        ] {
            assert_eq!(text.parse::<Cursor>(), Err(NotACursor), "{text}");
        }
    }
}
