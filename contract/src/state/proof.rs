//! Checking that something is, or is not, in the state.
//!
//! The tree is binary over the bits of the hashed key, from the first bit down.
//! A subtree without a leaf has the hash [`EMPTY_TREE`], one with a single leaf
//! has that leaf's hash, any other the SHA-256 of `JMT::IntrnalNode`, left hash and
//! right hash. A leaf's hash is the SHA-256 of `JMT::LeafNode`, key hash and the
//! SHA-256 of the value.

use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::state_key;
use crate::contract_id::ContractId;
use crate::encoding::{self, Blob, Malformed};
use crate::hash;
use crate::identity::Root;
use crate::limits::STATE_PROOF_BYTES_MAX;
use crate::merkle::Hash;

/// The hash of a subtree without a leaf.
pub(super) const EMPTY_TREE: &Hash = b"SPARSE_MERKLE_PLACEHOLDER_HASH__";
/// Bits of a hashed key.
const DEPTH_MAX: usize = 256;

/// The other leaf in the subtree where the key would be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Neighbour {
    /// Its hashed key.
    pub key_hash: Hash,
    /// SHA-256 of its value.
    pub value_hash: Hash,
}

/// What is under a key, or that nothing is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct StateProof {
    /// The value; none if the proof shows its absence.
    pub value: Option<Blob>,
    /// For an absence: the single leaf where the key would be, if there is one.
    pub neighbour: Option<Neighbour>,
    /// Hashes beside the way to the root, from below.
    pub siblings: Vec<Hash>,
}

/// The proof does not show what it claims.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum NotProved {
    /// More siblings than a key has bits.
    #[error("the proof is deeper than the tree can be")]
    TooDeep,
    /// A value and another leaf at once.
    #[error("the proof claims presence and absence at once")]
    Contradiction,
    /// The neighbour does not stand where the key would be.
    #[error("the neighbour in the proof does not stand where the key would be")]
    Neighbour,
    /// The hashes do not lead to the root.
    #[error("the proof does not lead to the state root")]
    Root,
}

impl StateProof {
    /// The proof's bytes.
    pub fn encode(&self) -> Vec<u8> {
        encoding::encode(self)
    }

    /// Reads a proof from exactly these bytes.
    pub fn decode(bytes: &[u8]) -> Result<Self, Malformed> {
        encoding::decode(bytes, STATE_PROOF_BYTES_MAX)
    }

    /// The value that the state with this root has under a contract's key, or none.
    pub fn verify(
        &self,
        root: &Root,
        contract: &ContractId,
        key: &[u8],
    ) -> Result<Option<&[u8]>, NotProved> {
        let key = state_key(contract, key);
        if self.siblings.len() > DEPTH_MAX {
            return Err(NotProved::TooDeep);
        }
        let start = match (&self.value, &self.neighbour) {
            (Some(_), Some(_)) => return Err(NotProved::Contradiction),
            (Some(value), None) => leaf_hash(&key, &hash::plain(&[value.as_bytes()])),
            (None, Some(neighbour)) => {
                let shared = shared_bits(&key, &neighbour.key_hash);
                if shared < self.siblings.len() || shared == DEPTH_MAX {
                    return Err(NotProved::Neighbour);
                }
                leaf_hash(&neighbour.key_hash, &neighbour.value_hash)
            }
            (None, None) => *EMPTY_TREE,
        };
        let unused = DEPTH_MAX.saturating_sub(self.siblings.len());
        let directions = bits_from_below(&key).skip(unused);
        let reached =
            self.siblings
                .iter()
                .zip(directions)
                .fold(start, |hash, (sibling, is_right)| {
                    if is_right {
                        inner_hash(sibling, &hash)
                    } else {
                        inner_hash(&hash, sibling)
                    }
                });
        if reached != *root.as_bytes() {
            return Err(NotProved::Root);
        }
        Ok(self.value.as_ref().map(Blob::as_bytes))
    }
}

/// The hash of a leaf.
pub(super) fn leaf_hash(key_hash: &Hash, value_hash: &Hash) -> Hash {
    hash::plain(&[b"JMT::LeafNode", key_hash, value_hash])
}

/// The hash of a subtree with two leaves or more.
pub(super) fn inner_hash(left: &Hash, right: &Hash) -> Hash {
    hash::plain(&[b"JMT::IntrnalNode", left, right])
}

/// How many leading bits two keys share.
fn shared_bits(a: &Hash, b: &Hash) -> usize {
    let differs = |(x, y): (&u8, &u8)| x != y;
    let whole = a.iter().zip(b).position(differs).unwrap_or(32);
    let partial = match (a.get(whole), b.get(whole)) {
        (Some(x), Some(y)) => usize::try_from((x ^ y).leading_zeros()).unwrap_or(0),
        _ => 0,
    };
    whole.saturating_mul(8).saturating_add(partial)
}

/// The bits of a key, the last first.
fn bits_from_below(key: &Hash) -> impl Iterator<Item = bool> {
    key.iter()
        .rev()
        .flat_map(|byte| (0..8_u32).map(move |bit| byte >> bit & 1 == 1))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::contract_id::IDENTITY;

    #[test]
    fn a_key_is_not_its_own_neighbour() {
        let value = b"present";
        let key = state_key(&IDENTITY, b"k");
        let neighbour = Neighbour {
            key_hash: key,
            value_hash: hash::plain(&[value]),
        };
        let root = Root::new(leaf_hash(&neighbour.key_hash, &neighbour.value_hash));
        let denied = StateProof {
            neighbour: Some(neighbour),
            ..StateProof::default()
        };

        let verdict = denied.verify(&root, &IDENTITY, b"k");

        assert_eq!(verdict, Err(NotProved::Neighbour));
    }

    #[test]
    fn a_neighbour_in_another_subtree_proves_nothing_even_under_a_forged_root() {
        let key = state_key(&IDENTITY, b"k");
        let mut elsewhere = key;
        elsewhere[0] ^= 0x80;
        let (key_hash, value_hash) = (elsewhere, [7; 32]);
        let sibling = [9; 32];
        let leaf = leaf_hash(&key_hash, &value_hash);
        let root = if key[0] >> 7 == 1 {
            inner_hash(&sibling, &leaf)
        } else {
            inner_hash(&leaf, &sibling)
        };
        let forged = StateProof {
            value: None,
            neighbour: Some(Neighbour {
                key_hash,
                value_hash,
            }),
            siblings: vec![sibling],
        };

        let verdict = forged.verify(&Root::new(root), &IDENTITY, b"k");

        assert_eq!(verdict, Err(NotProved::Neighbour));
    }

    #[test]
    fn presence_and_absence_at_once_are_refused() {
        let both = StateProof {
            value: Some(Blob::new(vec![1])),
            neighbour: Some(Neighbour {
                key_hash: [1; 32],
                value_hash: [2; 32],
            }),
            siblings: Vec::new(),
        };

        let verdict = both.verify(&Root::ZERO, &IDENTITY, b"k");

        assert_eq!(verdict, Err(NotProved::Contradiction));
    }

    #[test]
    fn a_proof_has_at_most_256_siblings() {
        let with = |count| {
            let proof = StateProof {
                siblings: vec![[0; 32]; count],
                ..StateProof::default()
            };
            proof.verify(&Root::ZERO, &IDENTITY, b"k").unwrap_err()
        };

        assert_eq!(with(256), NotProved::Root);
        assert_eq!(with(257), NotProved::TooDeep);
    }
}
