//! Arguments that several of a patient's commands take: where secrets come from, where files go.

use std::path::{Path, PathBuf};

use clap::Args;
use protocol::Embedding;
use protocol::aidc1::RecoveryCode;
use protocol::aidc1::application::DeskCode;

use crate::aidc1::place::Place;
use crate::aidc1::wallet::Shows;
use crate::capture;
use crate::card::Profile;
use crate::code::Code;
use crate::files::{self, Readers};
use crate::output::{Console, Failure, Form};
use crate::secret_input::Source;

/// Captures that one opening of a card takes: the first, and three more tries.
const SHOWN_MAX: usize = 4;

/// Where the patient's ID comes from.
#[derive(Clone, Debug, Args)]
pub(super) struct IdFrom {
    /// File that holds the patient's ID
    #[arg(long, value_name = "FILE", conflicts_with = "id_fd")]
    id_file: Option<PathBuf>,
    /// Open descriptor that gives the patient's ID
    #[arg(long, value_name = "N")]
    id_fd: Option<u32>,
}

impl IdFrom {
    pub(super) const fn source(&self) -> Source<'_> {
        Source {
            what: "Patient ID",
            flag: "--id",
            file: self.id_file.as_ref(),
            descriptor: self.id_fd,
        }
    }
}

/// Where the password comes from.
#[derive(Clone, Debug, Args)]
pub(super) struct PasswordFrom {
    /// File that holds the password
    #[arg(
        long,
        value_name = "FILE",
        env = "AIDCHAIN_PASSWORD_FILE",
        conflicts_with = "password_fd"
    )]
    password_file: Option<PathBuf>,
    /// Open descriptor that gives the password
    #[arg(long, value_name = "N")]
    password_fd: Option<u32>,
}

impl PasswordFrom {
    pub(super) const fn source(&self) -> Source<'_> {
        Source {
            what: "Password",
            flag: "--password",
            file: self.password_file.as_ref(),
            descriptor: self.password_fd,
        }
    }
}

/// Where files are.
#[derive(Clone, Debug, Args)]
pub(super) struct Places {
    /// Card file, where it is not in the user's data folder
    #[arg(long, value_name = "FILE")]
    pub(super) card: Option<PathBuf>,
    /// File of the device's secret, where it is not beside the card
    #[arg(long, value_name = "FILE")]
    pub(super) device: Option<PathBuf>,
}

impl Places {
    pub(super) fn of(&self, profile: &Profile) -> Result<Place, Failure> {
        Place::of(profile, self.card.as_deref(), self.device.as_deref())
    }
}

/// Where the recovery code on paper is read from.
#[derive(Clone, Debug, Args)]
pub(super) struct CodeFrom {
    /// File that holds the recovery code
    #[arg(long, value_name = "FILE", conflicts_with = "recovery_code_fd")]
    recovery_code_file: Option<PathBuf>,
    /// Open descriptor that gives the recovery code
    #[arg(long, value_name = "N")]
    recovery_code_fd: Option<u32>,
}

impl CodeFrom {
    pub(super) const fn source(&self) -> Source<'_> {
        Source {
            what: "Recovery code",
            flag: "--recovery-code",
            file: self.recovery_code_file.as_ref(),
            descriptor: self.recovery_code_fd,
        }
    }

    pub(super) const fn is_named(&self) -> bool {
        self.recovery_code_file.is_some() || self.recovery_code_fd.is_some()
    }

    /// The code, if a file or descriptor is named.
    pub(super) fn if_named(&self, console: &Console) -> Result<Option<RecoveryCode>, Failure> {
        let named = self.is_named();
        named.then(|| self.source().code(console)).transpose()
    }
}

/// What opens the card beside device and password.
#[derive(Clone, Debug, Args)]
pub(super) struct FactorFrom {
    /// Capture file; give up to three more, should the first not match
    #[arg(long, value_name = "FILE")]
    pub(super) bio: Vec<PathBuf>,
    #[command(flatten)]
    code: CodeFrom,
}

impl FactorFrom {
    /// Captures first, then the code; the code is asked for where neither is named.
    pub(super) fn shows(&self, console: &Console) -> Result<Vec<Shows>, Failure> {
        let mut shows: Vec<_> = self
            .bio
            .iter()
            .map(|path| capture::embedding(path).map(Shows::Face))
            .collect::<Result<_, _>>()?;
        if self.code.is_named()
            || (shows.is_empty() && self.code.source().is_given_or_asked(console))
        {
            shows.push(Shows::Code(self.code.source().code(console)?));
        }
        if shows.is_empty() {
            return Err(Failure::new(Code::FactorMissing));
        }
        if shows.len() > SHOWN_MAX {
            return Err(Failure::new(Code::Usage).message(format!(
                "{} captures and codes, at most {SHOWN_MAX} are tried",
                shows.len()
            )));
        }
        Ok(shows)
    }
}

/// The face of a new lock.
#[derive(Clone, Debug, Args)]
pub(super) struct FaceFrom {
    /// Capture file; give three of the same face
    #[arg(long, value_name = "FILE", conflicts_with = "no_face")]
    pub(super) bio: Vec<PathBuf>,
    /// Enrol no face: the recovery code opens the card beside the password
    #[arg(long)]
    pub(super) no_face: bool,
}

impl FaceFrom {
    pub(super) fn captures(&self) -> Result<Option<[Embedding; 3]>, Failure> {
        if self.no_face {
            return Ok(None);
        }
        capture::enrolment_embeddings(&self.bio).map(Some)
    }
}

/// A code that an officer of the registration centre gave.
#[derive(Clone, Debug, Args)]
pub(super) struct DeskFrom {
    /// File that holds the code from the registration centre's desk
    #[arg(long, value_name = "FILE")]
    desk_code_file: Option<PathBuf>,
}

impl DeskFrom {
    const fn source(&self) -> Source<'_> {
        Source {
            what: "Code from the desk",
            flag: "--desk-code",
            file: self.desk_code_file.as_ref(),
            descriptor: None,
        }
    }

    /// The code, if one is named.
    pub(super) fn if_named(&self, console: &Console) -> Result<Option<DeskCode>, Failure> {
        let named = self.desk_code_file.is_some();
        named.then(|| self.needed(console)).transpose()
    }

    /// The code, asked for if none is named.
    pub(super) fn needed(&self, console: &Console) -> Result<DeskCode, Failure> {
        let code = self.source().code(console)?;
        Ok(DeskCode::new(*code.expose()))
    }
}

/// Where a new recovery code goes.
#[derive(Clone, Debug, Args)]
pub(super) struct CodeTo {
    /// File to write the new recovery code to, instead of showing it
    #[arg(long, value_name = "FILE")]
    new_recovery_code_file: Option<PathBuf>,
}

impl CodeTo {
    /// Where registering puts it: there is no older code there to be confused with.
    pub(super) const fn register(file: Option<PathBuf>) -> Self {
        Self {
            new_recovery_code_file: file,
        }
    }

    /// Refuses before anything is begun what could not be ended.
    pub(super) fn check(&self, console: &Console) -> Result<(), Failure> {
        match &self.new_recovery_code_file {
            Some(path) if path.exists() => Err(Failure::new(Code::FileExists)
                .message(format!("{} exists already", path.display()))),
            None if console.form() == Form::Json => Err(Failure::new(Code::Usage)
                .message("the recovery code is not printed among data")
                .help("name a file for it: see --help")),
            Some(_) | None => Ok(()),
        }
    }

    /// Hands the code over, once; it is nowhere else.
    pub(super) fn hand_over(&self, code: &RecoveryCode, console: &Console) -> Result<(), Failure> {
        let text = code.to_text();
        let Some(path) = &self.new_recovery_code_file else {
            let mut shown = zeroize::Zeroizing::new(b"Recovery code  ".to_vec());
            shown.extend(text.as_bytes());
            shown.extend(b"\n               write it on paper now: it is not shown again\n");
            return console.raw(&shown);
        };
        let mut line = zeroize::Zeroizing::new(text.as_bytes().to_vec());
        line.push(b'\n');
        files::write_new(path, &line, Readers::Owner, Code::FileExists)
    }

    pub(super) fn path(&self) -> Option<&Path> {
        self.new_recovery_code_file.as_deref()
    }
}
