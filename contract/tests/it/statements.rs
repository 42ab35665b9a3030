//! Patients' statements: the verdict does not depend on what is checked beside them.

use contract::signature::{self, Statement, first_false};
use contract::{PublicKey, SignatureBytes};
use curve25519_dalek::constants::{ED25519_BASEPOINT_POINT, EIGHT_TORSION};
use curve25519_dalek::edwards::EdwardsPoint;
use curve25519_dalek::scalar::Scalar;
use ed25519_dalek::{Signer as _, SigningKey};
use proptest::prelude::*;
use sha2::{Digest as _, Sha512};

/// Key, message, signature and verdict of the edge cases of "Taming the many `EdDSAs`"
/// (Chalkias, Garillot, Nikolaenko; SSR 2020), as published with ed25519-speccheck.
const SPECCHECK: [(&str, &str, &str, bool, &str); 12] = [
    (
        "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa",
        "8c93255d71dcab10e8f379c26200f3c7bd5f09d9bc3068d3ef4edeb4853022b6",
        "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a0000000000000000000000000000000000000000000000000000000000000000",
        false,
        "0: S = 0, A and R small",
    ),
    (
        "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa",
        "9bd9f44f4dcc75bd531b56b2cd280b0bb38fc1cd6d1230e14861d861de092e79",
        "f7badec5b8abeaf699583992219b7b223f1df3fbbea919844e3f7c554a43dd43a5bb704786be79fc476f91d3f3f89b03984d8068dcf1bb7dfc6637b45450ac04",
        false,
        "1: A small",
    ),
    (
        "f7badec5b8abeaf699583992219b7b223f1df3fbbea919844e3f7c554a43dd43",
        "aebf3f2601a0c8c5d39cc7d8911642f740b78168218da8471772b35f9d35b9ab",
        "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa8c4bd45aecaca5b24fb97bc10ac27ac8751a7dfe1baff8b953ec9f5833ca260e",
        false,
        "2: R small",
    ),
    (
        "cdb267ce40c5cd45306fa5d2f29731459387dbf9eb933b7bd5aed9a765b88d4d",
        "9bd9f44f4dcc75bd531b56b2cd280b0bb38fc1cd6d1230e14861d861de092e79",
        "9046a64750444938de19f227bb80485e92b83fdb4b6506c160484c016cc1852f87909e14428a7a1d62e9f22f3d3ad7802db02eb2e688b6c52fcd6648a98bd009",
        true,
        "3: A and R mixed, both equations hold",
    ),
    (
        "cdb267ce40c5cd45306fa5d2f29731459387dbf9eb933b7bd5aed9a765b88d4d",
        "e47d62c63f830dc7a6851a0b1f33ae4bb2f507fb6cffec4011eaccd55b53f56c",
        "160a1cb0dc9c0258cd0a7d23e94d8fa878bcb1925f2c64246b2dee1796bed5125ec6bc982a269b723e0668e540911a9a6a58921d6925e434ab10aa7940551a09",
        true,
        "4: only the equation with the cofactor holds",
    ),
    (
        "cdb267ce40c5cd45306fa5d2f29731459387dbf9eb933b7bd5aed9a765b88d4d",
        "e47d62c63f830dc7a6851a0b1f33ae4bb2f507fb6cffec4011eaccd55b53f56c",
        "21122a84e0b5fca4052f5b1235c80a537878b38f3142356b2c2384ebad4668b7e40bc836dac0f71076f9abe3a53f9c03c1ceeeddb658d0030494ace586687405",
        true,
        "5: holds with the cofactor, unless 8k is reduced first",
    ),
    (
        "442aad9f089ad9e14647b1ef9099a1ff4798d78589e66f28eca69c11f582a623",
        "85e241a07d148b41e47d62c63f830dc7a6851a0b1f33ae4bb2f507fb6cffec40",
        "e96f66be976d82e60150baecff9906684aebb1ef181f67a7189ac78ea23b6c0e547f7690a0e2ddcd04d87dbc3490dc19b3b3052f7ff0538cb68afb369ba3a514",
        false,
        "6: S above the order",
    ),
    (
        "442aad9f089ad9e14647b1ef9099a1ff4798d78589e66f28eca69c11f582a623",
        "85e241a07d148b41e47d62c63f830dc7a6851a0b1f33ae4bb2f507fb6cffec40",
        "8ce5b96c8f26d0ab6c47958c9e68b937104cd36e13c33566acd2fe8d38aa19427e71f98a473474f2f13f06f97c20d58cc3f54b8bd0d272f42b695dd7e89a8c22",
        false,
        "7: S far above the order",
    ),
    (
        "f7badec5b8abeaf699583992219b7b223f1df3fbbea919844e3f7c554a43dd43",
        "9bedc267423725d473888631ebf45988bad3db83851ee85c85e241a07d148b41",
        "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff03be9678ac102edcd92b0210bb34d7428d12ffc5df5f37e359941266a4e35f0f",
        false,
        "8: R not canonical, reduced in the hash",
    ),
    (
        "f7badec5b8abeaf699583992219b7b223f1df3fbbea919844e3f7c554a43dd43",
        "9bedc267423725d473888631ebf45988bad3db83851ee85c85e241a07d148b41",
        "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffca8c5b64cd208982aa38d4936621a4775aa233aa0505711d8fdcfdaa943d4908",
        false,
        "9: R not canonical",
    ),
    (
        "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
        "e96b7021eb39c1a163b6da4e3093dcd3f21387da4cc4572be588fafae23c155b",
        "a9d55260f765261eb9b84e106f665e00b867287a761990d7135963ee0a7d59dca5bb704786be79fc476f91d3f3f89b03984d8068dcf1bb7dfc6637b45450ac04",
        false,
        "10: A not canonical, reduced in the hash",
    ),
    (
        "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
        "39a591f5321bbe07fd5a23dc2f39d025d74526615746727ceefd6e82ae65c06f",
        "a9d55260f765261eb9b84e106f665e00b867287a761990d7135963ee0a7d59dca5bb704786be79fc476f91d3f3f89b03984d8068dcf1bb7dfc6637b45450ac04",
        false,
        "11: A not canonical",
    ),
];

/// A statement that a patient signed as one should.
fn honest(number: u64) -> Statement {
    let signer = SigningKey::from_bytes(&seed(number % 7));
    let digest = seed(number.wrapping_add(1_000));
    Statement {
        key: PublicKey::new(signer.verifying_key().to_bytes()),
        digest,
        signature: SignatureBytes::new(signer.sign(&digest).to_bytes()),
    }
}

fn seed(number: u64) -> [u8; 32] {
    let mut seed = [0x5a; 32];
    seed[..8].copy_from_slice(&number.to_le_bytes());
    seed
}

/// A number from a seed, below the group's order.
fn scalar(number: u64) -> Scalar {
    Scalar::from_bytes_mod_order(seed(number))
}

/// k = SHA-512(R ‖ A ‖ M).
fn challenge(point: &[u8; 32], key: &[u8; 32], message: &[u8; 32]) -> Scalar {
    let hash = Sha512::new()
        .chain_update(point)
        .chain_update(key)
        .chain_update(message);
    Scalar::from_bytes_mod_order_wide(&hash.finalize().into())
}

/// A statement whose maker put a part of small order into its key and its R, and computed
/// S as if there were none.
fn crafted(number: u64, in_key: EdwardsPoint, in_point: EdwardsPoint) -> Statement {
    let (secret, nonce) = (scalar(number), scalar(number.wrapping_add(77)));
    let key = (ED25519_BASEPOINT_POINT * secret + in_key).compress();
    let point = (ED25519_BASEPOINT_POINT * nonce + in_point).compress();
    let digest = seed(number.wrapping_add(5));
    let s = nonce + challenge(point.as_bytes(), key.as_bytes(), &digest) * secret;
    let mut signature = [0; 64];
    signature[..32].copy_from_slice(point.as_bytes());
    signature[32..].copy_from_slice(s.as_bytes());
    Statement {
        key: PublicKey::new(key.to_bytes()),
        digest,
        signature: SignatureBytes::new(signature),
    }
}

/// One bit of the signature's S is another.
fn spoiled(mut statement: Statement, bit: usize) -> Statement {
    let mut bytes = statement.signature.to_bytes();
    bytes[32 + bit / 8] ^= 1 << (bit % 8);
    statement.signature = SignatureBytes::new(bytes);
    statement
}

fn decoded(case: &(&str, &str, &str, bool, &str)) -> Statement {
    let mut signature = [0; 64];
    hex::decode_to_slice(case.2, &mut signature).unwrap();
    let mut digest = [0; 32];
    hex::decode_to_slice(case.1, &mut digest).unwrap();
    Statement {
        key: case.0.parse().unwrap(),
        digest,
        signature: SignatureBytes::new(signature),
    }
}

#[test]
fn m21_the_published_edge_cases_have_their_verdicts_alone_and_among_others() {
    for case in &SPECCHECK {
        let (statement, expected, name) = (decoded(case), case.3, case.4);
        assert_eq!(statement.holds(), expected, "{name}");

        for size in [1, 2, 3, 40, 200] {
            for place in [0, size / 2, size] {
                let mut many: Vec<_> = (0..size).map(honest).collect();
                many.insert(usize::try_from(place).unwrap(), statement);

                let found = first_false(&many).map(|at| u64::try_from(at).unwrap());
                assert_eq!(found, (!expected).then_some(place), "{name} of {size}");
            }
        }
    }
}

#[test]
fn what_is_refused_here_the_strict_rule_refuses_too() {
    for case in &SPECCHECK {
        let statement = decoded(case);
        let strict = signature::is_valid(&statement.key, &statement.digest, &statement.signature);

        assert!(statement.holds() || !strict, "{}", case.4);
    }
}

#[test]
fn a_part_of_small_order_in_r_or_key_never_decides() {
    for (number, in_key) in (0..).zip(EIGHT_TORSION) {
        for (step, in_point) in (0..).zip(EIGHT_TORSION) {
            let statement = crafted(number * 8 + step, in_key, in_point);
            let strict =
                signature::is_valid(&statement.key, &statement.digest, &statement.signature);

            assert!(statement.holds());
            assert_eq!(first_false(&[statement; 2]), None);
            if step != 0 && number == 0 {
                assert!(!strict, "a part of small order in R alone");
            }
        }
    }
}

#[test]
fn four_hundred_groupings_of_a_shifted_r_agree() {
    // By the rule without the cofactor about half of these would pass.
    let order_two = EIGHT_TORSION[4];
    assert!((order_two + order_two) == EIGHT_TORSION[0] && order_two != EIGHT_TORSION[0]);
    for number in 0..400 {
        let shifted = crafted(number, EIGHT_TORSION[0], order_two);
        let beside = [shifted, honest(number), honest(number + 1)];

        assert_eq!(first_false(&beside), None, "{number}");
    }
}

#[test]
fn parts_that_cancel_in_a_plain_sum_do_not_save_two_bad_statements() {
    let (one, other) = (honest(1), honest(2));
    let shift = |statement: Statement, by: Scalar| {
        let bytes = statement.signature.to_bytes();
        let s = Scalar::from_bytes_mod_order(*bytes.last_chunk().unwrap()) + by;
        let mut changed = bytes;
        changed[32..].copy_from_slice(s.as_bytes());
        Statement {
            signature: SignatureBytes::new(changed),
            ..statement
        }
    };

    let pair = [shift(one, Scalar::ONE), shift(other, -Scalar::ONE)];

    assert_eq!(first_false(&pair), Some(0));
    assert_eq!(first_false(&[honest(0), pair[1], pair[0]]), Some(1));
}

#[test]
fn nothing_to_check_holds() {
    assert_eq!(first_false(&[]), None);
}

/// What a statement in a random mix is made of.
#[derive(Clone, Copy, Debug)]
enum Made {
    Honest(u64),
    Crafted(u64, usize, usize),
    Spoiled(u64, usize),
    CraftedAndSpoiled(u64, usize, usize, usize),
    Published(usize),
}

impl Made {
    fn statement(self) -> Statement {
        match self {
            Self::Honest(number) => honest(number),
            Self::Crafted(number, key, point) => {
                crafted(number, EIGHT_TORSION[key], EIGHT_TORSION[point])
            }
            Self::Spoiled(number, bit) => spoiled(honest(number), bit),
            Self::CraftedAndSpoiled(number, key, point, bit) => spoiled(
                crafted(number, EIGHT_TORSION[key], EIGHT_TORSION[point]),
                bit,
            ),
            Self::Published(case) => decoded(&SPECCHECK[case]),
        }
    }
}

fn made() -> impl Strategy<Value = Made> {
    prop_oneof![
        8 => any::<u64>().prop_map(Made::Honest),
        8 => (any::<u64>(), 0..8_usize, 0..8_usize)
            .prop_map(|(number, key, point)| Made::Crafted(number, key, point)),
        1 => (any::<u64>(), 0..256_usize).prop_map(|(number, bit)| Made::Spoiled(number, bit)),
        1 => (any::<u64>(), 0..8_usize, 0..8_usize, 0..256_usize)
            .prop_map(|(number, key, point, bit)| Made::CraftedAndSpoiled(number, key, point, bit)),
        1 => (0..12_usize).prop_map(Made::Published),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn many_at_once_and_one_at_a_time_agree(mix in proptest::collection::vec(made(), 0..24)) {
        let statements: Vec<_> = mix.into_iter().map(Made::statement).collect();
        let alone = statements.iter().position(|one| !one.holds());

        prop_assert_eq!(first_false(&statements), alone);
    }

    #[test]
    fn order_and_grouping_change_no_verdict(
        mix in proptest::collection::vec(made(), 1..16),
        turn in 0..16_usize,
        cut in 0..16_usize,
    ) {
        let statements: Vec<_> = mix.into_iter().map(Made::statement).collect();
        let all_hold = first_false(&statements).is_none();

        let mut turned = statements.clone();
        turned.rotate_left(turn % statements.len());
        let mut back = statements.clone();
        back.reverse();
        let (left, right) = statements.split_at(cut % statements.len());

        prop_assert_eq!(first_false(&turned).is_none(), all_hold);
        prop_assert_eq!(first_false(&back).is_none(), all_hold);
        let halves = first_false(left).is_none() && first_false(right).is_none();
        prop_assert_eq!(halves, all_hold);
    }
}
