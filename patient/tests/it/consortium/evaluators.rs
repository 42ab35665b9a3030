//! Members as evaluators.

use std::collections::BTreeMap;

use patient::code::Code;
use protocol::aidc1::evaluator::Refused;
use protocol::aidc1::throttle::Throttled;
use protocol::aidc1::{Confirmation, Enrolled, EpochSecret, EvaluationRequest, Handle, deal};
use protocol::suite::Message as _;

use super::World;
use super::serve::Reply;
use super::server::now;

/// One member's shares.
pub(crate) struct Evaluator {
    secret: EpochSecret,
    pub(crate) enrolled: BTreeMap<Handle, Enrolled>,
}

impl Evaluator {
    pub(crate) fn new(secret: &EpochSecret) -> Self {
        Self {
            secret: secret.clone(),
            enrolled: BTreeMap::new(),
        }
    }

    pub(crate) fn epoch_key(&self) -> contract::identity::PublicKey {
        self.secret.public()
    }
}

impl World {
    pub(super) fn take_deal(&mut self, at: usize, body: &[u8]) -> Reply {
        let genesis = &self.chain.genesis;
        let (member, rc) = (genesis.members()[at].server_id(), genesis.members()[0].key);
        let evaluator = &mut self.evaluators[at];
        let opened = deal::open(body, member, &evaluator.secret, genesis.chain(), &rc);
        let Ok(dealt) = opened else {
            return Reply::problem(422, Code::RequestMalformed);
        };
        let handle = dealt.enrolment.handle;
        let held = &evaluator.enrolled;
        if let Ok(taken) = Enrolled::take(dealt, |handle| held.get(handle), genesis.chain()) {
            evaluator.enrolled.insert(handle, taken);
        }
        Reply::json(204, &serde_json::Value::Null)
    }

    pub(super) fn evaluate(&mut self, at: usize, body: &[u8]) -> Reply {
        let genesis = &self.chain.genesis;
        let member = genesis.members()[at].server_id();
        let request = EvaluationRequest::parse(body).unwrap();
        let Some(enrolled) = self.evaluators[at].enrolled.get_mut(request.handle()) else {
            return Reply::problem(403, Code::SignInRefused);
        };
        let chain = genesis.chain();
        match enrolled.evaluate(&request, (chain, &member), now(0), &mut self.rng) {
            Ok(mut evaluation) => {
                if self.trouble.lying.contains(&at) {
                    // Another question's answer.
                    evaluation.element = enrolled.share().public();
                }
                Reply::ok(evaluation.encode())
            }
            Err(Refused::Throttled(Throttled::Wait { wait_ms })) => Reply {
                retry_after_s: Some(wait_ms.div_ceil(1000)),
                ..Reply::problem(429, Code::LockThrottled)
            },
            Err(Refused::Throttled(Throttled::Locked)) => Reply::problem(403, Code::LockLocked),
            Err(Refused::Throttled(Throttled::Stale)) => Reply::problem(403, Code::ClockSkew),
            Err(Refused::Unknown | Refused::Element) => Reply::problem(403, Code::SignInRefused),
        }
    }

    pub(super) fn confirm_evaluation(&mut self, at: usize, body: &[u8]) -> Reply {
        let confirmation = Confirmation::parse(body).unwrap();
        let chain = *self.chain.genesis.chain();
        let table = &mut self.evaluators[at].enrolled;
        let Some(enrolled) = table.get_mut(confirmation.handle()) else {
            return Reply::problem(403, Code::SignInRefused);
        };
        match enrolled.confirm(&confirmation, &chain) {
            Ok(replaced) => {
                if let Some(old) = replaced {
                    table.remove(&old);
                }
                Reply::json(204, &serde_json::Value::Null)
            }
            Err(_refused) => Reply::problem(403, Code::SignInRefused),
        }
    }
}
