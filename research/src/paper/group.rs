//! secp256k1 as the suites use it: points of even y, named by x.

use k256::elliptic_curve::PrimeField as _;
use k256::elliptic_curve::point::{AffineCoordinates as _, DecompressPoint as _};
use k256::elliptic_curve::subtle::Choice;
use k256::{AffinePoint, ProjectivePoint, Scalar};
use rand_core::CryptoRng;

/// A number in [1, n − 1]. Draws 32 bytes at a time until they are one.
pub(super) fn draw(rng: &mut impl CryptoRng) -> Scalar {
    let mut bytes = [0; 32];
    loop {
        rng.fill_bytes(&mut bytes);
        if let Some(number) = number(bytes) {
            return number;
        }
    }
}

/// The number of these bytes, if it lies in [1, n − 1].
pub(super) fn number(bytes: [u8; 32]) -> Option<Scalar> {
    let number = Scalar::from_repr(bytes.into()).into_option();
    number.filter(|number| !bool::from(number.is_zero()))
}

/// The generator, so many times.
pub(super) fn base(times: &Scalar) -> [u8; 32] {
    ProjectivePoint::mul_by_generator(times)
        .to_affine()
        .x()
        .into()
}

/// The point, so many times.
#[expect(
    clippy::arithmetic_side_effects,
    reason = "group arithmetic cannot overflow"
)]
pub(super) fn times(point: &AffinePoint, times: &Scalar) -> [u8; 32] {
    let product = (ProjectivePoint::from(*point) * times).to_affine();
    product.x().into()
}

/// The point of even y with this x-coordinate.
pub(super) fn lift_x(x: &[u8; 32]) -> Option<AffinePoint> {
    AffinePoint::decompress(&(*x).into(), Choice::from(0)).into_option()
}
