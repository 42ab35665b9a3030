//! Frames on a consensus stream: length u32, kind u8, payload.

use std::{io, sync::Arc};

use futures::io::{AsyncRead, AsyncReadExt as _};

use crate::limits;

/// Octets in front of a payload.
pub(super) const HEADER: usize = 5;

/// What a frame carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// "Are you there?", with the sender's wall clock.
    Ping,
    /// The answer, with the clock of the ping and the answerer's.
    Pong,
    /// What the replicas say to each other.
    Consensus,
    /// A transaction that was submitted at the sender.
    Transaction,
}

impl Kind {
    /// The octet that stands for it.
    const fn code(self) -> u8 {
        match self {
            Self::Ping => 0,
            Self::Pong => 1,
            Self::Consensus => 2,
            Self::Transaction => 3,
        }
    }

    /// The kind of an octet.
    const fn from_code(code: u8) -> Option<Self> {
        match code {
            0 => Some(Self::Ping),
            1 => Some(Self::Pong),
            2 => Some(Self::Consensus),
            3 => Some(Self::Transaction),
            _ => None,
        }
    }

    /// Its name in metrics.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Ping => "ping",
            Self::Pong => "pong",
            Self::Consensus => "consensus",
            Self::Transaction => "transaction",
        }
    }

    /// The longest payload of this kind.
    pub const fn limit(self) -> usize {
        match self {
            Self::Ping => 8,
            Self::Pong => 16,
            Self::Consensus => limits::FRAME,
            Self::Transaction => limits::TRANSACTION_FRAME,
        }
    }
}

/// One frame on its way out; clones share the payload.
#[derive(Clone, Debug)]
pub struct Frame {
    /// What it carries.
    pub kind: Kind,
    /// The payload.
    pub payload: Arc<[u8]>,
}

impl Frame {
    /// A frame of this kind.
    pub fn new(kind: Kind, payload: impl Into<Arc<[u8]>>) -> Self {
        Self {
            kind,
            payload: payload.into(),
        }
    }

    /// Octets on the stream.
    pub fn size(&self) -> usize {
        self.payload.len().saturating_add(HEADER)
    }

    /// The octets in front of the payload; `None` when it is longer than its kind allows.
    pub(super) fn header(&self) -> Option<[u8; HEADER]> {
        if self.payload.len() > self.kind.limit() {
            return None;
        }
        let [a, b, c, d] = u32::try_from(self.payload.len()).ok()?.to_le_bytes();
        Some([a, b, c, d, self.kind.code()])
    }
}

/// Why a peer's stream is not read any further.
#[derive(Debug, thiserror::Error)]
pub enum FrameError {
    /// The stream ended or broke.
    #[error("the stream ended: {0}")]
    Io(#[from] io::Error),
    /// A kind that this version does not know.
    #[error("frame of unknown kind {0}")]
    UnknownKind(u8),
    /// A length above the kind's limit.
    #[error("{} frame of {length} octets, limit {}", kind.name(), kind.limit())]
    TooLong {
        /// The kind.
        kind: Kind,
        /// The announced length.
        length: u32,
    },
}

impl FrameError {
    /// Its name in metrics; `None` for the ordinary end of a stream.
    pub(super) const fn reason(&self) -> Option<&'static str> {
        match self {
            Self::Io(_) => None,
            Self::UnknownKind(_) => Some("unknown_kind"),
            Self::TooLong { .. } => Some("too_long"),
        }
    }
}

/// Reads the next frame. Memory grows with what has come, not with what was announced.
pub(super) async fn read(
    stream: &mut (impl AsyncRead + Unpin),
) -> Result<(Kind, Vec<u8>), FrameError> {
    let mut header = [0; HEADER];
    stream.read_exact(&mut header).await?;
    let [a, b, c, d, code] = header;
    let kind = Kind::from_code(code).ok_or(FrameError::UnknownKind(code))?;
    let length = u32::from_le_bytes([a, b, c, d]);
    let wanted = usize::try_from(length).unwrap_or(usize::MAX);
    if wanted > kind.limit() {
        return Err(FrameError::TooLong { kind, length });
    }
    let mut payload = Vec::with_capacity(wanted.min(limits::WRITE_COALESCE));
    stream
        .take(u64::from(length))
        .read_to_end(&mut payload)
        .await?;
    if payload.len() < wanted {
        return Err(io::Error::from(io::ErrorKind::UnexpectedEof).into());
    }
    Ok((kind, payload))
}

#[cfg(test)]
mod tests {
    use std::pin::Pin;
    use std::task::{Context, Poll};

    use super::*;
    use futures::io::Cursor;
    use proptest::prelude::*;

    fn bytes(frame: &Frame) -> Vec<u8> {
        let mut all = frame.header().unwrap().to_vec();
        all.extend_from_slice(&frame.payload);
        all
    }

    #[tokio::test]
    async fn frames_come_out_as_they_went_in() {
        let first = Frame::new(Kind::Consensus, vec![7; 300_000]);
        let second = Frame::new(Kind::Ping, vec![1; 8]);
        let mut stream = Cursor::new([bytes(&first), bytes(&second)].concat());
        assert_eq!(
            read(&mut stream).await.unwrap(),
            (Kind::Consensus, vec![7; 300_000])
        );
        assert_eq!(read(&mut stream).await.unwrap(), (Kind::Ping, vec![1; 8]));
        assert!(matches!(read(&mut stream).await, Err(FrameError::Io(_))));
    }

    #[tokio::test]
    async fn a_frame_at_its_limit_passes_and_one_octet_more_is_refused_at_both_ends() {
        let most = Frame::new(Kind::Consensus, vec![0; limits::FRAME]);
        let (kind, payload) = read(&mut Cursor::new(bytes(&most))).await.unwrap();
        assert_eq!((kind, payload.len()), (Kind::Consensus, limits::FRAME));

        assert!(
            Frame::new(Kind::Consensus, vec![0; limits::FRAME + 1])
                .header()
                .is_none()
        );
        let length = u32::try_from(limits::FRAME + 1).unwrap();
        let mut header = length.to_le_bytes().to_vec();
        header.push(2);
        let error = read(&mut Cursor::new(header)).await.unwrap_err();
        assert!(
            matches!(error, FrameError::TooLong { kind: Kind::Consensus, length: l } if l == length)
        );
    }

    #[tokio::test]
    async fn an_unknown_kind_and_a_cut_payload_are_refused() {
        let mut unknown = Cursor::new(vec![0, 0, 0, 0, 9]);
        assert!(matches!(
            read(&mut unknown).await,
            Err(FrameError::UnknownKind(9))
        ));

        let mut cut = bytes(&Frame::new(Kind::Transaction, vec![1; 100]));
        cut.truncate(60);
        assert!(matches!(
            read(&mut Cursor::new(cut)).await,
            Err(FrameError::Io(_))
        ));
    }

    /// A stream that says so many octets come, sends none of them, and notes the room it is given.
    struct Boast {
        header: Cursor<Vec<u8>>,
        room: usize,
    }

    impl AsyncRead for Boast {
        fn poll_read(
            mut self: Pin<&mut Self>,
            context: &mut Context<'_>,
            buffer: &mut [u8],
        ) -> Poll<io::Result<usize>> {
            self.room = self.room.max(buffer.len());
            Pin::new(&mut self.header).poll_read(context, buffer)
        }
    }

    proptest! {
        #[test]
        fn whatever_a_peer_sends_is_refused_or_is_the_frame_that_its_octets_are(
            octets in proptest::collection::vec(any::<u8>(), 0..64),
            length in prop_oneof![0_u32..64, any::<u32>()],
            kind in 0_u8..6,
        ) {
            let mut stream = length.to_le_bytes().to_vec();
            stream.push(kind);
            stream.extend(octets);
            let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();

            if let Ok((kind, payload)) = runtime.block_on(read(&mut Cursor::new(&stream))) {
                prop_assert!(payload.len() <= kind.limit());
                prop_assert!(stream.starts_with(&bytes(&Frame::new(kind, payload))));
            }
        }
    }

    #[tokio::test]
    async fn m15_a_few_octets_that_announce_many_take_the_memory_of_few() {
        let length = u32::try_from(limits::FRAME).unwrap();
        let mut header = length.to_le_bytes().to_vec();
        header.push(Kind::Consensus.code());
        let mut stream = Boast {
            header: Cursor::new(header),
            room: 0,
        };

        let read = read(&mut stream).await;

        assert!(matches!(read, Err(FrameError::Io(_))));
        assert!(stream.room <= limits::WRITE_COALESCE, "{}", stream.room);
    }
}
