//! Random votes: whatever members ask in whatever order, the consortium stays one.

use std::collections::{BTreeMap, BTreeSet};

use contract::contracts::membership::{
    MembershipChange, PastEpoch, committee_of, epoch_at, faults, keys, parameters_at, quorum,
};
use contract::genesis::committee_digest;
use contract::identity::ChangeId;
use contract::{Author, Call, Epoch, Execution, Outcome, Output, PublicKey, Role, ServerId};
use ed25519_dalek::SigningKey;
use proptest::prelude::*;

use crate::consortium::Consortium;
use crate::governance::{Newcomer, adding};

/// One thing that somebody asks.
#[derive(Clone, Copy, Debug)]
enum Step {
    Add { by: u8, who: u8 },
    Remove { by: u8, whom: u8, aloud: bool },
    Both { by: u8, who: u8, whom: u8 },
    Set { by: u8, window: u64 },
    Approve { by: u8, which: u8 },
    Cancel { by: u8, which: u8 },
    Ready { who: u8 },
    Rejoin { by: u8 },
    Wait { blocks: u8, ms: u64 },
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let (by, who, which) = (0..12_u8, 60..68_u8, 0..8_u8);
    let step = prop_oneof![
        3 => (by.clone(), who.clone()).prop_map(|(by, who)| Step::Add { by, who }),
        2 => (by.clone(), by.clone(), any::<bool>())
            .prop_map(|(by, whom, aloud)| Step::Remove { by, whom, aloud }),
        1 => (by.clone(), who.clone(), by.clone())
            .prop_map(|(by, who, whom)| Step::Both { by, who, whom }),
        1 => (by.clone(), 4..9_u64).prop_map(|(by, window)| Step::Set { by, window }),
        12 => (by.clone(), which.clone()).prop_map(|(by, which)| Step::Approve { by, which }),
        1 => (by.clone(), which).prop_map(|(by, which)| Step::Cancel { by, which }),
        6 => who.prop_map(|who| Step::Ready { who }),
        1 => by.prop_map(|by| Step::Rejoin { by }),
        4 => (1..9_u8, 0..400_000_u64).prop_map(|(blocks, ms)| Step::Wait { blocks, ms }),
    ];
    proptest::collection::vec(step, 1..120)
}

/// The ledger, everybody who may ever act on it, and what was seen so far.
struct World {
    ledger: Consortium,
    actors: Vec<(ServerId, SigningKey)>,
    changes: Vec<ChangeId>,
    ends: BTreeSet<u64>,
    epochs: BTreeMap<u32, PastEpoch>,
}

impl World {
    fn new() -> Self {
        let mut content = crate::consortium::content(contract::Kind::Secure);
        content.parameters.water_mark_window = 4;
        let ledger = Consortium::founded(&content);
        let founders = (0..4).map(|at| (ledger.id(at), ledger.keys[at].clone()));
        let newcomers = (60..68).map(|seed| {
            let one = Newcomer::new(seed);
            (one.id(), one.signer)
        });
        Self {
            actors: founders.chain(newcomers).collect(),
            ledger,
            changes: Vec::new(),
            ends: BTreeSet::new(),
            epochs: BTreeMap::new(),
        }
    }

    fn take(&mut self, step: Step) {
        match step {
            Step::Add { by, who } => {
                let change = adding(&self.ledger, &[&Newcomer::new(who)]);
                self.propose(by, change);
            }
            Step::Remove { by, whom, aloud } => self.propose(
                by,
                MembershipChange {
                    remove: vec![self.actors[usize::from(whom)].0],
                    lower_faults: aloud,
                    ..MembershipChange::default()
                },
            ),
            Step::Both { by, who, whom } => {
                let mut change = adding(&self.ledger, &[&Newcomer::new(who)]);
                change.remove.push(self.actors[usize::from(whom)].0);
                self.propose(by, change);
            }
            Step::Set { by, window } => {
                let mut change = MembershipChange::default();
                change
                    .parameters
                    .push(contract::contracts::membership::ParameterChange {
                        name: "water_mark_window".to_owned(),
                        value: window,
                    });
                self.propose(by, change);
            }
            Step::Approve { by, which } => self.about(by, which, Call::ApproveChange),
            Step::Cancel { by, which } => self.about(by, which, Call::CancelChange),
            Step::Ready { who } => {
                let one = Newcomer::new(who);
                let said = self.ledger.ready_as(one.id(), &one.signer);
                self.block(&[said]);
            }
            Step::Rejoin { by } => self.ask(by, Call::Rejoin { random: [by; 16] }),
            Step::Wait { blocks, ms } => {
                let at = self.ledger.tip.header().time.plus_ms(ms);
                let batch = self.ledger.checked(at, &[]);
                for _ in 0..blocks {
                    let before = self.limits();
                    let execution = self.ledger.apply(&batch);
                    self.check(&execution, before);
                }
            }
        }
    }

    fn propose(&mut self, by: u8, change: MembershipChange) {
        self.changes.push(change.id(self.ledger.chain()));
        self.ask(by, Call::ProposeChange(Box::new(change)));
    }

    fn about(&mut self, by: u8, which: u8, call: fn(ChangeId) -> Call) {
        let newest = self.changes.iter().rev().nth(usize::from(which));
        if let Some(id) = newest.copied() {
            self.ask(by, call(id));
        }
    }

    fn ask(&mut self, by: u8, call: Call) {
        let (id, signer) = self.actors[usize::from(by)].clone();
        let until = self.ledger.tip.header().time.plus_ms(60_000);
        let asked = self
            .ledger
            .signed_with(Author::Member(id), &signer, until, call);
        self.block(&[asked]);
    }

    fn block(&mut self, transactions: &[contract::SignedTransaction]) {
        let before = self.limits();
        let batch = self
            .ledger
            .checked(self.ledger.tip.header().time, transactions);
        let execution = self.ledger.apply(&batch);
        self.check(&execution, before);
    }

    /// W and the committee that certify the next block.
    fn limits(&self) -> (u64, Vec<PublicKey>, u32) {
        let snapshot = self.ledger.snapshot();
        let epoch = epoch_at(&snapshot).unwrap();
        let window = parameters_at(&snapshot).unwrap().water_mark_window;
        (window, keys(&epoch.committee), epoch.number.get())
    }

    fn check(&mut self, execution: &Execution, before: (u64, Vec<PublicKey>, u32)) {
        let (window, certifiers, number) = before;
        let header = execution.header();
        assert_eq!(header.epoch.get(), number);
        for outcome in execution.outcomes() {
            if let Outcome::Done(Output::EpochEnds { last }) = outcome {
                assert_eq!(last.get(), header.height.get() + window);
                assert!(
                    self.ends.iter().all(|end| *end < header.height.get()),
                    "one end at a time"
                );
                self.ends.insert(last.get());
            }
        }
        let (_, next, next_number) = self.limits();
        assert_eq!(header.next_committee, committee_digest(&next));
        let ends_here = self.ends.contains(&header.height.get());
        assert_eq!(next_number, number + u32::from(ends_here));
        assert!(
            ends_here || next == certifiers,
            "it changes with the epoch only"
        );
        self.check_committee();
        self.check_history();
    }

    /// A lawful committee: distinct keys, one RC, a quorum that two faulty halves cannot fake.
    fn check_committee(&self) {
        let snapshot = self.ledger.snapshot();
        let committee = epoch_at(&snapshot).unwrap().committee;
        let n = committee.len();
        let distinct: BTreeSet<_> = keys(&committee).into_iter().collect();
        assert_eq!(distinct.len(), n);
        let centres = committee.iter().filter(|one| one.member.role == Role::Rc);
        assert_eq!(centres.count(), 1);
        assert!(n > 3 * faults(n) && 2 * quorum(n) > n + faults(n) && quorum(n) <= n - faults(n));
        assert!(committee.iter().all(|one| one.left.is_none()));
    }

    /// What was written about an epoch stays; epochs follow one another without a gap; who
    /// left never comes back.
    fn check_history(&mut self) {
        let snapshot = self.ledger.snapshot();
        let newest = epoch_at(&snapshot).unwrap().number.get();
        let mut gone: BTreeSet<PublicKey> = BTreeSet::new();
        let mut before: Option<PastEpoch> = None;
        for number in 0..=newest {
            let epoch = committee_of(&snapshot, Epoch::new(number))
                .unwrap()
                .unwrap();
            assert_eq!(epoch.last.is_none(), number == newest);
            if let Some(before) = before {
                assert_eq!(epoch.first, before.last.unwrap().next());
                gone.extend(before.keys.iter().filter(|key| !epoch.keys.contains(key)));
            }
            assert!(epoch.keys.iter().all(|key| !gone.contains(key)));
            if let Some(known) = self.epochs.insert(number, epoch.clone())
                && known.last.is_some()
            {
                assert_eq!(known, epoch);
            }
            before = Some(epoch);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn whatever_is_voted_the_consortium_stays_one(steps in steps()) {
        let mut world = World::new();
        for step in steps {
            world.take(step);
        }
    }
}

#[test]
fn the_random_votes_do_reach_new_epochs() {
    use proptest::strategy::ValueTree as _;
    use proptest::test_runner::TestRunner;
    let mut runner = TestRunner::deterministic();
    let mut most = 0;
    for _ in 0..24 {
        let mut world = World::new();
        for step in steps().new_tree(&mut runner).unwrap().current() {
            world.take(step);
        }
        most = most.max(epoch_at(&world.ledger.snapshot()).unwrap().number.get());
    }

    assert!(most >= 2, "at most {most} epochs were ended");
}
