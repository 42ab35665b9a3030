//! The inner codes RM(1, m): m + 1 bits as one of 2^(m + 1) words of 2^m bits, any two of them at least half of that
//! apart; decoded by what each received bit is worth.

/// The code RM(1, m) for this m.
#[derive(Clone, Copy, Debug)]
pub(super) struct ReedMuller(pub(super) u32);

impl ReedMuller {
    /// Bits of a code word.
    pub(super) const fn length(self) -> usize {
        1 << self.0
    }

    /// Bits of a symbol.
    pub(super) const fn bits(self) -> u32 {
        self.0.saturating_add(1)
    }

    /// The code word of a symbol as signs, −1 for a set bit: bit `i` is the symbol's top bit plus the parity of its
    /// other bits and `i`, as in the product's code.
    pub(super) fn encode(self, symbol: u8) -> impl Iterator<Item = f32> {
        let symbol = usize::from(symbol);
        let (linear, top) = (symbol & self.length().saturating_sub(1), symbol >> self.0);
        (0..self.length()).map(move |i| {
            let parity = (linear & i).count_ones() & 1 == 1;
            if parity == (top == 1) { 1.0 } else { -1.0 }
        })
    }

    /// The symbol whose word correlates best with what was received, the lowest index winning a tie, and by how much it
    /// does so better than the next. Overwrites the values with their Walsh–Hadamard transform.
    pub(super) fn decode(self, values: &mut [f32]) -> (u8, f32) {
        transform(values);
        let (mut best, mut second, mut symbol) = (-1.0, 0.0, 0_usize);
        for (index, &value) in values.iter().enumerate() {
            let size = value.abs();
            if size > best {
                second = f32::max(best, 0.0);
                best = size;
                let top = usize::from(value < 0.0);
                symbol = index | (top << self.0);
            } else if size > second {
                second = size;
            }
        }
        (u8::try_from(symbol).unwrap_or(0), best - second)
    }
}

/// The Walsh–Hadamard transform, in place: the correlation with every linear word at once.
fn transform(values: &mut [f32]) {
    let mut half = 1_usize;
    while half < values.len() {
        let whole = half.saturating_mul(2);
        for block in values.chunks_exact_mut(whole) {
            let (left, right) = block.split_at_mut(half);
            for (a, b) in left.iter_mut().zip(right) {
                (*a, *b) = (*a + *b, *a - *b);
            }
        }
        half = whole;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CODES: [ReedMuller; 3] = [ReedMuller(5), ReedMuller(6), ReedMuller(7)];

    fn symbols(code: ReedMuller) -> impl Iterator<Item = u8> {
        (0..code.length().saturating_mul(2)).map(|symbol| u8::try_from(symbol).unwrap())
    }

    #[test]
    fn every_word_is_decoded_while_fewer_than_a_quarter_of_its_bits_are_wrong() {
        for code in CODES {
            let wrong = code.length() / 4 - 1;
            for symbol in symbols(code) {
                for first in 0..code.length() {
                    let mut word: Vec<_> = code.encode(symbol).collect();
                    // An odd stride meets every place once before it comes back.
                    for step in 0..wrong {
                        word[(first + step * 5) % code.length()] *= -1.0;
                    }

                    let (decoded, margin) = code.decode(&mut word);

                    assert_eq!(decoded, symbol);
                    assert!(margin > 0.0);
                }
            }
        }
    }

    #[test]
    fn a_bit_that_is_worth_little_misleads_little() {
        let code = ReedMuller(5);
        let mut word: Vec<_> = code.encode(41).collect();
        // Seven wrong bits are certain to be corrected where all are worth the same; here thirteen are, at a tenth
        // each.
        for value in word.iter_mut().take(13) {
            *value *= -0.1;
        }

        assert_eq!(code.decode(&mut word).0, 41);
    }

    #[test]
    fn erased_bits_count_for_nothing_and_a_word_of_them_alone_has_no_margin() {
        let code = ReedMuller(7);
        let mut word: Vec<_> = code.encode(200).collect();
        for value in word.iter_mut().take(63) {
            *value = 0.0;
        }

        let (decoded, margin) = code.decode(&mut word);
        let (nothing, none) = code.decode(&mut [0.0; 128]);

        assert_eq!(decoded, 200);
        assert!(
            (margin - 2.0).abs() < f32::EPSILON,
            "65 against 63: {margin}"
        );
        assert_eq!(nothing, 0);
        assert!(none.abs() < f32::EPSILON);
    }
}
