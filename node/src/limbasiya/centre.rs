//! The centre of the second paper over a vault of its own: what is promised is on the disk before.

use std::collections::BTreeMap;
use std::path::Path;

use contract::Aid;
use protocol::limbasiya::{
    self, Application, Issued, JoinRequest, Joined, PasswordChange, Refused, Rows, RowsRequest,
    UserRow,
};
use protocol::{Secret, Timestamp};
use rand_core::CryptoRng;
use thiserror::Error;

use super::row::{self, Row};
use crate::vault::{Slot, Vault, VaultError};

/// The vault's name in a home.
const VAULT: &str = "limbasiya-2020";

/// Why nothing was done.
#[derive(Debug, Error)]
pub(crate) enum NotDone {
    /// The scheme says no.
    #[error(transparent)]
    Refused(#[from] Refused),
    /// The disk fails.
    #[error(transparent)]
    Vault(#[from] VaultError),
}

/// The centre, and where its rows stand.
#[derive(Debug)]
pub(crate) struct Centre {
    vault: Vault,
    scheme: limbasiya::Centre,
    users: BTreeMap<Aid, Kept>,
}

/// Where a user's row stands, and how many there were before it.
#[derive(Clone, Copy, Debug)]
struct Kept {
    slot: Slot,
    age: u32,
}

impl Centre {
    /// Opens the vault of a home, or makes it with a new `K_rc`.
    pub(super) fn open(home: &Path, rng: &mut impl CryptoRng) -> Result<Self, VaultError> {
        let (mut vault, found) = Vault::open(home, VAULT)?;
        let (mut key, mut servers) = (None, BTreeMap::new());
        let mut users: BTreeMap<Aid, (Kept, UserRow)> = BTreeMap::new();
        let first = found.first().map(|(slot, _)| *slot);
        for (slot, payload) in found {
            match Row::parse(&payload).ok_or_else(|| vault.damaged(slot))? {
                Row::Key(found) => key = Some(found),
                Row::Server(row) => {
                    servers.insert(row.place.id.clone(), row);
                }
                Row::User(uid, age, row) => {
                    let kept = Kept { slot, age };
                    // Of two rows of one user, as a crash leaves them, the newer one counts.
                    let older = match users.get(&uid) {
                        Some((known, _)) if known.age > age => Some(slot),
                        _ => users.insert(uid, (kept, row)).map(|(old, _)| old.slot),
                    };
                    older.map_or(Ok(()), |slot| vault.erase(slot))?;
                }
            }
        }
        let key = match (key, first) {
            (Some(key), _) => key,
            // Rows without the key that they were made with are of no use.
            (None, Some(slot)) => return Err(vault.damaged(slot)),
            (None, None) => new_key(&mut vault, rng)?,
        };
        let slots = users.iter().map(|(uid, (kept, _))| (*uid, *kept)).collect();
        let rows = users.into_iter().map(|(uid, (_, row))| (uid, row));
        Ok(Self {
            scheme: limbasiya::Centre::new(key, servers.into_values(), rows),
            vault,
            users: slots,
        })
    }

    /// Server registration.
    pub(crate) fn register_server(
        &mut self,
        request: &JoinRequest,
        now: Timestamp,
    ) -> Result<Joined, NotDone> {
        let before = self.scheme.server(&request.id).cloned();
        let joined = self.scheme.register_server(request, now)?;
        let row = self.scheme.server(&request.id);
        if let Some(row) = row.filter(|row| before.as_ref() != Some(*row))
            && let Err(cause) = self.vault.put(&row::server(row))
        {
            self.scheme.put_back_server(&request.id, before);
            return Err(cause.into());
        }
        Ok(joined)
    }

    /// User registration.
    pub(crate) fn register_user(
        &mut self,
        application: &Application,
        rng: &mut impl CryptoRng,
    ) -> Result<Issued, NotDone> {
        let issued = self.scheme.register_user(application, rng)?;
        self.keep(&application.uid, None)?;
        Ok(issued)
    }

    /// Password update.
    pub(crate) fn update_password(
        &mut self,
        change: &PasswordChange,
        now: Timestamp,
    ) -> Result<Issued, NotDone> {
        let before = self.scheme.user(&change.uid).cloned();
        let issued = self.scheme.update_password(change, now)?;
        self.keep(&change.uid, before)?;
        Ok(issued)
    }

    /// Server database update.
    pub(crate) fn rows(&self, request: &RowsRequest, now: Timestamp) -> Result<Rows, NotDone> {
        Ok(self.scheme.rows(request, now)?)
    }

    /// Writes a user's row; if the disk does not take it, it is as before.
    fn keep(&mut self, uid: &Aid, before: Option<UserRow>) -> Result<(), NotDone> {
        let Some(row) = self.scheme.user(uid) else {
            return Ok(());
        };
        let old = self.users.get(uid).copied();
        let age = old.map_or(0, |old| old.age.saturating_add(1));
        match self.vault.put(&row::user(uid, age, row)) {
            Ok(slot) => {
                self.users.insert(*uid, Kept { slot, age });
                Ok(old.map_or(Ok(()), |old| self.vault.erase(old.slot))?)
            }
            Err(cause) => {
                self.scheme.put_back_user(uid, before);
                Err(cause.into())
            }
        }
    }
}

fn new_key(vault: &mut Vault, rng: &mut impl CryptoRng) -> Result<Secret<32>, VaultError> {
    let mut bytes = zeroize::Zeroizing::new([0; 32]);
    rng.fill_bytes(&mut *bytes);
    let key = Secret::new(*bytes);
    vault.put(&row::key(&key))?;
    Ok(key)
}

#[cfg(test)]
mod tests {
    use protocol::limbasiya::{Applicant, Draft, Word};
    use protocol::wu::{Password, PatientId};

    use super::*;

    const NOW: Timestamp = Timestamp::from_millis(1_800_000_000_000);

    fn centre(home: &Path) -> Centre {
        Centre::open(home, &mut patient::dice::seeded().unwrap()).unwrap()
    }

    fn clinic() -> JoinRequest {
        Applicant {
            id: Word::parse(b"clinic-a").unwrap(),
            loc: Word::parse(b"Goa").unwrap(),
            password: Password::parse(b"of a clinic").unwrap(),
            nonce: Secret::new([5; 16]),
        }
        .request()
    }

    fn draft(password: &str) -> Draft {
        let id = PatientId::parse(b"synthetic").unwrap();
        let password = Password::parse(password.as_bytes()).unwrap();
        Draft::new(id, password, &mut patient::dice::seeded().unwrap())
    }

    fn table(centre: &Centre) -> Rows {
        let id = Word::parse(b"clinic-a").unwrap();
        let t = NOW.as_millis() / 1_000;
        centre.rows(&RowsRequest { id, t }, NOW).unwrap()
    }

    #[test]
    fn servers_users_and_the_key_survive_a_restart() {
        let home = tempfile::tempdir().unwrap();
        let mut before = centre(home.path());
        let joined = before.register_server(&clinic(), NOW).unwrap();
        let mut rng = patient::dice::seeded().unwrap();
        let draft = draft("correct horse");
        let issued = before.register_user(&draft.application(), &mut rng);
        let rows = table(&before);
        drop(before);

        let mut after = centre(home.path());

        assert_eq!(table(&after), rows);
        // K_rc is the same: so are SSK_j and the user's USK.
        assert_eq!(after.register_server(&clinic(), NOW).unwrap(), joined);
        let card = draft.card(&issued.unwrap());
        let id = PatientId::parse(b"synthetic").unwrap();
        let unlocked = card.unlock(id, Password::parse(b"correct horse").unwrap());
        let next = Password::parse(b"battery staple").unwrap();
        let (change, _draft) = unlocked.unwrap().change(next, NOW);
        after.update_password(&change, NOW).unwrap();
        let changed = table(&after);
        assert_ne!(changed, rows);
        drop(after);
        assert_eq!(table(&centre(home.path())), changed);
    }

    #[test]
    fn of_two_rows_that_a_crash_left_the_newer_one_counts() {
        let home = tempfile::tempdir().unwrap();
        let mut before = centre(home.path());
        before.register_server(&clinic(), NOW).unwrap();
        let uid = Aid::new([8; 32]);
        let row = |c| UserRow {
            r3: Secret::new([1; 16]),
            c: Secret::new([c; 32]),
        };
        for age in [4, 5, 3] {
            before
                .vault
                .put(&row::user(&uid, age, &row(u8::try_from(age).unwrap())))
                .unwrap();
        }
        drop(before);

        let after = centre(home.path());

        assert_eq!(table(&after), Rows(vec![(uid, Secret::new([5; 32]))]));
        drop(after);
        assert_eq!(Vault::open(home.path(), VAULT).unwrap().1.len(), 3);
    }

    #[test]
    fn rows_without_their_key_are_told_as_damage() {
        let home = tempfile::tempdir().unwrap();
        let (mut vault, _) = Vault::open(home.path(), VAULT).unwrap();
        let row = UserRow {
            r3: Secret::new([1; 16]),
            c: Secret::new([2; 32]),
        };
        vault.put(&row::user(&Aid::new([8; 32]), 0, &row)).unwrap();
        drop(vault);

        let opened = Centre::open(home.path(), &mut patient::dice::seeded().unwrap());
        assert!(matches!(opened, Err(VaultError::Damaged { slot: 1, .. })));
    }
}
