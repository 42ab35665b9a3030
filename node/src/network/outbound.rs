//! Writing to one member: opens a stream on each new connection, gathers frames into few writes, notices silence.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};

use consensus::Time;
use futures::io::AsyncWriteExt as _;
use libp2p::{PeerId, Stream, StreamProtocol};
use libp2p_stream::Control;
use tokio::sync::{Notify, mpsc, watch};
use tracing::debug;

use super::{
    Inbox, MemberIndex,
    frame::{Frame, Kind},
    queue::{Drain, Queue},
    swarm::Command,
};
use crate::{
    clock::Clock,
    limits,
    metrics::{Frames, Metrics},
};

/// Pause before a stream is opened again on a connection that refused one.
const REOPEN: Duration = Duration::from_millis(100);

/// What reader and writer of one member know of each other: when something came, and whether an answer is outstanding.
#[derive(Clone, Debug)]
pub(super) struct Pulse {
    clock: Clock,
    shared: Arc<Shared>,
}

/// The shared part of a pulse. Times are microseconds of the monotonic clock; 0 stands for "nothing outstanding".
#[derive(Debug, Default)]
struct Shared {
    unanswered_since: AtomicU64,
    resting: AtomicBool,
    woken: Notify,
}

impl Pulse {
    /// Nothing is outstanding.
    pub(super) fn new(clock: Clock) -> Self {
        Self {
            clock,
            shared: Arc::default(),
        }
    }

    /// A frame came: whatever was outstanding is answered.
    pub(super) fn heard(&self) {
        self.shared.unanswered_since.store(0, Ordering::Release);
    }

    /// Something was sent that a living member reacts to.
    fn spoke(&self) {
        let now = self.clock.now().as_micros().max(1);
        let first = self.shared.unanswered_since.compare_exchange(
            0,
            now,
            Ordering::AcqRel,
            Ordering::Acquire,
        );
        if first.is_ok() && self.shared.resting.swap(false, Ordering::AcqRel) {
            self.shared.woken.notify_one();
        }
    }

    /// Since when an answer is outstanding.
    fn unanswered_since(&self) -> Option<Time> {
        match self.shared.unanswered_since.load(Ordering::Acquire) {
            0 => None,
            since => Some(Time::from_micros(since)),
        }
    }

    /// Pings, each second while an answer is outstanding and each 15 s otherwise; returns when the member is silent.
    async fn watch(&self, ping: impl Fn()) {
        self.heard();
        loop {
            let Some(since) = self.unanswered_since() else {
                self.shared.resting.store(true, Ordering::Release);
                tokio::select! {
                    () = self.shared.woken.notified() => tokio::time::sleep(limits::PING_BUSY).await,
                    () = tokio::time::sleep(limits::PING_IDLE) => ping(),
                }
                continue;
            };
            let silent = self.clock.now().since(since);
            if silent >= limits::SILENCE {
                return;
            }
            ping();
            tokio::time::sleep(limits::PING_BUSY.min(limits::SILENCE.saturating_sub(silent))).await;
        }
    }
}

/// What writes to one member.
pub(super) struct Writer {
    /// The member.
    pub(super) member: MemberIndex,
    /// Its `PeerId`.
    pub(super) peer: PeerId,
    /// The name of the frames' protocol.
    pub(super) protocol: StreamProtocol,
    /// Opens streams.
    pub(super) control: Control,
    /// What the reader hears.
    pub(super) pulse: Pulse,
    /// Where pings are put.
    pub(super) queue: Option<Queue>,
    /// To the task that owns the swarm.
    pub(super) commands: mpsc::Sender<Command>,
    /// Counts frames.
    pub(super) metrics: Metrics,
}

impl Writer {
    /// Writes for as long as the network lives.
    pub(super) async fn run(
        mut self,
        mut drain: Drain,
        mut linked: watch::Receiver<u64>,
        inbox: impl Inbox,
    ) {
        while linked
            .wait_for(|generation| generation % 2 == 1)
            .await
            .is_ok()
        {
            let opening = self.control.open_stream(self.peer, self.protocol.clone());
            let stream = match tokio::time::timeout(limits::SILENCE, opening).await {
                Ok(Ok(stream)) => stream,
                Ok(Err(cause)) => {
                    debug!(member = self.member, %cause, "no stream");
                    tokio::time::sleep(REOPEN).await;
                    continue;
                }
                Err(_elapsed) => {
                    self.close("no_stream").await;
                    continue;
                }
            };
            drain.open();
            inbox.reconnected(self.member).await;
            let queue = self.queue.clone();
            let ping = || self.ping(queue.as_ref());
            tokio::select! {
                result = self.write(stream, &mut drain) => {
                    debug!(member = self.member, ?result, "stream ended");
                }
                () = self.pulse.watch(ping) => self.close("silent").await,
                _ = linked.changed() => {}
            }
            drain.close();
            tokio::time::sleep(REOPEN).await;
        }
    }

    /// Queues a ping.
    fn ping(&self, queue: Option<&Queue>) {
        let now = self.pulse.clock.wall_ms().to_le_bytes();
        let queued = queue.map(|queue| queue.push(Frame::new(Kind::Ping, now.as_slice())));
        if let Some(Err(dropped)) = queued {
            debug!(member = self.member, reason = dropped.reason(), "no ping");
        }
    }

    /// Asks for the connection to be closed.
    async fn close(&self, reason: &'static str) {
        if self
            .commands
            .send(Command::Close(self.member, reason))
            .await
            .is_err()
        {
            debug!("the network has stopped");
        }
    }

    /// Writes frames until the stream breaks.
    async fn write(&self, mut stream: Stream, drain: &mut Drain) -> std::io::Result<()> {
        let mut gathered = Vec::new();
        while let Some(first) = drain.next().await {
            let mut frame = Some(first);
            while let Some(next) = frame {
                self.put(&mut stream, &mut gathered, &next).await?;
                frame = drain.pop();
            }
            stream.write_all(&gathered).await?;
            gathered.clear();
            stream.flush().await?;
        }
        Ok(())
    }

    /// Adds a frame to what is gathered; large payloads go straight to the stream, never copied per member.
    async fn put(
        &self,
        stream: &mut Stream,
        gathered: &mut Vec<u8>,
        frame: &Frame,
    ) -> std::io::Result<()> {
        let Some(header) = frame.header() else {
            debug!(
                kind = frame.kind.name(),
                size = frame.size(),
                "a frame above its limit was not sent"
            );
            return Ok(());
        };
        if frame.kind != Kind::Pong {
            self.pulse.spoke();
        }
        self.count(frame);
        gathered.extend_from_slice(&header);
        if frame.payload.len() < limits::LARGE_PAYLOAD {
            gathered.extend_from_slice(&frame.payload);
            if gathered.len() < limits::WRITE_COALESCE {
                return Ok(());
            }
            stream.write_all(gathered).await?;
        } else {
            stream.write_all(gathered).await?;
            stream.write_all(&frame.payload).await?;
        }
        gathered.clear();
        Ok(())
    }

    /// Counts a frame in the metrics.
    fn count(&self, frame: &Frame) {
        let labels = Frames {
            kind: frame.kind.name(),
            direction: "out",
        };
        self.metrics.frames.get_or_create(&labels).inc();
        let size = u64::try_from(frame.size()).unwrap_or(u64::MAX);
        self.metrics.frame_bytes.get_or_create(&labels).inc_by(size);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::cell::Cell;

    #[tokio::test]
    async fn a_member_that_answers_nothing_is_given_up_after_three_seconds_and_three_pings() {
        let pulse = Pulse::new(Clock::start());
        let pings = Cell::new(0);
        let begun = pulse.clock.now();
        let watch = pulse.watch(|| pings.set(pings.get() + 1));
        let speak = async {
            tokio::task::yield_now().await;
            pulse.spoke();
            std::future::pending::<()>().await;
        };
        tokio::select! { () = watch => {}, () = speak => {} }
        let took = pulse.clock.now().since(begun);
        assert!(took >= limits::SILENCE, "{took:?}");
        assert!(took < Duration::from_millis(3_900), "{took:?}");
        assert!((2..=3).contains(&pings.get()), "{} pings", pings.get());
    }

    #[tokio::test]
    async fn a_member_that_answers_is_kept() {
        let pulse = Pulse::new(Clock::start());
        let watch = pulse.watch(|| pulse.heard());
        let talk = async {
            for _ in 0..40 {
                pulse.spoke();
                tokio::time::sleep(Duration::from_millis(100)).await;
                pulse.heard();
            }
        };
        tokio::select! { () = watch => unreachable!("given up"), () = talk => {} }
    }
}
