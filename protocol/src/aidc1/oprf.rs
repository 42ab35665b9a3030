//! The verifiable oblivious pseudorandom function of RFC 9497, suite
//! ristretto255-SHA512, mode VOPRF.
//!
//! A terminal blinds a password, evaluators multiply the blinded point by their keys and
//! prove it, and the terminal alone learns the function's value. Here an evaluator holds
//! a share of the key ([`shares`]); the RFC's single server is the case of one of one.
//!
//! Why not a crate: `voprf` computes on an older curve and random-number crate, and it
//! ties the value to one proof under one key, where several are checked and combined.

#![expect(
    clippy::arithmetic_side_effects,
    reason = "group and scalar arithmetic cannot overflow"
)]

mod proof;
pub mod shares;

use core::fmt;

use curve25519_dalek::ristretto::CompressedRistretto;
use curve25519_dalek::traits::IsIdentity as _;
use curve25519_dalek::{RistrettoPoint, Scalar};
use rand_core::CryptoRng;
use sha2::{Digest as _, Sha512};
use thiserror::Error;
use zeroize::{Zeroize as _, ZeroizeOnDrop, Zeroizing};

use crate::secret::Secret;

pub use proof::Proof;

/// Bytes of an element and of a scalar.
pub const ELEMENT_BYTES: usize = 32;

/// Bytes of the function's value.
pub const OUTPUT_BYTES: usize = 64;

/// "OPRFV1-" ‖ mode 1 ‖ "-" ‖ the suite (RFC 9497, section 3.1).
const CONTEXT: &[u8] = b"OPRFV1-\x01-ristretto255-SHA512";

/// A point of ristretto255 other than the identity, beside its one encoding.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Element {
    point: RistrettoPoint,
    bytes: [u8; ELEMENT_BYTES],
}

impl Element {
    /// The element that these bytes encode; `None` for what is no canonical encoding,
    /// and for the identity (RFC 9497, section 2.1).
    pub fn parse(bytes: &[u8; ELEMENT_BYTES]) -> Option<Self> {
        let point = CompressedRistretto(*bytes).decompress()?;
        (!point.is_identity()).then_some(Self {
            point,
            bytes: *bytes,
        })
    }

    /// The encoding.
    pub const fn as_bytes(&self) -> &[u8; ELEMENT_BYTES] {
        &self.bytes
    }

    /// The element of a point; `None` for the identity.
    fn of(point: RistrettoPoint) -> Option<Self> {
        (!point.is_identity()).then(|| Self {
            point,
            bytes: point.compress().to_bytes(),
        })
    }
}

impl fmt::Debug for Element {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Element(")?;
        for byte in self.bytes {
            write!(f, "{byte:02x}")?;
        }
        f.write_str(")")
    }
}

/// An evaluator's secret key, or its share of one: never zero. Wiped when dropped.
#[derive(Clone, ZeroizeOnDrop)]
pub struct EvaluatorKey(Scalar);

impl EvaluatorKey {
    /// A key uniform in [1, ℓ − 1]. Draws 64 bytes at a time.
    pub fn draw(rng: &mut impl CryptoRng) -> Self {
        Self(draw_scalar(rng))
    }

    /// The key of these bytes; `None` unless they are a number in [1, ℓ − 1].
    pub fn from_bytes(bytes: &Secret<ELEMENT_BYTES>) -> Option<Self> {
        let number = Scalar::from_canonical_bytes(*bytes.expose()).into_option()?;
        (number != Scalar::ZERO).then_some(Self(number))
    }

    /// The bytes, for sealing them.
    pub const fn to_secret(&self) -> Secret<ELEMENT_BYTES> {
        Secret::new(self.0.to_bytes())
    }

    /// The public key, against which the proofs are checked.
    pub fn public(&self) -> Element {
        let point = RistrettoPoint::mul_base(&self.0);
        Element {
            point,
            bytes: point.compress().to_bytes(),
        }
    }

    /// `BlindEvaluate`. Draws 64 bytes for the proof.
    pub fn evaluate(&self, blinded: &Element, rng: &mut impl CryptoRng) -> Evaluation {
        let mut random = draw_scalar(rng);
        let point = blinded.point * self.0;
        let element = Element {
            point,
            bytes: point.compress().to_bytes(),
        };
        let pairs = [(*blinded, element)];
        let proof = proof::generate(self, &self.public(), &pairs, &random);
        random.zeroize();
        Evaluation { element, proof }
    }
}

impl fmt::Debug for EvaluatorKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("EvaluatorKey(redacted)")
    }
}

/// What an evaluator answers: the evaluated element, and the proof that its key made it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Evaluation {
    /// The blinded element times the key.
    pub element: Element,
    /// Equality of discrete logarithms with the public key.
    pub proof: Proof,
}

impl Evaluation {
    /// Whether the holder of this public key made it from this blinded element.
    pub fn is_by(&self, public: &Element, blinded: &Element) -> bool {
        proof::verify(public, &[(*blinded, self.element)], &self.proof)
    }
}

/// The input hashes to no usable element; no input for which it does is known.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Error)]
#[error("this password cannot be used: choose another")]
pub struct InvalidInput;

/// A blinded input at the terminal, waiting for evaluations. Wiped when dropped.
#[derive(ZeroizeOnDrop)]
pub struct Blinding {
    /// The input.
    input: Zeroizing<Vec<u8>>,
    /// What it was blinded with.
    blind: Scalar,
    /// What travels.
    #[zeroize(skip)]
    element: Element,
}

impl Blinding {
    /// `Blind`. Draws 64 bytes at a time.
    pub fn new(input: Zeroizing<Vec<u8>>, rng: &mut impl CryptoRng) -> Result<Self, InvalidInput> {
        Self::with(input, draw_scalar(rng))
    }

    fn with(input: Zeroizing<Vec<u8>>, blind: Scalar) -> Result<Self, InvalidInput> {
        let uniform = Zeroizing::new(expand(&[&input], &[b"HashToGroup-", CONTEXT]));
        let mut point = RistrettoPoint::from_uniform_bytes(&uniform);
        let element = Element::of(point * blind).ok_or(InvalidInput)?;
        point.zeroize();
        Ok(Self {
            input,
            blind,
            element,
        })
    }

    /// The blinded element, which travels.
    pub const fn element(&self) -> &Element {
        &self.element
    }

    /// `Finalize`, of an evaluated element whose proofs were checked.
    fn finalize(&self, evaluated: &RistrettoPoint) -> Secret<OUTPUT_BYTES> {
        let mut inverse = self.blind.invert();
        let mut unblinded = (evaluated * inverse).compress();
        inverse.zeroize();
        let mut hash = Sha512::new();
        hash.update(length(&self.input));
        hash.update(&*self.input);
        hash.update(length(unblinded.as_bytes()));
        hash.update(unblinded.as_bytes());
        hash.update(b"Finalize");
        unblinded.zeroize();
        let mut digest = hash.finalize();
        let output = Secret::new(digest.into());
        digest.as_mut_slice().zeroize();
        output
    }
}

impl fmt::Debug for Blinding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Blinding(redacted)")
    }
}

/// A uniform number in [1, ℓ − 1].
fn draw_scalar(rng: &mut impl CryptoRng) -> Scalar {
    let mut wide = Zeroizing::new([0; 64]);
    loop {
        rng.fill_bytes(&mut *wide);
        let number = Scalar::from_bytes_mod_order_wide(&wide);
        if number != Scalar::ZERO {
            return number;
        }
    }
}

/// `HashToScalar` of these parts (RFC 9497, section 4.1).
fn hash_to_scalar(parts: &[&[u8]]) -> Scalar {
    let uniform = Zeroizing::new(expand(parts, &[b"HashToScalar-", CONTEXT]));
    Scalar::from_bytes_mod_order_wide(&uniform)
}

/// `expand_message_xmd` of RFC 9380, section 5.3.1, for SHA-512 and 64 bytes: one block.
fn expand(parts: &[&[u8]], tag: &[&[u8]]) -> [u8; 64] {
    let tag_length = tag.iter().map(|part| part.len()).sum::<usize>();
    debug_assert!(tag_length < 256, "the tags above are short");
    let tag_length = [u8::try_from(tag_length).unwrap_or(u8::MAX)];
    let finish = |mut hash: Sha512| {
        for part in tag {
            hash.update(part);
        }
        hash.update(tag_length);
        hash.finalize()
    };
    let mut zeroth = Sha512::new_with_prefix([0; 128]);
    for part in parts {
        zeroth.update(part);
    }
    zeroth.update([0, 64, 0]);
    let mut zeroth = finish(zeroth);
    let mut first = Sha512::new_with_prefix(zeroth);
    zeroth.as_mut_slice().zeroize();
    first.update([1]);
    finish(first).into()
}

/// The length of a field, in two bytes.
fn length(field: &[u8]) -> [u8; 2] {
    debug_assert!(u16::try_from(field.len()).is_ok(), "no field is that long");
    u16::try_from(field.len()).unwrap_or(u16::MAX).to_be_bytes()
}

#[cfg(test)]
mod tests {
    use chacha20::ChaCha20Rng;
    use rand_core::SeedableRng as _;
    use serde_json::Value;

    use super::*;

    /// Appendix A.1.2.
    fn rfc() -> Value {
        serde_json::from_str(include_str!("../../tests/vectors/rfc9497.json")).unwrap()
    }

    fn bytes<const N: usize>(text: &Value) -> [u8; N] {
        let bytes = hex::decode(text.as_str().unwrap()).unwrap();
        bytes.try_into().unwrap()
    }

    fn number(text: &Value) -> Scalar {
        Scalar::from_canonical_bytes(bytes(text)).unwrap()
    }

    fn key(rfc: &Value) -> EvaluatorKey {
        EvaluatorKey::from_bytes(&Secret::new(bytes(&rfc["skSm"]))).unwrap()
    }

    #[test]
    fn the_vectors_of_rfc_9497_come_out() {
        let rfc = rfc();
        let key = key(&rfc);
        assert_eq!(key.public().as_bytes(), &bytes(&rfc["pkSm"]));
        let mut elements = 0;
        for vector in rfc["vectors"].as_array().unwrap() {
            let inputs = vector["Input"].as_array().unwrap();
            let mut pairs = Vec::new();
            for (at, input) in inputs.iter().enumerate() {
                let input = Zeroizing::new(hex::decode(input.as_str().unwrap()).unwrap());
                let blinding = Blinding::with(input, number(&vector["Blind"][at])).unwrap();
                let evaluated = Element::of(blinding.element().point * key.0).unwrap();

                assert_eq!(
                    blinding.element().as_bytes(),
                    &bytes(&vector["BlindedElement"][at])
                );
                assert_eq!(
                    evaluated.as_bytes(),
                    &bytes(&vector["EvaluationElement"][at])
                );
                let output = blinding.finalize(&evaluated.point);
                assert_eq!(*output.expose(), bytes(&vector["Output"][at]));
                pairs.push((*blinding.element(), evaluated));
                elements += 1;
            }

            let random = number(&vector["ProofRandomScalar"]);
            let proof = proof::generate(&key, &key.public(), &pairs, &random);

            assert_eq!(proof.to_bytes(), bytes(&vector["Proof"]));
            assert!(proof::verify(&key.public(), &pairs, &proof));
        }
        assert_eq!(elements, 4);
    }

    #[test]
    fn no_other_key_blinded_or_evaluated_element_fits_a_proof() {
        let mut rng = ChaCha20Rng::seed_from_u64(1);
        let key = EvaluatorKey::draw(&mut rng);
        let other = EvaluatorKey::draw(&mut rng);
        let blinded = other.public();
        let mut evaluation = key.evaluate(&blinded, &mut rng);

        assert!(evaluation.is_by(&key.public(), &blinded));
        assert!(!evaluation.is_by(&other.public(), &blinded));
        assert!(!evaluation.is_by(&key.public(), &key.public()));
        evaluation.element = other.evaluate(&blinded, &mut rng).element;
        assert!(!evaluation.is_by(&key.public(), &blinded));
    }

    #[test]
    fn the_identity_and_other_spellings_are_no_elements() {
        assert_eq!(Element::parse(&[0; 32]), None);
        assert_eq!(Element::parse(&[0xff; 32]), None);
        assert_eq!(
            EvaluatorKey::from_bytes(&Secret::new([0; 32])).map(|key| key.public()),
            None
        );
        assert_eq!(
            EvaluatorKey::from_bytes(&Secret::new([0xff; 32])).map(|key| key.public()),
            None
        );
    }

    #[test]
    fn debug_shows_neither_key_nor_input() {
        let blinding = Blinding::with(Zeroizing::new(b"secret".to_vec()), Scalar::ONE).unwrap();

        assert_eq!(
            format!("{blinding:?} {:?}", key(&rfc())),
            "Blinding(redacted) EvaluatorKey(redacted)"
        );
    }
}
