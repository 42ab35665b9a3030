//! Where one epoch ends and the next begins: nothing of one passes for the other.

use consensus::{
    Batch, CertifiedBlock, ChainId, Checkpoint, CheckpointCertificate, Committee, Digest, Domain,
    Effect, Epoch, Frame, Input, Log, Lost, Parameters, PrePrepare, Record, Rejected, Replica,
    ReplicaId, Scheme as _, Seq, Setup, Signed, Standing, Time, View,
};
use simulator::{KeyedHash, SimulatedScheme as _};

/// The committee of an epoch, the same four members in each.
fn committee(epoch: u32) -> Committee<KeyedHash> {
    let keys = (0..4)
        .map(|member| KeyedHash::of_member(member).public())
        .collect();
    Committee::new(ChainId::new([1; 32]), Epoch::new(epoch), keys).unwrap()
}

/// What member 1 is told in an epoch.
fn setup(epoch: u32, origin: u64, end: Option<u64>) -> Setup<KeyedHash> {
    Setup {
        committee: committee(epoch),
        key: KeyedHash::of_member(1),
        parameters: Parameters::LAN,
        origin: Seq::new(origin),
        end: end.map(Seq::new),
    }
}

/// The beginning of member 1's log, and these records.
fn log(records: impl IntoIterator<Item = Record>) -> Log {
    let key = KeyedHash::of_member(1).public();
    let (chain, first_epoch) = (ChainId::new([1; 32]), Epoch::ZERO);
    let birth = Record::Birth {
        chain,
        key,
        first_epoch,
    };
    let begin = [Record::Key { key }, birth];
    Log::Whole(begin.into_iter().chain(records).collect())
}

/// The header of a block.
fn header(seq: u64) -> Vec<u8> {
    seq.to_le_bytes().to_vec()
}

/// The hash of that header.
fn hash(seq: u64) -> Digest {
    Digest::of(Domain::Header, &header(seq))
}

/// The certificate of a block.
fn certificate(epoch: u32, seq: u64) -> CheckpointCertificate {
    let (committee, body) = (
        committee(epoch),
        Checkpoint {
            seq: Seq::new(seq),
            header: hash(seq),
        },
    );
    let sign = |member: u16| {
        let (from, key) = (ReplicaId::new(member), KeyedHash::of_member(member));
        (from, Signed::sign(body, from, &committee, &key).signature)
    };
    CheckpointCertificate {
        epoch: Epoch::new(epoch),
        seq: body.seq,
        header: body.header,
        checkpoints: [0, 2, 3].map(sign).to_vec(),
    }
}

/// The certificates of these blocks as records.
fn stable(epoch: u32, blocks: impl IntoIterator<Item = u64>) -> Vec<Record> {
    let record = |seq| Record::Stable {
        certificate: certificate(epoch, seq),
    };
    blocks.into_iter().map(record).collect()
}

/// The newest blocks of a store.
fn store(blocks: impl IntoIterator<Item = u64>) -> Vec<(Seq, Digest)> {
    let blocks = blocks.into_iter();
    blocks.map(|seq| (Seq::new(seq), hash(seq))).collect()
}

/// A replica of member 1, and what it does at its start.
fn recovered(
    setup: Setup<KeyedHash>,
    log: Log,
    store: &[(Seq, Digest)],
) -> (Replica<KeyedHash>, Vec<Effect>) {
    Replica::recover(setup, log, store, Time::ZERO).unwrap()
}

/// The proposal of an epoch's first primary, verified in that epoch.
fn proposal(epoch: u32, seq: u64) -> Input {
    let (committee, batch) = (committee(epoch), Batch::null());
    let primary = committee.primary(View::ZERO);
    let body = PrePrepare {
        view: View::ZERO,
        seq: Seq::new(seq),
        digest: batch.digest(),
    };
    let key = KeyedHash::of_member(primary.get());
    let signed = Signed::sign(body, primary, &committee, &key);
    let frame = Frame::PrePrepare(signed, batch);
    frame.verify(primary, &committee).unwrap()
}

/// Whether an effect is a vote or rests on one.
const fn signs(effect: &Effect) -> bool {
    match effect {
        Effect::Persist(_) => true,
        Effect::Broadcast(frame) | Effect::Send(_, frame) => !matches!(frame, Frame::Status(_)),
        _ => false,
    }
}

#[test]
fn a_message_that_was_verified_in_the_last_epoch_does_nothing_in_the_next() {
    let (mut replica, _) = recovered(setup(2, 0, None), log([]), &[]);

    let old = replica.step(Time::ZERO, proposal(1, 1));
    let ours = replica.step(Time::ZERO, proposal(2, 1));

    let (epoch, ours_is) = (Epoch::new(1), Epoch::new(2));
    assert_eq!(
        old,
        Err(Rejected::WrongEpoch {
            epoch,
            ours: ours_is
        })
    );
    assert!(ours.unwrap().iter().any(signs));
}

#[test]
fn a_block_that_was_proved_in_the_last_epoch_does_nothing_in_the_next() {
    let (mut replica, _) = recovered(setup(2, 0, None), log([]), &[]);
    let batch = Batch::null();
    let old = CertifiedBlock::verify(
        header(1),
        batch.digest(),
        batch,
        certificate(1, 1),
        &committee(1),
    );

    let taken = replica.step(Time::ZERO, Input::Fetched(old.unwrap()));

    assert!(
        matches!(taken, Err(Rejected::WrongEpoch { .. })),
        "{taken:?}"
    );
    assert_eq!(replica.stable(), Seq::ZERO);
}

#[test]
fn nothing_is_voted_on_beyond_an_end_that_only_the_store_knows_of() {
    let known = stable(0, [1, 2]);
    let (mut replica, _) = recovered(setup(0, 0, Some(3)), log(known.clone()), &store([1, 2]));
    let (mut ignorant, _) = recovered(setup(0, 0, None), log(known), &store([1, 2]));

    let beyond = replica.step(Time::ZERO, proposal(0, 4));

    let seq = Seq::new(4);
    assert_eq!(beyond, Err(Rejected::OutsideWindow { seq }));
    let voted = ignorant.step(Time::ZERO, proposal(0, 4)).unwrap();
    assert!(voted.iter().any(signs), "without that it would be");
}

#[test]
fn an_epoch_has_ended_when_its_last_block_and_all_below_are_executed_and_certified() {
    let end = |records: &[u64], blocks: &[u64]| {
        let log = log(stable(0, records.iter().copied()));
        let store = store(blocks.iter().copied());
        let (replica, _) = recovered(setup(0, 0, Some(3)), log, &store);
        replica.ended().map(|certificate| certificate.seq.get())
    };

    assert_eq!(end(&[1, 2, 3], &[1, 2, 3]), Some(3));
    assert_eq!(end(&[1, 2, 3], &[1, 2]), None, "the last is not executed");
    assert_eq!(end(&[1, 2], &[1, 2, 3]), None, "the last is not certified");
    assert_eq!(end(&[1, 3], &[1, 2, 3]), None, "one below is not certified");
}

#[test]
fn a_log_that_goes_on_in_a_later_epoch_signs_nothing_in_an_earlier_one() {
    let later = Record::Stable {
        certificate: certificate(1, 9),
    };
    let records = stable(0, [1, 2, 3]).into_iter().chain([later]);

    let (mut replica, mut effects) = recovered(setup(0, 0, None), log(records), &[]);
    effects.extend(replica.step(Time::ZERO, proposal(0, 4)).unwrap_or_default());

    assert_eq!(replica.standing(), Standing::Observer(Lost::Over));
    assert_eq!(replica.stable(), Seq::new(3), "it still knows what it knew");
    assert!(!effects.iter().any(signs), "{effects:?}");
}

#[test]
fn without_its_store_and_its_older_files_a_log_still_says_which_epochs_are_over() {
    let last = stable(1, [3]);
    let (replica, _) = recovered(setup(2, 3, None), log(last), &store([1, 2, 3]));

    // The log begins anew in the next epoch, before anything was signed there.
    let rolled = Log::Whole(replica.carry_over());
    let (ended, _) = recovered(setup(1, 0, None), rolled.clone(), &[]);
    let (first, _) = recovered(setup(0, 0, None), rolled.clone(), &[]);
    let (mut again, _) = recovered(setup(2, 3, None), rolled, &store([1, 2, 3]));

    assert_eq!(ended.stable(), Seq::new(3), "nothing is signed up to there");
    assert_eq!(first.standing(), Standing::Observer(Lost::Over));
    assert!(
        again
            .step(Time::ZERO, proposal(2, 4))
            .unwrap()
            .iter()
            .any(signs)
    );
}

#[test]
fn a_member_that_crashes_before_its_first_vote_in_an_epoch_votes_there_once() {
    let last = stable(1, [3]);
    let (mut first, _) = recovered(setup(2, 3, None), log(last.clone()), &store([3]));
    let voted = first.step(Time::ZERO, proposal(2, 4)).unwrap();
    let records = voted.into_iter().filter_map(|effect| match effect {
        Effect::Persist(record) => Some(record),
        _ => None,
    });

    let whole = log(last.into_iter().chain(records));
    let (mut again, _) = recovered(setup(2, 3, None), whole, &store([3]));
    let second = again.step(Time::ZERO, proposal(2, 4));

    assert_eq!(second, Err(Rejected::Known));
}
