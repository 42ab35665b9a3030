//! What is kept when this node's result differs from the certified one.

use std::fmt::Write as _;
use std::path::Path;

use consensus::Divergence;
use contract::{Header, Table, WriteSet};
use tracing::error;

use crate::executor::divergence_file;
use crate::store::StoredBlock;

/// The names of the header's fields in which two results of the same batch differ.
///
/// With equal parents and batches, a first difference in `state_root` means that execution
/// is not deterministic or that the state under it was damaged.
pub fn differing_roots(here: &Header, certified: &Header) -> Vec<&'static str> {
    let mut names = Vec::new();
    let mut compare = |name, same: bool| {
        if !same {
            names.push(name);
        }
    };
    compare("parent", here.parent == certified.parent);
    compare("batch_digest", here.batch_digest == certified.batch_digest);
    compare("time", here.time == certified.time);
    compare(
        "transactions_root",
        here.transactions_root == certified.transactions_root,
    );
    compare(
        "outcomes_root",
        here.outcomes_root == certified.outcomes_root,
    );
    compare("state_root", here.state_root == certified.state_root);
    compare("history_root", here.history_root == certified.history_root);
    compare(
        "next_committee",
        here.next_committee == certified.next_committee,
    );
    names
}

/// Writes one file with everything that is known of the block, and one line to the log.
pub(super) fn write_down(
    home: &Path,
    divergence: &Divergence,
    block: Option<&StoredBlock>,
    writes: Option<&WriteSet>,
) {
    let path = divergence_file(home, divergence.seq);
    let text = report(divergence, block, writes).unwrap_or_default();
    match std::fs::write(&path, text) {
        Ok(()) => error!(
            height = divergence.seq.get(),
            file = %path.display(),
            "StateRootMismatch: this node's result of a block differs from the certified one"
        ),
        Err(cause) => error!(
            height = divergence.seq.get(),
            file = %path.display(),
            %cause,
            "StateRootMismatch, and the report could not be written"
        ),
    }
}

/// The text of the file.
fn report(
    divergence: &Divergence,
    block: Option<&StoredBlock>,
    writes: Option<&WriteSet>,
) -> Result<String, std::fmt::Error> {
    let mut text = String::new();
    writeln!(text, "StateRootMismatch at block {}", divergence.seq)?;
    writeln!(text, "header hash here       {:?}", divergence.own)?;
    writeln!(text, "header hash certified  {:?}", divergence.certified)?;
    if let Some(block) = block {
        writeln!(text, "header here            {:#?}", block.header)?;
        writeln!(
            text,
            "header bytes here      {}",
            hex::encode(&block.header_bytes)
        )?;
        writeln!(text, "batch                  {}", hex::encode(&block.batch))?;
        for (index, outcome) in block.outcomes.iter().enumerate() {
            writeln!(text, "outcome {index:<14} {outcome:?}")?;
        }
    }
    for entry in writes.iter().flat_map(|writes| &writes.entries) {
        let table = match entry.table {
            Table::Nodes => "node ",
            Table::Values => "value",
        };
        let (key, value) = (hex::encode(&entry.key), hex::encode(&entry.value));
        writeln!(text, "wrote {table} {key} = {value}")?;
    }
    Ok(text)
}
