//! The credential card: what registration leaves on the patient's terminal.
//!
//! A card belongs to one ledger and one kind of ledger, so that a card of a research ledger is never shown to a real
//! one. It holds no password. On a research ledger it holds what the paper makes the terminal keep, secrets included.

use std::path::{Path, PathBuf};

use contract::genesis::{Genesis, Kind};
use contract::identity::{ChainId, SuiteId};
use etcetera::BaseStrategy as _;
use protocol::{limbasiya, wu};
use serde::{Deserialize, Serialize};
use thiserror::Error;
use zeroize::{Zeroize as _, Zeroizing};

use crate::code::Code;
use crate::files::{self, Readers};
use crate::output::Failure;

/// First bytes of a card of AIDC-1, which another module reads.
const AIDC1: &[u8] = b"AIDCCARD";
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

/// A card of one of the papers' suites, as that suite knows it.
#[derive(Clone, Copy, Debug)]
pub enum Held<'a> {
    /// Wu-2021.
    Wu(&'a wu::Card),
    /// Limbasiya-2020.
    Limbasiya(&'a limbasiya::Card),
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

impl Held<'_> {
    const fn suite(self) -> SuiteId {
        match self {
            Self::Wu(_) => SuiteId::WU_2021,
            Self::Limbasiya(_) => SuiteId::LIMBASIYA_2020,
        }
    }

    fn encode(self) -> Zeroizing<Vec<u8>> {
        match self {
            Self::Wu(card) => Zeroizing::new(card.encode().to_vec()),
            Self::Limbasiya(card) => card.encode(),
        }
    }
}

/// Writes the card of a patient who was just enrolled on this ledger. An existing one is never written over.
pub fn write(path: &Path, genesis: &Genesis, card: Held<'_>) -> Result<(), Failure> {
    if let Some(folder) = path.parent().filter(|folder| *folder != Path::new("")) {
        files::make_folder(folder)?;
    }
    files::write_new(
        path,
        &text(genesis, card)?,
        Readers::Owner,
        Code::CardExists,
    )
}

/// Writes a card in the place of the patient's older one.
pub fn replace(path: &Path, genesis: &Genesis, card: Held<'_>) -> Result<(), Failure> {
    files::replace(path, &text(genesis, card)?)
}

fn text(genesis: &Genesis, card: Held<'_>) -> Result<Zeroizing<Vec<u8>>, Failure> {
    let file = File {
        schema: SCHEMA.to_owned(),
        version: VERSION,
        chain: *genesis.chain(),
        kind: genesis.kind(),
        suite: card.suite().to_string(),
        secret: hex::encode(card.encode().as_slice()),
    };
    let text = serde_json::to_vec_pretty(&file);
    let mut text = Zeroizing::new(text.map_err(|error| Failure::new(Code::Bug).because(error))?);
    text.push(b'\n');
    Ok(text)
}

/// The card of Wu-2021 at this place, of this ledger.
pub fn read_wu(path: &Path, genesis: &Genesis) -> Result<wu::Card, Failure> {
    let secret = read(path, genesis, SuiteId::WU_2021)?;
    wu::Card::parse(&secret).map_err(|error| damaged(path, &error))
}

/// The card of Limbasiya-2020 at this place, of this ledger.
pub fn read_limbasiya(path: &Path, genesis: &Genesis) -> Result<limbasiya::Card, Failure> {
    let secret = read(path, genesis, SuiteId::LIMBASIYA_2020)?;
    limbasiya::Card::parse(&secret).map_err(|error| damaged(path, &error))
}

/// What a card of this suite and ledger keeps.
fn read(path: &Path, genesis: &Genesis, suite: SuiteId) -> Result<Zeroizing<Vec<u8>>, Failure> {
    if !path.exists() {
        return Err(
            Failure::new(Code::CardMissing).because(format!("{} is not there", path.display()))
        );
    }
    files::check_private(path, Code::CardTooOpen)?;
    let bytes = files::read(path, FILE_BYTES_MAX)?;
    if bytes.starts_with(AIDC1) {
        return Err(of_other_suite(path, SuiteId::AIDC_1));
    }
    let file: File = serde_json::from_slice(&bytes)
        // The parser's text may quote what it read, and that may be the secret.
        .map_err(|error| {
            let place = format!("line {}, column {}", error.line(), error.column());
            damaged(path, &place)
        })?;
    if file.schema != SCHEMA || file.version != VERSION {
        return Err(damaged(path, &"another schema or version"));
    }
    match file.suite.parse::<SuiteId>() {
        Ok(found) if found == suite => {}
        Ok(found) if found.is_research() => return Err(of_other_suite(path, found)),
        Ok(_) | Err(_) => return Err(damaged(path, &"a suite that this version does not have")),
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
    hex::decode(&file.secret)
        .map(Zeroizing::new)
        .map_err(|_error| damaged(path, &"its secret is not hexadecimal"))
}

fn damaged(path: &Path, problem: &dyn std::fmt::Display) -> Failure {
    Failure::new(Code::CardDamaged)
        .message(format!("{} is not a card of this version", path.display()))
        .because(problem)
}

/// The suite of a paper that the bytes of a card name.
pub(crate) fn paper(bytes: &[u8]) -> Option<SuiteId> {
    let file: File = serde_json::from_slice(bytes).ok()?;
    file.suite
        .parse()
        .ok()
        .filter(|suite: &SuiteId| suite.is_research())
}

/// The card is there, and another suite made it.
pub(crate) fn of_other_suite(path: &Path, found: SuiteId) -> Failure {
    let name = protocol::suite::name(found).unwrap_or("unknown");
    let failure = Failure::new(Code::CardOfOtherSuite)
        .message(format!("{} is a card of suite {name}", path.display()));
    if found.is_research() {
        failure.help(format!("add: --suite {name} --accept-risk=insecure-suite"))
    } else {
        failure.help("leave --suite out, or name another --profile")
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

    fn card() -> wu::Card {
        let me3 = wu::Me3::parse(&[0; wu::message::ME3_BYTES]).expect("Me3");
        let id = wu::PatientId::parse(b"synthetic").expect("ID");
        wu::Card::new(me3, &id)
    }

    #[test]
    fn a_card_comes_back_on_its_own_ledger_and_on_no_other() {
        let folder = tempfile::tempdir().expect("folder");
        let path = folder.path().join("mine.card");
        let research = genesis("genesis-4.json");

        write(&path, &research, Held::Wu(&card())).expect("written");

        assert_eq!(read_wu(&path, &research).expect("read"), card());
        for other in ["genesis-5.json", "genesis-secure.json"] {
            let failure = read_wu(&path, &genesis(other)).expect_err("other ledger");
            assert_eq!(failure.code(), Code::CardOfOtherLedger);
        }
        let again = write(&path, &research, Held::Wu(&card()));
        assert_eq!(again.expect_err("exists").code(), Code::CardExists);
    }

    #[test]
    fn a_missing_damaged_or_open_card_is_told_apart() {
        let folder = tempfile::tempdir().expect("folder");
        let path = folder.path().join("mine.card");
        let research = genesis("genesis-4.json");
        let code = |path: &Path| read_wu(path, &research).expect_err("refused").code();
        assert_eq!(code(&path), Code::CardMissing);

        write(&path, &research, Held::Wu(&card())).expect("written");
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
    fn a_card_of_another_suite_is_refused_by_its_name() {
        let folder = tempfile::tempdir().expect("folder");
        let path = folder.path().join("mine.card");
        let research = genesis("genesis-4.json");
        let made = limbasiya::Card::parse(&[7; 180]).expect("card");
        write(&path, &research, Held::Limbasiya(&made)).expect("written");

        assert_eq!(read_limbasiya(&path, &research).expect("read"), made);
        let other = read_wu(&path, &research).expect_err("other suite");
        assert_eq!(other.code(), Code::CardOfOtherSuite);
        assert!(other.what().ends_with("is a card of suite limbasiya-2020"));

        replace(&path, &research, Held::Wu(&card())).expect("replaced");
        let other = read_limbasiya(&path, &research).expect_err("other suite");
        assert!(other.what().ends_with("is a card of suite wu-2021"));

        files::replace(&path, b"AIDCCARD and more").expect("replaced");
        let other = read_limbasiya(&path, &research).expect_err("other suite");
        assert!(other.what().ends_with("is a card of suite aidc-1"));
        let permissions = fs::metadata(&path).expect("there").permissions();
        assert_eq!(permissions.mode() & 0o777, 0o600);
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
