//! The outer code RS(32, 26) over GF(2^7): narrow sense, systematic, message
//! first, shortened from (127, 121). It corrects `e` wrong and `r` erased symbols
//! while `2e + r ≤ 6`.

use zeroize::{Zeroize, Zeroizing};

use super::gf128::Symbol;

/// Symbols of a message.
pub(super) const MESSAGE: usize = 26;
/// Symbols of a code word.
pub(super) const LENGTH: usize = 32;
/// Symbols added to a message.
const PARITY: usize = 6;

/// A code word, or what became of one. The first symbol belongs to x^31.
pub(super) type Word = [Symbol; LENGTH];

/// A polynomial of degree at most six, lowest coefficient first: as long as a
/// locator of six errata can get.
#[derive(Clone, PartialEq, Eq, Debug, Zeroize)]
struct Polynomial([Symbol; PARITY + 1]);

impl Polynomial {
    /// The constant one.
    const fn one() -> Self {
        let mut one = [Symbol::ZERO; PARITY + 1];
        one[0] = Symbol::ONE;
        Self(one)
    }

    /// The coefficient of x^`power`.
    fn coefficient(&self, power: usize) -> Symbol {
        self.0.get(power).copied().unwrap_or(Symbol::ZERO)
    }

    /// The value at a point.
    fn at(&self, point: Symbol) -> Symbol {
        evaluate(self.0.iter().rev(), point)
    }

    /// `x` times the polynomial.
    const fn shifted(mut self) -> Self {
        self.0.rotate_right(1);
        self.0[0] = Symbol::ZERO;
        self
    }

    /// The sum with `factor` times `other`.
    fn plus(mut self, factor: Symbol, other: &Self) -> Self {
        for (mine, theirs) in self.0.iter_mut().zip(&other.0) {
            *mine = mine.plus(factor.times(*theirs));
        }
        self
    }

    /// The product with `1 + root·x`.
    fn times_linear(self, root: Symbol) -> Self {
        let shifted = self.clone().shifted();
        self.plus(root, &shifted)
    }

    /// The highest power with a coefficient; zero for the zero polynomial.
    fn degree(&self) -> usize {
        self.0
            .iter()
            .rposition(|&coefficient| coefficient != Symbol::ZERO)
            .unwrap_or(0)
    }

    /// The value of the formal derivative at a point: in characteristic two only
    /// the odd powers are left.
    fn derivative_at(&self, point: Symbol) -> Symbol {
        let mut odd = Self([Symbol::ZERO; PARITY + 1]);
        for (power, (slot, &coefficient)) in odd.0.iter_mut().zip(self.0.iter().skip(1)).enumerate()
        {
            if power & 1 == 0 {
                *slot = coefficient;
            }
        }
        odd.at(point)
    }
}

/// Horner's rule, highest coefficient first.
fn evaluate<'a>(coefficients: impl Iterator<Item = &'a Symbol>, point: Symbol) -> Symbol {
    coefficients.fold(Symbol::ZERO, |value, &coefficient| {
        value.times(point).plus(coefficient)
    })
}

/// The message followed by its six parity symbols.
pub(super) fn encode(message: &[Symbol; MESSAGE]) -> Word {
    let generator = (1..=6).fold(Polynomial::one(), |product, power| {
        product
            .clone()
            .shifted()
            .plus(Symbol::ALPHA.pow(power), &product)
    });
    let mut remainder = [Symbol::ZERO; PARITY];
    for &symbol in message {
        let feedback = symbol.plus(remainder[0]);
        remainder.rotate_left(1);
        remainder[PARITY - 1] = Symbol::ZERO;
        for (slot, &coefficient) in remainder.iter_mut().zip(generator.0.iter().rev().skip(1)) {
            *slot = slot.plus(feedback.times(coefficient));
        }
    }
    let mut word = [Symbol::ZERO; LENGTH];
    for (slot, &symbol) in word.iter_mut().zip(message.iter().chain(&remainder)) {
        *slot = symbol;
    }
    remainder.zeroize();
    word
}

/// The message of a code word.
pub(super) fn message(word: &Word) -> [Symbol; MESSAGE] {
    let mut message = [Symbol::ZERO; MESSAGE];
    for (slot, &symbol) in message.iter_mut().zip(word) {
        *slot = symbol;
    }
    message
}

/// The only code word within reach of `word`, given the positions known to be
/// worthless; `None` if there is none.
pub(super) fn correct(word: &Word, erased: &[usize]) -> Option<Zeroizing<Word>> {
    let syndromes = syndromes(word);
    let erasures = erased.iter().fold(Polynomial::one(), |locator, &position| {
        locator.times_linear(locator_of(position))
    });
    let errata = Zeroizing::new(errata_locator(&*syndromes, erasures, erased.len())?);
    let mut corrected = Zeroizing::new(*word);
    let mut found = 0_usize;
    let evaluator = Zeroizing::new(evaluator(&*syndromes, &errata));
    for (position, symbol) in corrected.iter_mut().enumerate() {
        let inverse = locator_of(position).inverse();
        if errata.at(inverse) == Symbol::ZERO {
            // Forney's formula; the narrow sense code needs no power of the locator.
            let slope = errata.derivative_at(inverse);
            *symbol = symbol.plus(evaluator.at(inverse).times(slope.inverse()));
            found = found.saturating_add(1);
        }
    }
    // Fewer roots than the degree: errata in the 95 positions that shortening cut off.
    let complete = found == errata.degree();
    (complete && *self::syndromes(&corrected) == [Symbol::ZERO; PARITY]).then_some(corrected)
}

/// The locator X = α^(31 − position) of a position.
fn locator_of(position: usize) -> Symbol {
    let power = LENGTH.saturating_sub(1).saturating_sub(position);
    Symbol::ALPHA.pow(u32::try_from(power).unwrap_or(0))
}

/// The word's values at α^1 to α^6: all zero exactly for code words.
fn syndromes(word: &Word) -> Zeroizing<[Symbol; PARITY]> {
    let mut values = Zeroizing::new([Symbol::ZERO; PARITY]);
    for (value, power) in values.iter_mut().zip(1..) {
        *value = evaluate(word.iter(), Symbol::ALPHA.pow(power));
    }
    values
}

/// Berlekamp–Massey, started from the erasures: the shortest locator that
/// explains the syndromes, if it is short enough to be the only one.
fn errata_locator(syndromes: &[Symbol], erasures: Polynomial, erased: usize) -> Option<Polynomial> {
    let mut locator = erasures.clone();
    let mut previous = erasures;
    let mut length = erased;
    for step in erased..PARITY {
        let discrepancy = syndromes
            .iter()
            .take(step.saturating_add(1))
            .rev()
            .enumerate()
            .fold(Symbol::ZERO, |sum, (power, &syndrome)| {
                sum.plus(locator.coefficient(power).times(syndrome))
            });
        previous = previous.shifted();
        if discrepancy == Symbol::ZERO {
            continue;
        }
        let next = locator.clone().plus(discrepancy, &previous);
        if length.saturating_mul(2) <= step.saturating_add(erased) {
            length = step
                .saturating_add(erased)
                .saturating_add(1)
                .saturating_sub(length);
            previous = Polynomial([Symbol::ZERO; PARITY + 1]).plus(discrepancy.inverse(), &locator);
        }
        locator = next;
    }
    // 2e + r ≤ 6 with e = length − r.
    let reachable = length.saturating_mul(2) <= PARITY.saturating_add(erased);
    (reachable && locator.degree() == length).then_some(locator)
}

/// The errata evaluator: syndromes times locator, modulo x^6.
fn evaluator(syndromes: &[Symbol], errata: &Polynomial) -> Polynomial {
    let mut product = [Symbol::ZERO; PARITY + 1];
    for (power, slot) in product.iter_mut().take(PARITY).enumerate() {
        for (low, &syndrome) in syndromes.iter().enumerate().take(power.saturating_add(1)) {
            let factor = errata.coefficient(power.saturating_sub(low));
            *slot = slot.plus(syndrome.times(factor));
        }
    }
    Polynomial(product)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn word_of(bytes: [u8; MESSAGE]) -> Word {
        encode(&bytes.map(Symbol::from_low_bits))
    }

    fn spoil(word: &mut Word, damage: &[(usize, u8)]) {
        for &(position, error) in damage {
            word[position] = word[position].plus(Symbol::from_low_bits(error));
        }
    }

    /// Distinct positions, each with a non-zero error.
    fn damage(
        count: impl Into<proptest::sample::SizeRange>,
    ) -> impl Strategy<Value = Vec<(usize, u8)>> {
        proptest::collection::btree_map(0..LENGTH, 1_u8..128, count)
            .prop_map(|damage| damage.into_iter().collect::<Vec<_>>())
            .prop_shuffle()
    }

    /// Damage that the code can undo, and how much of it is announced as erased.
    fn within_reach() -> impl Strategy<Value = (usize, Vec<(usize, u8)>)> {
        (0_usize..=3)
            .prop_flat_map(|wrong| {
                (
                    Just(wrong),
                    0..=6_usize.saturating_sub(wrong.saturating_mul(2)),
                )
            })
            .prop_flat_map(|(wrong, erased)| (Just(erased), damage(wrong.saturating_add(erased))))
    }

    proptest! {
        #[test]
        fn any_mixture_within_reach_is_corrected(
            message: [u8; MESSAGE],
            (erased, damage) in within_reach(),
        ) {
            let sent = word_of(message);
            let mut received = sent;
            spoil(&mut received, &damage);
            let positions: Vec<_> = damage.iter().map(|&(at, _)| at).take(erased).collect();

            let corrected = correct(&received, &positions);
            prop_assert_eq!(corrected.as_deref(), Some(&sent));
        }

        #[test]
        fn beyond_its_reach_it_never_returns_what_is_no_code_word(
            message: [u8; MESSAGE],
            damage in damage(4..=32),
        ) {
            let sent = word_of(message);
            let mut received = sent;
            spoil(&mut received, &damage);

            if let Some(word) = correct(&received, &[]) {
                prop_assert_ne!(*word, sent);
                prop_assert_eq!(*syndromes(&word), [Symbol::ZERO; PARITY]);
                let changed = word.iter().zip(&received).filter(|(a, b)| a != b).count();
                prop_assert!(changed <= 3);
            }
        }

        #[test]
        fn six_erasures_are_the_most(message: [u8; MESSAGE], damage in damage(7..=7)) {
            let sent = word_of(message);
            let mut received = sent;
            spoil(&mut received, &damage);
            let positions: Vec<_> = damage.iter().map(|&(at, _)| at).collect();

            let with_six = correct(&received, &positions[..6]);
            prop_assert_ne!(with_six.as_deref(), Some(&sent));
            let with_seven = correct(&received, &positions);
            prop_assert_eq!(with_seven.as_deref(), None);
        }
    }

    #[test]
    fn the_message_comes_first() {
        let bytes: [u8; MESSAGE] = core::array::from_fn(|i| u8::try_from(i).unwrap() + 1);

        let word = word_of(bytes);

        assert_eq!(message(&word).map(Symbol::bits), bytes);
    }
}
