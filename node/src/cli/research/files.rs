//! The files of a set of captures: read with a clear word on what is wrong, written
//! without ever writing over one.

use std::fs;
use std::io::ErrorKind;
use std::path::Path;

use patient::code::Code;
use patient::output::Failure;
use serde::de::DeserializeOwned;

/// Bytes of the largest file that is read.
const FILE_BYTES_MAX: u64 = 64 << 20;

/// The content of a JSON file; `None` if there is no such file.
pub(super) fn read<T: DeserializeOwned>(path: &Path) -> Result<Option<T>, Failure> {
    let unreadable = |error| {
        Failure::new(Code::CannotRead)
            .message(format!("cannot read {}", path.display()))
            .because(error)
    };
    match fs::metadata(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(unreadable(error)),
        Ok(about) if about.len() > FILE_BYTES_MAX => {
            return Err(Failure::new(Code::CannotRead)
                .message(format!("{} is larger than 64 MiB", path.display())));
        }
        Ok(_) => {}
    }
    let text = fs::read_to_string(path).map_err(unreadable)?;
    serde_json::from_str(&text)
        .map(Some)
        .map_err(|error| unusable(path, error))
}

/// The file is no set of captures.
pub(super) fn unusable(path: &Path, why: impl std::fmt::Display) -> Failure {
    Failure::new(Code::BadCapture)
        .message(format!("{} is not a file of captures", path.display()))
        .because(why)
        .help("`aidchain research faces --seed 1 --out DIR` writes files of the right form")
}

/// Makes a new folder.
pub(super) fn create_folder(path: &Path) -> Result<(), Failure> {
    let occupied = fs::read_dir(path).is_ok_and(|mut entries| entries.next().is_some());
    if occupied {
        return Err(Failure::new(Code::FileExists)
            .message(format!("{} is not empty", path.display()))
            .note("nothing was written"));
    }
    fs::create_dir_all(path).map_err(|error| unwritable(path, error))
}

/// Writes a new file.
pub(super) fn write(path: &Path, text: &str) -> Result<(), Failure> {
    fs::write(path, text).map_err(|error| unwritable(path, error))
}

fn unwritable(path: &Path, error: std::io::Error) -> Failure {
    Failure::new(Code::CannotWrite)
        .message(format!("cannot write {}", path.display()))
        .because(error)
}

/// The bytes of a hexadecimal field.
pub(super) fn bytes<const N: usize>(hex: &str) -> Result<[u8; N], hex::FromHexError> {
    let mut bytes = [0; N];
    hex::decode_to_slice(hex, &mut bytes)?;
    Ok(bytes)
}
