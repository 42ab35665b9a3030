//! Where a server stands, and the list of all servers that every user gets.

use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

use crate::error::Malformed;
use crate::secret::Secret;

/// Bytes of the longest name or place.
const BYTES_MAX: usize = 32;
/// Bytes of the longest list: some sixty servers, and no card grows beyond what a message may have.
pub(super) const LIST_BYTES_MAX: usize = 8_192;

/// A server's name `ID_j` or its place `Loc_j`: 1 to 32 bytes of printable ASCII without the list's separators.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Word(String);

impl Word {
    /// The word that these bytes spell.
    pub fn parse(bytes: &[u8]) -> Result<Self, Malformed> {
        let wrong = |why| Malformed::Field {
            message: "a server's name or place",
            field: "text",
            why,
        };
        if bytes.is_empty() || bytes.len() > BYTES_MAX {
            return Err(wrong("has not 1 to 32 bytes"));
        }
        let plain = |byte: &u8| byte.is_ascii_graphic() && !matches!(byte, b'.' | b';');
        if !bytes.iter().all(plain) {
            return Err(wrong(
                "has a byte other than printable ASCII without '.' and ';'",
            ));
        }
        Ok(Self(String::from_utf8_lossy(bytes).into_owned()))
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Its bytes.
    pub const fn as_bytes(&self) -> &[u8] {
        self.0.as_bytes()
    }
}

/// A server as every user knows it: with the secret that it shares with the RC, and so with every other user (B1).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// `ID_j`.
    pub id: Word,
    /// `SSK_j`.
    pub ssk: Secret<32>,
    /// `Loc_j`.
    pub loc: Word,
}

/// `List_sj`, as text: `ID_j.hex(SSK_j).Loc_j`, joined by `;` (L-5).
#[derive(Clone, PartialEq, Eq, Zeroize, ZeroizeOnDrop)]
pub struct List(Vec<u8>);

impl core::fmt::Debug for List {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("List(redacted)")
    }
}

impl List {
    /// The list that these bytes are, whatever they say: who asks it for a server hears if it says nothing.
    pub(super) fn new(text: &[u8]) -> Self {
        Self(text.to_vec())
    }

    /// The text, for whoever has a reason.
    pub fn expose(&self) -> &[u8] {
        &self.0
    }

    /// Whether it fits on a card.
    pub(super) const fn fits(&self) -> bool {
        self.0.len() <= LIST_BYTES_MAX
    }

    /// The server of this name, if the list has it.
    pub fn find(&self, id: &Word) -> Option<Place> {
        let mut entries = self.0.split(|byte| *byte == b';');
        entries.find_map(|entry| Self::entry(entry).filter(|place| place.id == *id))
    }

    fn entry(text: &[u8]) -> Option<Place> {
        let mut fields = text.split(|byte| *byte == b'.');
        let (id, secret, loc) = (fields.next()?, fields.next()?, fields.next()?);
        let mut ssk = Zeroizing::new([0; 32]);
        hex::decode_to_slice(secret, &mut *ssk).ok()?;
        fields.next().is_none().then_some(())?;
        Some(Place {
            id: Word::parse(id).ok()?,
            ssk: Secret::new(*ssk),
            loc: Word::parse(loc).ok()?,
        })
    }

    /// The list of these servers.
    pub fn of<'a>(places: impl IntoIterator<Item = &'a Place>) -> Self {
        let mut text = Vec::new();
        for place in places {
            if !text.is_empty() {
                text.push(b';');
            }
            let secret = Zeroizing::new(hex::encode(place.ssk.expose()));
            text.extend(place.id.as_bytes());
            text.push(b'.');
            text.extend(secret.as_bytes());
            text.push(b'.');
            text.extend(place.loc.as_bytes());
        }
        Self(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn word(text: &str) -> Word {
        Word::parse(text.as_bytes()).unwrap()
    }

    fn place(id: &str, secret: u8) -> Place {
        Place {
            id: word(id),
            ssk: Secret::new([secret; 32]),
            loc: word("Goa"),
        }
    }

    #[test]
    fn a_server_is_found_in_the_list_with_its_secret() {
        let list = List::of(&[place("hospital2", 2), place("hospital3", 3)]);

        assert_eq!(list.find(&word("hospital3")), Some(place("hospital3", 3)));
        assert_eq!(list.find(&word("hospital")), None);
        assert!(list.expose().starts_with(b"hospital2.0202"));
    }

    #[test]
    fn a_list_that_was_opened_with_the_wrong_password_has_no_server() {
        assert_eq!(List::new(&[0x8F; 90]).find(&word("hospital2")), None);
        assert_eq!(List::new(b"a.zz.b;a.00.b").find(&word("a")), None);
    }

    #[test]
    fn a_word_has_none_of_the_lists_separators() {
        for wrong in ["", "a.b", "a;b", "a b", "é", &"a".repeat(33)] {
            assert!(Word::parse(wrong.as_bytes()).is_err(), "{wrong}");
        }
        assert_eq!(word("clinic-a").as_str(), "clinic-a");
    }
}
