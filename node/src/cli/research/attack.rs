//! `aidchain research attack`: the papers' schemes attacked, on a research devnet, step by step.

mod live;
mod report;

use std::path::PathBuf;

use clap::Args;
use patient::clock;
use patient::code::{Code, Exit};
use patient::dice;
use patient::output::{Console, Failure};
use protocol::Timestamp;
use research::attacks::aidc1::{self, Clinic};
use research::attacks::story::Outcome;
use research::attacks::{self, Attack, Paper, Target, limbasiya, wu};

use self::live::Net;
use self::report::{Place, Row};

pub(super) const EXAMPLE: &str = "\
Examples:
  aidchain devnet up --research
  aidchain research attack sp-from-the-wire
  aidchain research attack --all --json
  aidchain research attack --list";

/// Which attack, and where.
#[derive(Clone, Debug, Args)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a flag of the command line"
)]
pub(in super::super) struct Given {
    /// Number or name of the attack
    #[arg(value_name = "NAME", required_unless_present_any = ["all", "list"], conflicts_with_all = ["all", "list"])]
    name: Option<String>,
    /// Carry out all of them and print the table
    #[arg(long, conflicts_with = "list")]
    all: bool,
    /// Say which there are
    #[arg(long)]
    list: bool,
    /// Folder of the running research devnet
    #[arg(long, value_name = "DIR", default_value = ".aidchain/demo")]
    devnet: PathBuf,
}

impl Given {
    /// Does what was asked.
    pub(super) fn run(&self, console: &Console) -> Result<Exit, Failure> {
        match &self.name {
            _ if self.list => report::list(console),
            None => self.table(console),
            Some(name) => self.one(name, console),
        }
    }

    fn one(&self, name: &str, console: &Console) -> Result<Exit, Failure> {
        let attack = attacks::find(name).map_err(|unknown| {
            Failure::new(Code::Usage)
                .message(unknown.to_string())
                .help("`aidchain research attack --list` names them all")
        })?;
        let mut ground = Ground {
            given: self,
            net: None,
            wu: None,
            limbasiya: None,
            clinic: None,
        };
        let row = ground.row(attack)?;
        report::one(&row, console)?;
        Ok(exit(&[row]))
    }

    fn table(&self, console: &Console) -> Result<Exit, Failure> {
        let mut ground = Ground {
            given: self,
            net: None,
            wu: None,
            limbasiya: None,
            clinic: None,
        };
        let mut rows = Vec::new();
        for attack in attacks::all() {
            console.talk(&format!("{:<4} {}", attack.id, attack.title));
            rows.push(ground.row(attack)?);
        }
        report::table(&rows, console)?;
        Ok(exit(&rows))
    }
}

/// An attack that ended otherwise than it should is no success of this command.
fn exit(rows: &[Row]) -> Exit {
    if rows.iter().all(Row::is_as_expected) {
        Exit::Ok
    } else {
        Exit::NotVerified
    }
}

/// Where attacks are carried out; each part is made when it is first needed.
struct Ground<'a> {
    given: &'a Given,
    net: Option<Net>,
    wu: Option<live::Wu>,
    limbasiya: Option<live::Limbasiya>,
    clinic: Option<Clinic>,
}

impl Ground<'_> {
    /// Carries an attack out, and goes for its aim on AIDC-1.
    fn row(&mut self, attack: &'static Attack) -> Result<Row, Failure> {
        let (place, outcome) = self.carry_out(attack)?;
        let clinic = match self.clinic.take() {
            Some(clinic) => clinic,
            None => Clinic::new(dice::random()?, now()).ok_or_else(broken)?,
        };
        let clinic = self.clinic.insert(clinic);
        let attempt = aidc1::attempt(attack.id, clinic).ok_or_else(broken)?;
        Ok(Row {
            attack,
            place,
            outcome,
            attempt,
        })
    }

    fn carry_out(&mut self, attack: &Attack) -> Result<(Place, Outcome), Failure> {
        let id = attack.id;
        if let Target::Exhibit(_) = attack.target {
            let outcome = attacks::exhibit(id, &mut dice::seeded()?, now());
            return Ok((Place::Process, outcome.ok_or_else(broken)?));
        }
        match attack.paper {
            Paper::Wu2021 => {
                let outcome = wu::run(id, self.wu()?).ok_or_else(broken)??;
                Ok((Place::Devnet, outcome))
            }
            Paper::Limbasiya2020 => {
                let outcome = limbasiya::run(id, self.limbasiya()?).ok_or_else(broken)??;
                Ok((Place::Devnet, outcome))
            }
        }
    }

    fn net(&mut self) -> Result<Net, Failure> {
        let net = match self.net.take() {
            Some(net) => net,
            None => Net::open(&self.given.devnet)?,
        };
        Ok(self.net.insert(net).clone())
    }

    fn wu(&mut self) -> Result<&mut live::Wu, Failure> {
        let world = match self.wu.take() {
            Some(world) => world,
            None => live::Wu::open(self.net()?)?,
        };
        Ok(self.wu.insert(world))
    }

    fn limbasiya(&mut self) -> Result<&mut live::Limbasiya, Failure> {
        let world = match self.limbasiya.take() {
            Some(world) => world,
            None => live::Limbasiya::open(self.net()?)?,
        };
        Ok(self.limbasiya.insert(world))
    }
}

/// What an attack runs in broke, which is a fault of this program.
fn broken() -> Failure {
    Failure::new(Code::Bug).message("the surroundings of the attack could not be made")
}

fn now() -> Timestamp {
    Timestamp::from_millis(clock::wall_ms())
}
