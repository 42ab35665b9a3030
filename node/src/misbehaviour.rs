//! What evidence is, for the contract that keeps it: two votes that consensus says exclude each other.

use consensus::{Committee, Ed25519, Evidence};
use contract::contracts::evidence::{Culprit, Misbehaviour};
use contract::{ChainId, Epoch, PublicKey};

/// Judges by the rules of consensus; a pure function, so that all nodes agree.
#[derive(Clone, Copy, Debug)]
pub struct Contradictions;

impl Misbehaviour for Contradictions {
    fn epoch(&self, evidence: &[u8]) -> Option<Epoch> {
        let evidence = Evidence::decode(evidence).ok()?;
        Some(Epoch::new(evidence.epoch.get()))
    }

    fn check(
        &self,
        chain: &ChainId,
        epoch: Epoch,
        committee: &[PublicKey],
        evidence: &[u8],
    ) -> Option<Culprit> {
        let evidence = Evidence::decode(evidence).ok()?;
        let keys = committee
            .iter()
            .map(|key| consensus::PublicKey::new(*key.as_bytes()));
        let committee = Committee::<Ed25519>::new(
            consensus::ChainId::new(*chain.as_bytes()),
            consensus::Epoch::new(epoch.get()),
            keys.collect(),
        )
        .ok()?;
        evidence.verify(&committee).ok()?;
        Some(Culprit {
            place: evidence.member.get(),
            view: evidence.view.get(),
            seq: evidence.seq.get(),
        })
    }
}

#[cfg(test)]
mod tests {
    use consensus::{Digest, Kind, ReplicaId, Scheme as _, Seq, Statement, View, Vote};

    use super::*;

    const CHAIN: [u8; 32] = [7; 32];

    fn signer(seed: u8) -> Ed25519 {
        Ed25519::from_seed(&[seed; 32])
    }

    fn committee() -> Vec<PublicKey> {
        let key = |seed| PublicKey::new(*signer(seed).public().as_bytes());
        (1..=4).map(key).collect()
    }

    /// A vote of member 1 in epoch 3.
    fn vote(view: u64, kind: Kind, digest: u8) -> Vote {
        let statement = Statement {
            chain: consensus::ChainId::new(CHAIN),
            epoch: consensus::Epoch::new(3),
            kind,
            view: View::new(view),
            seq: Seq::new(9),
            digest: Digest::new([digest; 32]),
        };
        Vote {
            kind,
            digest: statement.digest,
            signature: signer(2).sign(&statement.bytes()),
        }
    }

    fn evidence(first: Vote, second: Vote) -> Evidence {
        Evidence {
            epoch: consensus::Epoch::new(3),
            member: ReplicaId::new(1),
            view: View::new(5),
            seq: Seq::new(9),
            first,
            second,
        }
    }

    fn verdict(evidence: &Evidence) -> Option<Culprit> {
        let chain = ChainId::new(CHAIN);
        Contradictions.check(&chain, Epoch::new(3), &committee(), &evidence.encode())
    }

    #[test]
    fn exactly_the_pairs_that_no_honest_member_signs_convict() {
        use Kind::{Checkpoint, Commit, NewView, PrePrepare, Prepare, ViewChange};
        let all = [PrePrepare, Prepare, Commit, Checkpoint, ViewChange, NewView];
        let guilty = |first, second| verdict(&evidence(vote(5, first, 1), vote(5, second, 2)));
        let mut pairs = Vec::new();
        for first in all {
            for second in all {
                if guilty(first, second).is_some() {
                    pairs.push((first, second));
                }
            }
        }

        let expected = [
            (PrePrepare, PrePrepare),
            (PrePrepare, Commit),
            (Prepare, Prepare),
            (Prepare, Commit),
            (Commit, PrePrepare),
            (Commit, Prepare),
            (Commit, Commit),
        ];
        assert_eq!(pairs, expected);
    }

    #[test]
    fn the_culprit_is_named_by_place_view_and_sequence_number() {
        let two = evidence(vote(5, Kind::Prepare, 1), vote(5, Kind::Prepare, 2));

        assert_eq!(
            verdict(&two),
            Some(Culprit {
                place: 1,
                view: 5,
                seq: 9
            })
        );
        assert_eq!(Contradictions.epoch(&two.encode()), Some(Epoch::new(3)));
    }

    #[test]
    fn a_primary_that_signs_different_batches_in_different_views_is_honest() {
        let first = vote(4, Kind::PrePrepare, 1);
        let second = vote(5, Kind::PrePrepare, 2);

        for (view, pair) in [
            (4, [first, second]),
            (5, [second, first]),
            (5, [first, second]),
        ] {
            let framed = Evidence {
                view: View::new(view),
                ..evidence(pair[0], pair[1])
            };
            assert_eq!(verdict(&framed), None, "claimed for view {view}");
        }
    }

    #[test]
    fn the_same_vote_twice_convicts_nobody() {
        let same = vote(5, Kind::Commit, 1);

        assert_eq!(verdict(&evidence(same, same)), None);
        let agreed = evidence(vote(5, Kind::Prepare, 1), vote(5, Kind::Commit, 1));
        assert_eq!(verdict(&agreed), None);
    }

    #[test]
    fn nobody_is_convicted_by_another_members_signature() {
        let two = evidence(vote(5, Kind::Commit, 1), vote(5, Kind::Commit, 2));

        for place in [0, 2, 3, 4] {
            let framed = Evidence {
                member: ReplicaId::new(place),
                ..two
            };
            assert_eq!(verdict(&framed), None, "member {place}");
        }
    }

    #[test]
    fn a_vote_of_another_ledger_or_epoch_convicts_nobody() {
        let two = evidence(vote(5, Kind::Commit, 1), vote(5, Kind::Commit, 2));
        let keys = committee();
        let check = |chain: [u8; 32], epoch| {
            let chain = ChainId::new(chain);
            Contradictions.check(&chain, Epoch::new(epoch), &keys, &two.encode())
        };

        assert!(check(CHAIN, 3).is_some());
        assert_eq!(check([8; 32], 3), None);
        assert_eq!(check(CHAIN, 2), None);
    }

    #[test]
    fn no_changed_bit_convicts_anybody_else_or_of_anything_else() {
        let two = evidence(vote(5, Kind::Commit, 1), vote(5, Kind::Commit, 2));
        let bytes = two.encode();
        let keys = committee();
        let chain = ChainId::new(CHAIN);
        assert_eq!(bytes.len(), consensus::EVIDENCE_BYTES);

        for bit in 0..bytes.len() * 8 {
            let mut changed = bytes.clone();
            changed[bit / 8] ^= 1 << (bit % 8);
            let verdict = Contradictions.check(&chain, Epoch::new(3), &keys, &changed);
            assert_eq!(verdict, None, "bit {bit}");
        }
        let longer = [bytes.as_slice(), &[0]].concat();
        assert_eq!(Contradictions.epoch(&longer), None);
    }
}
