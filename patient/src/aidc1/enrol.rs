//! From what the patient has, knows and is to a sealed card that the RC has offered to register: everything up to the
//! point from which on it can be finished.

use contract::contracts::membership::faults;
use contract::genesis::Genesis;
use contract::identity::Aid;
use contract::record::{Consent, Registration};
use protocol::Embedding;
use protocol::aidc1::application::{Acceptance, Application, DeskCode, Person, Purpose};
use protocol::aidc1::deal::Enrolment;
use protocol::aidc1::offer::{Identities, OFFER_BYTES_MAX, Offer};
use protocol::aidc1::oprf::shares::Evaluators;
use protocol::aidc1::registration::Applicant;
use protocol::aidc1::root::AIDS;
use protocol::aidc1::{
    AidIndex, Binding, Card, DeviceSecret, Handle, Holder, Lock, Password, RecoveryCode, Root,
    TerminalKey,
};
use protocol::biometric::ENROLMENT_CAPTURES;
use protocol::wu::PatientId;
use rand_core::CryptoRng;

use super::ask::{self, Evaluated, incomplete};
use super::ledger::{Ledger, at_once};
use super::members::List;
use super::pending::{Kind, Pending};
use crate::client::Question;
use crate::code::Code;
use crate::output::{Console, Failure, Mark};

/// The new lock: what it is under, and the root in it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct NewLock<'a> {
    pub(crate) device: &'a DeviceSecret,
    pub(crate) root: &'a Root,
    pub(crate) code: &'a RecoveryCode,
    pub(crate) password: &'a Password,
    /// Nothing where the code alone is to open it beside device and password.
    pub(crate) captures: Option<&'a [Embedding; ENROLMENT_CAPTURES]>,
}

/// A lock that was opened, and proves that its owner asks.
#[derive(Clone, Copy, Debug)]
pub(crate) struct OldLock<'a> {
    pub(crate) root: &'a Root,
    pub(crate) handle: Handle,
}

/// What for, and what that takes.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Aim<'a> {
    /// Sixteen AIDs for somebody who has none.
    Register {
        id: &'a PatientId,
        desk: Option<&'a DeskCode>,
    },
    /// Sixteen more.
    Renew { id: &'a PatientId, old: OldLock<'a> },
    /// Sixteen on another device in place of the old ones.
    Move { id: &'a PatientId, old: OldLock<'a> },
    /// Sixteen in place of those whose card is lost.
    Recover {
        id: &'a PatientId,
        desk: &'a DeskCode,
        code: Option<&'a RecoveryCode>,
    },
    /// Another lock for the same AIDs.
    Change {
        old: OldLock<'a>,
        holder: &'a Holder,
    },
}

impl<'a> Aim<'a> {
    const fn kind(&self) -> Kind {
        match self {
            Self::Register { .. } => Kind::Register,
            Self::Renew { .. } => Kind::Renew,
            Self::Move { .. } => Kind::Move,
            Self::Recover { .. } => Kind::Recover,
            Self::Change { .. } => Kind::Change,
        }
    }

    const fn old(&self) -> Option<OldLock<'a>> {
        match self {
            Self::Renew { old, .. } | Self::Move { old, .. } | Self::Change { old, .. } => {
                Some(*old)
            }
            Self::Register { .. } | Self::Recover { .. } => None,
        }
    }

    const fn id(&self) -> Option<&'a PatientId> {
        match self {
            Self::Register { id, .. }
            | Self::Renew { id, .. }
            | Self::Move { id, .. }
            | Self::Recover { id, .. } => Some(id),
            Self::Change { .. } => None,
        }
    }

    const fn desk(&self) -> Option<&'a DeskCode> {
        match self {
            Self::Register { desk, .. } => *desk,
            Self::Recover { desk, .. } => Some(desk),
            Self::Renew { .. } | Self::Move { .. } | Self::Change { .. } => None,
        }
    }

    const fn replaces(&self) -> bool {
        matches!(self, Self::Move { .. } | Self::Recover { .. })
    }

    fn purpose(&self, root: &Root) -> Purpose {
        let person = |id: &PatientId| Person {
            id: id.clone(),
            aids: aids(root),
        };
        match self {
            Self::Register { id, .. } => Purpose::Enrol(person(id)),
            Self::Renew { id, .. } => Purpose::Renew(person(id)),
            Self::Move { id, .. } => Purpose::Move(person(id)),
            Self::Recover { id, .. } => Purpose::Recover(person(id)),
            Self::Change { .. } => Purpose::Relock,
        }
    }

    /// The consent to one replacement, where it takes one.
    fn consent(
        &self,
        genesis: &Genesis,
        (index, old): (AidIndex, &Aid),
        new: &Aid,
    ) -> Result<Option<Consent>, Failure> {
        let chain = genesis.chain();
        match self {
            Self::Move { old: lock, .. } => {
                let keys = lock.root.seed(index).keys();
                if keys.aid() != old {
                    return Err(false_offer(
                        "it is to replace an AID that is not this card's",
                    ));
                }
                Ok(Some(keys.consent(chain, new)))
            }
            Self::Recover { code, .. } => {
                Ok(code.map(|code| code.consent(chain, (index, old), new)))
            }
            Self::Register { .. } | Self::Renew { .. } | Self::Change { .. } => Ok(None),
        }
    }
}

/// AID 0 to 15 of a root.
fn aids(root: &Root) -> [Aid; AIDS] {
    let mut aids = [Aid::new([0; 32]); AIDS];
    for (slot, index) in aids.iter_mut().zip(AidIndex::all()) {
        *slot = *root.seed(index).keys().aid();
    }
    aids
}

/// Everything before the point from which on it can be finished. Until then nothing is registered, and the only traces
/// are an offer that the RC forgets and shares under a handle that nobody uses.
pub(crate) fn begin(
    ledger: Ledger<'_>,
    aim: &Aim<'_>,
    lock: NewLock<'_>,
    rng: &mut impl CryptoRng,
    console: &Console,
) -> Result<Pending, Failure> {
    let genesis = ledger.genesis;
    let handle = Handle::draw(rng);
    let offer = apply(ledger, aim, lock, handle)?;
    check_evaluators(ledger, &offer.evaluators)?;
    let holder_parts = parts(aim, genesis, &offer, lock, rng)?;
    console.step(Mark::Good, "centre", "offered what was asked for");
    deliver(ledger, &offer)?;
    let asked = (&offer.evaluators, handle);
    let evaluated = ask::all(ledger, lock.device, asked, lock.password, rng)?;
    let members = offer.evaluators.members().len();
    console.step(
        Mark::Good,
        "members",
        &format!("{members} of {members} guard the password"),
    );

    let sealed = seal(lock, handle, &evaluated, rng)?;
    let confirmations =
        ask::confirmations(genesis.chain(), lock.root, handle, &evaluated.evaluations);
    let (holder, acceptance) = holder_parts;
    let card = Card::new(
        (*genesis.chain(), offer.evaluators),
        sealed,
        lock.root,
        &holder,
        rng,
    );
    Ok(Pending {
        kind: aim.kind(),
        chain: *genesis.chain(),
        card: card.encode(lock.device),
        acceptance,
        confirmations,
    })
}

fn apply(
    ledger: Ledger<'_>,
    aim: &Aim<'_>,
    lock: NewLock<'_>,
    handle: Handle,
) -> Result<Offer, Failure> {
    let mut enrolment = Enrolment::new(handle, lock.device.public(), lock.root);
    if let Some(old) = aim.old() {
        let chain = ledger.genesis.chain();
        enrolment = in_place_of(enrolment, old, chain);
    }
    let application = Application {
        purpose: aim.purpose(lock.root),
        desk: aim.desk().cloned(),
        enrolment,
    };
    let question = Question::post("/v1/enrol/apply", application.encode());
    let centre = ledger.client(ledger.centre()?)?;
    let answer = centre.ask_patiently(&question)?;
    if answer.body().len() > OFFER_BYTES_MAX {
        return Err(Failure::new(Code::BadAnswer).because("an offer is shorter"));
    }
    Offer::parse(answer.body()).map_err(|error| Failure::new(Code::BadAnswer).because(error))
}

fn in_place_of(
    enrolment: Enrolment,
    old: OldLock<'_>,
    chain: &contract::identity::ChainId,
) -> Enrolment {
    enrolment.in_place_of(old.handle, old.root, chain)
}

/// Who guards the password: members of this ledger, as many as a quorum at least, and f + 1 of them together. An RC
/// that chose a threshold of one could try passwords alone.
fn check_evaluators(ledger: Ledger<'_>, evaluators: &Evaluators) -> Result<(), Failure> {
    let number = evaluators.members().len();
    let needed = faults(number).saturating_add(1);
    let is_strange = |list: &List| {
        let mut members = evaluators.members().iter();
        number < list.quorum() || members.any(|one| list.with_id(&one.server_id).is_none())
    };
    let mut list = ledger.members();
    if is_strange(list) {
        // Members may have joined or left since this terminal last heard.
        list = ledger.ask()?;
    }
    let mut members = evaluators.members().iter();
    if members.any(|one| list.with_id(&one.server_id).is_none()) {
        return Err(false_offer(
            "one that is to guard the password is no member of this ledger",
        ));
    }
    let quorum = list.quorum();
    if number < quorum || usize::from(evaluators.threshold()) < needed {
        return Err(false_offer(&format!(
            "{} of {number} members are to guard the password; it takes {needed} of at least {quorum}",
            evaluators.threshold()
        )));
    }
    Ok(())
}

fn false_offer(why: &str) -> Failure {
    Failure::new(Code::OfferFalse).because(why)
}

/// What goes onto the card and what goes back to the RC.
fn parts(
    aim: &Aim<'_>,
    genesis: &Genesis,
    offer: &Offer,
    lock: NewLock<'_>,
    rng: &mut impl CryptoRng,
) -> Result<(Holder, Option<Acceptance>), Failure> {
    let (identities, id) = match (aim, &offer.identities, aim.id()) {
        (Aim::Change { holder, .. }, None, _) => return Ok(((*holder).clone(), None)),
        (_, Some(identities), Some(id)) => (identities, id),
        _ => return Err(false_offer("it is for another purpose than was asked for")),
    };
    if identities.replaced.is_some() != aim.replaces() {
        return Err(false_offer("it is for another purpose than was asked for"));
    }
    let salts = identities.answers.each_ref().map(|one| one.salt.clone());
    let holder = Holder::new(id.clone(), salts)
        .map_err(|error| Failure::new(Code::BadIdentityText).because(error))?;
    let acceptance = acceptance((aim, id), genesis, identities, lock, rng)?;
    Ok((holder, Some(acceptance)))
}

fn acceptance(
    (aim, id): (&Aim<'_>, &PatientId),
    genesis: &Genesis,
    identities: &Identities,
    lock: NewLock<'_>,
    rng: &mut impl CryptoRng,
) -> Result<Acceptance, Failure> {
    let mut registrations = Vec::with_capacity(AIDS);
    let mut consents = Vec::with_capacity(AIDS);
    for (at, (index, answer)) in AidIndex::all().zip(identities.answers.iter()).enumerate() {
        let keys = lock.root.seed(index).keys();
        let replaced = identities.replaced.as_ref().and_then(|all| all.get(at));
        let applicant = Applicant {
            keys: &keys,
            pk_recovery: lock.code.public(index),
            id,
            epoch: replaced.map_or(0, |old| old.epoch.saturating_add(1)),
        };
        let proved = applicant.prove(answer, genesis.chain(), rng);
        registrations.push(proved.map_err(|other| Failure::new(Code::OfferFalse).because(other))?);
        if let Some(old) = replaced {
            consents.extend(aim.consent(genesis, (index, &old.aid), keys.aid())?);
        }
    }
    let registrations = <Box<[Registration; AIDS]>>::try_from(registrations)
        .map_err(|_list| Failure::new(Code::Bug))?;
    Ok(Acceptance {
        ticket: identities.ticket.clone(),
        registrations,
        consents: <Box<[Consent; AIDS]>>::try_from(consents).ok(),
    })
}

/// Takes the deals to the members: all of them, or nothing goes on.
fn deliver(ledger: Ledger<'_>, offer: &Offer) -> Result<(), Failure> {
    let members = offer.evaluators.members().iter().map(|one| one.server_id);
    let deals: Vec<_> = members.zip(&offer.deals).collect();
    let taken = at_once(&deals, |(member, deal)| {
        let question = Question::post("/v1/deal", (*deal).clone());
        let sent = ledger
            .client_of(member)
            .and_then(|client| client.ask_patiently(&question));
        (*member, sent)
    });
    if taken.len() != deals.len() {
        return Err(Failure::new(Code::Bug));
    }
    for (member, sent) in taken {
        sent.map_err(|failure| incomplete(&ledger.name(&member), &failure))?;
    }
    Ok(())
}

fn seal(
    lock: NewLock<'_>,
    handle: Handle,
    evaluated: &Evaluated,
    rng: &mut impl CryptoRng,
) -> Result<Lock, Failure> {
    let aid = *lock.root.seed(AidIndex::FIRST).keys().aid();
    let binding = Binding::draw(aid, handle, rng);
    let tk = TerminalKey::derive(&evaluated.output, lock.device, &binding)
        .map_err(|error| Failure::new(Code::Bug).message(error.to_string()))?;
    let captures = lock
        .captures
        .map(<[Embedding; ENROLMENT_CAPTURES]>::each_ref);
    Ok(Lock::seal(
        binding,
        tk,
        lock.root,
        (lock.code, captures),
        rng,
    ))
}
