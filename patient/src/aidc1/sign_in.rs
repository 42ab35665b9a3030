//! One sign-in: the server's record, Me5 and Me7, Me9 and the answer.

use std::path::Path;
use std::time::Duration;

use contract::contracts::membership::MemberRecord;
use contract::identity::Height;
use contract::record::AuthResult;
use protocol::aidc1::{
    Answer, Certified, Credential, Identity, Keys, Me7, Peer, Status, Unanswered,
};
use protocol::suite::{Finished, Message, Opened, Pending as _, Suite as _};
use protocol::{Aidc1, Failed, Reason, Timestamp};
use rand_core::CryptoRng;

use super::ledger::Ledger;
use super::members::name_in_receipts;
use super::pending::unshown;
use super::state;
use super::wallet::now;
use crate::client::{self, Client, KNOWN_HEIGHT, Question};
use crate::code::{Code, Exit};
use crate::light::Shown;
use crate::output::Failure;

/// The suite, as messages name it.
const SUITE: &str = "0x0001";
/// How long a server may wait for the ledger before it answers Me9.
const ANSWER_WAIT: Duration = Duration::from_secs(5);
/// How often Me9 is sent: the same bytes, which count once.
const SENDINGS: usize = 3;
/// Between two of them.
const SEND_AGAIN: Duration = Duration::from_millis(500);

/// The server that is signed in at, and its interface.
#[derive(Debug)]
pub(crate) struct At<'a> {
    pub(crate) ledger: Ledger<'a>,
    pub(crate) server: &'a MemberRecord,
    pub(crate) client: Client,
    pub(crate) card: &'a Path,
}

/// What came of a statement that was signed and sent.
#[derive(Debug)]
pub(crate) struct Signed {
    /// What she signed.
    pub(crate) result: AuthResult,
    /// What the server said became of it; nothing if no answer came.
    pub(crate) status: Option<Status>,
}

/// A server that proved itself, and the Me9 for it.
type Proved = Finished<protocol::aidc1::Me9, Unanswered>;

impl<'a> At<'a> {
    /// The interface of the server of this name.
    pub(crate) fn new(ledger: Ledger<'a>, name: &str, card: &'a Path) -> Result<Self, Failure> {
        let server = ledger.named(name)?;
        Ok(Self {
            ledger,
            server,
            client: ledger.client(server)?,
            card,
        })
    }

    /// The server as the certified state knows it. Asked of the server itself: a member that is further would give a
    /// height that this server does not have yet.
    pub(crate) fn peer(&self) -> Result<Peer, Failure> {
        let shown = state::servers(&self.client, self.ledger.genesis, self.card)?;
        self.ledger.is_in(shown.epoch(), &self.client);
        self.usable(&shown)
    }

    /// The same for the first time. A server that is not where it was, or shows another key, may have left and come
    /// again since: the other members say so, or it is down, or somebody else.
    pub(crate) fn first_peer(&mut self) -> Result<Peer, Failure> {
        let missed = match self.peer() {
            Err(failure) if matches!(failure.code(), Code::WrongPin | Code::CannotReach) => failure,
            ended => return ended,
        };
        let name = &self.server.member.name;
        let now = self.ledger.ask().ok().and_then(|list| list.named(name));
        let Some(now) = now.filter(|now| now.member != self.server.member) else {
            return Err(missed);
        };
        self.server = now;
        self.client = self.ledger.client(now)?;
        self.peer()
    }

    /// What a receipt of this server is about.
    pub(crate) fn expected(&self) -> String {
        name_in_receipts(self.server, self.ledger.genesis)
    }

    fn usable(&self, shown: &Shown) -> Result<Peer, Failure> {
        let no_key = |why: String| {
            Failure::new(Code::NoServerKey)
                .message(format!(
                    "{} answers no sign-ins of this suite",
                    self.server.member.name
                ))
                .because(why)
        };
        let certified = Certified {
            height: shown.height(),
            time: Timestamp::from_millis(shown.time().get()),
        };
        let clock = now().max(certified.time).to_block_time();
        let record = shown
            .server_at(&self.server.server_id, clock)
            .map_err(unshown)?
            .ok_or_else(|| no_key("it published no key that is valid now".to_owned()))?;
        Peer::new(*self.ledger.genesis.chain(), record, certified)
            .map_err(|problem| no_key(problem.to_string()))
    }

    /// Me5 and Me7. A key epoch that has just ended is read again, once.
    pub(crate) fn handshake(
        &self,
        keys: &Keys,
        identity: Option<&Identity>,
        peer: Peer,
        rng: &mut impl CryptoRng,
    ) -> Result<Proved, Failure> {
        match self.hello(keys, identity, peer, rng) {
            Err(failure) if failure.code() == Code::StaleServerRecord => {
                self.hello(keys, identity, self.peer()?, rng)
            }
            ended => ended,
        }
    }

    fn hello(
        &self,
        keys: &Keys,
        identity: Option<&Identity>,
        peer: Peer,
        rng: &mut impl CryptoRng,
    ) -> Result<Proved, Failure> {
        let mut credential = Credential::new(keys.clone(), peer);
        if let Some(identity) = identity {
            credential = credential.identified(identity.clone());
        }
        let Opened { message, state } = Aidc1::open(&credential, now(), rng);
        let known = self.known()?;
        let question = Question::post("/v1/sign-in/hello", message.encode())
            .header("aidchain-suite", SUITE)
            .header(KNOWN_HEIGHT, known.get().to_string())
            .waits(state::BEHIND_WAIT);
        let answer = self.client.ask_patiently(&question)?;
        let me7 = Me7::parse(answer.body())
            .map_err(|error| Failure::new(Code::BadAnswer).because(error))?;
        state
            .finish(&me7, now())
            .map_err(|failed| self.not_proved(failed))
    }

    fn known(&self) -> Result<Height, Failure> {
        crate::known::height(self.card, self.ledger.genesis.chain())
    }

    /// Why nothing was signed. The server learns none of it.
    fn not_proved(&self, failed: Failed) -> Failure {
        let name = &self.server.member.name;
        match failed.reason() {
            Reason::Expired => Failure::new(Code::ClockSkew).message(format!(
                "the clock of {name} differs from this terminal's: nothing was signed"
            )),
            Reason::Behind => Failure::new(Code::NodeBehind).message(format!(
                "{name} answers from an older ledger than this terminal knows: nothing was signed"
            )),
            Reason::Locked
            | Reason::UnknownAid
            | Reason::NotReproduced
            | Reason::NotOnCurve
            | Reason::Mismatch
            | Reason::Replayed
            | Reason::Full
            | Reason::WrongEpoch
            | Reason::Reserved
            | Reason::NotProved => Failure::new(Code::ServerNotProved).message(format!(
                "{name} did not prove its identity: nothing was signed"
            )),
        }
    }

    /// Sends Me9 until an answer comes that opens, or the server refuses. From here on she has signed.
    pub(crate) fn confirm(&self, proved: &Proved) -> Result<Signed, Failure> {
        let bytes = proved.confirm.encode();
        for sending in 0..SENDINGS {
            if sending > 0 {
                std::thread::sleep(SEND_AGAIN);
            }
            let question = Question::post("/v1/sign-in/confirm", bytes.clone())
                .header("aidchain-suite", SUITE)
                .header("aidchain-session", proved.session.to_string())
                .waits(ANSWER_WAIT);
            match self.client.ask(question).and_then(client::Answer::success) {
                Ok(answer) => {
                    if let Some(status) = opened(&proved.after, answer.body()) {
                        return Ok(signed(proved, Some(status)));
                    }
                }
                Err(failure) if is_refusal(&failure) => return Err(failure),
                Err(_silence) => {}
            }
        }
        Ok(signed(proved, None))
    }
}

/// What the server says, if it is the server that says it.
fn opened(after: &Unanswered, body: &[u8]) -> Option<Status> {
    after.open(&Answer::parse(body).ok()?).ok()
}

fn signed(proved: &Proved, status: Option<Status>) -> Signed {
    Signed {
        result: proved.after.signed().clone(),
        status,
    }
}

/// Whether the server said no, which ends the session; anything else may be a broken line.
const fn is_refusal(failure: &Failure) -> bool {
    matches!(failure.exit(), Exit::Refused | Exit::ClockSkew)
}
