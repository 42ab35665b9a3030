//! An RC, its members as evaluators, and a patient with her terminal: the surroundings
//! of an enrolment under AIDC-1.

use std::collections::BTreeMap;

use contract::{ChainId, PublicKey, ServerId};
use ed25519_dalek::SigningKey;
use protocol::aidc1::deal::{self, Dealt, Enrolment};
use protocol::aidc1::evaluator::Refused;
use protocol::aidc1::issue::{Issued, issue};
use protocol::aidc1::oprf::Evaluation;
use protocol::aidc1::oprf::shares::{self, Evaluators};
use protocol::aidc1::{
    AidIndex, Binding, Card, Cost, DeviceSecret, Enrolled, EpochSecret, EvaluationId, Factor,
    Handle, Holder, Lock, NotOpened, Password, Question, RecoveryCode, Root, TerminalKey, unlock,
};
use protocol::suite::Message;
use protocol::wu::PatientId;
use protocol::{Embedding, Secret, Timestamp};
use rand_core::CryptoRng;

use crate::world::NOW;

pub(crate) const CHAIN: ChainId = ChainId::new([0xC0; 32]);

/// What tests spend on Argon2id: the least that a card may ask for.
pub(crate) fn cheap() -> Cost {
    Cost::new(Cost::MEMORY_KIB_MIN, 1).unwrap()
}

/// A member of the consortium as an evaluator.
pub(crate) struct Member {
    pub(crate) id: ServerId,
    pub(crate) epoch: EpochSecret,
    pub(crate) enrolled: BTreeMap<Handle, Enrolled>,
}

/// The RC, the members and the time.
pub(crate) struct Consortium {
    pub(crate) rc: SigningKey,
    pub(crate) members: Vec<Member>,
    pub(crate) now: Timestamp,
}

impl Consortium {
    pub(crate) fn of(members: u8) -> Self {
        let member = |number: u8| Member {
            id: ServerId::new([number; 32]),
            epoch: EpochSecret::new(Secret::new([number; 80])),
            enrolled: BTreeMap::new(),
        };
        Self {
            rc: SigningKey::from_bytes(&[0xEC; 32]),
            members: (1..=members).map(member).collect(),
            now: NOW,
        }
    }

    pub(crate) fn ids(&self) -> Vec<ServerId> {
        self.members.iter().map(|member| member.id).collect()
    }

    pub(crate) fn rc_public(&self) -> PublicKey {
        PublicKey::new(self.rc.verifying_key().to_bytes())
    }

    pub(crate) fn pass(&mut self, millis: u64) {
        self.now = Timestamp::from_millis(self.now.as_millis().saturating_add(millis));
    }

    /// The RC deals a key for this enrolment; every member takes its share.
    pub(crate) fn deal(
        &mut self,
        threshold: u8,
        enrolment: &Enrolment,
        rng: &mut impl CryptoRng,
    ) -> Evaluators {
        let (evaluators, shares) = shares::deal(threshold, &self.ids(), rng).unwrap();
        let rc_public = self.rc_public();
        for (member, share) in self.members.iter_mut().zip(shares) {
            let dealt = Dealt {
                enrolment: enrolment.clone(),
                evaluators: evaluators.clone(),
                share,
            };
            let key = member.epoch.public();
            let sealed = deal::seal(&dealt, member.id, &key, (&CHAIN, &self.rc), rng).unwrap();
            let opened = deal::open(&sealed, member.id, &member.epoch, &CHAIN, &rc_public).unwrap();
            let table = &member.enrolled;
            let enrolled = Enrolled::take(opened, |handle| table.get(handle), &CHAIN).unwrap();
            member.enrolled.insert(enrolment.handle, enrolled);
        }
        evaluators
    }

    /// Asks one member, over the wire.
    pub(crate) fn ask(
        &mut self,
        at: usize,
        question: &Question,
        device: &DeviceSecret,
        rng: &mut impl CryptoRng,
    ) -> Result<(EvaluationId, Evaluation), Refused> {
        let now = self.now;
        let member = &mut self.members[at];
        let request = question.request(device, &CHAIN, member.id, now);
        let request = over_the_wire(&request);
        let enrolled = member.enrolled.get_mut(request.handle());
        let enrolled = enrolled.ok_or(Refused::Unknown)?;
        let answer = enrolled.evaluate(&request, (&CHAIN, &member.id), now, rng)?;
        Ok((request.evaluation_id(&CHAIN), over_the_wire(&answer)))
    }

    /// Asks these members; those that refuse stay silent.
    pub(crate) fn ask_all(
        &mut self,
        members: &[usize],
        question: &Question,
        device: &DeviceSecret,
        rng: &mut impl CryptoRng,
    ) -> Vec<(ServerId, Evaluation)> {
        self.pass(1);
        let answers = members.iter().filter_map(|&at| {
            let (_, answer) = self.ask(at, question, device, rng).ok()?;
            Some((self.members[at].id, answer))
        });
        answers.collect()
    }
}

/// What comes out at the other end.
fn over_the_wire<M: Message>(message: &M) -> M {
    M::parse(&message.encode()).unwrap()
}

/// A patient: what she knows, is and has.
pub(crate) struct Patient {
    pub(crate) device: DeviceSecret,
    pub(crate) root: Root,
    pub(crate) code: RecoveryCode,
    pub(crate) id: PatientId,
    /// Six captures of her face; the first three enrol her.
    pub(crate) face: Vec<Embedding>,
}

/// The captures of a synthetic subject.
pub(crate) fn face(subject: usize) -> Vec<Embedding> {
    let subjects = protocol::synthetic::subjects(1);
    let captures = subjects[subject].captures.iter();
    captures.map(|shot| shot.embedding.clone()).collect()
}

impl Patient {
    pub(crate) fn new(rng: &mut impl CryptoRng) -> Self {
        Self {
            device: DeviceSecret::draw(rng),
            root: Root::draw(rng),
            code: RecoveryCode::draw(rng),
            id: PatientId::parse(b"756.9217.0769.85").unwrap(),
            face: face(0),
        }
    }

    pub(crate) fn enrolment(&self, handle: Handle) -> Enrolment {
        Enrolment::new(handle, self.device.public(), &self.root)
    }

    /// A lock under this password, with or without a face.
    pub(crate) fn enrol(
        &self,
        consortium: &mut Consortium,
        (enrolment, threshold): (&Enrolment, u8),
        (password, with_face): (&str, bool),
        rng: &mut impl CryptoRng,
    ) -> Card {
        let evaluators = consortium.deal(threshold, enrolment, rng);
        let everybody: Vec<_> = (0..consortium.members.len()).collect();
        let question = question(password, enrolment.handle, rng);
        let answers = consortium.ask_all(&everybody, &question, &self.device, rng);
        let combined = question.combine(&evaluators, &answers).unwrap();
        let binding = Binding {
            cost: cheap(),
            ..Binding::draw(self.aid(), enrolment.handle, rng)
        };
        let tk = TerminalKey::derive(&combined.output, &self.device, &binding).unwrap();
        let captures = with_face.then(|| [&self.face[0], &self.face[1], &self.face[2]]);
        let lock = Lock::seal(binding, tk, &self.root, (&self.code, captures), rng);
        let issued: Vec<Issued> = AidIndex::all()
            .map(|index| {
                let aid = *self.root.seed(index).keys().aid();
                issue(&aid, &self.id, rng).unwrap()
            })
            .collect();
        let salts = core::array::from_fn(|at| issued[at].answer.salt.clone());
        let holder = Holder::new(self.id.clone(), salts).unwrap();
        Card::new((CHAIN, evaluators), lock, &self.root, &holder, rng)
    }

    pub(crate) fn aid(&self) -> contract::Aid {
        *self.root.seed(AidIndex::FIRST).keys().aid()
    }

    /// tk, as far as these members and this password lead.
    pub(crate) fn terminal_key(
        &self,
        consortium: &mut Consortium,
        card: &Card,
        (password, members): (&str, &[usize]),
        rng: &mut impl CryptoRng,
    ) -> TerminalKey {
        let binding = card.lock().binding();
        let question = question(password, binding.handle, rng);
        let answers = consortium.ask_all(members, &question, &self.device, rng);
        let combined = question.combine(card.evaluators(), &answers).unwrap();
        TerminalKey::derive(&combined.output, &self.device, binding).unwrap()
    }

    /// A whole unlock with all members.
    pub(crate) fn unlock(
        &self,
        consortium: &mut Consortium,
        card: &Card,
        (password, factor): (&str, Factor<'_>),
        rng: &mut impl CryptoRng,
    ) -> Result<Root, NotOpened> {
        let everybody: Vec<_> = (0..consortium.members.len()).collect();
        let tk = self.terminal_key(consortium, card, (password, &everybody), rng);
        unlock::open(tk, card.lock(), factor, consortium.now)
    }
}

pub(crate) fn question(password: &str, handle: Handle, rng: &mut impl CryptoRng) -> Question {
    let password = Password::parse(password.as_bytes()).unwrap();
    Question::new(&password, handle, rng).unwrap()
}
