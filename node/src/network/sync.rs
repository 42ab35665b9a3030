//! Sync: one short stream a request, `length u32 ‖ bytes` in each direction, bounded and timed.

use std::{io, sync::Arc};

use futures::{
    StreamExt as _,
    io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _},
};
use libp2p::{Stream, StreamProtocol};
use libp2p_stream::{Control, IncomingStreams};
use tokio::{task::JoinSet, time::timeout};
use tracing::debug;

use super::{Inbox, MemberIndex, directory::Directory};
use crate::limits;

/// Why a member gave no answer.
#[derive(Debug, thiserror::Error)]
pub enum AskError {
    /// There is no such member.
    #[error("there is no member {0}")]
    NoMember(MemberIndex),
    /// No stream could be opened.
    #[error("no stream: {0}")]
    NoStream(String),
    /// The stream broke, or the answer was too long.
    #[error("no answer: {0}")]
    Io(#[from] io::Error),
    /// The answer did not come in time.
    #[error("no answer within {} s", limits::SYNC_TIMEOUT.as_secs())]
    Late,
}

/// Asks other members.
#[derive(Clone)]
pub(super) struct Asker {
    control: Control,
    directory: Directory,
    protocol: StreamProtocol,
}

impl Asker {
    /// From what opens streams.
    pub(super) const fn new(
        control: Control,
        directory: Directory,
        protocol: StreamProtocol,
    ) -> Self {
        Self {
            control,
            directory,
            protocol,
        }
    }

    /// Sends a request and waits for its answer.
    pub(super) async fn ask(&self, to: MemberIndex, request: Vec<u8>) -> Result<Vec<u8>, AskError> {
        let peer = self.directory.id(to).ok_or(AskError::NoMember(to))?;
        let mut control = self.control.clone();
        let exchange = async {
            let mut stream = control
                .open_stream(peer, self.protocol.clone())
                .await
                .map_err(|cause| AskError::NoStream(cause.to_string()))?;
            write(&mut stream, &request).await?;
            let answer = read(&mut stream, limits::SYNC_ANSWER).await?;
            stream.close().await?;
            Ok(answer)
        };
        timeout(limits::SYNC_TIMEOUT, exchange)
            .await
            .unwrap_or(Err(AskError::Late))
    }
}

/// Answers requests, a few at a time for each member. What is under way ends with this task: an
/// answer holds the ledger, and a stopped node holds nothing.
pub(super) async fn serve(mut requests: IncomingStreams, directory: Directory, inbox: impl Inbox) {
    let mut answering = JoinSet::new();
    while let Some((peer, stream)) = requests.next().await {
        while answering.try_join_next().is_some() {}
        let Some(member) = directory.member(&peer) else {
            continue;
        };
        let Some(entry) = directory.entry(member) else {
            continue;
        };
        let Ok(permit) = Arc::clone(&entry.share).try_acquire_owned() else {
            debug!(member, "too many sync requests");
            continue;
        };
        let inbox = inbox.clone();
        answering.spawn(async move {
            let exchange = timeout(limits::SYNC_TIMEOUT, answer(stream, member, inbox));
            if let Ok(Err(cause)) = exchange.await {
                debug!(member, %cause, "sync request");
            }
            drop(permit);
        });
    }
}

/// Answers one request.
async fn answer(mut stream: Stream, from: MemberIndex, inbox: impl Inbox) -> io::Result<()> {
    let request = read(&mut stream, limits::SYNC_REQUEST).await?;
    let answer = tokio::task::spawn_blocking(move || inbox.answer(from, &request))
        .await
        .map_err(io::Error::other)?;
    write(&mut stream, &answer).await?;
    stream.close().await
}

/// Writes one length and its bytes.
async fn write(stream: &mut (impl AsyncWrite + Unpin), bytes: &[u8]) -> io::Result<()> {
    let length = u32::try_from(bytes.len()).map_err(io::Error::other)?;
    stream.write_all(&length.to_le_bytes()).await?;
    stream.write_all(bytes).await?;
    stream.flush().await
}

/// Reads one length and its bytes, at most `limit`.
async fn read(stream: &mut (impl AsyncRead + Unpin), limit: u32) -> io::Result<Vec<u8>> {
    let mut length = [0; 4];
    stream.read_exact(&mut length).await?;
    let length = u32::from_le_bytes(length);
    if length > limit {
        return Err(io::Error::new(
            io::ErrorKind::InvalidData,
            "longer than its limit",
        ));
    }
    let mut bytes = Vec::new();
    stream.take(length.into()).read_to_end(&mut bytes).await?;
    if bytes.len() < usize::try_from(length).unwrap_or(usize::MAX) {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures::io::Cursor;
    use proptest::prelude::*;

    #[tokio::test]
    async fn an_answer_at_its_limit_passes_and_one_octet_more_is_refused() {
        let mut stream = Cursor::new(Vec::new());
        write(&mut stream, &[5; 64]).await.unwrap();
        stream.set_position(0);
        assert_eq!(read(&mut stream, 64).await.unwrap(), [5; 64]);
        stream.set_position(0);
        let error = read(&mut stream, 63).await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::InvalidData);
    }

    proptest! {
        #[test]
        fn what_is_read_is_what_was_announced_and_came(
            octets in proptest::collection::vec(any::<u8>(), 0..80),
            length in prop_oneof![0_u32..80, any::<u32>()],
        ) {
            let stream = [length.to_le_bytes().as_slice(), &octets].concat();
            let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();

            let read = runtime.block_on(read(&mut Cursor::new(stream), 64));

            let whole = length <= 64 && usize::try_from(length).unwrap() <= octets.len();
            prop_assert_eq!(read.is_ok(), whole);
            if let Ok(read) = read {
                prop_assert!(octets.starts_with(&read));
            }
        }
    }

    #[tokio::test]
    async fn a_cut_answer_is_refused() {
        let mut stream = Cursor::new([4_u32.to_le_bytes().to_vec(), vec![1; 3]].concat());
        let error = read(&mut stream, 64).await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::UnexpectedEof);
    }
}
