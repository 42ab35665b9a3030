//! The files of a set of captures: read with a clear word on what is wrong, written
//! without ever writing over one.

use std::fs;
use std::io::ErrorKind;
use std::path::Path;

use patient::code::Code;
use patient::output::Failure;

/// Bytes of the largest file that is read.
const FILE_BYTES_MAX: u64 = 64 << 20;

/// The content of a file; `None` if there is no such file.
pub(super) fn content(path: &Path) -> Result<Option<Vec<u8>>, Failure> {
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
    fs::read(path).map(Some).map_err(unreadable)
}

/// The content of a file of text; `None` if there is no such file.
pub(super) fn text(path: &Path) -> Result<Option<String>, Failure> {
    let content = content(path)?.map(String::from_utf8).transpose();
    content.map_err(|error| unusable(path, error))
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
pub(super) fn write(path: &Path, content: impl AsRef<[u8]>) -> Result<(), Failure> {
    fs::write(path, content).map_err(|error| unwritable(path, error))
}

fn unwritable(path: &Path, error: std::io::Error) -> Failure {
    Failure::new(Code::CannotWrite)
        .message(format!("cannot write {}", path.display()))
        .because(error)
}
