//! The operations of the schemes that are not built, done one after the other as Table 3 counts them.
//!
//! The equations of \[22\], \[23\] and \[24\] are not public where we could read them, so nobody's protocol runs here:
//! what runs is exactly the operations of their rows, each fed with the result of the one before. Pairings, points and
//! exponents are those of BLS12-381 as `blst` computes them, encryption is ECIES on secp256k1, the hash SHA-256.
//!
//! Two operations are not what `blst` could do at its best, because its safe interface does not offer them alone: a
//! string is hashed to a point inside a signature (which also does one of the row's multiplications), and an
//! exponentiation squares with the multiplication of the field ([ADR 0008](../../../docs/adr/0008-counts-and-pairings.md)).

use std::hint::black_box;

use blst::{
    BLST_ERROR, MultiPoint as _, blst_fp12, blst_p1_affine, blst_p2_affine, min_sig, p1_affines,
};
use k256::{AffinePoint, Scalar};
use sha2::{Digest as _, Sha256};

use super::printed::{Term, Unit};
use super::{group, sealing};
use crate::contest::Failure;

/// Bits of an exponent: as many as the group's order has, or one less.
const EXPONENT_BITS: usize = 255;
/// The tag of hashes to a point, in the form of RFC 9380.
const TAG: &[u8] = b"aidchain.paper/1 BLS12381G1_XMD:SHA-256_SSWU_RO_";

/// An encrypted hash: the ephemeral's x and the sealed bytes.
type Ciphertext = ([u8; 32], Vec<u8>);

/// The values that operations turn into others.
pub(super) struct Mixer {
    digest: [u8; 32],
    point: blst_p1_affine,
    other: blst_p2_affine,
    target: blst_fp12,
    signer: min_sig::SecretKey,
    own: Scalar,
    public: AffinePoint,
    ciphertext: Ciphertext,
}

impl Mixer {
    pub(super) fn new() -> Result<Self, Failure> {
        let digest: [u8; 32] = Sha256::digest(b"aidchain.paper/1 mixes").into();
        let signer = min_sig::SecretKey::key_gen(&digest, &[]).map_err(refused)?;
        let point = signer.sign(&digest, TAG, &[]).into();
        let other = signer.sk_to_pk().into();
        let own = group::number(digest).ok_or("no exponent")?;
        let public = group::lift_x(&group::base(&own)).ok_or("no public key")?;
        let mut mixer = Self {
            digest,
            target: blst_fp12::miller_loop(&other, &point).final_exp(),
            point,
            other,
            signer,
            own,
            public,
            ciphertext: ([0; 32], Vec::new()),
        };
        mixer.encrypt()?;
        Ok(mixer)
    }

    /// All operations of a row.
    pub(super) fn run(&mut self, terms: &[Term]) -> Result<(), Failure> {
        let mapped = terms.iter().filter(|(_, unit)| *unit == Unit::MapToPoint);
        // Each hash to a point brings one of the multiplications with it.
        let mut done: u32 = mapped.map(|(count, _)| count).sum();
        for (count, unit) in terms {
            let spare = if *unit == Unit::Mul {
                done.min(*count)
            } else {
                0
            };
            done = done.saturating_sub(spare);
            for _ in spare..*count {
                self.once(*unit)?;
            }
        }
        black_box(&self.target);
        Ok(())
    }

    /// One operation.
    pub(super) fn once(&mut self, unit: Unit) -> Result<(), Failure> {
        match unit {
            Unit::Hash => {
                let twice = [self.digest, self.digest].concat();
                self.digest = Sha256::digest(twice).into();
            }
            Unit::Xor => {
                let mask = black_box([0xA5; 32]);
                for (mine, theirs) in self.digest.iter_mut().zip(mask) {
                    *mine ^= theirs;
                }
            }
            Unit::Mul => {
                let product = [self.point].as_slice().mult(&self.digest, EXPONENT_BITS);
                let points = p1_affines::from(&[product]);
                self.point = *points.as_slice().first().ok_or("no point")?;
            }
            Unit::Add => {
                black_box([self.point, self.point].as_slice().add());
            }
            Unit::Pairing => {
                self.target = blst_fp12::miller_loop(&self.other, &self.point).final_exp();
            }
            Unit::Exp => self.target = power(&self.target, &self.digest),
            Unit::MapToPoint => self.point = self.signer.sign(&self.digest, TAG, &[]).into(),
            Unit::Encrypt => self.encrypt()?,
            Unit::Decrypt => self.decrypt()?,
        }
        Ok(())
    }

    /// One multiplication of the generator, one of the recipient's key.
    fn encrypt(&mut self) -> Result<(), Failure> {
        let ephemeral = group::number(self.digest).ok_or("no exponent")?;
        let sent = group::base(&ephemeral);
        let key = key(&sent, &group::times(&self.public, &ephemeral))?;
        let sealed = sealing::seal(&key, &[], &self.digest).ok_or("AEAD")?;
        self.ciphertext = (sent, sealed);
        Ok(())
    }

    /// One multiplication of the sender's point.
    fn decrypt(&mut self) -> Result<(), Failure> {
        let (sent, sealed) = &self.ciphertext;
        let point = group::lift_x(sent).ok_or("no point")?;
        let key = key(sent, &group::times(&point, &self.own))?;
        let opened = sealing::open(&key, &[], sealed).ok_or("the ciphertext does not open")?;
        self.digest = opened.as_slice().try_into()?;
        Ok(())
    }
}

fn key(sent: &[u8; 32], shared: &[u8; 32]) -> Result<[u8; 32], Failure> {
    sealing::derive(sent, shared, &[b"aidchain.paper/1 ecies"]).ok_or_else(|| "HKDF".into())
}

fn refused(error: BLST_ERROR) -> Failure {
    format!("blst refused: {error:?}").into()
}

/// base^exponent in the target group: four bits at a time, from the top.
#[expect(
    clippy::arithmetic_side_effects,
    reason = "field arithmetic cannot overflow"
)]
fn power(base: &blst_fp12, exponent: &[u8; 32]) -> blst_fp12 {
    let mut powers = [blst_fp12::default(); 16];
    let mut next = blst_fp12::default();
    for power in &mut powers {
        *power = next;
        next *= *base;
    }
    let mut product = blst_fp12::default();
    for byte in exponent {
        for digit in [byte >> 4, byte & 0xF] {
            for _ in 0..4 {
                product *= product;
            }
            let power = powers.get(usize::from(digit));
            product *= power.copied().unwrap_or_default();
        }
    }
    product
}

#[cfg(test)]
mod tests {
    use super::super::printed::{Phase, Scheme, work};
    use super::*;

    /// e(aP, Q) = e(P, Q)^a, so points, pairing and exponentiation are those of one curve.
    #[test]
    fn the_pairing_is_bilinear_in_what_is_measured() {
        let mut mixer = Mixer::new().unwrap();
        // blst reads scalars from their low end, and 255 bits of them.
        mixer.digest = [7; 32];
        let powered = power(&mixer.target, &mixer.digest);

        mixer.once(Unit::Mul).unwrap();
        mixer.once(Unit::Pairing).unwrap();

        assert!(mixer.target == powered);
    }

    #[test]
    fn what_was_encrypted_is_decrypted() {
        let mut mixer = Mixer::new().unwrap();
        let digest = mixer.digest;

        mixer.digest = [0; 32];
        mixer.decrypt().unwrap();

        assert_eq!(mixer.digest, digest);
    }

    #[test]
    fn every_row_that_is_not_built_runs() {
        let mut mixer = Mixer::new().unwrap();

        for scheme in [Scheme::Kumar, Scheme::Tsai, Scheme::Lwamo] {
            for phase in Phase::BOTH {
                let before = mixer.digest;
                mixer.run(work(scheme, phase).terms).unwrap();
                assert_ne!(mixer.digest, before);
            }
        }
    }
}
