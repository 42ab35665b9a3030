//! Operations, counted.

use std::cell::Cell;

use protocol::meter::{Meter, Operation};
use serde::{Deserialize, Serialize};

/// How often each operation was done.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    /// `T_h`: hashes of a few fields.
    pub hash: u32,
    /// `T_xor`.
    pub xor: u32,
    /// `T_mul` of the generator.
    pub mul_fixed: u32,
    /// `T_mul` of another point.
    pub mul_variable: u32,
    /// Points found by their x-coordinate.
    pub lift: u32,
    /// Gen.
    pub generate: u32,
    /// Rep.
    pub reproduce: u32,
    /// Hashes over whole messages, for the session's id on the ledger.
    pub session_id: u32,
    /// HKDF-Extract or HKDF-Expand.
    pub hkdf: u32,
    /// Messages sealed or opened.
    pub aead: u32,
    /// Signatures made.
    pub sign: u32,
    /// Signatures verified.
    pub verify: u32,
}

impl Counts {
    /// All of them, with the names of the tables.
    pub const fn named(&self) -> [(&'static str, u32); 12] {
        [
            ("T_h", self.hash),
            ("T_xor", self.xor),
            ("T_mul, of the generator", self.mul_fixed),
            ("T_mul, of a point", self.mul_variable),
            ("lift_x", self.lift),
            ("Gen", self.generate),
            ("Rep", self.reproduce),
            ("session id", self.session_id),
            ("HKDF", self.hkdf),
            ("AEAD", self.aead),
            ("sign", self.sign),
            ("verify", self.verify),
        ]
    }

    /// Those that were done at all, as a sum of terms.
    pub fn formula(&self) -> String {
        let done = self.named().into_iter().filter(|(_, count)| *count > 0);
        let terms: Vec<_> = done
            .map(|(name, count)| format!("{count} {name}"))
            .collect();
        terms.join(" + ")
    }

    /// Both together.
    #[must_use]
    pub fn plus(&self, other: &Self) -> Self {
        self.map(other, u32::saturating_add)
    }

    fn map(&self, other: &Self, by: fn(u32, u32) -> u32) -> Self {
        Self {
            hash: by(self.hash, other.hash),
            xor: by(self.xor, other.xor),
            mul_fixed: by(self.mul_fixed, other.mul_fixed),
            mul_variable: by(self.mul_variable, other.mul_variable),
            lift: by(self.lift, other.lift),
            generate: by(self.generate, other.generate),
            reproduce: by(self.reproduce, other.reproduce),
            session_id: by(self.session_id, other.session_id),
            hkdf: by(self.hkdf, other.hkdf),
            aead: by(self.aead, other.aead),
            sign: by(self.sign, other.sign),
            verify: by(self.verify, other.verify),
        }
    }
}

/// A meter that adds up.
#[derive(Debug, Default)]
pub(crate) struct Tally(Cell<Counts>);

impl Tally {
    /// What was counted so far.
    pub(crate) const fn counts(&self) -> Counts {
        self.0.get()
    }

    /// One more of what the field counts.
    pub(crate) fn add(&self, field: impl FnOnce(&mut Counts) -> &mut u32) {
        let mut counts = self.0.get();
        let field = field(&mut counts);
        *field = field.saturating_add(1);
        self.0.set(counts);
    }
}

impl Meter for Tally {
    fn count(&self, operation: Operation) {
        self.add(|counts| match operation {
            Operation::Hash => &mut counts.hash,
            Operation::Xor => &mut counts.xor,
            Operation::MulFixed => &mut counts.mul_fixed,
            Operation::MulVariable => &mut counts.mul_variable,
            Operation::Lift => &mut counts.lift,
            Operation::Generate => &mut counts.generate,
            Operation::Reproduce => &mut counts.reproduce,
            Operation::SessionId => &mut counts.session_id,
        });
    }
}
