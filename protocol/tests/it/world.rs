//! The surroundings of a suite: a ledger, a table of the RC, and a patient in them.

use std::collections::{BTreeMap, BTreeSet};

use contract::{Aid, Height};
use protocol::suite::Directory;
use protocol::wu::{self, Card, Credential, Me1, Password, PatientId, Registry};
use protocol::{Template, Timestamp};

use crate::seeded::dice;

/// The moment at which the tests begin.
pub(crate) const NOW: Timestamp = Timestamp::from_millis(1_700_000_000_000);

/// `NOW` and so many milliseconds more.
pub(crate) fn later(millis: u64) -> Timestamp {
    Timestamp::from_millis(NOW.as_millis().saturating_add(millis))
}

/// The (ID, AID) that the ledger holds.
#[derive(Default)]
pub(crate) struct Ledger(BTreeMap<Aid, PatientId>);

impl Ledger {
    pub(crate) fn of(records: impl IntoIterator<Item = (Aid, PatientId)>) -> Self {
        Self(records.into_iter().collect())
    }
}

impl Directory<PatientId> for Ledger {
    fn resolve(&self, aid: &Aid) -> Option<PatientId> {
        self.0.get(aid).cloned()
    }

    fn height(&self) -> Height {
        Height::new(7)
    }
}

/// What the RC knows.
#[derive(Default)]
pub(crate) struct Table {
    pub(crate) ids: BTreeSet<String>,
    pub(crate) aids: BTreeSet<Aid>,
}

impl Registry for Table {
    fn has_id(&self, id: &PatientId) -> bool {
        self.ids.contains(id.expose())
    }

    fn has_aid(&self, aid: &Aid) -> bool {
        self.aids.contains(aid)
    }
}

/// A registered patient with her captures, and the ledger that knows her.
pub(crate) struct World {
    pub(crate) card: Card,
    pub(crate) ledger: Ledger,
    pub(crate) captures: Vec<Template>,
    pub(crate) stranger: Vec<Template>,
}

pub(crate) fn id(text: &str) -> PatientId {
    PatientId::parse(text.as_bytes()).unwrap()
}

pub(crate) fn password(text: &str) -> Password {
    Password::parse(text.as_bytes()).unwrap()
}

impl World {
    /// A patient of this identity, with password `tulip` and a synthetic face.
    pub(crate) fn with(name: &str) -> Self {
        let mut people = crate::faces::synthetic(1).into_iter();
        let captures = people.next().unwrap();
        let stranger = people.next().unwrap();
        let me1 = Me1 {
            id: id(name),
            password: password("tulip"),
            bio: Template::majority([&captures[0], &captures[1], &captures[2]]),
        };
        let enrolment = wu::enrol(&me1, &Table::default(), &mut dice(11)).unwrap();
        let card = Card::new(enrolment.answer, &me1.id);
        Self {
            ledger: Ledger::of([(card.aid(), me1.id)]),
            card,
            captures,
            stranger,
        }
    }

    /// The card opened with the right identity, password and fourth capture.
    pub(crate) fn credential(&self, name: &str) -> Credential {
        self.card
            .unlock(id(name), &password("tulip"), self.captures[3].clone())
            .unwrap()
    }
}
