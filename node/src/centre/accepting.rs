//! Acceptance → the patient's row, and a job for the ledger.

use contract::contracts::identity::id_commitment;
use contract::{
    Aid, ChainId, Consent, Officer, PatientRecord, Recovery, Registration, Replacement, StateError,
    Status, replace_digest, signature,
};
use protocol::aidc1::AIDS;
use protocol::aidc1::application::Acceptance;
use protocol::aidc1::offer::{Replaced, Taken};
use rand_core::CryptoRng;
use thiserror::Error;

use super::offers::Offered;
use super::queue::{Job, Name, Work};
use super::row::{AidSecrets, Aim, CodeHash, Generation, Index};
use super::{Centre, CentreError, Ledger};
use crate::vault::VaultError;

/// Acceptances whose consents do not hold, after which a desk code is spent.
const FAILED_MAX: u8 = 5;

/// Why an acceptance is not taken.
#[derive(Debug, Error)]
pub(crate) enum NotAccepted {
    /// The ticket names no offer: it was accepted otherwise, or it is over.
    #[error("the offer is over")]
    NoOffer,
    /// Another acceptance for this person came first. Neutral towards the applicant.
    #[error("{0}")]
    Refused(&'static str),
    /// The registrations are not those of the offer.
    #[error("a registration does not fit the offer: {0}")]
    Registration(&'static str),
    /// The consents do not hold.
    #[error("a consent does not hold: {0}")]
    Consent(&'static str),
    /// The ledger cannot be read.
    #[error(transparent)]
    State(#[from] StateError),
    /// Row or job cannot be kept.
    #[error(transparent)]
    Centre(#[from] CentreError),
}

impl From<VaultError> for NotAccepted {
    fn from(cause: VaultError) -> Self {
        Self::Centre(cause.into())
    }
}

impl Centre {
    /// Takes an acceptance; row and job are on the disk when this returns. Sent again it changes nothing, also after
    /// a restart.
    pub(crate) fn accept<L: Ledger>(
        &mut self,
        acceptance: &Acceptance,
        (ledger, chain): (&L, &ChainId),
        (set, now_ms): (u16, u64),
        rng: &mut impl CryptoRng,
    ) -> Result<Taken, NotAccepted> {
        let aids = acceptance
            .registrations
            .each_ref()
            .map(|one| one.record.aid);
        let [first, ..] = &aids;
        if let Some(row) = self.table.of_aid(first) {
            if row.aids != aids {
                return Err(NotAccepted::Registration("an AID was used before"));
            }
            self.fits(
                &acceptance.registrations,
                row.index,
                &self.table.secrets(row)?,
            )?;
            check_possession(&acceptance.registrations, chain)?;
            return Ok(self.standing(first, set));
        }
        let offered = self.offers.find(&acceptance.ticket, now_ms);
        let offered = offered.ok_or(NotAccepted::NoOffer)?;
        if offered.aids != aids {
            return Err(NotAccepted::Registration("the AIDs are others"));
        }
        let (index, desk, aim) = (offered.index, offered.desk, offered.aim);
        let offered = Parts::of(offered);
        self.fits(&acceptance.registrations, index, &*offered.secrets)?;
        check_epochs(&acceptance.registrations, offered.replaced.as_deref())?;
        check_possession(&acceptance.registrations, chain)?;
        self.still_free(aim, &index)?;
        let officer = self.officer(desk, now_ms)?;
        let work = match work(acceptance, (aim, &offered), (ledger, chain), officer) {
            Err(NotAccepted::Consent(why)) => {
                self.count_failure(desk)?;
                return Err(NotAccepted::Consent(why));
            }
            work => work?,
        };
        self.enter(
            offered.row(aim, index, desk, &aids),
            &offered.secrets,
            (work, now_ms),
            rng,
        )?;
        self.offers.take(&acceptance.ticket);
        Ok(self.standing(first, set))
    }

    /// Job, row, end of the desk code, in this order: a job without a row is dropped at the next start, and so is a
    /// code whose row is there.
    fn enter(
        &mut self,
        row: Generation,
        secrets: &[AidSecrets; AIDS],
        (work, now_ms): (Work, u64),
        rng: &mut impl CryptoRng,
    ) -> Result<(), CentreError> {
        let mut name = Name::default();
        rng.fill_bytes(&mut name);
        let since_ms = now_ms;
        self.queue.put(name, Job { since_ms, work })?;
        let desk = row.desk;
        if let Err(cause) = self.table.add(row, secrets) {
            self.queue.erase(&name)?;
            return Err(cause.into());
        }
        if let Some(code) = desk {
            self.table.spend(&code)?;
        }
        Ok(())
    }

    /// What the patient is told of her acceptance.
    fn standing(&self, first: &Aid, set: u16) -> Taken {
        match self.queue.of_aid(first).map(|(_, job)| &job.work) {
            Some(Work::Register(_)) if set > 1 => {
                let waits = |work: &Work| matches!(work, Work::Register(_));
                let waiting = self
                    .queue
                    .jobs()
                    .filter(|(_, job)| waits(&job.work))
                    .count();
                let waiting = u16::try_from(waiting).unwrap_or(u16::MAX);
                let needed = set;
                Taken::Queued {
                    waiting: waiting.min(needed),
                    needed,
                }
            }
            Some(Work::Recover(_) | Work::Await(_)) => Taken::AwaitsApproval,
            Some(Work::Register(_) | Work::Replace(_)) | None => Taken::Submitted,
        }
    }

    /// Whether each record is what this RC sealed and committed to.
    fn fits(
        &self,
        registrations: &[Registration; AIDS],
        index: Index,
        secrets: &[AidSecrets],
    ) -> Result<(), NotAccepted> {
        for (registration, secrets) in registrations.iter().zip(secrets) {
            let record = &registration.record;
            let identity = secrets.key.open(&record.aid, &record.c_id);
            let id = identity.map(protocol::aidc1::Identity::into_id);
            let id = id.ok_or(NotAccepted::Registration("the sealed ID is another"))?;
            let commitment =
                id_commitment(&record.aid, secrets.salt.expose(), id.expose().as_bytes());
            if self.table.index(&id) != index || commitment != record.id_commit {
                return Err(NotAccepted::Registration("the commitment is another"));
            }
        }
        Ok(())
    }

    /// Whether nobody came before: an ID is enrolled once.
    fn still_free(&self, aim: Aim, index: &Index) -> Result<(), NotAccepted> {
        let mut generations = self.table.generations(index);
        match (aim, generations.next()) {
            (Aim::Enrol, Some(_)) => Err(NotAccepted::Refused("this identity is enrolled already")),
            (Aim::Enrol, None) | (_, Some(_)) => Ok(()),
            (_, None) => Err(NotAccepted::Refused(
                "this identity is not enrolled any more",
            )),
        }
    }

    /// The officer who handed out the code, if one is needed. It may have been spent since the offer.
    fn officer(&self, desk: Option<CodeHash>, now_ms: u64) -> Result<Option<Officer>, NotAccepted> {
        let Some(hash) = desk else { return Ok(None) };
        let code = self
            .table
            .code(&hash)
            .filter(|code| now_ms <= code.until_ms);
        let code = code.ok_or(NotAccepted::Refused("the desk code is spent or over"))?;
        Ok(Some(code.officer.clone()))
    }

    /// After five false consents a desk code is in the wrong hands.
    fn count_failure(&mut self, desk: Option<CodeHash>) -> Result<(), VaultError> {
        let Some(hash) = desk else { return Ok(()) };
        let Some(mut code) = self.table.code(&hash).cloned() else {
            return Ok(());
        };
        code.failed = code.failed.saturating_add(1);
        if code.failed < FAILED_MAX {
            return self.table.put_code(code);
        }
        self.table.spend(&hash)?;
        self.offers.drop_of_code(&hash);
        Ok(())
    }
}

/// What is needed of an offer while the tables change.
struct Parts {
    locks: Vec<super::row::LockKeys>,
    replaced: Option<Box<[Replaced; AIDS]>>,
    secrets: Box<[AidSecrets; AIDS]>,
}

impl Parts {
    fn of(offered: &Offered) -> Self {
        Self {
            locks: offered.locks.clone(),
            replaced: offered.replaced.clone(),
            secrets: offered.secrets.clone(),
        }
    }

    fn row(
        &self,
        aim: Aim,
        index: Index,
        desk: Option<CodeHash>,
        aids: &[Aid; AIDS],
    ) -> Generation {
        Generation {
            age: 0,
            index,
            number: 0,
            aim,
            desk,
            locks: self.locks.clone(),
            aids: *aids,
        }
    }
}

/// Status and epoch as the ledger will ask for them.
fn check_epochs(
    registrations: &[Registration; AIDS],
    replaced: Option<&[Replaced; AIDS]>,
) -> Result<(), NotAccepted> {
    for (at, registration) in registrations.iter().enumerate() {
        let old = replaced.and_then(|all| all.get(at));
        let epoch = old.map_or(0, |old| old.epoch.saturating_add(1));
        let record = &registration.record;
        if record.status != Status::Active || record.epoch != epoch {
            return Err(NotAccepted::Registration("the epoch is another"));
        }
    }
    Ok(())
}

/// Keys and both proofs of possession of each.
fn check_possession(
    registrations: &[Registration; AIDS],
    chain: &ChainId,
) -> Result<(), NotAccepted> {
    for registration in registrations {
        if registration.record.aid != registration.record.aid_of_keys() {
            return Err(NotAccepted::Registration("an AID is not that of its keys"));
        }
        registration
            .check_possession(chain)
            .map_err(|_refused| NotAccepted::Registration("a key or its proof does not hold"))?;
    }
    Ok(())
}

/// The calls, if the patient agreed to them.
fn work<L: Ledger>(
    acceptance: &Acceptance,
    (aim, offered): (Aim, &Parts),
    (ledger, chain): (&L, &ChainId),
    officer: Option<Officer>,
) -> Result<Work, NotAccepted> {
    let registrations = acceptance.registrations.iter();
    let consents = acceptance.consents.as_deref();
    match (aim, consents, officer, &offered.replaced) {
        (Aim::Enrol | Aim::Renew, None, _, None) => {
            Ok(Work::Register(registrations.cloned().collect()))
        }
        (Aim::Move | Aim::Recover, Some(consents), _, Some(replaced)) => {
            let mut all = Vec::with_capacity(AIDS);
            for ((new, old), consent) in registrations.zip(replaced.iter()).zip(consents) {
                let record = ledger.record(&old.aid)?;
                let record = record.ok_or(NotAccepted::Consent("the old AID is unknown"))?;
                check_consent(aim, (&record, new), consent, chain)?;
                all.push(Replacement {
                    old: old.aid,
                    registration: new.clone(),
                    consent: consent.clone(),
                });
            }
            Ok(Work::Replace(all))
        }
        (Aim::Recover, None, Some(officer), Some(replaced)) => {
            let recovery = |(new, old): (&Registration, &Replaced)| Recovery {
                old: old.aid,
                registration: new.clone(),
                officer: officer.clone(),
            };
            let all = registrations.zip(replaced.iter()).map(recovery);
            Ok(Work::Recover(all.collect()))
        }
        _ => Err(NotAccepted::Consent(
            "there are consents where none belong, or none where they are needed",
        )),
    }
}

/// Whether the patient's old key, or her recovery key, agreed.
fn check_consent(
    aim: Aim,
    (old, new): (&PatientRecord, &Registration),
    consent: &Consent,
    chain: &ChainId,
) -> Result<(), NotAccepted> {
    let digest = replace_digest(chain, &old.aid, &new.record.aid);
    let (key, signature) = match (aim, consent) {
        (Aim::Move, Consent::SigningKey(_)) if old.status != Status::Active => {
            return Err(NotAccepted::Consent("the old AID has ended"));
        }
        (Aim::Move, Consent::SigningKey(signature)) => (&old.pk_sig, signature),
        (Aim::Recover, Consent::RecoveryKey(signature)) => (&old.pk_recovery, signature),
        _ => return Err(NotAccepted::Consent("it is by the other kind of key")),
    };
    let record = &new.record;
    if record.pk_dh == old.pk_dh
        || record.pk_sig == old.pk_sig
        || record.pk_recovery == old.pk_recovery
    {
        return Err(NotAccepted::Registration("a key is the old one"));
    }
    if signature::is_valid(key, &digest, signature) {
        Ok(())
    } else {
        Err(NotAccepted::Consent("the signature is wrong"))
    }
}
