//! GF(2^6), GF(2^7) and GF(2^8), by tables: nothing here is secret. The product's field, which must not look anything
//! up, is in `protocol`.

/// A field with 2^m elements, each the low m bits of a byte.
#[derive(Clone, Debug)]
pub(super) struct Field {
    /// The powers of α, from the zeroth on, twice around.
    powers: Vec<u8>,
    /// The logarithm of each element; that of zero means nothing.
    logarithms: Vec<usize>,
    /// Elements but zero: 2^m − 1.
    order: usize,
}

impl Field {
    /// The field of m-bit symbols: x^6 + x + 1, x^7 + x^3 + 1 and x^8 + x^4 + x^3 + x^2 + 1, α = x; `None` for
    /// another m.
    pub(super) fn of(bits: u32) -> Option<Self> {
        let modulus = match bits {
            6 => 0x43,
            7 => 0x89,
            8 => 0x11D_u16,
            _ => return None,
        };
        let size = 1_u16 << bits;
        let order = usize::from(size).saturating_sub(1);
        let mut powers = Vec::with_capacity(order.saturating_mul(2));
        let mut logarithms = vec![0; usize::from(size)];
        let mut power = 1_u16;
        for exponent in 0..order {
            powers.push(u8::try_from(power).ok()?);
            *logarithms.get_mut(usize::from(power))? = exponent;
            power <<= 1;
            if power >= size {
                power ^= modulus;
            }
        }
        powers.extend_from_within(..);
        Some(Self {
            powers,
            logarithms,
            order,
        })
    }

    /// Elements but zero.
    pub(super) const fn order(&self) -> usize {
        self.order
    }

    /// α to a power.
    pub(super) fn alpha(&self, exponent: usize) -> u8 {
        let exponent = exponent.checked_rem(self.order).unwrap_or(0);
        self.powers.get(exponent).copied().unwrap_or(0)
    }

    fn logarithm(&self, element: u8) -> usize {
        let known = self.logarithms.get(usize::from(element));
        known.copied().unwrap_or(0)
    }

    /// The product.
    pub(super) fn times(&self, one: u8, other: u8) -> u8 {
        if one == 0 || other == 0 {
            return 0;
        }
        let sum = self.logarithm(one).saturating_add(self.logarithm(other));
        self.powers.get(sum).copied().unwrap_or(0)
    }

    /// The quotient; zero for a division by zero.
    pub(super) fn over(&self, one: u8, other: u8) -> u8 {
        if one == 0 || other == 0 {
            return 0;
        }
        let difference = self.logarithm(one).saturating_add(self.order);
        let difference = difference.saturating_sub(self.logarithm(other));
        self.powers.get(difference).copied().unwrap_or(0)
    }

    /// The value of a polynomial, lowest coefficient first, by Horner's rule.
    pub(super) fn value(&self, polynomial: &[u8], point: u8) -> u8 {
        let from_highest = polynomial.iter().rev();
        from_highest.fold(0, |value, &coefficient| {
            self.times(value, point) ^ coefficient
        })
    }

    /// The product of two polynomials.
    pub(super) fn product(&self, one: &[u8], other: &[u8]) -> Vec<u8> {
        let length = one.len().saturating_add(other.len()).saturating_sub(1);
        let mut product = vec![0; length];
        for (shift, &factor) in one.iter().enumerate() {
            let places = product.iter_mut().skip(shift);
            for (place, &coefficient) in places.zip(other) {
                *place ^= self.times(factor, coefficient);
            }
        }
        product
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn alpha_runs_through_every_element_but_zero_in_each_field() {
        for bits in [6, 7, 8] {
            let field = Field::of(bits).unwrap();

            let seen: std::collections::BTreeSet<_> = (0..field.order())
                .map(|exponent| field.alpha(exponent))
                .collect();

            assert_eq!(seen.len(), (1 << bits) - 1);
            assert!(!seen.contains(&0));
            assert_eq!(field.alpha(field.order()), 1);
        }
    }

    #[test]
    fn products_are_those_of_shift_and_add_and_quotients_undo_them() {
        for (bits, modulus) in [(6, 0x43), (7, 0x89), (8, 0x11D_u16)] {
            let field = Field::of(bits).unwrap();
            for one in 0..1_u16 << bits {
                for other in 0..1_u16 << bits {
                    let mut product = 0;
                    for bit in (0..bits).rev() {
                        product <<= 1;
                        if product >> bits == 1 {
                            product ^= modulus;
                        }
                        product ^= one * ((other >> bit) & 1);
                    }
                    let [one, other, product] =
                        [one, other, product].map(|x| u8::try_from(x).unwrap());

                    assert_eq!(field.times(one, other), product);
                    if other != 0 {
                        assert_eq!(field.over(product, other), one);
                    }
                }
            }
        }
    }

    #[test]
    fn there_is_no_field_of_other_symbols_here() {
        assert!(Field::of(5).is_none() && Field::of(9).is_none());
    }
}
