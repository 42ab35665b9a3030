//! GF(2^7) with x^7 + x^3 + 1, the field of the outer code's symbols.
//!
//! Products are computed, not looked up: symbols are secret, and a table's
//! cache lines would tell which.

use zeroize::Zeroize;

/// An element of the field: seven bits.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Zeroize)]
pub(super) struct Symbol(u8);

impl Symbol {
    /// The neutral element of addition.
    pub(super) const ZERO: Self = Self(0);
    /// The neutral element of multiplication.
    pub(super) const ONE: Self = Self(1);
    /// The primitive element α = x.
    pub(super) const ALPHA: Self = Self(2);

    /// The low seven bits of a byte.
    pub(super) const fn from_low_bits(byte: u8) -> Self {
        Self(byte & 0x7F)
    }

    /// The seven bits, in the low bits of a byte.
    pub(super) const fn bits(self) -> u8 {
        self.0
    }

    /// The sum, which is the difference too: exclusive or.
    pub(super) const fn plus(self, other: Self) -> Self {
        Self(self.0 ^ other.0)
    }

    /// The product: seven rounds of shift and add, whatever the operands are.
    pub(super) fn times(self, other: Self) -> Self {
        let mut product = 0;
        let mut multiple = self.0;
        for bit in 0..7 {
            let selected = 0_u8.wrapping_sub((other.0 >> bit) & 1);
            product ^= multiple & selected;
            let carry = 0_u8.wrapping_sub(multiple >> 6);
            multiple = ((multiple << 1) & 0x7F) ^ (carry & 0b000_1001);
        }
        Self(product)
    }

    /// `self` to the given power.
    pub(super) fn pow(self, exponent: u32) -> Self {
        (0..u32::BITS).rev().fold(Self::ONE, |power, bit| {
            let square = power.times(power);
            if (exponent >> bit) & 1 == 1 {
                square.times(self)
            } else {
                square
            }
        })
    }

    /// The multiplicative inverse; zero for zero.
    pub(super) fn inverse(self) -> Self {
        self.pow(126)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn alpha_runs_through_all_127_nonzero_symbols() {
        let mut seen = std::collections::BTreeSet::new();
        let mut power = Symbol::ONE;
        for _ in 0..127 {
            seen.insert(power.bits());
            power = power.times(Symbol::ALPHA);
        }

        assert_eq!(power, Symbol::ONE);
        assert_eq!(seen.len(), 127);
    }

    #[test]
    fn the_modulus_is_x7_plus_x3_plus_1() {
        assert_eq!(Symbol::ALPHA.pow(7), Symbol::from_low_bits(0b000_1001));
    }

    #[test]
    fn every_symbol_but_zero_has_an_inverse() {
        for bits in 1..128 {
            let symbol = Symbol::from_low_bits(bits);
            assert_eq!(symbol.times(symbol.inverse()), Symbol::ONE, "symbol {bits}");
        }
        assert_eq!(Symbol::ZERO.inverse(), Symbol::ZERO);
    }
}
