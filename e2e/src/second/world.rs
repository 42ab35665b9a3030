//! Four members of a secure ledger whose genesis file knows the patient of the vectors.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use bench::clock::wait_for;
use bench::consortium::{Consortium, NAMES};
use contract::Blob;
use contract::identity::{Aid, IdCommitment, PublicKey};
use contract::record::{PatientRecord, Status};
use ed25519_dalek::SigningKey;
use serde_json::Value;

use super::python::Python;
use crate::claims::Broken;
use crate::tools::{Ended, aidchain, finish};

/// The vectors of which the first one's patient signs in.
const VECTORS: &str = "protocol/tests/vectors/aidc1.json";

/// The members publish their keys for sign-ins by themselves, within this time.
const PUBLISHED: Duration = Duration::from_mins(1);

/// The patient of the vectors.
#[derive(Debug)]
pub(super) struct Patient {
    /// Her seed, in hex digits.
    pub(super) seed: String,
    /// What the genesis file says of her.
    record: PatientRecord,
}

impl Patient {
    /// Reads her from the vectors. They have no recovery key and no sealed ID, which no sign-in needs.
    fn read() -> Result<Self, Broken> {
        let vectors: Value = serde_json::from_slice(&fs::read(VECTORS)?)?;
        let patient = vectors.pointer("/vectors/0/patient");
        let text = |name: &str| {
            let value = patient.and_then(|patient| patient.get(name));
            let text = value.and_then(Value::as_str).map(str::to_owned);
            text.ok_or_else(|| Broken::from(format!("the vectors have no {name}")))
        };
        let bytes = |name: &str| digits(&text(name)?);
        let recovery = SigningKey::from_bytes(&[7; 32]).verifying_key();
        let record = PatientRecord {
            aid: Aid::new(bytes("AID")?),
            pk_dh: PublicKey::new(bytes("pk_dh")?),
            pk_sig: PublicKey::new(bytes("pk_sig")?),
            pk_recovery: PublicKey::new(recovery.to_bytes()),
            status: Status::Active,
            epoch: 0,
            c_id: Blob::new(Vec::new()),
            id_commit: IdCommitment::new(bytes("id_commit")?),
        };
        let seed = text("seed")?;
        Ok(Self { seed, record })
    }

    /// Her AID as people write it.
    pub(super) fn aid(&self) -> String {
        self.record.aid.to_string()
    }

    /// Her AID in hex digits.
    pub(super) fn aid_digits(&self) -> String {
        hex::encode(self.record.aid.as_bytes())
    }
}

/// 32 bytes of hex digits.
fn digits(text: &str) -> Result<[u8; 32], Broken> {
    let mut bytes = [0; 32];
    hex::decode_to_slice(text, &mut bytes).map_err(|error| error.to_string())?;
    Ok(bytes)
}

/// The members, the patient, and the program that signs her in.
#[derive(Debug)]
pub(super) struct World {
    /// Four nodes.
    pub(super) consortium: Consortium,
    /// Who signs in.
    pub(super) patient: Patient,
    python: Python,
}

impl World {
    /// Starts the nodes and waits until each has published a key.
    pub(super) fn start(python: Python) -> Result<Self, Broken> {
        let patient = Patient::read()?;
        let mut consortium = Consortium::with_patients(&aidchain(), vec![patient.record.clone()])?;
        consortium.start_all()?;
        consortium.wait_ready(Duration::from_secs(30))?;
        let world = Self {
            consortium,
            patient,
            python,
        };
        for name in NAMES {
            world.wait_for_key(name)?;
        }
        Ok(world)
    }

    /// Waits until a member's certified state has its own key.
    fn wait_for_key(&self, name: &str) -> Result<(), Broken> {
        let out = self.file("waiting.json").display().to_string();
        let mut last = None;
        let published = wait_for(PUBLISHED, || {
            let ended = self.ask(name, &["--server-excerpt", &out]).ok()?;
            let done = ended.code == 0;
            last = Some(ended);
            done.then_some(())
        });
        published.ok_or_else(|| {
            let said = last.map(|ended| ended.talk).unwrap_or_default();
            format!("{name} published no key in {PUBLISHED:?}: {said}").into()
        })
    }

    /// A file of this run.
    pub(super) fn file(&self, name: &str) -> PathBuf {
        self.consortium.folder.path().join(name)
    }

    /// A file with a seed, for its owner alone.
    pub(super) fn seed(&self, name: &str, digits: &str) -> Result<PathBuf, Broken> {
        let path = self.file(name);
        fs::write(&path, digits)?;
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600))?;
        Ok(path)
    }

    /// Runs the program about a member.
    pub(super) fn ask(&self, name: &str, words: &[&str]) -> Result<Ended, Broken> {
        let mut command = self.python.command();
        Python::sign_in(&mut command, &self.consortium.genesis_path())
            .args(["--member", name])
            .args(words);
        Ok(finish(&mut command)?)
    }

    /// Signs in with a seed.
    pub(super) fn sign_in(&self, name: &str, seed: &Path, words: &[&str]) -> Result<Ended, Broken> {
        let seed = seed.display().to_string();
        self.ask(name, &[&["--seed-file", &seed], words].concat())
    }

    /// Signs in with another genesis file.
    pub(super) fn sign_in_by(
        &self,
        genesis: &Path,
        name: &str,
        seed: &Path,
    ) -> Result<Ended, Broken> {
        sign_in(self.python.command(), genesis, name, seed)
    }

    /// Signs in under another clock.
    pub(super) fn sign_in_at(
        &self,
        offset: &str,
        name: &str,
        seed: &Path,
    ) -> Result<Ended, Broken> {
        let genesis = self.consortium.genesis_path();
        sign_in(self.python.at(offset), &genesis, name, seed)
    }

    /// What the first implementation says of a receipt, without a network.
    pub(super) fn verify(
        &self,
        receipt: &Path,
        expected: &[&str],
        aid: &str,
    ) -> Result<Ended, Broken> {
        let mut command = Command::new(&self.consortium.binary);
        command
            .args(["receipt", "verify", "--offline"])
            .args(expected)
            .arg(aid)
            .arg("--trust")
            .arg(self.consortium.genesis_path())
            .arg(receipt);
        Ok(finish(&mut command)?)
    }
}

/// Runs the program to sign in.
fn sign_in(mut command: Command, genesis: &Path, name: &str, seed: &Path) -> Result<Ended, Broken> {
    Python::sign_in(&mut command, genesis)
        .args(["--member", name, "--seed-file"])
        .arg(seed);
    Ok(finish(&mut command)?)
}
