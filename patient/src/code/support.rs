//! The short code on a neutral refusal, by which an operator finds the exact failed check.

use std::fmt;
use std::str::FromStr;

use thiserror::Error;

/// Letters and digits that survive a telephone: no 0, O, 1, I, L or U.
const ALPHABET: &[u8; 30] = b"23456789ABCDEFGHJKMNPQRSTVWXYZ";
const LENGTH: usize = 4;

/// A refusal's name, such as `AC-7F3K`: random, so it says nothing about the refusal.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct SupportCode([u8; LENGTH]);

impl SupportCode {
    /// A code from random bytes.
    pub fn from_random(random: [u8; LENGTH]) -> Self {
        Self(random.map(|byte| {
            let letter = ALPHABET.iter().cycle().nth(usize::from(byte));
            letter.copied().unwrap_or(b'2')
        }))
    }
}

impl fmt::Display for SupportCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AC-")?;
        self.0
            .iter()
            .try_for_each(|letter| write!(f, "{}", char::from(*letter)))
    }
}

impl fmt::Debug for SupportCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// A text that is not a support code.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{0:?} is not a support code; support codes look like AC-7F3K")]
pub struct NotASupportCode(pub String);

impl FromStr for SupportCode {
    type Err = NotASupportCode;

    fn from_str(text: &str) -> Result<Self, NotASupportCode> {
        let upper = text.trim().to_ascii_uppercase();
        upper
            .strip_prefix("AC-")
            .and_then(|letters| <[u8; LENGTH]>::try_from(letters.as_bytes()).ok())
            .filter(|letters| letters.iter().all(|letter| ALPHABET.contains(letter)))
            .map(Self)
            .ok_or_else(|| NotASupportCode(text.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_support_code_survives_being_read_aloud_and_typed_again() {
        for random in [[0; 4], [255; 4], [1, 2, 3, 4], [29, 30, 31, 59]] {
            let code = SupportCode::from_random(random);
            assert_eq!(code.to_string().parse(), Ok(code));
            assert_eq!(code.to_string().to_lowercase().parse(), Ok(code));
        }
    }

    #[test]
    fn what_is_not_a_support_code_is_refused() {
        for wrong in [
            "", "AC-", "AC-7F3", "AC-7F3KK", "AC-7F3O", "AC0107", "7F3K", "AC-7Fé",
        ] {
            assert_eq!(
                wrong.parse::<SupportCode>(),
                Err(NotASupportCode(wrong.to_owned()))
            );
        }
    }
}
