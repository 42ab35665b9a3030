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
/// The most contracts in the registry.
pub const CONTRACTS_MAX: usize = 64;
/// The most parameters that one change may name.
pub const PARAMETER_CHANGES_MAX: usize = 32;
/// The longest evidence of a contradiction.
pub const EVIDENCE_BYTES_MAX: usize = 512;
/// The most entries about one member in one epoch; more prove nothing more.
pub const EVIDENCE_PER_MEMBER_MAX: u32 = 64;
/// The longest sealed ID of a patient's record.
pub const SEALED_ID_BYTES_MAX: usize = 256;
/// The most registrations in one transaction: as many AIDs as one patient gets, and with sealed
/// IDs of 112 bytes within the default 8 KiB.
pub const REGISTRATIONS_MAX: usize = 16;
/// How long a recovery waits for its approval, and an approved one, after its delay, to be
/// finished; in milliseconds of block time.
pub const RECOVERY_LIFE_MS: u64 = 7 * 24 * 3_600_000;
/// For how long receipts say that an AID was recovered without a key of the patient.
pub const RECOVERY_NOTICE_MS: u64 = 30 * 24 * 3_600_000;
/// How old a session may be that is claimed or recorded late.
pub const LATE_PAST_MS: u64 = 30 * 24 * 3_600_000;
/// The most claims of one AID that take a place.
pub const CLAIMS_OPEN_MAX: usize = 16;
/// How long an unanswered claim takes a place.
pub const CLAIM_LIFE_MS: u64 = 24 * 3_600_000;
/// The longest key epoch of a server that its own record may ask for.
pub const KEY_EPOCH_MS_MAX: u64 = 31 * 24 * 3_600_000;
/// How long a request for a disclosure waits for its approval.
pub const DISCLOSURE_LIFE_MS: u64 = 24 * 3_600_000;
/// The most requests for disclosures that wait at a time.
pub const DISCLOSURES_OPEN_MAX: usize = 64;
/// The longest name of an officer.
pub const OFFICER_NAME_LENGTH_MAX: usize = 32;
/// The most suites a server's record may name.
pub const SERVER_SUITES_MAX: usize = 8;
/// The longest ID of a Wu-2021 registration (W-16).
pub const WU_ID_BYTES_MAX: usize = 64;
/// The longest name or place of a server of Limbasiya-2020 (L-5).
pub const LIMBASIYA_WORD_BYTES_MAX: usize = 32;
/// The longest encoded outcome: one refusal for each result of the largest bundle.
pub const OUTCOME_BYTES_MAX: usize = 128 << 10;
/// The longest encoded state proof: 256 siblings and the largest value.
pub const STATE_PROOF_BYTES_MAX: usize = 64 << 10;
/// The longest encoded part of a state on the way to another node: a little more than senders make
/// them, and a single value of any contract fits.
pub const STATE_PART_BYTES_MAX: usize = 2 << 20;
/// The longest encoded history: 64 peaks.
pub const HISTORY_BYTES_MAX: usize = 4 << 10;
/// A path in a tree is never longer: a tree has fewer than 2^64 leaves.
pub const PATH_LENGTH_MAX: usize = 64;
