//! What the certified state says under some keys, with everything that a reader needs to believe it.

use contract::{ContractId, Snapshot, StateError};
use patient::excerpt::{Entry, Excerpt, SCHEMA};
use patient::receipt::{Bytes, Version};

use super::{Ledger, LedgerError, certificate_of, proofs};
use crate::store::Reader;

/// A contract and a key in it.
pub type Asked = (ContractId, Vec<u8>);

impl Ledger {
    /// The entries under the keys that `ask` finds in the newest certified state, all under its one header; none before
    /// the first certificate, and while this node lacks the end of an epoch.
    pub fn excerpt(
        &self,
        ask: impl FnOnce(&Snapshot<Reader>) -> Result<Vec<Asked>, StateError>,
    ) -> Result<Option<Excerpt>, LedgerError> {
        let tip = self.certified();
        let Some(certificate) = &tip.certificate else {
            return Ok(None);
        };
        let state = Snapshot::new(self.reader.clone(), tip.height);
        let epochs = proofs::epochs_before(&self.reader, &state, tip.header.epoch)?;
        let Some(epochs) = epochs else {
            return Ok(None);
        };
        let mut entries = Vec::new();
        for (contract, key) in ask(&state)? {
            let proof = state.prove(&contract, &key)?;
            entries.push(Entry {
                contract: contract.to_string(),
                key: Bytes(key),
                proof: Bytes(proof.encode()),
            });
        }
        Ok(Some(Excerpt {
            schema: SCHEMA.to_owned(),
            version: Version,
            chain: *self.genesis().chain(),
            kind: self.genesis().kind(),
            entries,
            header: Bytes(tip.header.encode()),
            certificate: certificate_of(certificate),
            epochs,
        }))
    }
}
