//! A damaged or failing store ends in an error that says so: no panic, no wrong block.

use std::cell::Cell;

use contract::contracts::identity;
use contract::{
    Call, CannotExecute, Height, MemoryState, Snapshot, StateError, StateReader, Table, execute,
};

use crate::consortium::{Consortium, Patient};

/// What goes wrong at one read.
#[derive(Clone, Copy, Debug)]
enum Fault {
    Fails,
    FindsNothing,
    FindsAnotherValue,
}

/// A store whose n-th read goes wrong.
struct Damaged<'a> {
    inner: &'a MemoryState,
    reads_left: Cell<usize>,
    fault: Fault,
}

impl StateReader for Damaged<'_> {
    fn newest(
        &self,
        table: Table,
        prefix: &[u8],
        height: Height,
    ) -> Result<Option<(Height, Vec<u8>)>, StateError> {
        let found = self.inner.newest(table, prefix, height)?;
        let left = self.reads_left.get();
        self.reads_left.set(left.wrapping_sub(1));
        if left != 0 {
            return Ok(found);
        }
        match self.fault {
            Fault::Fails => Err(StateError::Unreadable("disk on fire".into())),
            Fault::FindsNothing => Ok(None),
            Fault::FindsAnotherValue => Ok(Some((height, vec![0xff; 40]))),
        }
    }
}

const fn damaged(inner: &MemoryState, at: usize, fault: Fault) -> Damaged<'_> {
    Damaged {
        inner,
        reads_left: Cell::new(at),
        fault,
    }
}

/// A ledger with enough patients that its tree has some depth.
fn populated() -> Consortium {
    let mut ledger = Consortium::secure();
    for seed in 2..40 {
        let registration = Box::new(Patient::new(seed).registration(ledger.chain()));
        let transaction = ledger.by_member(0, Call::Register(registration));
        ledger.one(transaction);
    }
    ledger
}

#[test]
fn a_failing_read_stops_the_execution_whichever_it_is() {
    let mut ledger = populated();
    let registration = Box::new(Patient::new(90).registration(ledger.chain()));
    let transaction = ledger.by_member(0, Call::Register(registration));
    let batch = ledger.checked(ledger.tip.header().time, &[transaction]);
    let intact = execute(&ledger.state, &ledger.tip, &batch).unwrap();
    let mut failures = 0;

    for at in 0..200 {
        let store = damaged(&ledger.state, at, Fault::Fails);
        match execute(&store, &ledger.tip, &batch) {
            Err(CannotExecute::State(_)) => failures += 1,
            Ok(execution) => assert_eq!(execution, intact),
            Err(CannotExecute::ContractMissing { .. } | CannotExecute::ProtocolMissing { .. }) => {
                unreachable!("nothing is missing")
            }
        }
    }

    assert!((5..200).contains(&failures), "{failures} reads");
}

#[test]
fn a_value_that_is_not_ours_stops_the_execution() {
    let mut ledger = populated();
    let revoke = ledger.by_member(0, Call::Revoke(Patient::new(5).record.aid));
    let batch = ledger.checked(ledger.tip.header().time, &[revoke]);

    for at in 0..3 {
        let store = damaged(&ledger.state, at, Fault::FindsAnotherValue);
        let error = execute(&store, &ledger.tip, &batch).unwrap_err();
        assert!(matches!(error, CannotExecute::State(_)), "read {at}");
    }
}

/// A store that lost the nodes of its tree and kept the values.
struct WithoutNodes<'a>(&'a MemoryState);

impl StateReader for WithoutNodes<'_> {
    fn newest(
        &self,
        table: Table,
        prefix: &[u8],
        height: Height,
    ) -> Result<Option<(Height, Vec<u8>)>, StateError> {
        match table {
            Table::Nodes => Ok(None),
            Table::Values => self.0.newest(table, prefix, height),
        }
    }
}

#[test]
fn a_lost_tree_is_not_taken_for_an_empty_one() {
    let mut ledger = populated();
    let registration = Box::new(Patient::new(90).registration(ledger.chain()));
    let transaction = ledger.by_member(0, Call::Register(registration));
    let batch = ledger.checked(ledger.tip.header().time, &[transaction]);

    let error = execute(&WithoutNodes(&ledger.state), &ledger.tip, &batch).unwrap_err();

    assert!(matches!(error, CannotExecute::State(_)));
}

#[test]
fn a_damaged_tree_proves_nothing_that_is_not_so() {
    let ledger = populated();
    let key = identity::identity_key(&Patient::new(20).record.aid);
    let root = ledger.tip.header().state_root;
    let stored = ledger.snapshot().get(&identity::ID, &key).unwrap();
    let mut errors = 0;

    for fault in [Fault::Fails, Fault::FindsNothing, Fault::FindsAnotherValue] {
        for at in 0..4 {
            let store = damaged(&ledger.state, at, fault);
            let snapshot = Snapshot::new(&store, ledger.tip.height());
            let Ok(proof) = snapshot.prove(&identity::ID, &key) else {
                errors += 1;
                continue;
            };
            if let Ok(proved) = proof.verify(&root, &identity::ID, &key) {
                assert_eq!(proved, stored.as_deref(), "{fault:?} at {at}");
            }
        }
    }

    assert!(errors >= 8, "{errors} errors");
}
