//! A server of the second paper: its secret and its table, on the disk and in memory.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use contract::Aid;
use protocol::limbasiya::{Applicant, JoinRequest, Joined, Place, Request, Rows, Station, Word};
use protocol::wu::Password;
use protocol::{Answer, Directory, Failed, Limbasiya2020, Secret, Suite as _, Timestamp};
use rand_core::CryptoRng;
use tokio::sync::{Notify, watch};
use zeroize::Zeroizing;

use super::file::{self, Kept};

/// How long a sign-in waits for a newer table.
const PATIENCE: Duration = Duration::from_secs(3);

/// The server, shared by whoever answers patients and whoever asks the RC.
#[derive(Debug)]
pub(crate) struct Server {
    path: PathBuf,
    state: Mutex<State>,
    /// Somebody was met whom the table does not have, or has otherwise.
    missed: Notify,
    /// How often somebody began to ask for the table.
    begun: AtomicU64,
    /// Which of these questions has ended, the newest.
    ended: watch::Sender<u64>,
}

#[derive(Debug)]
enum State {
    /// The RC has not answered yet.
    Applying(Applicant),
    /// It has.
    Registered(Station),
}

impl Server {
    /// Opens the file of a home, or begins an application.
    pub(super) fn open(
        home: &Path,
        (id, loc): (Word, Word),
        rng: &mut impl CryptoRng,
    ) -> io::Result<Self> {
        let path = file::path(home);
        let kept = if let Some(kept) = file::read(&path)? {
            kept
        } else {
            let kept = draw(rng)?;
            // Before it is sent: who asks again has to be the same applicant.
            file::write(&path, &kept)?;
            kept
        };
        let state = match kept {
            Kept::Applying(nonce, password) => State::Applying(Applicant {
                id,
                loc,
                password,
                nonce,
            }),
            Kept::Registered(ssk, rows) => {
                let mut station = Station::new(Place { id, ssk, loc });
                station.update(rows);
                State::Registered(station)
            }
        };
        Ok(Self {
            path,
            state: Mutex::new(state),
            missed: Notify::new(),
            begun: AtomicU64::new(0),
            ended: watch::Sender::new(0),
        })
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What goes to the RC, as long as it has not answered.
    pub(crate) fn application(&self) -> Option<JoinRequest> {
        match &*self.state() {
            State::Applying(applicant) => Some(applicant.request()),
            State::Registered(_) => None,
        }
    }

    /// `ID_j`.
    pub(super) fn id(&self) -> Word {
        match &*self.state() {
            State::Applying(applicant) => applicant.id.clone(),
            State::Registered(station) => station.place().id.clone(),
        }
    }

    /// The RC answered; it is on the disk when this returns.
    pub(super) fn join(&self, joined: Joined) -> io::Result<()> {
        let mut state = self.state();
        let State::Applying(applicant) = &*state else {
            return Ok(());
        };
        let place = Place {
            id: applicant.id.clone(),
            ssk: joined.ssk,
            loc: applicant.loc.clone(),
        };
        file::write(
            &self.path,
            &Kept::Registered(place.ssk.clone(), Rows(Vec::new())),
        )?;
        *state = State::Registered(Station::new(place));
        drop(state);
        Ok(())
    }

    /// A newer table; it is on the disk when this returns.
    pub(super) fn update(&self, rows: Rows) -> io::Result<()> {
        let ssk = match &*self.state() {
            State::Applying(_) => return Ok(()),
            State::Registered(station) => station.place().ssk.clone(),
        };
        let kept = Kept::Registered(ssk, rows);
        file::write(&self.path, &kept)?;
        if let (State::Registered(station), Kept::Registered(_, rows)) = (&mut *self.state(), kept)
        {
            station.update(rows);
        }
        Ok(())
    }

    /// Waits until somebody is met whom the table does not have.
    pub(super) async fn missed(&self) {
        self.missed.notified().await;
    }

    /// The table is asked for now: the number of this question.
    pub(super) fn begin(&self) -> u64 {
        self.begun.fetch_add(1, Ordering::Relaxed).saturating_add(1)
    }

    /// The question with this number has ended, with whatever result.
    pub(super) fn end(&self, number: u64) {
        self.ended.send_replace(number);
    }

    /// Has the table asked for, and waits a moment for it. A question that was under way when this began does not count:
    /// its answer may be older.
    pub(crate) async fn refresh(&self) {
        let before = self.begun.load(Ordering::Relaxed);
        let mut ended = self.ended.subscribe();
        self.missed.notify_one();
        let newer = ended.wait_for(|number| *number > before);
        if tokio::time::timeout(PATIENCE, newer).await.is_err() {
            tracing::debug!("the centre's table did not come in time");
        }
    }

    /// Who a request says she is; nobody before this server is registered.
    pub(crate) fn uid(&self, request: &Request) -> Option<Aid> {
        match &*self.state() {
            State::Applying(_) => None,
            State::Registered(station) => Some(station.uid(request)),
        }
    }

    /// Answers a request; nothing before this server is registered.
    pub(crate) fn answer(
        &self,
        directory: &impl Directory<()>,
        request: Request,
        now: Timestamp,
        rng: &mut impl CryptoRng,
    ) -> Option<Result<Answer<Limbasiya2020>, Failed>> {
        match &*self.state() {
            State::Applying(_) => None,
            State::Registered(station) => {
                Some(Limbasiya2020::answer(station, directory, request, now, rng))
            }
        }
    }
}

/// `r_S`, and a password that nobody has to type.
fn draw(rng: &mut impl CryptoRng) -> io::Result<Kept> {
    let mut bytes = Zeroizing::new([0; 32]);
    rng.fill_bytes(&mut *bytes);
    let (nonce, typed) = bytes.split_at(16);
    let typed = Zeroizing::new(hex::encode(typed));
    let password = Password::parse(typed.as_bytes()).map_err(io::Error::other)?;
    let mut drawn = Zeroizing::new([0; 16]);
    drawn.copy_from_slice(nonce);
    Ok(Kept::Applying(Secret::new(*drawn), password))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn server(home: &Path) -> Server {
        let word = |text: &[u8]| Word::parse(text).unwrap();
        let names = (word(b"clinic-a"), word(b"Goa"));
        Server::open(home, names, &mut patient::dice::seeded().unwrap()).unwrap()
    }

    #[test]
    fn a_server_that_stops_before_the_answer_asks_for_the_same_again() {
        let home = tempfile::tempdir().unwrap();
        let first = server(home.path()).application().unwrap();

        assert_eq!(server(home.path()).application(), Some(first));
    }

    #[tokio::test]
    async fn a_sign_in_waits_for_a_table_that_was_asked_for_after_it_came() {
        let home = tempfile::tempdir().unwrap();
        let server = std::sync::Arc::new(server(home.path()));
        let older = server.begin();
        let waiting = std::sync::Arc::clone(&server);
        let refreshed = tokio::spawn(async move { waiting.refresh().await });

        server.missed().await;
        server.end(older);
        tokio::task::yield_now().await;
        assert!(!refreshed.is_finished());

        server.end(server.begin());
        refreshed.await.unwrap();
    }

    #[test]
    fn secret_and_table_survive_a_restart() {
        let home = tempfile::tempdir().unwrap();
        let before = server(home.path());
        let ssk = Secret::new([3; 32]);
        before.join(Joined { ssk: ssk.clone() }).unwrap();
        let rows = vec![(Aid::new([1; 32]), Secret::new([2; 32]))];
        before.update(Rows(rows.clone())).unwrap();
        drop(before);

        let after = server(home.path());

        assert_eq!(after.application(), None);
        let Some(Kept::Registered(kept, Rows(table))) = file::read(&after.path).unwrap() else {
            panic!("it was registered");
        };
        assert_eq!((kept, table), (ssk.clone(), rows));
        let State::Registered(station) = &*after.state() else {
            panic!("it was registered");
        };
        assert_eq!(station.place().ssk, ssk);
    }
}
