//! The mapping table on disk: rows one after the other, each with its length and a checksum, flushed before it counts.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Write as _},
    os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _},
    path::Path,
};

use protocol::wu::Mapping;
use zeroize::Zeroizing;

/// Name of the file in its folder.
const FILE: &str = "wu-2021.table";
/// First bytes of the file.
const HEAD: &[u8] = b"aidchain-mapping/1\n";
/// Bytes of the longest row.
const ROW_BYTES_MAX: usize = 1_024;
/// Length and checksum in front of a row.
const FRAME: usize = 8;

/// The open table.
#[derive(Debug)]
pub(super) struct Table {
    /// The file, at its end.
    file: File,
}

impl Table {
    /// Opens the table of a folder, or makes it. A row that a crash cut short was promised to nobody and is dropped.
    pub(super) fn open(folder: &Path) -> io::Result<(Self, Vec<Mapping>)> {
        fs::DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(folder)?;
        let path = folder.join(FILE);
        let bytes = match fs::read(&path) {
            Ok(bytes) => Zeroizing::new(bytes),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Zeroizing::default(),
            Err(error) => return Err(error),
        };
        let (rows, good) = if bytes.is_empty() {
            (Vec::new(), 0)
        } else {
            read(&bytes)?
        };
        let mut file = OpenOptions::new()
            .create(true)
            .append(true)
            .mode(0o600)
            .open(&path)?;
        file.set_len(u64::try_from(good).unwrap_or(u64::MAX))?;
        if good == 0 {
            file.write_all(HEAD)?;
        }
        file.sync_all()?;
        File::open(folder)?.sync_all()?;
        Ok((Self { file }, rows))
    }

    /// Adds a row; it is on the disk when this returns.
    pub(super) fn append(&mut self, row: &Mapping) -> io::Result<()> {
        let encoded = row.encode();
        let length = u32::try_from(encoded.len()).unwrap_or(u32::MAX);
        let mut bytes = Zeroizing::new(Vec::with_capacity(encoded.len().saturating_add(FRAME)));
        bytes.extend_from_slice(&length.to_le_bytes());
        bytes.extend_from_slice(&crc32fast::hash(&encoded).to_le_bytes());
        bytes.extend_from_slice(&encoded);
        self.file.write_all(&bytes)?;
        self.file.sync_data()
    }
}

/// The rows, and how many bytes of the file are good.
fn read(bytes: &[u8]) -> io::Result<(Vec<Mapping>, usize)> {
    let damaged = |why: &str| {
        io::Error::new(
            io::ErrorKind::InvalidData,
            format!("the mapping table {FILE} is damaged: {why}; restore it from its backup"),
        )
    };
    let mut rest = bytes
        .strip_prefix(HEAD)
        .ok_or_else(|| damaged("its head is wrong"))?;
    let mut rows = Vec::new();
    while let Some((row, after)) = next(rest) {
        let whole = crc32fast::hash(row.bytes) == row.checksum;
        if !whole && after.is_empty() {
            break;
        }
        if !whole {
            return Err(damaged("a row in its middle is wrong"));
        }
        rows.push(Mapping::parse(row.bytes).map_err(|malformed| damaged(&malformed.to_string()))?);
        rest = after;
    }
    // What a crash leaves is a part of one row. Where a whole row follows, a length before it was changed, and to stop
    // here would drop registrations that were promised.
    let behind = |at: usize| {
        let row = rest.get(at..).and_then(next).map(|(row, _)| row);
        row.is_some_and(|row| {
            crc32fast::hash(row.bytes) == row.checksum && Mapping::parse(row.bytes).is_ok()
        })
    };
    if rest.len() >= FRAME.saturating_add(ROW_BYTES_MAX) || (1..rest.len()).any(behind) {
        return Err(damaged("the length of a row is wrong"));
    }
    Ok((rows, bytes.len().saturating_sub(rest.len())))
}

/// A row's bytes and what they should amount to.
struct Row<'a> {
    /// The encoded row.
    bytes: &'a [u8],
    /// Its checksum.
    checksum: u32,
}

/// The next whole row; none at the end or where the file was cut.
fn next(bytes: &[u8]) -> Option<(Row<'_>, &[u8])> {
    let (length, rest) = bytes.split_first_chunk::<4>()?;
    let (checksum, rest) = rest.split_first_chunk::<4>()?;
    let length = usize::try_from(u32::from_le_bytes(*length))
        .ok()
        .filter(|length| *length <= ROW_BYTES_MAX)?;
    let (bytes, rest) = rest.split_at_checked(length)?;
    Some((
        Row {
            bytes,
            checksum: u32::from_le_bytes(*checksum),
        },
        rest,
    ))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use contract::Aid;
    use protocol::{Secret, wu::PatientId};

    use super::*;

    fn row(number: u8) -> Mapping {
        Mapping {
            id: PatientId::parse(&[b'a'; 9]).unwrap(),
            a: Secret::new([number; 32]),
            aid: Aid::new([number; 32]),
            m: Secret::new([number; 32]),
        }
    }

    #[test]
    fn rows_are_read_back_and_a_torn_one_is_dropped() {
        let folder = tempfile::tempdir().unwrap();
        let (mut table, rows) = Table::open(folder.path()).unwrap();
        assert!(rows.is_empty());
        table.append(&row(1)).unwrap();
        table.append(&row(2)).unwrap();
        let path = folder.path().join(FILE);
        let whole = fs::read(&path).unwrap();
        assert_eq!(
            fs::metadata(&path).unwrap().permissions().mode() & 0o777,
            0o600
        );

        for cut in 1..(whole.len() - HEAD.len()) / 2 {
            fs::write(&path, &whole[..whole.len() - cut]).unwrap();
            let (mut table, rows) = Table::open(folder.path()).unwrap();
            assert_eq!(rows, [row(1)], "cut {cut}");
            table.append(&row(3)).unwrap();
            assert_eq!(Table::open(folder.path()).unwrap().1, [row(1), row(3)]);
        }
    }

    #[test]
    fn damage_in_the_middle_is_told_and_not_repaired() {
        let folder = tempfile::tempdir().unwrap();
        let (mut table, _) = Table::open(folder.path()).unwrap();
        table.append(&row(1)).unwrap();
        table.append(&row(2)).unwrap();
        let path = folder.path().join(FILE);
        let mut bytes = fs::read(&path).unwrap();
        bytes[HEAD.len() + FRAME + 3] ^= 1;
        fs::write(&path, &bytes).unwrap();

        let error = Table::open(folder.path()).unwrap_err();
        assert!(
            error.to_string().contains("a row in its middle is wrong"),
            "{error}"
        );
        assert_eq!(fs::read(&path).unwrap(), bytes);
    }

    #[test]
    fn no_changed_bit_drops_a_row_that_others_follow() {
        let folder = tempfile::tempdir().unwrap();
        let (mut table, _) = Table::open(folder.path()).unwrap();
        for number in 1..=3 {
            table.append(&row(number)).unwrap();
        }
        let good = fs::read(folder.path().join(FILE)).unwrap();

        for bit in 0..good.len() * 8 {
            let mut bytes = good.clone();
            bytes[bit / 8] ^= 1 << (bit % 8);
            if let Ok((rows, _)) = read(&bytes) {
                assert!(rows.len() >= 2, "bit {bit}: {} rows", rows.len());
                assert_eq!(rows[..2], [row(1), row(2)], "bit {bit}");
            }
        }
    }
}
