//! A patient's terminal, as far as the RC and the evaluators see it.

use axum::http::StatusCode;
use contract::{Aid, Registration, ServerId};
use protocol::aidc1::application::{Acceptance, Application, DeskCode, Person, Purpose};
use protocol::aidc1::deal::Enrolment;
use protocol::aidc1::offer::{Identities, Offer, Taken};
use protocol::aidc1::oprf::Evaluation;
use protocol::aidc1::oprf::shares::Evaluators;
use protocol::aidc1::registration::Applicant;
use protocol::aidc1::{
    AIDS, AidIndex, DeviceSecret, EvaluationId, Handle, Password, Question, RecoveryCode, Root,
};
use protocol::suite::Message as _;
use protocol::wu::PatientId;
use protocol::{Secret, Timestamp};

use super::consortium::{Consortium, Node};
use crate::http::testing::Answer;

/// The terminal and what it knows.
#[derive(Clone)]
pub(super) struct Terminal {
    pub(super) device: DeviceSecret,
    pub(super) root: Root,
    pub(super) code: RecoveryCode,
    pub(super) handle: Handle,
    pub(super) id: PatientId,
    pub(super) evaluators: Option<Evaluators>,
}

/// What an evaluation came to.
pub(super) struct Evaluated {
    pub(super) output: Secret<64>,
    pub(super) ids: Vec<(ServerId, EvaluationId)>,
}

impl Terminal {
    pub(super) fn of(id: &str) -> Self {
        let mut rng = patient::dice::seeded().unwrap();
        Self {
            device: DeviceSecret::draw(&mut rng),
            root: Root::draw(&mut rng),
            code: RecoveryCode::draw(&mut rng),
            handle: Handle::draw(&mut rng),
            id: PatientId::parse(id.as_bytes()).unwrap(),
            evaluators: None,
        }
    }

    pub(super) fn aids(&self) -> [Aid; AIDS] {
        let all: Vec<Aid> = AidIndex::all()
            .map(|index| *self.root.seed(index).keys().aid())
            .collect();
        all.try_into().unwrap()
    }

    pub(super) fn person(&self) -> Person {
        Person {
            id: self.id.clone(),
            aids: self.aids(),
        }
    }

    pub(super) fn enrolment(&self) -> Enrolment {
        Enrolment::new(self.handle, self.device.public(), &self.root)
    }

    /// The same lock, in the place of another terminal's.
    pub(super) fn in_place_of(&self, old: &Self, consortium: &Consortium) -> Enrolment {
        self.enrolment()
            .in_place_of(old.handle, &old.root, consortium.chain())
    }

    /// The same person with everything drawn anew.
    pub(super) fn anew(&self) -> Self {
        Self {
            id: self.id.clone(),
            ..Self::of("anybody")
        }
    }

    /// The same root and device under another lock.
    pub(super) fn relocked(&self) -> Self {
        Self {
            handle: Handle::draw(&mut patient::dice::seeded().unwrap()),
            evaluators: None,
            ..self.clone()
        }
    }

    pub(super) async fn apply(
        &self,
        consortium: &Consortium,
        (purpose, desk): (Purpose, Option<DeskCode>),
        enrolment: Enrolment,
    ) -> Answer {
        let application = Application {
            purpose,
            desk,
            enrolment,
        };
        let bytes = application.encode().to_vec();
        consortium.rc().post("/v1/enrol/apply", bytes).await
    }

    /// Takes the deals of an offer to the members that are up.
    pub(super) async fn deliver(&mut self, consortium: &Consortium, offer: &Offer) {
        for (member, deal) in offer.evaluators.members().iter().zip(&offer.deals) {
            let node = consortium.member(&member.server_id);
            let answer = node.post("/v1/deal", deal.clone()).await;
            assert_eq!(answer.status, StatusCode::NO_CONTENT, "{}", answer.text());
        }
        self.evaluators = Some(offer.evaluators.clone());
    }

    /// Asks these members, or all that are up.
    pub(super) async fn evaluate(&self, consortium: &Consortium, password: &str) -> Evaluated {
        let up: Vec<&Node> = consortium
            .nodes
            .iter()
            .filter(|node| node.is_up())
            .collect();
        self.evaluate_at(consortium, &up, password).await
    }

    pub(super) async fn evaluate_at(
        &self,
        consortium: &Consortium,
        nodes: &[&Node],
        password: &str,
    ) -> Evaluated {
        let question = self.question(password);
        let (mut answers, mut ids) = (Vec::new(), Vec::new());
        for node in nodes {
            let (id, answer) = self.ask(consortium, node, &question).await;
            assert_eq!(answer.status, StatusCode::OK, "{}", answer.text());
            answers.push((node.id, Evaluation::parse(&answer.body).unwrap()));
            ids.push((node.id, id));
        }
        let combined = question
            .combine(self.evaluators.as_ref().unwrap(), &answers)
            .unwrap();
        assert!(combined.lying.is_empty());
        let output = combined.output;
        Evaluated { output, ids }
    }

    pub(super) fn question(&self, password: &str) -> Question {
        let mut rng = patient::dice::seeded().unwrap();
        let password = Password::parse(password.as_bytes()).unwrap();
        Question::new(&password, self.handle, &mut rng).unwrap()
    }

    pub(super) async fn ask(
        &self,
        consortium: &Consortium,
        node: &Node,
        question: &Question,
    ) -> (EvaluationId, Answer) {
        // No two requests of one device bear the same time.
        tokio::time::sleep(std::time::Duration::from_millis(2)).await;
        let now = Timestamp::from_millis(node.services.clock.wall_ms());
        let request = question.request(&self.device, consortium.chain(), node.id, now);
        let id = request.evaluation_id(consortium.chain());
        (id, node.post("/v1/evaluate", request.encode()).await)
    }

    /// Tells the members that an evaluation opened the lock.
    pub(super) async fn confirm(&self, consortium: &Consortium, evaluated: &Evaluated) {
        for (member, id) in &evaluated.ids {
            let confirmation = self.root.confirm(consortium.chain(), self.handle, *id);
            let node = consortium.member(member);
            let answer = node
                .post("/v1/evaluate/confirm", confirmation.encode())
                .await;
            assert_eq!(answer.status, StatusCode::NO_CONTENT, "{}", answer.text());
        }
    }

    /// Sixteen registrations, as the terminal proves them.
    pub(super) fn registrations(
        &self,
        consortium: &Consortium,
        identities: &Identities,
    ) -> Box<[Registration; AIDS]> {
        let mut rng = patient::dice::seeded().unwrap();
        let all: Vec<Registration> = AidIndex::all()
            .zip(identities.answers.iter())
            .enumerate()
            .map(|(at, (index, answer))| {
                let old = identities.replaced.as_ref().map(|all| all[at]);
                let applicant = Applicant {
                    keys: &self.root.seed(index).keys(),
                    pk_recovery: self.code.public(index),
                    id: &self.id,
                    epoch: old.map_or(0, |old| old.epoch.saturating_add(1)),
                };
                applicant
                    .prove(answer, consortium.chain(), &mut rng)
                    .unwrap()
            })
            .collect();
        all.try_into().unwrap()
    }

    pub(super) fn acceptance(&self, consortium: &Consortium, offer: &Offer) -> Acceptance {
        let identities = offer.identities.as_ref().unwrap();
        Acceptance {
            ticket: identities.ticket.clone(),
            registrations: self.registrations(consortium, identities),
            consents: None,
        }
    }

    /// The whole way of somebody new.
    pub(super) async fn enrol(&mut self, consortium: &Consortium, desk: Option<DeskCode>) -> Taken {
        let purpose = Purpose::Enrol(self.person());
        let answer = self
            .apply(consortium, (purpose, desk), self.enrolment())
            .await;
        self.finish(consortium, offer_of(&answer), |_, _| None)
            .await
    }

    /// From offer to answer.
    pub(super) async fn finish(
        &mut self,
        consortium: &Consortium,
        offer: Offer,
        consents: impl Fn(usize, &Aid) -> Option<contract::Consent>,
    ) -> Taken {
        self.deliver(consortium, &offer).await;
        let evaluated = self.evaluate(consortium, "tulip").await;
        let mut acceptance = self.acceptance(consortium, &offer);
        let replaced = offer.identities.unwrap().replaced;
        let given: Vec<contract::Consent> = replaced
            .iter()
            .flat_map(|all| all.iter())
            .enumerate()
            .filter_map(|(at, old)| consents(at, &old.aid))
            .collect();
        acceptance.consents = <Box<[contract::Consent; AIDS]>>::try_from(given).ok();
        let taken = taken_of(&accept(consortium, &acceptance).await);
        self.confirm(consortium, &evaluated).await;
        taken
    }
}

pub(super) async fn accept(consortium: &Consortium, acceptance: &Acceptance) -> Answer {
    let bytes = acceptance.encode();
    consortium.rc().post("/v1/enrol/accept", bytes).await
}

pub(super) fn offer_of(answer: &Answer) -> Offer {
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text());
    Offer::parse(&answer.body).unwrap()
}

pub(super) fn taken_of(answer: &Answer) -> Taken {
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text());
    Taken::parse(&answer.body).unwrap()
}
