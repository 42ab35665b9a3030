//! The card of AIDC-1 on this terminal: read beside the device's secret, opened, and written again.

use contract::genesis::Genesis;
use contract::identity::ServerId;
use protocol::aidc1::card::CARD_BYTES_MAX;
use protocol::aidc1::unlock::{self, Factor};
use protocol::aidc1::{
    Card, DeviceSecret, EvaluationId, Handle, Holder, Password, RecoveryCode, Root, TerminalKey,
};
use protocol::{Embedding, Timestamp};
use rand_core::CryptoRng;

use super::ask;
use super::ledger::Ledger;
use super::place::Place;
use crate::code::Code;
use crate::output::{Console, Failure, Mark};
use crate::{card, clock, files, refusals};

/// What the patient shows beside her password.
#[derive(Clone, Debug)]
pub(crate) enum Shows {
    /// A capture of her face.
    Face(Embedding),
    /// The code from the paper.
    Code(RecoveryCode),
}

/// A card and the secret of its device.
#[derive(Debug)]
pub(crate) struct Wallet {
    pub(crate) card: Card,
    pub(crate) device: DeviceSecret,
}

/// A card that was opened.
#[derive(Debug)]
pub(crate) struct Opened {
    pub(crate) root: Root,
    pub(crate) holder: Holder,
    evaluations: Vec<(ServerId, EvaluationId)>,
}

impl Shows {
    const fn factor(&self) -> Factor<'_> {
        match self {
            Self::Face(capture) => Factor::Face(capture),
            Self::Code(code) => Factor::Code(code),
        }
    }
}

impl Wallet {
    /// The card at this place, of this ledger.
    pub(crate) fn read(place: &Place, genesis: &Genesis) -> Result<Self, Failure> {
        let path = place.card();
        if !path.exists() {
            return Err(
                Failure::new(Code::CardMissing).because(format!("{} is not there", path.display()))
            );
        }
        files::check_private(path, Code::CardTooOpen)?;
        let bytes = files::read(path, CARD_BYTES_MAX)?;
        if let Some(suite) = card::paper(&bytes) {
            return Err(card::of_other_suite(path, suite));
        }
        let device = place.device_secret()?;
        let card = Card::parse(&bytes, &device).map_err(|problem| {
            Failure::new(Code::CardOfOtherDevice)
                .message(format!("{} is not usable", path.display()))
                .because(problem)
        })?;
        if card.chain() != genesis.chain() {
            return Err(Failure::new(Code::CardOfOtherLedger).because(format!(
                "the card is of ledger {}\nthe genesis file is of ledger {}",
                card.chain(),
                genesis.chain()
            )));
        }
        Ok(Self { card, device })
    }

    /// Opens the card: with the members' help, the password, and one of what the patient shows.
    pub(crate) fn open(
        &self,
        ledger: Ledger<'_>,
        (password, shows): (&Password, &[Shows]),
        rng: &mut impl CryptoRng,
        console: &Console,
    ) -> Result<Opened, Failure> {
        let lock = self.card.lock();
        let asked = (self.card.evaluators(), self.handle());
        let evaluated = ask::enough(ledger, &self.device, asked, password, rng)?;
        for member in &evaluated.lying {
            let name = ledger.name(member);
            console.warn(&format!(
                "{name} sent a false answer and was not used: tell the consortium"
            ));
        }
        let tk = TerminalKey::derive(&evaluated.output, &self.device, lock.binding())
            .map_err(|error| Failure::new(Code::Bug).message(error.to_string()))?;
        let (first, more) = shows
            .split_first()
            .ok_or_else(|| Failure::new(Code::FactorMissing))?;
        let mut opened = unlock::open(tk, lock, first.factor(), now());
        for next in more {
            opened = match opened {
                Ok(root) => Ok(root),
                Err(refused) => match refused.retry {
                    Some(retry) => retry.again(next.factor(), now()),
                    None => return Err(did_not_open()),
                },
            };
        }
        let root = opened.map_err(|_refused| did_not_open())?;
        let holder = self
            .card
            .holder(&root)
            .map_err(|problem| Failure::new(Code::CardDamaged).because(problem))?;
        Ok(Opened {
            root,
            holder,
            evaluations: evaluated.evaluations,
        })
    }

    /// Which lock it is.
    pub(crate) const fn handle(&self) -> Handle {
        self.card.lock().binding().handle
    }

    /// Writes the card with this holder, complete or not at all.
    pub(crate) fn write(
        &mut self,
        place: &Place,
        opened: &Opened,
        rng: &mut impl CryptoRng,
    ) -> Result<(), Failure> {
        self.card.set_holder(&opened.root, &opened.holder, rng);
        files::replace(place.card(), &self.card.encode(&self.device))
    }
}

impl Opened {
    /// Tells the members that it was she, so that their counts begin anew.
    pub(crate) fn confirm(&self, ledger: Ledger<'_>, handle: Handle) {
        ask::confirm(ledger, &self.root, handle, &self.evaluations);
    }
}

/// The card did not open, and nothing says why.
fn did_not_open() -> Failure {
    let failure = Failure::new(Code::CredentialDidNotOpen)
        .message("the card did not open; nothing was sent to the clinic");
    match refusals::note(Code::CredentialDidNotOpen) {
        Some(support) => failure.support(support),
        None => failure,
    }
}

/// Says on stderr that the card opened.
pub(crate) fn say_opened(console: &Console) {
    console.step(Mark::Good, "card", "opened");
}

pub(crate) fn now() -> Timestamp {
    Timestamp::from_millis(clock::wall_ms())
}
