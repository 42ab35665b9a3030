//! Whom the RC enrolled, over its vault: rows without their secrets in memory, the secrets on the disk alone.

use std::collections::BTreeMap;
use std::path::Path;

use contract::Aid;
use protocol::Secret;
use protocol::aidc1::issue::duplicate_index;
use protocol::aidc1::{AIDS, Handle};
use protocol::wu::PatientId;
use rand_core::CryptoRng;

use super::row::{
    AidSecrets, CodeHash, DeskRow, Generation, Index, LOCKS, LockKeys, Note, Row, encode_key,
};
use crate::vault::{Slot, Vault, VaultError};

/// The vault's name in a home.
pub(super) const VAULT: &str = "patients";

/// The rows.
#[derive(Debug)]
pub(super) struct Table {
    vault: Vault,
    /// `k_rc`.
    key: Secret<32>,
    /// Each patient's generations by number.
    patients: BTreeMap<Index, BTreeMap<u32, Kept<Generation>>>,
    /// Whose a lock is, and of which generation.
    locks: BTreeMap<Handle, (Index, u32)>,
    /// Whose an AID is, and of which generation.
    aids: BTreeMap<Aid, (Index, u32)>,
    codes: BTreeMap<CodeHash, Kept<DeskRow>>,
    /// About whom officers wrote something, and where it stands.
    notes: Vec<Kept<NoteOf>>,
}

/// Whom a note is about.
#[derive(Debug)]
pub(super) struct NoteOf {
    pub(super) aid: Aid,
}

/// A row, and where it stands.
#[derive(Debug)]
struct Kept<T> {
    slot: Slot,
    row: T,
}

impl Table {
    /// Opens the vault of a home, or makes it with a new `k_rc`.
    pub(super) fn open(home: &Path, rng: &mut impl CryptoRng) -> Result<Self, VaultError> {
        let (mut vault, found) = Vault::open(home, VAULT)?;
        let (mut key, mut rows) = (None, Vec::new());
        for (slot, payload) in found {
            match Row::parse(&payload) {
                Some(Row::Key(found)) => key = Some(found),
                Some(row) => rows.push((slot, row)),
                None => return Err(vault.damaged(slot)),
            }
        }
        let key = match (key, rows.first()) {
            (Some(key), _) => key,
            // Rows without the key that they were made with find nobody again.
            (None, Some((slot, _))) => return Err(vault.damaged(*slot)),
            (None, None) => {
                let mut bytes = zeroize::Zeroizing::new([0; 32]);
                rng.fill_bytes(&mut *bytes);
                let key = Secret::new(*bytes);
                vault.put(&encode_key(&key))?;
                key
            }
        };
        let mut table = Self {
            vault,
            key,
            patients: BTreeMap::new(),
            locks: BTreeMap::new(),
            aids: BTreeMap::new(),
            codes: BTreeMap::new(),
            notes: Vec::new(),
        };
        for (slot, row) in rows {
            table.admit(slot, row)?;
        }
        table.drop_spent_codes()?;
        Ok(table)
    }

    /// Of two slots with one name, as a crash leaves them, the newer one counts.
    fn admit(&mut self, slot: Slot, row: Row) -> Result<(), VaultError> {
        let older = match row {
            Row::Key(_) => None,
            Row::Note(note) => {
                let row = NoteOf { aid: note.aid };
                self.notes.push(Kept { slot, row });
                None
            }
            Row::Generation(row) => {
                let known = self.patients.get(&row.index);
                let known = known.and_then(|known| known.get(&row.number));
                match known {
                    Some(known) if known.row.age > row.age => Some(slot),
                    _ => self.remember(slot, row),
                }
            }
            Row::Desk(row) => match self.codes.get(&row.hash) {
                Some(known) if known.row.age > row.age => Some(slot),
                _ => {
                    let before = self.codes.insert(row.hash, Kept { slot, row });
                    before.map(|kept| kept.slot)
                }
            },
        };
        older.map_or(Ok(()), |slot| self.vault.erase(slot))
    }

    /// Puts a generation into the maps; the slot that it had before.
    fn remember(&mut self, slot: Slot, row: Generation) -> Option<Slot> {
        let name = (row.index, row.number);
        let generations = self.patients.entry(row.index).or_default();
        for aid in &row.aids {
            self.aids.insert(*aid, name);
        }
        for lock in &row.locks {
            self.locks.insert(lock.handle, name);
        }
        let before = generations.insert(row.number, Kept { slot, row })?;
        let after = generations.get(&name.1);
        for lock in &before.row.locks {
            if !after.is_some_and(|after| after.row.locks.contains(lock)) {
                self.locks.remove(&lock.handle);
            }
        }
        Some(before.slot)
    }

    /// A crash between a row and the end of its code leaves the code.
    fn drop_spent_codes(&mut self) -> Result<(), VaultError> {
        let generations = self.patients.values().flat_map(BTreeMap::values);
        let spent: Vec<CodeHash> = generations
            .filter_map(|kept| kept.row.desk)
            .filter(|hash| self.codes.contains_key(hash))
            .collect();
        spent.iter().try_for_each(|hash| self.spend(hash))
    }

    /// How this RC names whoever has this ID.
    pub(super) fn index(&self, id: &PatientId) -> Index {
        Index(duplicate_index(&self.key, id))
    }

    /// A patient's generations, the newest first.
    pub(super) fn generations(&self, index: &Index) -> impl Iterator<Item = &Generation> {
        let kept = self.patients.get(index).into_iter();
        kept.flat_map(|generations| generations.values().rev())
            .map(|kept| &kept.row)
    }

    /// The generation that a lock belongs to.
    pub(super) fn of_lock(&self, handle: &Handle) -> Option<&Generation> {
        let (index, number) = self.locks.get(handle)?;
        self.generation(index, *number)
    }

    /// The generation that an AID belongs to.
    pub(super) fn of_aid(&self, aid: &Aid) -> Option<&Generation> {
        let (index, number) = self.aids.get(aid)?;
        self.generation(index, *number)
    }

    fn generation(&self, index: &Index, number: u32) -> Option<&Generation> {
        let kept = self.patients.get(index)?.get(&number)?;
        Some(&kept.row)
    }

    /// The secrets of a generation, from the disk.
    pub(super) fn secrets(&self, row: &Generation) -> Result<Vec<AidSecrets>, VaultError> {
        let kept = self.patients.get(&row.index);
        let Some(kept) = kept.and_then(|known| known.get(&row.number)) else {
            return Ok(Vec::new());
        };
        let payload = self.vault.get(kept.slot)?;
        Generation::secrets(&payload).ok_or_else(|| self.vault.damaged(kept.slot))
    }

    /// Writes a new generation; it is on the disk when this returns.
    pub(super) fn add(
        &mut self,
        mut row: Generation,
        secrets: &[AidSecrets; AIDS],
    ) -> Result<(), VaultError> {
        let newest = self.generations(&row.index).next();
        row.number = newest.map_or(0, |newest| newest.number.saturating_add(1));
        let slot = self.vault.put(&row.encode(secrets))?;
        self.remember(slot, row);
        Ok(())
    }

    /// A patient changes the lock of a generation; the one that signed the change stays beside it.
    pub(super) fn relock(
        &mut self,
        of: &Generation,
        new: LockKeys,
        signer: LockKeys,
    ) -> Result<(), VaultError> {
        let secrets = self.secrets(of)?;
        let mut row = of.clone();
        row.age = row.age.saturating_add(1);
        row.locks = vec![new, signer];
        row.locks.truncate(LOCKS);
        let slot = self.vault.put(&row.encode(&secrets))?;
        match self.remember(slot, row) {
            Some(before) => self.vault.erase(before),
            None => Ok(()),
        }
    }

    /// Destroys everything about one generation.
    pub(super) fn erase(&mut self, row: &Generation) -> Result<(), VaultError> {
        let Some(generations) = self.patients.get_mut(&row.index) else {
            return Ok(());
        };
        let Some(kept) = generations.get(&row.number) else {
            return Ok(());
        };
        self.vault.erase(kept.slot)?;
        generations.remove(&row.number);
        if generations.is_empty() {
            self.patients.remove(&row.index);
        }
        let name = (row.index, row.number);
        self.aids.retain(|_, other| *other != name);
        self.locks.retain(|_, other| *other != name);
        Ok(())
    }

    /// Writes a desk code, in the place of what was known of it.
    pub(super) fn put_code(&mut self, mut row: DeskRow) -> Result<(), VaultError> {
        row.age = row.age.saturating_add(1);
        let slot = self.vault.put(&row.encode())?;
        let before = self.codes.insert(row.hash, Kept { slot, row });
        before.map_or(Ok(()), |kept| self.vault.erase(kept.slot))
    }

    /// A desk code.
    pub(super) fn code(&self, hash: &CodeHash) -> Option<&DeskRow> {
        self.codes.get(hash).map(|kept| &kept.row)
    }

    /// A desk code ends.
    pub(super) fn spend(&mut self, hash: &CodeHash) -> Result<(), VaultError> {
        let kept = self.codes.remove(hash);
        kept.map_or(Ok(()), |kept| self.vault.erase(kept.slot))
    }

    /// How many desk codes there are.
    pub(super) fn codes(&self) -> usize {
        self.codes.len()
    }

    /// Ends the desk codes of which this holds.
    pub(super) fn drop_codes(&mut self, over: impl Fn(&DeskRow) -> bool) -> Result<(), VaultError> {
        let ended = self.codes.iter().filter(|(_, kept)| over(&kept.row));
        let ended: Vec<CodeHash> = ended.map(|(hash, _)| *hash).collect();
        ended.iter().try_for_each(|hash| self.spend(hash))
    }

    /// Keeps what an officer wrote.
    pub(super) fn put_note(&mut self, note: &Note) -> Result<(), VaultError> {
        let slot = self.vault.put(&note.encode())?;
        let row = NoteOf { aid: note.aid };
        self.notes.push(Kept { slot, row });
        Ok(())
    }

    /// Destroys the notes of which this holds.
    pub(super) fn drop_notes(&mut self, about: impl Fn(&NoteOf) -> bool) -> Result<(), VaultError> {
        let (ended, kept) = std::mem::take(&mut self.notes)
            .into_iter()
            .partition::<Vec<_>, _>(|kept| about(&kept.row));
        self.notes = kept;
        ended
            .iter()
            .try_for_each(|kept| self.vault.erase(kept.slot))
    }

    /// The first AID of each generation.
    pub(super) fn first_aids(&self) -> Vec<Aid> {
        let rows = self.patients.values().flat_map(BTreeMap::values);
        let firsts = rows.filter_map(|kept| kept.row.aids.first().copied());
        firsts.collect()
    }
}
