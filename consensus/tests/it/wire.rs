//! The wire: a pinned hash for each type, and decoders that take nothing but what was encoded.

use consensus::{
    Batch, ChainId, Checkpoint, Commit, Digest, Domain, Ed25519, Epoch, Frame, Members, OpenSlot,
    PrePrepare, Prepare, Record, ReplicaId, Scheme as _, Seq, Signable, Signed, Status, View,
};
use proptest::prelude::*;

use crate::certificates::{checkpoint, committed, committee, new_view, prepared, view_change};

/// A body signed by member 1.
fn signed<T: Signable>(body: T) -> Signed<T> {
    Signed::sign(
        body,
        ReplicaId::new(1),
        &committee(0),
        &Ed25519::from_seed(&[2; 32]),
    )
}

/// One frame of each type, with its name.
fn frames() -> Vec<(&'static str, Frame)> {
    let batch = Batch::new(&b"a batch"[..]);
    let (view, seq, digest) = (View::new(3), Seq::new(4), batch.digest());
    let header = Digest::new([7; 32]);
    let members: Members = [0, 2].map(ReplicaId::new).into_iter().collect();
    let open = OpenSlot {
        seq,
        lacks_batch: Some(digest),
        pre_prepare: true,
        prepared: false,
        committed: false,
        prepares: members,
        commits: members,
    };
    let status = Status {
        epoch: Epoch::ZERO,
        view,
        active: true,
        stable: Seq::new(2),
        executed: Seq::new(3),
        open: vec![open],
        checkpoints: vec![(Seq::new(3), members)],
        view_changes: members,
    };
    vec![
        (
            "pre-prepare",
            Frame::PrePrepare(signed(PrePrepare { view, seq, digest }), batch.clone()),
        ),
        (
            "prepare",
            Frame::Prepare(signed(Prepare { view, seq, digest })),
        ),
        (
            "commit",
            Frame::Commit(signed(Commit { view, seq, digest })),
        ),
        (
            "checkpoint",
            Frame::Checkpoint(signed(Checkpoint { seq, header })),
        ),
        (
            "view-change",
            Frame::ViewChange(view_change(2, vec![prepared(4, 1)])),
        ),
        ("new-view", Frame::NewView(new_view(changes(), &[]))),
        ("prepared", Frame::Prepared(prepared(4, 1))),
        ("committed", Frame::Committed(committed())),
        ("stable", Frame::Stable(checkpoint(8))),
        ("batch", Frame::Batch(batch)),
        ("status", Frame::Status(status)),
    ]
}

/// One record of each type, with its name.
fn records() -> Vec<(&'static str, Record)> {
    let key = Ed25519::from_seed(&[2; 32]).public();
    let (chain, first_epoch) = (ChainId::new([9; 32]), Epoch::ZERO);
    let batch = Batch::new(&b"a batch"[..]);
    let (view, seq, digest) = (View::new(3), Seq::new(4), batch.digest());
    vec![
        ("key", Record::Key { key }),
        (
            "birth",
            Record::Birth {
                chain,
                key,
                first_epoch,
            },
        ),
        (
            "accepted",
            Record::Accepted {
                pre_prepare: signed(PrePrepare { view, seq, digest }),
                batch: Some(batch.clone()),
                prepare: Some(signed(Prepare { view, seq, digest })),
            },
        ),
        (
            "prepared",
            Record::Prepared {
                certificate: prepared(4, 1),
                commit: Some(signed(Commit { view, seq, digest })),
            },
        ),
        (
            "committed",
            Record::Committed {
                certificate: committed(),
                batch: Some(batch.clone()),
            },
        ),
        (
            "caught-up",
            Record::CaughtUp {
                header: vec![1, 2],
                body: batch,
                certificate: checkpoint(8),
            },
        ),
        (
            "checkpoint",
            Record::Checkpoint {
                own: signed(Checkpoint {
                    seq,
                    header: Digest::new([7; 32]),
                }),
            },
        ),
        (
            "stable",
            Record::Stable {
                certificate: checkpoint(8),
            },
        ),
        (
            "view-change",
            Record::ViewChange(view_change(2, vec![prepared(4, 1)])),
        ),
        ("new-view", Record::NewView(new_view(changes(), &[]))),
    ]
}

/// VIEW-CHANGEs of a quorum, nothing prepared.
fn changes() -> Vec<Signed<consensus::ViewChange>> {
    [0, 2, 3].map(|member| view_change(member, vec![])).to_vec()
}

/// The first half of the hash of some bytes.
fn hash(bytes: &[u8]) -> String {
    Digest::of(Domain::Batch, bytes).to_string()[..16].to_owned()
}

#[test]
fn the_bytes_of_every_frame_are_pinned() {
    let hashes: Vec<_> = frames()
        .iter()
        .map(|(name, frame)| (*name, hash(&frame.encode())))
        .collect();

    let pinned = [
        ("pre-prepare", "ce721574c040359b"),
        ("prepare", "6d03535e27398751"),
        ("commit", "81bbc870de1df756"),
        ("checkpoint", "8f9a675e37b30042"),
        ("view-change", "fe9aa55f7b63cb8b"),
        ("new-view", "cb302c5a3008e7af"),
        ("prepared", "caed63b45f05120f"),
        ("committed", "7be07567b3c13838"),
        ("stable", "2486d9070f00bf93"),
        ("batch", "21b365844dec58d1"),
        ("status", "46919aee794e6c98"),
    ];
    assert_eq!(hashes, pinned.map(|(name, hash)| (name, hash.to_owned())));
}

#[test]
fn the_bytes_of_every_record_are_pinned() {
    let hashes: Vec<_> = records()
        .iter()
        .map(|(name, record)| (*name, hash(&record.encode())))
        .collect();

    let pinned = [
        ("key", "07589f029de4ac70"),
        ("birth", "1a013b81703034eb"),
        ("accepted", "1846acb07bdeb575"),
        ("prepared", "d40ae56d3b7aa797"),
        ("committed", "d1bb2eea30f9e1d3"),
        ("caught-up", "15b1754e2c19a920"),
        ("checkpoint", "8c65d1c884f37f7e"),
        ("stable", "5820b6c54f70ac02"),
        ("view-change", "d95d1ce1844e7e81"),
        ("new-view", "59edf6054d7182ef"),
    ];
    assert_eq!(hashes, pinned.map(|(name, hash)| (name, hash.to_owned())));
}

#[test]
fn every_frame_and_record_comes_back_from_its_bytes() {
    for (name, frame) in frames() {
        assert_eq!(Frame::decode(&frame.encode()), Ok(frame), "{name}");
    }
    for (name, record) in records() {
        assert_eq!(Record::decode(&record.encode()), Ok(record), "{name}");
    }
}

#[test]
fn a_batch_beside_another_proposal_is_refused() {
    let batch = Batch::new(&b"a batch"[..]);
    let digest = batch.digest();
    let body = PrePrepare {
        view: View::new(1),
        seq: Seq::new(1),
        digest,
    };
    let frame = Frame::PrePrepare(signed(body), Batch::new(&b"another"[..]));

    let verdict = frame.verify(ReplicaId::new(1), &committee(0)).unwrap_err();

    let came = Batch::new(&b"another"[..]).digest();
    assert_eq!(
        verdict,
        consensus::Rejected::OtherBatch {
            named: digest,
            came
        }
    );
}

#[test]
fn a_status_that_lists_more_than_any_window_holds_is_refused() {
    let (_, frame) = frames().pop().unwrap();
    let Frame::Status(status) = frame else {
        panic!("the last frame is a STATUS")
    };
    let from = ReplicaId::new(1);
    let listing = |count| {
        let open = vec![status.open[0]; count];
        Frame::Status(Status {
            open,
            ..status.clone()
        })
        .verify(from, &committee(0))
    };

    assert!(listing(192).is_ok_and(|input| matches!(input, consensus::Input::Status { .. })));
    assert_eq!(listing(193), Err(consensus::Rejected::Oversized { from }));
}

proptest! {
    #[test]
    fn bytes_that_decode_encode_to_themselves(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
        if let Ok(frame) = Frame::decode(&bytes) {
            prop_assert_eq!(frame.encode(), bytes.clone());
        }
        if let Ok(record) = Record::decode(&bytes) {
            prop_assert_eq!(record.encode(), bytes);
        }
    }

    #[test]
    fn a_changed_frame_is_refused_or_is_another_frame(
        which in 0_usize..11, place in any::<prop::sample::Index>(), flip in 1_u8..,
    ) {
        let (_, frame) = frames().swap_remove(which);
        let mut bytes = frame.encode();
        let place = place.index(bytes.len());
        bytes[place] ^= flip;

        if let Ok(other) = Frame::decode(&bytes) {
            prop_assert_ne!(&other, &frame);
            prop_assert_eq!(other.encode(), bytes);
        }
    }

    #[test]
    fn a_changed_certificate_or_message_is_not_verified(
        which in 0_usize..9, place in any::<prop::sample::Index>(), flip in 1_u8..,
    ) {
        let (name, frame) = frames().swap_remove(which);
        let mut bytes = frame.encode();
        let place = place.index(bytes.len());
        bytes[place] ^= flip;

        if let Ok(other) = Frame::decode(&bytes) {
            let verdict = other.verify(ReplicaId::new(1), &committee(0));
            let input = verdict.ok().filter(|input| !matches!(input,
                consensus::Input::Message(consensus::Message::Batch(_)) | consensus::Input::Status { .. }));
            prop_assert_eq!(input, None, "{} at {}", name, place);
        }
    }
}
