//! A node that remembers which signatures are valid checks none twice, and believes no other.

use std::sync::Arc;

use consensus::{
    Batch, ChainId, Committee, Epoch, Frame, NewView, NewViewBody, PrePrepare, Prepare,
    PreparedCertificate, Rejected, ReplicaId, Scheme as _, Seq, Signed, StableProof, View,
    ViewChange, ViewChangeBody, WINDOW_MAX, reproposals,
};
use simulator::{Checks, KeyedHash, SimulatedScheme as _};

/// The most members.
const MEMBERS: u16 = 31;

/// A quorum of them.
const QUORUM: u16 = 21;

/// The members, as a host without a memory has them.
fn committee() -> Committee<KeyedHash> {
    let keys = (0..MEMBERS).map(|member| KeyedHash::of_member(member).public());
    Committee::new(ChainId::new([1; 32]), Epoch::ZERO, keys.collect()).unwrap()
}

/// The members at a host with a memory, and the memory.
fn remembering() -> (Committee<KeyedHash>, Arc<Checks>) {
    let checks = Arc::<Checks>::default();
    let memory: Arc<dyn consensus::Memory> = Arc::<Checks>::clone(&checks);
    (committee().remembering(memory), checks)
}

/// A message of a member.
fn signed<T: consensus::Signable>(member: u16, body: T) -> Signed<T> {
    let key = KeyedHash::of_member(member);
    Signed::sign(body, ReplicaId::new(member), &committee(), &key)
}

/// The batch at a place.
fn batch(seq: u64) -> Batch {
    Batch::new(seq.to_le_bytes().to_vec())
}

/// A backup's agreement in view 0.
fn prepare(member: u16, seq: u64) -> Signed<Prepare> {
    let (view, digest) = (View::ZERO, batch(seq).digest());
    let seq = Seq::new(seq);
    signed(member, Prepare { view, seq, digest })
}

/// The primary's proposal in view 0.
fn proposal(seq: u64) -> Signed<PrePrepare> {
    let (view, digest) = (View::ZERO, batch(seq).digest());
    let seq = Seq::new(seq);
    signed(0, PrePrepare { view, seq, digest })
}

/// A certificate of `QUORUM` − 1 backups from this one on: each member has other ones.
fn prepared(first: u16, seq: u64) -> PreparedCertificate {
    let backups = (0..QUORUM - 1).map(|backup| 1 + (first + backup) % (MEMBERS - 1));
    let mut prepares: Vec<_> = backups
        .map(|backup| (ReplicaId::new(backup), prepare(backup, seq).signature))
        .collect();
    prepares.sort_by_key(|(member, _)| *member);
    PreparedCertificate {
        epoch: Epoch::ZERO,
        view: View::ZERO,
        seq: Seq::new(seq),
        digest: batch(seq).digest(),
        pre_prepare: proposal(seq).signature,
        prepares,
    }
}

/// A VIEW-CHANGE with a full window of prepared places.
fn view_change(member: u16) -> Signed<ViewChange> {
    let body = ViewChangeBody {
        view: View::new(1),
        stable: StableProof::Origin(Seq::ZERO),
        prepared: (1..=WINDOW_MAX).map(|seq| prepared(member, seq)).collect(),
    };
    signed(member, ViewChange::new(body))
}

/// The NEW-VIEW over these.
fn new_view(view_changes: Vec<Signed<ViewChange>>) -> Signed<NewView> {
    let view = View::new(1);
    let again = reproposals(&view_changes).into_iter();
    let pre_prepares = again.map(|(seq, digest)| signed(1, PrePrepare { view, seq, digest }));
    let body = NewViewBody {
        view,
        pre_prepares: pre_prepares.collect(),
        view_changes,
    };
    signed(1, NewView::new(body))
}

/// Checks a frame and says how many of its signatures were not known.
fn checked(committee: &Committee<KeyedHash>, checks: &Checks, frame: Frame) -> u32 {
    looked_at(committee, checks, frame).0
}

/// Checks a frame and says how many of its signatures were not known, and how many were.
fn looked_at(committee: &Committee<KeyedHash>, checks: &Checks, frame: Frame) -> (u32, u32) {
    let before = checks.counts();
    frame.verify(ReplicaId::new(1), committee).unwrap();
    let after = checks.counts();
    (after.0 - before.0, after.1 - before.1)
}

#[test]
fn a_view_change_of_31_members_with_full_windows_brings_few_signatures_that_are_not_known() {
    let (committee, checks) = remembering();
    for seq in 1..=WINDOW_MAX {
        let proposed = Frame::PrePrepare(proposal(seq), batch(seq));
        checked(&committee, &checks, proposed);
        for backup in 1..MEMBERS {
            checked(&committee, &checks, Frame::Prepare(prepare(backup, seq)));
        }
    }
    let changes: Vec<_> = (0..QUORUM).map(view_change).collect();

    let first = checked(&committee, &checks, Frame::ViewChange(changes[0].clone()));
    let others = changes[1..]
        .iter()
        .map(|change| checked(&committee, &checks, Frame::ViewChange(change.clone())));
    let others: Vec<u32> = others.collect();
    let begun = Frame::NewView(new_view(changes));
    let last = looked_at(&committee, &checks, begun.clone());
    let again = looked_at(&committee, &checks, begun);

    // A VIEW-CHANGE brings its own, a NEW-VIEW also those of the proposals in it.
    assert_eq!(first, 1);
    assert_eq!(others, [1; QUORUM as usize - 1]);
    // The VIEW-CHANGEs in it are known as a whole, and so is itself when others send it again.
    assert_eq!(last, (1 + 64, u32::from(QUORUM)));
    assert_eq!(again, (0, 1));
    // Without a memory it would be more than a second of one core at 32 µs each.
    let all = (1 + u32::from(QUORUM) * 64) * u32::from(QUORUM);
    assert!(all * 32 > 900_000);
}

#[test]
fn what_is_remembered_of_one_member_speaks_for_no_other_and_for_no_other_words() {
    let (committee, checks) = remembering();
    let good = prepare(2, 5);
    let again = Frame::Prepare(good.clone());
    assert_eq!(checked(&committee, &checks, again.clone()), 1);
    assert_eq!(checked(&committee, &checks, again), 0);

    let stolen = Signed {
        from: ReplicaId::new(3),
        ..good
    };
    let moved = Prepare {
        seq: Seq::new(6),
        ..good.body
    };
    let moved = Signed {
        body: moved,
        ..good
    };
    let forged = Signed {
        signature: prepare(2, 6).signature,
        ..good
    };

    for lie in [stolen, moved, forged] {
        for _ in 0..2 {
            let verdict = Frame::Prepare(lie.clone()).verify(lie.from, &committee);
            assert!(
                matches!(verdict, Err(Rejected::BadSignature { .. })),
                "{lie:?}"
            );
        }
    }
}

#[test]
fn a_message_whose_contents_are_not_proved_is_refused_as_often_as_it_comes() {
    let (committee, _) = remembering();
    let mut body = view_change(2).body.body().clone();
    body.prepared[3].prepares[5].1 = prepare(9, 1).signature;
    let lie = signed(2, ViewChange::new(body));

    for _ in 0..2 {
        let verdict = Frame::ViewChange(lie.clone()).verify(lie.from, &committee);

        assert!(matches!(verdict, Err(Rejected::BadCertificate { .. })));
    }
}
