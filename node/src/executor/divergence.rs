//! What is kept when this node's result differs from the certified one.

use std::fmt::{self, Write as _};
use std::path::{Path, PathBuf};

use consensus::{Divergence, Seq};
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

/// What a node found when its result of a block was not the certified one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mismatch {
    /// The block.
    pub seq: Seq,
    /// The fields in which the headers differ; none when no member gave the certified header.
    pub roots: Vec<&'static str>,
    /// Where it is written down.
    pub file: PathBuf,
}

impl fmt::Display for Mismatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { seq, roots, file } = self;
        write!(f, "StateRootMismatch at block {seq}: ")?;
        match roots.as_slice() {
            [] => write!(f, "no member gave the certified header")?,
            names => write!(f, "{} differs from the certified one", names.join(", "))?,
        }
        write!(f, " (written down in {})", file.display())
    }
}

/// What is known of a block whose result is not the certified one.
pub(super) struct Known<'a> {
    /// The block as it is here.
    pub(super) block: Option<&'a StoredBlock>,
    /// What its execution wrote here.
    pub(super) writes: Option<&'a WriteSet>,
    /// The certified header.
    pub(super) certified: Option<&'a Header>,
}

impl Known<'_> {
    /// The fields in which the headers differ.
    fn roots(&self) -> Vec<&'static str> {
        let both = self.block.zip(self.certified);
        both.map(|(block, certified)| differing_roots(&block.header, certified))
            .unwrap_or_default()
    }
}

/// Writes one file with everything that is known of the block, and one line to the log.
pub(super) fn write_down(home: &Path, divergence: &Divergence, known: &Known<'_>) -> Mismatch {
    let mismatch = Mismatch {
        seq: divergence.seq,
        roots: known.roots(),
        file: divergence_file(home, divergence.seq),
    };
    let text = report(divergence, known).unwrap_or_default();
    let written = std::fs::write(&mismatch.file, text);
    let height = divergence.seq.get();
    error!(event = "state_root_mismatch", height, "{mismatch}");
    if let Err(cause) = written {
        error!(event = "state_root_mismatch", height, %cause, "the report could not be written");
    }
    mismatch
}

/// The text of the file.
fn report(divergence: &Divergence, known: &Known<'_>) -> Result<String, fmt::Error> {
    let mut text = String::new();
    writeln!(text, "StateRootMismatch at block {}", divergence.seq)?;
    writeln!(text, "header hash here       {:?}", divergence.own)?;
    writeln!(text, "header hash certified  {:?}", divergence.certified)?;
    if let Some(certified) = known.certified {
        writeln!(text, "they differ in         {}", known.roots().join(", "))?;
        writeln!(text, "header certified       {certified:#?}")?;
    }
    if let Some(block) = known.block {
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
    for entry in known.writes.iter().flat_map(|writes| &writes.entries) {
        let table = match entry.table {
            Table::Nodes => "node ",
            Table::Values => "value",
        };
        let (key, value) = (hex::encode(&entry.key), hex::encode(&entry.value));
        writeln!(text, "wrote {table} {key} = {value}")?;
    }
    Ok(text)
}
