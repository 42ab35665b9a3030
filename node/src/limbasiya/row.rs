//! How the centre's secrets lie in its vault, one to a slot.

use contract::Aid;
use protocol::limbasiya::{Place, ServerRow, UserRow, Word};
use protocol::{Secret, Timestamp};
use zeroize::Zeroizing;

const KEY: u8 = 0;
const SERVER: u8 = 1;
const USER: u8 = 2;

/// What a slot holds.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Row {
    /// `K_rc`.
    Key(Secret<32>),
    /// A server.
    Server(ServerRow),
    /// A user, and how many times her password was changed.
    User(Aid, u32, UserRow),
}

/// A row's bytes.
pub(super) type Bytes = Zeroizing<Vec<u8>>;

/// `K_rc`.
pub(super) fn key(key: &Secret<32>) -> Bytes {
    joined(&[&[KEY], key.expose()])
}

/// A server.
pub(super) fn server(row: &ServerRow) -> Bytes {
    let (id, loc) = (row.place.id.as_bytes(), row.place.loc.as_bytes());
    joined(&[
        &[SERVER, length(id)],
        id,
        &[length(loc)],
        loc,
        row.place.ssk.expose(),
        &row.q,
        &row.registered.as_millis().to_be_bytes(),
    ])
}

/// A user.
pub(super) fn user(uid: &Aid, age: u32, row: &UserRow) -> Bytes {
    joined(&[
        &[USER],
        uid.as_bytes(),
        &age.to_be_bytes(),
        row.r3.expose(),
        row.c.expose(),
    ])
}

fn joined(parts: &[&[u8]]) -> Bytes {
    let mut bytes = Zeroizing::new(Vec::with_capacity(192));
    for part in parts {
        bytes.extend_from_slice(part);
    }
    bytes
}

/// A word has at most 32 bytes.
fn length(word: &[u8]) -> u8 {
    u8::try_from(word.len()).unwrap_or(u8::MAX)
}

impl Row {
    /// What these bytes say; nothing if no row was written so.
    pub(super) fn parse(bytes: &[u8]) -> Option<Self> {
        let (tag, mut rest) = bytes.split_first()?;
        let row = match *tag {
            KEY => Self::Key(Secret::new(take(&mut rest)?)),
            SERVER => {
                let (id, loc) = (word(&mut rest)?, word(&mut rest)?);
                let ssk = Secret::new(take(&mut rest)?);
                let place = Place { id, ssk, loc };
                Self::Server(ServerRow {
                    place,
                    q: take(&mut rest)?,
                    registered: Timestamp::from_millis(u64::from_be_bytes(take(&mut rest)?)),
                })
            }
            USER => {
                let uid = Aid::new(take(&mut rest)?);
                let age = u32::from_be_bytes(take(&mut rest)?);
                let r3 = Secret::new(take(&mut rest)?);
                let c = Secret::new(take(&mut rest)?);
                Self::User(uid, age, UserRow { r3, c })
            }
            _ => return None,
        };
        rest.is_empty().then_some(row)
    }
}

fn take<const N: usize>(rest: &mut &[u8]) -> Option<[u8; N]> {
    let (field, after) = rest.split_first_chunk::<N>()?;
    *rest = after;
    Some(*field)
}

fn word(rest: &mut &[u8]) -> Option<Word> {
    let [length] = take(rest)?;
    let (text, after) = rest.split_at_checked(usize::from(length))?;
    *rest = after;
    Word::parse(text).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_row_is_read_back_and_no_shorter_or_longer_one_is() {
        let place = Place {
            id: Word::parse(b"clinic-a").unwrap(),
            ssk: Secret::new([3; 32]),
            loc: Word::parse(b"Goa").unwrap(),
        };
        let registered = Timestamp::from_millis(7);
        let clinic = ServerRow {
            place,
            q: [4; 32],
            registered,
        };
        let (r3, c) = (Secret::new([5; 16]), Secret::new([6; 32]));
        let patient = UserRow { r3, c };
        let uid = Aid::new([8; 32]);
        let rows = [
            (key(&Secret::new([1; 32])), Row::Key(Secret::new([1; 32]))),
            (server(&clinic), Row::Server(clinic)),
            (user(&uid, 9, &patient), Row::User(uid, 9, patient)),
        ];

        for (bytes, row) in rows {
            assert_eq!(Row::parse(&bytes), Some(row));
            for cut in 0..bytes.len() {
                assert_eq!(Row::parse(&bytes[..cut]), None, "{cut}");
            }
            assert_eq!(Row::parse(&[bytes.as_slice(), &[0]].concat()), None);
        }
    }
}
