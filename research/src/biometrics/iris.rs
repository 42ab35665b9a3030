//! Irises: codes of 2048 bits with a mask, compared under thirteen tilts of the head; research alone, for no sensor
//! of ours gives them.
//!
//! Enrolment takes the three captures of the first session, bit by bit the majority of those that see it; where they
//! see nothing, or are divided, the bit is erased. Probes are the second session's, each under every tilt: accepted
//! if one is. Neighbouring bits err together and would fill whole blocks, so a fixed public permutation scatters
//! them.

use protocol::measure::{Errors, draw};
use rand_core::Rng;

use super::concatenation::Concatenation;
use super::matrix::BITS;
use super::spread::Distances;
use super::trial;

/// Bits of a row: 128 angles with two each.
const ROW_BITS: u32 = 256;

/// Tilts that are tried, in steps of one angle (2.8 degrees).
const TILTS: std::ops::RangeInclusive<i32> = -6..=6;

/// A code and which of its bits are valid, both with the highest bit first.
#[derive(Clone, PartialEq, Eq)]
pub struct IrisCode {
    /// 8 rows of 128 angles of two bits.
    pub bits: [u8; BITS / 8],
    /// Set where a bit is valid.
    pub mask: [u8; BITS / 8],
}

impl std::fmt::Debug for IrisCode {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("IrisCode(redacted)")
    }
}

/// An eye, captured in two sessions.
#[derive(Debug)]
pub struct Eye {
    /// The name the set has for it.
    pub label: String,
    /// The first session, at least three captures.
    pub first: Vec<IrisCode>,
    /// The second.
    pub second: Vec<IrisCode>,
}

impl IrisCode {
    /// The code with the head tilted by so many angles.
    fn tilted(&self, angles: i32) -> Self {
        Self {
            bits: turned(&self.bits, angles),
            mask: turned(&self.mask, angles),
        }
    }

    /// The share of differing bits among those that both have; `None` if there are none.
    fn apart(&self, other: &Self) -> Option<f64> {
        let (mut differing, mut compared) = (0_u32, 0_u32);
        let mine = self.bits.iter().zip(&self.mask);
        for ((a, valid), (b, too)) in mine.zip(other.bits.iter().zip(&other.mask)) {
            let both = valid & too;
            differing = differing.saturating_add(((a ^ b) & both).count_ones());
            compared = compared.saturating_add(both.count_ones());
        }
        (compared > 0).then(|| f64::from(differing) / f64::from(compared))
    }

    /// The bits as signs, −1 for a set one and 0 for an invalid one.
    fn signs(&self) -> Vec<f32> {
        let pairs = self.bits.iter().zip(&self.mask);
        let spread = pairs.flat_map(|(&byte, &mask)| {
            (0..8).rev().map(move |bit| {
                let [is_set, is_valid] = [byte, mask].map(|byte| (byte >> bit) & 1 == 1);
                match (is_valid, is_set) {
                    (false, _) => 0.0,
                    (true, false) => 1.0,
                    (true, true) => -1.0,
                }
            })
        });
        spread.collect()
    }
}

/// Each row turned by so many angles.
fn turned(bits: &[u8; BITS / 8], angles: i32) -> [u8; BITS / 8] {
    let by = angles
        .saturating_mul(2)
        .rem_euclid(ROW_BITS.cast_signed())
        .cast_unsigned();
    let mut all = *bits;
    for row in all.as_chunks_mut::<32>().0 {
        let halves = row
            .as_chunks::<16>()
            .0
            .iter()
            .map(|half| u128::from_be_bytes(*half));
        let [mut high, mut low]: [u128; 2] =
            std::array::from_fn(|at| halves.clone().nth(at).unwrap_or(0));
        if by >= 128 {
            (high, low) = (low, high);
        }
        let rest = by % 128;
        if rest > 0 {
            let back = 128_u32.saturating_sub(rest);
            (high, low) = (
                (high << rest) | (low >> back),
                (low << rest) | (high >> back),
            );
        }
        for (half, value) in row.as_chunks_mut::<16>().0.iter_mut().zip([high, low]) {
            *half = value.to_be_bytes();
        }
    }
    all
}

/// The distances of each capture to each other one: as they are, and at the best tilt.
pub fn distances(eyes: &[Eye]) -> [Distances; 2] {
    let all: Vec<_> = eyes
        .iter()
        .enumerate()
        .flat_map(|(number, eye)| {
            let captures = eye.first.iter().chain(&eye.second);
            captures.map(move |capture| (number, capture))
        })
        .collect();
    let (mut upright, mut best) = (Distances::default(), Distances::default());
    for (later, (eye, capture)) in (1..).zip(&all) {
        let tilted: Vec<_> = TILTS.map(|angles| capture.tilted(angles)).collect();
        for (other_eye, other) in all.iter().skip(later) {
            let nearest = tilted.iter().filter_map(|tilted| tilted.apart(other));
            let found = capture.apart(other).zip(nearest.min_by(f64::total_cmp));
            let Some((as_it_is, nearest)) = found else {
                continue;
            };
            for (distances, distance) in [(&mut upright, as_it_is), (&mut best, nearest)] {
                if eye == other_eye {
                    distances.genuine.push(distance);
                } else {
                    distances.impostor.push(distance);
                }
            }
        }
    }
    [upright, best]
}

/// A code that irises are measured with.
#[derive(Debug)]
pub struct IrisExtractor(Concatenation);

/// The codes that are measured, the one for the figure first: 80, 112 and 84 bits, the last of the shape of Hao,
/// Anderson and Daugman (2006).
pub fn extractors() -> Vec<IrisExtractor> {
    let shapes = [(7, 16, 10), (7, 16, 14), (6, 32, 12)];
    let codes = shapes.into_iter();
    codes
        .filter_map(|(order, length, message)| Concatenation::new(order, length, message))
        .map(IrisExtractor)
        .collect()
}

/// An eye enrolled, and its probes under every tilt.
struct Enrolled<'a> {
    offset: Vec<f32>,
    word: Vec<u8>,
    probes: &'a [Vec<Vec<f32>>],
}

/// Every eye as every extractor takes it.
#[derive(Debug)]
pub struct Prepared(Vec<PreparedEye>);

/// An eye with its bits permuted.
#[derive(Debug)]
struct PreparedEye {
    label: String,
    /// The signs of the majority of the first session.
    enrolled: Vec<f32>,
    /// Those of each probe under every tilt.
    probes: Vec<Vec<Vec<f32>>>,
}

/// Permutes and tilts once what all extractors try.
pub fn prepare(eyes: &[Eye]) -> Prepared {
    let order = order();
    let permuted = |signs: &[f32]| -> Vec<f32> {
        let places = order.iter();
        places
            .map(|&place| signs.get(place).copied().unwrap_or(0.0))
            .collect()
    };
    let prepared = eyes.iter().map(|eye| {
        let probes = eye.second.iter().map(|probe| {
            let tilted = TILTS.map(|angles| permuted(&probe.tilted(angles).signs()));
            tilted.collect::<Vec<_>>()
        });
        PreparedEye {
            label: eye.label.clone(),
            enrolled: permuted(&majority(&eye.first)),
            probes: probes.collect(),
        }
    });
    Prepared(prepared.collect())
}

impl IrisExtractor {
    /// What the field calls it.
    pub fn name(&self) -> String {
        self.0.name()
    }

    /// Bits that are drawn.
    pub fn message_bits(&self) -> u32 {
        self.0.message_bits()
    }

    /// Tries everybody against everybody.
    pub fn measure(&self, eyes: &Prepared) -> Errors {
        let everybody: Vec<_> = eyes
            .0
            .iter()
            .map(|eye| {
                let mut dice = draw(&format!("{}/{}", eye.label, self.name()));
                let word = self.0.draw(&mut dice);
                Enrolled {
                    offset: self.0.offset(&eye.enrolled, &word),
                    word,
                    probes: &eye.probes,
                }
            })
            .collect();
        trial::errors(
            &everybody,
            |eye| eye.probes,
            |eye, probe| {
                let mut tilts = probe.iter();
                tilts.any(|tilted| self.0.gives(tilted, &eye.offset, &eye.word))
            },
        )
    }
}

/// The signs that most of the first three captures have; 0 where they are divided or see nothing.
fn majority(captures: &[IrisCode]) -> Vec<f32> {
    let mut sum = vec![0.0_f32; BITS];
    for capture in captures.iter().take(3) {
        for (total, sign) in sum.iter_mut().zip(capture.signs()) {
            *total += sign;
        }
    }
    sum.iter()
        .map(|total| {
            if total.abs() < 0.5 {
                0.0
            } else {
                total.signum()
            }
        })
        .collect()
}

/// The fixed permutation: Fisher and Yates' shuffle by a draw from a label.
fn order() -> Vec<usize> {
    let mut order: Vec<_> = (0..BITS).collect();
    let mut dice = draw("iris/order");
    for last in (1..BITS).rev() {
        let among = u64::try_from(last).unwrap_or(0).saturating_add(1);
        // 64 bits modulo at most 2048: no place is preferred by more than 2^-53.
        let drawn = dice.next_u64().checked_rem(among).unwrap_or(0);
        order.swap(last, usize::try_from(drawn).unwrap_or(0));
    }
    order
}

#[cfg(test)]
mod tests {
    use super::*;

    fn code(bits: [u8; 256], mask: u8) -> IrisCode {
        IrisCode {
            bits,
            mask: [mask; 256],
        }
    }

    /// A code of nobody's eye.
    fn random(label: &str) -> IrisCode {
        let mut bits = [0; 256];
        draw(label).fill_bytes(&mut bits);
        code(bits, 0xFF)
    }

    #[test]
    fn a_tilt_moves_every_row_by_its_angles_around() {
        let mut bits = [0; 256];
        // The first bits of angles 0 and 127 of row 3.
        bits[3 * 32] = 0b1000_0000;
        bits[3 * 32 + 31] = 0b0000_0010;
        let code = code(bits, 0xFF);

        let tilted = code.tilted(-3);
        let mut expected = [0; 256];
        // Angle 0 comes to 3, whose first bit is number 6; angle 127 to 2, number 4.
        expected[3 * 32] = 0b0000_1010;
        assert_eq!(tilted.bits, expected);
        assert_eq!(tilted.tilted(3), code);
        assert_eq!(code.tilted(128), code);
        assert_eq!(code.tilted(64).tilted(-100).tilted(36), code);
    }

    #[test]
    fn masked_bits_are_neither_compared_nor_counted() {
        let (one, mut other) = (code([0; 256], 0xFF), code([0xFF; 256], 0x0F));
        other.bits[0] = 0xF0;

        assert_eq!(one.apart(&other), Some(255.0 / 256.0));
        assert_eq!(one.apart(&code([0; 256], 0)), None);
    }

    #[test]
    fn the_majority_erases_what_is_divided_or_unseen() {
        let sign = |captures: &[IrisCode]| majority(captures)[0];
        let (set, unset, unseen) = (
            code([255; 256], 255),
            code([0; 256], 255),
            code([255; 256], 0),
        );
        let three =
            |a: &IrisCode, b: &IrisCode, c: &IrisCode| sign(&[a.clone(), b.clone(), c.clone()]);

        let found = [
            three(&set, &set, &unset),
            three(&set, &unseen, &unseen),
            three(&unset, &unset, &unseen),
            three(&set, &unset, &unseen),
            three(&unseen, &unseen, &unseen),
        ];

        assert_eq!(
            found.map(|sign| format!("{sign}")),
            ["-1", "-1", "1", "0", "0"]
        );
    }

    #[test]
    fn an_eye_opens_its_own_enrolment_under_a_tilt_and_nobody_else_s() {
        let eyes = ["one", "two", "three"].map(|label| {
            let iris = random(label);
            Eye {
                label: label.to_owned(),
                first: vec![iris.clone(), iris.clone(), iris.clone()],
                // The second is tilted further than is tried.
                second: vec![iris.tilted(5), iris.tilted(7)],
            }
        });

        for extractor in extractors() {
            let errors = extractor.measure(&prepare(&eyes));

            let expected = Errors {
                genuine: 6,
                false_rejects: 3,
                impostor: 12,
                false_accepts: 0,
            };
            assert_eq!(errors, expected, "{}", extractor.name());
        }
    }
}
