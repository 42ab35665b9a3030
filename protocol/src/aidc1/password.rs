//! What the patient types: a password, prepared so that every keyboard spells it alike.

use core::fmt;

use precis_core::{FreeformClass, StringClass as _};
use thiserror::Error;
use unicode_normalization::UnicodeNormalization as _;
use zeroize::Zeroizing;

/// Bytes of the longest password, before and after its preparation.
pub const PASSWORD_BYTES_MAX: usize = 256;

/// How much longer NFC can make a text in UTF-8 (Unicode Standard Annex 15, section 9).
const NFC_GROWTH: usize = 3;

/// The password `PW`: an `OpaqueString` of RFC 8265, 1 to 256 bytes. Wiped when dropped.
#[derive(Clone)]
pub struct Password(Zeroizing<String>);

/// Why a text is no password. No error shows any of it.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Error)]
pub enum BadPassword {
    /// Nothing was typed.
    #[error("the password is empty")]
    Empty,
    /// More than the limit.
    #[error("the password is longer than 256 bytes")]
    TooLong,
    /// The bytes are no text.
    #[error("the password is not UTF-8")]
    NotText,
    /// A character that RFC 8265 forbids: a control, an unassigned one.
    #[error(
        "the password has a character that not every device can type alike (a control character \
         or one newer than Unicode 6.3): choose another"
    )]
    Character,
}

impl Password {
    /// The password that these bytes spell: each space becomes U+0020, the whole is
    /// composed (NFC), and nothing outside `FreeformClass` is let in.
    pub fn parse(bytes: &[u8]) -> Result<Self, BadPassword> {
        if bytes.len() > PASSWORD_BYTES_MAX {
            return Err(BadPassword::TooLong);
        }
        let text = core::str::from_utf8(bytes).map_err(|_error| BadPassword::NotText)?;
        allowed(text)?;
        // Room for the longest result: a text that grows leaves unwiped copies behind.
        let room = text.len().saturating_mul(NFC_GROWTH);
        let mut prepared = Zeroizing::new(String::with_capacity(room));
        prepared.extend(text.chars().map(plain_space).nfc());
        if prepared.is_empty() {
            return Err(BadPassword::Empty);
        }
        if prepared.len() > PASSWORD_BYTES_MAX {
            return Err(BadPassword::TooLong);
        }
        allowed(&prepared)?;
        Ok(Self(prepared))
    }

    /// "aidc1/pw" ‖ u16 length ‖ PW: what the evaluators' function is asked for.
    pub(super) fn input(&self) -> Zeroizing<Vec<u8>> {
        let text = self.0.as_bytes();
        let length = u16::try_from(text.len()).unwrap_or(u16::MAX);
        let parts = [b"aidc1/pw".as_slice(), &length.to_be_bytes(), text];
        let room = parts.iter().map(|part| part.len()).sum();
        let mut input = Zeroizing::new(Vec::with_capacity(room));
        for part in parts {
            input.extend(part);
        }
        input
    }
}

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Password(redacted)")
    }
}

/// Whether the class of RFC 8264, section 4.3, has every character of the text.
fn allowed(text: &str) -> Result<(), BadPassword> {
    let verdict = FreeformClass::default().allows(text);
    verdict.map_err(|_where| BadPassword::Character)
}

/// U+0020 for every space separator (category Zs), any other character for itself.
const fn plain_space(character: char) -> char {
    match character {
        '\u{A0}' | '\u{1680}' | '\u{2000}'..='\u{200A}' | '\u{202F}' | '\u{205F}' | '\u{3000}' => {
            ' '
        }
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn prepared(text: &str) -> Result<String, BadPassword> {
        Password::parse(text.as_bytes()).map(|password| password.0.to_string())
    }

    #[test]
    fn the_examples_of_rfc_8265_are_prepared_as_it_says() {
        // Section 4.3, tables 4 and 5; 18 is the empty password, 19 has a tab.
        for (typed, expected) in [
            (
                "correct horse battery staple",
                "correct horse battery staple",
            ),
            (
                "Correct Horse Battery Staple",
                "Correct Horse Battery Staple",
            ),
            ("\u{3C0}\u{DF}\u{E5}", "\u{3C0}\u{DF}\u{E5}"),
            ("Jack of \u{2666}s", "Jack of \u{2666}s"),
            ("foo\u{1680}bar", "foo bar"),
        ] {
            assert_eq!(prepared(typed).as_deref(), Ok(expected));
        }
        assert_eq!(prepared(""), Err(BadPassword::Empty));
        assert_eq!(prepared("my cat is a \u{9}by"), Err(BadPassword::Character));
    }

    #[test]
    fn two_spellings_of_one_password_are_one() {
        assert_eq!(prepared("e\u{301}"), prepared("\u{E9}"));
        assert_ne!(
            prepared("\u{FB01}n"),
            prepared("fin"),
            "no compatibility mapping"
        );
        assert_ne!(prepared("a"), prepared("A"));
    }

    #[test]
    fn a_password_has_at_most_256_bytes_before_and_after() {
        let longest = "a".repeat(PASSWORD_BYTES_MAX);
        // One code point of three bytes that composes to two of three bytes each.
        let growing = "\u{FB1D}".repeat(80);

        assert_eq!(prepared(&longest), Ok(longest.clone()));
        assert_eq!(prepared(&format!("{longest}a")), Err(BadPassword::TooLong));
        assert_eq!(growing.len(), 240);
        assert!(growing.nfc().collect::<String>().len() > PASSWORD_BYTES_MAX);
        assert_ne!(prepared(&growing), Ok(growing));
        assert!(matches!(
            Password::parse(&[0xC3]),
            Err(BadPassword::NotText)
        ));
    }

    #[test]
    fn the_input_binds_label_and_length() {
        let password = Password::parse(b"ab").unwrap();

        assert_eq!(**password.input(), *b"aidc1/pw\0\x02ab");
        assert_eq!(format!("{password:?}"), "Password(redacted)");
    }
}
