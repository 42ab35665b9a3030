//! Random lives of patients against a model that fits on a page: whoever asks for whatever in
//! whatever order, the ledger takes what the model takes and holds what the model holds.

mod model;

use contract::contracts::authlog::claims_at;
use contract::contracts::disclosure::disclosures_of;
use contract::contracts::identity::{events_at, identity_at, origin_at, recovery_at};
use contract::{
    Aid, AuthResult, BlockTime, Call, Consent, DisclosureCall, DisclosureRequest, Outcome, Output,
    Purpose, Recovery, RecoveryCall, Registration, Replacement, SessionId, replace_digest,
};
use ed25519_dalek::SigningKey;
use proptest::prelude::*;

use crate::consortium::{Consortium, Patient, server_record, sign};
use model::Model;

const DAY: u64 = 86_400_000;
const DELAY: u64 = 2_000;
const WINDOW: u64 = 150_000;
const PAST: u64 = 120_000;

/// Which key of a patient acts; the last is a stranger's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Key {
    Signing,
    Recovery,
    Stranger,
}

/// One thing that somebody asks.
#[derive(Clone, Copy, Debug)]
enum Step {
    Register {
        by: usize,
        who: u8,
    },
    Revoke {
        by: usize,
        who: u8,
    },
    RevokeOwn {
        who: u8,
        key: Key,
    },
    Shred {
        who: u8,
    },
    Replace {
        old: u8,
        new: u8,
        key: Key,
    },
    Request {
        old: u8,
        new: u8,
    },
    Approve {
        by: usize,
        old: u8,
        new: u8,
    },
    Cancel {
        old: u8,
        key: Key,
    },
    Withdraw {
        by: usize,
        old: u8,
    },
    Finish {
        by: usize,
        old: u8,
    },
    SignIn {
        who: u8,
        sid: u8,
    },
    Late {
        who: u8,
        sid: u8,
        ago: u64,
    },
    Claim {
        who: u8,
        sid: u8,
        ago: u64,
        key: Key,
    },
    Ask {
        by: usize,
        who: u8,
    },
    Allow {
        by: usize,
        number: u64,
        who: u8,
    },
    Wait {
        ms: u64,
    },
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let who = || 1..5_u8;
    let by = || 0..3_usize;
    let sid = || 1..4_u8;
    let key = || {
        prop_oneof![
            3 => Just(Key::Signing),
            3 => Just(Key::Recovery),
            1 => Just(Key::Stranger),
        ]
    };
    let ago = || prop::sample::select(vec![0, PAST, PAST + 1, DAY, 30 * DAY, 30 * DAY + 1]);
    let ms = prop::sample::select(vec![1, 500, DELAY, WINDOW, WINDOW + 1, DAY, 7 * DAY + 1]);
    let step = prop_oneof![
        4 => (by(), who()).prop_map(|(by, who)| Step::Register { by, who }),
        1 => (by(), who()).prop_map(|(by, who)| Step::Revoke { by, who }),
        1 => (who(), key()).prop_map(|(who, key)| Step::RevokeOwn { who, key }),
        1 => who().prop_map(|who| Step::Shred { who }),
        2 => (who(), who(), key()).prop_map(|(old, new, key)| Step::Replace { old, new, key }),
        4 => (who(), who()).prop_map(|(old, new)| Step::Request { old, new }),
        5 => (by(), who(), who()).prop_map(|(by, old, new)| Step::Approve { by, old, new }),
        1 => (who(), key()).prop_map(|(old, key)| Step::Cancel { old, key }),
        1 => (by(), who()).prop_map(|(by, old)| Step::Withdraw { by, old }),
        5 => (by(), who()).prop_map(|(by, old)| Step::Finish { by, old }),
        3 => (who(), sid()).prop_map(|(who, sid)| Step::SignIn { who, sid }),
        3 => (who(), sid(), ago()).prop_map(|(who, sid, ago)| Step::Late { who, sid, ago }),
        4 => (who(), sid(), ago(), key())
            .prop_map(|(who, sid, ago, key)| Step::Claim { who, sid, ago, key }),
        2 => (by(), who()).prop_map(|(by, who)| Step::Ask { by, who }),
        3 => (by(), 0..4_u64, who())
            .prop_map(|(by, number, who)| Step::Allow { by, number, who }),
        4 => ms.prop_map(|ms| Step::Wait { ms }),
    ];
    proptest::collection::vec(step, 1..80)
}

/// The ledger beside the model.
struct World {
    ledger: Consortium,
    model: Model,
}

impl World {
    fn new() -> Self {
        let mut content = crate::consortium::content(contract::Kind::Secure);
        content.parameters.recovery_delay_ms = DELAY;
        content.patients = vec![Patient::new(1).record];
        content.servers = (0..4)
            .map(|member| {
                let mut record = server_record(&content, member);
                record.not_before = BlockTime::new(0);
                record.not_after = record.not_before.plus_ms(u64::MAX);
                record
            })
            .collect();
        let ledger = Consortium::founded(&content);
        let model = Model::new(ledger.tip.header().time);
        Self { ledger, model }
    }

    fn member(&mut self, by: usize, call: Call) -> bool {
        taken(&self.ledger.calls(by, call))
    }

    fn patient(&mut self, who: u8, key: Key, call: Call) -> bool {
        let patient = Patient::new(who);
        let key = key_of(&patient, key);
        taken(&self.ledger.patient_calls(&patient, &key, call))
    }

    fn session(&self, who: u8, sid: u8, ago: u64) -> AuthResult {
        let t3 = self.ledger.tip.header().time.minus_ms(ago);
        let sid = SessionId::new([sid; 32]);
        self.ledger.result_at(&Patient::new(who), 1, sid, t3)
    }

    /// `new` as it registers in the place of `old`.
    fn successor(&self, old: u8, new: u8) -> Registration {
        let epoch = self.model.lives.get(&old).map_or(1, |life| life.epoch + 1);
        Patient::new(new).registration_after(self.ledger.chain(), epoch)
    }

    fn replacement(&self, old: u8, new: u8, key: Key) -> Replacement {
        let signer = key_of(&Patient::new(old), key);
        let digest = replace_digest(self.ledger.chain(), &aid(old), &aid(new));
        let signature = sign(&signer, &digest);
        Replacement {
            old: aid(old),
            registration: self.successor(old, new),
            consent: match key {
                Key::Recovery => Consent::RecoveryKey(signature),
                Key::Signing | Key::Stranger => Consent::SigningKey(signature),
            },
        }
    }

    fn recovery(&self, old: u8, new: u8) -> Recovery {
        Recovery {
            old: aid(old),
            registration: self.successor(old, new),
            officer: "desk-7".parse().unwrap(),
        }
    }

    /// What the ledger makes of a step.
    fn asks(&mut self, step: Step) -> bool {
        match step {
            Step::Register { by, who } => {
                let registration = Patient::new(who).registration(self.ledger.chain());
                self.member(by, Call::Register(Box::new(registration)))
            }
            Step::Revoke { by, who } => self.member(by, Call::Revoke(aid(who))),
            Step::RevokeOwn { who, key } => self.patient(who, key, Call::Revoke(aid(who))),
            Step::Shred { who } => self.member(0, Call::Shred(aid(who))),
            Step::Replace { old, new, key } => {
                let replacement = self.replacement(old, new, key);
                self.member(0, Call::Replace(Box::new(replacement)))
            }
            Step::Request { old, new } => {
                let request = RecoveryCall::Request(Box::new(self.recovery(old, new)));
                self.member(0, Call::Recovery(request))
            }
            Step::Approve { by, old, new } => {
                let (old, new) = (aid(old), aid(new));
                self.member(by, Call::Recovery(RecoveryCall::Approve { old, new }))
            }
            Step::Cancel { old, key } => {
                let call = Call::Recovery(RecoveryCall::Cancel(aid(old)));
                self.patient(old, key, call)
            }
            Step::Withdraw { by, old } => {
                self.member(by, Call::Recovery(RecoveryCall::Cancel(aid(old))))
            }
            Step::Finish { by, old } => {
                self.member(by, Call::Recovery(RecoveryCall::Finish(aid(old))))
            }
            Step::SignIn { who, sid } => {
                let result = self.session(who, sid, 0);
                self.member(1, Call::Results(vec![result]))
            }
            Step::Late { who, sid, ago } => {
                let result = self.session(who, sid, ago);
                self.member(1, Call::LateResults(vec![result]))
            }
            Step::Claim { who, sid, ago, key } => {
                let result = self.session(who, sid, ago);
                self.patient(who, key, Call::Claim(Box::new(result)))
            }
            Step::Ask { by, who } => {
                let request = DisclosureCall::Request(Box::new(disclosure(who)));
                self.member(by, Call::Disclosure(request))
            }
            Step::Allow { by, number, who } => {
                let aid = aid(who);
                self.member(
                    by,
                    Call::Disclosure(DisclosureCall::Approve { number, aid }),
                )
            }
            Step::Wait { ms } => {
                self.ledger.wait(ms);
                true
            }
        }
    }

    /// What the ledger holds is what the model holds.
    fn compare(&self) {
        let snapshot = self.ledger.snapshot();
        for who in 1..5 {
            let aid = Patient::new(who).record.aid;
            let found = identity_at(&snapshot, &aid).unwrap();
            let life = self.model.lives.get(&who);
            assert_eq!(
                found.map(|found| found.status()),
                life.map(|life| life.status)
            );
            let events = events_at(&snapshot, &aid).unwrap();
            assert_eq!(events.len(), life.map_or(0, |life| life.events));
            let origin = origin_at(&snapshot, &aid).unwrap();
            let from = life.and_then(|life| life.from);
            assert_eq!(
                origin.map(|origin| origin.old),
                from.map(|from| Patient::new(from).record.aid)
            );
            let pending = recovery_at(&snapshot, &aid).unwrap();
            assert_eq!(
                pending.map(|pending| pending.record.aid),
                life.and_then(|life| life.pending)
                    .map(|pending| Patient::new(pending.new).record.aid)
            );
            let claims = claims_at(&snapshot, &aid).unwrap();
            let open = life.map_or(0, |life| life.open_claims.len());
            assert_eq!(claims.open.len(), open);
            let of_hers = self.model.claimed.keys().filter(|(one, _)| *one == who);
            assert_eq!(claims.count, u64::try_from(of_hers.count()).unwrap());
            let allowed: Vec<bool> = disclosures_of(&snapshot, &aid)
                .unwrap()
                .iter()
                .map(|entry| entry.approval.is_some())
                .collect();
            let expected = self.model.disclosures.iter().filter(|one| one.0 == who);
            assert_eq!(allowed, expected.map(|one| one.2).collect::<Vec<_>>());
        }
    }
}

fn aid(who: u8) -> Aid {
    Patient::new(who).record.aid
}

fn disclosure(who: u8) -> DisclosureRequest {
    DisclosureRequest {
        aid: aid(who),
        officer: "desk-7".parse().unwrap(),
        purpose: Purpose::Fraud,
        note: None,
    }
}

fn key_of(patient: &Patient, key: Key) -> SigningKey {
    match key {
        Key::Signing => patient.sig.clone(),
        Key::Recovery => patient.recovery.clone(),
        Key::Stranger => SigningKey::from_bytes(&[0x77; 32]),
    }
}

/// Whether the ledger took a call, and the one entry of a bundle.
const fn taken(outcome: &Outcome) -> bool {
    match outcome {
        Outcome::Done(Output::Recorded { refused }) => refused.is_empty(),
        Outcome::Done(_) => true,
        Outcome::Refused(_) => false,
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn the_ledger_takes_what_the_model_takes_and_holds_what_it_holds(steps in steps()) {
        let mut world = World::new();

        for step in steps {
            let taken = world.asks(step);
            prop_assert_eq!(world.model.takes(step), taken, "{:?}", step);
        }

        world.compare();
    }
}
