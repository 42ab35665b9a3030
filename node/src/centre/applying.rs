//! Application → offer: who may have what, and the RC's part of it.

use contract::{Aid, ChainId, PatientRecord, StateError, Status};
use ed25519_dalek::SigningKey;
use protocol::aidc1::AIDS;
use protocol::aidc1::application::{Application, DeskCode, Person, Purpose, Ticket};
use protocol::aidc1::deal::Enrolment;
use protocol::aidc1::issue::{Answer, issue};
use protocol::aidc1::limits::Source;
use protocol::aidc1::offer::{Identities, Offer, Replaced};
use protocol::{Malformed, Secret};
use rand_core::CryptoRng;
use sha2::{Digest as _, Sha256};
use thiserror::Error;

use super::dealing::{CannotDeal, Dealer};
use super::offers::Offered;
use super::queue::Work;
use super::row::{AidSecrets, Aim, CodeHash, Generation, Index, LockKeys};
use super::{Centre, CentreError, Ledger};
use crate::config::Enrolling;
use crate::vault::VaultError;

/// What an application is judged by, beside the rows.
#[derive(Debug)]
pub(crate) struct Request<'a, L> {
    pub(crate) ledger: &'a L,
    pub(crate) dealer: &'a Dealer,
    /// The RC's member key.
    pub(crate) rc: &'a SigningKey,
    pub(crate) chain: &'a ChainId,
    /// Whether the desk has to know an applicant.
    pub(crate) enrolling: Enrolling,
    pub(crate) source: Source,
    pub(crate) now_ms: u64,
}

/// Why there is no offer.
#[derive(Debug, Error)]
pub(crate) enum NotOffered {
    /// For the operator alone; the applicant hears one text whatever it is.
    #[error("{0}")]
    Refused(&'static str),
    /// It is no secret that this RC has a desk.
    #[error("the registration centre asks for a desk code")]
    NeedsDesk,
    /// She proved who she is.
    #[error("the identities to be replaced are not on the ledger yet")]
    OnItsWay,
    /// Too many applicants.
    #[error("too many applications wait for their acceptance")]
    NoRoom,
    /// No shares can be dealt.
    #[error(transparent)]
    Deal(#[from] CannotDeal),
    /// The ledger cannot be read.
    #[error(transparent)]
    State(#[from] StateError),
    /// The rows cannot be kept.
    #[error(transparent)]
    Centre(#[from] CentreError),
}

impl From<VaultError> for NotOffered {
    fn from(cause: VaultError) -> Self {
        Self::Centre(cause.into())
    }
}

impl From<Malformed> for NotOffered {
    /// An ID that cannot be sealed.
    fn from(_malformed: Malformed) -> Self {
        Self::Refused("the ID holds a zero byte")
    }
}

/// Somebody who may have sixteen AIDs.
struct Applicant<'a> {
    aim: Aim,
    index: Index,
    person: &'a Person,
    /// The lock that stays good beside the new one.
    signer: Option<LockKeys>,
    desk: Option<CodeHash>,
    replaced: Option<Box<[Replaced; AIDS]>>,
}

impl Centre {
    /// Answers an application. Only for another lock of the same AIDs is anything written, before this returns.
    pub(crate) fn apply<L: Ledger>(
        &mut self,
        application: &Application,
        request: &Request<'_, L>,
        rng: &mut impl CryptoRng,
    ) -> Result<Offer, NotOffered> {
        let enrolment = &application.enrolment;
        if self.table.of_lock(&enrolment.handle).is_some() {
            return Err(NotOffered::Refused("the handle was used before"));
        }
        let applicant = match &application.purpose {
            Purpose::Relock => return self.relock(enrolment, request, rng),
            Purpose::Enrol(person) => self.newcomer(person, application.desk.as_ref(), request)?,
            Purpose::Renew(person) => self.by_lock(Aim::Renew, person, enrolment, request)?,
            Purpose::Move(person) => self.by_lock(Aim::Move, person, enrolment, request)?,
            Purpose::Recover(person) => {
                self.recovering(person, application.desk.as_ref(), request)?
            }
        };
        for aid in &applicant.person.aids {
            if self.table.of_aid(aid).is_some() || request.ledger.record(aid)?.is_some() {
                return Err(NotOffered::Refused("an AID was used before"));
            }
        }
        self.offers
            .has_room(request.source, request.now_ms)
            .map_err(|_full| NotOffered::NoRoom)?;
        let (evaluators, deals) = request.dealer.deal(enrolment, request.rc, rng)?;
        let identities = self.draw(applicant, enrolment, request, rng)?;
        Ok(Offer {
            evaluators,
            deals,
            identities: Some(identities),
        })
    }

    /// Somebody whom this RC does not know.
    fn newcomer<'a, L: Ledger>(
        &self,
        person: &'a Person,
        desk: Option<&DeskCode>,
        request: &Request<'_, L>,
    ) -> Result<Applicant<'a>, NotOffered> {
        let index = self.table.index(&person.id);
        let desk = match request.enrolling {
            Enrolling::Open => None,
            Enrolling::Desk => Some(self.desk_code(desk, Aim::Enrol, (index, request.now_ms))?),
        };
        if self.table.generations(&index).next().is_some() {
            return Err(NotOffered::Refused("this identity is enrolled already"));
        }
        Ok(Applicant {
            aim: Aim::Enrol,
            index,
            person,
            signer: None,
            desk,
            replaced: None,
        })
    }

    /// Somebody who opened a lock that this RC knows.
    fn by_lock<'a, L: Ledger>(
        &self,
        aim: Aim,
        person: &'a Person,
        enrolment: &Enrolment,
        request: &Request<'_, L>,
    ) -> Result<Applicant<'a>, NotOffered> {
        let (generation, signer) = self.signer(enrolment, request)?;
        if self.table.index(&person.id) != generation.index {
            return Err(NotOffered::Refused("the lock is another person's"));
        }
        let replaced = match aim {
            Aim::Move => Some(replaceable(generation, request.ledger, |status| {
                status == Status::Active
            })?),
            Aim::Enrol | Aim::Renew | Aim::Recover => None,
        };
        Ok(Applicant {
            aim,
            index: generation.index,
            person,
            signer: (aim == Aim::Renew).then_some(signer),
            desk: None,
            replaced,
        })
    }

    /// Somebody whom the desk knows, and whom it enrolled.
    fn recovering<'a, L: Ledger>(
        &self,
        person: &'a Person,
        desk: Option<&DeskCode>,
        request: &Request<'_, L>,
    ) -> Result<Applicant<'a>, NotOffered> {
        let index = self.table.index(&person.id);
        let desk = self.desk_code(desk, Aim::Recover, (index, request.now_ms))?;
        let newest = self.table.generations(&index).next();
        let newest = newest.ok_or(NotOffered::Refused("this identity is not enrolled"))?;
        if self.is_recovering(newest) {
            return Err(NotOffered::Refused("a recovery of this person is open"));
        }
        let generation = self.in_effect(newest, request.ledger)?;
        let generation =
            generation.ok_or(NotOffered::Refused("no identity of this person counts"))?;
        let replaced = replaceable(generation, request.ledger, |status| {
            matches!(status, Status::Active | Status::Revoked)
        })?;
        Ok(Applicant {
            aim: Aim::Recover,
            index,
            person,
            signer: None,
            desk: Some(desk),
            replaced: Some(replaced),
        })
    }

    /// Whether a recovery to these AIDs waits.
    fn is_recovering(&self, row: &Generation) -> bool {
        let [first, ..] = &row.aids;
        let job = self.queue.of_aid(first);
        job.is_some_and(|(_, job)| matches!(job.work, Work::Recover(_) | Work::Await(_)))
    }

    /// Another lock for the same AIDs.
    fn relock<L: Ledger>(
        &mut self,
        enrolment: &Enrolment,
        request: &Request<'_, L>,
        rng: &mut impl CryptoRng,
    ) -> Result<Offer, NotOffered> {
        let (generation, signer) = self.signer(enrolment, request)?;
        let generation = generation.clone();
        let (evaluators, deals) = request.dealer.deal(enrolment, request.rc, rng)?;
        // Before the offer leaves: her card may be under this lock from then on.
        self.table.relock(&generation, enrolment.into(), signer)?;
        Ok(Offer {
            evaluators,
            deals,
            identities: None,
        })
    }

    /// The generation whose lock asks for the new one. Where an AID of it has ended, the lock may be a thief's.
    fn signer<L: Ledger>(
        &self,
        enrolment: &Enrolment,
        request: &Request<'_, L>,
    ) -> Result<(&Generation, LockKeys), NotOffered> {
        let unknown = NotOffered::Refused("no lock that counts asks for the new one");
        let old = enrolment.change.as_ref().map(|change| change.old);
        let named = old.and_then(|old| self.table.of_lock(&old));
        let Some(named) = named else {
            return Err(unknown);
        };
        let counts = self.in_effect(named, request.ledger)?;
        let Some(generation) = counts.filter(|counts| *counts == named) else {
            return Err(unknown);
        };
        let signed =
            |lock: &&LockKeys| enrolment.replaces(&lock.handle, &lock.confirm, request.chain);
        let Some(lock) = generation.locks.iter().find(signed) else {
            return Err(unknown);
        };
        for aid in &generation.aids {
            let record = request.ledger.record(aid)?;
            if record.is_some_and(|record| record.status != Status::Active) {
                return Err(NotOffered::Refused("an identity of this person has ended"));
            }
        }
        Ok((generation, *lock))
    }

    /// The hash of a desk code that counts for this.
    fn desk_code(
        &self,
        code: Option<&DeskCode>,
        aim: Aim,
        (index, now_ms): (Index, u64),
    ) -> Result<CodeHash, NotOffered> {
        let code = code.ok_or(NotOffered::NeedsDesk)?;
        let hash: CodeHash = Sha256::digest(code.expose()).into();
        let known = self.table.code(&hash);
        let good = known.is_some_and(|known| {
            known.aim == aim && known.index == index && now_ms <= known.until_ms
        });
        if good {
            Ok(hash)
        } else {
            Err(NotOffered::Refused(
                "the desk code is unknown, over, or for something else",
            ))
        }
    }

    /// The RC's part of sixteen AIDs, kept until it is accepted.
    fn draw<L>(
        &mut self,
        applicant: Applicant<'_>,
        enrolment: &Enrolment,
        request: &Request<'_, L>,
        rng: &mut impl CryptoRng,
    ) -> Result<Identities, NotOffered> {
        let Person { id, aids } = applicant.person;
        let mut answers: Vec<Answer> = Vec::with_capacity(AIDS);
        let mut secrets = Vec::with_capacity(AIDS);
        for aid in aids {
            let issued = issue(aid, id, rng)?;
            secrets.push(AidSecrets {
                key: issued.data_key,
                salt: issued.answer.salt.clone(),
            });
            answers.push(issued.answer);
        }
        let mut bytes = zeroize::Zeroizing::new([0; 16]);
        rng.fill_bytes(&mut *bytes);
        let ticket = Ticket::new(Secret::new(*bytes));
        // Both vectors have just that length.
        let sixteen = NotOffered::Refused("an application of other than sixteen AIDs");
        let (Ok(answers), Ok(secrets)) = (answers.try_into(), secrets.try_into()) else {
            return Err(sixteen);
        };
        let locks = [Some(LockKeys::from(enrolment)), applicant.signer];
        let offered = Offered {
            made_ms: request.now_ms,
            source: request.source,
            aim: applicant.aim,
            index: applicant.index,
            locks: locks.into_iter().flatten().collect(),
            desk: applicant.desk,
            replaced: applicant.replaced.clone(),
            aids: *aids,
            secrets,
        };
        self.offers.put(&ticket, offered);
        Ok(Identities {
            ticket,
            replaced: applicant.replaced,
            answers,
        })
    }
}

/// The AIDs of a generation with their epochs, if each may be replaced.
fn replaceable(
    generation: &Generation,
    ledger: &impl Ledger,
    may: impl Fn(Status) -> bool,
) -> Result<Box<[Replaced; AIDS]>, NotOffered> {
    let mut all = Vec::with_capacity(AIDS);
    for aid in &generation.aids {
        let record = of_ledger(ledger, aid)?;
        if !may(record.status) {
            return Err(NotOffered::Refused("an identity of this person has ended"));
        }
        all.push(Replaced {
            aid: *aid,
            epoch: record.epoch,
        });
    }
    all.try_into().map_err(|_all| NotOffered::OnItsWay)
}

fn of_ledger(ledger: &impl Ledger, aid: &Aid) -> Result<PatientRecord, NotOffered> {
    ledger.record(aid)?.ok_or(NotOffered::OnItsWay)
}
