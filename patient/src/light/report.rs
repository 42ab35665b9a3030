//! What the check of a receipt found, one line a step.

use contract::block::Header;
use contract::genesis::Genesis;

use super::{Members, NotValid};
use crate::output::Mark;
use crate::receipt::Receipt;

/// The steps of the check, in their order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Step {
    /// Is it about the ledger that is trusted?
    Ledger,
    /// What does it say happened, and was it recorded?
    Content,
    /// Is that in the block?
    Inclusion,
    /// Did a quorum sign the block?
    Signatures,
    /// Was it the right committee?
    Members,
    /// Is the block's time past?
    Time,
    /// Is it the receipt that was asked for?
    Expected,
}

impl Step {
    /// The word that begins its line.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Ledger => "ledger",
            Self::Content => "content",
            Self::Inclusion => "inclusion",
            Self::Signatures => "signatures",
            Self::Members => "member set",
            Self::Time => "time",
            Self::Expected => "expected",
        }
    }
}

/// The lines so far.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    lines: Vec<(Step, Mark, String)>,
}

impl Report {
    /// The steps that were taken, each with how it went and what was seen.
    pub fn lines(&self) -> &[(Step, Mark, String)] {
        &self.lines
    }

    /// The lines as a terminal shows them.
    pub fn text(&self) -> String {
        let lines: Vec<_> = self
            .lines
            .iter()
            .map(|(step, mark, text)| mark.line(step.name(), text))
            .collect();
        lines.join("\n")
    }

    pub(super) fn good(&mut self, step: Step, text: String) {
        self.lines.push((step, Mark::Good, text));
    }

    pub(super) fn bad(&mut self, reason: &NotValid) {
        self.lines
            .push((reason.step(), Mark::Bad, reason.to_string()));
    }
}

/// The first and last digits of a long hexadecimal text.
pub fn short(hash: &impl ToString) -> String {
    let text = hash.to_string();
    match (text.get(..4), text.get(text.len().saturating_sub(2)..)) {
        (Some(first), Some(last)) if text.len() > 8 => format!("{first}…{last}"),
        _ => text,
    }
}

pub(super) fn ledger(genesis: &Genesis) -> String {
    let chain = short(genesis.chain());
    format!(
        "{} ledger {:?}, genesis {chain} (your file)",
        genesis.kind(),
        genesis.name()
    )
}

pub(super) fn inclusion(receipt: &Receipt, header: &Header) -> String {
    format!(
        "leaf {} of {}, root {}",
        receipt.index,
        receipt.count,
        short(&header.transactions_root)
    )
}

pub(super) fn signatures(signers: &[String], committee: &Members) -> String {
    format!(
        "{} distinct members of {} (need {}): {}",
        signers.len(),
        committee.size(),
        committee.quorum(),
        signers.join(", ")
    )
}

pub(super) fn members(receipt: &Receipt, genesis: &Genesis) -> String {
    let chain = short(genesis.chain());
    match receipt.epochs.len() {
        0 => format!("epoch 0, the founding members of genesis {chain}"),
        changes => format!("epoch {changes}, proved step by step from genesis {chain}"),
    }
}
