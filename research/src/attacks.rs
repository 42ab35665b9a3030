//! Attacks on the papers' schemes, each as something one can run, and what becomes of the same aim on AIDC-1.
//!
//! [`all`] is the catalogue: what each attack is called, what it needs and what its steps are. [`wu::run`] and
//! [`limbasiya::run`] carry one out against a [`world`], [`exhibit`] those whose target is a published form that no
//! suite has, and [`aidc1::attempt`] goes for the same aim on AIDC-1. An attacker's arithmetic is his own, out of the
//! published formulas: none of this reaches into a suite.

pub mod aidc1;
mod arithmetic;
mod cube;
pub mod dice;
pub mod limbasiya;
pub mod story;
pub mod world;
pub mod wu;

use core::fmt;

use protocol::Timestamp;
use rand_core::CryptoRng;
use thiserror::Error;

use self::story::Outcome;

/// An attack's number.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Id {
    /// SP from the wire.
    A1,
    /// A false server.
    A2,
    /// Any server will do.
    A3,
    /// The ID, guessed.
    A4,
    /// The patient, for ever.
    A5,
    /// The literal mask.
    A6,
    /// One pad, many messages.
    A7,
    /// Sign-ins linked.
    A8,
    /// The password from the card.
    A10,
    /// Somebody in the middle.
    A12,
    /// A replay.
    A13,
    /// An invented sign-in.
    A14,
    /// A leaked number.
    A15,
    /// A fellow user.
    B1,
    /// Keys of the past.
    B2,
    /// The message as implemented.
    B3,
    /// One key for all sessions.
    B4,
    /// A stolen card.
    B5,
    /// The list in clear.
    B6,
}

impl Id {
    /// The number as people write it.
    pub const fn text(self) -> &'static str {
        match self {
            Self::A1 => "a1",
            Self::A2 => "a2",
            Self::A3 => "a3",
            Self::A4 => "a4",
            Self::A5 => "a5",
            Self::A6 => "a6",
            Self::A7 => "a7",
            Self::A8 => "a8",
            Self::A10 => "a10",
            Self::A12 => "a12",
            Self::A13 => "a13",
            Self::A14 => "a14",
            Self::A15 => "a15",
            Self::B1 => "b1",
            Self::B2 => "b2",
            Self::B3 => "b3",
            Self::B4 => "b4",
            Self::B5 => "b5",
            Self::B6 => "b6",
        }
    }
}

impl fmt::Display for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.text())
    }
}

/// Whose scheme is attacked.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Paper {
    /// Wu, Peng, Gao and Chen.
    Wu2021,
    /// Limbasiya, Sahay and Sridharan.
    Limbasiya2020,
}

impl Paper {
    /// The scheme's name, which is its suite's.
    pub const fn text(self) -> &'static str {
        match self {
            Self::Wu2021 => "wu-2021",
            Self::Limbasiya2020 => "limbasiya-2020",
        }
    }
}

/// What an attack is carried out on.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Target {
    /// The suite that a research ledger runs.
    Suite,
    /// A published form that no suite has, of this name.
    Exhibit(&'static str),
}

impl Target {
    /// `suite` or `exhibit`.
    pub const fn text(self) -> &'static str {
        match self {
            Self::Suite => "suite",
            Self::Exhibit(_) => "exhibit",
        }
    }
}

/// What an attacker needs.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Need {
    /// What travels.
    Listen,
    /// A message sent to a server.
    Send,
    /// The place between patient and server.
    Middle,
    /// A copy of her card.
    Card,
    /// What a member reads on the ledger, or a server of his own.
    Insider,
    /// A registration of his own.
    Fellow,
    /// A copy of a server's disk.
    Table,
    /// One secret of one session.
    Leak,
}

impl Need {
    /// In a few words.
    pub const fn text(self) -> &'static str {
        match self {
            Self::Listen => "what travels",
            Self::Send => "a message to a server",
            Self::Middle => "a place in the middle",
            Self::Card => "a copy of the card",
            Self::Insider => "a member's view",
            Self::Fellow => "a registration of his own",
            Self::Table => "a copy of a server's disk",
            Self::Leak => "one secret of one session",
        }
    }
}

/// A step, for teaching.
#[derive(Clone, Copy, Debug)]
pub struct Step {
    /// What is done.
    pub title: &'static str,
    /// Why it works.
    pub text: &'static str,
}

/// An attack, as the catalogue has it.
#[derive(Clone, Copy, Debug)]
pub struct Attack {
    /// Its number.
    pub id: Id,
    /// Its readable name.
    pub name: &'static str,
    /// What it achieves.
    pub title: &'static str,
    /// Whose scheme it is on.
    pub paper: Paper,
    /// What it is carried out on.
    pub target: Target,
    /// What it needs.
    pub needs: &'static [Need],
    /// How it goes.
    pub steps: &'static [Step],
}

/// The catalogue, in the order of the numbers.
static ALL: [Attack; 19] = [
    wu::a1::ABOUT,
    wu::a2::ABOUT,
    wu::a3::ABOUT,
    wu::a4::ABOUT,
    wu::a5::ABOUT,
    wu::a6::ABOUT,
    wu::a7::ABOUT,
    wu::a8::ABOUT,
    wu::a10::ABOUT,
    wu::a12::ABOUT,
    wu::a13::ABOUT,
    wu::a14::ABOUT,
    wu::a15::ABOUT,
    limbasiya::b1::ABOUT,
    limbasiya::b2::ABOUT,
    limbasiya::b3::ABOUT,
    limbasiya::b4::ABOUT,
    limbasiya::b5::ABOUT,
    limbasiya::b6::ABOUT,
];

/// All attacks.
pub fn all() -> &'static [Attack] {
    &ALL
}

/// No attack has this number or name.
#[derive(Clone, PartialEq, Eq, Debug, Error)]
#[error("no attack is called {0:?}")]
pub struct Unknown(String);

/// The attack of this number or name.
pub fn find(text: &str) -> Result<&'static Attack, Unknown> {
    let mut attacks = all().iter();
    attacks
        .find(|attack| attack.name == text || attack.id.text().eq_ignore_ascii_case(text))
        .ok_or_else(|| Unknown(text.to_owned()))
}

/// Carries out an attack whose target is an exhibit; `None` if it is another one's.
pub fn exhibit(id: Id, rng: &mut dyn CryptoRng, now: Timestamp) -> Option<Outcome> {
    match id {
        Id::A6 => Some(wu::a6::exhibit(rng)),
        Id::B3 => limbasiya::b3::exhibit(rng, now),
        Id::A1
        | Id::A2
        | Id::A3
        | Id::A4
        | Id::A5
        | Id::A7
        | Id::A8
        | Id::A10
        | Id::A12
        | Id::A13
        | Id::A14
        | Id::A15
        | Id::B1
        | Id::B2
        | Id::B4
        | Id::B5
        | Id::B6 => None,
    }
}
