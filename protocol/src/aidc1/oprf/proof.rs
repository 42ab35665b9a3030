//! The proof that one exponent made an evaluator's public key and all its evaluated
//! elements (RFC 9497, section 2.2).

#![expect(
    clippy::arithmetic_side_effects,
    reason = "group and scalar arithmetic cannot overflow"
)]

use curve25519_dalek::traits::Identity as _;
use curve25519_dalek::{RistrettoPoint, Scalar};
use sha2::{Digest as _, Sha512};

use super::{CONTEXT, ELEMENT_BYTES, Element, EvaluatorKey, hash_to_scalar, length};

/// Bytes of a proof.
pub(super) const PROOF_BYTES: usize = 2 * ELEMENT_BYTES;

/// Challenge and response.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Proof {
    challenge: Scalar,
    response: Scalar,
}

impl Proof {
    /// c ‖ s.
    pub fn to_bytes(&self) -> [u8; PROOF_BYTES] {
        let mut bytes = [0; PROOF_BYTES];
        let fields = self.challenge.as_bytes().iter();
        for (byte, &field) in bytes.iter_mut().zip(fields.chain(self.response.as_bytes())) {
            *byte = field;
        }
        bytes
    }

    /// The proof of these two numbers; `None` unless both are below the group's order.
    pub fn parse(challenge: &[u8; ELEMENT_BYTES], response: &[u8; ELEMENT_BYTES]) -> Option<Self> {
        Some(Self {
            challenge: Scalar::from_canonical_bytes(*challenge).into_option()?,
            response: Scalar::from_canonical_bytes(*response).into_option()?,
        })
    }
}

/// `GenerateProof` for the generator, with its random number given.
pub(super) fn generate(
    key: &EvaluatorKey,
    public: &Element,
    pairs: &[(Element, Element)],
    random: &Scalar,
) -> Proof {
    let (m, _) = composites(public, pairs);
    let z = m * key.0;
    let challenge = challenge(
        public,
        &[m, z, RistrettoPoint::mul_base(random), m * random],
    );
    Proof {
        challenge,
        response: random - challenge * key.0,
    }
}

/// `VerifyProof` for the generator.
pub(super) fn verify(public: &Element, pairs: &[(Element, Element)], proof: &Proof) -> bool {
    let (m, z) = composites(public, pairs);
    let t2 = RistrettoPoint::mul_base(&proof.response) + public.point * proof.challenge;
    let t3 = m * proof.response + z * proof.challenge;
    challenge(public, &[m, z, t2, t3]) == proof.challenge
}

/// `ComputeComposites`: one pair that stands for all.
fn composites(public: &Element, pairs: &[(Element, Element)]) -> (RistrettoPoint, RistrettoPoint) {
    let tag = [b"Seed-", CONTEXT].concat();
    let mut seed = Sha512::new();
    for field in [public.as_bytes().as_slice(), &tag] {
        seed.update(length(field));
        seed.update(field);
    }
    let seed = seed.finalize();
    let none = (RistrettoPoint::identity(), RistrettoPoint::identity());
    (0_u16..).zip(pairs).fold(none, |(m, z), (at, (c, d))| {
        let factor = hash_to_scalar(&[
            &length(&seed),
            &seed,
            &at.to_be_bytes(),
            &length(c.as_bytes()),
            c.as_bytes(),
            &length(d.as_bytes()),
            d.as_bytes(),
            b"Composite",
        ]);
        (m + c.point * factor, z + d.point * factor)
    })
}

/// The challenge over the public key and these four points.
fn challenge(public: &Element, points: &[RistrettoPoint; 4]) -> Scalar {
    let mut transcript = Vec::with_capacity(5 * (2 + ELEMENT_BYTES) + 9);
    transcript.extend(length(public.as_bytes()));
    transcript.extend(public.as_bytes());
    for point in points {
        let bytes = point.compress().to_bytes();
        transcript.extend(length(&bytes));
        transcript.extend(bytes);
    }
    transcript.extend(b"Challenge");
    hash_to_scalar(&[&transcript])
}
