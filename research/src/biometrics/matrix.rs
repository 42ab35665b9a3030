//! Projections as matrices of numbers: those that a set ships, and those of keys.

use protocol::projection::Projection;
use protocol::{Embedding, Template};

/// Numbers of an embedding.
pub(super) const NUMBERS: usize = 128;
/// Bits of a template.
pub(super) const BITS: usize = 2048;

/// From an embedding to the 2048 numbers whose signs are its template.
#[derive(Clone, Debug)]
pub struct Matrix {
    /// One row of 2048 for each number of an embedding.
    rows: Vec<Vec<f32>>,
}

impl Matrix {
    /// The matrix of `face_projection_f32le.bin`: a mean of 128 numbers, which embeddings are already free of, then the
    /// rows; `None` if it has another length or holds what is no number.
    pub fn parse(bytes: &[u8]) -> Option<Self> {
        let (numbers, rest) = bytes.as_chunks::<4>();
        let numbers: Vec<_> = numbers
            .iter()
            .map(|bytes| f32::from_le_bytes(*bytes))
            .collect();
        let (_, entries) = numbers.split_at_checked(NUMBERS)?;
        let is_whole = rest.is_empty() && entries.len() == NUMBERS.checked_mul(BITS)?;
        let is_finite = entries.iter().all(|entry| entry.is_finite());
        (is_whole && is_finite).then(|| Self {
            rows: entries.chunks_exact(BITS).map(<[f32]>::to_vec).collect(),
        })
    }

    /// The file of a matrix without a mean.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mean = [0.0; NUMBERS];
        let numbers = mean.iter().chain(self.rows.iter().flatten());
        numbers.flat_map(|number| number.to_le_bytes()).collect()
    }

    /// The matrix of signs that a projection is: what it makes of each axis.
    pub fn of(projection: &Projection) -> Self {
        let axes = (0..NUMBERS).map(|number| {
            let mut axis = [0; NUMBERS];
            if let Some(place) = axis.get_mut(number) {
                *place = 1;
            }
            let signs = signs(&projection.project(&Embedding::new(axis)));
            // A template's set bit is a positive product.
            signs.into_iter().map(|sign| -sign).collect()
        });
        Self {
            rows: axes.collect(),
        }
    }

    /// The products of an embedding with the columns.
    pub(super) fn products(&self, embedding: &Embedding) -> Vec<f32> {
        let mut products = vec![0.0; BITS];
        for (row, &number) in self.rows.iter().zip(embedding.expose()) {
            let number = f32::from(number);
            for (product, entry) in products.iter_mut().zip(row) {
                *product += number * entry;
            }
        }
        products
    }

    /// The columns: for each bit of a template the direction that it tells of.
    pub(super) fn columns(&self) -> Vec<[f32; NUMBERS]> {
        let mut columns = vec![[0.0; NUMBERS]; BITS];
        for (number, row) in self.rows.iter().enumerate() {
            for (column, &entry) in columns.iter_mut().zip(row) {
                if let Some(place) = column.get_mut(number) {
                    *place = entry;
                }
            }
        }
        columns
    }
}

/// The bits of a template as signs, −1 for a set one.
pub(super) fn signs(template: &Template) -> Vec<f32> {
    let bytes = template.expose().iter();
    bytes
        .flat_map(|byte| (0..8).rev().map(move |bit| (byte >> bit) & 1 == 1))
        .map(|is_set| if is_set { -1.0 } else { 1.0 })
        .collect()
}

/// The template of these signs: a set bit for a negative one.
pub(super) fn template(signs: &[f32]) -> Template {
    let mut bytes = [0; BITS / 8];
    for (byte, eight) in bytes.iter_mut().zip(signs.chunks_exact(8)) {
        *byte = eight
            .iter()
            .fold(0, |byte, &sign| (byte << 1) | u8::from(sign < 0.0));
    }
    Template::new(bytes)
}

#[cfg(test)]
mod tests {
    use protocol::synthetic;

    use super::*;

    #[test]
    fn the_file_of_a_matrix_is_that_matrix_and_makes_the_templates_that_it_comes_with() {
        let matrix = Matrix::of(&synthetic::projection());

        let again = Matrix::parse(&matrix.to_bytes()).unwrap();

        for shot in synthetic::subjects(1)
            .iter()
            .flat_map(|subject| &subject.captures)
        {
            let products = again.products(&shot.embedding);
            let positive: Vec<_> = products.iter().map(|product| -product).collect();
            assert_eq!(template(&positive), shot.template);
        }
    }

    #[test]
    fn a_file_of_another_length_or_of_what_is_no_number_is_no_matrix() {
        let bytes = Matrix::of(&synthetic::projection()).to_bytes();
        let mut infinite = bytes.clone();
        infinite[4 * NUMBERS..4 * NUMBERS + 4].copy_from_slice(&f32::INFINITY.to_le_bytes());

        assert!(Matrix::parse(&bytes[4..]).is_none());
        assert!(Matrix::parse(&bytes[..bytes.len() - 1]).is_none());
        assert!(Matrix::parse(&infinite).is_none());
        assert!(Matrix::parse(&bytes).is_some());
    }
}
