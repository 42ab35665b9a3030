//! The Registration Centre of AIDC-1 at work: whom it proofed, what it drew for them, and what waits for the ledger
//! (`docs/aidc1-enrolment.md` §6, §10).
//!
//! ```text
//! row        how its secrets lie in the vault
//! table      the rows
//! offers     what was offered and not accepted yet
//! dealing    who evaluates a new lock
//! applying   application → offer
//! accepting  acceptance → row and job
//! queue      jobs: what is to be put on the ledger
//! registrar  puts it there
//! desk       what officers do
//! ```
//!
//! Nobody is told that she is enrolled before row and job are on the disk. A job goes when the ledger has all of it.

mod accepting;
mod applying;
pub(crate) mod dealing;
pub(crate) mod desk;
mod offers;
mod queue;
pub(crate) mod registrar;
mod row;
mod table;

use std::collections::BTreeSet;
use std::io;
use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};

use contract::contracts::identity::{self, Credential, PendingRecovery};
use contract::{Aid, PatientRecord, Snapshot, StateError, StateReader};
use rand_core::CryptoRng;
use thiserror::Error;
use tokio::sync::Notify;

use crate::vault::VaultError;
use offers::Offers;
use queue::Queue;
use row::Generation;
use table::Table;

pub(crate) use accepting::NotAccepted;
pub(crate) use applying::{NotOffered, Request};

/// The RC's disk fails.
#[derive(Debug, Error)]
pub enum CentreError {
    /// The vault.
    #[error(transparent)]
    Vault(#[from] VaultError),
    /// The queue.
    #[error("the queue of registrations cannot be kept: {0}")]
    Queue(#[from] io::Error),
}

/// The centre, shared by whoever serves patients and whoever talks to the ledger.
#[derive(Debug)]
pub(crate) struct Office {
    centre: Mutex<Centre>,
    /// Something was accepted.
    accepted: Notify,
}

/// The centre's tables.
#[derive(Debug)]
pub(crate) struct Centre {
    table: Table,
    offers: Offers,
    queue: Queue,
    /// Jobs whose calls are under way.
    sent: BTreeSet<queue::Name>,
    /// AIDs that the ledger will never take, as it said since the start.
    refused: BTreeSet<Aid>,
}

/// What the centre asks the certified ledger.
pub(crate) trait Ledger {
    /// The record of an AID.
    fn record(&self, aid: &Aid) -> Result<Option<PatientRecord>, StateError>;
    /// Its recovery that was asked for and not closed.
    fn recovery(&self, aid: &Aid) -> Result<Option<PendingRecovery>, StateError>;
}

impl<R: StateReader> Ledger for Snapshot<R> {
    fn record(&self, aid: &Aid) -> Result<Option<PatientRecord>, StateError> {
        let found = identity::identity_at(self, aid)?;
        Ok(found.and_then(|identity| match identity.credential {
            Credential::Aidc1(record) => Some(record),
            Credential::Wu2021 { .. } => None,
        }))
    }

    fn recovery(&self, aid: &Aid) -> Result<Option<PendingRecovery>, StateError> {
        identity::recovery_at(self, aid)
    }
}

impl Office {
    /// Opens the files of a home.
    pub(crate) fn open(home: &Path, rng: &mut impl CryptoRng) -> Result<Self, CentreError> {
        Ok(Self {
            centre: Mutex::new(Centre::open(home, rng)?),
            accepted: Notify::new(),
        })
    }

    /// The tables. A panic elsewhere leaves them whole: each change is one call.
    pub(crate) fn centre(&self) -> MutexGuard<'_, Centre> {
        self.centre.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Wakes whoever talks to the ledger.
    pub(crate) fn wake(&self) {
        self.accepted.notify_one();
    }
}

impl Centre {
    /// Opens the files of a home. A job without a row was promised to nobody.
    pub(crate) fn open(home: &Path, rng: &mut impl CryptoRng) -> Result<Self, CentreError> {
        let table = Table::open(home, rng)?;
        let mut queue = Queue::open(home)?;
        let promised = |aid: &Aid| table.of_aid(aid).is_some();
        let orphans: Vec<queue::Name> = queue
            .jobs()
            .filter(|(_, job)| !job.work.aids().iter().all(promised))
            .map(|(name, _)| *name)
            .collect();
        for name in orphans {
            queue.erase(&name)?;
        }
        Ok(Self {
            table,
            offers: Offers::default(),
            queue,
            sent: BTreeSet::new(),
            refused: BTreeSet::new(),
        })
    }

    /// The generation of a patient that counts: the newest, unless it is a recovery that the ledger has not finished.
    fn in_effect<'a>(
        &'a self,
        of: &Generation,
        ledger: &impl Ledger,
    ) -> Result<Option<&'a Generation>, StateError> {
        for generation in self.table.generations(&of.index) {
            let waits = generation.aim == row::Aim::Recover && {
                let [first, ..] = &generation.aids;
                ledger.record(first)?.is_none()
            };
            if !waits {
                return Ok(Some(generation));
            }
        }
        Ok(None)
    }
}
