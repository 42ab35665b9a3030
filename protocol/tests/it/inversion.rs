//! The helper string alone gives the template away, if the projection is known.
//!
//! The attacker has never seen the face. He knows PP and the matrix of signs from
//! embedding to template. The offset is the template times an unknown code word in
//! each block of 64 bits; a Walsh–Hadamard transform of each block of (offset ×
//! matrix) therefore has, at the right symbol, a row that agrees with every other
//! block's right row about one direction: the embedding's. A spectral step finds
//! those rows, alternation sharpens them.

use protocol::projection::Projection;
use protocol::synthetic;
use protocol::{Embedding, Template, fuzzy};

use crate::seeded::dice;

const BLOCK: usize = 64;
const BLOCKS: usize = 32;
const CANDIDATES: usize = BLOCK * BLOCKS;
const NUMBERS: usize = 128;

/// What the decoder still corrects, as a part of all bits.
const REACH: f64 = 0.26;

type Direction = [f64; NUMBERS];

/// A matrix of signs as numbers: one row per template bit.
fn rows(projection: &Projection) -> Vec<Direction> {
    let mut rows = vec![[0.0; NUMBERS]; CANDIDATES];
    for number in 0..NUMBERS {
        let mut axis = [0; NUMBERS];
        axis[number] = 1;
        let signs = signs(&projection.project(&Embedding::new(axis)));
        for (row, sign) in rows.iter_mut().zip(signs) {
            row[number] = sign;
        }
    }
    rows
}

fn signs(template: &Template) -> Vec<f64> {
    let bits = template.expose().iter();
    bits.flat_map(|byte| {
        (0..8)
            .rev()
            .map(move |bit| f64::from((byte >> bit) & 1) * 2.0 - 1.0)
    })
    .collect()
}

/// Each block's transform: at index j, the sum of the offset's rows under code word j.
fn transform(offset: &[f64], rows: &[Direction]) -> Vec<Direction> {
    let mut all: Vec<Direction> = offset
        .iter()
        .zip(rows)
        .map(|(sign, row)| row.map(|entry| sign * entry))
        .collect();
    for block in all.chunks_exact_mut(BLOCK) {
        for (half, whole) in [(1, 2), (2, 4), (4, 8), (8, 16), (16, 32), (32, 64)] {
            for pair in block.chunks_exact_mut(whole) {
                let (left, right) = pair.split_at_mut(half);
                for (a, b) in left.iter_mut().zip(right) {
                    for (x, y) in a.iter_mut().zip(b) {
                        (*x, *y) = (*x + *y, *x - *y);
                    }
                }
            }
        }
    }
    all
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(x, y)| x * y).sum()
}

fn normalise(v: &mut [f64]) {
    let length = dot(v, v).sqrt().max(f64::MIN_POSITIVE);
    for x in v {
        *x /= length;
    }
}

/// The leading eigenvector of a symmetric map.
fn leading(mut v: Vec<f64>, rounds: usize, map: impl Fn(&[f64]) -> Vec<f64>) -> Vec<f64> {
    for _ in 0..rounds {
        v = map(&v);
        normalise(&mut v);
    }
    v
}

/// In each block the candidate that stands out among all blocks: squared products,
/// their mean taken off, and the leading eigenvector of what is left.
fn pick(candidates: &[Direction]) -> Vec<usize> {
    let mut gram = vec![[0.0_f32; CANDIDATES]; CANDIDATES];
    let mut sum = 0.0;
    for i in 0..CANDIDATES {
        for j in 0..i {
            if i / BLOCK != j / BLOCK {
                let product = dot(&candidates[i], &candidates[j]).powi(2);
                sum += 2.0 * product;
                #[expect(clippy::cast_possible_truncation, reason = "seven digits suffice")]
                let product = product as f32;
                gram[i][j] = product;
                gram[j][i] = product;
            }
        }
    }
    let pairs = u32::try_from(CANDIDATES * (CANDIDATES - BLOCK)).unwrap();
    let mean = sum / f64::from(pairs);
    let weights = leading(vec![1.0; CANDIDATES], 40, |v| {
        let blocks: Vec<f64> = v.chunks_exact(BLOCK).map(|b| b.iter().sum()).collect();
        let total: f64 = blocks.iter().sum();
        gram.iter()
            .enumerate()
            .map(|(i, row)| {
                let product: f64 = row.iter().zip(v).map(|(&g, x)| f64::from(g) * x).sum();
                product - mean * (total - blocks[i / BLOCK])
            })
            .collect()
    });
    weights
        .chunks_exact(BLOCK)
        .map(|block| largest(block.iter().map(|weight| weight.abs())))
        .collect()
}

fn largest(values: impl Iterator<Item = f64>) -> usize {
    let best = values.enumerate().max_by(|a, b| a.1.total_cmp(&b.1));
    best.unwrap().0
}

/// The attack: a template from the offset and the matrix alone, up to its sign.
fn recover(offset: &[f64], rows: &[Direction]) -> Vec<f64> {
    let candidates = transform(offset, rows);
    let blocks: Vec<_> = candidates.chunks_exact(BLOCK).collect();
    let picked: Vec<_> = pick(&candidates)
        .into_iter()
        .zip(&blocks)
        .map(|(index, block)| block[index])
        .collect();
    let start = vec![1.0; NUMBERS];
    let mut x = leading(start, 100, |v| {
        combine(picked.iter().map(|row| (row, dot(row, v))))
    });
    for _ in 0..60 {
        x = combine(blocks.iter().map(|block| {
            let row = &block[largest(block.iter().map(|row| dot(row, &x).abs()))];
            (row, dot(row, &x).signum())
        }));
        normalise(&mut x);
    }
    rows.iter().map(|row| dot(row, &x).signum()).collect()
}

fn combine<'a>(rows: impl Iterator<Item = (&'a Direction, f64)>) -> Vec<f64> {
    let mut sum = vec![0.0; NUMBERS];
    for (row, weight) in rows {
        for (total, entry) in sum.iter_mut().zip(row) {
            *total += weight * entry;
        }
    }
    sum
}

/// Runs the attack on several people's helper strings: how many templates come out
/// within the decoder's reach.
fn recovered(people: usize, known: &Projection) -> usize {
    let rows = rows(known);
    let subjects = synthetic::subjects(1);
    let attacked = subjects.iter().take(people).filter(|subject| {
        let template = &subject.captures[0].template;
        let pp = fuzzy::generate(template, &mut dice(9)).1.to_bytes();
        let offset = signs(&Template::new(pp[32..288].try_into().unwrap()));
        let guess = recover(&offset, &rows);
        let agreement = dot(&guess, &signs(template)) / 2048.0;
        (1.0 - agreement.abs()) / 2.0 < REACH
    });
    attacked.count()
}

#[test]
fn whoever_knows_the_projection_computes_the_template_from_pp_alone() {
    let found = recovered(32, &synthetic::projection());

    assert!(found >= 29, "{found} of 32");
}

#[test]
fn whoever_does_not_know_the_projection_learns_nothing_from_pp() {
    assert_eq!(recovered(32, &Projection::keyed(&[42; 32])), 0);
}
