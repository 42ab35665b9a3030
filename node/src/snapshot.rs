//! Taking over a ledger without executing it from its beginning: snapshots and backups.
//!
//! # What a snapshot is
//!
//! A snapshot at height h is what a node needs to go on from h and to check everything above it,
//! and nothing in it is believed ([`proof`]):
//!
//! 1. **epoch proofs** from the genesis file to the committee of h, the **header** of h and its
//!    **certificate**;
//! 2. the **state** after h against the header's state root, as subtrees that each have a hash
//!    known beforehand ([`contract::state::StatePart`]);
//! 3. all **header hashes** 0..h against the history root, in parts of 32,768 that each have a root
//!    known beforehand;
//! 4. the **blocks** of the replay window with their outcomes, each against its header and that
//!    against the hashes, down to the first block older than the window.
//!
//! So every part is checked on its own the moment it comes. A member that sends something false is
//! found at its first false part and not asked again, one that is late is asked last, and what it
//! left undone is asked of the next ([`fetch`]).
//!
//! # How it is served while the ledger moves
//!
//! The state tree is versioned by height, and entries that a block made stale are deleted only when
//! neither of the two newest snapshots needs them. Heights that are multiples of
//! [`SNAPSHOT_EVERY`](crate::store::SNAPSHOT_EVERY) are offered, the newest certified one first;
//! each is served until two newer ones exist, and read from the store answer by answer
//! ([`serve`]). Nothing is copied, paused or locked.
//!
//! # When it is taken
//!
//! Only before the node's parts start (`node/src/node/joining.rs`): the ledger's folder is replaced as a whole
//! ([`install`]), and everything after that is a start like any other. A running node that finds
//! itself further behind than a snapshot is worth, or whose peers have pruned the blocks that it
//! lacks, stops its parts and starts again ([`decide`]). It votes only when the replica starts, and that is after
//! the replay window is complete.
//!
//! # After a crash
//!
//! What was taken lies in [`staging`], is checked again like any answer, and is not asked for twice.

pub mod archive;
pub mod decide;
pub mod fetch;
pub mod install;
pub mod inventory;
pub mod peers;
pub mod proof;
pub mod serve;
pub mod staging;
pub mod wire;
