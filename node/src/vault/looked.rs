//! A look at the vaults of a home, which changes nothing and takes no lock.

use std::{
    collections::BTreeMap,
    fs::{self, File},
    io,
    path::{Path, PathBuf},
};

use super::{Content, FOLDER, Slot, Vault, VaultError, check_mode, content};

/// How often a slot is read that does not fit its head: a node that runs may be writing it.
const TRIES: u32 = 20;

/// How many secrets each vault of a home holds, by its name; nothing where none was made yet.
pub fn inspect(home: &Path) -> Result<BTreeMap<String, usize>, VaultError> {
    let folder = home.join(FOLDER);
    let files = match files(&folder) {
        Ok(files) => files,
        Err(cause) if cause.kind() == io::ErrorKind::NotFound => return Ok(BTreeMap::new()),
        Err(cause) => {
            return Err(VaultError::Access {
                path: folder,
                cause,
            });
        }
    };
    files
        .into_iter()
        .map(|(name, path)| Ok((name, secrets(path)?)))
        .collect()
}

/// The files in the folder, by name.
fn files(folder: &Path) -> io::Result<BTreeMap<String, PathBuf>> {
    let mut all = BTreeMap::new();
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        if entry.file_type()?.is_file() {
            let name = entry.file_name().to_string_lossy().into_owned();
            all.insert(name, entry.path());
        }
    }
    Ok(all)
}

/// How many secrets a vault holds.
fn secrets(path: PathBuf) -> Result<usize, VaultError> {
    let file = File::open(&path).map_err(|cause| VaultError::Access {
        path: path.clone(),
        cause,
    })?;
    check_mode(&file, &path)?;
    let mut vault = Vault {
        path,
        file,
        free: Vec::new(),
        end: 1,
    };
    vault.measure()?;
    if !vault.has_head()? {
        return Ok(0);
    }
    let mut count = 0_usize;
    for number in 1..vault.end {
        if vault.holds(Slot(number))? {
            count = count.saturating_add(1);
        }
    }
    Ok(count)
}

impl Vault {
    /// Whether a slot holds a secret.
    fn holds(&self, slot: Slot) -> Result<bool, VaultError> {
        for _ in 0..TRIES {
            match content(&self.read(slot)?) {
                Content::Payload(_) => return Ok(true),
                Content::Nothing | Content::Unfinished => return Ok(false),
                Content::Damaged => {}
            }
        }
        Err(self.damaged(slot))
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::{FileExt as _, PermissionsExt as _};

    use super::*;

    #[test]
    fn the_secrets_of_each_vault_are_counted_while_it_is_in_use() {
        let home = tempfile::tempdir().unwrap();
        assert_eq!(inspect(home.path()).unwrap(), BTreeMap::new());
        let (mut one, _) = Vault::open(home.path(), "one").unwrap();
        let (_none, _) = Vault::open(home.path(), "none").unwrap();
        let gone = one.put(b"first").unwrap();
        one.put(b"second").unwrap();
        one.put(b"third").unwrap();
        one.erase(gone).unwrap();

        let counted = inspect(home.path()).unwrap();

        let expected = [("none".to_owned(), 0), ("one".to_owned(), 2)];
        assert_eq!(counted, expected.into());
    }

    #[test]
    fn a_damaged_slot_and_a_file_that_others_may_read_are_told() {
        let home = tempfile::tempdir().unwrap();
        let (mut vault, _) = Vault::open(home.path(), "one").unwrap();
        vault.put(b"a secret").unwrap();
        let path = home.path().join(FOLDER).join("one");
        let file = File::options().write(true).open(&path).unwrap();

        file.write_all_at(b"A", super::super::offset(Slot(1)) + 8)
            .unwrap();
        let damaged = inspect(home.path());
        fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
        let open_to_others = inspect(home.path());

        assert!(matches!(damaged, Err(VaultError::Damaged { slot: 1, .. })));
        assert!(matches!(open_to_others, Err(VaultError::TooOpen { .. })));
    }
}
