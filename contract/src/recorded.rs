//! The sign-ins that a block recorded, for indexes, listings and the replay window; and beside
//! them, never among them, what was only claimed.

use crate::identity::{Aid, BlockTime, ServerId, SessionId, SuiteId};
use crate::outcome::Outcome;
use crate::record::{AuthResult, LegacyResult, ServerClaim};
use crate::transaction::{Call, SignedTransaction};

/// A recorded sign-in in one of its forms.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Evidence<'a> {
    /// With the patient's signed statement.
    Statement(&'a AuthResult),
    /// With the patient's signed statement, submitted after the window.
    Late(&'a AuthResult),
    /// The server's word alone.
    Legacy(&'a LegacyResult),
}

/// How far an account of a session reaches. Who lists sessions takes all accounts of one session
/// at one server under one AID for one, and shows the greatest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Standing {
    /// The patient says so, not countersigned; it is no sign-in.
    Claimed,
    /// Both say so; it reached the ledger late.
    Late,
    /// Both say so, in time; or the server alone under a suite of the papers.
    Recorded,
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
            Evidence::Statement(result) | Evidence::Late(result) => &result.aid,
            Evidence::Legacy(result) => &result.aid,
        }
    }

    /// Where.
    pub const fn server_id(&self) -> &'a ServerId {
        match self.evidence {
            Evidence::Statement(result) | Evidence::Late(result) => &result.server_id,
            Evidence::Legacy(result) => &result.server_id,
        }
    }

    /// How far it reaches.
    pub const fn standing(&self) -> Standing {
        match self.evidence {
            Evidence::Late(_) => Standing::Late,
            Evidence::Statement(_) | Evidence::Legacy(_) => Standing::Recorded,
        }
    }

    /// The session.
    pub const fn sid(&self) -> &'a SessionId {
        match self.evidence {
            Evidence::Statement(result) | Evidence::Late(result) => &result.sid,
            Evidence::Legacy(result) => &result.sid,
        }
    }

    /// The suite that was run.
    pub const fn suite(&self) -> SuiteId {
        match self.evidence {
            Evidence::Statement(result) | Evidence::Late(result) => result.suite,
            Evidence::Legacy(result) => result.suite,
        }
    }

    /// The patient's time.
    pub const fn t1(&self) -> BlockTime {
        match self.evidence {
            Evidence::Statement(result) | Evidence::Late(result) => result.t1,
            Evidence::Legacy(result) => result.t1,
        }
    }

    /// The server's time.
    pub const fn t3(&self) -> BlockTime {
        match self.evidence {
            Evidence::Statement(result) | Evidence::Late(result) => result.t3,
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

/// The results in a call, in whatever form.
fn results_of(call: &Call) -> impl Iterator<Item = Evidence<'_>> {
    let (in_time, late, legacy): (&[AuthResult], &[AuthResult], &[LegacyResult]) = match call {
        Call::Results(results) => (results, &[], &[]),
        Call::LateResults(results) => (&[], results, &[]),
        Call::LegacyResults(results) => (&[], &[], results),
        Call::Register(_)
        | Call::Revoke(_)
        | Call::Shred(_)
        | Call::WuRegister(_)
        | Call::LimbasiyaServer(_)
        | Call::LimbasiyaUser(_)
        | Call::SetServer(_)
        | Call::ProposeChange(_)
        | Call::ApproveChange(_)
        | Call::CancelChange(_)
        | Call::Ready { .. }
        | Call::Rejoin { .. }
        | Call::Evidence(_)
        | Call::RegisterBatch(_)
        | Call::Replace(_)
        | Call::Recovery(_)
        | Call::Claim(_)
        | Call::ServerClaims(_)
        | Call::Disclosure(_) => (&[], &[], &[]),
    };
    let in_time = in_time.iter().map(Evidence::Statement);
    let late = late.iter().map(Evidence::Late);
    in_time
        .chain(late)
        .chain(legacy.iter().map(Evidence::Legacy))
}

/// What one side said alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Claimed<'a> {
    /// A patient: that she signed in.
    Patient(&'a AuthResult),
    /// A server: that it refused a sign-in.
    Server(&'a ServerClaim),
}

/// A claim that a block took, and where it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Claim<'a> {
    /// Position of the transaction in the block.
    pub transaction: usize,
    /// Position of the claim in the transaction.
    pub entry: usize,
    /// What was said.
    pub claimed: Claimed<'a>,
}

/// The claims that these transactions brought, in order.
pub fn claimed<'a>(
    transactions: &'a [SignedTransaction],
    outcomes: &'a [Outcome],
) -> impl Iterator<Item = Claim<'a>> {
    let pairs = transactions.iter().zip(outcomes).enumerate();
    pairs.flat_map(|(transaction, (signed, outcome))| {
        claims_of(signed.call())
            .enumerate()
            .filter(|(entry, _)| outcome.refusal_of(*entry).is_none())
            .map(move |(entry, claimed)| Claim {
                transaction,
                entry,
                claimed,
            })
    })
}

/// The claims in a call.
fn claims_of(call: &Call) -> impl Iterator<Item = Claimed<'_>> {
    let (patients, servers): (&[AuthResult], &[ServerClaim]) = if let Call::Claim(result) = call {
        (std::slice::from_ref(result.as_ref()), &[])
    } else if let Call::ServerClaims(reports) = call {
        (&[], reports)
    } else {
        (&[], &[])
    };
    let patients = patients.iter().map(Claimed::Patient);
    patients.chain(servers.iter().map(Claimed::Server))
}
