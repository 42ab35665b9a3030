//! What stands for a transaction where it is signed, named and proved.
//!
//! Of a bundle of results it is a root over the entries in place of the entries: whoever has one of them, with its path,
//! can check the author's signature and the block's proof without the others. So a member hands in many sign-ins at once,
//! and a patient's receipt names nobody else: what it holds of the others are hashes over a sid and a σ that nobody can
//! guess. Of every other transaction it is the encoded transaction itself.

use std::sync::Arc;

use super::SIGNATURE_BYTES;
use crate::identity::Root;
use crate::merkle::{self, Hash};
use crate::record::AUTH_RESULT_BYTES;

/// Where the tag of the call ends: version, chain, author, key, valid until, salt and the tag stand before.
const HEAD_BYTES: usize = 122;
/// Octets of the tag.
const TAG_BYTES: usize = 4;
/// Octets of the number of entries.
const COUNT_BYTES: usize = 8;
/// Octets of a signed bundle beside its entries.
pub const BUNDLE_FRAME_BYTES: usize = HEAD_BYTES + COUNT_BYTES + SIGNATURE_BYTES;
/// The wire numbers of the calls that are signed so: `Results` and `LateResults`.
const BUNDLES: [u32; 2] = [4, 17];

/// A signed bundle of results in its octets.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bundle<'a> {
    head: &'a [u8],
    entries: &'a [u8],
}

impl<'a> Bundle<'a> {
    /// The bundle that an encoded transaction is; none if it is none, or not of this length.
    pub(crate) fn of(body: &'a [u8]) -> Option<Self> {
        let (head, rest) = body.split_at_checked(HEAD_BYTES)?;
        let (count, entries) = rest.split_first_chunk::<COUNT_BYTES>()?;
        let count = usize::try_from(u64::from_le_bytes(*count)).ok()?;
        let fits = count.checked_mul(AUTH_RESULT_BYTES) == Some(entries.len());
        (is_bundle(head) && fits).then_some(Self { head, entries })
    }

    /// The entries.
    fn each(self) -> impl ExactSizeIterator<Item = &'a [u8]> {
        self.entries.chunks_exact(AUTH_RESULT_BYTES)
    }

    fn leaves(self) -> Vec<Hash> {
        self.each().map(merkle::leaf_hash).collect()
    }

    /// The octets that stand for it.
    fn form(self) -> Vec<u8> {
        let count = u64::try_from(self.each().len()).unwrap_or(u64::MAX);
        let root = merkle::root(&self.leaves());
        [self.head, &count.to_le_bytes(), root.as_bytes()].concat()
    }

    /// One entry, and the path from it to the root.
    pub(crate) fn entry(self, at: usize) -> Option<(&'a [u8], Vec<Hash>)> {
        let path = merkle::path(&self.leaves(), at)?;
        Some((self.each().nth(at)?, path))
    }
}

/// A bundle of which only its signed form is known.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Abridged<'a> {
    head: &'a [u8],
    /// How many entries it has.
    pub(crate) count: u64,
    /// The root over them.
    pub(crate) root: Root,
}

impl<'a> Abridged<'a> {
    /// The bundle whose signed form this is; none if it is none. No encoded bundle has this length.
    pub(crate) fn of(form: &'a [u8]) -> Option<Self> {
        let (head, rest) = form.split_at_checked(HEAD_BYTES)?;
        let (count, root) = rest.split_first_chunk::<COUNT_BYTES>()?;
        let root = Root::new(root.try_into().ok()?);
        is_bundle(head).then_some(Self {
            head,
            count: u64::from_le_bytes(*count),
            root,
        })
    }

    /// The encoded transaction with this entry alone.
    pub(crate) fn with_entry(self, entry: &[u8]) -> Vec<u8> {
        [self.head, &1_u64.to_le_bytes(), entry].concat()
    }
}

fn is_bundle(head: &[u8]) -> bool {
    head.last_chunk::<TAG_BYTES>()
        .is_some_and(|tag| BUNDLES.contains(&u32::from_le_bytes(*tag)))
}

/// The signed form of an encoded transaction: none if it is signed as it is.
pub(super) fn form(body: &[u8]) -> Option<Vec<u8>> {
    Bundle::of(body).map(Bundle::form)
}

/// What stands for a signed transaction in its block's tree, its signed form and its signature: none if the octets
/// themselves do.
pub(super) fn abridged(bytes: &[u8]) -> Option<Arc<[u8]>> {
    let (body, signature) = bytes.split_last_chunk::<SIGNATURE_BYTES>()?;
    let mut leaf = form(body)?;
    leaf.extend_from_slice(signature);
    Some(leaf.into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::encoding;
    use crate::identity::{Aid, BlockTime, ChainId, PublicKey, ServerId, SignatureBytes};
    use crate::identity::{SessionId, SuiteId};
    use crate::record::AuthResult;
    use crate::transaction::{Author, Call, Transaction};

    fn result(number: u8) -> AuthResult {
        AuthResult {
            suite: SuiteId::AIDC_1,
            server_id: ServerId::new([1; 32]),
            key_epoch: 1,
            aid: Aid::new([number; 32]),
            t1: BlockTime::new(1),
            t3: BlockTime::new(2),
            sid: SessionId::new([number; 32]),
            pk_sig: PublicKey::new([2; 32]),
            sigma: SignatureBytes::new([3; 64]),
        }
    }

    fn body(call: Call) -> Vec<u8> {
        let author = Author::Member(ServerId::new([1; 32]));
        let chain = ChainId::new([9; 32]);
        encoding::encode(&Transaction::new(
            chain,
            author,
            BlockTime::new(7),
            [5; 8],
            call,
        ))
    }

    #[test]
    fn a_bundle_in_time_and_a_late_one_are_signed_by_their_root_and_nothing_else_is() {
        let results: Vec<AuthResult> = (0..3).map(result).collect();
        let leaves: Vec<Hash> = results
            .iter()
            .map(|one| merkle::leaf_hash(&encoding::encode(one)))
            .collect();
        for call in [Call::Results(results.clone()), Call::LateResults(results)] {
            let body = body(call);
            let form = form(&body).unwrap();
            assert_eq!(form.len(), 162);
            assert_eq!(form[..130], body[..130]);
            assert_eq!(form[130..], merkle::root(&leaves).as_bytes()[..]);
        }
        for call in [
            Call::Claim(Box::new(result(1))),
            Call::Revoke(Aid::new([4; 32])),
            Call::LegacyResults(Vec::new()),
            Call::ServerClaims(Vec::new()),
        ] {
            assert_eq!(form(&body(call)), None);
        }
    }

    #[test]
    fn an_abridged_bundle_gives_each_entry_back_and_no_bundle_is_taken_for_an_abridged_one() {
        let results: Vec<AuthResult> = (0..5).map(result).collect();
        let body = body(Call::Results(results.clone()));
        let form = form(&body).unwrap();
        let abridged = Abridged::of(&form).unwrap();

        for (at, result) in results.iter().enumerate() {
            let (entry, path) = Bundle::of(&body).unwrap().entry(at).unwrap();
            let leaf = merkle::leaf_hash(entry);
            let place = u64::try_from(at).unwrap();
            let root = merkle::root_from_path(&leaf, place, abridged.count, &path);
            assert_eq!(root, Some(abridged.root));
            let alone: Transaction =
                encoding::decode(&abridged.with_entry(entry), usize::MAX).unwrap();
            assert_eq!(alone.call(), &Call::Results(vec![result.clone()]));
        }
        assert!(Bundle::of(&body).unwrap().entry(5).is_none());
        assert!(Bundle::of(&form).is_none());
        for count in 0..4 {
            let whole = body_of(count);
            assert!(Abridged::of(&whole).is_none(), "{count}");
        }
    }

    fn body_of(count: u8) -> Vec<u8> {
        body(Call::Results((0..count).map(result).collect()))
    }

    #[test]
    fn octets_that_are_no_whole_bundle_stand_for_themselves() {
        let good = body_of(2);
        for length in 0..good.len() {
            assert!(form(&good[..length]).is_none(), "{length}");
        }
        let mut more = good;
        more[122] = 3;
        assert!(form(&more).is_none());
    }
}
