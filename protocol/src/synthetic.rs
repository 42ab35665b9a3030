//! Faces of nobody: a seed gives 32 subjects with 404 captures, whose distances
//! are spread like those of real faces.
//!
//! A subject is a point in 46 dimensions, a capture that point plus
//! noise, whose strength varies with the subject and the capture and which drifts
//! from one capture to the next. A fixed matrix takes both to an embedding of 128
//! numbers, and a fixed [`Projection`] takes that to a template. All in whole
//! numbers, so that a seed gives the same faces on every machine.

use chacha20::ChaCha20Rng;
use rand_core::{Rng, SeedableRng};
use sha2::{Digest, Sha256};

use crate::biometric::{EMBEDDING_NUMBERS, Embedding, Template};
use crate::projection::Projection;

/// Known answers of the fuzzy extractor, made by the reference from the faces of
/// seed 1: a JSON file like the one that comes with the real sets.
pub const KNOWN_ANSWERS: &str = include_str!("../tests/vectors/fe_v1.json");

/// Captures of each subject: as many as the public half of the real set has.
const CAPTURES: [usize; 32] = [
    10, 10, 10, 10, 10, 10, 10, 10, 10, 10, 10, 10, 10, 10, 10, 10, 10, 10, 10, 10, 21, 20, 5, 5,
    5, 21, 25, 22, 20, 19, 20, 21,
];

/// Dimensions of the space of faces. The matrix to 128 numbers is not quite
/// orthogonal, which leaves about 34 effective ones.
const DIMENSIONS: usize = 46;

/// One, in the fixed-point numbers below.
const ONE: i64 = 1 << 16;

/// Strength of the noise of a middling capture: fitted to genuine distances of
/// mean .146 and deviation .056 between single captures.
const NOISE: i64 = ONE * 31 / 100;

/// How far the noise of a subject lies from the middle at most, on a logarithmic
/// scale. The subjects' strengths are dealt out evenly over this range, so that
/// each seed has as many steady and fidgety people as the next.
const SUBJECT_SPREAD: i64 = ONE * 50 / 100;

/// Spread, on a logarithmic scale, of the noise between captures of a subject.
const CAPTURE_SPREAD: i64 = ONE * 28 / 100;

/// How much of a capture's noise is the capture's before: 0.3, and √(1 − 0.3²).
const DRIFT: (i64, i64) = (19_661, 62_518);

/// Length of an embedding as the real set scales it.
const EMBEDDING_LENGTH: i64 = 400;

/// Somebody who does not exist.
#[derive(Debug, PartialEq, Eq)]
pub struct Subject {
    /// `S01` to `S32`.
    pub name: String,
    /// The captures, in the order they were taken.
    pub captures: Vec<Shot>,
}

/// One capture of a subject.
#[derive(Debug, PartialEq, Eq)]
pub struct Shot {
    /// What a network would have seen.
    pub embedding: Embedding,
    /// Its public projection.
    pub template: Template,
}

/// A point in the space of faces, in fixed-point numbers.
type Point = [i64; DIMENSIONS];

/// The 32 subjects of a seed.
pub fn subjects(seed: u64) -> Vec<Subject> {
    let projection = projection();
    let matrix = matrix();
    let mut dice = ChaCha20Rng::from_seed(digest("aidchain/synthetic/faces", seed));
    (1..)
        .zip(CAPTURES)
        .map(|(number, captures)| Subject {
            name: format!("S{number:02}"),
            captures: face(captures, strength(number), &mut dice)
                .iter()
                .map(|point| {
                    let embedding = embed(point, &matrix);
                    let template = projection.project(&embedding);
                    Shot {
                        embedding,
                        template,
                    }
                })
                .collect(),
        })
        .collect()
}

/// The public matrix that makes templates of the subjects' embeddings.
pub fn projection() -> Projection {
    Projection::keyed(&digest("aidchain/synthetic/projection", 1))
}

/// The noise of the subject with this number, from 1 to 32: thirteen steps further
/// each time around the 32 of the range, so that neighbours differ.
#[expect(
    clippy::arithmetic_side_effects,
    reason = "fixed-point numbers of at most 24 bits"
)]
fn strength(number: i64) -> i64 {
    let step = (number * 13).rem_euclid(32);
    let logarithm = SUBJECT_SPREAD * (2 * step - 31) / 31;
    times(NOISE, exponential(logarithm))
}

/// The captures of one new subject.
#[expect(
    clippy::arithmetic_side_effects,
    reason = "fixed-point numbers of at most 24 bits: their products fit in 64"
)]
fn face(captures: usize, strength: i64, dice: &mut ChaCha20Rng) -> Vec<Point> {
    let centre = gaussian_point(dice);
    let mut noise = gaussian_point(dice);
    let mut points = Vec::with_capacity(captures);
    for _ in 0..captures {
        let fresh = gaussian_point(dice);
        for (old, new) in noise.iter_mut().zip(fresh) {
            *old = times(DRIFT.0, *old) + times(DRIFT.1, new);
        }
        let scale = times(strength, exponential(times(CAPTURE_SPREAD, gaussian(dice))));
        let mut point = centre;
        for (place, shift) in point.iter_mut().zip(noise) {
            *place += times(scale, shift);
        }
        points.push(point);
    }
    points
}

/// The embedding of a point: 128 signed sums, scaled to the usual length.
#[expect(
    clippy::arithmetic_side_effects,
    reason = "46 numbers of 24 bits sum to 30 bits, 128 squares of them to 67 at the utmost; \
              the sums of a standard deviation of seven stay far below"
)]
fn embed(point: &Point, matrix: &[Vec<bool>]) -> Embedding {
    let mut sums = [0_i64; EMBEDDING_NUMBERS];
    for (&place, signs) in point.iter().zip(matrix) {
        for (sum, &plus) in sums.iter_mut().zip(signs) {
            *sum += if plus { place } else { -place };
        }
    }
    let squares: i64 = sums.iter().map(|sum| (sum >> 4) * (sum >> 4)).sum();
    let length = squares.isqrt().max(1);
    let mut numbers = [0; EMBEDDING_NUMBERS];
    for (number, sum) in numbers.iter_mut().zip(sums) {
        let rounded = ((sum >> 4) * EMBEDDING_LENGTH + length / 2).div_euclid(length);
        *number = i8::try_from(rounded.clamp(-127, 127)).unwrap_or(0);
    }
    Embedding::new(numbers)
}

/// The fixed matrix from the space of faces to embeddings, true for +1.
fn matrix() -> Vec<Vec<bool>> {
    let mut dice = ChaCha20Rng::from_seed(digest("aidchain/synthetic/matrix", 1));
    (0..DIMENSIONS)
        .map(|_| {
            let mut bits = [0; EMBEDDING_NUMBERS / 8];
            dice.fill_bytes(&mut bits);
            bits.iter()
                .flat_map(|byte| (0..8).map(move |bit| (byte >> bit) & 1 == 1))
                .collect()
        })
        .collect()
}

fn gaussian_point(dice: &mut ChaCha20Rng) -> Point {
    core::array::from_fn(|_| gaussian(dice))
}

/// A number of mean zero and deviation [`ONE`]: the sum of twelve uniform ones.
#[expect(
    clippy::arithmetic_side_effects,
    reason = "twelve numbers of 16 bits sum to 20 bits"
)]
fn gaussian(dice: &mut ChaCha20Rng) -> i64 {
    let sum: i64 = (0..12).map(|_| i64::from(dice.next_u32() >> 16)).sum();
    sum - 6 * ONE
}

/// The product of two fixed-point numbers.
#[expect(
    clippy::arithmetic_side_effects,
    reason = "fixed-point numbers of at most 24 bits"
)]
const fn times(a: i64, b: i64) -> i64 {
    (a * b) / ONE
}

/// e to the power of a fixed-point number between −2 and 2, by the first terms of
/// its series.
#[expect(
    clippy::arithmetic_side_effects,
    reason = "fixed-point numbers of at most 20 bits"
)]
fn exponential(x: i64) -> i64 {
    let mut sum = ONE;
    let mut term = ONE;
    for power in 1..=8 {
        term = times(term, x) / power;
        sum += term;
    }
    sum
}

fn digest(label: &str, number: u64) -> [u8; 32] {
    Sha256::new()
        .chain_update(label)
        .chain_update(number.to_be_bytes())
        .finalize()
        .into()
}
