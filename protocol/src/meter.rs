//! What a run of a paper's suite costs, in the papers' own unit: operations.
//!
//! The suites of the papers tell a [`Meter`] of each hash, ⊕ and multiplication at the moment they do it. It comes in as
//! an argument, as the time and the dice do, and whoever does not ask gets [`Unmetered`], which compiles to nothing.
//! AIDC-1 has no meter: nothing is added to the suite that has to be secure.

/// An operation that a suite of the papers does.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Operation {
    /// `T_h`: one of the paper's hashes.
    Hash,
    /// `T_xor`: ⊕ of two strings.
    Xor,
    /// `T_mul` of the group's generator, for which there is a table.
    MulFixed,
    /// `T_mul` of any other point.
    MulVariable,
    /// A point found by its x-coordinate: a square root, in no paper's table.
    Lift,
    /// Gen of the fuzzy extractor, in no paper's table.
    Generate,
    /// Rep of the fuzzy extractor, in no paper's table.
    Reproduce,
    /// The hash over both messages that the ledger wants for the session's id; in no paper.
    SessionId,
}

/// Is told of operations.
pub trait Meter {
    /// One more of these was done.
    fn count(&self, operation: Operation);
}

/// Nobody counts.
#[derive(Clone, Copy, Debug)]
pub struct Unmetered;

impl Meter for Unmetered {
    #[inline]
    fn count(&self, _operation: Operation) {}
}
