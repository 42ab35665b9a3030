//! V2, V3, V7, V13, V14: what a NEW-VIEW must show before anybody believes it.

use consensus::{ChainId, Scheme as _};
use consensus::{
    CheckpointCertificate, Committee, Digest, Ed25519, Epoch, NewView, NewViewBody, Rejected,
    ReplicaId, Seq, Signed, StableProof, View, ViewChange, ViewChangeBody,
};

use crate::certificates::{checkpoint, committee, key, new_view, prepared, view_change};

/// A VIEW-CHANGE for view 1 by a member with this stable checkpoint.
fn at(member: u16, stable: CheckpointCertificate) -> Signed<ViewChange> {
    let body = ViewChangeBody {
        view: View::new(1),
        stable: StableProof::Certified(stable),
        prepared: Vec::new(),
    };
    let body = ViewChange::new(body);
    Signed::sign(body, ReplicaId::new(member), &committee(0), &key(member))
}

#[test]
fn v2_a_new_view_is_what_follows_from_its_view_changes_and_nothing_else() {
    let changes = || {
        vec![
            view_change(0, vec![]),
            view_change(2, vec![prepared(2, 5)]),
            view_change(3, vec![]),
        ]
    };
    let (null, five, six) = (Digest::NULL, Digest::new([5; 32]), Digest::new([6; 32]));
    let bad = Rejected::BadNewView { view: View::new(1) };
    let refused = |view: Signed<NewView>| view.verify(&committee(0)).unwrap_err();

    let right = new_view(changes(), &[(1, null), (2, five)]);
    assert!(
        right
            .verify(&committee(0))
            .is_ok_and(|view| view.from() == ReplicaId::new(1))
    );

    assert_eq!(refused(new_view(changes(), &[(1, null), (2, six)])), bad);
    assert_eq!(refused(new_view(changes(), &[(1, null), (2, null)])), bad);
    assert_eq!(refused(new_view(changes(), &[(1, null)])), bad);
    assert_eq!(
        refused(new_view(changes(), &[(1, null), (2, five), (3, six)])),
        bad
    );
}

#[test]
fn v3_a_new_view_needs_a_quorum_of_distinct_members() {
    let bad = Rejected::BadNewView { view: View::new(1) };
    let refused = |view: Signed<NewView>| view.verify(&committee(0)).unwrap_err();
    let change = |member| view_change(member, vec![]);

    assert_eq!(refused(new_view(vec![change(0), change(2)], &[])), bad);
    assert_eq!(
        refused(new_view(vec![change(0), change(2), change(2)], &[])),
        bad
    );
}

#[test]
fn v7_the_highest_checkpoint_counts_though_one_member_alone_proves_it() {
    let changes = || {
        vec![
            view_change(0, vec![prepared(3, 5)]),
            at(2, checkpoint(8)),
            at(3, checkpoint(4)),
        ]
    };
    let (bad, null) = (Rejected::BadNewView { view: View::new(1) }, Digest::NULL);

    let begins = new_view(changes(), &[]).verify(&committee(0));
    let again = new_view(changes(), &[(5, null), (6, null)]).verify(&committee(0));

    assert_eq!(consensus::start(&changes()), Seq::new(8));
    assert_eq!(begins.map(|one| one.from()), Ok(ReplicaId::new(1)));
    assert_eq!(again.unwrap_err(), bad);
}

#[test]
fn v14_a_former_member_has_no_part_in_a_new_view() {
    let epoch = Epoch::new(1);
    let keys = [0, 1, 2, 7].map(|member| key(member).public());
    let now = Committee::<Ed25519>::new(ChainId::new([9; 32]), epoch, keys.to_vec()).unwrap();
    let before = committee(1);
    let change = |place: u16, signer: u16, committee: &Committee| {
        let body = ViewChangeBody {
            view: View::ZERO.next(),
            stable: StableProof::Origin(Seq::ZERO),
            prepared: Vec::new(),
        };
        Signed::sign(
            ViewChange::new(body),
            ReplicaId::new(place),
            committee,
            &key(signer),
        )
    };
    let begin = |third: Signed<ViewChange>| {
        let body = NewViewBody {
            view: View::ZERO.next(),
            view_changes: vec![change(0, 0, &now), change(1, 1, &now), third],
            pre_prepares: Vec::new(),
        };
        Signed::sign(NewView::new(body), ReplicaId::new(2), &now, &key(2)).verify(&now)
    };

    let member = begin(change(3, 7, &now));
    let former = begin(change(3, 3, &before));
    let relabelled = begin(Signed {
        epoch,
        ..change(2, 2, &committee(0))
    });

    assert_eq!(member.map(|one| one.from()), Ok(ReplicaId::new(2)));
    let kind = consensus::Kind::ViewChange;
    let refused = |place| Rejected::BadSignature {
        from: ReplicaId::new(place),
        kind,
    };
    assert_eq!(former.unwrap_err(), refused(3));
    assert_eq!(relabelled.unwrap_err(), refused(2));
}
