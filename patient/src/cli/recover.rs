//! `aidchain patient recover`: a new card for somebody whose card, device or password is lost.

use clap::Args;
use protocol::aidc1::{RecoveryCode, Root};

use super::enrolment::End;
use super::given::{CodeFrom, CodeTo, DeskFrom, FaceFrom, IdFrom, PasswordFrom};
use super::mine::{Mine, pending};
use super::register::keep_genesis;
use crate::aidc1::enrol::{self, Aim, NewLock};
use crate::aidc1::ledger::Ledger;
use crate::aidc1::members::Members;
use crate::aidc1::pending::{Kind, Pending};
use crate::aidc1::place::Place;
use crate::code::{Code, Exit};
use crate::dice;
use crate::output::{Console, Failure};

pub(super) const EXAMPLE: &str = "\
Example:
  aidchain patient recover --profile mine --genesis genesis.json --desk-code-file desk \\
    --recovery-code-file paper --bio one.json --bio two.json --bio three.json
With the recovery code it is done at once. Without it another member has to approve, and the
ledger waits three days, so that the owner of the old card can object: run the same command
again afterwards.";

/// Who, with what from the desk and the paper.
#[derive(Clone, Debug, Args)]
pub struct Recover {
    #[command(flatten)]
    mine: Mine,
    #[command(flatten)]
    id: IdFrom,
    #[command(flatten)]
    desk: DeskFrom,
    #[command(flatten)]
    code: CodeFrom,
    #[command(flatten)]
    password: PasswordFrom,
    #[command(flatten)]
    face: FaceFrom,
    #[command(flatten)]
    new_code: CodeTo,
}

impl Recover {
    pub(super) fn run(&self, console: &Console) -> Result<Exit, Failure> {
        let place = self.mine.place()?;
        let (genesis, file) = self.mine.genesis(&place)?;
        let members = Members::beside(place.card(), &genesis)?;
        let ledger = self.mine.ledger(&genesis, &members)?;
        let _held = place.hold()?;
        let begun = match pending(&place, &genesis, Kind::Recover)? {
            Some(begun) => begun,
            None => self.begin(ledger, (&place, &file), console)?,
        };
        let end = End {
            ledger,
            place: &place,
            code: self.new_code.path(),
        };
        end.of(&begun, console)
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
        self.new_code.check(console)?;
        let id = self.id.source().id(console)?;
        let desk = self.desk.needed(console)?;
        let old_code = self.code.if_named(console)?;
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
        let aim = Aim::Recover {
            id: &id,
            desk: &desk,
            code: old_code.as_ref(),
        };
        let begun = enrol::begin(ledger, &aim, lock, &mut rng, console)?;
        keep_genesis(place.card(), genesis_file)?;
        // Before anything is registered: a code that nobody saw could not be had again.
        self.new_code.hand_over(&code, console)?;
        begun.write(place)?;
        Ok(begun)
    }
}
