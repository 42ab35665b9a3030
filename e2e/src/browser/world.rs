//! A running research consortium with one patient, for the browser to look at.

use std::path::PathBuf;
use std::time::Duration;

use bench::consortium::{Consortium, NAMES};
use bench::http::Connection;
use contract::genesis::Kind;
use serde_json::Value;

use crate::claims::Broken;
use crate::people::{ENROLMENT, Patient};
use crate::tools::aidchain;

/// The consortium, the patient, and what she left on the ledger.
pub(super) struct World {
    /// Four nodes.
    pub(super) consortium: Consortium,
    /// She registers and signs in at each of them.
    pub(super) patient: Patient,
    /// Her AID, once she has one.
    pub(super) aid: String,
    /// The transaction of her last sign-in.
    pub(super) transaction: String,
    /// The receipt of that sign-in, at the last member.
    pub(super) receipt: PathBuf,
}

impl World {
    /// Starts the nodes; the ledger is empty.
    pub(super) fn start() -> Result<Self, Broken> {
        let mut consortium = Consortium::local(&aidchain(), Kind::Research)?;
        consortium.start_all()?;
        consortium.wait_ready(Duration::from_secs(30))?;
        let folder = consortium.folder.path().join("patient");
        let patient = Patient::new(&folder, &consortium.genesis_path(), 3)?;
        let (aid, transaction, receipt) = (String::new(), String::new(), PathBuf::new());
        Ok(Self {
            consortium,
            patient,
            aid,
            transaction,
            receipt,
        })
    }

    /// Registers the patient and signs her in at every node.
    pub(super) fn populate(&mut self) -> Result<(), Broken> {
        self.patient.register()?.ended_with(0)?;
        for (number, name) in (ENROLMENT..).zip(NAMES) {
            let told = self.sign_in(name, number)?;
            let text = |field: &str| told.get(field).and_then(Value::as_str).map(str::to_owned);
            self.aid = text("aid").ok_or_else(|| format!("no AID in {told}"))?;
            self.transaction =
                text("transaction").ok_or_else(|| format!("no transaction in {told}"))?;
            self.receipt = text("receipt")
                .map(PathBuf::from)
                .ok_or_else(|| format!("no receipt in {told}"))?;
        }
        Ok(())
    }

    /// One sign-in of hers; what the command line told.
    pub(super) fn sign_in(&self, server: &str, capture: usize) -> Result<Value, Broken> {
        let ended = self.patient.sign_in(server, capture)?;
        ended.ended_with(0).map(|()| ended.json())
    }

    /// A page of a node's explorer.
    pub(super) fn page(&self, path: &str) -> String {
        let explorer = self
            .consortium
            .nodes
            .first()
            .map(|node| node.member_api().to_string());
        format!("http://{}{path}", explorer.unwrap_or_default())
    }

    /// The body of any answer of the first node.
    pub(super) fn fetch(&self, path: &str) -> Result<Vec<u8>, Broken> {
        let node = self.consortium.nodes.first().ok_or("no node")?;
        Ok(Connection::new(node.member_api(), Duration::from_secs(10))
            .get(path)?
            .body)
    }

    /// The genesis file.
    pub(super) fn genesis(&self) -> PathBuf {
        self.consortium.genesis_path()
    }
}
