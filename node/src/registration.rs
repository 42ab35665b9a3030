//! The registration centre's own table: who is enrolled under which AID (W-6), kept on this disk alone.
//!
//! A row is on the disk before anybody hears of its AID. The table answers the one question that the ledger of the paper
//! cannot: whether this identity was enrolled before (W-7).

mod file;

use std::{
    collections::BTreeMap,
    io,
    path::{Path, PathBuf},
};

use contract::{Aid, Role};
use protocol::wu::{self, Enrolment, Mapping, Me1, PatientId};
use rand_core::CryptoRng;
use sha2::{Digest as _, Sha256};

use crate::{http::limits::PENDING_MS, services::Services};
use file::Table;

/// Name of the folder in a home.
const FOLDER: &str = "registration";

/// The centre at work.
#[derive(Debug)]
pub struct Centre {
    /// The rows on disk.
    table: Table,
    /// AIDs by the hash of the ID they stand for, and when they were made; a row written before the start counts as new.
    enrolled: BTreeMap<[u8; 32], Vec<(Aid, u64)>>,
}

/// Why nobody was enrolled.
#[derive(Debug, thiserror::Error)]
pub enum CannotEnrol {
    /// The identity is enrolled, or is being enrolled right now.
    #[error("this identity is enrolled already, or was asked for a moment ago")]
    Duplicate,
    /// The row cannot be written; without it nothing is promised.
    #[error("the mapping table cannot be written: {0}")]
    Disk(#[from] io::Error),
}

/// What the centre asks before it enrols.
struct Before<'a, L> {
    /// Its own rows.
    centre: &'a Centre,
    /// Whether the ledger holds an AID.
    on_ledger: L,
    /// Wall time.
    now_ms: u64,
}

impl<L: Fn(&Aid) -> bool> wu::Registry for Before<'_, L> {
    /// A row whose AID never reached the ledger, and can no more reach it, binds nobody.
    fn has_id(&self, id: &PatientId) -> bool {
        let rows = self.centre.enrolled.get(&name(id));
        rows.into_iter().flatten().any(|(aid, made_ms)| {
            self.now_ms.saturating_sub(*made_ms) < PENDING_MS || (self.on_ledger)(aid)
        })
    }

    fn has_aid(&self, aid: &Aid) -> bool {
        (self.on_ledger)(aid)
    }
}

/// How an ID stands in memory: the table is searched by it and shows nothing.
fn name(id: &PatientId) -> [u8; 32] {
    Sha256::new()
        .chain_update(b"aidchain/registration-id\0")
        .chain_update(id.expose())
        .finalize()
        .into()
}

impl Centre {
    /// The centre's table, when this node is the centre of its ledger.
    pub fn open(services: &Services) -> io::Result<Option<Self>> {
        if services.me.role != Role::Rc {
            return Ok(None);
        }
        Self::at(&services.config.home, services.clock.wall_ms()).map(Some)
    }

    /// The table of a home.
    fn at(home: &Path, now_ms: u64) -> io::Result<Self> {
        let folder: PathBuf = home.join(FOLDER);
        let (table, rows) = Table::open(&folder)?;
        let mut centre = Self {
            table,
            enrolled: BTreeMap::new(),
        };
        for row in rows {
            centre.remember(&row, now_ms);
        }
        Ok(centre)
    }

    /// Me1 → the answer and the row, which is on the disk when this returns.
    pub fn enrol(
        &mut self,
        request: &Me1,
        on_ledger: impl Fn(&Aid) -> bool,
        now_ms: u64,
        rng: &mut impl CryptoRng,
    ) -> Result<Enrolment, CannotEnrol> {
        let before = Before {
            centre: self,
            on_ledger,
            now_ms,
        };
        let enrolment =
            wu::enrol(request, &before, rng).map_err(|_registered| CannotEnrol::Duplicate)?;
        self.table.append(&enrolment.mapping)?;
        self.remember(&enrolment.mapping, now_ms);
        Ok(enrolment)
    }

    /// Whom an AID stands for.
    fn remember(&mut self, row: &Mapping, now_ms: u64) {
        self.enrolled
            .entry(name(&row.id))
            .or_default()
            .push((row.aid, now_ms));
    }
}

#[cfg(test)]
mod tests {
    use protocol::{Template, wu::Password};

    use super::*;

    fn request(id: &str) -> Me1 {
        Me1 {
            id: PatientId::parse(id.as_bytes()).unwrap(),
            password: Password::parse(b"correct horse").unwrap(),
            bio: Template::new([0x5a; 256]),
        }
    }

    /// The AID, or nothing for a duplicate.
    fn enrol(centre: &mut Centre, id: &str, ledger: &[Aid], now_ms: u64) -> Option<Aid> {
        let mut rng = patient::dice::seeded().unwrap();
        match centre.enrol(&request(id), |aid| ledger.contains(aid), now_ms, &mut rng) {
            Ok(enrolment) => Some(enrolment.answer.aid),
            Err(CannotEnrol::Duplicate) => None,
            Err(CannotEnrol::Disk(error)) => panic!("{error}"),
        }
    }

    #[test]
    fn an_identity_is_enrolled_once_also_across_a_restart() {
        let home = tempfile::tempdir().unwrap();
        let mut centre = Centre::at(home.path(), 0).unwrap();
        let aid = enrol(&mut centre, "Ada", &[], 0).unwrap();
        let later = PENDING_MS * 10;

        assert_eq!(enrol(&mut centre, "Ada", &[aid], later), None);
        assert!(enrol(&mut centre, "Grace", &[aid], later).is_some());
        drop(centre);
        let mut centre = Centre::at(home.path(), later).unwrap();
        assert_eq!(enrol(&mut centre, "Ada", &[aid], later * 2), None);
    }

    #[test]
    fn a_registration_that_never_reached_the_ledger_may_be_tried_again_once_it_cannot_come() {
        let home = tempfile::tempdir().unwrap();
        let mut centre = Centre::at(home.path(), 0).unwrap();
        enrol(&mut centre, "Ada", &[], 0).unwrap();

        assert_eq!(enrol(&mut centre, "Ada", &[], PENDING_MS - 1), None);
        assert!(enrol(&mut centre, "Ada", &[], PENDING_MS).is_some());
    }
}
