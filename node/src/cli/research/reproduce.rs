//! `aidchain research reproduce`: the paper's tables and figure, done again on this machine.

use std::fs;
use std::io::ErrorKind;
use std::path::Path;

use patient::code::Code;
use patient::output::{Console, Failure};
use research::paper::figure::{Setting, svg};
use research::paper::grid::grids;
use research::paper::{self, Effort, Report, SCHEMA, csv, markdown, text};

use super::files;
use crate::clock::processor_time;
use crate::machine;

/// Measures, writes the files if a folder was named, and prints.
pub(super) fn reproduce(out: Option<&Path>, console: &Console) -> Result<(), Failure> {
    if let Some(out) = out {
        refuse_strangers(out)?;
    }
    let report =
        paper::reproduce(machine::name(), Effort::FULL, &processor_time).map_err(|error| {
            Failure::new(Code::Bug)
                .message("the tables could not be done again")
                .because(error)
        })?;
    if let Some(out) = out {
        write(&report, out)?;
    }
    console.data(&report, &text::text(&report))
}

/// An earlier report is replaced, and nothing else.
fn refuse_strangers(out: &Path) -> Result<(), Failure> {
    let page = out.join("paper.md");
    match fs::metadata(&page) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
        Err(_) | Ok(_) => {}
    }
    let earlier = files::text(&out.join("paper").join("paper.json")).unwrap_or(None);
    let earlier: Option<Report> = earlier.and_then(|text| serde_json::from_str(&text).ok());
    if earlier.is_some_and(|report| report.schema == SCHEMA) {
        return Ok(());
    }
    Err(Failure::new(Code::FileExists)
        .message(format!(
            "{} exists and is no earlier report",
            page.display()
        ))
        .help("name another folder")
        .note("nothing was written"))
}

/// paper.md, and the rest in a folder beside it.
fn write(report: &Report, out: &Path) -> Result<(), Failure> {
    let folder = out.join("paper");
    fs::create_dir_all(&folder).map_err(|error| {
        Failure::new(Code::CannotWrite)
            .message(format!("cannot write {}", folder.display()))
            .because(error)
    })?;
    let json = serde_json::to_string_pretty(report).map_err(|error| {
        Failure::new(Code::Bug)
            .message("the report has no JSON form")
            .because(error)
    })?;
    files::write(&folder.join("paper.json"), format!("{json}\n"))?;
    files::write(&folder.join("fig2.svg"), svg(report, Setting::File))?;
    for grid in grids(report) {
        let name = format!("{}.csv", grid.name);
        files::write(&folder.join(name), csv::csv(&grid))?;
    }
    files::write(&out.join("paper.md"), markdown::markdown(report))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The report that the repository's page was written from.
    fn committed() -> Report {
        serde_json::from_str(include_str!("../../../../docs/paper/paper.json")).unwrap()
    }

    #[test]
    fn the_page_in_docs_and_all_files_beside_it_are_drawn_from_the_report_beside_it() {
        let docs = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs");
        let folder = tempfile::tempdir().unwrap();
        write(&committed(), folder.path()).unwrap();

        let mut compared = 0;
        let files = fs::read_dir(folder.path().join("paper")).unwrap();
        let files = files.map(|file| Path::new("paper").join(file.unwrap().file_name()));
        for file in files.chain([Path::new("paper.md").to_owned()]) {
            let ours = fs::read_to_string(folder.path().join(&file)).unwrap();
            let theirs = fs::read_to_string(docs.join(&file)).unwrap();
            assert!(ours == theirs, "{} is not as written", file.display());
            compared += 1;
        }
        assert_eq!(compared, 11);
    }

    #[test]
    fn every_number_in_docs_that_is_no_time_is_what_a_run_gives_today() {
        assert_eq!(committed().tables, paper::tables().unwrap());
    }

    #[test]
    fn a_page_that_somebody_else_wrote_is_not_replaced() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("paper.md"), "mine").unwrap();

        let refused = refuse_strangers(folder.path()).unwrap_err();

        assert_eq!(refused.code(), Code::FileExists);
        write(&committed(), folder.path()).unwrap();
        refuse_strangers(folder.path()).unwrap();
    }
}
