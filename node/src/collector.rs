//! Sign-in results on their way to the ledger, and what became of each told to who waits.
//!
//! Each has a transaction of its own. A receipt holds the whole transaction, and a patient who keeps hers must not read in
//! it who else signed in at that moment.
//!
//! Only what this node accepted itself comes in here, at that moment or out of its own outbox: a patient's claim is passed
//! on as it is and never becomes a result of this member.

use std::time::Duration;

use contract::{AuthResult, Call, Height, Outcome, Refused, limits};
use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::JoinSet;
use tokio::time::{MissedTickBehavior, interval};
use tracing::{debug, warn};

use crate::clerk::Clerk;
use crate::outbox::{Key, Outbox, key};
use crate::petition::VALID_MS;
use crate::term::Terms;

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
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
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
    /// Results on their way; the tasks end with this.
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
            tokio::select! {
                entry = self.inbox.recv() => match entry {
                    Some(entry) => drop(self.under_way.spawn(self.desk.clone().fresh(entry))),
                    None => return,
                },
                _ = looks.tick() => self.look(),
            }
            while self.under_way.try_join_next().is_some() {}
        }
    }

    /// Hands in again what is due in the outbox.
    fn look(&mut self) {
        for (result, age) in self.desk.due() {
            let desk = self.desk.clone();
            self.under_way.spawn(async move {
                desk.hand_in(&result, age).await;
            });
        }
    }
}

impl Desk {
    /// Hands in a result of now and tells who waits.
    async fn fresh(self, entry: Entry) {
        let fate = self.hand_in(&entry.result, Age::New).await;
        if entry.told.send(fate).is_err() {
            debug!("nobody waits for this result any more");
        }
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

    /// Hands in a result, and keeps the outbox in step with what becomes of it.
    async fn hand_in(&self, result: &AuthResult, age: Age) -> Fate {
        let outcome = self.submit(result, age).await;
        let refused = outcome.as_ref().map(|(_, outcome)| outcome.refusal_of(0));
        let fate = match &outcome {
            Some((height, outcome)) => self.fate(result, (*height, outcome.refusal_of(0)), age),
            None => Fate::Open,
        };
        match fate {
            Fate::Recorded(_) => self.settle(&[key(result)]),
            Fate::Never(why) => {
                dropped(result, why);
                self.settle(&[key(result)]);
            }
            // Under a key that the member no longer has, it is taken once it is late.
            Fate::Open if refused == Some(Some(Refused::OutsideKeyEpoch)) => {
                let past_ms = self.terms.borrow().rules.result_past_ms;
                let late = result.t3.plus_ms(past_ms.saturating_add(SOON_MS));
                self.outbox.postpone(&key(result), late.get());
            }
            Fate::Open => {
                let soon_ms = self.clerk.clock.wall_ms().saturating_add(SOON_MS);
                self.outbox.postpone(&key(result), soon_ms);
            }
        }
        fate
    }

    /// What the ledger says to the transaction of a result; nothing if it was not taken, or did not come in time.
    async fn submit(&self, result: &AuthResult, age: Age) -> Option<(Height, Outcome)> {
        let alone = vec![result.clone()];
        let call = match age {
            Age::Late => Call::LateResults(alone),
            Age::New | Age::Fresh => Call::Results(alone),
        };
        let said = if age == Age::New {
            self.clerk.say_checked(result.server_id, call).await
        } else {
            self.clerk.say(result.server_id, call).await
        };
        let ticket = match said {
            Ok(ticket) => ticket,
            Err(why) => {
                warn!(event = "result_not_taken", %why, "the result of a sign-in is handed in again");
                return None;
            }
        };
        match ticket.wait(SETTLED).await {
            Ok(committed) => Some((committed.height, committed.outcome)),
            Err(why) => {
                debug!(%why, "the result of a sign-in is not on the ledger yet");
                None
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
