//! `aidchain node …`: a member's node in the foreground.

pub(super) mod backup;
pub(super) mod failure;
mod repair;
mod restore;

use std::path::PathBuf;

use clap::{Args, Subcommand};
use patient::{
    code::{Code, Exit},
    output::{Console, Failure},
};
use tokio::signal::unix::{SignalKind, signal};

use crate::{
    clock::Clock,
    config::{Config, Overrides, Setting},
    node, telemetry,
};

/// Run a member's node
#[derive(Clone, Debug, Subcommand)]
pub(super) enum NodeCommand {
    /// Run the node of a home until it is told to stop
    ///
    /// Every setting stands in the home's node.toml; the environment (AIDCHAIN_*) overrides the file, and a flag overrides
    /// both. SIGTERM or Ctrl-C stops voting, makes everything durable and ends within five seconds.
    #[command(after_help = "Example:\n  aidchain node run --home /var/lib/aidchain")]
    Run(Box<Run>),
    /// Take part in a consortium: bind this member's votes to a genesis file
    #[command(after_help = super::adopt::EXAMPLE)]
    Adopt(super::adopt::Adopt),
    /// Copy the ledger into one file, while the node runs or stands still; keys and votes are not in it
    #[command(after_help = backup::EXAMPLE)]
    Backup(backup::Backup),
    /// Make the ledger of a backup; the node then signs nothing in this epoch
    #[command(after_help = restore::EXAMPLE)]
    Restore(restore::Restore),
    /// Make a damaged ledger whole again: from its own blocks, or from the other members
    #[command(after_help = repair::EXAMPLE)]
    Repair(repair::Repair),
}

/// Settings of one run.
#[derive(Clone, Debug, Args)]
pub(super) struct Run {
    /// The member's folder: keys, node.toml, genesis.json, votes, ledger
    #[arg(long, env = "AIDCHAIN_HOME", value_name = "DIR")]
    home: PathBuf,
    /// Where to listen for the other members
    #[arg(long, value_name = "IP:PORT")]
    p2p_listen: Option<String>,
    /// The address the other members dial
    #[arg(long, value_name = "HOST:PORT")]
    p2p_advertise: Option<String>,
    /// Where to listen for patients (TLS)
    #[arg(long, value_name = "IP:PORT")]
    api_listen: Option<String>,
    /// Where to listen for members and the explorer
    #[arg(long, value_name = "IP:PORT")]
    member_listen: Option<String>,
    /// Where to listen for health checks and metrics
    #[arg(long, value_name = "IP:PORT")]
    operations_listen: Option<String>,
    /// Whether the explorer asks for a token
    #[arg(long, value_name = "true|false")]
    explorer_login: Option<String>,
    /// Host names the patient API answers to, with commas
    #[arg(long, value_name = "NAMES")]
    api_names: Option<String>,
    /// The member's name in genesis.json
    #[arg(long, value_name = "NAME")]
    name: Option<String>,
    /// Log level, or target=level pairs with commas
    #[arg(long, value_name = "FILTER")]
    log: Option<String>,
    /// How much of the ledger to keep
    #[arg(long, value_name = "all|N blocks|N days")]
    retain: Option<String>,
    /// How many hours a key of sign-ins lasts
    #[arg(long, value_name = "HOURS")]
    key_epoch_hours: Option<String>,
    /// Whether refused sign-ins are told to the ledger
    #[arg(long, value_name = "true|false")]
    report_refusals: Option<String>,
    /// Whom the registration centre enrols
    #[arg(long, value_name = "open|desk")]
    enrolment: Option<String>,
    /// With how many patients the registration centre registers a shuffled set
    #[arg(long, value_name = "PATIENTS")]
    registration_set: Option<String>,
    /// After how many hours it registers a smaller set
    #[arg(long, value_name = "HOURS")]
    registration_wait_hours: Option<String>,
}

impl NodeCommand {
    /// Does what was asked.
    pub(super) fn run(&self, console: &Console) -> Result<Exit, Failure> {
        match self {
            Self::Run(run) => run.run().map(|()| Exit::Ok),
            Self::Adopt(adopt) => adopt.run(console),
            Self::Backup(backup) => backup.run(console),
            Self::Restore(restore) => restore.run(console),
            Self::Repair(repair) => repair.run(console),
        }
    }
}

impl Run {
    /// Runs the node in this process.
    fn run(&self) -> Result<(), Failure> {
        let config = Config::load(&self.home, &self.overrides())
            .map_err(|error| failure::of_config(&error))?;
        telemetry::init(&config.log, &config.name, &Clock::start())
            .map_err(|error| Failure::new(Code::BadSetting).message(error.to_string()))?;
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .enable_all()
            .build()
            .map_err(|cause| Failure::new(Code::CannotStart).because(cause))?;
        let ended = runtime.block_on(async {
            let stop = stop_signal()?;
            node::run(config, stop)
                .await
                .map_err(|error| failure::of_node(&error))
        });
        runtime.shutdown_background();
        ended
    }

    /// What the flags say.
    fn overrides(&self) -> Overrides {
        let mut overrides = Overrides::default();
        let flags = [
            (Setting::Name, &self.name),
            (Setting::P2pListen, &self.p2p_listen),
            (Setting::P2pAdvertise, &self.p2p_advertise),
            (Setting::ApiListen, &self.api_listen),
            (Setting::MemberListen, &self.member_listen),
            (Setting::OperationsListen, &self.operations_listen),
            (Setting::ExplorerLogin, &self.explorer_login),
            (Setting::ApiNames, &self.api_names),
            (Setting::Log, &self.log),
            (Setting::Retain, &self.retain),
            (Setting::KeyEpochHours, &self.key_epoch_hours),
            (Setting::ReportRefusals, &self.report_refusals),
            (Setting::Enrolment, &self.enrolment),
            (Setting::RegistrationSet, &self.registration_set),
            (
                Setting::RegistrationWaitHours,
                &self.registration_wait_hours,
            ),
        ];
        for (setting, value) in flags {
            if let Some(value) = value {
                overrides.set(setting, value.clone());
            }
        }
        overrides
    }
}

/// Comes when the process is asked to end.
fn stop_signal() -> Result<impl Future<Output = ()>, Failure> {
    let cannot = |cause: std::io::Error| Failure::new(Code::CannotStart).because(cause);
    let mut terminate = signal(SignalKind::terminate()).map_err(cannot)?;
    let mut interrupt = signal(SignalKind::interrupt()).map_err(cannot)?;
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;

    /// The command on its own.
    #[derive(Debug, Parser)]
    struct Alone {
        #[command(subcommand)]
        command: NodeCommand,
    }

    #[test]
    fn every_setting_has_the_flag_that_its_errors_name() {
        for setting in Setting::ALL {
            let flag = setting.flag();
            let parsed = Alone::try_parse_from(["node", "run", "--home", "/h", &flag, "true"]);
            let NodeCommand::Run(run) = parsed.unwrap().command else {
                panic!("another command");
            };
            assert_ne!(
                format!("{:?}", run.overrides()),
                format!("{:?}", Overrides::default())
            );
        }
    }
}
