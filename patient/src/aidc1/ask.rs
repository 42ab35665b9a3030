//! The members as evaluators: asked at once, replaced by others when some are down, and told when the lock opened.

use contract::identity::{ChainId, ServerId};
use protocol::Secret;
use protocol::Timestamp;
use protocol::aidc1::oprf::shares::{Combined, Evaluators, NotEnough};
use protocol::aidc1::oprf::{Evaluation, OUTPUT_BYTES};
use protocol::aidc1::{DeviceSecret, EvaluationId, Handle, Password, Question, Root};
use protocol::suite::Message as _;
use rand_core::CryptoRng;

use super::ledger::{Ledger, at_once};
use crate::client::Question as Request;
use crate::clock;
use crate::code::Code;
use crate::output::Failure;

/// What the evaluators made of a password.
#[derive(Debug)]
pub(crate) struct Evaluated {
    /// r.
    pub(crate) output: Secret<OUTPUT_BYTES>,
    /// Which evaluations are to be confirmed when the lock opened.
    pub(crate) evaluations: Vec<(ServerId, EvaluationId)>,
    /// Members whose answers were false.
    pub(crate) lying: Vec<ServerId>,
}

/// A question under way.
struct Round<'a> {
    ledger: Ledger<'a>,
    device: &'a DeviceSecret,
    question: Question,
    answers: Vec<(ServerId, Evaluation)>,
    evaluations: Vec<(ServerId, EvaluationId)>,
    failures: Vec<(ServerId, Failure)>,
}

/// Asks as many evaluators as it takes, one after another taking the place of those that fail.
pub(crate) fn enough(
    ledger: Ledger<'_>,
    device: &DeviceSecret,
    (evaluators, handle): (&Evaluators, Handle),
    password: &Password,
    rng: &mut impl CryptoRng,
) -> Result<Evaluated, Failure> {
    let mut round = Round::new(ledger, device, (password, handle), rng)?;
    let mut others = evaluators.members().iter().map(|one| one.server_id);
    loop {
        let refused = match round.question.combine(evaluators, &round.answers) {
            Ok(combined) => return Ok(round.ended(combined)),
            Err(refused) => refused,
        };
        let missing = usize::from(refused.needed).saturating_sub(refused.valid);
        let next: Vec<_> = others.by_ref().take(missing).collect();
        if next.is_empty() {
            return Err(round.too_few(&refused));
        }
        round.ask(&next);
    }
}

/// Asks every evaluator; all of them have to answer truly.
pub(crate) fn all(
    ledger: Ledger<'_>,
    device: &DeviceSecret,
    (evaluators, handle): (&Evaluators, Handle),
    password: &Password,
    rng: &mut impl CryptoRng,
) -> Result<Evaluated, Failure> {
    let mut round = Round::new(ledger, device, (password, handle), rng)?;
    let members: Vec<_> = evaluators
        .members()
        .iter()
        .map(|one| one.server_id)
        .collect();
    round.ask(&members);
    if let Some((member, failure)) = round.failures.first() {
        return Err(incomplete(&ledger.name(member), failure));
    }
    let combined = round.question.combine(evaluators, &round.answers);
    let combined = combined.map_err(|refused| Failure::new(Code::OfferFalse).because(refused))?;
    if let Some(member) = combined.lying.first() {
        return Err(Failure::new(Code::OfferFalse).message(format!(
            "{} holds another share than the offer says",
            ledger.name(member)
        )));
    }
    Ok(round.ended(combined))
}

/// The failure of an enrolment for which one member did not do its part.
pub(crate) fn incomplete(member: &str, failure: &Failure) -> Failure {
    Failure::new(Code::EnrolmentIncomplete)
        .message(format!("{member} did not take its part of the enrolment"))
        .because(failure)
}

/// Tells the evaluators that the lock opened, as far as they can be reached: whoever is not told hears it with the next
/// evaluation.
pub(crate) fn confirm(
    ledger: Ledger<'_>,
    root: &Root,
    handle: Handle,
    evaluations: &[(ServerId, EvaluationId)],
) {
    send_confirmations(
        ledger,
        &confirmations(ledger.genesis.chain(), root, handle, evaluations),
    );
}

/// The confirmations of these evaluations, as they travel.
pub(crate) fn confirmations(
    chain: &ChainId,
    root: &Root,
    handle: Handle,
    evaluations: &[(ServerId, EvaluationId)],
) -> Vec<(ServerId, Vec<u8>)> {
    let one = |(member, id): &(ServerId, EvaluationId)| {
        (*member, root.confirm(chain, handle, *id).encode())
    };
    evaluations.iter().map(one).collect()
}

/// Sends confirmations; one that is refused was heard before.
pub(crate) fn send_confirmations(ledger: Ledger<'_>, all: &[(ServerId, Vec<u8>)]) {
    at_once(all, |(member, bytes)| {
        let question = Request::post("/v1/evaluate/confirm", bytes.clone());
        let sent = ledger
            .client_of(member)
            .and_then(|it| it.ask_patiently(&question));
        drop(sent);
    });
}

impl<'a> Round<'a> {
    fn new(
        ledger: Ledger<'a>,
        device: &'a DeviceSecret,
        (password, handle): (&Password, Handle),
        rng: &mut impl CryptoRng,
    ) -> Result<Self, Failure> {
        let question = Question::new(password, handle, rng)
            .map_err(|error| Failure::new(Code::BadIdentityText).because(error))?;
        Ok(Self {
            ledger,
            device,
            question,
            answers: Vec::new(),
            evaluations: Vec::new(),
            failures: Vec::new(),
        })
    }

    fn ask(&mut self, members: &[ServerId]) {
        let now = Timestamp::from_millis(clock::wall_ms());
        let asked = at_once(members, |member| (*member, self.ask_one(member, now)));
        for (member, answer) in asked {
            match answer {
                Ok((id, evaluation)) => {
                    self.evaluations.push((member, id));
                    self.answers.push((member, evaluation));
                }
                Err(failure) => self.failures.push((member, failure)),
            }
        }
    }

    fn ask_one(
        &self,
        member: &ServerId,
        now: Timestamp,
    ) -> Result<(EvaluationId, Evaluation), Failure> {
        let chain = self.ledger.genesis.chain();
        let request = self.question.request(self.device, chain, *member, now);
        let client = self.ledger.client_of(member)?;
        let answer = client.ask_patiently(&Request::post("/v1/evaluate", request.encode()))?;
        let evaluation = Evaluation::parse(answer.body())
            .map_err(|error| Failure::new(Code::BadAnswer).because(error))?;
        Ok((request.evaluation_id(chain), evaluation))
    }

    fn ended(self, combined: Combined) -> Evaluated {
        Evaluated {
            output: combined.output,
            lying: combined.lying,
            evaluations: self.evaluations,
        }
    }

    /// The most telling of the failures; a member that is down tells less than one that says why.
    fn too_few(&self, refused: &NotEnough) -> Failure {
        for code in [Code::LockLocked, Code::LockThrottled, Code::ClockSkew] {
            let mut failures = self.failures.iter();
            if let Some((_, failure)) = failures.find(|(_, failure)| failure.code() == code) {
                return failure.clone();
            }
        }
        let mut why: Vec<_> = self
            .failures
            .iter()
            .map(|(member, failure)| format!("{}: {}", self.ledger.name(member), failure.what()))
            .collect();
        why.extend(
            refused
                .lying
                .iter()
                .map(|member| format!("{}: its answer is false", self.ledger.name(member))),
        );
        Failure::new(Code::TooFewEvaluators)
            .because(refused)
            .note(why.join("\n"))
    }
}
