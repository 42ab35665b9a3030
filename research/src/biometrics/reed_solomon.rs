//! Reed–Solomon codes over GF(2^m), narrow sense, systematic, message first, shortened where they are shorter than the
//! field: `e` wrong and `r` erased symbols of n are corrected while 2e + r ≤ n − k.
//!
//! The decoder is Sugiyama's (Information and Control 27, 1975): Euclid's algorithm finds the locator of the errors.
//! That of the product, in `protocol`, is Berlekamp's and Massey's and knows one code; the two check each other.

use super::galois::Field;

/// A code RS(n, k).
#[derive(Clone, Debug)]
pub(super) struct Code {
    field: Field,
    /// The monic polynomial with the roots α^1 … α^(n − k), lowest coefficient first.
    generator: Vec<u8>,
    length: usize,
    message: usize,
}

impl Code {
    /// The code RS(`length`, `message`) of symbols with so many bits; `None` if there is none.
    pub(super) fn new(bits: u32, length: usize, message: usize) -> Option<Self> {
        let field = Field::of(bits)?;
        let parity = length.checked_sub(message)?;
        if message == 0 || length > field.order() {
            return None;
        }
        let roots = (1..=parity).map(|exponent| field.alpha(exponent));
        let generator = roots.fold(vec![1], |product, root| field.product(&product, &[root, 1]));
        Some(Self {
            field,
            generator,
            length,
            message,
        })
    }

    /// Symbols of a code word.
    pub(super) const fn length(&self) -> usize {
        self.length
    }

    /// Symbols of a message.
    pub(super) const fn message(&self) -> usize {
        self.message
    }

    /// Symbols that are added to a message.
    pub(super) const fn parity(&self) -> usize {
        self.length.saturating_sub(self.message)
    }

    /// The message followed by its parity symbols: the remainder of message · x^(n − k) by the generator.
    pub(super) fn encode(&self, message: &[u8]) -> Vec<u8> {
        let mut remainder = vec![0; self.parity()];
        for &symbol in message {
            let feedback = symbol ^ remainder.first().copied().unwrap_or(0);
            remainder.rotate_left(1);
            if let Some(last) = remainder.last_mut() {
                *last = 0;
            }
            let below_the_highest = self.generator.iter().rev().skip(1);
            for (place, &coefficient) in remainder.iter_mut().zip(below_the_highest) {
                *place ^= self.field.times(feedback, coefficient);
            }
        }
        message.iter().copied().chain(remainder).collect()
    }

    /// The only code word within reach of `word`, of which the `erased` positions count for nothing; `None` if there is
    /// none.
    pub(super) fn correct(&self, word: &[u8], erased: &[usize]) -> Option<Vec<u8>> {
        let syndromes = self.syndromes(word);
        let erasures = erased.iter().fold(vec![1], |locator, &position| {
            self.field.product(&locator, &[1, self.locator(position)])
        });
        let (locator, evaluator) = self.key_equation(&syndromes, &erasures)?;
        let slope = derivative(&locator);
        let mut corrected = word.to_vec();
        let mut found = 0_usize;
        for (position, symbol) in corrected.iter_mut().enumerate() {
            let inverse = self.field.over(1, self.locator(position));
            if self.field.value(&locator, inverse) == 0 {
                // Forney's formula; a narrow sense code needs no power of the locator.
                let size = self.field.value(&evaluator, inverse);
                *symbol ^= self.field.over(size, self.field.value(&slope, inverse));
                found = found.saturating_add(1);
            }
        }
        // Fewer roots than the degree: errors in the positions that shortening cut off.
        let complete = degree(&locator) == Some(found);
        let is_word = || self.syndromes(&corrected).iter().all(|&value| value == 0);
        (complete && is_word()).then_some(corrected)
    }

    /// The locator X = α^(n − 1 − position) of a position.
    fn locator(&self, position: usize) -> u8 {
        let power = self.length.saturating_sub(1).saturating_sub(position);
        self.field.alpha(power)
    }

    /// The word's values at the generator's roots: all zero exactly for code words.
    fn syndromes(&self, word: &[u8]) -> Vec<u8> {
        let roots = (1..=self.parity()).map(|exponent| self.field.alpha(exponent));
        roots
            .map(|root| {
                let symbols = word.iter();
                symbols.fold(0, |value, &symbol| self.field.times(value, root) ^ symbol)
            })
            .collect()
    }

    /// Locator and evaluator of all errata: Euclid's algorithm on x^(n − k) and syndromes · erasures, until the
    /// remainder is as short as an evaluator must be; `None` where that explains more errors than can be corrected.
    fn key_equation(&self, syndromes: &[u8], erasures: &[u8]) -> Option<(Vec<u8>, Vec<u8>)> {
        let parity = self.parity();
        let erased = degree(erasures)?;
        let errors_max = parity.checked_sub(erased)? / 2;
        let mut modified = self.field.product(syndromes, erasures);
        modified.truncate(parity);
        let mut before = vec![0; parity];
        before.push(1);
        let mut rest = modified;
        let (mut locator_before, mut locator) = (vec![0], vec![1]);
        while degree(&rest).is_some_and(|degree| degree >= errors_max.saturating_add(erased)) {
            let (quotient, remainder) = self.divide(before, &rest)?;
            let step = self.field.product(&quotient, &locator);
            let next = sum(&locator_before, &step);
            (before, rest) = (rest, remainder);
            (locator_before, locator) = (locator, next);
        }
        let is_explained = degree(&locator)? <= errors_max;
        is_explained.then(|| (self.field.product(&locator, erasures), rest))
    }

    /// Quotient and remainder of two polynomials.
    fn divide(&self, mut dividend: Vec<u8>, divisor: &[u8]) -> Option<(Vec<u8>, Vec<u8>)> {
        let low = degree(divisor)?;
        let leading = divisor.get(low).copied()?;
        let mut quotient = vec![0; dividend.len()];
        while let Some(high) = degree(&dividend).filter(|&high| high >= low) {
            let shift = high.checked_sub(low)?;
            let factor = self.field.over(dividend.get(high).copied()?, leading);
            *quotient.get_mut(shift)? = factor;
            for (place, &coefficient) in dividend.iter_mut().skip(shift).zip(divisor) {
                *place ^= self.field.times(factor, coefficient);
            }
        }
        Some((quotient, dividend))
    }
}

/// The highest power with a coefficient; `None` for zero.
fn degree(polynomial: &[u8]) -> Option<usize> {
    polynomial.iter().rposition(|&coefficient| coefficient != 0)
}

fn sum(one: &[u8], other: &[u8]) -> Vec<u8> {
    let length = one.len().max(other.len());
    let padded = |polynomial: &[u8]| {
        let zeros = std::iter::repeat(0);
        polynomial
            .iter()
            .copied()
            .chain(zeros)
            .take(length)
            .collect::<Vec<_>>()
    };
    let pairs = padded(one).into_iter().zip(padded(other));
    pairs.map(|(a, b)| a ^ b).collect()
}

/// The formal derivative: in characteristic two only the odd powers are left.
fn derivative(polynomial: &[u8]) -> Vec<u8> {
    let shifted = polynomial.iter().skip(1).enumerate();
    shifted
        .map(|(power, &coefficient)| if power & 1 == 0 { coefficient } else { 0 })
        .collect()
}

#[cfg(test)]
mod tests;
