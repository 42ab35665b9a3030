//! A short run of the fuzzer, everything it ever found, and that it finds something.
#![cfg(test)]

mod decoders;

use fuzz::decoder;
use fuzz::sequence::{self, Fault, Weakness};

/// Seeds of every test run; `scripts/fuzz` takes more.
const SEEDS: u64 = 200;

/// Seeds that found something once, one in each line; `#` begins a remark.
const REGRESSIONS: &str = include_str!("../../regressions/seeds.txt");

#[test]
fn no_sequence_of_inputs_breaks_a_replica() {
    let (mut inputs, mut ordered) = (0, 0);
    for seed in 0..SEEDS {
        let tally = sequence::play(seed, Weakness::None);

        assert_eq!(tally.fault, None, "seed {seed}");
        inputs += tally.taken + tally.refused;
        ordered += tally.ordered;
    }

    // The sequences are of some use: things are ordered, and most inputs reach the replica.
    assert!(ordered > SEEDS * 3, "{ordered} places");
    assert!(inputs > SEEDS * 500, "{inputs} inputs");
}

#[test]
fn no_bytes_break_a_decoder_or_a_recovery() {
    let (mut taken, mut refused) = (0, 0);
    for seed in 0..SEEDS / 2 {
        let tally = decoder::play(seed);

        assert_eq!(tally.fault, None, "seed {seed}");
        taken += tally.taken;
        refused += tally.refused;
    }

    assert!(
        taken > 1000 && refused > 1000,
        "{taken} taken, {refused} refused"
    );
}

#[test]
fn whatever_was_found_once_is_not_found_again() {
    let lines = REGRESSIONS.lines().filter(|line| !line.starts_with('#'));
    for line in lines {
        let seed: u64 = line
            .trim()
            .parse()
            .unwrap_or_else(|why| unreachable!("{line}: {why}"));

        assert_eq!(
            sequence::play(seed, Weakness::None).fault,
            None,
            "seed {seed}"
        );
        assert_eq!(decoder::play(seed).fault, None, "seed {seed}");
    }
}

#[test]
fn replicas_that_forget_their_logs_are_found_out() {
    let found = (0..SEEDS).find_map(|seed| sequence::play(seed, Weakness::ForgetsLog).fault);

    let guilty = matches!(
        found,
        Some(
            Fault::Contradiction(..)
                | Fault::Disagreement(_)
                | Fault::Slander(_)
                | Fault::Diverged(_)
        )
    );
    assert!(guilty, "{found:?}");
}

#[test]
fn a_seed_always_tells_the_same_story() {
    for seed in [1, 7, 42] {
        assert_eq!(
            sequence::play(seed, Weakness::None),
            sequence::play(seed, Weakness::None),
            "seed {seed}"
        );
    }
}
