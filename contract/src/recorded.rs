//! The sign-ins that a block recorded, for indexes, listings and the replay window.

use crate::identity::{Aid, BlockTime, ServerId, SessionId, SuiteId};
use crate::outcome::Outcome;
use crate::record::{AuthResult, LegacyResult};
use crate::transaction::{Call, SignedTransaction};

/// A recorded sign-in in one of its two forms.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Evidence<'a> {
    /// With the patient's signed statement.
    Statement(&'a AuthResult),
    /// The server's word alone.
    Legacy(&'a LegacyResult),
}

/// A sign-in that a block recorded, and where it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Recorded<'a> {
    /// Position of the transaction in the block.
    pub transaction: usize,
    /// Position of the result in the transaction.
    pub entry: usize,
    /// The result.
    pub evidence: Evidence<'a>,
}

impl<'a> Recorded<'a> {
    /// Who signed in.
    pub const fn aid(&self) -> &'a Aid {
        match self.evidence {
            Evidence::Statement(result) => &result.aid,
            Evidence::Legacy(result) => &result.aid,
        }
    }

    /// Where.
    pub const fn server_id(&self) -> &'a ServerId {
        match self.evidence {
            Evidence::Statement(result) => &result.server_id,
            Evidence::Legacy(result) => &result.server_id,
        }
    }

    /// The session.
    pub const fn sid(&self) -> &'a SessionId {
        match self.evidence {
            Evidence::Statement(result) => &result.sid,
            Evidence::Legacy(result) => &result.sid,
        }
    }

    /// The suite that was run.
    pub const fn suite(&self) -> SuiteId {
        match self.evidence {
            Evidence::Statement(result) => result.suite,
            Evidence::Legacy(result) => result.suite,
        }
    }

    /// The patient's time.
    pub const fn t1(&self) -> BlockTime {
        match self.evidence {
            Evidence::Statement(result) => result.t1,
            Evidence::Legacy(result) => result.t1,
        }
    }

    /// The server's time.
    pub const fn t3(&self) -> BlockTime {
        match self.evidence {
            Evidence::Statement(result) => result.t3,
            Evidence::Legacy(result) => result.t3,
        }
    }
}

/// The sign-ins that these transactions recorded, in order.
pub fn recorded<'a>(
    transactions: &'a [SignedTransaction],
    outcomes: &'a [Outcome],
) -> impl Iterator<Item = Recorded<'a>> {
    let pairs = transactions.iter().zip(outcomes).enumerate();
    pairs.flat_map(|(transaction, (signed, outcome))| {
        results_of(signed.call())
            .enumerate()
            .filter(|(entry, _)| outcome.refusal_of(*entry).is_none())
            .map(move |(entry, evidence)| Recorded {
                transaction,
                entry,
                evidence,
            })
    })
}

/// The results in a call, in either form.
fn results_of(call: &Call) -> impl Iterator<Item = Evidence<'_>> {
    let (statements, legacy): (&[AuthResult], &[LegacyResult]) = match call {
        Call::Results(results) => (results, &[]),
        Call::LegacyResults(results) => (&[], results),
        Call::Register(_)
        | Call::Revoke(_)
        | Call::Shred(_)
        | Call::WuRegister(_)
        | Call::SetServer(_) => (&[], &[]),
    };
    let statements = statements.iter().map(Evidence::Statement);
    statements.chain(legacy.iter().map(Evidence::Legacy))
}
