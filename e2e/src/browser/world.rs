//! A running research consortium with one patient, for the browser to look at.

use std::path::PathBuf;
use std::time::Duration;

use bench::consortium::Consortium;
use bench::http::Connection;
use serde_json::Value;

use crate::claims::Broken;
use crate::people::Patient;
use crate::tools::aidchain;

/// The consortium, the patient, and what she left on the ledger.
pub(super) struct World {
    /// Four nodes.
    pub(super) consortium: Consortium,
    /// She registers and signs in at each of them.
    pub(super) patient: Patient,
    /// Her AID, once she has one.
    pub(super) aid: String,
    /// The transaction of her first sign-in.
    pub(super) transaction: String,
}

impl World {
    /// Starts the nodes; the ledger is empty.
    pub(super) fn start() -> Result<Self, Broken> {
        let mut consortium = Consortium::research(&aidchain())?;
        consortium.start_all()?;
        consortium.wait_ready(Duration::from_secs(30))?;
        let folder = consortium.folder.path().join("patient");
        let genesis = consortium.genesis_path();
        let patient = Patient::new(&folder, &genesis, 3)?;
        Ok(Self {
            consortium,
            patient,
            aid: String::new(),
            transaction: String::new(),
        })
    }

    /// Registers the patient and signs her in at every node.
    pub(super) fn populate(&mut self) -> Result<(), Broken> {
        self.patient.register(&self.api(0)?)?.ended_with(0)?;
        for index in 0..self.consortium.nodes.len() {
            self.sign_in(index, index.saturating_add(3))?;
        }
        let results = self.get("/v1/results?limit=1")?;
        let row = results
            .pointer("/results/0")
            .or_else(|| results.pointer("/rows/0"))
            .cloned()
            .unwrap_or_default();
        let text = |name: &str| row.get(name).and_then(Value::as_str).map(str::to_owned);
        self.aid = text("aid").ok_or_else(|| format!("no AID in {results}"))?;
        self.transaction =
            text("transaction").ok_or_else(|| format!("no transaction in {results}"))?;
        Ok(())
    }

    /// One sign-in of hers.
    pub(super) fn sign_in(&self, node: usize, capture: usize) -> Result<(), Broken> {
        self.patient
            .sign_in(&self.api(node)?, capture)?
            .ended_with(0)
    }

    /// Where a patient reaches a node.
    fn api(&self, index: usize) -> Result<String, Broken> {
        let node = self.consortium.nodes.get(index).ok_or("no such node")?;
        Ok(format!("https://{}", node.api()))
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

    /// JSON of the member API.
    pub(super) fn get(&self, path: &str) -> Result<Value, Broken> {
        Ok(serde_json::from_slice(&self.fetch(path)?)?)
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
