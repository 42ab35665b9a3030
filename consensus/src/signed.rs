//! What is signed, and the way from a signed message off the wire to a verified one.

use core::fmt;

use ed25519_dalek::{Signer as _, SigningKey, VerifyingKey};
use serde::{Deserialize, Serialize};

use crate::committee::{Committee, ReplicaId};
use crate::digest::{ChainId, Digest};
use crate::error::Rejected;
use crate::number::{Epoch, Seq, View};

/// The version of statements and frames that this crate speaks.
pub const WIRE_VERSION: u16 = 1;

/// The domain of every statement.
const DOMAIN: &[u8; 16] = b"aidchain/pbft/v1";

/// The type of a signed message; part of the signed bytes, so that no message passes for another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Kind {
    /// The primary's proposal.
    PrePrepare,
    /// A backup's agreement to a proposal.
    Prepare,
    /// A replica holds a prepared certificate.
    Commit,
    /// A replica has executed a block.
    Checkpoint,
    /// A replica has left a view.
    ViewChange,
    /// The new primary begins its view.
    NewView,
}

impl Kind {
    /// The byte that stands for the type in a statement.
    const fn byte(self) -> u8 {
        match self {
            Self::PrePrepare => 1,
            Self::Prepare => 2,
            Self::Commit => 3,
            Self::Checkpoint => 4,
            Self::ViewChange => 5,
            Self::NewView => 6,
        }
    }
}

/// The one fixed layout that every consensus signature covers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Statement {
    /// The ledger.
    pub chain: ChainId,
    /// The epoch, so that an old committee cannot speak for a new one.
    pub epoch: Epoch,
    /// The type of message.
    pub kind: Kind,
    /// The view; 0 in a CHECKPOINT.
    pub view: View,
    /// The sequence number, or the sender's stable checkpoint.
    pub seq: Seq,
    /// The digest of what is stated.
    pub digest: Digest,
}

impl Statement {
    /// The length of every statement in bytes.
    pub const LENGTH: usize = 103;

    /// The bytes that are signed.
    pub fn bytes(&self) -> [u8; Self::LENGTH] {
        let parts: [&[u8]; 8] = [
            DOMAIN,
            &WIRE_VERSION.to_le_bytes(),
            self.chain.as_bytes(),
            &self.epoch.get().to_le_bytes(),
            &[self.kind.byte()],
            &self.view.get().to_le_bytes(),
            &self.seq.get().to_le_bytes(),
            self.digest.as_bytes(),
        ];
        let mut bytes = [0; Self::LENGTH];
        let mut left = bytes.as_mut_slice();
        for part in parts {
            let Some((here, rest)) = left.split_at_mut_checked(part.len()) else {
                break;
            };
            here.copy_from_slice(part);
            left = rest;
        }
        bytes
    }
}

/// A member's public key as the ledger has it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct PublicKey([u8; 32]);

impl PublicKey {
    /// The key with these bytes, not checked for use.
    pub const fn new(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The 32 bytes.
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Display for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("key:")?;
        self.0
            .iter()
            .take(4)
            .try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

/// Sixty-four bytes that claim to be a signature.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Signature([u8; 32], [u8; 32]);

impl Signature {
    /// The signature with these bytes.
    pub const fn new(bytes: &[u8; 64]) -> Self {
        let (mut first, mut second) = ([0; 32], [0; 32]);
        let halves = bytes.split_at(32);
        first.copy_from_slice(halves.0);
        second.copy_from_slice(halves.1);
        Self(first, second)
    }

    /// The 64 bytes.
    pub const fn to_bytes(&self) -> [u8; 64] {
        let mut bytes = [0; 64];
        let halves = bytes.split_at_mut(32);
        halves.0.copy_from_slice(&self.0);
        halves.1.copy_from_slice(&self.1);
        bytes
    }
}

impl fmt::Debug for Signature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("sig:")?;
        self.0
            .iter()
            .take(2)
            .try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

/// A way to sign and to check: Ed25519 in production, a keyed hash in the simulator.
///
/// Whether a signature is valid must be a pure function of key, message and signature.
pub trait Scheme {
    /// A public key, decoded and checked once.
    type Key: Clone + fmt::Debug + Send + Sync;

    /// The public half of the key that signs.
    fn public(&self) -> PublicKey;

    /// Signs; the same message always gives the same signature.
    fn sign(&self, message: &[u8]) -> Signature;

    /// Decodes a public key; `None` when it is not one that may be trusted.
    fn prepare(key: &PublicKey) -> Option<Self::Key>;

    /// Whether the signature is the key's over the message.
    fn verify(key: &Self::Key, message: &[u8], signature: &Signature) -> bool;
}

/// Ed25519 with strict verification; the secret key is wiped when dropped.
pub struct Ed25519(SigningKey);

impl Ed25519 {
    /// The key pair that grows from these 32 secret bytes.
    pub fn from_seed(seed: &[u8; 32]) -> Self {
        Self(SigningKey::from_bytes(seed))
    }
}

impl fmt::Debug for Ed25519 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Ed25519({:?})", self.public())
    }
}

impl Scheme for Ed25519 {
    type Key = VerifyingKey;

    fn public(&self) -> PublicKey {
        PublicKey(self.0.verifying_key().to_bytes())
    }

    fn sign(&self, message: &[u8]) -> Signature {
        Signature::new(&self.0.sign(message).to_bytes())
    }

    fn prepare(key: &PublicKey) -> Option<VerifyingKey> {
        let decoded = VerifyingKey::from_bytes(key.as_bytes()).ok()?;
        (!decoded.is_weak()).then_some(decoded)
    }

    // Never `verify_batch`: its verdict can differ from the single one, and nodes that batch
    // differently would split.
    fn verify(key: &VerifyingKey, message: &[u8], signature: &Signature) -> bool {
        let signature = ed25519_dalek::Signature::from_bytes(&signature.to_bytes());
        key.verify_strict(message, &signature).is_ok()
    }
}

/// A message body that has a statement.
pub trait Signable {
    /// The type of the message.
    const KIND: Kind;

    /// The view in the statement.
    fn view(&self) -> View;

    /// The sequence number in the statement.
    fn seq(&self) -> Seq;

    /// The digest in the statement.
    fn digest(&self) -> Digest;

    /// Checks what the body carries beside its statement.
    fn check<S: Scheme>(&self, committee: &Committee<S>) -> Result<(), Rejected> {
        debug_assert!(committee.size() > 0, "a committee has members");
        Ok(())
    }
}

/// A body with its sender's signature, as it came off the wire: nothing in it is proved.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Signed<T> {
    /// The epoch in which it was said.
    pub epoch: Epoch,
    /// Who is said to have said it.
    pub from: ReplicaId,
    /// What was said.
    pub body: T,
    /// The signature over the statement of the body.
    pub signature: Signature,
}

impl<T: Signable> Signed<T> {
    /// Signs a body as member `from`.
    pub fn sign<S: Scheme>(body: T, from: ReplicaId, committee: &Committee<S>, key: &S) -> Self {
        let statement = statement(&body, committee);
        let signature = key.sign(&statement.bytes());
        Self {
            epoch: committee.epoch(),
            from,
            body,
            signature,
        }
    }

    /// Checks epoch, membership, signature and everything that the body carries.
    pub fn verify<S: Scheme>(self, committee: &Committee<S>) -> Result<Verified<T>, Rejected> {
        self.check(committee)?;
        Ok(Verified(self))
    }

    /// As [`Self::verify`], of a message that stays where it is.
    pub(crate) fn check<S: Scheme>(&self, committee: &Committee<S>) -> Result<(), Rejected> {
        if self.epoch != committee.epoch() {
            return Err(Rejected::WrongEpoch {
                epoch: self.epoch,
                ours: committee.epoch(),
            });
        }
        if !committee.contains(self.from) {
            return Err(Rejected::NotAMember { from: self.from });
        }
        let stated = statement(&self.body, committee).bytes();
        if committee.remembers(self.from, &stated, &self.signature) {
            return Ok(());
        }
        if !committee.verifies(self.from, &stated, &self.signature) {
            return Err(Rejected::BadSignature {
                from: self.from,
                kind: T::KIND,
            });
        }
        self.body.check(committee)?;
        // Only now: the statement names the whole body, so its verdict is remembered with it.
        committee.remember(self.from, &stated, &self.signature);
        Ok(())
    }
}

/// The statement of a body in a committee's chain and epoch.
fn statement<T: Signable, S: Scheme>(body: &T, committee: &Committee<S>) -> Statement {
    Statement {
        chain: committee.chain(),
        epoch: committee.epoch(),
        kind: T::KIND,
        view: body.view(),
        seq: body.seq(),
        digest: body.digest(),
    }
}

/// A message whose signature and contents have been checked; only `verify` makes one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verified<T>(Signed<T>);

impl<T> Verified<T> {
    /// A message that this replica has just signed itself.
    pub(crate) const fn own(signed: Signed<T>) -> Self {
        Self(signed)
    }

    /// What was said.
    pub const fn body(&self) -> &T {
        &self.0.body
    }

    /// Who said it.
    pub const fn from(&self) -> ReplicaId {
        self.0.from
    }

    /// The signature.
    pub const fn signature(&self) -> Signature {
        self.0.signature
    }

    /// The message as it goes over the wire.
    pub const fn as_signed(&self) -> &Signed<T> {
        &self.0
    }

    /// The message as it goes over the wire, given away.
    pub fn into_signed(self) -> Signed<T> {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_statement_is_103_bytes_in_the_documented_order() {
        let statement = Statement {
            chain: ChainId::new([0xcc; 32]),
            epoch: Epoch::new(0x0102_0304),
            kind: Kind::Commit,
            view: View::new(0x11),
            seq: Seq::new(0x2233),
            digest: Digest::new([0xdd; 32]),
        };

        let mut expected = b"aidchain/pbft/v1".to_vec();
        expected.extend([1, 0]);
        expected.extend([0xcc; 32]);
        expected.extend([4, 3, 2, 1]);
        expected.push(3);
        expected.extend([0x11, 0, 0, 0, 0, 0, 0, 0]);
        expected.extend([0x33, 0x22, 0, 0, 0, 0, 0, 0]);
        expected.extend([0xdd; 32]);

        assert_eq!(statement.bytes().to_vec(), expected);
    }

    #[test]
    fn keys_and_signatures_are_told_apart_by_their_first_bytes() {
        let mut bytes = [0xee; 32];
        bytes[..4].copy_from_slice(&[1, 2, 3, 0xaa]);
        let key = PublicKey::new(bytes);

        assert_eq!(format!("{key:?}"), "key:010203aa");
        assert_eq!(key.to_string(), format!("010203aa{}", "ee".repeat(28)));
        assert_eq!(format!("{:?}", Signature::new(&[0xab; 64])), "sig:abab");
    }

    #[test]
    fn the_key_is_not_shown_when_a_signer_is_printed() {
        let signer = Ed25519::from_seed(&[0x5a; 32]);

        let shown = format!("{signer:?}");
        assert!(!shown.contains("5a5a"));
        assert_eq!(shown, format!("Ed25519({:?})", signer.public()));
    }
}
