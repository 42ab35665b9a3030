//! The same aims on AIDC-1: each attack is attempted with everything that its attacker has, and with what he can make
//! of it by the public documents. Where what it rests on is not there, all that is there is searched for it.
//!
//! Each attempt could succeed: a [`Weakness`] that a test plants makes it.

mod clinic;
mod hand;
mod judge;
mod noise;
mod person;

pub use clinic::Clinic;

use super::Id;
use super::arithmetic::{Number, xor};
use super::limbasiya::{b1, b2, b3, b4, b5, b6};
use super::world::At;
use super::wu::{a1, a2, a3, a4, a5, a6, a7, a8, a10, a12, a13, a14, a15};

pub(super) use self::clinic::SignIn;
pub(super) use self::hand::Hand;
pub(super) use super::wu::{IDENTITIES, PASSWORDS};

/// How an attempt ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attempt {
    /// Whether the attacker reached the aim of the attack.
    pub succeeded: bool,
    /// What was tried, and why it does not lead there.
    pub why: String,
}

/// Goes for the aim of an attack on AIDC-1; `None` if the surroundings broke, which says nothing of the suite.
pub fn attempt(id: Id, clinic: &mut Clinic) -> Option<Attempt> {
    match id {
        Id::A1 => a1::on_aidc1(clinic),
        Id::A2 => a2::on_aidc1(clinic),
        Id::A3 => a3::on_aidc1(clinic),
        Id::A4 => a4::on_aidc1(clinic),
        Id::A5 => a5::on_aidc1(clinic),
        Id::A6 => a6::on_aidc1(clinic),
        Id::A7 => a7::on_aidc1(clinic),
        Id::A8 => a8::on_aidc1(clinic),
        Id::A10 => a10::on_aidc1(clinic),
        Id::A12 => a12::on_aidc1(clinic),
        Id::A13 => a13::on_aidc1(clinic),
        Id::A14 => a14::on_aidc1(clinic),
        Id::A15 => a15::on_aidc1(clinic),
        Id::B1 => b1::on_aidc1(clinic),
        Id::B2 => b2::on_aidc1(clinic),
        Id::B3 => b3::on_aidc1(clinic),
        Id::B4 => b4::on_aidc1(clinic),
        Id::B5 => b5::on_aidc1(clinic),
        Id::B6 => Some(b6::on_aidc1(clinic)),
    }
}

/// What a test plants, so that an attempt succeeds.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Weakness {
    /// BIO and PP travel.
    Factor,
    /// AID travels in clear.
    Aid,
    /// A point under a literal mask travels.
    LiteralMask,
    /// A point's x under SP travels.
    Mask,
    /// es and ss travel.
    KeysTravel,
    /// The salt of her commitment is known.
    Salt,
    /// The patient's seed is known.
    PatientKeys,
    /// A server's epoch key is known.
    EpochKey,
    /// Both.
    AllKeys,
    /// The numbers of the past sessions are known, beside what leaks later.
    Numbers,
    /// The thief has the evaluators' shares.
    Shares,
    /// Both servers have one key.
    SharedKey,
    /// A server records before the patient confirms.
    RecordsAtOnce,
    /// Dice and clocks stand still.
    StuckDice,
    /// The card holds a server's secret in clear.
    SecretOnCard,
}

impl Weakness {
    /// What it lets travel beside a first message.
    fn travels(self, (clinic, hello): (&mut Clinic, &[u8])) -> Option<Vec<u8>> {
        let sp = clinic.victim.sp;
        match self {
            Self::Factor => {
                let victim = &clinic.victim;
                Some([victim.bio.expose().as_slice(), &victim.pp.to_bytes()].concat())
            }
            Self::Aid => Some(clinic.victim.aid().as_bytes().to_vec()),
            Self::LiteralMask => {
                let number = Number::draw(|| clinic.draw());
                Some(a6::literal_mask(&sp, &number).to_vec())
            }
            Self::Mask => {
                let number = Number::draw(|| clinic.draw());
                Some(xor(&sp, &number.x()).to_vec())
            }
            Self::KeysTravel => {
                let m1 = hello.get(16..48)?.try_into().ok()?;
                let hers = *clinic.victim.record.pk_dh.as_bytes();
                let server = clinic.epoch_number(At::Here)?;
                Some([server.agree(m1)?, server.agree(&hers)?].concat())
            }
            Self::Salt
            | Self::PatientKeys
            | Self::EpochKey
            | Self::AllKeys
            | Self::Numbers
            | Self::Shares
            | Self::SharedKey
            | Self::RecordsAtOnce
            | Self::StuckDice
            | Self::SecretOnCard => Some(Vec::new()),
        }
    }
}

/// Whether these octets lie in those.
pub(super) fn holds(hay: &[u8], needle: &[u8]) -> bool {
    hay.windows(needle.len()).any(|window| window == needle)
}

impl Clinic {
    /// Answers the held victim in the server's place: whether she is content with the attacker's key.
    pub(super) fn deceive(&mut self, hand: &Hand, hello: &[u8]) -> Option<bool> {
        let public = self.public(At::Here);
        let number = Number::draw(|| self.draw());
        let now = self.now.as_millis();
        let (reply, key) = hand.forge_reply(&public, hello, (number, now))?;
        Some(self.give(&reply) == Some(key))
    }

    /// Signs in in the victim's place: whether a server and the ledger take it.
    pub(super) fn impersonate(&mut self, hand: &Hand, epoch: &[u8]) -> Option<bool> {
        let public = self.public(At::Here);
        let number = Number::draw(|| self.draw());
        let now = self.now.as_millis();
        let hello = hand.forge_hello(&public, epoch, (&number, now))?;
        let Some(reply) = self.send(At::Here, &hello) else {
            return Some(false);
        };
        let forged = hand.forge_confirm(&public, (&hello, &reply), &number);
        Some(forged.is_some_and(|(me9, _key)| self.confirm(&me9)))
    }

    /// How far a hand leads in a sign-in that was overheard.
    pub(super) fn follow(&mut self, hand: &Hand, sign_in: &SignIn) -> hand::Heard {
        let public = self.public(At::Here);
        hand.read(&public, (&sign_in.hello, &sign_in.reply))
    }

    /// Tries passwords on a stolen card and device without the evaluators, whose part the thief plays with keys of his
    /// own: whether the right one shows itself, and the wrong ones do not.
    pub(super) fn try_passwords(&mut self) -> Option<bool> {
        let bytes = self.victim.card.encode(&self.victim.device);
        let right = self.victim.password.clone();
        let wrong = if right == "0000" { "0001" } else { "0000" };
        let card = protocol::aidc1::Card::parse(&bytes, &self.victim.device).ok()?;
        let opens = |clinic: &mut Self, guess: &str| clinic.opens(&card, guess);
        Some(opens(self, &right)? && !opens(self, wrong)?)
    }

    /// Whether a card opens with her face and this guess.
    fn opens(&mut self, card: &protocol::aidc1::Card, guess: &str) -> Option<bool> {
        use protocol::aidc1::oprf::shares;
        use protocol::aidc1::{Factor, TerminalKey, unlock};

        let (evaluators, own) = shares::deal(2, &person::members(), &mut self.rng).ok()?;
        let own: person::Shares = person::members().into_iter().zip(own).collect();
        let output = if self.has(Weakness::Shares) {
            let parties = (card.evaluators(), &self.victim.shares);
            person::evaluate(guess, parties, &mut self.rng)?
        } else {
            person::evaluate(guess, (&evaluators, &own), &mut self.rng)?
        };
        let lock = card.lock();
        let tk = TerminalKey::derive(&output, &self.victim.device, lock.binding()).ok()?;
        let [_one, _two, _three, fresh] = &self.victim.face;
        Some(unlock::open(tk, lock, Factor::Face(fresh), self.now).is_ok())
    }
}

/// Every so many octets a field could begin.
pub(super) const FIELD: usize = 8;

/// The fixed-length strings in these octets, wherever a field could begin.
pub(super) fn fields<const N: usize>(octets: &[u8]) -> impl Iterator<Item = (usize, [u8; N])> {
    let starts = (0..octets.len()).step_by(FIELD);
    starts.filter_map(|at| Some((at, *octets.get(at..)?.first_chunk::<N>()?)))
}
