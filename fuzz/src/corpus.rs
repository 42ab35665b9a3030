//! Inputs that broke a decoder once: one file each, in a folder of the decoder's name.

use std::fs;
use std::io;
use std::path::PathBuf;

use sha2::{Digest as _, Sha256};

use crate::target::Target;

/// The folder of a decoder.
fn folder(target: &Target) -> PathBuf {
    let plain = target.name.replace(['/', ' '], "-").to_lowercase();
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("regressions/inputs")
        .join(plain)
}

/// Everything that broke a decoder, by name of its file.
pub fn of(target: &Target) -> io::Result<Vec<(String, Vec<u8>)>> {
    let entries = match fs::read_dir(folder(target)) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        other => other?,
    };
    let mut inputs = Vec::new();
    for entry in entries {
        let path = entry?.path();
        inputs.push((path.display().to_string(), fs::read(path)?));
    }
    inputs.sort();
    Ok(inputs)
}

/// Keeps an input; tells where.
pub fn keep(target: &Target, bytes: &[u8]) -> io::Result<PathBuf> {
    let folder = folder(target);
    fs::create_dir_all(&folder)?;
    let name = hex::encode(&Sha256::digest(bytes)[..8]);
    let path = folder.join(name);
    fs::write(&path, bytes)?;
    Ok(path)
}
