//! `aidchain research …`: what the fuzzy extractor is worth, measured, and faces of
//! nobody to measure it on.

mod biometrics;
mod faces;
mod files;

use std::path::PathBuf;

use clap::Subcommand;
use patient::output::{Console, Failure};

/// Measurements on biometric data. No node is needed.
#[derive(Clone, Debug, Subcommand)]
pub(super) enum Research {
    /// Count the errors of the fuzzy extractor on a set of captures
    ///
    /// Reads `face_templates.json` and, if it is there, `kat_fe_v1.json`. Each subject enrols with
    /// her first three captures; each other capture is tried against every enrolment.
    #[command(after_help = "Example:\n  aidchain research biometrics faces --json")]
    Biometrics {
        /// Folder with the set
        #[arg(value_name = "DIR")]
        set: PathBuf,
    },
    /// Write the faces of people who do not exist
    ///
    /// 32 subjects with 404 captures, spread like those of real faces; the same seed gives the same
    /// faces. The folder is laid out as `research biometrics` reads it, with one capture file for
    /// each capture besides, as `--bio` reads them.
    #[command(after_help = "Example:\n  aidchain research faces --seed 1 --out faces")]
    Faces {
        /// Any number; another one gives other people
        #[arg(long, value_name = "N")]
        seed: u64,
        /// New folder to write
        #[arg(long, value_name = "DIR")]
        out: PathBuf,
    },
}

impl Research {
    /// Does what was asked.
    pub(super) fn run(&self, console: &Console) -> Result<(), Failure> {
        match self {
            Self::Biometrics { set } => biometrics::measure(set, console),
            Self::Faces { seed, out } => faces::write(*seed, out, console),
        }
    }
}
