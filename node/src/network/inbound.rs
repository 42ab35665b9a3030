//! Reading from members: one task a stream, the newest stream of a member wins.

use std::collections::BTreeMap;

use futures::{StreamExt as _, io::BufReader};
use libp2p::Stream;
use libp2p_stream::IncomingStreams;
use tokio::{
    sync::mpsc,
    task::{AbortHandle, JoinSet},
};
use tracing::debug;

use super::{
    Inbox, MemberIndex, Network,
    directory::Directory,
    frame::{self, Frame, FrameError, HEADER, Kind},
    outbound::Pulse,
    swarm::Command,
};
use crate::{
    clock::Clock,
    metrics::{Frames, Metrics, Reason},
};

/// Octets read ahead on a stream.
const READ_AHEAD: usize = 64 * 1024;

/// What all readers are made from.
pub(super) struct Readers {
    /// Who has which `PeerId`.
    pub(super) directory: Directory,
    /// Where pongs are sent.
    pub(super) network: Network,
    /// To the task that owns the swarm.
    pub(super) commands: mpsc::Sender<Command>,
    /// The node's clock.
    pub(super) clock: Clock,
    /// Counts frames.
    pub(super) metrics: Metrics,
}

impl Readers {
    /// Starts a reader for each stream that comes; an older one of the same member ends. All end
    /// with this task: a reader holds the ledger, and a stopped node holds nothing.
    pub(super) async fn accept(self, mut streams: IncomingStreams, inbox: impl Inbox) {
        let mut readers = JoinSet::new();
        let mut running: BTreeMap<MemberIndex, AbortHandle> = BTreeMap::new();
        while let Some((peer, stream)) = streams.next().await {
            while readers.try_join_next().is_some() {}
            let Some(member) = self.directory.member(&peer) else {
                continue;
            };
            let Some(entry) = self.directory.entry(member) else {
                continue;
            };
            let reader = Reader {
                member,
                pulse: entry.pulse.clone(),
                network: self.network.clone(),
                commands: self.commands.clone(),
                clock: self.clock,
                metrics: self.metrics.clone(),
            };
            let task = readers.spawn(reader.run(stream, inbox.clone()));
            if let Some(older) = running.insert(member, task) {
                older.abort();
            }
        }
    }
}

/// Reads one stream.
struct Reader {
    member: MemberIndex,
    pulse: Pulse,
    network: Network,
    commands: mpsc::Sender<Command>,
    clock: Clock,
    metrics: Metrics,
}

impl Reader {
    /// Reads until the stream ends or the member breaks the rules.
    async fn run(self, stream: Stream, inbox: impl Inbox) {
        let mut stream = BufReader::with_capacity(READ_AHEAD, stream);
        let reason = loop {
            match frame::read(&mut stream).await {
                Ok((kind, payload)) => {
                    self.pulse.heard();
                    self.count(kind, payload.len());
                    if let Err(reason) = self.take(kind, payload, &inbox).await {
                        break Some(reason);
                    }
                }
                Err(error) => {
                    debug!(member = self.member, %error, "stream");
                    break FrameError::reason(&error);
                }
            }
        };
        let Some(reason) = reason else { return };
        self.metrics
            .refused_frames
            .get_or_create(&Reason { reason })
            .inc();
        if self
            .commands
            .send(Command::Close(self.member, reason))
            .await
            .is_err()
        {
            debug!("the network has stopped");
        }
    }

    /// Answers pings, measures by pongs, and hands everything else on.
    async fn take(
        &self,
        kind: Kind,
        payload: Vec<u8>,
        inbox: &impl Inbox,
    ) -> Result<(), &'static str> {
        match kind {
            Kind::Ping => {
                let mut answer = payload;
                if answer.len() != Kind::Ping.limit() {
                    return Err("bad_ping");
                }
                answer.extend_from_slice(&self.clock.wall_ms().to_le_bytes());
                self.network
                    .send(self.member, Frame::new(Kind::Pong, answer));
                Ok(())
            }
            Kind::Pong => {
                let skew = skew(&payload, self.clock.wall_ms()).ok_or("bad_pong")?;
                inbox.skew(self.member, skew);
                Ok(())
            }
            Kind::Consensus | Kind::Transaction => inbox
                .frame(self.member, kind, payload)
                .await
                .map_err(|refusal| refusal.0),
        }
    }

    /// Counts a frame in the metrics.
    fn count(&self, kind: Kind, payload: usize) {
        let labels = Frames {
            kind: kind.name(),
            direction: "in",
        };
        self.metrics.frames.get_or_create(&labels).inc();
        let size = u64::try_from(payload.saturating_add(HEADER)).unwrap_or(u64::MAX);
        self.metrics.frame_bytes.get_or_create(&labels).inc_by(size);
    }
}

/// The other clock minus ours, from a pong: the answer was written half a round trip before it came.
fn skew(pong: &[u8], now_ms: u64) -> Option<i64> {
    let (sent, theirs) = pong.split_at_checked(8)?;
    let sent = u64::from_le_bytes(sent.try_into().ok()?);
    let theirs = u64::from_le_bytes(theirs.try_into().ok()?);
    let middle = sent.checked_add(now_ms.checked_sub(sent)? / 2)?;
    i64::try_from(i128::from(theirs).checked_sub(i128::from(middle))?).ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::skew;

    fn pong(sent: u64, theirs: u64) -> Vec<u8> {
        [sent.to_le_bytes(), theirs.to_le_bytes()].concat()
    }

    #[test]
    fn skew_is_measured_against_the_middle_of_the_round_trip() {
        assert_eq!(skew(&pong(1_000, 1_050), 1_100), Some(0));
        assert_eq!(skew(&pong(1_000, 6_050), 1_100), Some(5_000));
        assert_eq!(skew(&pong(1_000, 50), 1_100), Some(-1_000));
    }

    #[test]
    fn a_pong_that_cannot_be_is_refused() {
        assert_eq!(skew(&[0; 15], 10), None);
        assert_eq!(
            skew(&pong(11, 11), 10),
            None,
            "an answer to a ping of the future"
        );
        assert_eq!(skew(&pong(0, u64::MAX), 10), None);
    }

    proptest! {
        #[test]
        fn no_pong_brings_a_skew_that_is_no_difference_of_two_clocks(
            octets in proptest::collection::vec(any::<u8>(), 0..20),
            now in any::<u64>(),
        ) {
            if let Some(skew) = skew(&octets, now) {
                prop_assert_eq!(octets.len(), 16);
                let theirs = u64::from_le_bytes(octets[8..].try_into().unwrap());
                let middle = i128::from(theirs).saturating_sub(skew.into());
                prop_assert!((0..=i128::from(now)).contains(&middle));
            }
        }
    }
}
