//! How the Registration Centre enrols: whom, and with how many others at a time.

use std::{fmt, str::FromStr};

/// Whom the RC enrols.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Enrolling {
    /// Everybody, once for each ID: for trying it out.
    Open,
    /// Who shows a code of the desk.
    Desk,
}

/// With how many patients a shuffled set is registered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SetSize(u16);

/// After how many hours a smaller one is registered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WaitHours(u16);

/// The text is none of these settings.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("it is out of its range")]
pub struct OutOfRange;

impl SetSize {
    /// Everybody by herself, which the ledger then shows.
    pub const ONE: Self = Self(1);
    /// What hides a patient among others.
    pub const HIDING: Self = Self(8);

    /// The number.
    pub const fn get(self) -> u16 {
        self.0
    }
}

impl WaitHours {
    /// A day.
    pub const DAY: Self = Self(24);

    /// In milliseconds.
    pub fn millis(self) -> u64 {
        u64::from(self.0).saturating_mul(3_600_000)
    }
}

impl FromStr for Enrolling {
    type Err = OutOfRange;

    fn from_str(text: &str) -> Result<Self, OutOfRange> {
        match text {
            "open" => Ok(Self::Open),
            "desk" => Ok(Self::Desk),
            _ => Err(OutOfRange),
        }
    }
}

impl fmt::Display for Enrolling {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Open => "open",
            Self::Desk => "desk",
        })
    }
}

impl FromStr for SetSize {
    type Err = OutOfRange;

    fn from_str(text: &str) -> Result<Self, OutOfRange> {
        within(text, 1_024).map(Self)
    }
}

impl fmt::Display for SetSize {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl FromStr for WaitHours {
    type Err = OutOfRange;

    fn from_str(text: &str) -> Result<Self, OutOfRange> {
        within(text, 168).map(Self)
    }
}

impl fmt::Display for WaitHours {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// A number from 1 to `most`.
fn within(text: &str, most: u16) -> Result<u16, OutOfRange> {
    let number: Option<u16> = text.parse().ok();
    number
        .filter(|number| (1..=most).contains(number))
        .ok_or(OutOfRange)
}
