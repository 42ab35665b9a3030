//! Catching up: certified blocks from other members, checked before the replica sees them.
//!
//! A request is `from u64 ‖ to u64`. An answer is a row of blocks, each `header, batch, certificate` with a u32 length
//! before each part. Members are not trusted: one that answers nothing, or anything false, is left for the next one.

mod answer;

use std::sync::Arc;

use consensus::{
    Batch, CertifiedBlock, CheckpointCertificate, Committee, DecodeError, Digest, Domain, Input,
    Rejected, Seq,
};
use contract::{Header, Height};
use tokio::sync::{mpsc, watch};
use tracing::{debug, info};

use crate::{
    driver::Event,
    limits,
    network::{AskError, MemberIndex, Network},
    snapshot::decide::Decider,
    term::Terms,
};

pub use answer::{RawBlock, answer};

/// A range of heights.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Range {
    /// The first height.
    pub from: Seq,
    /// The last height.
    pub to: Seq,
}

/// Why blocks of a member are not taken.
#[derive(Debug, thiserror::Error)]
pub enum Unusable {
    /// It did not answer.
    #[error(transparent)]
    Silent(#[from] AskError),
    /// It has none of them.
    #[error("it has none of these blocks")]
    Empty,
    /// Not a row of blocks.
    #[error("the answer is not a row of blocks")]
    Malformed,
    /// The header cannot be read.
    #[error("a header cannot be read")]
    BadHeader,
    /// The certificate cannot be read.
    #[error("a certificate cannot be read: {0}")]
    BadCertificate(DecodeError),
    /// Another height than the next one.
    #[error("block {came} came where {wanted} was asked for")]
    OutOfOrder {
        /// The height that was next.
        wanted: Seq,
        /// The height that came.
        came: Seq,
    },
    /// The certificate does not prove the block.
    #[error(transparent)]
    Unproved(#[from] Rejected),
    /// The driver has stopped.
    #[error("this node is stopping")]
    Stopping,
}

/// Asks for blocks; a newer wish replaces an older one.
#[derive(Clone, Debug)]
pub struct Fetcher(watch::Sender<Option<Range>>);

impl Fetcher {
    /// A fetcher and the wishes that [`run`] fulfils.
    pub fn new() -> (Self, watch::Receiver<Option<Range>>) {
        let (wish, wishes) = watch::channel(None);
        (Self(wish), wishes)
    }

    /// Wishes for blocks.
    pub fn fetch(&self, range: Range) {
        self.0.send_replace(Some(range));
    }
}

/// Wishes after which it is asked again whether a snapshot is better, while blocks come.
const DECIDE_AFTER: u32 = 64;

/// What fetching needs.
#[derive(Clone, Debug)]
pub struct Source {
    /// Asks members.
    pub network: Network,
    /// Whose certificates count.
    pub terms: Terms,
    /// Where blocks go.
    pub events: mpsc::Sender<Event>,
    /// Whether a snapshot is better than blocks.
    pub decider: Decider,
}

/// Fulfils wishes one after the other, until the node stops.
pub async fn run(
    source: Source,
    wishes: watch::Receiver<Option<Range>>,
    mut stopped: watch::Receiver<bool>,
) {
    tokio::select! {
        () = source.fulfil(wishes) => {}
        _ = stopped.wait_for(|stop| *stop) => {}
    }
}

impl Source {
    /// Fulfils wishes, for ever.
    async fn fulfil(self, mut wishes: watch::Receiver<Option<Range>>) {
        let mut favourite: MemberIndex = 0;
        // Wishes until it is asked again whether a snapshot is better.
        let mut undecided = 0_u32;
        while wishes.changed().await.is_ok() {
            let Some(range) = *wishes.borrow_and_update() else {
                continue;
            };
            if undecided == 0 {
                let next = Height::new(range.from.get());
                if self.decider.decide(&self.network, next).await {
                    return;
                }
                undecided = DECIDE_AFTER;
            }
            undecided = undecided.saturating_sub(1);
            let mut taken = false;
            let mut members = self.network.reachable();
            let split = members.partition_point(|member| *member < favourite);
            members.rotate_left(split);
            for member in members {
                match self.fetch(member, range).await {
                    Ok(last) => {
                        info!(event = "caught_up", from = %range.from, to = %last, "took certified blocks of a member");
                        favourite = member;
                        taken = true;
                        break;
                    }
                    Err(why) => debug!(member, %why, "no blocks"),
                }
            }
            if !taken {
                undecided = 0;
            }
        }
    }

    /// The header of a height with this hash, from whichever member has it; none when nobody answers in time.
    pub async fn header(&self, seq: Seq, hash: Digest) -> Option<Header> {
        let asking = async {
            loop {
                for member in self.network.reachable() {
                    match self.header_of(member, seq, hash).await {
                        Ok(header) => return header,
                        Err(why) => debug!(member, %why, "no header"),
                    }
                }
                tokio::time::sleep(limits::HEADER_RETRY).await;
            }
        };
        let asked = tokio::time::timeout(limits::HEADER_TIMEOUT, asking).await;
        asked.ok()
    }

    /// The header of a height with this hash, from one member.
    async fn header_of(
        &self,
        member: MemberIndex,
        seq: Seq,
        hash: Digest,
    ) -> Result<Header, Unusable> {
        let request = [seq.get().to_le_bytes(), seq.get().to_le_bytes()].concat();
        let answer = self.network.ask(member, request).await?;
        let blocks = answer::read(&answer).ok_or(Unusable::Malformed)?;
        let raw = blocks.into_iter().next().ok_or(Unusable::Empty)?;
        if Digest::of(Domain::Header, &raw.header) != hash {
            return Err(Unusable::BadHeader);
        }
        Header::decode(&raw.header).ok().ok_or(Unusable::BadHeader)
    }

    /// Takes the blocks of a range from one member; tells the last one taken.
    async fn fetch(&self, member: MemberIndex, range: Range) -> Result<Seq, Unusable> {
        let mut next = range.from;
        while next <= range.to {
            let request = [next.get().to_le_bytes(), range.to.get().to_le_bytes()].concat();
            let answer = self.network.ask(member, request).await?;
            let blocks = answer::read(&answer).ok_or(Unusable::Malformed)?;
            if blocks.is_empty() {
                break;
            }
            for raw in blocks {
                let term = Arc::clone(&self.terms.borrow());
                let block = prove(raw, next, &term.committee)?;
                let input = Event::of(Input::Fetched(block));
                self.events
                    .send(input)
                    .await
                    .map_err(|_stopped| Unusable::Stopping)?;
                next = next.next();
            }
        }
        if next == range.from {
            return Err(Unusable::Empty);
        }
        Ok(Seq::new(next.get().saturating_sub(1)))
    }
}

/// Checks one block against the committee.
fn prove(raw: RawBlock, wanted: Seq, committee: &Committee) -> Result<CertifiedBlock, Unusable> {
    let header = Header::decode(&raw.header)
        .ok()
        .ok_or(Unusable::BadHeader)?;
    let certificate =
        CheckpointCertificate::decode(&raw.certificate).map_err(Unusable::BadCertificate)?;
    let came = Seq::new(header.height.get());
    if came != wanted || certificate.seq != wanted {
        return Err(Unusable::OutOfOrder { wanted, came });
    }
    let named = Digest::new(*header.batch_digest.as_bytes());
    Ok(CertifiedBlock::verify(
        raw.header,
        named,
        Batch::new(raw.batch),
        certificate,
        committee,
    )?)
}
