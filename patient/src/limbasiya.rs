//! The terminal's HTTP under suite Limbasiya-2020: the three questions of a user, and what travelled with them.

use contract::identity::{Height, SessionId, TransactionHash};
use protocol::limbasiya::{Application, Credential, Issued, Limbasiya2020, PasswordChange, Reply};
use protocol::suite::{Message as _, Opened, Pending as _, Suite as _};
use protocol::{Reason, SessionKey, Timestamp};

use crate::aidc1::state::BEHIND_WAIT;
use crate::client::{Answer, Client, KNOWN_HEIGHT, Question};
use crate::code::Code;
use crate::light::short;
use crate::output::Failure;
use crate::{clock, dice};

/// Where the suite is spoken.
const PREFIX: &str = "/v1/legacy/limbasiya";

/// The bytes of a sign-in, as whoever could look into the connection would see them.
#[derive(Clone, Debug)]
pub struct Travelled {
    /// {`ID_j`, α, β, T1}.
    pub request: Vec<u8>,
    /// {γ, σ, T2}.
    pub reply: Vec<u8>,
}

/// A sign-in that the server answered as the suite demands.
#[derive(Debug)]
pub struct SignedIn {
    /// Names it on the ledger.
    pub session: SessionId,
    /// SK.
    pub key: SessionKey,
    /// What an eavesdropper would have.
    pub travelled: Travelled,
}

fn question(what: &str, body: Vec<u8>) -> Question {
    Question::post(format!("{PREFIX}/{what}"), body)
}

fn now() -> Timestamp {
    Timestamp::from_millis(clock::wall_ms())
}

/// Signs in at a server; `known` is the newest block that this terminal has seen.
pub fn sign_in(
    client: &Client,
    credential: &Credential,
    known: Height,
) -> Result<SignedIn, Failure> {
    let Opened { message, state } = Limbasiya2020::open(credential, now(), &mut dice::seeded()?);
    let request = message.encode();
    let asked = question("authenticate", request.clone())
        .header(KNOWN_HEIGHT, known.get().to_string())
        .waits(BEHIND_WAIT);
    let answer = client.ask_patiently(&asked)?;
    let reply = Reply::parse(answer.body()).map_err(unreadable)?;
    let finished = state.finish(&reply, now()).map_err(|failed| {
        if failed.reason() == Reason::Expired {
            return Failure::new(Code::ClockSkew).message(format!(
                "the clock of {} differs from this terminal's",
                client.url()
            ));
        }
        Failure::new(Code::ServerNotProved)
            .message(format!("{} did not prove its identity", client.url()))
    })?;
    Ok(SignedIn {
        session: finished.session,
        key: finished.key,
        travelled: Travelled {
            request,
            reply: answer.body().to_vec(),
        },
    })
}

/// Registers at the RC; the transaction that puts the UID onto the ledger.
pub fn register(
    client: &Client,
    application: &Application,
) -> Result<(Issued, TransactionHash), Failure> {
    let answer = client.ask_patiently(&question("register_user", application.encode()))?;
    let issued = Issued::parse(answer.body()).map_err(unreadable)?;
    Ok((issued, transaction(&answer)?))
}

/// Changes the password at the RC.
pub fn change(client: &Client, change: &PasswordChange) -> Result<Issued, Failure> {
    let answer = client.ask_patiently(&question("update_password", change.encode()))?;
    Issued::parse(answer.body()).map_err(unreadable)
}

fn unreadable(error: protocol::Malformed) -> Failure {
    Failure::new(Code::BadAnswer).because(error)
}

/// The transaction that an answer to a registration names.
pub(crate) fn transaction(answer: &Answer) -> Result<TransactionHash, Failure> {
    let named = answer.header("aidchain-transaction").unwrap_or_default();
    named.parse().map_err(|error| {
        Failure::new(Code::BadAnswer)
            .because(format!("its transaction is {:?}: {error}", short(&named)))
    })
}
