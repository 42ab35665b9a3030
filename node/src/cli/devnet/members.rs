//! What a devnet consists of, as its folder tells.

use std::fs;
use std::path::{Path, PathBuf};

use contract::genesis::Genesis;
use patient::client::{Client, Question};
use patient::code::Code;
use patient::files;
use patient::output::Failure;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::super::node::failure::of_config;
use super::process;
use crate::cli::home::GENESIS;
use crate::config::{Config, Overrides};

const FILE: &str = "devnet.json";
const SCHEMA: &str = "aidchain.devnet/1";
const FILE_BYTES_MAX: usize = 64 << 10;

/// The process numbers, as they were when the members were started.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Started {
    schema: String,
    members: Vec<Pid>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Pid {
    name: String,
    pid: u32,
}

/// A consortium on this machine.
#[derive(Debug)]
pub(in crate::cli) struct Devnet {
    folder: PathBuf,
    genesis: Genesis,
    members: Vec<Member>,
}

/// One of its members.
#[derive(Debug)]
pub(in crate::cli) struct Member {
    config: Config,
    pid: Option<u32>,
}

impl Devnet {
    /// The consortium in this folder.
    pub(in crate::cli) fn open(folder: &Path) -> Result<Self, Failure> {
        let genesis_path = folder.join(GENESIS);
        if !genesis_path.exists() {
            return Err(Failure::new(Code::NoDevnet)
                .message(format!("there is no consortium in {}", folder.display())));
        }
        // Absolute, so that a process is recognised whatever folder a command is given in.
        let folder = fs::canonicalize(folder)
            .map_err(|error| Failure::new(Code::CannotRead).because(error))?;
        let (genesis, _file) = files::genesis(&genesis_path)?;
        let started = started(&folder)?;
        let members = genesis
            .members()
            .iter()
            .map(|member| {
                let home = folder.join(&member.name);
                let config = Config::load(&home, &Overrides::default())
                    .map_err(|error| of_config(&error))?;
                let named = started.members.iter().find(|it| it.name == member.name);
                Ok(Member {
                    pid: named.map(|it| it.pid),
                    config,
                })
            })
            .collect::<Result<Vec<_>, Failure>>()?;
        Ok(Self {
            folder,
            genesis,
            members,
        })
    }

    pub(in crate::cli) const fn genesis(&self) -> &Genesis {
        &self.genesis
    }

    pub(in crate::cli) fn members(&self) -> &[Member] {
        &self.members
    }

    pub(super) fn members_mut(&mut self) -> &mut [Member] {
        &mut self.members
    }

    /// Writes down which processes run.
    pub(super) fn remember(&self) -> Result<(), Failure> {
        let members = self
            .members
            .iter()
            .filter_map(|member| {
                member.pid().map(|pid| Pid {
                    name: member.name().to_owned(),
                    pid,
                })
            })
            .collect();
        let file = Started {
            schema: SCHEMA.to_owned(),
            members,
        };
        let path = self.folder.join(FILE);
        let draft = self.folder.join(format!(".{FILE}"));
        let text = serde_json::to_vec_pretty(&file)
            .map_err(|error| Failure::new(Code::Bug).because(error))?;
        fs::write(&draft, text)
            .and_then(|()| fs::rename(&draft, &path))
            .map_err(|error| files::cannot_write(&path, &error))
    }
}

fn started(folder: &Path) -> Result<Started, Failure> {
    let path = folder.join(FILE);
    if !path.exists() {
        return Ok(Started::default());
    }
    let bytes = files::read(&path, FILE_BYTES_MAX)?;
    serde_json::from_slice(&bytes).map_err(|error| {
        Failure::new(Code::BadConfig)
            .message(format!("{} cannot be understood", path.display()))
            .because(error)
    })
}

impl Member {
    pub(in crate::cli) fn name(&self) -> &str {
        &self.config.name
    }

    pub(in crate::cli) fn home(&self) -> &Path {
        &self.config.home
    }

    pub(super) const fn config(&self) -> &Config {
        &self.config
    }

    pub(super) fn log(&self) -> PathBuf {
        self.config.home.join("node.log")
    }

    pub(super) fn p2p(&self) -> String {
        self.config.p2p_listen.to_string()
    }

    pub(super) fn api(&self) -> String {
        format!("https://{}", self.config.api_listen)
    }

    pub(in crate::cli) fn explorer(&self) -> String {
        format!("http://{}", self.config.member_listen)
    }

    pub(super) fn operations(&self) -> String {
        format!("http://{}", self.config.operations_listen)
    }

    /// The number of its process, if that runs.
    pub(in crate::cli) fn pid(&self) -> Option<u32> {
        self.pid.filter(|pid| process::runs(*pid, self.home()))
    }

    pub(super) const fn started_as(&mut self, pid: u32) {
        self.pid = Some(pid);
    }

    /// Stops it; says whether it ran.
    pub(super) fn stop(&self) -> Result<bool, Failure> {
        let Some(pid) = self.pid() else {
            return Ok(false);
        };
        process::stop(pid, self.home())?;
        Ok(true)
    }

    /// Whether it serves.
    pub(super) fn is_ready(&self) -> bool {
        ask(&self.operations(), "/readyz").is_ok()
    }

    /// What it says about the ledger.
    pub(super) fn status(&self) -> Result<Value, Failure> {
        ask(&self.explorer(), "/v1/status")
    }
}

fn ask(url: &str, path: &str) -> Result<Value, Failure> {
    let url = url
        .parse()
        .map_err(|error| Failure::new(Code::BadSetting).because(error))?;
    let answer = Client::plain(url).ask(Question::get(path))?.success()?;
    Ok(answer.json().unwrap_or(Value::Null))
}
