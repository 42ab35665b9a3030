//! What the decoder undoes, and what it says of the rest.

use proptest::prelude::*;
use proptest::sample::{Index, subsequence};

use super::*;

/// Every outer code that is measured.
const CODES: [(u32, usize, usize); 5] = [
    (6, 63, 51),
    (6, 63, 47),
    (7, 32, 26),
    (7, 32, 12),
    (8, 16, 10),
];

/// A code, a message for it, and positions of damage with the error of each.
fn damaged(
    spoilt: fn(usize) -> std::ops::RangeInclusive<usize>,
) -> impl Strategy<Value = (Code, Vec<u8>, Vec<(usize, u8)>)> {
    any::<Index>().prop_flat_map(move |which| {
        let (bits, length, message) = *which.get(&CODES);
        let code = Code::new(bits, length, message).unwrap();
        let top = u8::MAX >> 8_u32.saturating_sub(bits);
        let positions: Vec<_> = (0..length).collect();
        let places = subsequence(positions, spoilt(code.parity())).prop_shuffle();
        let errors = proptest::collection::vec(1..=top, length);
        let damage = (places, errors).prop_map(|(at, by)| at.into_iter().zip(by).collect());
        (
            Just(code),
            proptest::collection::vec(0..=top, message),
            damage,
        )
    })
}

/// One more than is in reach.
const fn beyond(reach: usize) -> usize {
    reach.saturating_add(1)
}

fn spoil(word: &[u8], damage: &[(usize, u8)]) -> Vec<u8> {
    let mut spoilt = word.to_vec();
    for &(at, by) in damage {
        spoilt[at] ^= by;
    }
    spoilt
}

proptest! {
    #[test]
    fn every_mixture_of_errors_and_erasures_within_reach_is_undone(
        (code, message, damage) in damaged(|parity| 0..=parity),
        // Erased places that hold what was sent all the same.
        sound: bool,
    ) {
        let sent = code.encode(&message);
        // d places are spoilt: at least 2d − (n − k) of them must be announced.
        let least = damage.len().saturating_mul(2).saturating_sub(code.parity());
        let most = damage.len();
        for announced in least..=most {
            let erased: Vec<_> = damage.iter().take(announced).map(|&(at, _)| at).collect();
            let spoilt = spoil(&sent, if sound { &damage[announced..] } else { &damage });

            let corrected = code.correct(&spoilt, &erased);
            prop_assert_eq!(corrected.as_ref(), Some(&sent));
        }
    }

    #[test]
    fn beyond_reach_it_says_so_or_returns_another_word_that_is_near_enough(
        (code, message, damage) in damaged(|parity| beyond(parity / 2)..=beyond(parity)),
    ) {
        let sent = code.encode(&message);
        let spoilt = spoil(&sent, &damage);

        if let Some(word) = code.correct(&spoilt, &[]) {
            let changed = word.iter().zip(&spoilt).filter(|(a, b)| a != b).count();
            prop_assert_ne!(&word, &sent);
            prop_assert_eq!(code.encode(&word[..code.message()]), word);
            prop_assert!(changed <= code.parity() / 2);
        }
    }

    #[test]
    fn one_erasure_more_than_there_is_parity_is_refused(
        (code, message, damage) in damaged(|parity| beyond(parity)..=beyond(parity)),
    ) {
        let erased: Vec<_> = damage.iter().map(|&(at, _)| at).collect();

        prop_assert_eq!(code.correct(&code.encode(&message), &erased), None);
    }
}

#[test]
fn there_is_no_code_longer_than_its_field_or_without_a_message() {
    assert!(Code::new(6, 64, 51).is_none());
    assert!(Code::new(6, 63, 64).is_none());
    assert!(Code::new(6, 63, 0).is_none());
    assert!(Code::new(5, 31, 21).is_none());
}
