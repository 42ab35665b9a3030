//! A research devnet as an attacker meets it: the members' own addresses, and a synthetic victim who registers and
//! signs in through the patient's client.

mod limbasiya;
mod wu;

use std::path::{Path, PathBuf};
use std::time::Duration;

use contract::genesis::{Genesis, Kind, Role};
use contract::identity::{Aid, Height, SessionId, TransactionHash};
use patient::client::{Client, Question};
use patient::clock;
use patient::code::Code;
use patient::light::{self, Content, Expect, Verified};
use patient::output::Failure;
use patient::receipt::Receipt;
use protocol::Timestamp;
use research::attacks::story::Stopped;
use research::attacks::world::At;
use serde::Deserialize;

use crate::cli::devnet::Devnet;

pub(super) use self::limbasiya::Limbasiya;
pub(super) use self::wu::Wu;

/// How long the ledger may take.
const LEDGER_WAIT: Duration = Duration::from_secs(5);
/// How long a member may take to catch up with what the victim knows.
const BEHIND_WAIT: Duration = Duration::from_secs(2);
/// Registrations that are tried.
const TRIES: usize = 16;

const START: &str = "start one: aidchain devnet up --research";

type Stop = Stopped<Failure>;

/// A server of the devnet.
#[derive(Clone)]
struct Server {
    name: String,
    home: PathBuf,
    patients: Client,
    members: Client,
}

/// A running research devnet.
#[derive(Clone)]
pub(super) struct Net {
    genesis: Genesis,
    centre: Client,
    servers: [Server; 2],
}

impl Net {
    /// Finds the devnet of a folder.
    pub(super) fn open(folder: &Path) -> Result<Self, Failure> {
        let devnet = Devnet::open(folder).map_err(|failure| failure.help(START))?;
        let genesis = devnet.genesis().clone();
        if genesis.kind() != Kind::Research {
            return Err(Failure::new(Code::SuiteOnSecureLedger)
                .message(format!("{} holds a secure ledger", folder.display()))
                .note("nobody was attacked"));
        }
        if devnet.members().iter().any(|member| member.pid().is_none()) {
            return Err(Failure::new(Code::NoDevnet)
                .message(format!(
                    "the consortium in {} does not run",
                    folder.display()
                ))
                .help(START));
        }
        let centre = genesis
            .members()
            .iter()
            .find(|member| member.role == Role::Rc)
            .ok_or_else(|| Failure::new(Code::BadGenesis))?;
        Ok(Self {
            centre: Client::of_member(centre, None)?,
            servers: servers(&devnet)?,
            genesis,
        })
    }

    const fn server(&self, at: At) -> &Server {
        let [here, there] = &self.servers;
        match at {
            At::Here => here,
            At::There => there,
        }
    }

    /// The block in which a registration is on the ledger.
    fn registered(&self, aid: Aid, transaction: TransactionHash) -> Result<Height, Failure> {
        let path = format!("/v1/registrations/{transaction}");
        let expect = Expect {
            aid: Some(aid),
            transaction: Some(transaction),
            ..Expect::default()
        };
        let verified = self.receipt((&self.centre, &path), &expect)?;
        let verified = verified.ok_or_else(|| Failure::new(Code::RegistrationPending))?;
        Ok(verified.height)
    }

    /// Who signed in at a server in this session, as the ledger has it.
    fn recorded(&self, at: At, session: &SessionId) -> Result<Option<Aid>, Stop> {
        let server = self.server(at);
        let path = format!("/v1/sessions/{session}");
        let expect = Expect {
            server: Some(server.name.clone()),
            session: Some(*session),
            ..Expect::default()
        };
        let found = self.receipt((&server.patients, &path), &expect);
        let Some(verified) = found.map_err(Stopped::World)? else {
            return Ok(None);
        };
        match verified.content {
            Content::SignIns(all) => {
                let mut all = all.iter();
                Ok(all.find(|one| one.session == *session).map(|one| one.aid))
            }
            Content::Registration { .. }
            | Content::Registrations(_)
            | Content::Replacement { .. }
            | Content::Claim(_)
            | Content::Other { .. } => Ok(None),
        }
    }

    /// What the ledger has at a path, proved with the genesis file; `None` if it has nothing there.
    fn receipt(
        &self,
        (client, path): (&Client, &str),
        expect: &Expect,
    ) -> Result<Option<Verified>, Failure> {
        let path = format!("{path}?wait_ms={}", LEDGER_WAIT.as_millis());
        let answer = client.ask(Question::get(path).waits(LEDGER_WAIT))?;
        if answer.is_pending() || answer.status() == 404 {
            return Ok(None);
        }
        let Committed { receipt } = answer.success()?.json()?;
        let (_report, verdict) = light::verify(&receipt, &self.genesis, expect, clock::wall_ms());
        let verified = verdict.map_err(|reason| Failure::new(reason.code()).because(reason))?;
        Ok(Some(verified))
    }
}

#[derive(Deserialize)]
struct Committed {
    receipt: Receipt,
}

/// Two servers: the first that are no registration centre.
fn servers(devnet: &Devnet) -> Result<[Server; 2], Failure> {
    let members = devnet.genesis().members().iter();
    let mut servers = Vec::new();
    for member in members.filter(|member| member.role == Role::Server) {
        let running = devnet.members().iter().find(|it| it.name() == member.name);
        let running = running.ok_or_else(|| Failure::new(Code::NoDevnet))?;
        let url = running.explorer().parse();
        let url = url.map_err(|error| Failure::new(Code::BadSetting).because(error))?;
        servers.push(Server {
            name: member.name.clone(),
            home: running.home().to_owned(),
            patients: Client::of_member(member, None)?,
            members: Client::plain(url),
        });
    }
    let mut servers = servers.into_iter();
    servers
        .next()
        .zip(servers.next())
        .map(|(here, there)| [here, there])
        .ok_or_else(|| Failure::new(Code::NoDevnet).message("the consortium has no two servers"))
}

/// What a server said, unless it refused.
fn answered(said: Result<Vec<u8>, Failure>) -> Result<Option<Vec<u8>>, Stop> {
    match said {
        Ok(reply) => Ok(Some(reply)),
        Err(refused) if matches!(refused.code(), Code::SignInRefused | Code::ClockSkew) => Ok(None),
        Err(failure) => Err(Stopped::World(failure)),
    }
}

fn now() -> Timestamp {
    Timestamp::from_millis(clock::wall_ms())
}
