//! Cube roots modulo the prime of secp256k1: from a point's y back to its x.

use k256::elliptic_curve::bigint::U256;
use k256::elliptic_curve::bigint::modular::{FixedMontyForm, FixedMontyParams};
use k256::elliptic_curve::bigint::{Encoding as _, Odd};

/// p, which is 7 modulo 9.
const PRIME: Odd<U256> =
    Odd::<U256>::from_be_hex("fffffffffffffffffffffffffffffffffffffffffffffffffffffffefffffc2f");
/// (p + 2) / 9: a cube's power to it is one of its roots.
const EXPONENT: U256 =
    U256::from_be_hex("1c71c71c71c71c71c71c71c71c71c71c71c71c71c71c71c71c71c71c555554e9");
/// A cube root of one other than one.
const BETA: U256 =
    U256::from_be_hex("7ae96a2b657c07106e64479eac3434e99cf0497512f58995c1396c28719501ee");
/// b of the curve y² = x³ + 7.
const SEVEN: U256 = U256::from_u8(7);

type Field = FixedMontyForm<{ U256::LIMBS }>;

/// The x-coordinates of the points with this y: three, or none.
pub(super) fn abscissas(y: &[u8; 32]) -> Option<[[u8; 32]; 3]> {
    let params = FixedMontyParams::new_vartime(PRIME);
    let field = |number: &U256| Field::new(number, &params);
    let y = field(&U256::from_be_bytes((*y).into()));
    let cube = y.square().sub(&field(&SEVEN));
    let root = cube.pow_vartime(&EXPONENT);
    if root.square().mul(&root) != cube {
        return None;
    }
    let beta = field(&BETA);
    let roots = [root, root.mul(&beta), root.mul(&beta).mul(&beta)];
    Some(roots.map(|root| root.retrieve().to_be_bytes().into()))
}

#[cfg(test)]
mod tests {
    use super::super::arithmetic::Number;
    use super::*;

    #[test]
    fn one_of_three_roots_is_the_x_of_the_point() {
        let number = Number::from_bytes(&[5; 32]).unwrap();
        let (x, y) = (number.x(), number.y());

        let found = abscissas(&y).unwrap();

        assert!(found.contains(&x));
        assert_ne!(found[0], found[1]);
        let with_x = (1..=30_u8).filter(|byte| abscissas(&[*byte; 32]).is_some());
        assert!((1..30).contains(&with_x.count()), "a third of all y");
    }
}
