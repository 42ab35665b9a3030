//! `aidchain key …`: a member's keys, made where they stay; only the public halves leave.

mod rotate;

use std::path::{Path, PathBuf};

use clap::{Args, Subcommand, ValueEnum};
use contract::genesis::{Member, Role};
use patient::client::Url;
use patient::code::{Code, Exit};
use patient::files;
use patient::output::{Console, Failure};
use serde::{Deserialize, Serialize};

use super::home::{self, Draft};
use super::node::failure::of_config;
use crate::config::{BASE_PORT, Config, Enrolling, SetSize};
use crate::network::address::Address;

const EXAMPLE: &str = "\
Example:
  aidchain key init --home /var/lib/aidchain --name clinic-a --p2p 10.0.0.7:7100 \\
    --api https://10.0.0.7:8100 > clinic-a.member.json";

const SCHEMA: &str = "aidchain.member/1";
const FILE_BYTES_MAX: usize = 16 << 10;

/// Make the keys of a member, and renew its key
#[derive(Clone, Debug, Subcommand)]
pub(super) enum KeyCommand {
    /// Make keys and an empty vote log in a new home; print the public keys
    #[command(after_help = EXAMPLE)]
    Init(Init),
    /// Make another member key and ask the members to let it take the present one's place
    ///
    /// Both keys sign the change. When a quorum of the members has approved it, the running node says in the new key's
    /// name that it is ready, votes with the old key up to the epoch's last block and with the new one from the next block
    /// on, and destroys the old one. Nothing has to be restarted. Given again, it proposes the key that waits already.
    #[command(after_help = rotate::EXAMPLE)]
    Rotate(rotate::Rotate),
}

impl KeyCommand {
    pub(super) fn run(&self, console: &Console) -> Result<Exit, Failure> {
        match self {
            Self::Init(command) => command.run(console),
            Self::Rotate(command) => command.run(console),
        }
    }
}

/// A role on the command line.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum RoleName {
    /// The registration centre: one per consortium
    Rc,
    /// A hospital's server
    Server,
}

/// Whose keys.
#[derive(Clone, Debug, Args)]
pub(super) struct Init {
    /// New home of the node
    #[arg(long, value_name = "DIR", env = "AIDCHAIN_HOME")]
    home: PathBuf,
    /// The member's name
    #[arg(long, value_name = "NAME")]
    name: String,
    /// Address where the other members reach it
    #[arg(long, value_name = "HOST:PORT")]
    p2p: Address,
    /// Address where patients reach it
    #[arg(long, value_name = "URL")]
    api: Url,
    /// What the member is
    #[arg(long, value_name = "ROLE", default_value = "server")]
    role: RoleName,
}

/// What a member tells the others: public keys and addresses.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct MemberFile {
    schema: String,
    member: Member,
}

impl MemberFile {
    /// The member in a file.
    pub(super) fn read(path: &Path) -> Result<Member, Failure> {
        let refuse = |problem: &dyn std::fmt::Display| {
            Failure::new(Code::BadMemberFile)
                .message(format!("{} is not a member file", path.display()))
                .because(problem)
        };
        let bytes = files::read(path, FILE_BYTES_MAX)?;
        let file: Self = serde_json::from_slice(&bytes).map_err(|error| refuse(&error))?;
        if file.schema != SCHEMA {
            return Err(refuse(&format!("its schema is not {SCHEMA}")));
        }
        Ok(file.member)
    }
}

impl Init {
    fn run(&self, console: &Console) -> Result<Exit, Failure> {
        let config = config(&self.home, &self.name, &self.p2p, &self.api)?;
        let draft = Draft::begin(&self.home)?;
        let keys = home::make(&config)?;
        let role = match self.role {
            RoleName::Rc => Role::Rc,
            RoleName::Server => Role::Server,
        };
        let file = MemberFile {
            schema: SCHEMA.to_owned(),
            member: home::member(&config, &keys, role, self.api.to_string()),
        };
        let text = serde_json::to_string_pretty(&file)
            .map_err(|error| Failure::new(Code::Bug).because(error))?;
        console.data(&file, &text)?;
        draft.finish();
        console.talk(&format!(
            "Keys of {} are in {}. They never leave it; give the others what is printed above.",
            self.name,
            self.home.display()
        ));
        Ok(Exit::Ok)
    }
}

/// The configuration of a member on a machine of its own.
pub(super) fn config(home: &Path, name: &str, p2p: &Address, api: &Url) -> Result<Config, Failure> {
    if !api.is_tls() {
        return Err(Failure::new(Code::Usage)
            .message("patients reach a node over TLS")
            .help(format!("--api https://{}", api.authority())));
    }
    let mut config = Config::local(home, name, BASE_PORT, 0).map_err(|error| of_config(&error))?;
    config.p2p_advertise = p2p.clone();
    config.p2p_listen = ([0, 0, 0, 0], p2p.port()).into();
    config.api_listen = ([0, 0, 0, 0], api.port()).into();
    config.explorer_login = true;
    config.enrolment = Enrolling::Desk;
    config.registration_set = SetSize::HIDING;
    config.api_names.push(api.host().to_owned());
    Ok(config)
}
