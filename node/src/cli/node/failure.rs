//! A node's errors as a person reads them: which code, and so which next step and exit status.

use patient::{code::Code, output::Failure};

use crate::{
    config::ConfigError,
    epochs::EpochsError,
    executor::ExecutorError,
    host::HostError,
    http::HttpError,
    keys::{KeyError, rotation::RotationError},
    node::{LockError, NodeError},
    outbox::OutboxError,
    store::StoreError,
    term::TermError,
    vault::VaultError,
    votelog::VoteLogError,
};

/// A failure with a code, in the error's own words.
fn said(code: Code, error: &impl std::fmt::Display) -> Failure {
    Failure::new(code).message(error.to_string())
}

/// A configuration's errors.
pub(in super::super) fn of_config(error: &ConfigError) -> Failure {
    let code = match error {
        ConfigError::NoFile { .. } => Code::HomeIncomplete,
        ConfigError::Unreadable { .. } => Code::CannotRead,
        ConfigError::NotToml { .. } | ConfigError::Missing { .. } => Code::BadConfig,
        ConfigError::UnknownKey { .. } => Code::UnknownSetting,
        ConfigError::BadValue { .. } => Code::BadSetting,
        ConfigError::PortRange { .. } => Code::BadBasePort,
    };
    said(code, error)
}

/// A node's errors.
pub(in super::super) fn of_node(error: &NodeError) -> Failure {
    let code = match error {
        NodeError::Lock(LockError::Held { .. }) => Code::HomeInUse,
        NodeError::Lock(LockError::Unreadable { .. }) | NodeError::Http(HttpError::Files(_)) => {
            Code::CannotWrite
        }
        NodeError::NoGenesis { .. } => Code::HomeIncomplete,
        NodeError::BadGenesis { .. } | NodeError::Address { .. } | NodeError::Network(_) => {
            Code::BadGenesis
        }
        NodeError::BadMember { .. }
        | NodeError::NotAMember { .. }
        | NodeError::ForeignKey { .. } => Code::NotAMember,
        NodeError::Epochs(EpochsError::Vault(VaultError::TooOpen { .. }))
        | NodeError::Outbox(OutboxError::TooOpen { .. }) => Code::SecretTooOpen,
        NodeError::Epochs(EpochsError::Vault(VaultError::Damaged { .. })) => Code::VaultDamaged,
        NodeError::NoMember { .. } | NodeError::Epochs(_) | NodeError::Outbox(_) => {
            Code::CannotRead
        }
        NodeError::Keys(error) | NodeError::Rotation(RotationError::Key(error)) => of_keys(error),
        NodeError::Rotation(RotationError::File { .. }) => Code::CannotWrite,
        NodeError::Port(_) | NodeError::Http(HttpError::Bind { .. }) => Code::PortTaken,
        NodeError::Http(HttpError::Tls(_)) => Code::TlsUnusable,
        NodeError::Rotation(RotationError::Log(error))
        | NodeError::VoteLog(error)
        | NodeError::Host(HostError::VoteLog(error)) => of_log(error),
        NodeError::ForeignLog { .. } => Code::OtherStore,
        NodeError::Recover(_) | NodeError::Host(HostError::Recover(_)) => Code::VoteLogDamaged,
        NodeError::Term(TermError::Rules { .. })
        | NodeError::Host(HostError::Term(TermError::Rules { .. })) => Code::ContractMissing,
        NodeError::Store(_) | NodeError::Term(_) | NodeError::Host(HostError::Term(_)) => {
            Code::StoreDamaged
        }
        NodeError::Executor(error) | NodeError::Host(HostError::Executor(error)) => {
            of_executor(error)
        }
        NodeError::Thread(_) => Code::CannotStart,
        NodeError::Host(HostError::Diverged(_)) => Code::StateDiverged,
        NodeError::ExecutorGone(_)
        | NodeError::Host(HostError::ExecutorGone(_) | HostError::Broken) => Code::NodeBug,
        NodeError::StopTimeout => Code::CannotStop,
    };
    said(code, error)
}

/// Errors of key files.
const fn of_keys(error: &KeyError) -> Code {
    match error {
        KeyError::Missing { .. } => Code::KeyMissing,
        KeyError::TooOpen { .. } => Code::KeyTooOpen,
        KeyError::Corrupt { .. } => Code::KeyCorrupt,
        KeyError::Exists { .. } => Code::FileExists,
        KeyError::Access { .. } => Code::CannotRead,
        KeyError::NoRandomness(_) | KeyError::Certificate(_) => Code::CannotStart,
    }
}

/// Errors of the vote log.
const fn of_log(error: &VoteLogError) -> Code {
    match error {
        VoteLogError::DiskFull { .. } | VoteLogError::Disk { .. } => Code::DiskFull,
        VoteLogError::Version { .. } => Code::NewerStore,
        VoteLogError::Closed
        | VoteLogError::AlreadyThere { .. }
        | VoteLogError::AlreadyBorn { .. }
        | VoteLogError::Lost(_)
        | VoteLogError::TooLarge { .. } => Code::VoteLogDamaged,
    }
}

/// The executor's errors.
pub(super) fn of_executor_error(error: &ExecutorError) -> Failure {
    said(of_executor(error), error)
}

/// Errors of the executor and its store.
const fn of_executor(error: &ExecutorError) -> Code {
    match error {
        ExecutorError::Store(StoreError::DiskFull { .. } | StoreError::Disk { .. }) => {
            Code::DiskFull
        }
        ExecutorError::Store(StoreError::OtherChain { .. }) => Code::OtherStore,
        ExecutorError::Store(StoreError::Version { .. }) => Code::NewerStore,
        ExecutorError::Store(_) | ExecutorError::Panicked { .. } => Code::StoreDamaged,
        ExecutorError::OtherHeader { .. } => Code::StateDiverged,
        ExecutorError::Cannot(_) => Code::ContractMissing,
        ExecutorError::Thread(_) => Code::CannotStart,
        ExecutorError::BadBatch { .. } | ExecutorError::OutOfOrder { .. } => Code::NodeBug,
    }
}

#[cfg(test)]
mod tests {
    use consensus::Seq;
    use patient::code::Exit;

    use super::*;
    use crate::executor::Mismatch;

    #[test]
    fn a_diverged_node_ends_with_the_roots_name_and_an_exit_status_of_its_own() {
        let mismatch = Mismatch {
            seq: Seq::new(7),
            roots: vec!["state_root"],
            file: "diverged-7.txt".into(),
        };
        let failure = of_node(&NodeError::Host(HostError::Diverged(mismatch)));
        let code = failure.code();
        assert_eq!(
            (code, code.exit()),
            (Code::StateDiverged, Exit::NotVerified)
        );
        let text = format!("{failure:?}");
        assert!(
            text.contains("StateRootMismatch at block 7: state_root"),
            "{text}"
        );

        let what = "no node".to_owned();
        let damaged = NodeError::Host(HostError::Executor(ExecutorError::Panicked { what }));
        assert_eq!(of_node(&damaged).code(), Code::StoreDamaged);
    }
}
