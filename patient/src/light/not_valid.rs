//! Why a receipt does not prove what it claims.

use consensus::CommitteeError;
use contract::encoding::Malformed;
use contract::genesis::Kind;
use contract::identity::{BlockTime, ChainId, Height};
use contract::outcome::Refused;
use contract::receipt::NotIncluded;
use thiserror::Error;

use super::Step;
use crate::code::Code;

/// The first check that failed.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum NotValid {
    /// It is about another ledger than the trusted one.
    #[error("the receipt is from ledger {receipt}, you trust {trusted}")]
    OtherLedger {
        /// The ledger it names.
        receipt: ChainId,
        /// The ledger of the genesis file.
        trusted: ChainId,
    },
    /// It claims another kind of ledger.
    #[error("the receipt says it is from a {receipt} ledger, yours is a {trusted} one")]
    OtherKind {
        /// The kind it names.
        receipt: Kind,
        /// The kind in the genesis file.
        trusted: Kind,
    },
    /// The content, a path or the header was changed.
    #[error("{0}: the content was changed after signing")]
    Inclusion(#[from] NotIncluded),
    /// The version of the header is not one that this program reads.
    #[error("header version {0}, this program reads version 1")]
    HeaderVersion(u16),
    /// The contract refused the transaction, so nothing was recorded.
    #[error("the contract refused the transaction: {0}")]
    Refused(Refused),
    /// The header of a finished epoch cannot be read.
    #[error("the header that ends epoch {epoch}: {problem}")]
    EpochHeader {
        /// Which epoch.
        epoch: usize,
        /// What is wrong.
        problem: Malformed,
    },
    /// The header of a finished epoch is of another ledger, epoch, version or height than it must be.
    #[error("the header that ends epoch {epoch} does not belong there")]
    EpochMismatch {
        /// Which epoch.
        epoch: usize,
    },
    /// The next committee is not the one that the ended epoch named.
    #[error("the committee after epoch {epoch} is not the one that epoch's last header names")]
    OtherCommittee {
        /// Which epoch ended.
        epoch: usize,
    },
    /// The keys of a committee cannot be used.
    #[error("the committee of epoch {epoch}: {problem}")]
    Committee {
        /// Which epoch.
        epoch: usize,
        /// What is wrong with it.
        problem: CommitteeError,
    },
    /// The end of an epoch is not signed by its committee.
    #[error("the end of epoch {epoch} is not certified: {problem}")]
    EpochCertificate {
        /// Which epoch.
        epoch: usize,
        /// What is wrong.
        problem: BadCertificate,
    },
    /// The proofs lead to another epoch than the header's.
    #[error("the header is of epoch {header}, the proofs lead to epoch {proved}")]
    EpochsMissing {
        /// The header's epoch.
        header: u32,
        /// The epoch that the proofs reach.
        proved: usize,
    },
    /// The committee of the header's epoch did not sign it.
    #[error("{0}")]
    Certificate(BadCertificate),
    /// The block's time lies ahead of this machine's clock.
    #[error("the block's time is {}, this machine's clock says {}", crate::utc::text(.time.get()), crate::utc::text(.now.get()))]
    Future {
        /// The certified time.
        time: BlockTime,
        /// This machine's time.
        now: BlockTime,
    },
    /// It is genuine, and about something else.
    #[error("expected {what} {expected}, the receipt has {found}")]
    NotExpected {
        /// What was compared.
        what: &'static str,
        /// What was asked for.
        expected: String,
        /// What it says.
        found: String,
    },
}

/// Why signatures do not certify a header.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum BadCertificate {
    /// The certificate names another epoch or height than the header.
    #[error("the certificate is for epoch {epoch}, height {height}; the header is not")]
    OtherBlock {
        /// Its epoch.
        epoch: u32,
        /// Its height.
        height: Height,
    },
    /// Fewer signatures than a quorum.
    #[error("{found} signatures, a quorum of this committee is {quorum}")]
    TooFew {
        /// How many there are.
        found: usize,
        /// How many are needed.
        quorum: usize,
    },
    /// A member signs twice, or the members are not in ascending order.
    #[error("member {0} is listed twice or out of order")]
    NotAscending(u16),
    /// A signer has no place in the committee.
    #[error("there is no member {member} in a committee of {size}")]
    NotAMember {
        /// The place it claims.
        member: u16,
        /// The size of the committee.
        size: usize,
    },
    /// A signature is not its member's over this header.
    #[error("the signature of {0} does not check")]
    Signature(String),
}

impl NotValid {
    /// The step that failed.
    pub const fn step(&self) -> Step {
        match self {
            Self::OtherLedger { .. } | Self::OtherKind { .. } => Step::Ledger,
            Self::Inclusion(_) | Self::HeaderVersion(_) => Step::Inclusion,
            Self::Refused(_) => Step::Content,
            Self::Certificate(_) => Step::Signatures,
            Self::EpochHeader { .. }
            | Self::EpochMismatch { .. }
            | Self::OtherCommittee { .. }
            | Self::Committee { .. }
            | Self::EpochCertificate { .. }
            | Self::EpochsMissing { .. } => Step::Members,
            Self::Future { .. } => Step::Time,
            Self::NotExpected { .. } => Step::Expected,
        }
    }

    /// The code of the error.
    pub const fn code(&self) -> Code {
        match self.step() {
            Step::Ledger => Code::ReceiptOfOtherLedger,
            Step::Content => Code::NotARecord,
            Step::Inclusion => Code::InclusionFails,
            Step::Signatures => Code::CertificateFails,
            Step::Members => Code::EpochProofFails,
            Step::Time => Code::FutureReceipt,
            Step::Expected => Code::NotAsExpected,
        }
    }
}
