//! The auxiliary string alone gives the template away, if the projection is known.
//!
//! The attacker has never seen the face. He knows PP and the matrix from embedding to template. The offset is the
//! template times an unknown code word in each block of 64 bits; a Walsh–Hadamard transform of each block of (offset
//! × matrix) therefore has, at the right symbol, a row that agrees with every other block's right row about one
//! direction: the embedding's. A spectral step finds those rows, alternation sharpens them, and `Rep` on the template
//! that comes out gives SP.

use protocol::fuzzy::{self, RandomString};
use protocol::{Auxiliary, Template};

use super::matrix::{Matrix, NUMBERS, signs, template};

/// Bits of a block of the inner code, and so candidates for its symbol.
const BLOCK: usize = 64;

type Direction = [f32; NUMBERS];

/// Somebody's enrolment, as it is known to nobody but the examiner.
#[derive(Debug)]
pub struct Victim {
    /// What was enrolled.
    pub template: Template,
    /// What is stored.
    pub pp: Auxiliary,
    /// What nobody should compute.
    pub sp: RandomString,
}

/// What attacks on some people have come to.
#[derive(Clone, Copy, PartialEq, Debug, serde::Serialize)]
pub struct Tally {
    /// People attacked.
    pub people: usize,
    /// Whose SP was computed.
    pub recovered: usize,
    /// How far the guess is from the template at the median, as a share of the bits; half of them mean that nothing was
    /// learnt.
    pub median_distance: f64,
}

/// Whoever knows a matrix.
#[derive(Debug)]
pub struct Attacker {
    columns: Vec<Direction>,
}

impl Attacker {
    /// Who knows this one.
    pub fn knowing(matrix: &Matrix) -> Self {
        Self {
            columns: matrix.columns(),
        }
    }

    /// The template, from the auxiliary string alone. Its complement explains that just as well: both are told.
    pub fn guess(&self, pp: &Auxiliary) -> [Template; 2] {
        let candidates = self.candidates(&offset(pp));
        let blocks: Vec<_> = candidates.chunks_exact(BLOCK).collect();
        let picked: Vec<_> = pick(&candidates)
            .into_iter()
            .zip(&blocks)
            .filter_map(|(index, block)| block.get(index))
            .collect();
        let mut evenly = [1.0; NUMBERS];
        normalise(&mut evenly);
        let agreed = repeated(evenly, 100, |direction| {
            combined(picked.iter().map(|row| (*row, dot(*row, direction))))
        });
        let direction = repeated(agreed, 60, |direction| {
            combined(blocks.iter().filter_map(|block| {
                let row = block.get(largest(block.iter().map(|row| dot(row, direction))))?;
                Some((row, dot(row, direction).signum()))
            }))
        });
        let products = self.columns.iter().map(|column| dot(column, &direction));
        let products: Vec<_> = products.collect();
        let opposite: Vec<_> = products.iter().map(|product| -product).collect();
        [template(&products), template(&opposite)]
    }

    /// Attacks one victim: how far off the better guess is, and whether one of them gives her SP.
    fn attack(&self, victim: &Victim) -> (f64, bool) {
        let guesses = self.guess(&victim.pp);
        let sp = guesses
            .iter()
            .find_map(|guess| fuzzy::reproduce(guess, &victim.pp));
        let distances = guesses.map(|guess| guess.distance(&victim.template));
        let nearest = distances.into_iter().min().unwrap_or(2048);
        (f64::from(nearest) / 2048.0, sp.as_ref() == Some(&victim.sp))
    }

    /// Each block's transform: at index j, the sum of the offset's columns under code word j.
    fn candidates(&self, offset: &[f32]) -> Vec<Direction> {
        let signed = offset.iter().zip(&self.columns);
        let mut all: Vec<Direction> = signed
            .map(|(sign, column)| column.map(|entry| sign * entry))
            .collect();
        for block in all.chunks_exact_mut(BLOCK) {
            for (half, whole) in [(1, 2), (2, 4), (4, 8), (8, 16), (16, 32), (32, 64)] {
                for pair in block.chunks_exact_mut(whole) {
                    let (left, right) = pair.split_at_mut(half);
                    for (a, b) in left.iter_mut().flatten().zip(right.iter_mut().flatten()) {
                        (*a, *b) = (*a + *b, *a - *b);
                    }
                }
            }
        }
        all
    }
}

/// Attacks people, each by an attacker of her own.
pub fn attack<'a>(tried: impl Iterator<Item = (&'a Victim, Attacker)>) -> Tally {
    let found: Vec<_> = tried
        .map(|(victim, attacker)| attacker.attack(victim))
        .collect();
    let mut distances: Vec<_> = found.iter().map(|(distance, _)| *distance).collect();
    distances.sort_by(f64::total_cmp);
    let middle = distances.len() / 2;
    Tally {
        people: found.len(),
        recovered: found.iter().filter(|(_, has_sp)| *has_sp).count(),
        median_distance: distances.get(middle).copied().unwrap_or(0.5),
    }
}

/// The offset in the middle of PP, as signs.
fn offset(pp: &Auxiliary) -> Vec<f32> {
    let bytes = pp.to_bytes();
    let offset = bytes.get(32..288).and_then(|offset| offset.try_into().ok());
    offset.map_or_else(Vec::new, |offset| signs(&Template::new(offset)))
}

/// In each block the candidate that stands out among all blocks: squared products, their mean taken off, and the
/// leading eigenvector of what is left, by at most forty rounds of power iteration.
fn pick(candidates: &[Direction]) -> Vec<usize> {
    let squares = squared_products(candidates);
    let pairs: usize = squares.iter().map(Vec::len).sum();
    let sum: f64 = squares
        .iter()
        .flatten()
        .map(|&square| f64::from(square))
        .sum();
    let mean = single(sum / f64::from(u32::try_from(pairs.max(1)).unwrap_or(u32::MAX)));
    let mut evenly = vec![1.0; candidates.len()];
    normalise(&mut evenly);
    let weights = repeated(evenly, 40, |weights| {
        let mut next = centred(&squares, mean, weights);
        normalise(&mut next);
        next
    });
    weights
        .chunks_exact(BLOCK)
        .map(|block| largest(block.iter().copied()))
        .collect()
}

/// What comes out when a step to a vector of length one is taken again and again: so many times at most, and no more
/// once it changes nothing.
fn repeated<V: AsRef<[f32]>>(from: V, rounds: u32, step: impl Fn(&V) -> V) -> V {
    let mut vector = from;
    for _ in 0..rounds {
        let next = step(&vector);
        let is_settled = dot(vector.as_ref(), next.as_ref()) > 1.0 - 1e-6;
        vector = next;
        if is_settled {
            break;
        }
    }
    vector
}

/// For each candidate its squared products with those of all earlier blocks: half of a symmetric matrix that is zero
/// within blocks.
fn squared_products(candidates: &[Direction]) -> Vec<Vec<f32>> {
    let mut squares = Vec::with_capacity(candidates.len());
    for (place, candidate) in candidates.iter().enumerate() {
        let begin_of_block = place.saturating_sub(place % BLOCK);
        let earlier = candidates.iter().take(begin_of_block);
        squares.push(earlier.map(|other| dot(candidate, other).powi(2)).collect());
    }
    squares
}

/// The product of the symmetric matrix, its mean taken off, with a vector.
fn centred(half: &[Vec<f32>], mean: f32, vector: &[f32]) -> Vec<f32> {
    let sums: Vec<f32> = vector
        .chunks_exact(BLOCK)
        .map(|block| block.iter().sum())
        .collect();
    let total: f32 = sums.iter().sum();
    let mut product: Vec<_> = sums
        .iter()
        .flat_map(|sum| std::iter::repeat_n(-mean * (total - sum), BLOCK))
        .collect();
    for (place, (row, &own)) in half.iter().zip(vector).enumerate() {
        let mut upper = 0.0;
        if let Some(earlier) = vector.get(..row.len()) {
            upper = dot(row, earlier);
        }
        for (other, square) in product.iter_mut().zip(row) {
            *other += square * own;
        }
        if let Some(mine) = product.get_mut(place) {
            *mine += upper;
        }
    }
    product
}

/// The normalised sum of directions, each with a weight.
fn combined<'a>(rows: impl Iterator<Item = (&'a Direction, f32)>) -> Direction {
    let mut sum = [0.0; NUMBERS];
    for (row, weight) in rows {
        for (total, entry) in sum.iter_mut().zip(row) {
            *total += weight * entry;
        }
    }
    normalise(&mut sum);
    sum
}

/// The place of the value that is farthest from zero.
fn largest(values: impl Iterator<Item = f32>) -> usize {
    let sizes = values.map(f32::abs).enumerate();
    sizes
        .max_by(|(_, one), (_, other)| f32::total_cmp(one, other))
        .map_or(0, |(place, _)| place)
}

/// The inner product of two vectors whose length is a multiple of eight: eight sums at a time, as machines like it.
fn dot(one: &[f32], other: &[f32]) -> f32 {
    let mut sums = [0.0; 8];
    let (ones, others) = (one.as_chunks::<8>().0, other.as_chunks::<8>().0);
    for (left, right) in ones.iter().zip(others) {
        for ((sum, a), b) in sums.iter_mut().zip(left).zip(right) {
            *sum += a * b;
        }
    }
    sums.iter().sum()
}

fn normalise(vector: &mut [f32]) {
    let length = dot(vector, vector).sqrt().max(f32::MIN_POSITIVE);
    for entry in vector {
        *entry /= length;
    }
}

#[expect(clippy::cast_possible_truncation, reason = "seven digits suffice")]
const fn single(number: f64) -> f32 {
    number as f32
}
