//! What a sensor hands over: templates, embeddings and where they come from.

use core::fmt;

use zeroize::{Zeroize, ZeroizeOnDrop};

/// Bytes of a template: 2048 bits, the first bit highest in the first byte.
pub const TEMPLATE_BYTES: usize = 256;

/// Numbers of an embedding.
pub const EMBEDDING_NUMBERS: usize = 128;

/// Captures taken at enrolment, of which the majority counts bit by bit.
pub const ENROLMENT_CAPTURES: usize = 3;

/// A biometric as 2048 bits (`BIO` of the paper). It is somebody's face: wiped
/// when dropped and never printed.
#[derive(Clone, PartialEq, Eq, Zeroize, ZeroizeOnDrop)]
pub struct Template([u8; TEMPLATE_BYTES]);

impl Template {
    /// The template made of these bytes.
    pub const fn new(bytes: [u8; TEMPLATE_BYTES]) -> Self {
        Self(bytes)
    }

    /// The bytes, for whoever has a reason.
    pub const fn expose(&self) -> &[u8; TEMPLATE_BYTES] {
        &self.0
    }

    /// The bitwise majority of the three captures of an enrolment.
    pub fn majority([a, b, c]: [&Self; ENROLMENT_CAPTURES]) -> Self {
        let mut bits = [0; TEMPLATE_BYTES];
        for (bit, ((a, b), c)) in bits.iter_mut().zip(a.0.iter().zip(&b.0).zip(&c.0)) {
            *bit = (a & b) | (b & c) | (a & c);
        }
        Self(bits)
    }

    /// In how many of the 2048 bits the two differ.
    pub fn distance(&self, other: &Self) -> u32 {
        self.0
            .iter()
            .zip(&other.0)
            .map(|(a, b)| (a ^ b).count_ones())
            .sum()
    }
}

impl fmt::Debug for Template {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Template(redacted)")
    }
}

/// A face as a network sees it: the normalised embedding times 400, rounded.
#[derive(Clone, PartialEq, Eq, Zeroize, ZeroizeOnDrop)]
pub struct Embedding([i8; EMBEDDING_NUMBERS]);

impl Embedding {
    /// The embedding made of these numbers.
    pub const fn new(numbers: [i8; EMBEDDING_NUMBERS]) -> Self {
        Self(numbers)
    }

    /// The numbers, for whoever has a reason.
    pub const fn expose(&self) -> &[i8; EMBEDDING_NUMBERS] {
        &self.0
    }
}

impl fmt::Debug for Embedding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Embedding(redacted)")
    }
}

/// One capture: a template, an embedding, or both.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Capture {
    /// Only the template.
    Template(Template),
    /// Only the embedding.
    Embedding(Embedding),
    /// Both, of the same moment.
    Both(Template, Embedding),
}

impl Capture {
    /// The template, if the capture has one.
    pub const fn template(&self) -> Option<&Template> {
        match self {
            Self::Template(template) | Self::Both(template, _) => Some(template),
            Self::Embedding(_) => None,
        }
    }

    /// The embedding, if the capture has one.
    pub const fn embedding(&self) -> Option<&Embedding> {
        match self {
            Self::Embedding(embedding) | Self::Both(_, embedding) => Some(embedding),
            Self::Template(_) => None,
        }
    }
}

/// Where captures come from: files today, a camera with a network tomorrow.
pub trait BiometricSource {
    /// What can go wrong there.
    type Error;

    /// Takes one capture.
    fn capture(&mut self) -> Result<Capture, Self::Error>;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_majority_of_three_keeps_each_bit_that_two_captures_agree_on() {
        let template = |byte| Template::new([byte; TEMPLATE_BYTES]);

        let majority = Template::majority([
            &template(0b0000_1111),
            &template(0b0011_0011),
            &template(0b0101_0101),
        ]);

        assert_eq!(majority, template(0b0001_0111));
        assert_eq!(majority.distance(&template(0b0001_0110)), 256);
    }

    #[test]
    fn debug_shows_no_bit_of_a_face() {
        let capture = Capture::Both(
            Template::new([0xAB; TEMPLATE_BYTES]),
            Embedding::new([0x55; EMBEDDING_NUMBERS]),
        );

        assert_eq!(
            format!("{capture:?}"),
            "Both(Template(redacted), Embedding(redacted))"
        );
    }
}
