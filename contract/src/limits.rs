//! Every limit of the ledger's wire forms that is not a genesis parameter.

/// No encoded value of the ledger is longer, whatever the caller's own limit says.
pub const ENCODED_BYTES_MAX: usize = 16 << 20;
/// The longest genesis file.
pub const GENESIS_BYTES_MAX: usize = 16 << 20;
/// The most members of a consortium in this version (CONSENSUS.md §4, Bounds).
pub const MEMBERS_MAX: usize = 31;
/// The longest name of a member or a consortium.
pub const NAME_LENGTH_MAX: usize = 64;
/// The longest address of a member.
pub const ADDRESS_LENGTH_MAX: usize = 256;
/// The longest name of a contract.
pub const CONTRACT_NAME_LENGTH_MAX: usize = 32;
/// The longest sealed ID of a patient's record.
pub const SEALED_ID_BYTES_MAX: usize = 256;
/// The most suites a server's record may name.
pub const SERVER_SUITES_MAX: usize = 8;
/// The longest ID of a Wu-2021 registration (W-16).
pub const WU_ID_BYTES_MAX: usize = 64;
/// The longest encoded outcome: one refusal for each result of the largest bundle.
pub const OUTCOME_BYTES_MAX: usize = 128 << 10;
/// The longest encoded state proof: 256 siblings and the largest value.
pub const STATE_PROOF_BYTES_MAX: usize = 64 << 10;
/// The longest encoded history: 64 peaks.
pub const HISTORY_BYTES_MAX: usize = 4 << 10;
/// A path in a tree is never longer: a tree has fewer than 2^64 leaves.
pub const PATH_LENGTH_MAX: usize = 64;
