//! Every bound of the listeners in one place.

use std::time::Duration;

/// Connections that the patient API serves at once; further ones wait in the backlog of the system.
pub const API_CONNECTIONS: usize = 1_024;
/// Connections that the member API and explorer serve at once.
pub const MEMBER_CONNECTIONS: usize = 256;
/// Connections that the operations listener serves at once.
pub const OPERATIONS_CONNECTIONS: usize = 32;
/// How long a client may take for the TLS handshake.
pub const TLS_TIMEOUT: Duration = Duration::from_secs(5);
/// How long a client may take for the head of a request; also how long an idle connection is kept.
pub const HEAD_TIMEOUT: Duration = Duration::from_secs(30);
/// How long a request may take in all, streams of events excepted.
pub const REQUEST_TIMEOUT: Duration = Duration::from_secs(35);
/// Bytes of a request's head.
pub const HEAD_BYTES: usize = 16 << 10;
/// Bytes of a suite's message (Me1 of Wu-2021 with its templates is the longest).
pub const MESSAGE_BYTES: usize = 16 << 10;
/// Bytes of an application to the RC: sixteen AIDs, an ID, a lock.
pub const APPLICATION_BYTES: usize = 1 << 10;
/// Bytes of a deal to one of 31 evaluators.
pub const DEAL_BYTES: usize = 4 << 10;
/// Bytes of what an officer sends to the desk.
pub const DESK_BYTES: usize = 16 << 10;
/// Bytes of a submitted transaction: the longest bundle that a genesis file may allow.
pub const TRANSACTION_BYTES: usize = 1 << 20;
/// Bytes of a form.
pub const FORM_BYTES: usize = 1 << 10;
/// How long an answer waits for a certificate.
pub const WAIT: Duration = Duration::from_secs(5);
/// How long a sign-in waits for this node to reach the block that the terminal knows.
pub const CATCH_UP: Duration = Duration::from_secs(2);
/// How long an answer may wait when the client asks for it.
pub const WAIT_MAX: Duration = Duration::from_secs(30);
/// Sign-ins and registrations remembered until they are on the ledger or expired.
pub const PENDING: usize = 16_384;
/// How long they are remembered: the replay window, after which they cannot come any more.
pub const PENDING_MS: u64 = 150_000;
/// Transactions are valid for this long after they are made.
pub const VALID_FOR_MS: u64 = 60_000;
/// Streams of events served at once.
pub const EVENT_STREAMS: usize = 64;
/// Rows of an API page, when the client does not say.
pub const PAGE: usize = 20;
/// Rows of an API page at most.
pub const PAGE_MAX: usize = 200;
/// Sign-ins of one page of a patient's history.
pub const HISTORY_MAX: usize = 100;
/// Octets of the transactions in the receipts of one page of a patient's history.
pub const HISTORY_BYTES: usize = 4 << 20;
/// Rows of one export.
pub const EXPORT_MAX: usize = 100_000;
/// How long connections may finish their requests once the node stops.
pub const DRAIN: Duration = Duration::from_secs(2);
