//! The seam every suite fills: who takes part, what travels, in which order.
//!
//! ```text
//! patient                                   server
//! open(credential)          --- Hello --->  admit(gate, hello)
//!                                           answer(server, directory, admitted)
//! patient.finish(reply)     <-- Reply ----    -> Answered::Accepted, or
//!                           -- Confirm -->  serving.finish(confirm)
//! ```
//!
//! [`Suite::admit`] is what a hello must pass before it costs a multiplication. It alone
//! changes something that all handshakes of a server share, and it is quick; answers can
//! be worked out side by side.
//!
//! No suite is chosen by negotiation and none behind a `dyn`: the node has one
//! `match` over [`SuiteId`], and each arm calls the same generic functions.

use contract::{Aid, Height, SessionId, SuiteId};
use rand_core::CryptoRng;
use thiserror::Error;

use crate::error::{Failed, Malformed};
use crate::freshness::Timestamp;
use crate::secret::SessionKey;

/// What a client uses when nobody named a suite, best first. The papers' suites
/// are not in it: they run only when named. Suites are never negotiated, and
/// their numbers are names, not ranks.
pub const PREFERENCE: [SuiteId; 1] = [SuiteId::AIDC_1];

/// What the suites are called on the command line and in texts.
const NAMES: [(SuiteId, &str); 3] = [
    (SuiteId::AIDC_1, "aidc-1"),
    (SuiteId::WU_2021, "wu-2021"),
    (SuiteId::LIMBASIYA_2020, "limbasiya-2020"),
];

/// What a suite is called; `None` if this version does not know it.
pub fn name(suite: SuiteId) -> Option<&'static str> {
    let mut names = NAMES.into_iter();
    names.find_map(|(known, name)| (known == suite).then_some(name))
}

/// The suite of this name.
pub fn by_name(name: &str) -> Result<SuiteId, UnknownSuite> {
    let mut names = NAMES.into_iter();
    names
        .find_map(|(suite, known)| (known == name).then_some(suite))
        .ok_or_else(|| UnknownSuite(name.to_owned()))
}

/// The name belongs to no suite.
#[derive(Clone, PartialEq, Eq, Debug, Error)]
#[error("no suite is called {0:?}; there are aidc-1, wu-2021 and limbasiya-2020")]
pub struct UnknownSuite(String);

/// A message with one encoding: parsing consumes all the bytes, and encoding
/// what was parsed gives the same bytes again.
pub trait Message: Sized {
    /// The bytes that travel.
    fn encode(&self) -> Vec<u8>;

    /// The message that these bytes are, all of them.
    fn parse(bytes: &[u8]) -> Result<Self, Malformed>;
}

/// The committed ledger, as far as a suite may ask it.
pub trait Directory<R> {
    /// The record registered under this AID, if there is one.
    ///
    /// How long this takes tells a stranger whose AID is on the ledger, unless the host
    /// does the same work for one that is missing. Where a record names its AID the host may
    /// give one of another AID then, and the suite takes it for none.
    fn resolve(&self, aid: &Aid) -> Option<R>;

    /// The height of the state that [`Directory::resolve`] reads.
    fn height(&self) -> Height;
}

/// A message to send and the state that waits for its answer.
#[derive(Debug)]
pub struct Opened<M, S> {
    /// Goes to the other party.
    pub message: M,
    /// Stays here.
    pub state: S,
}

/// A party in the middle of a handshake: it takes one more message and is gone.
pub trait Pending {
    /// The message it waits for.
    type Message;
    /// What it becomes.
    type Next;

    /// Takes the awaited message, which came in at `now`.
    fn finish(self, message: &Self::Message, now: Timestamp) -> Result<Self::Next, Failed>;
}

/// The patient's end of a handshake: the server answered as the suite demands.
#[derive(Debug)]
pub struct Finished<C, A = ()> {
    /// The last message to the server; empty where the suite has none.
    pub confirm: C,
    /// Names this handshake on the ledger.
    pub session: SessionId,
    /// Shared with the server.
    pub key: SessionKey,
    /// What the patient keeps for what comes after; nothing where that is nothing.
    pub after: A,
}

/// The server's end of a handshake: the patient is accepted.
#[derive(Debug)]
pub struct Accepted<E> {
    /// Who signed in.
    pub aid: Aid,
    /// Names this handshake on the ledger.
    pub session: SessionId,
    /// Shared with the patient.
    pub key: SessionKey,
    /// The patient's time stamp, T1.
    pub started: Timestamp,
    /// The server's time stamp, T3.
    pub answered: Timestamp,
    /// What the patient handed over for the ledger to check.
    pub evidence: E,
}

/// Where the server stands once it has answered.
#[derive(Debug)]
pub enum Answered<S, E> {
    /// The patient has still to prove possession of the key.
    AwaitConfirm(S),
    /// The suite asks for no more: the result can be submitted at once.
    Accepted(Accepted<E>),
}

/// What [`Suite::answer`] gives: the reply, and where the server stands.
pub type Answer<S> =
    Opened<<S as Suite>::Reply, Answered<<S as Suite>::Serving, <S as Suite>::Evidence>>;

/// An authentication protocol between a patient's terminal and a server.
pub trait Suite: Sized {
    /// Which suite it is.
    const ID: SuiteId;

    /// What an unlocked terminal holds.
    type Credential;
    /// What a server holds.
    type Server;
    /// What the ledger holds for an AID.
    type Record;
    /// What a server remembers about first messages.
    type Gate;
    /// First message, patient to server.
    type Hello: Message;
    /// A first message that passed the gate.
    type Admitted;
    /// Second message, server to patient.
    type Reply: Message;
    /// Third message, patient to server.
    type Confirm: Message;
    /// What the ledger gets from the patient beside the server's word.
    type Evidence;
    /// What the patient keeps for what comes after the last message.
    type After;
    /// The patient, waiting for the reply.
    type Patient: Pending<Message = Self::Reply, Next = Finished<Self::Confirm, Self::After>>;
    /// The server, waiting for the confirmation.
    type Serving: Pending<Message = Self::Confirm, Next = Accepted<Self::Evidence>>;

    /// The patient begins.
    fn open(
        credential: &Self::Credential,
        now: Timestamp,
        rng: &mut impl CryptoRng,
    ) -> Opened<Self::Hello, Self::Patient>;

    /// The server lets a first message through that came in at `now`, or refuses it
    /// without a multiplication.
    fn admit(
        gate: &mut Self::Gate,
        hello: Self::Hello,
        now: Timestamp,
    ) -> Result<Self::Admitted, Failed>;

    /// The server answers; an admitted message is answered once.
    fn answer(
        server: &Self::Server,
        directory: &impl Directory<Self::Record>,
        hello: Self::Admitted,
        now: Timestamp,
        rng: &mut impl CryptoRng,
    ) -> Result<Answer<Self>, Failed>;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_suite_is_found_again_by_its_name() {
        for (suite, called) in NAMES {
            assert_eq!(name(suite), Some(called));
            assert_eq!(by_name(called), Ok(suite));
            assert!(suite.is_known());
        }
        assert_eq!(name(SuiteId::new(0x0003)), None);
        assert_eq!(by_name("WU-2021"), Err(UnknownSuite("WU-2021".to_owned())));
    }

    #[test]
    fn nobody_gets_a_paper_s_suite_without_naming_it() {
        assert_eq!(PREFERENCE, [SuiteId::AIDC_1]);
        assert!(PREFERENCE.iter().all(|suite| !suite.is_research()));
    }
}
