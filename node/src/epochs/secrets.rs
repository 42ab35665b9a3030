//! The secrets of key epochs in their vault.

use std::path::Path;

use contract::{BlockTime, PublicKey, ServerRecord};
use protocol::Secret;
use protocol::aidc1::{EpochSecret, server::EPOCH_SECRET_BYTES};
use zeroize::Zeroizing;

use super::{EpochsError, VAULT};
use crate::vault::{Slot, Vault, VaultError};

/// First octet of a secret in the vault.
const VERSION: u8 = 1;

/// A secret and where it stands.
#[derive(Debug)]
pub(super) struct Kept {
    slot: Slot,
    /// Its epoch's number.
    pub(super) key_epoch: u32,
    /// Behind this block time, a record that is not on the ledger never gets there.
    pub(super) until: BlockTime,
    /// What the ledger knows of it.
    pub(super) public: PublicKey,
    /// The secret.
    pub(super) secret: EpochSecret,
}

impl Kept {
    /// Whether this is the record that the secret was drawn for.
    pub(super) fn is_of(&self, record: &ServerRecord) -> bool {
        record.dh_epoch_key == self.public
    }
}

/// All secrets.
#[derive(Debug)]
pub(super) struct Secrets {
    vault: Vault,
    kept: Vec<Kept>,
}

impl Secrets {
    /// Reads the vault of a home.
    pub(super) fn open(home: &Path) -> Result<Self, EpochsError> {
        let (vault, found) = Vault::open(home, VAULT)?;
        let kept = found.into_iter().map(|(slot, bytes)| read(slot, &bytes));
        let kept: Option<Vec<Kept>> = kept.collect();
        let kept = kept.ok_or(EpochsError::Foreign)?;
        Ok(Self { vault, kept })
    }

    /// What is kept.
    pub(super) fn kept(&self) -> &[Kept] {
        &self.kept
    }

    /// Keeps the secret of an epoch; it is on the disk when this returns.
    pub(super) fn put(
        &mut self,
        key_epoch: u32,
        until: BlockTime,
        secret: EpochSecret,
    ) -> Result<(), VaultError> {
        let mut bytes = Zeroizing::new(Vec::with_capacity(BYTES));
        bytes.push(VERSION);
        bytes.extend(key_epoch.to_be_bytes());
        bytes.extend(until.get().to_be_bytes());
        bytes.extend(secret.expose());
        let slot = self.vault.put(&bytes)?;
        self.kept.push(Kept {
            slot,
            key_epoch,
            until,
            public: secret.public(),
            secret,
        });
        Ok(())
    }

    /// Erases the secrets of these epochs.
    pub(super) fn erase(&mut self, key_epochs: &[u32]) -> Result<(), VaultError> {
        for kept in &self.kept {
            if key_epochs.contains(&kept.key_epoch) {
                self.vault.erase(kept.slot)?;
            }
        }
        self.kept
            .retain(|kept| !key_epochs.contains(&kept.key_epoch));
        Ok(())
    }
}

/// Octets of a secret in the vault: version 1, epoch 4, time 8, secret.
const BYTES: usize = 13 + EPOCH_SECRET_BYTES;

/// The secret that these octets are.
fn read(slot: Slot, bytes: &[u8]) -> Option<Kept> {
    let (version, rest) = bytes.split_first()?;
    let (key_epoch, rest) = rest.split_first_chunk::<4>()?;
    let (until, secret) = rest.split_first_chunk::<8>()?;
    let secret: Zeroizing<[u8; EPOCH_SECRET_BYTES]> = Zeroizing::new(secret.try_into().ok()?);
    let secret = EpochSecret::new(Secret::new(*secret));
    (*version == VERSION).then(|| Kept {
        slot,
        key_epoch: u32::from_be_bytes(*key_epoch),
        until: BlockTime::new(u64::from_be_bytes(*until)),
        public: secret.public(),
        secret,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_comes_back_with_its_epoch_and_an_erased_one_does_not() {
        let home = tempfile::tempdir().unwrap();
        let mut rng = patient::dice::seeded().unwrap();
        let drawn = [7, 8].map(|_| EpochSecret::draw(&mut rng));
        let mut secrets = Secrets::open(home.path()).unwrap();
        for (key_epoch, secret) in (7..).zip(&drawn) {
            let until = BlockTime::new(1_000);
            secrets.put(key_epoch, until, secret.clone()).unwrap();
        }
        secrets.erase(&[8]).unwrap();
        drop(secrets);

        let again = Secrets::open(home.path()).unwrap();

        let [kept] = again.kept() else {
            panic!("{} secrets", again.kept().len())
        };
        assert_eq!((kept.key_epoch, kept.until.get()), (7, 1_000));
        assert_eq!(kept.secret, drawn[0]);
        assert_eq!(kept.public, drawn[0].public());
    }

    #[test]
    fn a_secret_of_another_version_is_not_taken_for_one_of_this() {
        let home = tempfile::tempdir().unwrap();
        let (mut vault, _) = Vault::open(home.path(), VAULT).unwrap();
        vault.put(&[2; BYTES]).unwrap();
        drop(vault);

        let opened = Secrets::open(home.path());

        assert!(matches!(opened, Err(EpochsError::Foreign)));
    }
}
