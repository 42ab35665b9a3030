//! `aidchain research …`: what the fuzzy extractor is worth, measured, faces of nobody to
//! measure it on, the papers' schemes attacked, and the paper's tables done again.

mod attack;
mod biometrics;
mod faces;
mod files;
mod reproduce;

use std::path::PathBuf;

use clap::Subcommand;
use patient::code::Exit;
use patient::output::{Console, Failure};

/// The papers and their faces, examined.
#[derive(Clone, Debug, Subcommand)]
pub(super) enum Research {
    /// Measure what biometrics are worth, on a set of captures
    ///
    /// Distances, false rejects and accepts of the fuzzy extractor and of its variants, and what an
    /// attacker makes of PP alone. Reads `face_templates.json` and, where they are,
    /// `kat_fe_v1.json`, `face_projection_f32le.bin` and `iris_templates.json`; what is missing is
    /// said. Each subject enrols with three captures; the others are tried against every enrolment.
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
    /// Do the paper's Tables 2 and 3 and Fig. 2 again
    ///
    /// Prints what Wu et al. (2021) print, what their own terms add up to, bits of the messages that
    /// this program sends, operations counted while the suites run, and what they take on this
    /// machine: some five seconds of one thread. Everything but the times is the same each time.
    #[command(
        after_help = "Examples:\n  aidchain research reproduce --json\n  aidchain research reproduce --out report"
    )]
    Reproduce {
        /// Write paper.md here, and paper.json, fig2.svg and the tables as CSV into DIR/paper
        #[arg(long, value_name = "DIR")]
        out: Option<PathBuf>,
    },
    /// Attack the papers' schemes on a research devnet, step by step
    ///
    /// The victim is synthetic and registers for this. Each attack is attempted on AIDC-1 as well,
    /// in this process, where it must fail.
    #[command(after_help = attack::EXAMPLE)]
    Attack(attack::Given),
}

impl Research {
    /// Does what was asked.
    pub(super) fn run(&self, console: &Console) -> Result<Exit, Failure> {
        match self {
            Self::Biometrics { set } => biometrics::measure(set, console).map(|()| Exit::Ok),
            Self::Faces { seed, out } => faces::write(*seed, out, console).map(|()| Exit::Ok),
            Self::Reproduce { out } => {
                reproduce::reproduce(out.as_deref(), console).map(|()| Exit::Ok)
            }
            Self::Attack(given) => given.run(console),
        }
    }
}
