//! Counters that cannot be mistaken for one another: view, sequence number, epoch, time.

use core::fmt;
use core::time::Duration;

use serde::{Deserialize, Serialize};

/// Declares a `u64` counter with explicit construction only.
macro_rules! counter {
    ($(#[$doc:meta])* $name:ident, $letter:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        pub struct $name(u64);

        impl $name {
            /// The first value.
            pub const ZERO: Self = Self(0);

            /// The counter with this value.
            pub const fn new(value: u64) -> Self {
                Self(value)
            }

            /// The value, for arithmetic with bare numbers, encoding and display.
            pub const fn get(self) -> u64 {
                self.0
            }

            /// The value after this one; the last one stays where it is.
            #[must_use]
            pub const fn next(self) -> Self {
                self.plus(1)
            }

            /// The value `distance` further on, or the last one.
            #[must_use]
            pub const fn plus(self, distance: u64) -> Self {
                Self(self.0.saturating_add(distance))
            }

            /// How far this is above `other`; 0 when it is not above.
            pub const fn above(self, other: Self) -> u64 {
                self.0.saturating_sub(other.0)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}", self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!($letter, "{}"), self.0)
            }
        }
    };
}

counter! {
    /// A configuration of replicas under one primary (§4.1).
    View, "v"
}

counter! {
    /// A place in the total order, equal to the height of the block that is made of it.
    Seq, "s"
}

/// The reign of one committee; a change of members begins the next one.
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Epoch(u32);

impl Epoch {
    /// The epoch of the genesis committee.
    pub const ZERO: Self = Self(0);

    /// The epoch with this number.
    pub const fn new(value: u32) -> Self {
        Self(value)
    }

    /// The number, for encoding and display.
    pub const fn get(self) -> u32 {
        self.0
    }

    /// The epoch after this one.
    #[must_use]
    pub const fn next(self) -> Self {
        Self(self.0.saturating_add(1))
    }
}

impl fmt::Display for Epoch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

impl fmt::Debug for Epoch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "e{}", self.0)
    }
}

/// A reading of the host's monotonic clock; never the time of day.
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Time(u64);

impl Time {
    /// The moment from which the host counts.
    pub const ZERO: Self = Self(0);

    /// The moment this many microseconds after the host began to count.
    pub const fn from_micros(micros: u64) -> Self {
        Self(micros)
    }

    /// Microseconds since the host began to count.
    pub const fn as_micros(self) -> u64 {
        self.0
    }

    /// The moment `wait` later.
    #[must_use]
    pub fn after(self, wait: Duration) -> Self {
        let micros = u64::try_from(wait.as_micros()).unwrap_or(u64::MAX);
        Self(self.0.saturating_add(micros))
    }

    /// The time that has passed since `earlier`; nothing when it has not come yet.
    pub const fn since(self, earlier: Self) -> Duration {
        Duration::from_micros(self.0.saturating_sub(earlier.0))
    }
}

impl fmt::Debug for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}us", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counters_stop_at_their_end_instead_of_wrapping() {
        let last = Seq::new(u64::MAX);

        assert_eq!(last.next(), last);
        assert_eq!(Epoch::new(u32::MAX).next(), Epoch::new(u32::MAX));
        assert_eq!(Seq::new(3).above(Seq::new(5)), 0);
        assert_eq!(
            Time::from_micros(3).since(Time::from_micros(5)),
            Duration::ZERO
        );
    }
}
