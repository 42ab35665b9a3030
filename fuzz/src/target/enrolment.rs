//! What a terminal, the registration centre and the evaluators of AIDC-1 send each other, and what the terminal keeps.

use chacha20::ChaCha8Rng;
use contract::record::Consent;
use contract::{ChainId, PublicKey, ServerId, SignatureBytes};
use ed25519_dalek::SigningKey;
use protocol::aidc1::application::{Acceptance, Application, Person, Purpose, Ticket};
use protocol::aidc1::deal::{self, Dealt, Enrolment};
use protocol::aidc1::history::HistoryRequest;
use protocol::aidc1::issue::{Answer, issue};
use protocol::aidc1::offer::{Identities, Offer, Replaced, Taken};
use protocol::aidc1::oprf::Evaluation;
use protocol::aidc1::oprf::shares::{self, Evaluators};
use protocol::aidc1::registration::Applicant;
use protocol::aidc1::{
    AidIndex, Binding, Card, Confirmation, DeviceSecret, EpochSecret, EvaluationRequest, Handle,
    Holder, Lock, Password, Question, RecoveryCode, Root, TerminalKey,
};
use protocol::suite::Message;
use protocol::wu::PatientId;
use protocol::{Secret, Timestamp};
use rand_core::SeedableRng as _;

use super::{Target, Verdict, canonical, holds};

const NOW: Timestamp = Timestamp::from_millis(1_800_000_000_000);
const CHAIN: ChainId = ChainId::new([0xC0; 32]);
const MEMBER: ServerId = ServerId::new([1; 32]);
const HANDLE: Handle = Handle::new([1; 16]);
const OLD: Handle = Handle::new([2; 16]);

/// A patient and what was dealt for her.
struct World {
    rng: ChaCha8Rng,
    device: DeviceSecret,
    root: Root,
    code: RecoveryCode,
    id: PatientId,
    answers: Vec<Answer>,
    evaluators: Evaluators,
    /// To each member.
    deals: Vec<Vec<u8>>,
    /// The first member's key epoch.
    epoch: EpochSecret,
    rc: SigningKey,
}

impl World {
    fn new() -> Self {
        let mut rng = ChaCha8Rng::seed_from_u64(1);
        let (device, root) = (DeviceSecret::draw(&mut rng), Root::draw(&mut rng));
        let code = RecoveryCode::draw(&mut rng);
        let Ok(id) = PatientId::parse(b"synthetic") else {
            unreachable!("it is a short text")
        };
        let answers = AidIndex::all().map(|index| {
            let aid = *root.seed(index).keys().aid();
            let Ok(issued) = issue(&aid, &id, &mut rng) else {
                unreachable!("the ID holds no zero byte")
            };
            issued.answer
        });
        let answers = answers.collect();
        let members = [1, 2, 3, 4].map(|one| ServerId::new([one; 32]));
        let Ok((evaluators, shares)) = shares::deal(2, &members, &mut rng) else {
            unreachable!("two of four is a threshold")
        };
        let rc = SigningKey::from_bytes(&[9; 32]);
        let epoch = EpochSecret::draw(&mut rng);
        let enrolment = Enrolment::new(HANDLE, device.public(), &root);
        let enrolment = enrolment.in_place_of(OLD, &root, &CHAIN);
        let deals = members.iter().zip(shares).map(|(member, share)| {
            let dealt = Dealt {
                enrolment: enrolment.clone(),
                evaluators: evaluators.clone(),
                share,
            };
            let sealed = deal::seal(&dealt, *member, &epoch.public(), (&CHAIN, &rc), &mut rng);
            let Ok(sealed) = sealed else {
                unreachable!("it is a member with a key")
            };
            sealed
        });
        let deals = deals.collect();
        Self {
            rng,
            device,
            root,
            code,
            id,
            answers,
            evaluators,
            deals,
            epoch,
            rc,
        }
    }

    fn applications(&self) -> Vec<Vec<u8>> {
        let Ok(aids) = AidIndex::all()
            .map(|index| *self.root.seed(index).keys().aid())
            .collect::<Vec<_>>()
            .try_into()
        else {
            unreachable!("there are sixteen")
        };
        let person = Person {
            id: self.id.clone(),
            aids,
        };
        let plain = Enrolment::new(HANDLE, self.device.public(), &self.root);
        let changing = plain.clone().in_place_of(OLD, &self.root, &CHAIN);
        let all = [
            (Purpose::Enrol(person.clone()), plain.clone()),
            (Purpose::Recover(person.clone()), plain),
            (Purpose::Renew(person.clone()), changing.clone()),
            (Purpose::Move(person), changing.clone()),
            (Purpose::Relock, changing),
        ];
        let encoded = all.into_iter().map(|(purpose, enrolment)| {
            let application = Application {
                desk: Some(Secret::new([3; 16])),
                purpose,
                enrolment,
            };
            application.encode().to_vec()
        });
        encoded.collect()
    }

    fn offers(&self) -> Vec<Vec<u8>> {
        let replaced = AidIndex::all().map(|index| Replaced {
            aid: *self.root.seed(index).keys().aid(),
            epoch: 2,
        });
        let replaced = <Box<[Replaced; 16]>>::try_from(replaced.collect::<Vec<_>>()).ok();
        let identities = [None, replaced].map(|replaced| {
            let answers = self.answers.clone().try_into().ok()?;
            Some(Identities {
                ticket: Ticket::new(Secret::new([4; 16])),
                replaced,
                answers,
            })
        });
        let offer = |identities| Offer {
            evaluators: self.evaluators.clone(),
            deals: self.deals.clone(),
            identities,
        };
        let all = identities.into_iter().chain([None]).map(offer);
        all.map(|offer| offer.encode().to_vec()).collect()
    }

    fn acceptances(&mut self) -> Vec<Vec<u8>> {
        let mut registrations = Vec::new();
        for (index, answer) in AidIndex::all().zip(&self.answers) {
            let applicant = Applicant {
                keys: &self.root.seed(index).keys(),
                pk_recovery: self.code.public(index),
                id: &self.id,
                epoch: 0,
            };
            let Ok(proved) = applicant.prove(answer, &CHAIN, &mut self.rng) else {
                unreachable!("the commitment is to her")
            };
            registrations.push(proved);
        }
        let consents = [0_u8; 16].map(|_| Consent::RecoveryKey(SignatureBytes::new([5; 64])));
        let Ok(registrations) = <Box<[_; 16]>>::try_from(registrations) else {
            unreachable!("there are sixteen")
        };
        let acceptance = |consents| Acceptance {
            ticket: Ticket::new(Secret::new([4; 16])),
            registrations: registrations.clone(),
            consents,
        };
        let all = [None, Some(Box::new(consents))].map(acceptance);
        all.iter().map(Message::encode).collect()
    }

    /// A question, its answer and its confirmation.
    fn evaluation(&mut self) -> [Vec<u8>; 3] {
        let Ok(password) = Password::parse(b"tulip") else {
            unreachable!("it is a short text")
        };
        let Ok(question) = Question::new(&password, HANDLE, &mut self.rng) else {
            unreachable!("no password is known that hashes to nothing")
        };
        let request = question.request(&self.device, &CHAIN, MEMBER, NOW);
        let rc = PublicKey::new(self.rc.verifying_key().to_bytes());
        let opened = deal::open(&self.deals[0], MEMBER, &self.epoch, &CHAIN, &rc);
        let (Ok(dealt), Some(element)) = (opened, element_of(&request)) else {
            unreachable!("both were just made")
        };
        let answer = dealt.share.evaluate(&element, &mut self.rng);
        let id = request.evaluation_id(&CHAIN);
        let confirmation = self.root.confirm(&CHAIN, HANDLE, id);
        [request.encode(), answer.encode(), confirmation.encode()]
    }

    fn card(&mut self) -> Vec<u8> {
        let aid = *self.root.seed(AidIndex::FIRST).keys().aid();
        let binding = Binding::draw(aid, HANDLE, &mut self.rng);
        let binding = Binding {
            cost: protocol::aidc1::Cost::new(protocol::aidc1::Cost::MEMORY_KIB_MIN, 1)
                .unwrap_or(binding.cost),
            ..binding
        };
        let Ok(tk) = TerminalKey::derive(&Secret::new([6; 64]), &self.device, &binding) else {
            unreachable!("the least memory is there")
        };
        let lock = Lock::seal(binding, tk, &self.root, (&self.code, None), &mut self.rng);
        let salts: Vec<_> = self.answers.iter().map(|one| one.salt.clone()).collect();
        let Ok(salts) = salts.try_into() else {
            unreachable!("there are sixteen")
        };
        let Ok(holder) = Holder::new(self.id.clone(), salts) else {
            unreachable!("the ID holds no zero byte")
        };
        let evaluators = (CHAIN, self.evaluators.clone());
        let card = Card::new(evaluators, lock, &self.root, &holder, &mut self.rng);
        card.encode(&self.device)
    }
}

/// The blinded element of a request: the 32 bytes before the signature.
fn element_of(request: &EvaluationRequest) -> Option<protocol::aidc1::oprf::Element> {
    let bytes = request.encode();
    let (unsigned, _) = bytes.split_last_chunk::<64>()?;
    let (_, element) = unsigned.split_last_chunk::<32>()?;
    protocol::aidc1::oprf::Element::parse(element)
}

/// Those of an enrolment.
pub(super) fn targets() -> Vec<Target> {
    let mut world = World::new();
    let [request, answer, confirmation] = world.evaluation();
    let (acceptances, card) = (world.acceptances(), world.card());
    let needed = 8;
    let takens = [
        Taken::Submitted,
        Taken::Queued { waiting: 2, needed },
        Taken::AwaitsApproval,
    ];
    let history = HistoryRequest::new(
        &world.root.seed(AidIndex::FIRST).keys(),
        &CHAIN,
        MEMBER,
        NOW,
    );
    vec![
        Target::bytes("aidc1/application", world.applications(), |bytes| {
            let read = Application::parse(bytes).ok();
            canonical(bytes, read.map(|it| it.encode().to_vec()))
        }),
        Target::bytes("aidc1/offer", world.offers(), |bytes| {
            let read = Offer::parse(bytes).ok();
            canonical(bytes, read.map(|it| it.encode().to_vec()))
        }),
        message::<Acceptance>("aidc1/acceptance", acceptances),
        message::<Taken>("aidc1/taken", takens.iter().map(Message::encode).collect()),
        message::<HistoryRequest>("aidc1/question for a history", vec![history.encode()]),
        message::<EvaluationRequest>("aidc1/evaluation request", vec![request]),
        message::<Evaluation>("aidc1/evaluation", vec![answer]),
        message::<Confirmation>("aidc1/confirmation", vec![confirmation]),
        a_deal(&world),
        a_card(world.device, card),
    ]
}

/// A message has one encoding.
fn message<M: Message>(name: &'static str, samples: Vec<Vec<u8>>) -> Target {
    Target::bytes(name, samples, |bytes| {
        canonical(bytes, M::parse(bytes).ok().map(|it| it.encode()))
    })
}

/// A member takes what the RC signed for it, and nothing else.
fn a_deal(world: &World) -> Target {
    let rc = PublicKey::new(world.rc.verifying_key().to_bytes());
    let (epoch, genuine) = (world.epoch.clone(), world.deals[0].clone());
    Target::bytes(
        "aidc1/deal",
        vec![genuine.clone()],
        move |bytes| match deal::open(bytes, MEMBER, &epoch, &CHAIN, &rc) {
            Err(_) => Verdict::Refused,
            Ok(_) => holds(bytes == genuine, "it takes another deal"),
        },
    )
}

/// A card is the one that the device tagged.
fn a_card(device: DeviceSecret, card: Vec<u8>) -> Target {
    let genuine = card.clone();
    Target::bytes("aidc1/card", vec![card], move |bytes| {
        match Card::parse(bytes, &device) {
            Err(_) => Verdict::Refused,
            Ok(_) => holds(bytes == genuine, "it takes another card"),
        }
    })
}
