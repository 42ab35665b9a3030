//! The running state of a handshake, and everything that AIDC-1 makes of it, counted.

use hkdf::Hkdf;
use k256::{AffinePoint, Scalar};
use sha2::{Digest as _, Sha256};

use crate::contest::Failure;
use crate::contest::aidc1::{CHAIN, SERVER};
use crate::paper::tally::Tally;
use crate::paper::{group, sealing};

/// Which message a header announces.
#[derive(Clone, Copy)]
pub(super) enum Kind {
    Me5 = 0x05,
    Me7 = 0x07,
    Me9 = 0x09,
    Answer = 0x1A,
}

/// The header of a message of key epoch 1.
pub(super) const fn header(kind: Kind) -> [u8; 8] {
    [b'A', b'D', 1, kind as u8, 0, 1, 0, 1]
}

/// (ck, h), and who counts.
pub(super) struct Transcript<'a> {
    ck: [u8; 32],
    h: [u8; 32],
    tally: &'a Tally,
}

/// The end of a handshake: the session's id and its keys.
pub(super) struct Ended<'a> {
    pub(super) sid: [u8; 32],
    prk: Hkdf<Sha256>,
    tally: &'a Tally,
}

impl<'a> Transcript<'a> {
    /// The state after the prologue and `B_j`, which an epoch needs once and a sign-in not at all.
    pub(super) fn start(record: &contract::ServerRecord, tally: &'a Tally) -> Self {
        let name = Sha256::digest(b"AIDC1_IK_secp256k1x_ChaChaPoly_SHA256").into();
        let spare = Tally::default();
        let mut start = Transcript {
            ck: name,
            h: name,
            tally: &spare,
        };
        start.mix_hash(&[
            b"aidc1/prologue",
            CHAIN.as_bytes(),
            SERVER.as_bytes(),
            &record.digest(),
        ]);
        start.mix_hash(&[record.dh_epoch_key.as_bytes()]);
        Self {
            ck: start.ck,
            h: start.h,
            tally,
        }
    }

    pub(super) fn mix_hash(&mut self, parts: &[&[u8]]) {
        self.tally.add(|counts| &mut counts.hash);
        let mut hash = Sha256::new_with_prefix(self.h);
        for part in parts {
            hash.update(part);
        }
        self.h = hash.finalize().into();
    }

    /// Mixes DH(own, other) in and gives the key that follows.
    pub(super) fn mix_dh(
        &mut self,
        own: &Scalar,
        other: &AffinePoint,
    ) -> Result<[u8; 32], Failure> {
        self.tally.add(|counts| &mut counts.mul_variable);
        self.mix_key(&group::times(other, own))
    }

    pub(super) fn mix_key(&mut self, ikm: &[u8; 32]) -> Result<[u8; 32], Failure> {
        self.tally.add(|counts| &mut counts.hkdf);
        self.tally.add(|counts| &mut counts.hkdf);
        let output: [u8; 64] = sealing::derive(&self.ck, ikm, &[]).ok_or("HKDF")?;
        let (ck, key) = output.split_first_chunk().ok_or("HKDF")?;
        self.ck = *ck;
        Ok(key.try_into()?)
    }

    pub(super) fn seal(&mut self, key: &[u8; 32], message: &[u8]) -> Result<Vec<u8>, Failure> {
        self.tally.add(|counts| &mut counts.aead);
        let sealed = sealing::seal(key, &self.h, message).ok_or("AEAD")?;
        self.mix_hash(&[&sealed]);
        Ok(sealed)
    }

    pub(super) fn open(&mut self, key: &[u8; 32], sealed: &[u8]) -> Result<Vec<u8>, Failure> {
        self.tally.add(|counts| &mut counts.aead);
        let message = sealing::open(key, &self.h, sealed).ok_or("a message does not open")?;
        self.mix_hash(&[sealed]);
        Ok(message)
    }

    /// The ephemeral of 32 drawn bytes, a hedge and what it is for.
    pub(super) fn ephemeral(
        &self,
        drawn: &[u8; 32],
        purpose: &[&[u8]],
    ) -> Result<(Scalar, [u8; 32]), Failure> {
        self.tally.add(|counts| &mut counts.hkdf);
        self.tally.add(|counts| &mut counts.hkdf);
        let bytes: [u8; 48] = sealing::derive(&[9; 32], drawn, purpose).ok_or("HKDF")?;
        let number = bytes.first_chunk().copied().and_then(group::number);
        let number = number.ok_or("no exponent")?;
        self.tally.add(|counts| &mut counts.mul_fixed);
        let public = group::base(&number);
        Ok((number, public))
    }

    /// The point of a public key.
    pub(super) fn lift(&self, x: &[u8; 32]) -> Result<AffinePoint, Failure> {
        self.tally.add(|counts| &mut counts.lift);
        group::lift_x(x).ok_or_else(|| "a public key is no point".into())
    }

    pub(super) fn end(self) -> Ended<'a> {
        self.tally.add(|counts| &mut counts.hkdf);
        Ended {
            sid: self.h,
            prk: Hkdf::new(Some(&self.ck), &self.h),
            tally: self.tally,
        }
    }
}

impl Ended<'_> {
    fn expand(&self, info: &[&[u8]]) -> Result<[u8; 32], Failure> {
        self.tally.add(|counts| &mut counts.hkdf);
        sealing::expand(&self.prk, info).ok_or_else(|| "HKDF".into())
    }

    /// The key of Me9 and what is authenticated beside it.
    pub(super) fn statement_key(&self) -> Result<([u8; 32], Vec<u8>), Failure> {
        let header = header(Kind::Me9);
        let key = self.expand(&[b"aidc1/me9", &header])?;
        Ok((key, [self.sid.as_slice(), &header].concat()))
    }

    /// `K_ij`.
    pub(super) fn session_key(&self) -> Result<[u8; 32], Failure> {
        self.expand(&[b"aidc1/key"])
    }

    /// The key of the answer to Me9 and what is authenticated beside it.
    pub(super) fn answer_key(&self) -> Result<([u8; 32], Vec<u8>), Failure> {
        let exporter = self.expand(&[b"aidc1/exporter"])?;
        self.tally.add(|counts| &mut counts.hkdf);
        let prk = Hkdf::from_prk(&exporter).map_err(|_short| "HKDF")?;
        let key = sealing::expand(&prk, &[b"aidc1/s2p"]).ok_or("HKDF")?;
        Ok((key, [self.sid.as_slice(), &header(Kind::Answer)].concat()))
    }

    pub(super) fn seal(
        &self,
        (key, ad): &([u8; 32], Vec<u8>),
        message: &[u8],
    ) -> Result<Vec<u8>, Failure> {
        self.tally.add(|counts| &mut counts.aead);
        sealing::seal(key, ad, message).ok_or_else(|| "AEAD".into())
    }

    pub(super) fn open(
        &self,
        (key, ad): &([u8; 32], Vec<u8>),
        sealed: &[u8],
    ) -> Result<Vec<u8>, Failure> {
        self.tally.add(|counts| &mut counts.aead);
        sealing::open(key, ad, sealed).ok_or_else(|| "a message does not open".into())
    }
}
