//! The frames that wait for one member: votes before transactions, bounded in octets and in number.

use std::sync::{
    Arc,
    atomic::{AtomicBool, AtomicUsize, Ordering},
};

use tokio::sync::mpsc;

use super::frame::{Frame, Kind};
use crate::limits;

/// Why a frame was not queued.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Dropped {
    /// No connection: STATUS will ask again.
    Absent,
    /// The member reads more slowly than we write.
    Full,
}

impl Dropped {
    /// Its name in metrics.
    pub(super) const fn reason(self) -> &'static str {
        match self {
            Self::Absent => "absent",
            Self::Full => "full",
        }
    }
}

/// What both ends share.
#[derive(Debug, Default)]
struct Shared {
    open: AtomicBool,
    bytes: AtomicUsize,
}

/// The end that fills.
#[derive(Clone, Debug)]
pub(super) struct Queue {
    votes: mpsc::Sender<Frame>,
    bulk: mpsc::Sender<Frame>,
    shared: Arc<Shared>,
}

/// The end that empties: exactly one, at the member's writer.
#[derive(Debug)]
pub(super) struct Drain {
    votes: mpsc::Receiver<Frame>,
    bulk: mpsc::Receiver<Frame>,
    shared: Arc<Shared>,
}

impl Queue {
    /// Both ends of a queue, closed.
    pub(super) fn new() -> (Self, Drain) {
        let (votes, votes_out) = mpsc::channel(limits::PEER_QUEUE_FRAMES);
        let (bulk, bulk_out) = mpsc::channel(limits::PEER_QUEUE_FRAMES);
        let shared = Arc::new(Shared::default());
        let drain = Drain {
            votes: votes_out,
            bulk: bulk_out,
            shared: Arc::clone(&shared),
        };
        (
            Self {
                votes,
                bulk,
                shared,
            },
            drain,
        )
    }

    /// Whether a writer empties it.
    pub(super) fn is_open(&self) -> bool {
        self.shared.open.load(Ordering::Acquire)
    }

    /// Puts a frame in without waiting.
    pub(super) fn push(&self, frame: Frame) -> Result<(), Dropped> {
        if !self.is_open() {
            return Err(Dropped::Absent);
        }
        let size = frame.size();
        let before = self.shared.bytes.fetch_add(size, Ordering::AcqRel);
        let fits = before == 0 || before.saturating_add(size) <= limits::PEER_QUEUE_BYTES;
        let lane = match frame.kind {
            Kind::Transaction => &self.bulk,
            Kind::Ping | Kind::Pong | Kind::Consensus => &self.votes,
        };
        if fits && lane.try_send(frame).is_ok() {
            return Ok(());
        }
        self.shared.bytes.fetch_sub(size, Ordering::AcqRel);
        Err(Dropped::Full)
    }
}

impl Drain {
    /// Lets frames in.
    pub(super) fn open(&self) {
        self.shared.open.store(true, Ordering::Release);
    }

    /// Keeps frames out and forgets those that wait.
    pub(super) fn close(&mut self) {
        self.shared.open.store(false, Ordering::Release);
        while self.pop().is_some() {}
    }

    /// The next frame, votes first; waits for one. `None` when all queues are gone.
    pub(super) async fn next(&mut self) -> Option<Frame> {
        let frame = tokio::select! {
            biased;
            frame = self.votes.recv() => frame,
            frame = self.bulk.recv() => frame,
        };
        frame.inspect(|frame| self.forget(frame))
    }

    /// The next frame if there is one.
    pub(super) fn pop(&mut self) -> Option<Frame> {
        let frame = self
            .votes
            .try_recv()
            .or_else(|_| self.bulk.try_recv())
            .ok()?;
        self.forget(&frame);
        Some(frame)
    }

    /// Takes a frame's octets off the count.
    fn forget(&self, frame: &Frame) {
        self.shared.bytes.fetch_sub(frame.size(), Ordering::AcqRel);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn vote(octets: usize) -> Frame {
        Frame::new(Kind::Consensus, vec![0; octets])
    }

    #[test]
    fn frames_for_an_absent_member_are_dropped() {
        let (queue, mut drain) = Queue::new();
        assert_eq!(queue.push(vote(1)), Err(Dropped::Absent));
        drain.open();
        assert_eq!(queue.push(vote(1)), Ok(()));
        drain.close();
        assert_eq!(queue.push(vote(1)), Err(Dropped::Absent));
        assert!(drain.pop().is_none(), "what waited is forgotten");
    }

    #[test]
    fn c12_a_queue_takes_its_octets_and_no_more_until_it_is_drained() {
        let (queue, mut drain) = Queue::new();
        drain.open();
        let half = limits::PEER_QUEUE_BYTES / 2 - super::super::frame::HEADER;
        assert_eq!(queue.push(vote(half)), Ok(()));
        assert_eq!(queue.push(vote(half)), Ok(()));
        assert_eq!(queue.push(vote(1)), Err(Dropped::Full));
        assert!(drain.pop().is_some());
        assert_eq!(queue.push(vote(1)), Ok(()));
    }

    #[test]
    fn one_frame_above_the_bound_still_passes_an_empty_queue() {
        let (queue, drain) = Queue::new();
        drain.open();
        assert_eq!(queue.push(vote(limits::FRAME)), Ok(()));
        assert_eq!(queue.push(vote(1)), Err(Dropped::Full));
    }

    #[tokio::test]
    async fn votes_overtake_transactions() {
        let (queue, mut drain) = Queue::new();
        drain.open();
        queue.push(Frame::new(Kind::Transaction, vec![1])).unwrap();
        queue.push(vote(1)).unwrap();
        assert_eq!(drain.next().await.unwrap().kind, Kind::Consensus);
        assert_eq!(drain.next().await.unwrap().kind, Kind::Transaction);
    }
}
