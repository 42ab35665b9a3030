//! Taking a snapshot from members of whom some lie, stall, or go away.
#![expect(
    clippy::arithmetic_side_effects,
    reason = "a fixture of tests: a wrong number is a failed test"
)]

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, Mutex, OnceLock};
use std::time::Duration;

use contract::{Genesis, Height};
use node::ledger::Ledger;
use node::network::{AskError, MemberIndex};
use node::snapshot::fetch::{self, NotTaken};
use node::snapshot::install::{self, DRAFT};
use node::snapshot::peers::Peers;
use node::snapshot::proof::{Proved, Unproved};
use node::snapshot::staging::{Staged, Staging};
use node::snapshot::wire::{Manifest, Offer, Request};
use node::store::{Opened, SNAPSHOT_EVERY};
use tempfile::TempDir;

use super::research_ledger::{Consortium, Node, session};

/// A ledger that is long enough to offer a snapshot.
pub(crate) struct Source {
    pub(crate) consortium: Consortium,
    pub(crate) ledger: Ledger,
    _home: TempDir,
}

/// The newest block of the source: some blocks above its snapshot.
pub(crate) const NEWEST: u64 = SNAPSHOT_EVERY + 5;

/// Milliseconds between two blocks: the replay window has 300 of them.
const STEP_MS: u64 = 500;

/// The time of a block, after the start.
pub(crate) const fn after(seq: u64) -> u64 {
    seq * STEP_MS
}

/// One source for all tests: it takes thousands of blocks.
pub(crate) fn source() -> &'static Source {
    static SOURCE: OnceLock<Source> = OnceLock::new();
    SOURCE.get_or_init(|| {
        let home = tempfile::tempdir().unwrap();
        let mut consortium = Consortium::new();
        let node = Node::start(home.path(), &consortium);
        for seq in 1..=NEWEST {
            block(&node, &mut consortium, seq);
        }
        let ledger = node.ledger.clone();
        node.abandon();
        Source {
            consortium,
            ledger,
            _home: home,
        }
    })
}

/// Adds a block: the first ones register patients, some later ones record sign-ins.
pub(crate) fn block(node: &Node, consortium: &mut Consortium, seq: u64) {
    let until = consortium.start + after(seq) + 60_000;
    let transactions = match seq {
        1..=4 => (0..60_u8)
            .map(|number| {
                let patient = number + u8::try_from(seq - 1).unwrap() * 60;
                consortium.registration(patient)
            })
            .collect(),
        _ if seq.is_multiple_of(16) => {
            let number = u32::try_from(seq).unwrap();
            vec![consortium.sign_in_at(after(seq), until, number)]
        }
        _ => Vec::new(),
    };
    let batch = consortium.batch(after(seq), &transactions);
    let header = node.execute(consortium.ordered(seq, batch));
    if seq.is_multiple_of(64) || seq >= SNAPSHOT_EVERY {
        node.certify(consortium.certificate(seq, header));
    }
}

/// How a member behaves.
#[derive(Clone, Copy, Debug)]
enum Mood {
    /// As it should.
    Honest,
    /// Changes one byte in the middle of every part of this kind.
    Lies(fn(&Request) -> bool),
    /// Has nothing to give but announcements.
    Empty,
    /// Sends megabytes of nothing.
    Oversized,
    /// Announces a height far beyond the ledger, and once asked for its proof a lower one.
    Tall,
    /// Never answers.
    Stalls,
    /// Answers so many requests and is gone.
    Vanishes(usize),
}

/// Members over the same ledger, each with its mood.
#[derive(Clone)]
struct Fakes {
    moods: Arc<BTreeMap<MemberIndex, Mood>>,
    /// What each was asked.
    asked: Arc<Mutex<BTreeMap<MemberIndex, Vec<Request>>>>,
}

impl Fakes {
    fn new(moods: impl IntoIterator<Item = Mood>) -> Self {
        Self {
            moods: Arc::new((1..).zip(moods).collect()),
            asked: Arc::default(),
        }
    }

    fn asked(&self, member: MemberIndex) -> Vec<Request> {
        let asked = self.asked.lock().unwrap();
        asked.get(&member).cloned().unwrap_or_default()
    }

    fn parts_asked(&self) -> usize {
        let asked = self.asked.lock().unwrap();
        let parts = asked.values().flatten();
        parts
            .filter(|it| !matches!(it, Request::Offer | Request::Manifest(_)))
            .count()
    }
}

impl Peers for Fakes {
    fn present(&self) -> Vec<MemberIndex> {
        let there = self.moods.iter().filter(|(member, mood)| {
            let gone =
                matches!(mood, Mood::Vanishes(after) if self.asked(**member).len() >= *after);
            !gone
        });
        there.map(|(member, _)| *member).collect()
    }

    async fn question(&self, member: MemberIndex, request: Vec<u8>) -> Result<Vec<u8>, AskError> {
        let question = Request::decode(&request).unwrap();
        let count = {
            let mut asked = self.asked.lock().unwrap();
            let asked = asked.entry(member).or_default();
            asked.push(question.clone());
            asked.len()
        };
        let mut answer = source().ledger.snapshot_answer(&request).unwrap();
        let is_offer = question == Request::Offer;
        #[expect(
            clippy::wildcard_enum_match_arm,
            reason = "most moods answer as they should"
        )]
        match self.moods[&member] {
            Mood::Lies(about) if about(&question) && !answer.is_empty() => {
                let middle = answer.len() / 2;
                answer[middle] ^= 1;
            }
            Mood::Empty if !is_offer => answer.clear(),
            Mood::Oversized if !is_offer => answer = vec![0xff; 7 << 20],
            Mood::Tall if is_offer => {
                let height = Height::new(SNAPSHOT_EVERY * if count > 1 { 2 } else { 1 << 40 });
                let offer = Offer {
                    certified: height,
                    lowest: Height::new(0),
                    snapshot: Some(height),
                };
                answer = offer.encode();
            }
            Mood::Stalls => {
                tokio::time::sleep(Duration::from_millis(20)).await;
                return Err(AskError::Late);
            }
            Mood::Vanishes(after) if count > after => return Err(AskError::Late),
            _ => {}
        }
        Ok(answer)
    }
}

/// Takes a snapshot into a home.
async fn take(fakes: &Fakes, home: &Path) -> Result<Proved, NotTaken> {
    let staging = Staging::open(home).unwrap();
    let genesis = genesis();
    fetch::take(fakes, &staging, &genesis, Height::new(0)).await
}

fn genesis() -> Arc<Genesis> {
    Arc::clone(&source().consortium.genesis)
}

/// Makes the ledger of a snapshot that was taken.
pub(crate) fn plant(home: &Path, proved: &Proved) {
    let staging = Staging::open(home).unwrap();
    let mut parts = Staged::new(&staging, proved).unwrap();
    install::plant(proved, &mut parts, &home.join(DRAFT)).unwrap();
    install::replace(home).unwrap();
    staging.clear().unwrap();
}

/// Takes a snapshot and makes the ledger of it; says why, if that is not possible.
async fn joined(fakes: &Fakes, home: &Path) {
    let proved = take(fakes, home).await.unwrap();
    assert_eq!(proved.height(), Height::new(SNAPSHOT_EVERY));
    plant(home, &proved);
    let block = source().ledger.block(Height::new(SNAPSHOT_EVERY));
    assert_eq!(proved.hash, block.unwrap().unwrap().hash);
}

/// Starts a node in a home, brings it to the source's newest block and beyond, and compares.
fn assert_goes_on(home: &Path) {
    let source = source();
    let consortium = &source.consortium;
    let node = Node::start(home, consortium);
    assert_eq!(node.opened, Opened::Intact(Height::new(SNAPSHOT_EVERY)));
    let first = SNAPSHOT_EVERY + 1;
    for seq in first..=NEWEST {
        let block = source.ledger.block(Height::new(seq)).unwrap().unwrap();
        let header = node.execute(consortium.ordered(seq, block.batch.clone()));
        assert_eq!(header.as_bytes(), block.hash.as_bytes(), "block {seq}");
    }
    node.stop();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_snapshot_becomes_a_ledger_that_goes_on_like_the_one_it_is_of() {
    let home = tempfile::tempdir().unwrap();

    joined(&Fakes::new([Mood::Honest; 3]), home.path()).await;

    let source = source();
    let consortium = &source.consortium;
    let node = Node::start(home.path(), consortium);
    let ledger = &node.ledger;
    let lowest = ledger.lowest();
    let window = genesis().parameters().replay_window_ms / STEP_MS;
    let reach = SNAPSHOT_EVERY - window;
    assert!(
        lowest.get() < reach && lowest.get() + 17 > reach,
        "{lowest}"
    );
    for seq in [0, 1, 77, lowest.get() - 1, lowest.get(), SNAPSHOT_EVERY] {
        let height = Height::new(seq);
        let there = source.ledger.block(height).unwrap().unwrap();
        assert_eq!(ledger.block_by_hash(&there.hash).unwrap(), Some(height));
        let here = ledger.block(height).unwrap();
        assert_eq!(here.is_some(), height >= lowest, "block {seq}");
    }
    let inside = u32::try_from(SNAPSHOT_EVERY - 16).unwrap();
    let row = ledger.session(&session(inside), None).unwrap().unwrap();
    assert_eq!(row.height, Height::new(SNAPSHOT_EVERY - 16));
    assert_eq!(
        ledger.session(&session(16), None).unwrap(),
        None,
        "not kept here"
    );
    node.stop();
    assert_goes_on(home.path());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_joined_node_refuses_what_was_done_within_the_window_before_the_snapshot() {
    let home = tempfile::tempdir().unwrap();
    joined(&Fakes::new([Mood::Honest]), home.path()).await;
    let source = source();
    let consortium = &source.consortium;
    let old = source.ledger.block(Height::new(SNAPSHOT_EVERY - 16));
    let again = old.unwrap().unwrap().transactions;
    assert_eq!(again.len(), 1);

    let node = Node::start(home.path(), consortium);
    let seq = SNAPSHOT_EVERY + 1;
    let batch = consortium.batch(after(seq), &again);
    node.execute(consortium.ordered(seq, batch));

    let block = node.ledger.block(Height::new(seq)).unwrap().unwrap();
    assert_eq!(
        block.outcomes,
        [contract::Outcome::Refused(contract::Refused::Replayed)]
    );
    node.stop();
}

#[tokio::test(flavor = "multi_thread")]
async fn c15_members_that_lie_stall_or_have_nothing_cannot_stop_it_and_liars_are_left() {
    let state: fn(&Request) -> bool = |it| matches!(it, Request::State(..));
    let hashes: fn(&Request) -> bool = |it| matches!(it, Request::Hashes(..));
    let blocks: fn(&Request) -> bool = |it| matches!(it, Request::Blocks(..));
    let manifest: fn(&Request) -> bool = |it| matches!(it, Request::Manifest(_));
    let fakes = Fakes::new([
        Mood::Lies(state),
        Mood::Lies(hashes),
        Mood::Lies(blocks),
        Mood::Lies(manifest),
        Mood::Empty,
        Mood::Oversized,
        Mood::Stalls,
        Mood::Honest,
    ]);
    let home = tempfile::tempdir().unwrap();

    joined(&fakes, home.path()).await;

    assert_goes_on(home.path());
    for (member, about) in [(1, state), (2, hashes), (3, blocks)] {
        let lies = fakes.asked(member).iter().filter(|it| about(it)).count();
        assert!(lies <= 2, "member {member} was believed again: {lies}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn c7_a_height_that_nobody_can_prove_is_announced_in_vain() {
    let fakes = Fakes::new([Mood::Tall, Mood::Honest, Mood::Tall]);
    let home = tempfile::tempdir().unwrap();

    joined(&fakes, home.path()).await;

    assert_goes_on(home.path());
}

#[tokio::test(flavor = "multi_thread")]
async fn c14_without_one_member_that_has_anything_there_is_no_snapshot_and_no_wait() {
    for moods in [[Mood::Empty; 3], [Mood::Oversized; 3], [Mood::Tall; 3]] {
        let home = tempfile::tempdir().unwrap();

        let error = take(&Fakes::new(moods), home.path()).await.unwrap_err();

        assert!(matches!(error, NotTaken::NoOffer { .. }), "{error}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_came_before_a_crash_is_checked_again_and_not_asked_for_twice() {
    let fakes = Fakes::new([Mood::Honest]);
    let whole = tempfile::tempdir().unwrap();
    take(&fakes, whole.path()).await.unwrap();
    let all = fakes.parts_asked();

    let home = tempfile::tempdir().unwrap();
    let vanishing = Fakes::new([Mood::Vanishes(all)]);
    let cut = tokio::time::timeout(Duration::from_secs(3), take(&vanishing, home.path())).await;
    assert!(cut.is_err(), "it was still waiting for the rest");
    let kept: Vec<_> = std::fs::read_dir(home.path().join("ledger.joining"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    let damaged = kept
        .iter()
        .find(|path| path.to_str().unwrap().contains("hashes-"))
        .unwrap();
    std::fs::write(damaged, b"torn").unwrap();
    let fakes = Fakes::new([Mood::Honest]);

    joined(&fakes, home.path()).await;

    let asked = fakes.parts_asked();
    assert!(asked < all / 2, "{asked} of {all} were asked for again");
    assert_goes_on(home.path());
}

#[test]
fn c5_c6_a_manifest_counts_only_with_a_quorum_for_its_own_header_and_history() {
    let source = source();
    let genesis = genesis();
    let request = Request::Manifest(Height::new(SNAPSHOT_EVERY));
    let answer = source.ledger.snapshot_answer(&request.encode()).unwrap();
    let good = Manifest::decode(&answer).unwrap();
    let verdict = |change: &dyn Fn(&mut Manifest)| {
        let mut manifest = good.clone();
        change(&mut manifest);
        Proved::check(manifest, &genesis).map(|proved| proved.height())
    };

    assert_eq!(verdict(&|_| {}), Ok(Height::new(SNAPSHOT_EVERY)));
    let few = verdict(&|it| it.certificate.checkpoints.truncate(2));
    assert_eq!(few, Err(Unproved::NotCertified));
    let twice = verdict(&|it| it.certificate.checkpoints[1] = it.certificate.checkpoints[0]);
    assert_eq!(twice, Err(Unproved::NotCertified));
    let header = verdict(&|it| it.header[100] ^= 1);
    assert_eq!(header, Err(Unproved::NotCertified));
    let history = verdict(&|it| it.segments[0][0] ^= 1);
    assert_eq!(history, Err(Unproved::History));
    let longer = verdict(&|it| it.segments.push([0; 32]));
    assert_eq!(longer, Err(Unproved::History));
}

#[test]
fn a_snapshot_is_offered_of_the_newest_certified_multiple_and_its_predecessor_alone() {
    let ledger = &source().ledger;
    let answered = |height: u64| {
        let request = Request::Manifest(Height::new(height));
        !ledger
            .snapshot_answer(&request.encode())
            .unwrap()
            .is_empty()
    };

    let offer = ledger.snapshot_answer(&Request::Offer.encode()).unwrap();
    let offer = Offer::decode(&offer).unwrap();
    assert_eq!(offer.snapshot, Some(Height::new(SNAPSHOT_EVERY)));
    assert_eq!(offer.lowest, Height::new(0));
    assert!(answered(SNAPSHOT_EVERY));
    for height in [0, 1, 64, SNAPSHOT_EVERY - 1, NEWEST, 2 * SNAPSHOT_EVERY] {
        assert!(!answered(height), "{height}");
    }
}
