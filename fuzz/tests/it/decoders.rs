//! A short run of every decoder, everything that ever broke one, and that what is broken is found.

use fuzz::corpus;
use fuzz::input::Form;
use fuzz::target::{self, Fault, Target, Verdict};

/// Seeds of every test run; `scripts/fuzz` takes more.
const SEEDS: u64 = 10;

#[test]
fn every_decoder_takes_its_samples() {
    for target in target::all() {
        // What is staged of a snapshot has the form of a manifest, which has samples of its own.
        let taken = target
            .samples
            .iter()
            .filter(|it| target.judge(it) == Ok(Verdict::Taken));

        assert!(taken.count() > 0, "{target:?}");
    }
}

#[test]
fn no_input_breaks_a_decoder() {
    let (mut taken, mut refused) = (0, 0);
    for target in target::all() {
        for seed in 0..SEEDS {
            let tally = target.play(seed);

            assert_eq!(tally.fault, None, "{target:?}, seed {seed}");
            taken += tally.taken;
            refused += tally.refused;
        }
    }

    assert!(
        taken > 1000 && refused > 1000,
        "{taken} taken, {refused} refused"
    );
}

#[test]
fn what_broke_a_decoder_once_breaks_none_again() {
    let mut inputs = 0;
    for target in target::all() {
        for (file, bytes) in corpus::of(&target).unwrap() {
            let verdict = target.judge(&bytes);

            assert!(verdict.is_ok(), "{target:?}, {file}: {verdict:?}");
            inputs += 1;
        }
    }

    assert!(inputs > 0, "the inputs are not where they are looked for");
}

#[test]
fn an_input_is_a_function_of_its_seed() {
    for target in target::all() {
        assert_eq!(target.play(7), target.play(7), "{target:?}");
    }
}

/// What a decoder with a weakness is caught at.
fn caught(read: fn(&[u8]) -> Verdict) -> Option<Fault> {
    let target = Target {
        name: "a weak decoder",
        form: Form::Bytes,
        samples: vec![vec![4, 0, 0, 0, 1, 2, 3, 4]],
        read: Box::new(read),
    };
    (0..100)
        .find_map(|seed| target.play(seed).fault)
        .map(|(_, fault)| fault)
}

/// The length in front.
fn length(bytes: &[u8]) -> usize {
    let head = bytes.first_chunk::<4>().copied().unwrap_or_default();
    usize::try_from(u32::from_le_bytes(head)).unwrap()
}

#[test]
fn a_decoder_that_panics_is_found_out() {
    let fault = caught(|bytes| {
        let _payload = &bytes[4..4 + length(bytes)];
        Verdict::Taken
    });

    assert_eq!(fault, Some(Fault::Panic));
}

#[test]
fn a_decoder_that_believes_a_length_is_found_out() {
    let fault = caught(|bytes| {
        let payload: Vec<u8> = Vec::with_capacity(length(bytes).min(1 << 30));
        if payload.capacity() > 1 << 20 {
            Verdict::Refused
        } else {
            Verdict::Taken
        }
    });

    assert!(matches!(fault, Some(Fault::Large(_))), "{fault:?}");
}

#[test]
fn a_decoder_that_goes_on_for_long_is_found_out() {
    let fault = caught(|bytes| {
        let sum = (0..length(bytes).min(1 << 30)).fold(0_u64, |sum, at| {
            std::hint::black_box(sum.wrapping_mul(31).wrapping_add(at as u64))
        });
        if sum == 1 {
            Verdict::Taken
        } else {
            Verdict::Refused
        }
    });

    assert!(matches!(fault, Some(Fault::Slow(_))), "{fault:?}");
}

#[test]
fn a_decoder_with_two_spellings_is_found_out() {
    let fault = caught(|bytes| match bytes.get(..8) {
        Some(first) if first == bytes => Verdict::Taken,
        Some(_) => Verdict::Broken("bytes are left over".to_owned()),
        None => Verdict::Refused,
    });

    assert!(matches!(fault, Some(Fault::Rule(_))), "{fault:?}");
}
