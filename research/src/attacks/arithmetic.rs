//! What an attacker writes himself out of the published formulas: ⊕, the hash of fields, points by their x.

use core::ops::Mul as _;

use k256::elliptic_curve::PrimeField as _;
use k256::elliptic_curve::point::{AffineCoordinates as _, DecompressPoint as _};
use k256::{AffinePoint, ProjectivePoint, Scalar};
use sha2::{Digest as _, Sha256};

/// ⊕ of two strings of equal length.
pub(super) fn xor(one: &[u8; 32], other: &[u8; 32]) -> [u8; 32] {
    let mut sum = *one;
    for (mine, theirs) in sum.iter_mut().zip(other) {
        *mine ^= theirs;
    }
    sum
}

/// SHA-256 over these fields, each behind its length.
pub(super) fn digest(mut hash: Sha256, fields: &[&[u8]]) -> [u8; 32] {
    for field in fields {
        let length = u16::try_from(field.len()).unwrap_or(u16::MAX);
        hash.update(length.to_be_bytes());
        hash.update(field);
    }
    hash.finalize().into()
}

/// SHA-256 of all parts, one after the other.
pub(super) fn plain(parts: &[&[u8]]) -> [u8; 32] {
    let hash = Sha256::new();
    parts
        .iter()
        .fold(hash, sha2::Digest::chain_update)
        .finalize()
        .into()
}

/// The point of even y with this x.
fn lift(x: &[u8; 32]) -> Option<AffinePoint> {
    AffinePoint::decompress(&(*x).into(), 0.into()).into_option()
}

/// Whether some point has this x: of all strings about every other one.
pub(super) fn is_on_curve(x: &[u8; 32]) -> bool {
    lift(x).is_some()
}

/// A secret number, negated if its point has an odd y.
#[derive(Clone, Debug)]
pub(super) struct Number(Scalar);

impl Number {
    /// The number that these bytes are, if it is below the group's order and not zero.
    pub(super) fn from_bytes(bytes: &[u8; 32]) -> Option<Self> {
        let scalar: Scalar = Scalar::from_repr((*bytes).into()).into_option()?;
        if scalar.is_zero().into() {
            return None;
        }
        let point = ProjectivePoint::mul_by_generator(&scalar).to_affine();
        let odd: bool = point.y_is_odd().into();
        Some(Self(if odd { scalar.negate() } else { scalar }))
    }

    /// A number of the attacker's own, out of his dice.
    pub(super) fn draw(mut dice: impl FnMut() -> [u8; 32]) -> Self {
        loop {
            if let Some(number) = Self::from_bytes(&dice()) {
                return number;
            }
        }
    }

    /// The x of its point.
    pub(super) fn x(&self) -> [u8; 32] {
        let point = ProjectivePoint::mul_by_generator(&self.0).to_affine();
        point.x().into()
    }

    /// The y of its point.
    pub(super) fn y(&self) -> [u8; 32] {
        let point = ProjectivePoint::mul_by_generator(&self.0).to_affine();
        point.y().into()
    }

    /// The x of its product with the point of this x, if there is one.
    pub(super) fn agree(&self, x: &[u8; 32]) -> Option<[u8; 32]> {
        let point = ProjectivePoint::from(lift(x)?);
        Some(point.mul(&self.0).to_affine().x().into())
    }
}

/// The beginning of a secret, enough to recognise it on a page.
pub(super) fn shorten(bytes: &[u8]) -> String {
    let mut text = hex::encode(bytes.get(..8).unwrap_or(bytes));
    if bytes.len() > 8 {
        text.push('…');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_numbers_agree_with_each_others_points() {
        let [one, other] = [3, 7].map(|byte| Number::from_bytes(&[byte; 32]).unwrap());

        assert_eq!(one.agree(&other.x()), other.agree(&one.x()));
        assert_eq!(Number::from_bytes(&[0; 32]).map(|zero| zero.x()), None);
        assert_eq!(Number::from_bytes(&[0xFF; 32]).map(|large| large.x()), None);
    }
}
