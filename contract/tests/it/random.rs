//! Random ledgers: whatever is ordered, every node and every height agrees.

use contract::contracts::identity;
use contract::{Call, CheckedBatch, Height, MemoryState, Snapshot, Status, WriteSet, check_batch};
use proptest::prelude::*;

use crate::consortium::{Consortium, Patient, renewed, server_record, time};

/// One thing that may be ordered.
#[derive(Clone, Copy, Debug)]
enum Step {
    Register(u8),
    Revoke(u8),
    Shred(u8),
    SetServer(usize, u8),
    SignIn(u8, usize),
    Nothing,
    Null,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        3 => (1..30_u8).prop_map(Step::Register),
        1 => (1..30_u8).prop_map(Step::Revoke),
        1 => (1..30_u8).prop_map(Step::Shred),
        1 => (0..4_usize, 0..4_u8).prop_map(|(member, epoch)| Step::SetServer(member, epoch)),
        3 => (1..30_u8, 0..4_usize).prop_map(|(patient, member)| Step::SignIn(patient, member)),
        1 => Just(Step::Nothing),
        1 => Just(Step::Null),
    ];
    proptest::collection::vec(step, 1..40)
}

/// The batch that orders a step.
fn batch_of(ledger: &mut Consortium, step: Step, at: u64) -> CheckedBatch {
    let transaction = match step {
        Step::Register(seed) => {
            let registration = Patient::new(seed).registration(ledger.chain());
            ledger.by_member(0, Call::Register(Box::new(registration)))
        }
        Step::Revoke(seed) => ledger.by_member(0, Call::Revoke(Patient::new(seed).record.aid)),
        Step::Shred(seed) => ledger.by_member(0, Call::Shred(Patient::new(seed).record.aid)),
        Step::SetServer(member, key_epoch) => {
            let record = renewed(&server_record(ledger.genesis.content(), member), key_epoch);
            ledger.by_member(member, Call::SetServer(record))
        }
        Step::SignIn(seed, member) => {
            let result = ledger.result(&Patient::new(seed), member, seed);
            ledger.by_member(member, Call::Results(vec![result]))
        }
        Step::Nothing => return ledger.checked(time(at), &[]),
        Step::Null => {
            return check_batch(
                &[],
                ledger.genesis.chain(),
                ledger.genesis.parameters(),
                time(at),
                |_| false,
            )
            .unwrap();
        }
    };
    ledger.checked(time(at), &[transaction])
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn every_height_of_every_ledger_agrees_with_its_header(steps in steps()) {
        let mut ledger = Consortium::secure();
        let mut twin = Consortium::secure();
        let mut keeps_all = ledger.state.clone();
        let mut roots = vec![ledger.tip.header().state_root];

        for (at, step) in (0_u64..).step_by(300).zip(steps) {
            let batch = batch_of(&mut ledger, step, at);
            let execution = ledger.apply(&batch);
            prop_assert_eq!(&twin.apply(&batch), &execution);
            keeps_all.apply(&WriteSet {
                entries: execution.writes().entries.clone(),
                stale: Vec::new(),
            });
            roots.push(execution.header().state_root);
        }

        check_heights(&keeps_all, &roots);
        check_patients(&ledger);
    }
}

/// A store that deletes nothing proves every height against its own header.
fn check_heights(state: &MemoryState, roots: &[contract::Root]) {
    for (height, root) in (0..).map(Height::new).zip(roots) {
        let snapshot = Snapshot::new(state, height);
        assert_eq!(snapshot.root().unwrap(), *root, "height {height}");
        let key = identity::identity_key(&Patient::new(3).record.aid);
        let proof = snapshot.prove(&identity::ID, &key).unwrap();
        let stored = snapshot.get(&identity::ID, &key).unwrap();
        assert_eq!(
            proof.verify(root, &identity::ID, &key),
            Ok(stored.as_deref()),
            "height {height}"
        );
    }
}

/// Every patient's presence or absence is proved, and tombstones stay.
fn check_patients(ledger: &Consortium) {
    let snapshot = ledger.snapshot();
    let root = ledger.tip.header().state_root;
    for seed in 1..30 {
        let aid = Patient::new(seed).record.aid;
        let key = identity::identity_key(&aid);
        let proof = snapshot.prove(&identity::ID, &key).unwrap();
        let found = identity::identity_at(&snapshot, &aid).unwrap();
        let proved = proof.verify(&root, &identity::ID, &key).unwrap();
        assert_eq!(proved.is_some(), found.is_some());
        if let Some(found) = found {
            assert_eq!(
                found.status() == Status::Active,
                found.since == found.changed
            );
        }
    }
}
