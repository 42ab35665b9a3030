//! What officers of the RC do: let somebody in, end what somebody has, and, with another member's approval, say who an
//! AID is.

use contract::{Aid, Officer, PatientRecord, Root, StateError, Status};
use protocol::Secret;
use protocol::aidc1::RecoveryCode;
use protocol::aidc1::recovery::CODE_BYTES;
use protocol::wu::PatientId;
use rand_core::CryptoRng;
use sha2::{Digest as _, Sha256};
use thiserror::Error;
use zeroize::Zeroizing;

use super::queue::{Job, Name, Work};
use super::row::{Aim, DeskRow, Index, NOTE_BYTES_MAX, Note};
use super::{Centre, CentreError, Ledger};
use crate::vault::VaultError;

/// How long a desk code counts.
pub(crate) const CODE_MS: u64 = 24 * 3_600_000;
/// Desk codes that count at once.
const CODES_MAX: usize = 4_096;

/// What a desk code is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Admits {
    /// Somebody new.
    Enrol,
    /// Somebody who lost her device or her password.
    Recover,
}

/// Whom an officer means.
#[derive(Debug)]
pub(crate) enum Whom {
    /// By name.
    Id(PatientId),
    /// By one of her AIDs.
    Aid(Aid),
}

/// Why an officer's wish is not fulfilled.
#[derive(Debug, Error)]
pub(crate) enum NotDone {
    /// This RC enrolled nobody like that.
    #[error("this registration centre has no row for this person")]
    NoSuchPatient,
    /// A registration is being sent.
    #[error("a registration of this person is on its way to the ledger: try again in a minute")]
    OnItsWay,
    /// The ledger does not say yet that everything is shredded.
    #[error("the ledger does not hold all identities as shredded yet")]
    NotShredded,
    /// Too many codes.
    #[error("{CODES_MAX} desk codes count already")]
    TooManyCodes,
    /// What somebody wrote is too long.
    #[error("a note has at most {NOTE_BYTES_MAX} bytes")]
    NoteTooLong,
    /// The ledger cannot be read.
    #[error(transparent)]
    State(#[from] StateError),
    /// The rows cannot be kept.
    #[error(transparent)]
    Centre(#[from] CentreError),
}

impl From<VaultError> for NotDone {
    fn from(cause: VaultError) -> Self {
        Self::Centre(cause.into())
    }
}

impl From<std::io::Error> for NotDone {
    fn from(cause: std::io::Error) -> Self {
        Self::Centre(cause.into())
    }
}

/// A recovery that waits.
#[derive(Debug)]
pub(crate) struct Recovering {
    /// Since when.
    pub(crate) since_ms: u64,
    /// Old and new AIDs.
    pub(crate) pairs: Vec<(Aid, Aid)>,
}

/// What waits at the RC.
#[derive(Debug)]
pub(crate) struct Waiting {
    /// When each patient accepted whose registrations wait for a set.
    pub(crate) set_since_ms: Vec<u64>,
    /// Recoveries that no key of the patient's agreed to.
    pub(crate) recoveries: Vec<Recovering>,
    /// Desk codes that count.
    pub(crate) codes: usize,
}

impl Centre {
    /// A code for somebody whose identity an officer proofed; it is on the disk when this returns.
    pub(crate) fn admit(
        &mut self,
        (id, admits): (&PatientId, Admits),
        officer: Officer,
        now_ms: u64,
        rng: &mut impl CryptoRng,
    ) -> Result<(RecoveryCode, u64), NotDone> {
        self.table.drop_codes(|code| code.until_ms < now_ms)?;
        if self.table.codes() >= CODES_MAX {
            return Err(NotDone::TooManyCodes);
        }
        let mut bytes = Zeroizing::new([0; CODE_BYTES]);
        rng.fill_bytes(&mut *bytes);
        let code = RecoveryCode::new(Secret::new(*bytes));
        let until_ms = now_ms.saturating_add(CODE_MS);
        self.table.put_code(DeskRow {
            age: 0,
            hash: Sha256::digest(code.expose()).into(),
            index: self.table.index(id),
            aim: match admits {
                Admits::Enrol => Aim::Enrol,
                Admits::Recover => Aim::Recover,
            },
            until_ms,
            failed: 0,
            officer,
        })?;
        Ok((code, until_ms))
    }

    /// All AIDs that a person ever had here.
    pub(crate) fn aids_of(&self, whom: &Whom) -> Result<Vec<Aid>, NotDone> {
        let index = self.index_of(whom)?;
        let generations = self.table.generations(&index);
        Ok(generations.flat_map(|row| row.aids).collect())
    }

    /// Whether some of these AIDs still wait to be registered.
    pub(crate) fn is_on_its_way(&self, aids: &[Aid]) -> bool {
        let registers = |work: &Work| matches!(work, Work::Register(_) | Work::Replace(_));
        let mut jobs = self.queue.jobs();
        jobs.any(|(_, job)| {
            registers(&job.work) && job.work.aids().iter().any(|it| aids.contains(it))
        })
    }

    /// Takes back what waits for a person and was not sent, so that nothing comes onto the ledger after a shredding.
    pub(crate) fn withdraw(&mut self, aids: &[Aid]) -> Result<(), NotDone> {
        let hers = |job: &Job| job.work.aids().iter().any(|aid| aids.contains(aid));
        let names: Vec<Name> = self
            .queue
            .jobs()
            .filter(|(_, job)| hers(job))
            .map(|(name, _)| *name)
            .collect();
        if names.iter().any(|name| self.sent.contains(name)) {
            return Err(NotDone::OnItsWay);
        }
        for name in names {
            self.queue.erase(&name)?;
        }
        Ok(())
    }

    /// Destroys all that resolves a person, once the ledger holds whatever it has of her as shredded.
    pub(crate) fn shred(&mut self, whom: &Whom, ledger: &impl Ledger) -> Result<(), NotDone> {
        let index = self.index_of(whom)?;
        let rows: Vec<_> = self.table.generations(&index).cloned().collect();
        for aid in rows.iter().flat_map(|row| &row.aids) {
            let record = ledger.record(aid)?;
            if record.is_some_and(|record| record.status != Status::Shredded) {
                return Err(NotDone::NotShredded);
            }
        }
        self.table.drop_codes(|code| code.index == index)?;
        for row in rows {
            self.table.drop_notes(|note| row.aids.contains(&note.aid))?;
            self.table.erase(&row)?;
        }
        Ok(())
    }

    /// Destroys the rows of everybody whom the ledger holds as shredded: a crash may have come between the two.
    pub(super) fn shred_again(&mut self, ledger: &impl Ledger) -> Result<(), NotDone> {
        for first in self.table.first_aids() {
            let record = ledger.record(&first)?;
            if record.is_some_and(|record| record.status == Status::Shredded) {
                match self.shred(&Whom::Aid(first), ledger) {
                    Ok(()) | Err(NotDone::NotShredded) => {}
                    Err(cause) => return Err(cause),
                }
            }
        }
        Ok(())
    }

    /// Keeps what an officer wrote beside a request, under a hash that nobody can guess from a short text.
    pub(crate) fn note(
        &mut self,
        aid: Aid,
        text: &str,
        rng: &mut impl CryptoRng,
    ) -> Result<Root, NotDone> {
        if text.len() > NOTE_BYTES_MAX {
            return Err(NotDone::NoteTooLong);
        }
        let mut salt = [0; 16];
        rng.fill_bytes(&mut salt);
        let bytes = Zeroizing::new([salt.as_slice(), text.as_bytes()].concat());
        let hash = Root::new(Sha256::digest(&*bytes).into());
        self.table.put_note(&Note { aid, bytes })?;
        Ok(hash)
    }

    /// Who an AID is. The caller holds the approved entry.
    pub(crate) fn resolve(&self, record: &PatientRecord) -> Result<PatientId, NotDone> {
        let row = self
            .table
            .of_aid(&record.aid)
            .ok_or(NotDone::NoSuchPatient)?;
        let secrets = self.table.secrets(row)?;
        let mut keys = row.aids.iter().zip(&secrets);
        let found = keys.find(|(aid, _)| **aid == record.aid);
        let identity = found.and_then(|(aid, secrets)| secrets.key.open(aid, &record.c_id));
        let id = identity.map(protocol::aidc1::Identity::into_id);
        id.ok_or(NotDone::NoSuchPatient)
    }

    /// What waits.
    pub(crate) fn waiting(&self) -> Waiting {
        let (mut set_since_ms, mut recoveries) = (Vec::new(), Vec::new());
        for (_, job) in self.queue.jobs() {
            let pairs = match &job.work {
                Work::Register(_) => {
                    set_since_ms.push(job.since_ms);
                    continue;
                }
                Work::Replace(_) => continue,
                Work::Recover(asked) => asked
                    .iter()
                    .map(|one| (one.old, one.registration.record.aid))
                    .collect(),
                Work::Await(pairs) => pairs.clone(),
            };
            recoveries.push(Recovering {
                since_ms: job.since_ms,
                pairs,
            });
        }
        Waiting {
            set_since_ms,
            recoveries,
            codes: self.table.codes(),
        }
    }

    fn index_of(&self, whom: &Whom) -> Result<Index, NotDone> {
        let index = match whom {
            Whom::Id(id) => Some(self.table.index(id)),
            Whom::Aid(aid) => self.table.of_aid(aid).map(|row| row.index),
        };
        index
            .filter(|index| self.table.generations(index).next().is_some())
            .ok_or(NotDone::NoSuchPatient)
    }
}
