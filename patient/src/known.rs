//! The newest block that this terminal holds a certificate for. It is told to servers, so that none answers from an
//! older state: it would not know a patient who enrolled a moment ago, or still accept one who was revoked since.

use std::path::{Path, PathBuf};

use contract::identity::{ChainId, Height};
use serde::{Deserialize, Serialize};

use crate::code::Code;
use crate::files;
use crate::output::Failure;

const SCHEMA: &str = "aidchain.known-height/1";
const FILE_BYTES_MAX: usize = 1 << 10;

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    schema: String,
    chain: ChainId,
    height: u64,
}

/// Where the height is kept: beside the card.
fn path(card: &Path) -> PathBuf {
    card.with_extension("height.json")
}

/// The height known beside this card; block 0 where none has been noted for this ledger.
pub fn height(card: &Path, chain: &ChainId) -> Result<Height, Failure> {
    let path = path(card);
    if !path.exists() {
        return Ok(Height::new(0));
    }
    let bytes = files::read(&path, FILE_BYTES_MAX)?;
    let file: File = serde_json::from_slice(&bytes).map_err(|error| damaged(&path, &error))?;
    if file.schema != SCHEMA {
        return Err(damaged(&path, &"another schema"));
    }
    let noted = if file.chain == *chain { file.height } else { 0 };
    Ok(Height::new(noted))
}

/// Notes a height that a verified receipt proves, if it is the highest.
pub fn note(card: &Path, chain: &ChainId, proved: Height) -> Result<(), Failure> {
    if height(card, chain)? >= proved {
        return Ok(());
    }
    let file = File {
        schema: SCHEMA.to_owned(),
        chain: *chain,
        height: proved.get(),
    };
    let bytes =
        serde_json::to_vec(&file).map_err(|error| Failure::new(Code::Bug).because(error))?;
    files::replace(&path(card), &bytes)
}

fn damaged(path: &Path, problem: &dyn std::fmt::Display) -> Failure {
    Failure::new(Code::CardDamaged)
        .message(format!("{} cannot be read", path.display()))
        .because(problem)
        .help("delete it: it only tells servers how new their ledger must be")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_highest_height_of_the_same_ledger_is_remembered() {
        let folder = tempfile::tempdir().expect("folder");
        let card = folder.path().join("mine.card");
        let [here, elsewhere] = [1, 2].map(|byte| ChainId::new([byte; 32]));
        assert_eq!(height(&card, &here).expect("none yet"), Height::new(0));

        for proved in [3, 7, 5] {
            note(&card, &here, Height::new(proved)).expect("noted");
        }

        assert_eq!(height(&card, &here).expect("noted"), Height::new(7));
        assert_eq!(height(&card, &elsewhere).expect("another"), Height::new(0));
        note(&card, &elsewhere, Height::new(2)).expect("noted");
        assert_eq!(height(&card, &elsewhere).expect("noted"), Height::new(2));
    }

    #[test]
    fn a_damaged_file_is_refused_with_the_way_out() {
        let folder = tempfile::tempdir().expect("folder");
        let card = folder.path().join("mine.card");
        std::fs::write(path(&card), b"{\"schema\":1}").expect("written");

        let failure = height(&card, &ChainId::new([1; 32])).expect_err("damaged");

        assert_eq!(failure.code(), Code::CardDamaged);
    }
}
