//! Heights, epochs, times and suite numbers.

use std::fmt;
use std::str::FromStr;

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use thiserror::Error;

/// Declares a counter over one integer.
macro_rules! counter {
    ($(#[$doc:meta])* $name:ident, $int:ty) => {
        $(#[$doc])*
        #[derive(
            Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
        )]
        #[serde(transparent)]
        pub struct $name($int);

        impl $name {
            /// Makes one from its number.
            pub const fn new(number: $int) -> Self {
                Self(number)
            }

            /// The number.
            pub const fn get(self) -> $int {
                self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }
    };
}

counter!(
    /// Position of a block in the ledger; block 0 is the genesis.
    Height,
    u64
);
counter!(
    /// Milliseconds since 1970: block times, and every time that is compared with one.
    BlockTime,
    u64
);
counter!(
    /// Which committee certifies a block.
    Epoch,
    u32
);

impl Height {
    /// The block after this one.
    #[must_use]
    pub const fn next(self) -> Self {
        Self(self.0.saturating_add(1))
    }

    /// The block this many further on.
    #[must_use]
    pub const fn plus(self, blocks: u64) -> Self {
        Self(self.0.saturating_add(blocks))
    }

    /// The block before this one; none before the genesis.
    pub const fn previous(self) -> Option<Self> {
        match self.0.checked_sub(1) {
            Some(number) => Some(Self(number)),
            None => None,
        }
    }
}

impl Epoch {
    /// The epoch after this one.
    #[must_use]
    pub const fn next(self) -> Self {
        Self(self.0.saturating_add(1))
    }
}

impl BlockTime {
    /// This time and `ms` more, at most the end of time.
    #[must_use]
    pub const fn plus_ms(self, ms: u64) -> Self {
        Self(self.0.saturating_add(ms))
    }

    /// This time and `ms` less, at least zero.
    #[must_use]
    pub const fn minus_ms(self, ms: u64) -> Self {
        Self(self.0.saturating_sub(ms))
    }
}

/// An authentication suite, by its registered number; never compared as a number.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SuiteId(u16);

impl SuiteId {
    /// The hardened default.
    pub const AIDC_1: Self = Self(0x0001);
    /// Wu, Peng, Gao, Chen 2021; insecure, research ledgers only.
    pub const WU_2021: Self = Self(0x7F01);
    /// Limbasiya, Sahay, Sridharan 2020; insecure, research ledgers only.
    pub const LIMBASIYA_2020: Self = Self(0x7F02);

    /// Makes one from its number.
    pub const fn new(number: u16) -> Self {
        Self(number)
    }

    /// The number.
    pub const fn get(self) -> u16 {
        self.0
    }

    /// One of the papers' suites, which only a research ledger admits.
    pub const fn is_research(self) -> bool {
        matches!(self, Self::WU_2021 | Self::LIMBASIYA_2020)
    }

    /// A suite that this version knows at all.
    pub const fn is_known(self) -> bool {
        matches!(self, Self::AIDC_1) || self.is_research()
    }
}

impl fmt::Display for SuiteId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:#06x}", self.0)
    }
}

impl fmt::Debug for SuiteId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SuiteId({self})")
    }
}

/// The text is not a suite number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("not a suite: write its number as 0x and four hex digits, such as 0x7f01")]
pub struct SuiteIdError;

impl FromStr for SuiteId {
    type Err = SuiteIdError;

    fn from_str(text: &str) -> Result<Self, SuiteIdError> {
        let digits = text.strip_prefix("0x").ok_or(SuiteIdError)?;
        let number = u16::from_str_radix(digits, 16).map_err(|_error| SuiteIdError)?;
        let suite = Self(number);
        if suite.to_string() == text {
            Ok(suite)
        } else {
            Err(SuiteIdError)
        }
    }
}

impl Serialize for SuiteId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if serializer.is_human_readable() {
            serializer.collect_str(self)
        } else {
            serializer.serialize_u16(self.0)
        }
    }
}

impl<'de> Deserialize<'de> for SuiteId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        if deserializer.is_human_readable() {
            let text = String::deserialize(deserializer)?;
            text.parse().map_err(D::Error::custom)
        } else {
            u16::deserialize(deserializer).map(Self)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_suite_has_one_text() {
        assert_eq!(SuiteId::WU_2021.to_string(), "0x7f01");
        assert_eq!("0x7f01".parse(), Ok(SuiteId::WU_2021));
        for other in ["7f01", "0x7F01", "0x07f01", "0x7f", "0x+f01"] {
            assert_eq!(other.parse::<SuiteId>(), Err(SuiteIdError), "{other}");
        }
    }

    #[test]
    fn there_is_no_block_before_the_genesis() {
        assert_eq!(Height::new(0).previous(), None);
        assert_eq!(Height::new(0).next().previous(), Some(Height::new(0)));
    }
}
