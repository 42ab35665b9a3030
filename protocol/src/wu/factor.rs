//! What the patient types: her identity and her password.

use core::fmt;

use subtle::ConstantTimeEq;
use zeroize::{Zeroize, ZeroizeOnDrop};

use crate::error::Malformed;

/// Bytes of the longest identity and the longest password.
const BYTES_MAX: usize = 64;

/// The identity `ID`: 1 to 64 bytes of UTF-8. The paper puts it on the ledger in
/// clear; no log gets it from us.
#[derive(Clone, PartialEq, Eq, Zeroize, ZeroizeOnDrop)]
pub struct PatientId(String);

impl PatientId {
    /// The identity that these bytes spell.
    pub fn parse(bytes: &[u8]) -> Result<Self, Malformed> {
        text("ID", bytes).map(|text| Self(text.to_owned()))
    }

    /// The text, for whoever has a reason.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for PatientId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PatientId(redacted)")
    }
}

/// The password `PW`: 1 to 64 bytes of UTF-8.
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub struct Password(String);

impl Password {
    /// The password that these bytes spell.
    pub fn parse(bytes: &[u8]) -> Result<Self, Malformed> {
        text("PW", bytes).map(|text| Self(text.to_owned()))
    }

    /// The text, for whoever has a reason.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl PartialEq for Password {
    fn eq(&self, other: &Self) -> bool {
        self.0.as_bytes().ct_eq(other.0.as_bytes()).into()
    }
}

impl Eq for Password {}

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Password(redacted)")
    }
}

fn text<'a>(field: &'static str, bytes: &'a [u8]) -> Result<&'a str, Malformed> {
    let wrong = |why| Malformed::Field {
        message: "what the patient typed",
        field,
        why,
    };
    if bytes.is_empty() {
        return Err(wrong("is empty"));
    }
    if bytes.len() > BYTES_MAX {
        return Err(wrong("is longer than 64 bytes"));
    }
    core::str::from_utf8(bytes).map_err(|_error| wrong("is not UTF-8"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_identity_has_one_to_sixty_four_bytes_of_text() {
        let why = |bytes: &[u8]| match PatientId::parse(bytes) {
            Err(Malformed::Field { why, .. }) => why,
            other => panic!("{other:?}"),
        };

        assert_eq!(PatientId::parse(&[b'a'; 64]).unwrap().expose().len(), 64);
        assert_eq!(PatientId::parse("é".as_bytes()).unwrap().expose(), "é");
        assert_eq!(why(b""), "is empty");
        assert_eq!(why(&[b'a'; 65]), "is longer than 64 bytes");
        assert_eq!(why(&[0xC3]), "is not UTF-8");
    }

    #[test]
    fn what_the_patient_typed_is_not_printed() {
        let shown = format!(
            "{:?} {:?}",
            PatientId::parse(b"Ada").unwrap(),
            Password::parse(b"secret").unwrap()
        );

        assert_eq!(shown, "PatientId(redacted) Password(redacted)");
    }
}
