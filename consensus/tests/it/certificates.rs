//! What a certificate must show, and every way in which it can fail to.

use consensus::{
    Certificate as _, ChainId, Checkpoint, CheckpointCertificate, Commit, CommitCertificate,
    Committee, Digest, Ed25519, Epoch, NewView, NewViewBody, PrePrepare, Prepare,
    PreparedCertificate, Rejected, ReplicaId, Scheme as _, Seq, Signable, Signature, Signed,
    StableProof, View, ViewChange, ViewChangeBody, WINDOW_MAX,
};

/// The keys of the members, from one seed byte each.
pub(crate) fn key(member: u16) -> Ed25519 {
    Ed25519::from_seed(&[member as u8 + 1; 32])
}

/// A committee of four.
pub(crate) fn committee(epoch: u32) -> Committee {
    let keys = (0..4).map(|member| key(member).public()).collect();
    Committee::new(ChainId::new([9; 32]), Epoch::new(epoch), keys).unwrap()
}

/// A member's signature over a body.
fn vote<T: Signable>(member: u16, body: T) -> (ReplicaId, Signature) {
    let from = ReplicaId::new(member);
    (
        from,
        Signed::sign(body, from, &committee(0), &key(member)).signature,
    )
}

/// A prepared certificate of view 0, where member 0 is primary.
pub(crate) fn prepared(seq: u64, digest: u8) -> PreparedCertificate {
    let (view, seq, digest) = (View::ZERO, Seq::new(seq), Digest::new([digest; 32]));
    let prepare = Prepare { view, seq, digest };
    PreparedCertificate {
        epoch: Epoch::ZERO,
        view,
        seq,
        digest,
        pre_prepare: vote(0, PrePrepare { view, seq, digest }).1,
        prepares: vec![vote(1, prepare), vote(3, prepare)],
    }
}

/// A commit certificate.
pub(crate) fn committed() -> CommitCertificate {
    let (view, seq, digest) = (View::new(2), Seq::new(5), Digest::new([6; 32]));
    let commit = Commit { view, seq, digest };
    let commits = [0, 1, 2].map(|member| vote(member, commit)).to_vec();
    CommitCertificate {
        epoch: Epoch::ZERO,
        view,
        seq,
        digest,
        commits,
    }
}

/// A checkpoint certificate.
pub(crate) fn checkpoint(seq: u64) -> CheckpointCertificate {
    let (seq, header) = (Seq::new(seq), Digest::new([7; 32]));
    let body = Checkpoint { seq, header };
    let checkpoints = [1, 2, 3].map(|member| vote(member, body)).to_vec();
    CheckpointCertificate {
        epoch: Epoch::ZERO,
        seq,
        header,
        checkpoints,
    }
}

/// A VIEW-CHANGE for view 1.
pub(crate) fn view_change(member: u16, prepared: Vec<PreparedCertificate>) -> Signed<ViewChange> {
    let stable = StableProof::Origin(Seq::ZERO);
    let body = ViewChange::new(ViewChangeBody {
        view: View::new(1),
        stable,
        prepared,
    });
    Signed::sign(body, ReplicaId::new(member), &committee(0), &key(member))
}

/// A NEW-VIEW for view 1 by its primary, proposing these.
pub(crate) fn new_view(
    view_changes: Vec<Signed<ViewChange>>,
    proposals: &[(u64, Digest)],
) -> Signed<NewView> {
    let (view, me) = (View::new(1), ReplicaId::new(1));
    let pre_prepares = proposals.iter().map(|(seq, digest)| {
        let body = PrePrepare {
            view,
            seq: Seq::new(*seq),
            digest: *digest,
        };
        Signed::sign(body, me, &committee(0), &key(1))
    });
    let pre_prepares = pre_prepares.collect();
    let body = NewView::new(NewViewBody {
        view,
        view_changes,
        pre_prepares,
    });
    Signed::sign(body, me, &committee(0), &key(1))
}

#[test]
fn whole_certificates_are_valid() {
    assert_eq!(prepared(4, 1).check(&committee(0)), Ok(()));
    assert_eq!(committed().check(&committee(0)), Ok(()));
    assert_eq!(checkpoint(8).check(&committee(0)), Ok(()));
}

#[test]
fn a_member_counts_once() {
    let mut twice = committed();
    twice.commits[1] = twice.commits[0];

    assert_eq!(
        twice.check(&committee(0)),
        Err(Rejected::BadCertificate { seq: Seq::new(5) })
    );
}

#[test]
fn one_vote_short_of_a_quorum_is_nothing() {
    let bad = |seq| Err(Rejected::BadCertificate { seq: Seq::new(seq) });
    let (mut one, mut two, mut three) = (prepared(4, 1), committed(), checkpoint(8));
    one.prepares.pop();
    two.commits.pop();
    three.checkpoints.pop();

    assert_eq!(one.check(&committee(0)), bad(4));
    assert_eq!(two.check(&committee(0)), bad(5));
    assert_eq!(three.check(&committee(0)), bad(8));
}

#[test]
fn a_prepare_of_the_primary_does_not_count() {
    let mut certificate = prepared(4, 1);
    let body = Prepare {
        view: View::ZERO,
        seq: Seq::new(4),
        digest: certificate.digest,
    };
    certificate.prepares = vec![vote(0, body), vote(1, body)];

    let verdict = certificate.check(&committee(0));

    assert_eq!(verdict, Err(Rejected::BadCertificate { seq: Seq::new(4) }));
}

#[test]
fn nobody_outside_the_committee_counts() {
    let mut certificate = committed();
    let body = Commit {
        view: View::new(2),
        seq: Seq::new(5),
        digest: certificate.digest,
    };
    certificate.commits[2] = vote(4, body);

    let verdict = certificate.check(&committee(0));

    assert_eq!(verdict, Err(Rejected::BadCertificate { seq: Seq::new(5) }));
}

#[test]
fn every_field_is_under_the_signatures() {
    let bad = |seq| Err(Rejected::BadCertificate { seq: Seq::new(seq) });
    let here = committee(0);

    assert_eq!(
        CommitCertificate {
            view: View::new(3),
            ..committed()
        }
        .check(&here),
        bad(5)
    );
    assert_eq!(
        CommitCertificate {
            seq: Seq::new(6),
            ..committed()
        }
        .check(&here),
        bad(6)
    );
    let digest = Digest::new([8; 32]);
    assert_eq!(
        CommitCertificate {
            digest,
            ..committed()
        }
        .check(&here),
        bad(5)
    );
    let header = digest;
    assert_eq!(
        CheckpointCertificate {
            header,
            ..checkpoint(8)
        }
        .check(&here),
        bad(8)
    );
    assert_eq!(
        PreparedCertificate {
            digest,
            ..prepared(4, 1)
        }
        .check(&here),
        bad(4)
    );
}

#[test]
fn an_epoch_speaks_for_itself_only() {
    let (epoch, ours) = (Epoch::ZERO, Epoch::new(1));
    let next = committee(1);

    assert_eq!(
        committed().check(&next),
        Err(Rejected::WrongEpoch { epoch, ours })
    );
    let relabelled = CommitCertificate {
        epoch: ours,
        ..committed()
    };
    assert_eq!(
        relabelled.check(&next),
        Err(Rejected::BadCertificate { seq: Seq::new(5) })
    );
}

#[test]
fn m1_votes_of_one_type_do_not_pass_for_another() {
    let mut certificate = committed();
    let body = Prepare {
        view: View::new(2),
        seq: Seq::new(5),
        digest: certificate.digest,
    };
    certificate.commits = [0, 1, 2].map(|member| vote(member, body)).to_vec();

    let verdict = certificate.check(&committee(0));

    assert_eq!(verdict, Err(Rejected::BadCertificate { seq: Seq::new(5) }));
}

#[test]
fn a_view_change_with_one_bad_certificate_is_refused_whole() {
    let mut bad = prepared(5, 2);
    bad.prepares.pop();
    let good = view_change(2, vec![prepared(4, 1), prepared(5, 2)]);
    let spoilt = view_change(2, vec![prepared(4, 1), bad]);

    assert!(
        good.verify(&committee(0))
            .is_ok_and(|change| change.from() == ReplicaId::new(2))
    );
    let verdict = spoilt.verify(&committee(0)).unwrap_err();
    assert_eq!(verdict, Rejected::BadCertificate { seq: Seq::new(5) });
}

#[test]
fn a_view_change_reaches_no_further_than_the_window_and_names_no_slot_twice() {
    let far = WINDOW_MAX + 1;
    let beyond = view_change(2, vec![prepared(far, 1)]);
    let twice = view_change(2, vec![prepared(4, 1), prepared(4, 1)]);

    let refused = |change: Signed<ViewChange>| change.verify(&committee(0)).unwrap_err();

    assert_eq!(
        refused(beyond),
        Rejected::BadCertificate { seq: Seq::new(far) }
    );
    assert_eq!(
        refused(twice),
        Rejected::BadCertificate { seq: Seq::new(4) }
    );
}

#[test]
fn a_signature_is_its_senders_only() {
    let body = Commit {
        view: View::ZERO,
        seq: Seq::new(1),
        digest: Digest::NULL,
    };
    let mut signed = Signed::sign(body, ReplicaId::new(1), &committee(0), &key(1));
    signed.from = ReplicaId::new(2);
    let stranger = Signed {
        from: ReplicaId::new(9),
        ..signed
    };

    let kind = consensus::Kind::Commit;
    let from = ReplicaId::new(2);
    assert_eq!(
        signed.verify(&committee(0)).unwrap_err(),
        Rejected::BadSignature { from, kind }
    );
    let from = ReplicaId::new(9);
    assert_eq!(
        stranger.verify(&committee(0)).unwrap_err(),
        Rejected::NotAMember { from }
    );
}

#[test]
fn of_two_batches_prepared_at_one_place_the_one_of_the_higher_view_is_proposed_again() {
    let older = prepared(2, 5);
    let newer = PreparedCertificate {
        view: View::new(1),
        ..prepared(2, 6)
    };
    let change = |member, certificate| {
        let body = ViewChangeBody {
            view: View::new(2),
            stable: StableProof::Origin(Seq::ZERO),
            prepared: vec![certificate],
        };
        Signed::sign(
            ViewChange::new(body),
            ReplicaId::new(member),
            &committee(0),
            &key(member),
        )
    };
    let (first, second) = (change(1, older), change(2, newer));

    let expected = vec![
        (Seq::new(1), Digest::NULL),
        (Seq::new(2), Digest::new([6; 32])),
    ];
    assert_eq!(
        consensus::reproposals(&[first.clone(), second.clone()]),
        expected
    );
    assert_eq!(consensus::reproposals(&[second, first]), expected);
}
