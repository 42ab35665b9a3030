//! From an embedding to a template: 2048 random projections, of which only the
//! signs are kept.

use core::fmt;

use chacha20::ChaCha20Rng;
use rand_core::{Rng, SeedableRng};
use zeroize::{Zeroize, Zeroizing};

use crate::biometric::{EMBEDDING_NUMBERS, Embedding, TEMPLATE_BYTES, Template};

/// The bits of a byte, highest first.
const BIT_MASKS: [i16; 8] = [0x80, 0x40, 0x20, 0x10, 0x08, 0x04, 0x02, 0x01];

/// A 128 × 2048 matrix of signs. Whoever knows it can undo a fuzzy extractor's
/// auxiliary string; a suite that means it keeps the key of its matrix secret.
pub struct Projection(Zeroizing<Vec<[u8; TEMPLATE_BYTES]>>);

impl Projection {
    /// The matrix whose rows are the `ChaCha20` key stream of `key`, nonce and counter
    /// zero: row after row, highest bit first, a set bit for +1.
    pub fn keyed(key: &[u8; 32]) -> Self {
        let mut stream = ChaCha20Rng::from_seed(*key);
        let mut rows = Zeroizing::new(vec![[0; TEMPLATE_BYTES]; EMBEDDING_NUMBERS]);
        for row in rows.iter_mut() {
            stream.fill_bytes(row);
        }
        Self(rows)
    }

    /// The signs of the embedding's 2048 products with the matrix' columns.
    #[expect(
        clippy::arithmetic_side_effects,
        reason = "sums of 128 numbers of at most 2^7 come to 2^14 at most"
    )]
    pub fn project(&self, embedding: &Embedding) -> Template {
        // Eight sums of 16 bits fill a vector register, and a mask for each needs no shift.
        let mut sums = Zeroizing::new([0_i16; TEMPLATE_BYTES * 8]);
        for (row, &number) in self.0.iter().zip(embedding.expose()) {
            for (eight, &signs) in sums.chunks_exact_mut(8).zip(row) {
                for (sum, mask) in eight.iter_mut().zip(BIT_MASKS) {
                    let minus = i16::from(signs) & mask == 0;
                    let number = i16::from(number);
                    *sum += if minus { -number } else { number };
                }
            }
        }
        let mut bytes = [0; TEMPLATE_BYTES];
        for (byte, eight) in bytes.iter_mut().zip(sums.chunks_exact(8)) {
            *byte = eight
                .iter()
                .fold(0, |byte, &sum| (byte << 1) | u8::from(sum > 0));
        }
        let template = Template::new(bytes);
        bytes.zeroize();
        template
    }
}

impl fmt::Debug for Projection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Projection(redacted)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_matrix_is_the_key_stream_of_chacha20() {
        // RFC 8439, appendix A.1, test vector 1: key, nonce and counter all zero.
        let first_row = Projection::keyed(&[0; 32]).0[0];

        assert_eq!(
            first_row[..8],
            [0x76, 0xb8, 0xe0, 0xad, 0xa0, 0xf1, 0x3d, 0x90]
        );
    }

    #[test]
    fn an_embedding_along_one_axis_shows_the_matrix_row() {
        let projection = Projection::keyed(&[7; 32]);
        let mut numbers = [0; EMBEDDING_NUMBERS];
        numbers[5] = 100;
        let along = projection.project(&Embedding::new(numbers));
        numbers[5] = -100;
        let against = projection.project(&Embedding::new(numbers));

        assert_eq!(*along.expose(), projection.0[5]);
        assert_eq!(along.distance(&against), 2048);
    }

    #[test]
    fn an_embedding_of_nothing_but_zeros_gives_no_bit() {
        let nobody = Embedding::new([0; EMBEDDING_NUMBERS]);

        let template = Projection::keyed(&[7; 32]).project(&nobody);

        assert_eq!(template, Template::new([0; TEMPLATE_BYTES]));
    }
}
