//! `aidchain patient change`: another password or face for the same identities.
//!
//! The recovery code is needed, since every lock is also sealed under it, and it is what opens the card here: so a face
//! that changed, or a code that was mistyped, spoils nothing.

mod limbasiya;

use std::path::PathBuf;

use clap::{Args, Subcommand};
use protocol::aidc1::Password;

use super::bounds::{Chosen, SuiteChoice};
use super::enrolment::End;
use super::given::{CodeFrom, FaceFrom, IdFrom, PasswordFrom};
use super::mine::{Mine, Open, pending};
use crate::aidc1::enrol::{self, Aim, NewLock, OldLock};
use crate::aidc1::ledger::Ledger;
use crate::aidc1::members::Members;
use crate::aidc1::pending::{Kind, Pending};
use crate::aidc1::place::Place;
use crate::aidc1::wallet::Shows;
use crate::code::{Code, Exit};
use crate::dice;
use crate::output::{Console, Failure};
use crate::secret_input::Source;

pub(super) const EXAMPLE: &str = "\
Example:
  aidchain patient change password --profile mine --bio one.json --bio two.json --bio three.json
  aidchain patient change face --profile mine --no-face
The recovery code is asked for, and so is the password. All members have to be up.
On a research ledger also:
  aidchain patient change password --profile mine --suite limbasiya-2020 \\
    --accept-risk=insecure-suite";

/// What to change
#[derive(Clone, Debug, Subcommand)]
pub enum Change {
    /// Another password; the face is enrolled again, since nothing of it is kept
    #[command(after_help = EXAMPLE)]
    Password(Box<NewPassword>),
    /// Another face, or none
    #[command(after_help = EXAMPLE)]
    Face(Box<Lock>),
}

/// The lock as it is, and the face of the new one.
#[derive(Clone, Debug, Args)]
pub struct Lock {
    #[command(flatten)]
    mine: Mine,
    #[command(flatten)]
    password: PasswordFrom,
    #[command(flatten)]
    code: CodeFrom,
    #[command(flatten)]
    face: FaceFrom,
}

/// The same, and the new password.
#[derive(Clone, Debug, Args)]
pub struct NewPassword {
    #[command(flatten)]
    suite: SuiteChoice,
    #[command(flatten)]
    lock: Lock,
    #[command(flatten)]
    id: IdFrom,
    /// File that holds the new password
    #[arg(
        long = "new-password-file",
        value_name = "FILE",
        conflicts_with = "descriptor"
    )]
    file: Option<PathBuf>,
    /// Open descriptor that gives the new password
    #[arg(long = "new-password-fd", value_name = "N")]
    descriptor: Option<u32>,
}

impl Change {
    pub(super) fn run(&self, console: &Console) -> Result<Exit, Failure> {
        match self {
            Self::Password(change) => change.run(console),
            Self::Face(lock) => lock.run(None, console),
        }
    }
}

impl NewPassword {
    const fn source(&self) -> Source<'_> {
        Source {
            what: "New password",
            flag: "--new-password",
            file: self.file.as_ref(),
            descriptor: self.descriptor,
        }
    }

    fn run(&self, console: &Console) -> Result<Exit, Failure> {
        let place = self.lock.mine.place()?;
        let (genesis, _file) = self.lock.mine.genesis(&place)?;
        match self.suite.choose(&genesis, console)? {
            Chosen::Aidc1 => self.lock.run(Some(self.source()), console),
            Chosen::Wu2021 => Err(Failure::new(Code::Usage)
                .message("suite wu-2021 has no change of a password")
                .help("the paper describes none; register again under another ID")),
            Chosen::Limbasiya2020 => {
                let members = Members::beside(place.card(), &genesis)?;
                let ledger = self.lock.mine.ledger(&genesis, &members)?;
                self.limbasiya((ledger, &place), console)
            }
        }
    }
}

impl Lock {
    fn run(&self, new: Option<Source<'_>>, console: &Console) -> Result<Exit, Failure> {
        let place = self.mine.place()?;
        let (genesis, _file) = self.mine.genesis(&place)?;
        let members = Members::beside(place.card(), &genesis)?;
        let ledger = self.mine.ledger(&genesis, &members)?;
        let _held = place.hold()?;
        let begun = match pending(&place, &genesis, Kind::Change)? {
            Some(begun) => begun,
            None => self.begin(ledger, &place, new, console)?,
        };
        let end = End {
            ledger,
            place: &place,
            code: None,
        };
        end.of(&begun, console)
    }

    fn begin(
        &self,
        ledger: Ledger<'_>,
        place: &Place,
        new: Option<Source<'_>>,
        console: &Console,
    ) -> Result<Pending, Failure> {
        let old = self.password.source().password(console)?;
        let code = self.code.source().code(console)?;
        let new: Option<Password> = new.map(|it| it.new_password(console)).transpose()?;
        let captures = self.face.captures()?;
        let mut rng = dice::seeded()?;
        let shows = [Shows::Code(code.clone())];
        let open = Open::card(ledger, place, (&old, &shows), &mut rng, console)?;
        let lock = NewLock {
            device: &open.wallet.device,
            root: &open.opened.root,
            code: &code,
            password: new.as_ref().unwrap_or(&old),
            captures: captures.as_ref(),
        };
        let aim = Aim::Change {
            old: OldLock {
                root: &open.opened.root,
                handle: open.wallet.handle(),
            },
            holder: &open.opened.holder,
        };
        let begun = enrol::begin(ledger, &aim, lock, &mut rng, console)?;
        begun.write(place)?;
        Ok(begun)
    }
}
