//! Blocks or a snapshot: which of the two brings a node up that fell behind.
//!
//! Blocks, as long as members have them and they are not too many: a node that executes them keeps
//! everything it had. A snapshot when the next block was pruned everywhere, or when the ledger here
//! is so short that little is lost and the gap so large that executing it takes longer. What
//! members announce is never enough: a node stops for a snapshot only after it has checked the proof
//! of one, so nobody can make it stop by telling tall heights.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use contract::{Genesis, Height};
use futures::future::join_all;
use tokio::sync::watch;
use tracing::{info, warn};

use super::fetch;
use super::peers::Peers;
use super::staging::Staging;
use super::wire::{Offer, Request};
use crate::store::{Retain, SNAPSHOT_EVERY, StoreError};

/// The file in a home that asks the next start to take a snapshot above the height in it.
const WISH: &str = "ledger.join";

/// From so many blocks on, a node that loses little by it takes a snapshot.
pub const GAP: u64 = 2 * SNAPSHOT_EVERY;

/// Asks the next start to take a snapshot above a height.
pub fn wish(home: &Path, above: Height) -> Result<(), StoreError> {
    let path = home.join(WISH);
    fs::write(&path, above.to_string()).map_err(|source| StoreError::disk("write", &path, source))
}

/// The height above which a snapshot is wished for.
pub fn wished(home: &Path) -> Option<Height> {
    let text = fs::read_to_string(home.join(WISH)).ok()?;
    // A torn file is a wish all the same; everything is above 0.
    Some(Height::new(text.trim().parse().unwrap_or(0)))
}

/// The wish is fulfilled, or cannot be.
pub fn unwish(home: &Path) -> Result<(), StoreError> {
    let path = home.join(WISH);
    match fs::remove_file(&path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(StoreError::disk("remove", &path, error))
        }
        Ok(()) | Err(_) => Ok(()),
    }
}

/// Decides for a running node, and tells it to stop when a snapshot is better.
#[derive(Debug, Clone)]
pub struct Decider {
    /// The node's home.
    pub home: PathBuf,
    /// The ledger's rules.
    pub genesis: Arc<Genesis>,
    /// What the node keeps.
    pub retain: Retain,
    /// Turns true when the node is to stop for a snapshot.
    pub stop: watch::Sender<bool>,
}

impl Decider {
    /// Whether the node was told to stop, so that the next start takes a snapshot. `next` is the
    /// block that it lacks.
    pub async fn decide(&self, peers: &impl Peers, next: Height) -> bool {
        if !self.is_better(peers, next).await {
            return false;
        }
        let above = Height::new(next.get().saturating_sub(1));
        if let Err(error) = wish(&self.home, above) {
            warn!(%error, "a snapshot would be better, but cannot be asked for");
            return false;
        }
        info!(
            event = "far_behind",
            height = above.get(),
            "too far behind for blocks: this node starts again with a snapshot of the others"
        );
        self.stop.send_replace(true);
        true
    }

    /// Whether a proved snapshot is better than blocks.
    async fn is_better(&self, peers: &impl Peers, next: Height) -> bool {
        let asking = peers.present().into_iter().map(|member| async move {
            let answer = peers.question(member, Request::Offer.encode()).await.ok()?;
            Offer::decode(&answer)
        });
        let offers: Vec<Offer> = join_all(asking).await.into_iter().flatten().collect();
        let Some(from) = self.worthwhile_above(&offers, next) else {
            return false;
        };
        let staging = match Staging::open(&self.home) {
            Ok(staging) => staging,
            Err(error) => {
                warn!(%error, "a snapshot cannot be taken");
                return false;
            }
        };
        fetch::prove_newest(peers, &staging, &self.genesis, from)
            .await
            .is_ok()
    }

    /// Above which height a snapshot is better than blocks, going by what members say; none where
    /// it is not.
    fn worthwhile_above(&self, offers: &[Offer], next: Height) -> Option<Height> {
        let have = |offer: &&Offer| offer.lowest <= next && offer.certified >= next;
        let pruned = !offers.is_empty() && !offers.iter().any(|offer| have(&offer));
        let far = Height::new(next.get().saturating_add(GAP));
        // A ledger of some length that is kept whole is worth more than the time it takes.
        let little = self.retain != Retain::All || next.get() <= GAP;
        let newest = offers.iter().filter_map(|offer| offer.snapshot).max()?;
        if pruned && newest >= next {
            return Some(Height::new(next.get().saturating_sub(1)));
        }
        (little && newest >= far).then_some(far)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decider(retain: Retain) -> Decider {
        let genesis = crate::http::testing::genesis(contract::Kind::Research);
        Decider {
            home: PathBuf::new(),
            genesis: Arc::new(genesis),
            retain,
            stop: watch::Sender::new(false),
        }
    }

    fn offer(lowest: u64, certified: u64) -> Offer {
        let snapshot = certified.saturating_sub(certified % SNAPSHOT_EVERY);
        Offer {
            certified: Height::new(certified),
            lowest: Height::new(lowest),
            snapshot: (snapshot > 0).then(|| Height::new(snapshot)),
        }
    }

    fn verdict(retain: Retain, offers: &[Offer], next: u64) -> bool {
        let next = Height::new(next);
        decider(retain).worthwhile_above(offers, next).is_some()
    }

    #[test]
    fn blocks_are_taken_while_a_member_has_them_and_the_gap_is_small() {
        assert!(!verdict(Retain::All, &[], 1));
        assert!(!verdict(Retain::All, &[offer(0, 9_000)], 1_000));
        assert!(!verdict(
            Retain::All,
            &[offer(5_000, 9_000), offer(0, 9_000)],
            1_000
        ));
    }

    #[test]
    fn a_snapshot_is_taken_when_everybody_has_pruned_the_next_block() {
        assert!(verdict(Retain::All, &[offer(5_000, 9_000)], 1_000));
        assert!(verdict(Retain::All, &[offer(50_000, 99_000)], 40_000));
        assert!(!verdict(Retain::All, &[offer(5_000, 9_000)], 8_500));
    }

    #[test]
    fn a_snapshot_is_taken_over_a_large_gap_unless_a_long_ledger_would_be_lost() {
        assert!(verdict(Retain::All, &[offer(0, 99_000)], 1));
        assert!(!verdict(Retain::All, &[offer(0, 99_000)], 40_000));
        assert!(verdict(Retain::Blocks(9), &[offer(0, 99_000)], 40_000));
    }

    #[test]
    fn a_wish_is_there_until_it_is_fulfilled() {
        let home = tempfile::tempdir().unwrap();
        assert_eq!(wished(home.path()), None);

        wish(home.path(), Height::new(7)).unwrap();

        assert_eq!(wished(home.path()), Some(Height::new(7)));
        unwish(home.path()).unwrap();
        unwish(home.path()).unwrap();
        assert_eq!(wished(home.path()), None);
    }
}
