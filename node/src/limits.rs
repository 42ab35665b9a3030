//! Every bound of the node in one place: what a peer, a client or a slow disk can make it hold, and for how long it waits.
//!
//! Limits that all members must share (batch size, window, shares) are parameters of the ledger: `contract` names them, the
//! genesis file begins with them, and the members may change them for a next epoch ([`crate::term::Term::rules`]).

use std::time::Duration;

/// Longest frame on a consensus stream, its payload in octets: 16 MiB.
pub const FRAME: usize = 16 * 1024 * 1024;

/// Longest frame with one submitted transaction: the longest bundle of results that members may ever agree on, 1 MiB.
pub const TRANSACTION_FRAME: usize = 1024 * 1024;

/// Frames a peer's queue may hold before the newest are dropped, in octets: 8 MiB. STATUS makes dropped votes good.
pub const PEER_QUEUE_BYTES: usize = 8 * 1024 * 1024;

/// Frames a peer's queue may hold, whatever their size.
pub const PEER_QUEUE_FRAMES: usize = 16_384;

/// Octets gathered into one write to a peer's stream before the next write starts.
pub const WRITE_COALESCE: usize = 256 * 1024;

/// From this size on a payload is written to the stream as it is, not copied into the gathered write.
pub const LARGE_PAYLOAD: usize = 32 * 1024;

/// Frames read from one peer that wait for their signatures to be checked. A full queue stops reading that peer's stream.
pub const INBOUND_FRAMES: usize = 1_024;

/// Inputs that wait for the driver, over all peers.
pub const DRIVER_INPUTS: usize = 8_192;

/// Most inputs the driver steps before it makes their records durable with one flush.
pub const DRIVER_DRAIN: usize = 512;

/// Requests to close a connection that wait for the network task.
pub const NETWORK_COMMANDS: usize = 256;

/// How long a dial may take.
pub const DIAL_TIMEOUT: Duration = Duration::from_secs(1);

/// Mean pause between two dials of a missing member; it never grows.
pub const REDIAL: Duration = Duration::from_millis(500);

/// Largest deviation from [`REDIAL`], so that two members do not dial each other in step for ever.
pub const REDIAL_JITTER: Duration = Duration::from_millis(150);

/// How often a connection pings while it waits for something.
pub const PING_BUSY: Duration = Duration::from_secs(1);

/// How often an idle connection pings.
pub const PING_IDLE: Duration = Duration::from_secs(15);

/// A connection without an inbound frame for this long while something is outstanding is closed.
pub const SILENCE: Duration = Duration::from_secs(3);

/// Established connections with one member: two for the moment in which both sides dialled.
pub const CONNECTIONS_PER_PEER: u32 = 2;

/// Connections that are still in their handshake, over all addresses.
pub const PENDING_INCOMING: u32 = 64;

/// Established inbound connections over all members (31 members, two each, and room for the moment of replacement).
pub const ESTABLISHED_INCOMING: u32 = 128;

/// A sync request in octets.
pub const SYNC_REQUEST: u32 = 64;

/// A sync answer in octets: whole blocks, so a little above one full block.
pub const SYNC_ANSWER: u32 = 8 * 1024 * 1024;

/// Blocks in one sync answer.
pub const SYNC_BLOCKS: u16 = 64;

/// How long one peer may take to answer a sync request.
pub const SYNC_TIMEOUT: Duration = Duration::from_secs(5);

/// Sync requests of one peer that are answered at the same time.
pub const SYNC_STREAMS: usize = 4;

/// How long after an answer to somebody in an ended epoch, or without a seat, he gets the next one.
pub const LATECOMER_PAUSE: Duration = Duration::from_millis(50);

/// How long members are asked for the certified header of a block whose result here is another one.
pub const HEADER_TIMEOUT: Duration = Duration::from_secs(3);

/// How often they are asked meanwhile.
pub const HEADER_RETRY: Duration = Duration::from_millis(100);

/// Verdicts on signatures that the edge remembers, so that each node checks each signature once.
pub const KNOWN_VERDICTS: usize = 262_144;

/// Octets of checked batches that are kept until they are executed: 4 MiB. Others are read again.
pub const CHECKED_BATCHES: usize = 4 * 1024 * 1024;

/// Submitted transactions that wait to be sent to the other members.
pub const OUTLET: usize = 4_096;

/// Octets of waiting transactions that are sent again to a member that is back.
pub const GREETING: usize = 2 * 1024 * 1024;

/// How long the parts have to finish after SIGTERM before the process leaves anyway.
pub const SHUTDOWN: Duration = Duration::from_millis(4_500);

/// Contradictions that wait to be told to the ledger; further ones are dropped.
pub const EVIDENCE_WAITING: usize = 64;
