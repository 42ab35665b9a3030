//! The keys with which this member answers sign-ins: drawn here, published on the ledger, erased when their time is over.
//!
//! A secret is in the vault before its record is on the ledger, and in use once the certified ledger holds the record.
//! 2Δ after the epoch's end it is erased: whoever takes the machine later cannot open what was sent before.

mod keeper;
mod secrets;

use std::sync::{Arc, PoisonError, RwLock};

use contract::{ChainId, ServerId, ServerRecord};
use protocol::Timestamp;
use protocol::aidc1::{EpochSecret, NotUsable, Server};

use crate::vault::VaultError;

pub use keeper::Keeper;

/// The vault's name.
pub const VAULT: &str = "epochs";

/// The keys of the living epochs, as sign-ins use them. Cloning shares.
///
/// A lock, because sign-ins read it side by side and a key that ends must be wiped, not left behind in a copy.
#[derive(Clone, Debug)]
pub struct Epochs(Arc<RwLock<Living>>);

/// What the living epochs are needed for.
#[derive(Debug)]
struct Living {
    /// Answers sign-ins.
    server: Server,
    /// Number and secret of each, the newest last: shares of patients' keys are sealed under them.
    secrets: Vec<(u32, EpochSecret)>,
}

/// Why the keys of sign-ins cannot be kept.
#[derive(Debug, thiserror::Error)]
pub enum EpochsError {
    /// The vault cannot be used.
    #[error(transparent)]
    Vault(#[from] VaultError),
    /// The vault holds something else.
    #[error(
        "the vault `{VAULT}` holds a secret of another version of this software: run that one, or move the file away \
         and the node publishes a new key epoch"
    )]
    Foreign,
}

impl Epochs {
    /// No key yet: everybody is refused.
    pub fn none(chain: ChainId, id: ServerId) -> Self {
        Self(Arc::new(RwLock::new(Living {
            server: Server::new(chain, id),
            secrets: Vec::new(),
        })))
    }

    /// Does something with the keys, such as answering a sign-in.
    pub fn with<T>(&self, use_them: impl FnOnce(&Server) -> T) -> T {
        use_them(&self.0.read().unwrap_or_else(PoisonError::into_inner).server)
    }

    /// Number and secret of each living epoch, the newest first.
    pub fn living(&self) -> Vec<(u32, EpochSecret)> {
        let living = self.0.read().unwrap_or_else(PoisonError::into_inner);
        living.secrets.iter().rev().cloned().collect()
    }

    /// Whether there is none, so that nobody can sign in.
    pub fn is_empty(&self) -> bool {
        let living = self.0.read().unwrap_or_else(PoisonError::into_inner);
        living.secrets.is_empty()
    }

    /// Takes a key into use.
    pub(crate) fn install(
        &self,
        record: ServerRecord,
        secret: &EpochSecret,
    ) -> Result<(), NotUsable> {
        let mut living = self.0.write().unwrap_or_else(PoisonError::into_inner);
        let key_epoch = record.key_epoch;
        living.server.install(record, secret)?;
        living.secrets.push((key_epoch, secret.clone()));
        Ok(())
    }

    /// Wipes the keys of the epochs that are over, and says which.
    pub(crate) fn erase_ended(&self, now: Timestamp) -> Vec<u32> {
        let mut living = self.0.write().unwrap_or_else(PoisonError::into_inner);
        let over = living.server.erase_ended(now);
        living.secrets.retain(|(epoch, _)| !over.contains(epoch));
        over
    }
}
