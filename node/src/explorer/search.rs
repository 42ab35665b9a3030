//! One box for everything: says what it took the text for, and what it tried.

use std::str::FromStr;

use contract::identity::{Aid, AidError};

/// What a text in the search box can be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Query {
    /// Nothing was typed.
    Empty,
    /// Decimal digits: a height.
    Height(u64),
    /// 64 hex digits: a block, a transaction, a session or a server.
    Hash(String),
    /// An anonymous identity.
    Aid(Aid),
    /// Something like an AID that is none.
    BrokenAid(AidError),
    /// Hex, but not 64 digits of it.
    BrokenHash(usize),
    /// Anything else: perhaps a member's name.
    Name(String),
}

impl Query {
    /// Reads what was typed; spaces around it, capitals in hex and `0x` are forgiven.
    pub fn read(text: &str) -> Self {
        let text = text.trim();
        if text.is_empty() {
            return Self::Empty;
        }
        if let Ok(height) = text.parse() {
            return Self::Height(height);
        }
        if text.starts_with("aid1") {
            return match Aid::from_str(text) {
                Ok(aid) => Self::Aid(aid),
                Err(error) => Self::BrokenAid(error),
            };
        }
        let digits = text.strip_prefix("0x").unwrap_or(text).to_ascii_lowercase();
        if digits.len() >= 8 && digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return match digits.len() {
                64 => Self::Hash(digits),
                other => Self::BrokenHash(other),
            };
        }
        Self::Name(text.to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kind_is_read_off_the_text() {
        let hash = "ab".repeat(32);
        let aid = Aid::new([1; 32]);

        assert_eq!(Query::read(" 812 "), Query::Height(812));
        assert_eq!(Query::read(&hash.to_uppercase()), Query::Hash(hash.clone()));
        assert_eq!(Query::read(&format!("0x{hash}")), Query::Hash(hash));
        assert_eq!(Query::read(&aid.to_string()), Query::Aid(aid));
        assert_eq!(Query::read("clinic-b"), Query::Name("clinic-b".to_owned()));
        assert_eq!(Query::read("  "), Query::Empty);
    }

    #[test]
    fn a_digit_too_few_is_said_and_not_searched() {
        assert_eq!(Query::read(&"a".repeat(63)), Query::BrokenHash(63));
        assert_eq!(
            Query::read("aid1q7s2k9fe"),
            Query::BrokenAid(AidError::Length(12))
        );
    }
}
