//! secp256k1 with x-only points: 32 bytes name the point of even y.

use core::fmt;

use k256::elliptic_curve::PrimeField;
use k256::elliptic_curve::point::{AffineCoordinates, DecompressPoint};
use k256::elliptic_curve::subtle::Choice;
use k256::{AffinePoint, ProjectivePoint, Scalar};
use rand_core::CryptoRng;
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

use crate::secret::Secret;

/// A point of even y, neither the identity nor off the curve.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Point(AffinePoint);

impl Point {
    /// The point of even y with this x-coordinate; `None` for a number not below
    /// the field's modulus and for one that belongs to no point.
    pub(crate) fn lift_x(x: &[u8; 32]) -> Option<Self> {
        AffinePoint::decompress(&(*x).into(), Choice::from(0))
            .into_option()
            .map(Self)
    }

    /// The x-coordinate.
    pub(crate) fn x(&self) -> [u8; 32] {
        self.0.x().into()
    }

    /// The x-coordinate of this point taken `factor` times. The group has prime order,
    /// so a factor in [1, n − 1] never gives the identity.
    #[expect(
        clippy::arithmetic_side_effects,
        reason = "group arithmetic cannot overflow"
    )]
    pub(crate) fn times(&self, factor: &Scalar) -> Secret<32> {
        let mut product = (ProjectivePoint::from(self.0) * factor).to_affine();
        let x = Secret::new(product.x().into());
        product.zeroize();
        x
    }
}

/// A secret number of one handshake (`m_i`, `m_j`) and its point. Wiped when dropped.
#[derive(Zeroize, ZeroizeOnDrop)]
pub(crate) struct Ephemeral {
    /// The number, chosen so that its point has even y.
    secret: Scalar,
    /// The point's x-coordinate.
    x: [u8; 32],
}

impl Ephemeral {
    /// A number uniform in [1, n − 1], negated if its point's y is odd. Draws 32
    /// bytes at a time until they are such a number.
    pub(crate) fn draw(rng: &mut impl CryptoRng) -> Self {
        let mut bytes = Zeroizing::new([0; 32]);
        loop {
            rng.fill_bytes(&mut *bytes);
            let number = Scalar::from_repr((*bytes).into()).into_option();
            if let Some(secret) = number.filter(|number| !bool::from(number.is_zero())) {
                return Self::of(secret);
            }
        }
    }

    fn of(secret: Scalar) -> Self {
        let point = ProjectivePoint::mul_by_generator(&secret).to_affine();
        let odd = bool::from(point.y_is_odd());
        Self {
            secret: if odd { secret.negate() } else { secret },
            x: point.x().into(),
        }
    }

    /// The x-coordinate of the point, which travels.
    pub(crate) const fn x(&self) -> &[u8; 32] {
        &self.x
    }

    /// The x-coordinate of the product with the other party's point.
    pub(crate) fn agree(&self, other: &Point) -> Secret<32> {
        other.times(&self.secret)
    }
}

impl fmt::Debug for Ephemeral {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Ephemeral(redacted)")
    }
}
