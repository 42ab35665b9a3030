//! How long a key of sign-ins lasts.

use std::fmt;
use std::str::FromStr;

/// Milliseconds of an hour.
const HOUR_MS: u64 = 3_600_000;
/// The most hours: with its early beginning, an epoch stays within the ledger's 31 days.
const HOURS_MAX: u64 = 743;

/// The length of a key epoch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeyEpoch(u64);

/// The text names no length that an epoch can have.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a key epoch lasts 1 to {HOURS_MAX} hours")]
pub struct NotAKeyEpoch;

impl Default for KeyEpoch {
    fn default() -> Self {
        Self(24)
    }
}

impl KeyEpoch {
    /// In milliseconds.
    pub const fn millis(self) -> u64 {
        self.0.saturating_mul(HOUR_MS)
    }
}

impl fmt::Display for KeyEpoch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl FromStr for KeyEpoch {
    type Err = NotAKeyEpoch;

    fn from_str(text: &str) -> Result<Self, NotAKeyEpoch> {
        let hours: u64 = text.parse().ok().ok_or(NotAKeyEpoch)?;
        if (1..=HOURS_MAX).contains(&hours) {
            Ok(Self(hours))
        } else {
            Err(NotAKeyEpoch)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_epoch_lasts_whole_hours_and_never_longer_than_the_ledger_takes() {
        for text in ["1", "24", "743"] {
            let epoch: KeyEpoch = text.parse().unwrap();
            assert_eq!(epoch.to_string(), text);
            let longest = contract::limits::KEY_EPOCH_MS_MAX;
            assert!(epoch.millis() < longest);
        }
        for text in ["", "0", "744", "-1", "1.5", "a day"] {
            assert_eq!(text.parse::<KeyEpoch>(), Err(NotAKeyEpoch), "{text}");
        }
    }
}
