//! Taking a snapshot from members that are not trusted, several parts at a time.
//!
//! First a manifest that proves itself; heights that members announce only say where to look for
//! one. Then its parts: each is checked the moment it comes, kept on the disk, and asked of another
//! member when it is late, missing or false. Memory holds the parts on their way and the list of
//! those to come, never the snapshot.

mod jobs;

use std::collections::BTreeSet;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use contract::{Genesis, Height};
use futures::StreamExt as _;
use futures::future::join_all;
use futures::stream::FuturesUnordered;
use tracing::{info, warn};

use super::peers::{Peers, Scores};
use super::proof::{Proved, Unproved};
use super::staging::Staging;
use super::wire::{Manifest, Offer, Request};
use crate::network::MemberIndex;
use crate::store::{SNAPSHOT_EVERY, StoreError};

use jobs::{Job, Jobs, Taken};

/// How long no part may come before the try is given up.
const PATIENCE: Duration = Duration::from_secs(30);

/// How long to wait while no member is there to be asked, and after an answer that did not come.
const PAUSE: Duration = Duration::from_millis(100);

/// How often progress is told.
const TOLD: Duration = Duration::from_secs(5);

/// Why there is no snapshot.
#[derive(Debug, thiserror::Error)]
pub enum NotTaken {
    /// Nobody offers one above this height.
    #[error("no member offers a snapshot above block {above}")]
    NoOffer {
        /// The height.
        above: Height,
    },
    /// The members that are left do not have a part of it any more.
    #[error("the members that can be asked do not have the snapshot any more")]
    Gone,
    /// Nothing came for too long.
    #[error("no part of the snapshot came for {} s", PATIENCE.as_secs())]
    Stalled,
    /// The disk or the store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A thread ended by a fault of this program.
    #[error("a part of the snapshot could not be checked: {0}")]
    Broken(#[from] tokio::task::JoinError),
}

/// Takes the newest snapshot above a height into the staging folder, whole and checked.
pub async fn take(
    peers: &impl Peers,
    staging: &Staging,
    genesis: &Arc<Genesis>,
    above: Height,
) -> Result<Proved, NotTaken> {
    let mut scores = Scores::default();
    let proved = manifest(peers, staging, genesis, (above, &mut scores)).await?;
    info!(
        event = "snapshot",
        height = proved.height().get(),
        "taking a snapshot"
    );
    parts(peers, staging, &proved, scores).await?;
    Ok(proved)
}

/// Finds a snapshot above a height that some member can prove, and keeps its proof.
pub async fn prove_newest(
    peers: &impl Peers,
    staging: &Staging,
    genesis: &Arc<Genesis>,
    above: Height,
) -> Result<Proved, NotTaken> {
    manifest(peers, staging, genesis, (above, &mut Scores::default())).await
}

/// The proof of a snapshot: the one on the disk while members still serve it, or the newest one
/// that some member can prove.
async fn manifest(
    peers: &impl Peers,
    staging: &Staging,
    genesis: &Arc<Genesis>,
    (above, scores): (Height, &mut Scores),
) -> Result<Proved, NotTaken> {
    let asking = peers.present().into_iter().map(|member| async move {
        let answer = peers.question(member, Request::Offer.encode()).await;
        let offer = answer.ok().and_then(|bytes| Offer::decode(&bytes));
        offer.and_then(|offer| Some((offer.snapshot?, member)))
    });
    let mut offers: Vec<_> = join_all(asking).await.into_iter().flatten().collect();
    let begun = staging
        .manifest()
        .and_then(|it| Proved::check(it, genesis).ok());
    if let Some(begun) = begun {
        let oldest = begun.height().get().saturating_add(SNAPSHOT_EVERY);
        let served =
            |(height, _): &(Height, _)| *height >= begun.height() && height.get() <= oldest;
        if begun.height() > above && offers.iter().any(served) {
            return Ok(begun);
        }
    }
    offers.retain(|(height, _)| *height > above);
    offers.sort_unstable_by(|a, b| b.cmp(a));
    for (height, member) in offers {
        match prove(peers, member, height, genesis).await {
            Some(Ok(proved)) => {
                staging.keep_manifest(&proved.manifest, height)?;
                return Ok(proved);
            }
            Some(Err(why)) => {
                warn!(member, %why, "a member's proof of a snapshot is false");
                scores.asked(member);
                scores.lied(member);
            }
            None => {}
        }
    }
    Err(NotTaken::NoOffer { above })
}

/// A member's proof of the snapshot that it announced; none if it does not answer.
async fn prove(
    peers: &impl Peers,
    member: MemberIndex,
    height: Height,
    genesis: &Arc<Genesis>,
) -> Option<Result<Proved, Unproved>> {
    let answer = peers
        .question(member, Request::Manifest(height).encode())
        .await;
    let bytes = answer.ok().filter(|bytes| !bytes.is_empty())?;
    let Some(manifest) = Manifest::decode(&bytes) else {
        return Some(Err(Unproved::Malformed));
    };
    let genesis = Arc::clone(genesis);
    let checked = tokio::task::spawn_blocking(move || Proved::check(manifest, &genesis));
    let checked = checked.await.ok()?;
    Some(checked.and_then(|proved| {
        if proved.height() == height {
            Ok(proved)
        } else {
            Err(Unproved::OtherHeader)
        }
    }))
}

/// A job, who worked on it, and what came of it.
type Done = (Job, Option<MemberIndex>, Result<Taken, Failed>);

/// A job at work.
type Working = Pin<Box<dyn Future<Output = Done> + Send>>;

/// Why a job is not done.
#[derive(Debug)]
enum Failed {
    /// No answer came.
    Late,
    /// The member has not what was asked for.
    Lacking,
    /// The answer, or the file on the disk, is false.
    False(Unproved),
    /// Not on the disk.
    Absent,
    /// This node failed.
    Here(NotTaken),
}

/// Takes all parts of a snapshot.
async fn parts<P: Peers>(
    peers: &P,
    staging: &Staging,
    proved: &Proved,
    mut scores: Scores,
) -> Result<(), NotTaken> {
    let mut jobs = Jobs::new(proved.clone(), staging.clone());
    let mut working: FuturesUnordered<Working> = FuturesUnordered::new();
    let mut waited = Duration::ZERO;
    let mut told = tokio::time::interval(TOLD);
    let mut pauses = tokio::time::interval(PAUSE);
    loop {
        start(peers, &mut jobs, &mut scores, &mut working)?;
        if working.is_empty() && jobs.is_done() {
            let used = jobs.used();
            staging.keep_state(used)?;
            return Ok(());
        }
        tokio::select! {
            Some((job, member, result)) = working.next() => {
                let came = settle(&mut jobs, &mut scores, (job, member, result))?;
                waited = if came { Duration::ZERO } else { waited };
            }
            _ = pauses.tick() => {
                waited = waited.saturating_add(PAUSE);
                if waited >= PATIENCE {
                    return Err(NotTaken::Stalled);
                }
            }
            _ = told.tick() => {
                let (taken, bytes) = jobs.progress();
                info!(event = "snapshot", height = proved.height().get(), parts = taken, bytes, "snapshot under way");
            }
        }
    }
}

/// Puts members to work.
fn start<P: Peers>(
    peers: &P,
    jobs: &mut Jobs,
    scores: &mut Scores,
    working: &mut FuturesUnordered<Working>,
) -> Result<(), NotTaken> {
    let connected = peers.present();
    let most = connected.len().saturating_mul(2).max(2);
    while working.len() < most {
        let Some(job) = jobs.next()? else {
            break;
        };
        if !job.looked {
            working.push(Box::pin(look(job)));
            continue;
        }
        if let Some(member) = scores.choose(&connected, &job.avoid) {
            scores.asked(member);
            working.push(Box::pin(ask(peers.clone(), member, job)));
            continue;
        }
        let nobody = !connected.is_empty() && !scores.any_left(&connected, &job.avoid);
        jobs.again(job);
        if nobody {
            return Err(NotTaken::Gone);
        }
        break;
    }
    Ok(())
}

/// Looks for a part on the disk.
async fn look(job: Job) -> Done {
    let work = job.clone();
    let found = tokio::task::spawn_blocking(move || work.look()).await;
    let result = match found {
        Ok(Some(Ok(taken))) => Ok(taken),
        Ok(Some(Err(why))) => Err(Failed::False(why)),
        Ok(None) => Err(Failed::Absent),
        Err(broken) => Err(Failed::Here(broken.into())),
    };
    (job, None, result)
}

/// Asks a member for a part, checks it and keeps it.
async fn ask(peers: impl Peers, member: MemberIndex, job: Job) -> Done {
    let result = match peers.question(member, job.request().encode()).await {
        Err(_cause) => {
            // A stream that cannot be opened fails at once: without a pause this would spin.
            tokio::time::sleep(PAUSE).await;
            Err(Failed::Late)
        }
        Ok(bytes) if bytes.is_empty() => Err(Failed::Lacking),
        Ok(bytes) => {
            let work = job.clone();
            let checked = tokio::task::spawn_blocking(move || match work.check(&bytes) {
                Ok(taken) => work.keep(&bytes).map(|()| taken).map_err(Failed::Here),
                Err(why) => Err(Failed::False(why)),
            });
            checked
                .await
                .unwrap_or_else(|broken| Err(Failed::Here(broken.into())))
        }
    };
    (job, Some(member), result)
}

/// Takes in what came of a job. Whether it was a part.
fn settle(
    jobs: &mut Jobs,
    scores: &mut Scores,
    (mut job, member, result): Done,
) -> Result<bool, NotTaken> {
    match (result, member) {
        (Ok(taken), member) => {
            if let Some(member) = member {
                scores.answered(member);
            }
            jobs.done(&job, taken);
            return Ok(true);
        }
        (Err(Failed::Here(failure)), _) => return Err(failure),
        (Err(Failed::False(why)), Some(member)) => {
            warn!(
                event = "snapshot_lie", member, %why,
                "a member's part of a snapshot is false: it is not asked again"
            );
            scores.lied(member);
        }
        (Err(Failed::Late), Some(member)) => scores.late(member),
        (Err(Failed::Lacking), Some(member)) => {
            scores.lacks(member);
            job.avoid.insert(member);
        }
        (Err(Failed::False(_)), None) => {
            job.discard()?;
            job.looked = true;
        }
        (Err(_), _) => job.looked = true,
    }
    jobs.again(job);
    Ok(false)
}

/// Nobody is avoided.
const fn nobody() -> BTreeSet<MemberIndex> {
    BTreeSet::new()
}
