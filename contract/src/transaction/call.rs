//! What can be asked of the ledger.

use serde::{Deserialize, Serialize};

use crate::contracts::membership::MembershipChange;
use crate::encoding::Blob;
use crate::genesis::Parameters;
use crate::identity::{Aid, ChainId, ChangeId, HeaderHash, Height};
use crate::limits::REGISTRATIONS_MAX;
use crate::record::{
    AuthResult, DisclosureRequest, LegacyResult, LimbasiyaServer, Recovery, Registration,
    Replacement, ServerClaim, ServerRecord, WuRecord,
};
use crate::signature::Statement;

/// What is asked. The order is the wire number: new calls are appended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Call {
    /// `identity`: the RC registers a patient under AIDC-1.
    Register(Box<Registration>),
    /// `identity`: an AID may no longer sign in; by the RC, its own or its recovery key.
    Revoke(Aid),
    /// `identity`: the RC destroyed what resolves this AID.
    Shred(Aid),
    /// `identity`: the RC registers a patient under Wu-2021, ID in clear, as printed.
    WuRegister(WuRecord),
    /// `authlog`: sign-ins with the patients' statements, by the server named in them.
    Results(Vec<AuthResult>),
    /// `authlog`: sign-ins under a suite of the papers, by the server named in them.
    LegacyResults(Vec<LegacyResult>),
    /// `servers`: a server publishes its record for a new key epoch.
    SetServer(ServerRecord),
    /// `membership`: a member proposes a change, and approves it by that.
    ProposeChange(Box<MembershipChange>),
    /// `membership`: a further member approves a proposed change.
    ApproveChange(ChangeId),
    /// `membership`: the proposer closes its proposal; another member takes its approval back.
    CancelChange(ChangeId),
    /// `membership`: the holder of a new key of an approved change has the ledger up to here.
    Ready {
        /// The newest certified block that it has.
        height: Height,
        /// That block's header.
        header: HeaderHash,
    },
    /// `membership`: a member that lost its votes ends the epoch, with the same committee.
    Rejoin {
        /// Makes it distinct from every earlier one of this member.
        random: [u8; 16],
    },
    /// `evidence`: two signed votes of one member that contradict each other.
    Evidence(Blob),
    /// `identity`: the RC registers AIDs of several patients, shuffled.
    RegisterBatch(Vec<Registration>),
    /// `identity`: the RC puts one AID in another's place, as the patient's key agreed.
    Replace(Box<Replacement>),
    /// `identity`: one AID in another's place without a key of the patient.
    Recovery(RecoveryCall),
    /// `authlog`: a patient says that she signed in, and no server with her.
    Claim(Box<AuthResult>),
    /// `authlog`: sign-ins that come too late for the window, by the server named in them.
    LateResults(Vec<AuthResult>),
    /// `authlog`: a server says that it refused sign-ins.
    ServerClaims(Vec<ServerClaim>),
    /// `disclosure`: who resolves an AID to an ID, and why.
    Disclosure(DisclosureCall),
    /// `limbasiya`: the RC registers a server under Limbasiya-2020, with its place.
    LimbasiyaServer(LimbasiyaServer),
    /// `limbasiya`: the RC registers a user under Limbasiya-2020, by her UID alone.
    LimbasiyaUser(Aid),
}

/// The steps of a recovery.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum RecoveryCall {
    /// The RC's officer asks for it.
    Request(Box<Recovery>),
    /// Another member approves it: from now on the delay runs.
    Approve {
        /// The AID that ends.
        old: Aid,
        /// The AID that begins.
        new: Aid,
    },
    /// A key of the AID that would end forbids it, or the RC takes it back.
    Cancel(Aid),
    /// The delay is over: the AID ends, and the new one begins.
    Finish(Aid),
}

/// The steps of a disclosure.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum DisclosureCall {
    /// The RC's officer asks for it.
    Request(Box<DisclosureRequest>),
    /// Another member approves it: from now on it is a disclosure.
    Approve {
        /// The number of the request.
        number: u64,
        /// Whose ID it is about.
        aid: Aid,
    },
}

impl Call {
    /// A short name for texts and JSON.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Register(_) => "register",
            Self::Revoke(_) => "revoke",
            Self::Shred(_) => "shred",
            Self::WuRegister(_) => "wu-register",
            Self::Results(_) => "results",
            Self::LegacyResults(_) => "legacy-results",
            Self::SetServer(_) => "set-server",
            Self::ProposeChange(_) => "propose-change",
            Self::ApproveChange(_) => "approve-change",
            Self::CancelChange(_) => "cancel-change",
            Self::Ready { .. } => "ready",
            Self::Rejoin { .. } => "rejoin",
            Self::Evidence(_) => "evidence",
            Self::RegisterBatch(_) => "register-batch",
            Self::Replace(_) => "replace",
            Self::Recovery(RecoveryCall::Request(_)) => "request-recovery",
            Self::Recovery(RecoveryCall::Approve { .. }) => "approve-recovery",
            Self::Recovery(RecoveryCall::Cancel(_)) => "cancel-recovery",
            Self::Recovery(RecoveryCall::Finish(_)) => "finish-recovery",
            Self::Claim(_) => "claim",
            Self::LateResults(_) => "late-results",
            Self::ServerClaims(_) => "server-claims",
            Self::Disclosure(DisclosureCall::Request(_)) => "request-disclosure",
            Self::Disclosure(DisclosureCall::Approve { .. }) => "approve-disclosure",
            Self::LimbasiyaServer(_) => "limbasiya-server",
            Self::LimbasiyaUser(_) => "limbasiya-user",
        }
    }

    /// How many sign-in results it carries; claims are none.
    pub const fn result_count(&self) -> usize {
        match self {
            Self::Results(results) | Self::LateResults(results) => results.len(),
            Self::LegacyResults(results) => results.len(),
            Self::Register(_)
            | Self::Revoke(_)
            | Self::Shred(_)
            | Self::WuRegister(_)
            | Self::SetServer(_)
            | Self::ProposeChange(_)
            | Self::ApproveChange(_)
            | Self::CancelChange(_)
            | Self::Ready { .. }
            | Self::Rejoin { .. }
            | Self::Evidence(_)
            | Self::RegisterBatch(_)
            | Self::Replace(_)
            | Self::Recovery(_)
            | Self::Claim(_)
            | Self::ServerClaims(_)
            | Self::Disclosure(_)
            | Self::LimbasiyaServer(_)
            | Self::LimbasiyaUser(_) => 0,
        }
    }

    /// How many things it asks for that are judged one by one; none if it is no such call.
    pub const fn entry_count(&self) -> Option<usize> {
        match self {
            Self::Results(_) | Self::LateResults(_) | Self::LegacyResults(_) => {
                Some(self.result_count())
            }
            Self::RegisterBatch(registrations) => Some(registrations.len()),
            Self::ServerClaims(claims) => Some(claims.len()),
            Self::Register(_)
            | Self::Revoke(_)
            | Self::Shred(_)
            | Self::WuRegister(_)
            | Self::SetServer(_)
            | Self::ProposeChange(_)
            | Self::ApproveChange(_)
            | Self::CancelChange(_)
            | Self::Ready { .. }
            | Self::Rejoin { .. }
            | Self::Evidence(_)
            | Self::Replace(_)
            | Self::Recovery(_)
            | Self::Claim(_)
            | Self::Disclosure(_)
            | Self::LimbasiyaServer(_)
            | Self::LimbasiyaUser(_) => None,
        }
    }

    /// The most bytes of a transaction with this call, and the most entries in it.
    pub(super) fn limits(&self, limits: &Parameters) -> (usize, usize) {
        let wide = |limit| usize::try_from(limit).unwrap_or(usize::MAX);
        if matches!(self, Self::RegisterBatch(_)) {
            (wide(limits.transaction_bytes_max), REGISTRATIONS_MAX)
        } else if self.entry_count().is_some() {
            (
                wide(limits.bundle_bytes_max),
                wide(limits.bundle_results_max),
            )
        } else {
            (wide(limits.transaction_bytes_max), 0)
        }
    }

    /// The patients' statements in it, each under the key that is written beside it.
    pub(super) fn statements(&self, chain: &ChainId) -> Vec<Statement> {
        let results = if let Self::Results(results) | Self::LateResults(results) = self {
            results.as_slice()
        } else if let Self::Claim(result) = self {
            std::slice::from_ref(result.as_ref())
        } else {
            &[]
        };
        results.iter().map(|one| one.statement(chain)).collect()
    }
}
