//! The operations of the scheme beside its hashes and ⊕, each reported to the meter.

use rand_core::CryptoRng;

use crate::biometric::Template;
use crate::curve::{Ephemeral, Point};
use crate::fuzzy::{self, Auxiliary, RandomString};
use crate::meter::{Meter, Operation};
use crate::secret::Secret;

/// `m·P` for a new m.
pub(super) fn draw(meter: &impl Meter, rng: &mut impl CryptoRng) -> Ephemeral {
    meter.count(Operation::MulFixed);
    Ephemeral::draw(rng)
}

/// m times the other party's point.
pub(super) fn agree(meter: &impl Meter, own: &Ephemeral, other: &Point) -> Secret<32> {
    meter.count(Operation::MulVariable);
    own.agree(other)
}

/// The point of this x-coordinate.
pub(super) fn lift_x(meter: &impl Meter, x: &[u8; 32]) -> Option<Point> {
    meter.count(Operation::Lift);
    Point::lift_x(x)
}

/// (SP, PP) = Gen(BIO).
pub(super) fn generate(
    meter: &impl Meter,
    bio: &Template,
    rng: &mut impl CryptoRng,
) -> (RandomString, Auxiliary) {
    meter.count(Operation::Generate);
    fuzzy::generate(bio, rng)
}

/// SP = Rep(BIO', PP).
pub(super) fn reproduce(
    meter: &impl Meter,
    bio: &Template,
    pp: &Auxiliary,
) -> Option<RandomString> {
    meter.count(Operation::Reproduce);
    fuzzy::reproduce(bio, pp)
}
