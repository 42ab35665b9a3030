//! The file in the home that keeps the reports.

use std::{fs, io, path::Path};

use serde::{Deserialize, Serialize};

use super::{REPORTS_MAX, Report};

/// Its name.
pub(super) const NAME: &str = "divergences.json";

/// What it says it is.
const SCHEMA: &str = "aidchain.divergences-file/1";

/// The whole file.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Content {
    schema: String,
    reports: Vec<Report>,
}

/// Reads the reports; none where there is no file.
pub(super) fn read(path: &Path) -> io::Result<Vec<Report>> {
    let bytes = match fs::read(path) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(error),
    };
    let Content { schema, reports } = serde_json::from_slice(&bytes)?;
    if schema != SCHEMA || reports.len() > REPORTS_MAX {
        return Err(io::Error::other(format!(
            "{} is no {SCHEMA}",
            path.display()
        )));
    }
    Ok(reports)
}

/// Writes the reports in one step.
pub(super) fn write(path: &Path, reports: &[Report]) -> io::Result<()> {
    let content = Content {
        schema: SCHEMA.to_owned(),
        reports: reports.to_vec(),
    };
    let draft = path.with_extension("json.new");
    fs::write(&draft, serde_json::to_vec_pretty(&content)?)?;
    fs::rename(draft, path)
}
