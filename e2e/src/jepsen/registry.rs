//! The workload on the registry: clients of all members race to register, revoke and read the same few AIDs.
//!
//! What a read promises, and so what is checked of it:
//!
//! - every read names a certified height and answers with exactly the state after that block, whatever the node;
//! - a read that names a height which it must not be older than (`aidchain-known-height`) is answered from there or
//!   later, or not at all. Readers who pass on the highest height they were told (of a receipt, or of a read) see,
//!   together with all writes, a linearizable registry. The clients here do.
//! - a read that names none may be old, as old as its node is behind.

mod client;
mod signing;
mod truth;

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;

use bench::clock::Moment;
use bench::consortium::Consortium;
use contract::TransactionHash;

use super::linear::Span;
use super::register::Asked;
use crate::claims::Broken;
use crate::dice::Dice;

pub(super) use signing::Registrar;
pub(super) use truth::{Judged, judge};

/// Clients of each member.
const CLIENTS: u64 = 2;

/// One call of a client, as it remembers it.
#[derive(Debug, Clone)]
pub(super) struct Event {
    /// Which AID, by number.
    pub(super) key: u32,
    /// What was asked when, and what came of it.
    pub(super) span: Span<Asked>,
    /// The height that the answer is from.
    pub(super) height: Option<u64>,
    /// The transaction, if it was a write.
    pub(super) transaction: Option<TransactionHash>,
    /// Whether it asked for the newest state that any client knows of. All writes do.
    pub(super) fresh: bool,
}

/// What the clients share.
#[derive(Debug)]
struct Shared {
    /// Where times begin.
    began: Moment,
    stop: AtomicBool,
    /// The highest height that any client was told of.
    known: AtomicU64,
    /// Calls so far; numbers the records, and moves the clients on to new AIDs.
    calls: AtomicU64,
    events: Mutex<Vec<Event>>,
}

impl Shared {
    /// Nanoseconds since the beginning.
    fn now(&self) -> u64 {
        u64::try_from(self.began.elapsed().as_nanos()).unwrap_or(u64::MAX)
    }

    /// A client was told of a height.
    fn told(&self, height: Option<u64>) {
        self.known
            .fetch_max(height.unwrap_or_default(), Ordering::SeqCst);
    }
}

/// Running clients.
#[derive(Debug)]
pub(super) struct Workload {
    shared: Arc<Shared>,
    threads: Vec<JoinHandle<()>>,
}

impl Workload {
    /// Starts clients of these members.
    pub(super) fn start(
        members: &[usize],
        consortium: &Consortium,
        registrar: &Registrar,
        dice: &mut Dice,
    ) -> Result<Self, Broken> {
        let shared = Arc::new(Shared {
            began: Moment::now(),
            stop: AtomicBool::new(false),
            known: AtomicU64::new(0),
            calls: AtomicU64::new(0),
            events: Mutex::new(Vec::new()),
        });
        let mut threads = Vec::new();
        for member in members {
            let node = consortium.nodes.get(*member).ok_or("no such member")?;
            for _ in 0..CLIENTS {
                let seed = dice.below(u64::MAX);
                let client =
                    client::Client::new(node, registrar.clone(), Arc::clone(&shared), seed);
                threads.push(std::thread::spawn(move || client.run()));
            }
        }
        Ok(Self { shared, threads })
    }

    /// Lets every client finish its call and returns the history.
    pub(super) fn finish(mut self) -> Vec<Event> {
        self.shared.stop.store(true, Ordering::Relaxed);
        for thread in self.threads.drain(..) {
            // A client that panicked has lost its last call only, which then has no answer.
            drop(thread.join());
        }
        let events = self.shared.events.lock();
        events.map(|events| events.clone()).unwrap_or_default()
    }
}
