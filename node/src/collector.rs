//! Sign-in results on their way to the ledger, and what became of each told to who waits.
//!
//! Those that come within a short time go in one bundle, which costs little more than a result in a transaction of its own
//! would. A patient's receipt shows hers alone (docs/aidc1-ledger.md §3).
//!
//! Only what this node accepted itself comes in here, at that moment or out of its own outbox: a patient's claim is passed
//! on as it is and never becomes a result of this member.

mod gathered;

use std::collections::BTreeMap;
use std::time::Duration;

use contract::record::AUTH_RESULT_BYTES;
use contract::transaction::BUNDLE_FRAME_BYTES;
use contract::{AuthResult, Call, Height, Outcome, Parameters, Refused, ServerId, limits};
use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::JoinSet;
use tokio::time::{MissedTickBehavior, interval, sleep};
use tracing::{debug, warn};

use crate::clerk::{Clerk, NotSaid};
use crate::mempool::SubmitError;
use crate::outbox::{Key, Outbox, key};
use crate::petition::VALID_MS;
use crate::term::Terms;
use gathered::Gathered;

/// Results that wait to be handed in.
const INBOX: usize = 8_192;
/// Results of the outbox that are handed in at one look.
const AT_ONCE: usize = 256;
/// How often the outbox is looked through.
const LOOK: Duration = Duration::from_secs(1);
/// How long a result is awaited: until it cannot come any more.
const SETTLED: Duration = Duration::from_millis(VALID_MS + 5_000);
/// When a result is handed in again while its transaction may still come.
pub(crate) const AGAIN_MS: u64 = VALID_MS + 10_000;
/// When a result is handed in again after the ledger did not take it yet.
pub(crate) const SOON_MS: u64 = 5_000;

/// How old a result is when it is handed in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Age {
    /// This node has just accepted it, so its signature is good.
    New,
    /// Within the window.
    Fresh,
    /// Behind it.
    Late,
}

/// What became of a result.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// It is on the ledger.
    Recorded(Height),
    /// It never will be.
    Never(Refused),
    /// It is not known, or it may come later.
    Open,
}

/// What is said to a bundle.
#[derive(Debug)]
enum Said {
    /// Its block, and what became of it there.
    Done(Height, Outcome),
    /// It was not taken, or did not come in time.
    NotYet,
    /// No member would take it.
    Invalid,
}

/// A result and who waits for it.
#[derive(Debug)]
struct Entry {
    result: AuthResult,
    told: oneshot::Sender<Fate>,
}

/// Takes results; cloning shares.
#[derive(Clone, Debug)]
pub struct Collector(mpsc::Sender<Entry>);

/// Hands them in.
#[derive(Debug)]
pub struct Worker {
    desk: Desk,
    inbox: mpsc::Receiver<Entry>,
    gathered: Gathered<Entry>,
    /// Bundles on their way; the tasks end with this.
    under_way: JoinSet<()>,
}

/// What handing in needs.
#[derive(Clone, Debug)]
struct Desk {
    clerk: Clerk,
    outbox: Outbox,
    terms: Terms,
}

impl Collector {
    /// A collector, and its worker, which is to be run.
    pub fn new(clerk: Clerk, outbox: Outbox, terms: Terms) -> (Self, Worker) {
        let (sender, inbox) = mpsc::channel(INBOX);
        let desk = Desk {
            clerk,
            outbox,
            terms,
        };
        let worker = Worker {
            desk,
            inbox,
            gathered: Gathered::default(),
            under_way: JoinSet::new(),
        };
        (Self(sender), worker)
    }

    /// Hands in a sign-in that this node has just accepted. Nothing is told if the node stops first.
    pub async fn hand_in(&self, result: AuthResult) -> oneshot::Receiver<Fate> {
        let (told, fate) = oneshot::channel();
        if self.0.send(Entry { result, told }).await.is_err() {
            debug!("the collector has stopped");
        }
        fate
    }
}

impl Worker {
    /// Hands in until the node stops.
    pub async fn run(mut self, mut stopped: watch::Receiver<bool>) {
        tokio::select! {
            () = self.follow() => {}
            _ = stopped.wait_for(|stop| *stop) => {}
        }
        // Whoever still holds a handle writes no more: the next start of this home has the file.
        self.desk.outbox.close();
    }

    async fn follow(&mut self) {
        let mut looks = interval(LOOK);
        looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            let due = self.gathered.wait(self.desk.clerk.clock.now());
            tokio::select! {
                entry = self.inbox.recv() => match entry {
                    Some(entry) => self.gather(entry),
                    None => return,
                },
                () = sleep(due.unwrap_or_default()), if due.is_some() => {}
                _ = looks.tick() => self.look(),
            }
            while self.under_way.try_join_next().is_some() {}
            self.hand_in_what_is_due();
        }
    }

    fn hand_in_what_is_due(&mut self) {
        let most = self.desk.most();
        let now = self.desk.clerk.clock.now();
        while let Some(bundle) = self.gathered.take(most, now) {
            self.under_way.spawn(self.desk.clone().fresh(bundle));
        }
    }

    /// Takes in a result and all that wait behind it.
    fn gather(&mut self, entry: Entry) {
        self.gathered.add(entry);
        while let Ok(entry) = self.inbox.try_recv() {
            self.gathered.add(entry);
        }
    }

    /// Hands in again what is due in the outbox.
    fn look(&mut self) {
        let most = self.desk.most();
        for (age, results) in bundles(self.desk.due(), most) {
            let desk = self.desk.clone();
            self.under_way.spawn(desk.once_more(results, age));
        }
    }
}

/// How many results one bundle may have under these rules.
fn most(rules: &Parameters) -> usize {
    let wide = |limit| usize::try_from(limit).unwrap_or(usize::MAX);
    let room = wide(rules.bundle_bytes_max).saturating_sub(BUNDLE_FRAME_BYTES);
    let fit = room.checked_div(AUTH_RESULT_BYTES).unwrap_or(1);
    wide(rules.bundle_results_max).min(fit).max(1)
}

/// Puts results of one age and one name of this member together.
fn bundles(due: Vec<(AuthResult, Age)>, most: usize) -> Vec<(Age, Vec<AuthResult>)> {
    let mut groups: BTreeMap<(Age, ServerId), Vec<AuthResult>> = BTreeMap::new();
    for (result, age) in due {
        let group = groups.entry((age, result.server_id)).or_default();
        group.push(result);
    }
    let bundles = groups.into_iter().flat_map(|((age, _), results)| {
        let parts: Vec<_> = results.chunks(most).map(<[_]>::to_vec).collect();
        parts.into_iter().map(move |part| (age, part))
    });
    bundles.collect()
}

impl Desk {
    /// Hands in results of now and tells who waits.
    async fn fresh(self, entries: Vec<Entry>) {
        let (results, told): (Vec<_>, Vec<_>) = entries
            .into_iter()
            .map(|entry| (entry.result, entry.told))
            .unzip();
        let said = self.submit(&results, Age::New).await;
        let fates = self.settled(&results, &said, Age::New);
        for (told, fate) in told.into_iter().zip(fates) {
            if told.send(fate).is_err() {
                debug!("nobody waits for this result any more");
            }
        }
    }

    /// Hands in results out of the outbox. One that no member would take must not keep the others back.
    async fn once_more(self, results: Vec<AuthResult>, age: Age) {
        let said = self.submit(&results, age).await;
        if !matches!(said, Said::Invalid) || results.len() < 2 {
            self.settled(&results, &said, age);
            return;
        }
        for alone in results.chunks(1) {
            let said = self.submit(alone, age).await;
            self.settled(alone, &said, age);
        }
    }

    /// How many results one bundle may have now.
    fn most(&self) -> usize {
        most(&self.terms.borrow().rules)
    }

    /// What is due in the outbox, and how old each is.
    fn due(&self) -> Vec<(AuthResult, Age)> {
        let now_ms = self.clerk.clock.wall_ms();
        let past_ms = self.terms.borrow().rules.result_past_ms;
        let again_ms = now_ms.saturating_add(AGAIN_MS);
        let due = self.outbox.due(now_ms, again_ms, AT_ONCE);
        let now = self.clerk.ledger.certified().header.time;
        let since = now.minus_ms(past_ms);
        let oldest = now.minus_ms(limits::LATE_PAST_MS);
        let (lost, due): (Vec<_>, Vec<_>) = due.into_iter().partition(|result| result.t3 < oldest);
        for result in &lost {
            dropped(result, Refused::TooLate);
        }
        self.settle(&lost.iter().map(key).collect::<Vec<Key>>());
        let with_age = due.into_iter().map(|result| {
            let age = if result.t3 < since {
                Age::Late
            } else {
                Age::Fresh
            };
            (result, age)
        });
        with_age.collect()
    }

    /// What became of each result of a bundle; keeps the outbox in step.
    fn settled(&self, results: &[AuthResult], said: &Said, age: Age) -> Vec<Fate> {
        let fates: Vec<Fate> = results
            .iter()
            .enumerate()
            .map(|(at, result)| match said {
                Said::Done(height, outcome) => {
                    self.fate(result, (*height, outcome.refusal_of(at)), age)
                }
                Said::NotYet | Said::Invalid => Fate::Open,
            })
            .collect();
        let mut over = Vec::new();
        for (at, (result, fate)) in results.iter().zip(&fates).enumerate() {
            match fate {
                Fate::Recorded(_) => over.push(key(result)),
                Fate::Never(why) => {
                    dropped(result, *why);
                    over.push(key(result));
                }
                Fate::Open => self
                    .outbox
                    .postpone(&key(result), self.again_ms(result, said, at)),
            }
        }
        self.settle(&over);
        fates
    }

    /// When an open result is handed in again. Under a key that the member no longer has, it is taken once it is late.
    fn again_ms(&self, result: &AuthResult, said: &Said, at: usize) -> u64 {
        let refused = match said {
            Said::Done(_, outcome) => outcome.refusal_of(at),
            Said::NotYet | Said::Invalid => None,
        };
        if refused == Some(Refused::OutsideKeyEpoch) {
            let past_ms = self.terms.borrow().rules.result_past_ms;
            let late = result.t3.plus_ms(past_ms.saturating_add(SOON_MS));
            return late.get();
        }
        self.clerk.clock.wall_ms().saturating_add(SOON_MS)
    }

    /// What the ledger says to a bundle of results of one age.
    async fn submit(&self, results: &[AuthResult], age: Age) -> Said {
        let Some(server) = results.first().map(|result| result.server_id) else {
            return Said::NotYet;
        };
        let call = match age {
            Age::Late => Call::LateResults(results.to_vec()),
            Age::New | Age::Fresh => Call::Results(results.to_vec()),
        };
        let said = if age == Age::New {
            self.clerk.say_checked(server, call).await
        } else {
            self.clerk.say(server, call).await
        };
        let ticket = match said {
            Ok(ticket) => ticket,
            Err(why) => {
                warn!(event = "result_not_taken", %why, "results of sign-ins are handed in again");
                let invalid = matches!(why, NotSaid::Refused(SubmitError::Invalid(_)));
                return if invalid { Said::Invalid } else { Said::NotYet };
            }
        };
        match ticket.wait(SETTLED).await {
            Ok(committed) => Said::Done(committed.height, committed.outcome),
            Err(why) => {
                debug!(%why, "results of sign-ins are not on the ledger yet");
                Said::NotYet
            }
        }
    }

    /// What became of a result in this block.
    fn fate(
        &self,
        result: &AuthResult,
        (height, refused): (Height, Option<Refused>),
        age: Age,
    ) -> Fate {
        match refused {
            None => Fate::Recorded(height),
            Some(Refused::SessionSeen) => self.recorded_before(result, height),
            // About the transaction, or about time: it is handed in again, late if need be.
            Some(
                Refused::Expired
                | Refused::TooFarAhead
                | Refused::Replayed
                | Refused::OverQuota
                | Refused::UnknownAuthor
                | Refused::WrongKey
                | Refused::InTheFuture
                | Refused::NotLate,
            ) => Fate::Open,
            // Under a key that was renewed meanwhile, or too late for the window: not lost, only late.
            Some(Refused::TooLate | Refused::OutsideKeyEpoch) if age != Age::Late => Fate::Open,
            Some(why) => Fate::Never(why),
        }
    }

    /// The session is on the ledger: an earlier transaction with it came after all.
    fn recorded_before(&self, result: &AuthResult, height: Height) -> Fate {
        let found = self
            .clerk
            .ledger
            .session(&result.sid, Some(&result.server_id));
        let height = match found {
            Ok(Some(row)) => row.height,
            Ok(None) => height,
            Err(error) => {
                warn!(event = "read_failed", %error, "the ledger cannot be read");
                height
            }
        };
        Fate::Recorded(height)
    }

    fn settle(&self, keys: &[Key]) {
        if let Err(error) = self.outbox.settle(keys) {
            // They are handed in again, and the ledger says that it has them.
            warn!(event = "outbox_not_written", %error, "the outbox cannot be written");
        }
    }
}

/// Says that a sign-in is not on the ledger and never will be, without saying whose.
fn dropped(result: &AuthResult, why: Refused) {
    warn!(event = "result_dropped", sid = %result.sid, %why, "the ledger does not take the result of a sign-in");
}

#[cfg(test)]
mod tests {
    use contract::{
        Aid, Author, BlockTime, ChainId, PublicKey, SessionId, SignatureBytes, SuiteId, Transaction,
    };
    use ed25519_dalek::SigningKey;

    use super::*;

    fn result(server: u8, number: u8) -> AuthResult {
        AuthResult {
            suite: SuiteId::AIDC_1,
            server_id: ServerId::new([server; 32]),
            key_epoch: 1,
            aid: Aid::new([number; 32]),
            t1: BlockTime::new(1),
            t3: BlockTime::new(2),
            sid: SessionId::new([number; 32]),
            pk_sig: PublicKey::new([2; 32]),
            sigma: SignatureBytes::new([3; 64]),
        }
    }

    #[test]
    fn results_of_another_age_or_name_go_apart_and_no_bundle_has_more_than_it_may() {
        let due = [
            (1, 1, Age::Fresh),
            (1, 2, Age::Late),
            (2, 3, Age::Fresh),
            (1, 4, Age::Fresh),
            (1, 5, Age::Fresh),
        ];
        let due = due.map(|(server, number, age)| (result(server, number), age));

        let bundles = bundles(due.to_vec(), 2);

        let expected = [
            (Age::Fresh, vec![result(1, 1), result(1, 4)]),
            (Age::Fresh, vec![result(1, 5)]),
            (Age::Fresh, vec![result(2, 3)]),
            (Age::Late, vec![result(1, 2)]),
        ];
        assert_eq!(bundles, expected);
    }

    #[test]
    fn a_bundle_of_the_most_results_is_within_the_rules_and_one_of_more_is_not() {
        let chain = ChainId::new([9; 32]);
        let signer = SigningKey::from_bytes(&[1; 32]);
        for (bytes, results) in [(1 << 10, 256), (128 << 10, 256), (128 << 10, 1)] {
            let rules = Parameters {
                bundle_bytes_max: bytes,
                bundle_results_max: results,
                ..Parameters::default()
            };
            let is_within = |count: usize| {
                let author = Author::Member(ServerId::new([1; 32]));
                let call = Call::Results(vec![result(1, 1); count]);
                let until = BlockTime::new(1);
                let bundle = Transaction::new(chain, author, until, [0; 8], call).sign(&signer);
                bundle.check_form(&chain, &rules).is_ok()
            };

            let most = most(&rules);

            assert!(
                is_within(most) && !is_within(most.saturating_add(1)),
                "{most}"
            );
        }
    }
}
