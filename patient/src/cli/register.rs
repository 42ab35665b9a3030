//! `aidchain patient register`: sixteen anonymous identities, and the card that opens them.

mod legacy;
mod limbasiya;
pub(super) mod wu;

use std::path::{Path, PathBuf};

use clap::Args;
use contract::genesis::Genesis;
use protocol::aidc1::{RecoveryCode, Root};

use super::bounds::{Chosen, SuiteChoice};
use super::enrolment::End;
use super::given::{CodeTo, DeskFrom, FaceFrom, IdFrom, PasswordFrom, Places};
use crate::aidc1::enrol::{self, Aim, NewLock};
use crate::aidc1::ledger::Ledger;
use crate::aidc1::members::Members;
use crate::aidc1::pending::{Kind, Pending};
use crate::aidc1::place::Place;
use crate::card::{self, Profile};
use crate::client::Url;
use crate::code::{Code, Exit};
use crate::dice;
use crate::files::{self, Readers};
use crate::output::{Console, Failure};

pub(super) const EXAMPLE: &str = "\
Example:
  aidchain patient register --profile mine --genesis genesis.json \\
    --bio one.json --bio two.json --bio three.json
  aidchain patient register --profile mine --genesis genesis.json --no-face
Stopped half-way, or told to wait: run the same command again.
On a research ledger also:
  aidchain patient register --profile mine --genesis genesis.json --suite wu-2021 \\
    --accept-risk=insecure-suite --bio one.json --bio two.json --bio three.json
  aidchain patient register --profile mine --genesis genesis.json --suite limbasiya-2020 \\
    --accept-risk=insecure-suite";

/// Who registers, where, with what.
#[derive(Clone, Debug, Args)]
pub struct Register {
    /// Name of the card on this terminal (not the patient's ID)
    #[arg(long, value_name = "NAME")]
    profile: Profile,
    /// Genesis file of the ledger: all that is trusted
    #[arg(long, value_name = "FILE", env = "AIDCHAIN_GENESIS")]
    genesis: PathBuf,
    /// Address of the registration centre, where it is not the one in the genesis file
    #[arg(long, value_name = "URL")]
    node: Option<Url>,
    #[command(flatten)]
    suite: SuiteChoice,
    #[command(flatten)]
    id: IdFrom,
    #[command(flatten)]
    password: PasswordFrom,
    #[command(flatten)]
    face: FaceFrom,
    #[command(flatten)]
    desk: DeskFrom,
    /// File to write the recovery code to, instead of showing it
    #[arg(long, value_name = "FILE")]
    recovery_code_file: Option<PathBuf>,
    #[command(flatten)]
    places: Places,
    /// Folder for the receipt (suites wu-2021 and limbasiya-2020)
    #[arg(long, value_name = "DIR", default_value = ".")]
    receipts: PathBuf,
}

impl Register {
    pub(super) fn run(&self, console: &Console) -> Result<Exit, Failure> {
        let (genesis, file) = files::genesis(&self.genesis)?;
        match self.suite.choose(&genesis, console)? {
            Chosen::Aidc1 => self.aidc1(&genesis, &file, console),
            Chosen::Wu2021 => self.wu((&genesis, &file), console),
            Chosen::Limbasiya2020 => self.limbasiya((&genesis, &file), console),
        }
    }

    fn aidc1(&self, genesis: &Genesis, file: &[u8], console: &Console) -> Result<Exit, Failure> {
        let place = self.places.of(&self.profile)?;
        let _held = place.hold()?;
        let members = Members::beside(place.card(), genesis)?;
        let ledger = Ledger::new(genesis, &members).with_centre_at(self.node.as_ref())?;
        let pending = match Pending::read(&place, genesis)? {
            Some(pending) => pending.only(Kind::Register)?,
            None => self.begin(ledger, (&place, file), console)?,
        };
        let end = End {
            ledger,
            place: &place,
            code: self.recovery_code_file.as_deref(),
        };
        end.of(&pending, console)
    }

    fn begin(
        &self,
        ledger: Ledger<'_>,
        (place, genesis_file): (&Place, &[u8]),
        console: &Console,
    ) -> Result<Pending, Failure> {
        if place.card().exists() {
            return Err(Failure::new(Code::CardExists)
                .message(format!("{} exists already", place.card().display())));
        }
        let to = CodeTo::register(self.recovery_code_file.clone());
        to.check(console)?;
        let id = self.id.source().id(console)?;
        let desk = self.desk.if_named(console)?;
        let password = self.password.source().new_password(console)?;
        let captures = self.face.captures()?;
        let mut rng = dice::seeded()?;
        let device = place.ensure_device(&mut rng)?;
        let (root, code) = (Root::draw(&mut rng), RecoveryCode::draw(&mut rng));
        let lock = NewLock {
            device: &device,
            root: &root,
            code: &code,
            password: &password,
            captures: captures.as_ref(),
        };
        let aim = Aim::Register {
            id: &id,
            desk: desk.as_ref(),
        };
        let pending = enrol::begin(ledger, &aim, lock, &mut rng, console)?;
        keep_genesis(place.card(), genesis_file)?;
        // Before anything is registered: a code that nobody saw could not be had again.
        to.hand_over(&code, console)?;
        pending.write(place)?;
        Ok(pending)
    }
}

/// Keeps the genesis file beside the card, so that later sign-ins trust the same ledger without being told.
pub(super) fn keep_genesis(card: &Path, bytes: &[u8]) -> Result<(), Failure> {
    let path = card::genesis_path(card);
    if path.exists() {
        return Ok(());
    }
    files::write_new(&path, bytes, Readers::All, Code::FileExists)
}
