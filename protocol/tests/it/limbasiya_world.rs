//! A registration centre of Limbasiya et al., two hospitals and a user.

use std::collections::BTreeSet;

use contract::{Aid, Height};
use protocol::limbasiya::{
    Applicant, Card, Centre, Draft, Place, RowsRequest, Station, Unlocked, Word,
};
use protocol::suite::Directory;
use protocol::wu::{Password, PatientId};
use protocol::{Secret, Timestamp};

use crate::seeded::dice;
use crate::world::NOW;

pub(crate) const PASSWORD: &str = "correct horse";

/// The UIDs on the ledger.
#[derive(Debug, Default)]
pub(crate) struct Uids(pub(crate) BTreeSet<Aid>);

impl Directory<()> for Uids {
    fn resolve(&self, aid: &Aid) -> Option<()> {
        self.0.contains(aid).then_some(())
    }

    fn height(&self) -> Height {
        Height::new(7)
    }
}

pub(crate) fn word(text: &str) -> Word {
    Word::parse(text.as_bytes()).unwrap()
}

pub(crate) fn id(text: &str) -> PatientId {
    PatientId::parse(text.as_bytes()).unwrap()
}

pub(crate) fn password(text: &str) -> Password {
    Password::parse(text.as_bytes()).unwrap()
}

/// A hospital that applies to the centre.
pub(crate) fn applicant(name: &str) -> Applicant {
    Applicant {
        id: word(name),
        loc: word("Goa"),
        password: password("of a hospital"),
        nonce: Secret::new([5; 16]),
    }
}

/// The centre, the ledger, and one user with her card.
pub(crate) struct Land {
    pub(crate) centre: Centre,
    pub(crate) ledger: Uids,
    pub(crate) card: Card,
}

impl Land {
    /// Hospitals two and three, and patient-0001, who registered after them.
    pub(crate) fn new() -> Self {
        let mut centre = Centre::new(Secret::new([9; 32]), [], []);
        for name in ["hospital2", "hospital3"] {
            let request = applicant(name).request();
            centre.register_server(&request, NOW).unwrap();
        }
        let mut ledger = Uids::default();
        let card = enrol(&mut centre, &mut ledger, ("patient-0001", 1));
        Self {
            centre,
            ledger,
            card,
        }
    }

    /// Her card, opened.
    pub(crate) fn unlocked(&self) -> Unlocked {
        let opened = self.card.unlock(id("patient-0001"), password(PASSWORD));
        opened.unwrap()
    }

    /// A server with the centre's table of this moment.
    pub(crate) fn station(&self, name: &str) -> Station {
        let place: Place = self.centre.server(&word(name)).unwrap().place.clone();
        let mut station = Station::new(place);
        station.update(self.rows(name, NOW));
        station
    }

    pub(crate) fn rows(&self, name: &str, now: Timestamp) -> protocol::limbasiya::Rows {
        let request = RowsRequest {
            id: word(name),
            t: now.as_millis() / 1_000,
        };
        self.centre.rows(&request, now).unwrap()
    }
}

/// Registers somebody at the centre and on the ledger.
pub(crate) fn enrol(centre: &mut Centre, ledger: &mut Uids, (name, seed): (&str, u64)) -> Card {
    let draft = Draft::new(id(name), password(PASSWORD), &mut dice(seed));
    let application = draft.application();
    let issued = centre.register_user(&application, &mut dice(seed.wrapping_add(100)));
    ledger.0.insert(application.uid);
    draft.card(&issued.unwrap())
}
