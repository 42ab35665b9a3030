//! Whether the time of a refusal tells why: three reasons against each other, interleaved by chance, and Welch's t
//! between each two of them, after dudect (Reparaz, Balasch, Verbauwhede: Dude, is my code constant time?, 2017).
//!
//! Who measures can tell two reasons apart when |t| is large; dudect calls 10 the border. So that nobody trusts a
//! measurement that sees nothing, a refusal that ends early is planted and must be seen.

mod refusals;
mod welch;

use std::io;

use chacha20::ChaCha20Rng;
use chacha20::rand_core::Rng as _;
use serde_json::{Value, json};

use self::refusals::{Clinic, Each, Why};
use self::welch::{Samples, difference};
use crate::figures::rounded;

/// |t| from which two reasons can be told apart.
const BORDER: f64 = 10.0;

/// The first calls fill caches and do not count.
const WARMUP: u32 = 1_000;

/// The reasons that must look alike.
const ALIKE: [Why; 3] = [Why::Unknown, Why::Revoked, Why::WrongKey];

/// What was found.
#[derive(Debug)]
pub struct Found {
    /// One object for printing.
    pub figures: Value,
    /// Whether the three cannot be told apart and the planted one can.
    pub holds: bool,
}

/// Has sign-ins refused so many times, a quarter of them in the planted way.
pub fn measure(calls: u32) -> io::Result<Found> {
    let mut rng =
        patient::dice::seeded().map_err(|failure| io::Error::other(failure.to_string()))?;
    let clinic = Clinic::new(&mut rng)?;
    let samples = interleaved(&clinic, calls, &mut rng)?;
    let between = |one: Why, other: Why| difference(samples.of(one), samples.of(other));

    let pairs = [
        (Why::Unknown, Why::Revoked),
        (Why::Unknown, Why::WrongKey),
        (Why::Revoked, Why::WrongKey),
    ];
    let told = pairs.map(|(one, other)| between(one, other));
    let planted = ALIKE.map(|why| between(Why::EndsEarly, why));
    let largest = told.into_iter().fold(0.0, f64::max);
    let least = planted.into_iter().fold(f64::INFINITY, f64::min);
    let median = |why: Why| rounded(samples.of(why).median() / 1_000.0);
    let [unknown_revoked, unknown_wrong_key, revoked_wrong_key] = told.map(rounded);
    Ok(Found {
        figures: json!({
            "schema": "aidchain.bench-timing/1",
            "calls": calls,
            "unknown_us": median(Why::Unknown),
            "revoked_us": median(Why::Revoked),
            "wrong_key_us": median(Why::WrongKey),
            "t_unknown_revoked": unknown_revoked,
            "t_unknown_wrong_key": unknown_wrong_key,
            "t_revoked_wrong_key": revoked_wrong_key,
            "t_planted_early_return": rounded(least),
            "border": BORDER,
        }),
        holds: largest < BORDER && least > BORDER,
    })
}

/// Nanoseconds of each reason's refusals.
fn interleaved(clinic: &Clinic, calls: u32, rng: &mut ChaCha20Rng) -> io::Result<Each<Samples>> {
    let mut samples = Each::<Samples>::default();
    for call in 0..calls.saturating_add(WARMUP) {
        let [first, which, ..] = rng.next_u32().to_le_bytes();
        let why = Why::by_chance(first);
        let took = clinic.refuses(why, which, rng)?;
        if call >= WARMUP {
            samples.of_mut(why).add(took);
        }
    }
    Ok(samples)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_time_of_a_refusal_does_not_tell_its_reason_and_one_that_ends_early_is_seen() {
        let found = measure(20_000).unwrap();

        assert!(found.holds, "{}", found.figures);
    }
}
