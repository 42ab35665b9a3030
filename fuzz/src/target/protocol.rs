//! What travels between a patient's terminal and a server, what the two of them store, and the fuzzy extractor.

use chacha20::ChaCha8Rng;
use contract::{Aid, Height};
use protocol::fuzzy::{self, Auxiliary};
use protocol::suite::{Directory, Message, Suite as _};
use protocol::wu::{
    self, Card, Mapping, Me1, Me3, Me5, Me7, Nothing, Password, PatientId, Registry, Wu2021,
};
use protocol::{Template, Timestamp, synthetic};
use rand_core::SeedableRng as _;

use super::{Target, Verdict, canonical, holds};

/// When the samples were made.
const NOW: Timestamp = Timestamp::from_millis(1_800_000_000_000);

/// A patient who registered, and signs in.
struct Patient {
    me1: Me1,
    me3: Me3,
    me5: Me5,
    me7: Me7,
    card: Card,
    mapping: Mapping,
    captures: Vec<Template>,
    pp: Auxiliary,
}

/// A table of the RC without a row.
struct Nobody;

impl Registry for Nobody {
    fn has_id(&self, _id: &PatientId) -> bool {
        false
    }

    fn has_aid(&self, _aid: &Aid) -> bool {
        false
    }
}

/// A ledger with one patient.
struct Ledger(Aid, PatientId);

impl Directory<PatientId> for Ledger {
    fn resolve(&self, aid: &Aid) -> Option<PatientId> {
        (*aid == self.0).then(|| self.1.clone())
    }

    fn height(&self) -> Height {
        Height::new(1)
    }
}

impl Patient {
    /// The patient.
    fn new() -> Self {
        let mut rng = ChaCha8Rng::seed_from_u64(1);
        let subject = synthetic::subjects(1).into_iter().next();
        let shots = subject.map(|subject| subject.captures).unwrap_or_default();
        let captures: Vec<Template> = shots.into_iter().map(|shot| shot.template).collect();
        let [id, password] = [b"synthetic".as_slice(), b"tulip"];
        let parts = (PatientId::parse(id), Password::parse(password));
        let (Ok(id), Ok(password)) = parts else {
            unreachable!("both are short texts")
        };
        let bio = Template::majority([&captures[0], &captures[1], &captures[2]]);
        let me1 = Me1 { id, password, bio };
        let Ok(enrolled) = wu::enrol(&me1, &Nobody, &mut rng) else {
            unreachable!("nobody is registered")
        };
        let card = Card::new(enrolled.answer.clone(), &me1.id);
        let opened = card.unlock(me1.id.clone(), &me1.password, captures[3].clone());
        let Ok(credential) = opened else {
            unreachable!("it is the same face")
        };
        let me5 = Wu2021::open(&credential, NOW, &mut rng).message;
        let ledger = Ledger(me5.aid, me1.id.clone());
        let Ok(answer) = Wu2021::answer(&(), &ledger, me5.clone(), NOW, &mut rng) else {
            unreachable!("she is registered")
        };
        Self {
            pp: enrolled.answer.pp.clone(),
            me3: enrolled.answer,
            me7: answer.message,
            mapping: enrolled.mapping,
            me1,
            me5,
            card,
            captures,
        }
    }
}

/// Those of this crate.
pub(super) fn targets() -> Vec<Target> {
    let patient = Patient::new();
    let card = patient.card.encode().to_vec();
    let row = patient.mapping.encode().to_vec();
    vec![
        message::<Me1>("protocol/Me1", patient.me1.encode()),
        message::<Me3>("protocol/Me3", patient.me3.encode()),
        message::<Me5>("protocol/Me5", patient.me5.encode()),
        message::<Me7>("protocol/Me7", patient.me7.encode()),
        message::<Nothing>("protocol/third message", Nothing.encode()),
        Target::bytes("protocol/card", vec![card], |bytes| {
            canonical(
                bytes,
                Card::parse(bytes).ok().map(|it| it.encode().to_vec()),
            )
        }),
        Target::bytes("protocol/mapping row", vec![row], |bytes| {
            canonical(
                bytes,
                Mapping::parse(bytes).ok().map(|it| it.encode().to_vec()),
            )
        }),
        Target::text(
            "protocol/identity",
            &["Ada", "é", &"a".repeat(64)],
            |text| {
                let read = PatientId::parse(text.as_bytes()).ok();
                canonical(
                    text.as_bytes(),
                    read.map(|it| it.expose().as_bytes().to_vec()),
                )
            },
        ),
        answer(&patient),
        auxiliary(&patient),
        template(patient),
    ]
}

/// A message has one encoding.
fn message<M: Message>(name: &'static str, sample: Vec<u8>) -> Target {
    Target::bytes(name, vec![sample], |bytes| {
        canonical(bytes, M::parse(bytes).ok().map(|it| it.encode()))
    })
}

/// A server answers nobody whose authenticator does not fit: M2 covers the identity, the point and T1.
fn answer(patient: &Patient) -> Target {
    let ledger = Ledger(patient.me5.aid, patient.me1.id.clone());
    let genuine = patient.me5.clone();
    Target::bytes(
        "protocol/sign-in",
        vec![patient.me5.encode()],
        move |bytes| {
            let Ok(me5) = Me5::parse(bytes) else {
                return Verdict::Refused;
            };
            let mut rng = ChaCha8Rng::seed_from_u64(2);
            if Wu2021::answer(&(), &ledger, me5.clone(), NOW, &mut rng).is_err() {
                return Verdict::Refused;
            }
            // Of the capture a few bits may be others: that is what a fuzzy extractor is for.
            let bio = genuine.bio.clone();
            holds(Me5 { bio, ..me5 } == genuine, "it lets in somebody else")
        },
    )
}

/// A changed auxiliary string gives no string.
fn auxiliary(patient: &Patient) -> Target {
    let pp = patient.pp.to_bytes().to_vec();
    let (mine, near) = (pp.clone(), patient.captures[3].clone());
    Target::bytes("protocol/auxiliary string", vec![pp], move |bytes| {
        let Ok(read) = Auxiliary::parse(bytes) else {
            return Verdict::Refused;
        };
        if fuzzy::reproduce(&near, &read).is_some() && bytes != mine {
            return Verdict::Broken("it gives a string for a changed one".to_owned());
        }
        canonical(bytes, Some(read.to_bytes().to_vec()))
    })
}

/// Whatever a sensor gives, the string is the one of the enrolment or there is none.
fn template(patient: Patient) -> Target {
    let samples = patient.captures.iter().map(|it| it.expose().to_vec());
    let (pp, sp) = (patient.pp, patient.me3.sp);
    Target::bytes("protocol/template", samples.collect(), move |bytes| {
        let Ok(bytes) = bytes.try_into() else {
            return Verdict::Refused;
        };
        match fuzzy::reproduce(&Template::new(bytes), &pp) {
            None => Verdict::Refused,
            Some(string) => holds(string == sp, "it gives another string"),
        }
    })
}
