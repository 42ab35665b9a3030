//! An enrolment between the card and the ledger: what is kept of it, and how it is brought to its end.
//!
//! The file is written before anything that cannot be taken back: it holds the sealed card, the acceptance and the
//! confirmations. Each step after it may be done again, so a command that was stopped anywhere is run again and
//! finishes. What was not written was never accepted, and the RC forgets its offer.

use std::fs;
use std::time::Duration;

use contract::genesis::Genesis;
use contract::identity::{ChainId, ServerId};
use contract::record::PatientRecord;
use protocol::aidc1::application::Acceptance;
use protocol::aidc1::offer::Taken;
use protocol::aidc1::registration::is_as_made;
use protocol::suite::Message as _;
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use super::ask;
use super::ledger::Ledger;
use super::place::Place;
use super::state;
use crate::client::{Client, Question};
use crate::clock::Stopwatch;
use crate::code::Code;
use crate::files;
use crate::light::NotShown;
use crate::output::Failure;
use crate::receipt::Bytes;

const SCHEMA: &str = "aidchain.pending/1";
const FILE_BYTES_MAX: usize = 256 << 10;
/// How long a command waits for the ledger.
const LEDGER_WAIT: Duration = Duration::from_secs(10);
/// Between two looks at the ledger.
const LOOK_AGAIN: Duration = Duration::from_millis(250);

/// What an enrolment is for.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Kind {
    /// The first one of a person.
    Register,
    /// Sixteen more AIDs.
    Renew,
    /// Another device.
    Move,
    /// By the desk.
    Recover,
    /// Another password or face.
    Change,
}

impl Kind {
    /// The command that finishes it.
    pub(crate) const fn command(self) -> &'static str {
        match self {
            Self::Register => "register",
            Self::Renew => "renew",
            Self::Move => "move",
            Self::Recover => "recover",
            Self::Change => "change",
        }
    }

    /// Whether an old card stays in use until the ledger has the new AIDs.
    const fn keeps_old_card(self) -> bool {
        matches!(self, Self::Renew)
    }
}

/// What is kept of an enrolment.
#[derive(Clone, Debug)]
pub(crate) struct Pending {
    pub(crate) kind: Kind,
    pub(crate) chain: ChainId,
    /// The new card, sealed.
    pub(crate) card: Vec<u8>,
    /// Nothing where the AIDs stay.
    pub(crate) acceptance: Option<Acceptance>,
    /// What the members hear once the card is in its place.
    pub(crate) confirmations: Vec<(ServerId, Vec<u8>)>,
}

/// Where an enrolment stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Stands {
    /// The ledger has it, and it is what this terminal made.
    Done,
    /// It is on its way, or waits for others.
    Waits(Taken),
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    schema: String,
    kind: Kind,
    chain: ChainId,
    card: Bytes,
    acceptance: Option<Bytes>,
    confirmations: Vec<Told>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Told {
    member: ServerId,
    confirmation: Bytes,
}

impl Pending {
    /// What is pending at this place, if anything is.
    pub(crate) fn read(place: &Place, genesis: &Genesis) -> Result<Option<Self>, Failure> {
        let path = place.pending();
        if !path.exists() {
            return Ok(None);
        }
        files::check_private(&path, Code::CardTooOpen)?;
        let bytes = files::read(&path, FILE_BYTES_MAX)?;
        let damaged = || {
            Failure::new(Code::CardDamaged).message(format!("{} cannot be read", path.display()))
        };
        let file: File = serde_json::from_slice(&bytes).map_err(|_error| damaged())?;
        let acceptance = file.acceptance.map(|it| Acceptance::parse(&it.0));
        let acceptance = acceptance.transpose().map_err(|_error| damaged())?;
        if file.schema != SCHEMA {
            return Err(damaged());
        }
        if file.chain != *genesis.chain() {
            return Err(Failure::new(Code::CardOfOtherLedger).because(format!(
                "{} is of ledger {}\nthe genesis file is of ledger {}",
                path.display(),
                file.chain,
                genesis.chain()
            )));
        }
        let told = |told: Told| (told.member, told.confirmation.0);
        Ok(Some(Self {
            kind: file.kind,
            chain: file.chain,
            card: file.card.0,
            acceptance,
            confirmations: file.confirmations.into_iter().map(told).collect(),
        }))
    }

    /// Refuses a command that would run into another one's enrolment.
    pub(crate) fn only(self, kind: Kind) -> Result<Self, Failure> {
        if self.kind == kind {
            return Ok(self);
        }
        Err(Failure::new(Code::EnrolmentUnfinished)
            .because(format!("it was begun by: {}", self.kind.command()))
            .help(format!(
                "first finish it: aidchain patient {} --profile NAME",
                self.kind.command()
            )))
    }

    /// Keeps it: from here on it can be finished.
    pub(crate) fn write(&self, place: &Place) -> Result<(), Failure> {
        let told = |(member, bytes): &(ServerId, Vec<u8>)| Told {
            member: *member,
            confirmation: Bytes(bytes.clone()),
        };
        let file = File {
            schema: SCHEMA.to_owned(),
            kind: self.kind,
            chain: self.chain,
            card: Bytes(self.card.clone()),
            acceptance: self.acceptance.as_ref().map(|it| Bytes(it.encode())),
            confirmations: self.confirmations.iter().map(told).collect(),
        };
        let text = serde_json::to_vec(&file)
            .map(Zeroizing::new)
            .map_err(|error| Failure::new(Code::Bug).because(error))?;
        files::replace(&place.pending(), &text)
    }

    /// Brings it to its end, as far as that goes now. Nothing in it is harmed by being done again.
    pub(crate) fn finish(&self, ledger: Ledger<'_>, place: &Place) -> Result<Stands, Failure> {
        let Some(acceptance) = &self.acceptance else {
            return self.done(ledger, place);
        };
        if !self.kind.keeps_old_card() {
            self.install(place)?;
        }
        let centre = ledger.client(ledger.centre()?)?;
        let at = (&centre, ledger);
        // What is on the ledger already needs no RC that remembers it.
        if self.is_begun(at, place)? && self.are_recorded(at, place, LEDGER_WAIT)? {
            return self.done(ledger, place);
        }
        let taken = match accept(&centre, acceptance) {
            Ok(taken) => taken,
            Err(failure) if failure.code() == Code::EnrolmentLapsed => {
                self.lapse(place)?;
                return Err(failure);
            }
            Err(failure) => return Err(failure),
        };
        if taken == Taken::Submitted && self.are_recorded(at, place, LEDGER_WAIT)? {
            return self.done(ledger, place);
        }
        Ok(Stands::Waits(taken))
    }

    /// Whether the ledger has it by now, told by whoever can be reached at no cost to her secrecy: the RC alone.
    pub(crate) fn settle(&self, ledger: Ledger<'_>, place: &Place) -> Result<bool, Failure> {
        let centre = ledger.client(ledger.centre()?)?;
        let recorded = self.are_recorded((&centre, ledger), place, Duration::ZERO)?;
        if recorded {
            self.done(ledger, place)?;
        }
        Ok(recorded)
    }

    /// Whether an old card stays in use until this is done.
    pub(crate) const fn uses_old_card(&self) -> bool {
        self.kind.keeps_old_card()
    }

    /// Whether a record that is on the ledger is one that this terminal made, if it is one of these.
    pub(crate) fn check(&self, found: &PatientRecord) -> Result<(), Failure> {
        let mut made = self
            .acceptance
            .iter()
            .flat_map(|it| it.registrations.iter());
        let made = made.find(|made| made.record.aid == found.aid);
        made.map_or(Ok(()), |made| as_made(&made.record, found))
    }

    fn done(&self, ledger: Ledger<'_>, place: &Place) -> Result<Stands, Failure> {
        self.install(place)?;
        // Only now: where a lock is replaced, the members destroy the old one's shares when they hear it.
        ask::send_confirmations(ledger, &self.confirmations);
        forget(place)?;
        Ok(Stands::Done)
    }

    /// Puts the card into its place. One that is there already has been used since.
    fn install(&self, place: &Place) -> Result<(), Failure> {
        let there = place.card().exists();
        let replaces = matches!(self.kind, Kind::Renew | Kind::Change);
        if !there || (replaces && !self.is_installed(place)?) {
            files::replace(place.card(), &self.card)?;
        }
        Ok(())
    }

    /// Whether the card in its place is this one, or this one written again since: it has the same handle.
    fn is_installed(&self, place: &Place) -> Result<bool, Failure> {
        let there = files::read(place.card(), FILE_BYTES_MAX)?;
        Ok(handle_of(&there).is_some() && handle_of(&there) == handle_of(&self.card))
    }

    /// Removes what is left of an enrolment that nobody accepted.
    fn lapse(&self, place: &Place) -> Result<(), Failure> {
        let new = matches!(self.kind, Kind::Register | Kind::Move | Kind::Recover);
        if new && place.card().exists() {
            let card = place.card();
            fs::remove_file(card).map_err(|error| files::cannot_write(card, &error))?;
        }
        forget(place)
    }

    /// Whether the ledger has all sixteen records within this time; one that is not as this terminal made it is an
    /// error. A busy centre is asked more slowly.
    fn are_recorded(
        &self,
        (centre, ledger): (&Client, Ledger<'_>),
        place: &Place,
        patience: Duration,
    ) -> Result<bool, Failure> {
        let watch = Stopwatch::start();
        let made = self
            .acceptance
            .iter()
            .flat_map(|it| it.registrations.iter());
        for registration in made {
            loop {
                let looked = is_recorded(&registration.record, centre, (ledger, place));
                let (there, limit) = match looked {
                    Ok(there) => (there, patience),
                    Err(busy) if busy.code() == Code::Overloaded => (false, LEDGER_WAIT),
                    Err(failure) => return Err(failure),
                };
                if there {
                    break;
                }
                if watch.elapsed() >= limit {
                    return Ok(false);
                }
                std::thread::sleep(LOOK_AGAIN);
            }
        }
        Ok(true)
    }

    /// Whether the ledger has the first of the records: then the acceptance has been taken.
    fn is_begun(
        &self,
        (centre, ledger): (&Client, Ledger<'_>),
        place: &Place,
    ) -> Result<bool, Failure> {
        let registrations = self.acceptance.as_ref().map(|it| &it.registrations);
        let Some(first) = registrations.and_then(|all| all.first()) else {
            return Ok(true);
        };
        match is_recorded(&first.record, centre, (ledger, place)) {
            Err(busy) if busy.code() == Code::Overloaded => Ok(false),
            looked => looked,
        }
    }
}

/// There is nothing pending any more.
fn forget(place: &Place) -> Result<(), Failure> {
    let path = place.pending();
    fs::remove_file(&path).map_err(|error| files::cannot_write(&path, &error))
}

/// Whether the ledger has this record, as it was made.
fn is_recorded(
    made: &PatientRecord,
    centre: &Client,
    (ledger, place): (Ledger<'_>, &Place),
) -> Result<bool, Failure> {
    let shown = state::record(centre, ledger.genesis, (place.card(), &made.aid))?;
    match shown.patient(&made.aid).map_err(unshown)? {
        Some(found) => as_made(made, &found).map(|()| true),
        None => Ok(false),
    }
}

fn as_made(made: &PatientRecord, found: &PatientRecord) -> Result<(), Failure> {
    is_as_made(made, found).map_err(|problem| Failure::new(Code::NotAsApplied).because(problem))
}

/// The failure of an excerpt that lacks what was asked for.
pub(crate) fn unshown(problem: NotShown) -> Failure {
    Failure::new(problem.code()).because(problem)
}

fn accept(centre: &Client, acceptance: &Acceptance) -> Result<Taken, Failure> {
    let question = Question::post("/v1/enrol/accept", acceptance.encode());
    let answer = centre.ask_patiently(&question)?;
    Taken::parse(answer.body()).map_err(|error| Failure::new(Code::BadAnswer).because(error))
}

/// The handle in a card's bytes: magic 8, version 1, suite 2, chain 32, AID 32, handle 16.
fn handle_of(card: &[u8]) -> Option<&[u8]> {
    card.get(75..91)
}
