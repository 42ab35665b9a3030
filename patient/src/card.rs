//! The credential card: what registration leaves on the patient's terminal.
//!
//! A card belongs to one ledger and one kind of ledger, so that a card of a research ledger is never shown to a real
//! one. It holds no password. On a research ledger it holds what the paper makes the terminal keep, secrets included.

use std::path::{Path, PathBuf};

use contract::genesis::{Genesis, Kind};
use contract::identity::{ChainId, SuiteId};
use etcetera::BaseStrategy as _;
use protocol::wu;
use serde::{Deserialize, Serialize};
use thiserror::Error;
use zeroize::{Zeroize as _, Zeroizing};

use crate::code::Code;
use crate::files::{self, Readers};
use crate::output::Failure;

const SCHEMA: &str = "aidchain.card/1";
const VERSION: u16 = 1;
const FILE_BYTES_MAX: usize = 64 << 10;
const PROFILE_LENGTH_MAX: usize = 32;

/// The name of a card on this terminal. It goes into file names, so it is never the patient's ID.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Profile(String);

/// A text that cannot name a profile.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("a profile is named with 1 to {PROFILE_LENGTH_MAX} lower-case letters, digits and hyphens")]
pub struct BadProfile;

impl std::str::FromStr for Profile {
    type Err = BadProfile;

    fn from_str(text: &str) -> Result<Self, BadProfile> {
        let allowed = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        let fits = (1..=PROFILE_LENGTH_MAX).contains(&text.len()) && text.chars().all(allowed);
        fits.then(|| Self(text.to_owned())).ok_or(BadProfile)
    }
}

impl std::fmt::Display for Profile {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

/// The folder of this user's cards.
pub fn folder() -> Result<PathBuf, Failure> {
    etcetera::choose_base_strategy()
        .map(|dirs| dirs.data_dir().join("aidchain"))
        .map_err(|error| Failure::new(Code::NoHomeFolder).because(error))
}

/// Where the card of a profile is, unless another place is named.
pub fn path(profile: &Profile, named: Option<&Path>) -> Result<PathBuf, Failure> {
    match named {
        Some(path) => Ok(path.to_owned()),
        None => Ok(folder()?.join(format!("{profile}.card"))),
    }
}

/// Where the genesis file that a card trusts is kept: beside it.
pub fn genesis_path(card: &Path) -> PathBuf {
    card.with_extension("genesis.json")
}

/// A card of the suite of Wu et al.
#[derive(Debug)]
pub struct Card {
    chain: ChainId,
    kind: Kind,
    wu: wu::Card,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    schema: String,
    version: u16,
    chain: ChainId,
    kind: Kind,
    suite: String,
    secret: String,
}

impl Drop for File {
    fn drop(&mut self) {
        self.secret.zeroize();
    }
}

impl Card {
    /// The card of a patient who was just enrolled on this ledger.
    pub const fn new(genesis: &Genesis, wu: wu::Card) -> Self {
        Self {
            chain: *genesis.chain(),
            kind: genesis.kind(),
            wu,
        }
    }

    /// The card as the suite knows it.
    pub const fn wu(&self) -> &wu::Card {
        &self.wu
    }

    /// Writes the card. An existing one is never written over.
    pub fn write(&self, path: &Path) -> Result<(), Failure> {
        if let Some(folder) = path.parent().filter(|folder| *folder != Path::new("")) {
            files::make_folder(folder)?;
        }
        let file = File {
            schema: SCHEMA.to_owned(),
            version: VERSION,
            chain: self.chain,
            kind: self.kind,
            suite: SuiteId::WU_2021.to_string(),
            secret: hex::encode(self.wu.encode().as_slice()),
        };
        let mut text = Zeroizing::new(
            serde_json::to_vec_pretty(&file)
                .map_err(|error| Failure::new(Code::Bug).because(error))?,
        );
        text.push(b'\n');
        files::write_new(path, &text, Readers::Owner, Code::CardExists)
    }

    /// Reads a card of this ledger.
    pub fn read(path: &Path, genesis: &Genesis) -> Result<Self, Failure> {
        if !path.exists() {
            return Err(
                Failure::new(Code::CardMissing).because(format!("{} is not there", path.display()))
            );
        }
        files::check_private(path, Code::CardTooOpen)?;
        let bytes = files::read(path, FILE_BYTES_MAX)?;
        let damaged = |problem: &dyn std::fmt::Display| {
            Failure::new(Code::CardDamaged)
                .message(format!("{} is not a card of this version", path.display()))
                .because(problem)
        };
        let file: File = serde_json::from_slice(&bytes)
            // The parser's text may quote what it read, and that may be the secret.
            .map_err(|error| {
                damaged(&format!("line {}, column {}", error.line(), error.column()))
            })?;
        if file.schema != SCHEMA || file.version != VERSION {
            return Err(damaged(&"another schema or version"));
        }
        if file.suite != SuiteId::WU_2021.to_string() {
            return Err(damaged(&"a suite that this version does not have"));
        }
        if file.chain != *genesis.chain() || file.kind != genesis.kind() {
            return Err(Failure::new(Code::CardOfOtherLedger).because(format!(
                "the card is of {} ledger {}\nthe genesis file is of {} ledger {}",
                file.kind,
                file.chain,
                genesis.kind(),
                genesis.chain()
            )));
        }
        let secret = hex::decode(&file.secret)
            .map(Zeroizing::new)
            .map_err(|_error| damaged(&"its secret is not hexadecimal"))?;
        let wu = wu::Card::parse(&secret).map_err(|error| damaged(&error))?;
        Ok(Self {
            chain: file.chain,
            kind: file.kind,
            wu,
        })
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::PermissionsExt as _;

    use protocol::suite::Message as _;

    use super::*;

    fn genesis(file: &str) -> Genesis {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/vectors/receipts");
        Genesis::parse(&fs::read(path.join(file)).expect("vector")).expect("genesis")
    }

    fn card(genesis: &Genesis) -> Card {
        let me3 = wu::Me3::parse(&[0; wu::message::ME3_BYTES]).expect("Me3");
        let id = wu::PatientId::parse(b"synthetic").expect("ID");
        Card::new(genesis, wu::Card::new(me3, &id))
    }

    #[test]
    fn a_card_comes_back_on_its_own_ledger_and_on_no_other() {
        let folder = tempfile::tempdir().expect("folder");
        let path = folder.path().join("mine.card");
        let research = genesis("genesis-4.json");
        let made = card(&research);

        made.write(&path).expect("written");

        let read = Card::read(&path, &research).expect("read");
        assert_eq!(read.wu(), made.wu());
        for other in ["genesis-5.json", "genesis-secure.json"] {
            let failure = Card::read(&path, &genesis(other)).expect_err("other ledger");
            assert_eq!(failure.code(), Code::CardOfOtherLedger);
        }
        assert_eq!(
            made.write(&path).expect_err("exists").code(),
            Code::CardExists
        );
    }

    #[test]
    fn a_missing_damaged_or_open_card_is_told_apart() {
        let folder = tempfile::tempdir().expect("folder");
        let path = folder.path().join("mine.card");
        let research = genesis("genesis-4.json");
        let code = |path: &Path| Card::read(path, &research).expect_err("refused").code();
        assert_eq!(code(&path), Code::CardMissing);

        card(&research).write(&path).expect("written");
        let good = fs::read_to_string(&path).expect("text");
        for bad in [
            String::new(),
            good.replace("card/1", "card/2"),
            good.replace("\"version\": 1", "\"version\": 2"),
            good.replace("0x7f01", "0x0001"),
            good.replace("\"secret\": \"00", "\"secret\": \"zz"),
            good.replace("\"secret\": \"00", "\"secret\": \""),
        ] {
            assert_ne!(bad, good);
            fs::write(&path, &bad).expect("write");
            assert_eq!(code(&path), Code::CardDamaged, "{bad}");
        }
        let chain = research.chain().to_string();
        let mut other = *research.chain().as_bytes();
        other[0] ^= 1;
        let other = hex::encode(other);
        for elsewhere in [
            good.replace("\"research\"", "\"secure\""),
            good.replace(&chain, &other),
        ] {
            assert_ne!(elsewhere, good);
            fs::write(&path, &elsewhere).expect("write");
            assert_eq!(code(&path), Code::CardOfOtherLedger, "{elsewhere}");
        }
        fs::write(&path, good).expect("write");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).expect("chmod");
        assert_eq!(code(&path), Code::CardTooOpen);
    }

    #[test]
    fn a_profile_is_a_plain_word() {
        for good in ["mine", "p-1", "a"] {
            assert_eq!(good.parse::<Profile>().expect(good).to_string(), good);
        }
        for wrong in ["", "Mine", "../x", "a b", "ä", &"a".repeat(33)] {
            assert_eq!(wrong.parse::<Profile>(), Err(BadProfile));
        }
    }
}
