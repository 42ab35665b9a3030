//! The inner code RM(1,6): seven bits as one of 128 words of 64 bits, any two of
//! them at least 32 bits apart.

use zeroize::Zeroize;

use super::gf128::Symbol;

/// Bits of a code word.
const LENGTH: usize = 64;

/// The code word of a symbol: bit `i`, counted from the highest, is the symbol's
/// top bit plus the parity of its other bits and `i`.
pub(super) fn encode(symbol: Symbol) -> u64 {
    let s = u64::from(symbol.bits());
    let complement = 0_u64.wrapping_sub(s >> 6);
    let mut word = 0;
    for i in 0..64 {
        let parity = u64::from((s & 0x3F & i).count_ones() & 1);
        word = (word << 1) | parity;
    }
    word ^ complement
}

/// The symbol whose code word is nearest, the lowest spectral index winning a
/// tie: `numpy.argmax` breaks ties so, and with it the known answers.
pub(super) fn decode(word: u64) -> Symbol {
    let mut spectrum = spectrum(word);
    let mut best = 0;
    let mut symbol = 0;
    for (index, value) in (0_u8..).zip(spectrum) {
        if value.unsigned_abs() > best {
            best = value.unsigned_abs();
            symbol = index | (u8::from(value < 0) << 6);
        }
    }
    spectrum.zeroize();
    Symbol::from_low_bits(symbol)
}

/// The Walsh–Hadamard transform of a word read as ±1: the correlation with every
/// linear word at once, in 64 · 6 additions.
#[expect(
    clippy::arithmetic_side_effects,
    reason = "each of the six rounds at most doubles values that start at one"
)]
fn spectrum(word: u64) -> [i32; LENGTH] {
    let mut values = [0; LENGTH];
    let mut rest = word;
    for value in &mut values {
        *value = if rest >> 63 == 1 { -1 } else { 1 };
        rest <<= 1;
    }
    for half in [1, 2, 4, 8, 16, 32] {
        for block in values.chunks_exact_mut(2 * half) {
            let (left, right) = block.split_at_mut(half);
            for (a, b) in left.iter_mut().zip(right) {
                (*a, *b) = (*a + *b, *a - *b);
            }
        }
    }
    values
}

#[cfg(test)]
mod tests {
    use super::*;

    fn symbols() -> impl Iterator<Item = Symbol> {
        (0..128).map(Symbol::from_low_bits)
    }

    #[test]
    fn any_two_code_words_are_32_bits_apart_or_complements() {
        for a in symbols() {
            for b in symbols().filter(|&b| b != a) {
                let distance = (encode(a) ^ encode(b)).count_ones();
                assert!([32, 64].contains(&distance), "{a:?} {b:?}: {distance}");
            }
        }
    }

    #[test]
    fn fifteen_wrong_bits_anywhere_are_corrected() {
        let errors = 0x8421_0842_1084_2115_u64;
        assert_eq!(errors.count_ones(), 15);

        for symbol in symbols() {
            for turn in 0..64 {
                let word = encode(symbol) ^ errors.rotate_left(turn);
                assert_eq!(decode(word), symbol, "turned by {turn}");
            }
        }
    }

    #[test]
    fn the_lowest_index_wins_a_tie() {
        let low = Symbol::from_low_bits(0b000_0011);
        let high = Symbol::from_low_bits(0b010_0110);
        let apart = encode(low) ^ encode(high);
        let mut between = encode(high);
        for bit in (0..64).filter(|bit| (apart >> bit) & 1 == 1).take(16) {
            between ^= 1 << bit;
        }
        assert_eq!((between ^ encode(low)).count_ones(), 16);
        assert_eq!((between ^ encode(high)).count_ones(), 16);

        let values = spectrum(between);
        let best = values.iter().map(|value| value.abs()).max().unwrap();
        let first = values.iter().position(|value| value.abs() == best).unwrap();

        assert_eq!(usize::from(decode(between).bits() & 0x3F), first);
        assert!(first <= 3);
    }
}
