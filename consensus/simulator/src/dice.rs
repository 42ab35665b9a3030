//! The one source of chance: everything that a run does follows from its seed.

use chacha20::ChaCha8Rng;
use core::time::Duration;
use rand_core::{Rng as _, SeedableRng as _};

/// Seeded dice.
#[derive(Debug)]
pub struct Dice(ChaCha8Rng);

impl Dice {
    /// The dice of a seed.
    pub fn new(seed: u64) -> Self {
        Self(ChaCha8Rng::seed_from_u64(seed))
    }

    /// A number below `bound`; 0 when that is 0.
    pub fn below(&mut self, bound: u64) -> u64 {
        self.0.next_u64().checked_rem(bound).unwrap_or(0)
    }

    /// A place in a list of this length.
    pub fn place(&mut self, length: usize) -> usize {
        usize::try_from(self.below(length as u64)).unwrap_or(0)
    }

    /// True in `per_mille` of 1000 throws.
    pub fn chance(&mut self, per_mille: u64) -> bool {
        per_mille > 0 && self.below(1000) < per_mille
    }

    /// A duration between two others, in microseconds.
    pub fn between(&mut self, least: Duration, most: Duration) -> Duration {
        let (least, most) = (micros(least), micros(most));
        Duration::from_micros(least + self.below(most.saturating_sub(least) + 1))
    }

    /// A number between `-most` and `most`.
    pub fn around(&mut self, most: u32) -> i64 {
        let up = i64::try_from(self.below(u64::from(most) + 1)).unwrap_or(0);
        if self.chance(500) { -up } else { up }
    }

    /// One of several values.
    pub fn pick<T: Copy>(&mut self, values: &[T]) -> T {
        values[self.place(values.len())]
    }
}

/// Whole microseconds of a duration.
fn micros(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX)
}
