//! The loop: event → step → effects. One thread of its own owns the replica by value.
//!
//! All inputs that wait are stepped before their records are made durable with one flush; only then does anything leave.
//! The loop sleeps until an event, a timer or a submission wakes it, or those without a seat are to be told again.

mod publish;
pub mod succession;

use std::time::Duration;

use consensus::{CheckpointCertificate, Digest, Ed25519, Input, Message, Proposed, Replica, Time};
use contract::Root;
use tokio::sync::{mpsc, watch};
use tracing::debug;

use crate::{
    clock::Clock,
    executor::Reply,
    host::{Host, HostError},
    limits,
    mempool::Mempool,
    network::MemberIndex,
};

pub use publish::Publisher;
pub use succession::{Claims, Succession};

/// How often those without a seat are told how far the ledger is.
const REMIND: Duration = Duration::from_secs(2);

/// What can happen to a driver.
#[derive(Debug)]
pub enum Event {
    /// Something for the replica.
    Input(Box<Input>),
    /// There is a new connection to a peer.
    Reconnected(MemberIndex),
    /// What a peer asked for that is in another epoch, or has no seat in this one.
    Answer(MemberIndex, Vec<consensus::Frame>),
    /// What was noticed of members has changed.
    Noticed,
}

impl Event {
    /// Something for the replica.
    pub fn of(input: Input) -> Self {
        Self::Input(Box::new(input))
    }
}

/// What a driver listens to.
#[derive(Debug)]
pub struct Channels {
    /// The edge and the fetcher.
    pub events: mpsc::Receiver<Event>,
    /// The executor.
    pub replies: mpsc::UnboundedReceiver<Reply>,
    /// Turns true when the node stops.
    pub stop: watch::Receiver<bool>,
}

/// Why a driver ended.
#[derive(Debug)]
pub enum Ended {
    /// It was told to.
    Stopped,
    /// It cannot go on without breaking a promise.
    Failed(HostError),
}

/// What surrounds a replica.
#[derive(Debug)]
pub struct Parts {
    /// Performs effects.
    pub host: Host,
    /// What waits to be ordered.
    pub pool: Mempool,
    /// The clocks.
    pub clock: Clock,
    /// Tells everybody how it stands.
    pub publisher: Publisher,
    /// Makes the next epoch's replica.
    pub succession: Succession,
}

/// The replica with everything that surrounds it.
#[derive(Debug)]
pub struct Driver {
    replica: Replica<Ed25519>,
    host: Host,
    pool: Mempool,
    clock: Clock,
    publisher: Publisher,
    succession: Succession,
    pending: consensus::Pending,
    /// When those without a seat were last told how far the ledger is.
    reminded: Time,
}

impl Driver {
    /// A driver of a recovered replica, whose first effects are performed at once.
    pub fn new(replica: Replica<Ed25519>, parts: Parts) -> Self {
        let Parts {
            host,
            pool,
            clock,
            publisher,
            succession,
        } = parts;
        Self {
            replica,
            host,
            pool,
            clock,
            publisher,
            succession,
            pending: consensus::Pending::default(),
            reminded: clock.now(),
        }
    }

    /// Runs until it is told to stop or cannot go on.
    pub async fn run(mut self, first: consensus::Effects, channels: Channels) -> Ended {
        let Channels {
            mut events,
            mut replies,
            mut stop,
        } = channels;
        if let Err(error) = self.begin(first) {
            return Ended::Failed(error);
        }
        let changed = self.pool.changed();
        loop {
            let pause = self.pause();
            let taken = tokio::select! {
                biased;
                _ = stop.wait_for(|stop| *stop) => break,
                Some(reply) = replies.recv() => self.hear(reply, &mut replies),
                Some(event) = events.recv() => self.take(event, &mut events),
                () = changed.notified() => Ok(()),
                () = tokio::time::sleep(pause) => Ok(()),
            };
            if let Err(error) = taken.and_then(|()| self.round()) {
                return Ended::Failed(explained(error, &mut replies));
            }
        }
        match self.host.commit() {
            Ok(()) => Ended::Stopped,
            Err(error) => Ended::Failed(explained(error, &mut replies)),
        }
    }

    /// Performs what recovery brought about.
    fn begin(&mut self, first: consensus::Effects) -> Result<(), HostError> {
        self.host.perform(first)?;
        self.round()
    }

    /// Steps an event and all that wait behind it.
    fn take(&mut self, event: Event, events: &mut mpsc::Receiver<Event>) -> Result<(), HostError> {
        self.on_event(event)?;
        for _ in 1..limits::DRIVER_DRAIN {
            let Ok(event) = events.try_recv() else {
                break;
            };
            self.on_event(event)?;
        }
        Ok(())
    }

    /// What the executor says, and all that it has said since: their CHECKPOINTs share one flush.
    fn hear(
        &mut self,
        reply: Reply,
        replies: &mut mpsc::UnboundedReceiver<Reply>,
    ) -> Result<(), HostError> {
        self.on_reply(reply)?;
        for _ in 1..limits::DRIVER_DRAIN {
            let Ok(reply) = replies.try_recv() else {
                break;
            };
            self.on_reply(reply)?;
        }
        Ok(())
    }

    /// One event.
    fn on_event(&mut self, event: Event) -> Result<(), HostError> {
        match event {
            Event::Input(input) => self.step(*input).map(drop),
            Event::Reconnected(peer) => {
                self.host.greet(peer);
                self.ask(peer)
            }
            Event::Answer(peer, frames) => {
                self.host.answer(peer, &frames);
                Ok(())
            }
            Event::Noticed => {
                self.publisher.touch();
                Ok(())
            }
        }
    }

    /// What the executor says.
    fn on_reply(&mut self, reply: Reply) -> Result<(), HostError> {
        match reply {
            Reply::Executed {
                seq,
                header,
                epoch_end,
                transactions,
                results,
            } => {
                self.publisher.executed(transactions, results);
                self.step(Input::Executed {
                    seq,
                    header,
                    epoch_end,
                })
                .map(drop)
            }
            Reply::Durable(height) => self.host.release(self.replica.settled(), height),
            Reply::WrittenDown(mismatch) => Err(HostError::Diverged(mismatch)),
            Reply::Failed(error) => Err(HostError::Executor(error)),
        }
    }

    /// One step of the replica. False if it did not take the input.
    fn step(&mut self, input: Input) -> Result<bool, HostError> {
        let proposed = proposed(&input);
        let taken = match self.replica.step(self.clock.now(), input) {
            Ok(effects) => {
                self.publisher.touch();
                self.host.perform(effects)?;
                true
            }
            Err(rejected) => {
                debug!(%rejected, "input dropped");
                false
            }
        };
        if let Some(digest) = proposed.filter(|digest| self.replica.is_under_way(*digest)) {
            self.pool.proposed(&Root::new(*digest.as_bytes()));
        }
        Ok(taken)
    }

    /// Tells the replica that a member can be reached: it says there where it stands.
    fn ask(&mut self, peer: MemberIndex) -> Result<(), HostError> {
        if let Some(place) = self.succession.term().place(peer) {
            return self.step(Input::Reconnected(place)).map(drop);
        }
        self.inform(peer);
        Ok(())
    }

    /// Tells one without a seat how far the ledger is, so that he asks for what he lacks.
    fn inform(&self, peer: MemberIndex) {
        let newest = self.succession.newest().map(consensus::Frame::Stable);
        self.host.answer(peer, newest.as_slice());
    }

    /// Tells those without a seat again: what is sent while two connections become one is lost, and nobody misses a
    /// block of which he never heard.
    fn remind(&mut self) {
        let now = self.clock.now();
        if now.since(self.reminded) < REMIND {
            return;
        }
        self.reminded = now;
        let term = self.succession.term();
        for peer in self.host.reachable() {
            if term.place(peer).is_none() {
                self.inform(peer);
            }
        }
    }

    /// Everything that is due, in this epoch and in those that begin meanwhile.
    fn round(&mut self) -> Result<(), HostError> {
        self.one_round()?;
        while let Some(ended) = self.replica.ended().cloned() {
            self.go_on(&ended)?;
            self.one_round()?;
        }
        Ok(())
    }

    /// Goes on to the next epoch. What the others said there meanwhile was refused here, so all are asked.
    fn go_on(&mut self, ended: &CheckpointCertificate) -> Result<(), HostError> {
        let now = self.clock.now();
        let (replica, effects, term) = self.succession.next(self.host.log(), ended, now)?;
        self.pool.enter(&term.rules);
        self.host.enter(term)?;
        self.replica = replica;
        self.pending = consensus::Pending::default();
        self.publisher.touch();
        self.host.perform(effects)?;
        for peer in self.host.reachable() {
            self.ask(peer)?;
        }
        Ok(())
    }

    /// Timers, pool and proposals; then one flush, then everything that waited for it.
    fn one_round(&mut self) -> Result<(), HostError> {
        for timer in self.host.expired(self.clock.now()) {
            self.step(Input::Expired(timer))?;
        }
        self.tell_pending()?;
        self.propose()?;
        self.host.flush()?;
        // Before certificates go to the executor: it tells those who wait, and they may ask for the status next.
        self.publisher
            .publish(&self.replica, self.host.diverged(), self.pool.size());
        self.host.commit()?;
        self.remind();
        self.host.tidy(&self.replica)
    }

    /// Tells the replica of the pool's oldest transaction when it has changed.
    fn tell_pending(&mut self) -> Result<(), HostError> {
        let pending = self.pool.pending();
        if pending == self.pending {
            return Ok(());
        }
        self.pending = pending;
        self.step(Input::Pending(pending)).map(drop)
    }

    /// Hands in batches while the replica wants any.
    fn propose(&mut self) -> Result<(), HostError> {
        while let Some(want) = self.replica.wants_batch() {
            let Some(batch) = self.host.cut(want) else {
                break;
            };
            let back = batch.batch().clone();
            if !self.step(Input::Batch(batch))? {
                self.pool.returned(back.bytes());
                break;
            }
        }
        Ok(())
    }

    /// How long nothing has to be done unless something happens.
    fn pause(&self) -> Duration {
        let timers = self.host.pause(self.clock.now());
        timers.min(self.publisher.pause()).min(REMIND)
    }
}

/// The error to tell: an executor that is gone has said why before it went.
fn explained(error: HostError, replies: &mut mpsc::UnboundedReceiver<Reply>) -> HostError {
    if !matches!(error, HostError::ExecutorGone(_)) {
        return error;
    }
    while let Ok(reply) = replies.try_recv() {
        if let Reply::Failed(cause) = reply {
            return HostError::Executor(cause);
        }
        if let Reply::WrittenDown(mismatch) = reply {
            return HostError::Diverged(mismatch);
        }
    }
    error
}

/// The batch that an input proposes, if the vote-time check found it good.
const fn proposed(input: &Input) -> Option<Digest> {
    let Input::Message(Message::PrePrepare(_, Proposed::Valid(batch))) = input else {
        return None;
    };
    Some(batch.batch().digest())
}

#[cfg(test)]
mod tests {
    use consensus::Seq;

    use super::*;
    use crate::executor::{ExecutorError, Gone};

    #[test]
    fn an_executor_that_is_gone_is_explained_by_what_it_said_last() {
        let (sender, mut replies) = mpsc::unbounded_channel();
        sender.send(Reply::Durable(Seq::new(1))).unwrap();
        let cause = ExecutorError::Panicked {
            what: "a page that is no page".to_owned(),
        };
        sender.send(Reply::Failed(cause)).unwrap();

        let told = explained(HostError::ExecutorGone(Gone), &mut replies);
        let unexplained = explained(HostError::ExecutorGone(Gone), &mut replies);

        assert!(
            matches!(&told, HostError::Executor(ExecutorError::Panicked { .. })),
            "{told}"
        );
        assert!(
            matches!(unexplained, HostError::ExecutorGone(Gone)),
            "{unexplained}"
        );
    }
}
