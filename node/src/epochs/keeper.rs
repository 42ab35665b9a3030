//! Publishes this member's next key epoch in time, and erases what is over.

use std::path::Path;
use std::time::Duration;

use contract::contracts::servers::{newest_record_at, record_at};
use contract::{BlockTime, Call, Outcome, ServerId, ServerRecord, StateError, SuiteId};
use protocol::Timestamp;
use protocol::aidc1::{DELTA_MS, EpochSecret};
use tokio::sync::watch;
use tracing::{debug, info, warn};

use super::secrets::Secrets;
use super::{Epochs, EpochsError};
use crate::clerk::Clerk;
use crate::config::KeyEpoch;
use crate::petition::{PATIENCE, VALID_MS};
use crate::vault::VaultError;

/// How much earlier than now an epoch begins: clocks of patients and members may be a little behind.
const HEAD_START_MS: u64 = 5_000;
/// The part of an epoch before whose last one the next is published.
const PART: u64 = 8;
/// When a record is given up by this machine's clock, behind its time: no member votes for a batch that old.
const GRACE_MS: u64 = 60_000;
/// Pause after a record that was not taken.
const REST_MS: u64 = 10_000;
/// Pause between two looks while nothing becomes final.
const PAUSE: Duration = Duration::from_secs(1);
/// The least pause between two looks.
const BREATH: Duration = Duration::from_millis(200);

/// Looks after this member's key epochs while the node runs.
#[derive(Debug)]
pub struct Keeper {
    clerk: Clerk,
    epochs: Epochs,
    length: KeyEpoch,
    secrets: Secrets,
    /// Epochs that are in use.
    installed: Vec<u32>,
    /// Until when nothing is published, since the ledger or the pool said no.
    rests: BlockTime,
}

/// Why an epoch cannot be looked after now.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Unkept {
    /// The ledger cannot be read.
    #[error(transparent)]
    State(#[from] StateError),
    /// The vault fails.
    #[error(transparent)]
    Vault(#[from] VaultError),
    /// There is no randomness.
    #[error("the operating system gives no random numbers")]
    NoRandomness,
}

/// What the certified ledger says of a secret.
enum Standing {
    /// Its record is there and it is this member's present one.
    Current(Box<ServerRecord>),
    /// Nobody needs it any more.
    Over,
    /// Its record may still come.
    Awaited,
}

impl Keeper {
    /// Opens the vault of a home.
    pub fn open(
        home: &Path,
        clerk: Clerk,
        epochs: Epochs,
        length: KeyEpoch,
    ) -> Result<Self, EpochsError> {
        Ok(Self {
            secrets: Secrets::open(home)?,
            clerk,
            epochs,
            length,
            installed: Vec::new(),
            rests: BlockTime::new(0),
        })
    }

    /// Looks again and again, until the node stops. A ledger without the suite needs no keys.
    pub async fn run(mut self, mut stopped: watch::Receiver<bool>) {
        let suites = self.clerk.ledger.genesis().suites();
        if !suites.contains(&SuiteId::AIDC_1) {
            return;
        }
        tokio::select! {
            () = self.follow() => {}
            _ = stopped.wait_for(|stop| *stop) => {}
        }
    }

    async fn follow(&mut self) {
        let mut heights = self.clerk.ledger.subscribe();
        loop {
            heights.mark_unchanged();
            let now = BlockTime::new(self.clerk.clock.wall_ms());
            if let Err(cause) = self.look(now).await {
                warn!(event = "key_epochs", %cause, "cannot look after the keys of sign-ins");
            }
            tokio::time::sleep(BREATH).await;
            let changed = tokio::time::timeout(PAUSE, heights.changed()).await;
            if matches!(changed, Ok(Err(_))) {
                debug!("the ledger has stopped");
                return;
            }
        }
    }

    /// One look, at this time.
    pub(crate) async fn look(&mut self, now: BlockTime) -> Result<(), Unkept> {
        self.settle(now)?;
        let Some(id) = self.clerk.seat()? else {
            return Ok(());
        };
        if now >= self.rests && self.is_due(&id, now)? {
            self.publish(id, now).await?;
            self.settle(now)?;
        }
        Ok(())
    }

    /// Takes keys into use whose records the certified ledger holds; erases those that nobody needs any more.
    fn settle(&mut self, now: BlockTime) -> Result<(), Unkept> {
        let mut over = self.epochs.erase_ended(Timestamp::from_millis(now.get()));
        let Some(id) = self.clerk.seat()? else {
            return Ok(self.erase(&over)?);
        };
        for kept in self.secrets.kept() {
            match self.standing(&id, kept, now)? {
                Standing::Awaited => {}
                Standing::Over => over.push(kept.key_epoch),
                Standing::Current(_) if self.installed.contains(&kept.key_epoch) => {}
                Standing::Current(record) => {
                    let (key_epoch, until) = (record.key_epoch, record.not_after);
                    match self.epochs.install(*record, &kept.secret) {
                        Ok(()) => {
                            self.installed.push(key_epoch);
                            info!(event = "key_epoch", key_epoch, %until, "sign-ins are answered with the key of this epoch");
                        }
                        Err(why) => debug!(key_epoch, %why, "the key is not in use yet"),
                    }
                }
            }
        }
        Ok(self.erase(&over)?)
    }

    fn erase(&mut self, over: &[u32]) -> Result<(), VaultError> {
        if over.is_empty() {
            return Ok(());
        }
        self.secrets.erase(over)?;
        self.installed.retain(|epoch| !over.contains(epoch));
        info!(event = "key_epoch_erased", epochs = ?over, "keys of sign-ins that are over are erased");
        Ok(())
    }

    /// What the certified ledger says of a secret of this member at this time.
    fn standing(
        &self,
        id: &ServerId,
        kept: &super::secrets::Kept,
        now: BlockTime,
    ) -> Result<Standing, StateError> {
        let ledger = &self.clerk.ledger;
        let certified = ledger.certified().header.time;
        let record = record_at(&ledger.state(), id, kept.key_epoch)?;
        let own = record.filter(|record| kept.is_of(record));
        Ok(match own {
            None if certified > kept.until || now > kept.until.plus_ms(GRACE_MS) => Standing::Over,
            None => Standing::Awaited,
            Some(record) if record.not_after.plus_ms(DELTA_MS.saturating_mul(2)) < now => {
                Standing::Over
            }
            // The ledger takes no result under a key that the member no longer has.
            Some(record) if record.node_key != self.clerk.keys.member_public() => Standing::Over,
            Some(record) => Standing::Current(Box::new(record)),
        })
    }

    /// Whether no key is at hand whose epoch lasts long enough, and none is on its way.
    fn is_due(&self, id: &ServerId, now: BlockTime) -> Result<bool, StateError> {
        for kept in self.secrets.kept() {
            match self.standing(id, kept, now)? {
                Standing::Awaited => return Ok(false),
                Standing::Over => {}
                Standing::Current(record) => {
                    let length = record
                        .not_after
                        .get()
                        .saturating_sub(record.not_before.get());
                    let eighth = length.div_euclid(PART);
                    if record.covers(now) && now.plus_ms(eighth) < record.not_after {
                        return Ok(false);
                    }
                }
            }
        }
        Ok(true)
    }

    /// Draws a key, keeps it, and says so on the ledger.
    async fn publish(&mut self, id: ServerId, now: BlockTime) -> Result<(), Unkept> {
        let newest = newest_record_at(&self.clerk.ledger.state(), &id)?;
        let key_epoch = newest
            .map_or(0, |record| record.key_epoch)
            .saturating_add(1);
        let mut rng = patient::dice::seeded().map_err(|_failure| Unkept::NoRandomness)?;
        let secret = EpochSecret::draw(&mut rng);
        let record = ServerRecord {
            server_id: id,
            node_key: self.clerk.keys.member_public(),
            dh_epoch_key: secret.public(),
            key_epoch,
            not_before: now.minus_ms(HEAD_START_MS),
            not_after: now.plus_ms(self.length.millis()),
            suites: vec![SuiteId::AIDC_1],
        };
        let until = self.clerk.now().plus_ms(VALID_MS);
        self.secrets.put(key_epoch, until, secret)?;
        let said = self
            .clerk
            .say_until(id, Call::SetServer(record), until)
            .await;
        let ticket = match said {
            Ok(ticket) => ticket,
            Err(why) => {
                debug!(key_epoch, %why, "the record of the next key epoch was not taken");
                self.rests = now.plus_ms(REST_MS);
                return Ok(self.secrets.erase(&[key_epoch])?);
            }
        };
        match ticket.wait(PATIENCE).await {
            Ok(committed) => {
                if let Outcome::Refused(why) = committed.outcome {
                    warn!(event = "key_epoch_refused", key_epoch, %why, "the ledger refused the record of the next key epoch");
                    self.rests = now.plus_ms(REST_MS);
                    self.secrets.erase(&[key_epoch])?;
                }
            }
            Err(why) => {
                debug!(key_epoch, %why, "the record of the next key epoch is not final yet");
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use contract::{Height, Kind};

    use super::*;
    use crate::epochs::VAULT;
    use crate::http::testing::Bench;

    const HOUR_MS: u64 = 3_600_000;

    fn keeper(bench: &Bench) -> Keeper {
        let services = bench.app.services();
        let none = Epochs::none(*services.genesis.chain(), services.server_id());
        let home = bench.home.path();
        Keeper::open(home, bench.clerk.clone(), none, KeyEpoch::default()).unwrap()
    }

    fn now(bench: &Bench) -> BlockTime {
        BlockTime::new(bench.app.now_ms())
    }

    /// The number of the newest epoch on the ledger.
    fn newest(bench: &Bench) -> Option<u32> {
        let services = bench.app.services();
        let record = newest_record_at(&services.ledger.state(), &services.server_id());
        record.unwrap().map(|record| record.key_epoch)
    }

    /// The epochs whose secrets are kept.
    fn kept(keeper: &Keeper) -> Vec<u32> {
        let kept = keeper.secrets.kept().iter();
        kept.map(|kept| kept.key_epoch).collect()
    }

    /// Files below a folder that have these octets in them.
    fn traces(folder: &Path, octets: &[u8]) -> Vec<std::path::PathBuf> {
        let mut found = Vec::new();
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                found.extend(traces(&path, octets));
            } else {
                let bytes = fs::read(&path).unwrap();
                if bytes.windows(octets.len()).any(|window| window == octets) {
                    found.push(path);
                }
            }
        }
        found
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_restarted_node_goes_on_with_its_epoch() {
        let bench = Bench::start("clinic-a", Kind::Secure);
        let mut first = keeper(&bench);
        first.look(now(&bench)).await.unwrap();
        assert_eq!((newest(&bench), &*first.installed), (Some(1), &[1][..]));
        drop(first);

        let mut again = keeper(&bench);
        again.look(now(&bench)).await.unwrap();

        assert_eq!((newest(&bench), &*again.installed), (Some(1), &[1][..]));
        assert_eq!(
            bench.app.services().ledger.certified().height,
            Height::new(1)
        );
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn the_next_epoch_comes_before_the_last_eighth_and_the_ended_one_leaves_no_trace() {
        let bench = Bench::start("clinic-a", Kind::Secure);
        let mut keeper = keeper(&bench);
        let start = now(&bench);
        keeper.look(start).await.unwrap();
        let secret = *keeper.secrets.kept()[0].secret.expose();
        let halves = [&secret[..40], &secret[40..]];

        keeper.look(start.plus_ms(20 * HOUR_MS)).await.unwrap();
        assert_eq!(kept(&keeper), [1]);
        keeper.look(start.plus_ms(22 * HOUR_MS)).await.unwrap();
        assert_eq!((kept(&keeper), newest(&bench)), (vec![1, 2], Some(2)));
        let end = start.plus_ms(24 * HOUR_MS + 2 * DELTA_MS);
        keeper.look(end).await.unwrap();
        assert_eq!(
            (kept(&keeper), &*keeper.installed),
            (vec![1, 2], &[1, 2][..])
        );
        let vault = bench.home.path().join("vault").join(VAULT);
        for half in halves {
            assert_eq!(
                traces(bench.home.path(), half),
                std::slice::from_ref(&vault)
            );
        }

        keeper.look(end.plus_ms(1)).await.unwrap();

        assert_eq!((kept(&keeper), &*keeper.installed), (vec![2], &[2][..]));
        for half in halves {
            assert!(traces(bench.home.path(), half).is_empty());
        }
        let successor = keeper.secrets.kept()[0].secret.clone();
        assert_eq!(traces(bench.home.path(), successor.expose()), [vault]);
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_home_without_its_vault_publishes_a_new_epoch() {
        let bench = Bench::start("clinic-a", Kind::Secure);
        let mut first = keeper(&bench);
        first.look(now(&bench)).await.unwrap();
        drop(first);
        fs::remove_dir_all(bench.home.path().join("vault")).unwrap();

        let mut restored = keeper(&bench);
        restored.look(now(&bench)).await.unwrap();

        assert_eq!((newest(&bench), kept(&restored)), (Some(2), vec![2]));
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_secret_whose_record_never_came_is_erased_once_it_cannot_come() {
        let bench = Bench::start("clinic-a", Kind::Secure);
        let mut keeper = keeper(&bench);
        let mut rng = patient::dice::seeded().unwrap();
        let secret = EpochSecret::draw(&mut rng);
        let until = bench.clerk.now().plus_ms(1);
        keeper.secrets.put(1, until, secret.clone()).unwrap();

        keeper.look(now(&bench)).await.unwrap();
        assert_eq!((newest(&bench), kept(&keeper)), (None, vec![1]));
        while bench.app.services().ledger.certified().header.time <= until {
            let revoke = Call::Revoke(contract::Aid::new([7; 32]));
            let id = bench.app.services().server_id();
            let ticket = bench.clerk.say(id, revoke).await.unwrap();
            ticket.wait(PATIENCE).await.unwrap();
        }
        keeper.look(now(&bench)).await.unwrap();

        assert!(traces(bench.home.path(), secret.expose()).is_empty());
        assert_eq!((newest(&bench), kept(&keeper)), (Some(1), vec![1]));
    }
}
