//! `aidchain patient renew` and `move`: sixteen identities under a new root, beside the old ones or in their place.

use std::path::PathBuf;

use clap::Args;
use protocol::aidc1::{RecoveryCode, Root};

use super::enrolment::End;
use super::given::{CodeFrom, CodeTo, FaceFrom, PasswordFrom};
use super::mine::{Mine, Open, pending};
use super::register::keep_genesis;
use crate::aidc1::enrol::{self, Aim, NewLock, OldLock};
use crate::aidc1::ledger::Ledger;
use crate::aidc1::members::Members;
use crate::aidc1::pending::{Kind, Pending};
use crate::aidc1::place::Place;
use crate::aidc1::wallet::Shows;
use crate::card::Profile;
use crate::code::{Code, Exit};
use crate::dice;
use crate::output::{Console, Failure};

pub(super) const RENEW_EXAMPLE: &str = "\
Example:
  aidchain patient renew --profile mine --bio one.json --bio two.json --bio three.json
The old identities stay on the ledger and leave the card: look at their history first.
All members have to be up.";
pub(super) const MOVE_EXAMPLE: &str = "\
Example:
  aidchain patient move --profile mine --to phone --to-card /media/phone/phone.card \\
    --bio one.json --bio two.json --bio three.json
The old card is worth nothing afterwards. All members have to be up.";

/// Which card, and the lock of the new one.
#[derive(Clone, Debug, Args)]
pub struct Renew {
    #[command(flatten)]
    mine: Mine,
    #[command(flatten)]
    password: PasswordFrom,
    #[command(flatten)]
    code: CodeFrom,
    #[command(flatten)]
    face: FaceFrom,
    #[command(flatten)]
    new_code: CodeTo,
}

/// The same, and where to.
#[derive(Clone, Debug, Args)]
pub struct Move {
    #[command(flatten)]
    renew: Renew,
    /// Name of the new card
    #[arg(long, value_name = "NAME")]
    to: Profile,
    /// File of the new card, where it is not in the user's data folder
    #[arg(long, value_name = "FILE")]
    to_card: Option<PathBuf>,
    /// File of the new device's secret, where it is not beside the new card
    #[arg(long, value_name = "FILE")]
    to_device: Option<PathBuf>,
}

impl Renew {
    pub(super) fn run(&self, console: &Console) -> Result<Exit, Failure> {
        let place = self.mine.place()?;
        let _held = place.hold()?;
        self.replace(Kind::Renew, (&place, &place), console)
    }

    /// Makes the new card at `to`, of the one at `from`.
    fn replace(
        &self,
        kind: Kind,
        (from, to): (&Place, &Place),
        console: &Console,
    ) -> Result<Exit, Failure> {
        let (genesis, file) = self.mine.genesis(from)?;
        let members = Members::beside(from.card(), &genesis)?;
        let ledger = self.mine.ledger(&genesis, &members)?;
        let begun = match pending(to, &genesis, kind)? {
            Some(begun) => begun,
            None => self.begin(ledger, kind, (from, to, &file), console)?,
        };
        let end = End {
            ledger,
            place: to,
            code: self.new_code.path(),
        };
        end.of(&begun, console)
    }

    fn begin(
        &self,
        ledger: Ledger<'_>,
        kind: Kind,
        (from, to, genesis_file): (&Place, &Place, &[u8]),
        console: &Console,
    ) -> Result<Pending, Failure> {
        self.new_code.check(console)?;
        let password = self.password.source().password(console)?;
        let captures = self.face.captures()?;
        let shows = self.shows(captures.as_ref().map(<[_; 3]>::as_slice), console)?;
        let mut rng = dice::seeded()?;
        let open = Open::card(ledger, from, (&password, &shows), &mut rng, console)?;
        let device = to.ensure_device(&mut rng)?;
        let (root, code) = (Root::draw(&mut rng), RecoveryCode::draw(&mut rng));
        let lock = NewLock {
            device: &device,
            root: &root,
            code: &code,
            password: &password,
            captures: captures.as_ref(),
        };
        let id = open.id()?;
        let old = OldLock {
            root: &open.opened.root,
            handle: open.wallet.handle(),
        };
        let aim = match kind {
            Kind::Move => Aim::Move { id: &id, old },
            Kind::Renew | Kind::Register | Kind::Recover | Kind::Change => {
                Aim::Renew { id: &id, old }
            }
        };
        let begun = enrol::begin(ledger, &aim, lock, &mut rng, console)?;
        // Before anything is registered: a code that nobody saw could not be had again.
        self.new_code.hand_over(&code, console)?;
        keep_genesis(to.card(), genesis_file)?;
        begun.write(to)?;
        Ok(begun)
    }

    /// The captures of the new face open the old lock too; the code does where there is no face.
    fn shows(
        &self,
        captures: Option<&[protocol::Embedding]>,
        console: &Console,
    ) -> Result<Vec<Shows>, Failure> {
        let faces = captures.unwrap_or_default().iter().cloned();
        let mut shows: Vec<_> = faces.map(Shows::Face).collect();
        if shows.is_empty() || self.code.is_named() {
            shows.push(Shows::Code(self.code.source().code(console)?));
        }
        Ok(shows)
    }
}

impl Move {
    pub(super) fn run(&self, console: &Console) -> Result<Exit, Failure> {
        let from = self.renew.mine.place()?;
        let to = Place::of(&self.to, self.to_card.as_deref(), self.to_device.as_deref())?;
        if from.card() == to.card() || from.device() == to.device() {
            return Err(Failure::new(Code::Usage)
                .message("a card moves to another place, under another device's secret")
                .help("name another --to, --to-card or --to-device"));
        }
        let _held = (from.hold()?, to.hold()?);
        if to.card().exists() && !to.pending().exists() {
            return Err(Failure::new(Code::CardExists)
                .message(format!("{} exists already", to.card().display())));
        }
        let exit = self.renew.replace(Kind::Move, (&from, &to), console)?;
        console.talk(&format!(
            "The card {} is worth nothing from the moment on when the ledger has this: delete it.",
            from.card().display()
        ));
        Ok(exit)
    }
}
