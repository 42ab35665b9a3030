//! What an attacker may do, and no more: listen, send, stand in the middle, and what each attack is given besides.
//!
//! An attack is written once, against these traits. What stands behind them is a suite in this process or a consortium
//! of real nodes. [`World::confirms`] and [`World::recorded`] are the judge's, who knows the truth; an attack asks them
//! whether it has reached its aim, and learns nothing else from them.

use contract::{Aid, SessionId};
use protocol::Timestamp;

use super::story::Stopped;

/// One of two servers of the same ledger.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum At {
    /// The one where the victim usually signs in.
    Here,
    /// Another one.
    There,
}

/// What travelled in a sign-in of the victim.
#[derive(Clone, Debug)]
pub struct Overheard {
    /// The sign-in's number, for asking whether a key is its key.
    pub number: usize,
    /// The first message.
    pub hello: Vec<u8>,
    /// The answer.
    pub reply: Vec<u8>,
}

/// A secret of the victim that an attack claims to have found.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Truth {
    /// Her ID.
    Identity,
    /// Her password.
    Password,
    /// SP, or what stands for her in the other scheme: UID.
    Anchor,
    /// The key that her terminal has after the sign-in of this number.
    Key(usize),
    /// What a server shares with the registration centre.
    Server(At),
}

/// The network, the clock and the dice.
pub trait World {
    /// What may go wrong with it.
    type Error;

    /// The time.
    fn now(&self) -> Timestamp;

    /// Lets so much time pass, where the clock is this world's own.
    fn pass(&mut self, millis: u64);

    /// A throw of the attacker's dice.
    fn draw(&mut self) -> [u8; 32];

    /// Listens while the victim signs in.
    fn overhear(&mut self, at: At) -> Result<Overheard, Stopped<Self::Error>>;

    /// Stands in the middle: the victim begins to sign in, and her first message gets no further than the attacker.
    fn hold(&mut self, at: At) -> Result<Vec<u8>, Stopped<Self::Error>>;

    /// Answers the victim who waits: the number of her sign-in, if she is content.
    fn give(&mut self, reply: &[u8]) -> Result<Option<usize>, Stopped<Self::Error>>;

    /// Sends a first message to a server: its answer, unless it refuses.
    fn send(&mut self, at: At, hello: &[u8]) -> Result<Option<Vec<u8>>, Stopped<Self::Error>>;

    /// Who signed in there in this session, as the ledger has it.
    fn recorded(
        &mut self,
        at: At,
        session: &SessionId,
    ) -> Result<Option<Aid>, Stopped<Self::Error>>;

    /// Whether this is the secret.
    fn confirms(&self, what: Truth, value: &[u8]) -> bool;
}

/// A sign-in of which one secret number leaked.
#[derive(Clone, Debug)]
pub struct Leak {
    /// What travelled.
    pub overheard: Overheard,
    /// The side whose number it is.
    pub whose: &'static str,
    /// The bytes that the dice gave.
    pub number: [u8; 32],
}

/// Wu-2021, with what some attacks are given.
pub trait WuWorld: World {
    /// The victim's card, copied.
    fn card(&self) -> Vec<u8>;

    /// The ID beside an AID, as any member reads it on the ledger.
    fn row(&mut self, aid: &Aid) -> Result<Option<String>, Stopped<Self::Error>>;

    /// Sign-ins, each with one number of one side.
    fn leaks(&mut self) -> Result<Vec<Leak>, Stopped<Self::Error>>;
}

/// A user of the scheme who is the attacker.
#[derive(Clone, Debug)]
pub struct Fellow {
    /// His card.
    pub card: Vec<u8>,
    /// His ID.
    pub id: String,
    /// His password.
    pub password: String,
}

/// What lies on a server's disk.
#[derive(Clone, Debug)]
pub struct Table {
    /// `SSK_j`.
    pub ssk: [u8; 32],
    /// (UID, C) of every user.
    pub rows: Vec<([u8; 32], [u8; 32])>,
}

/// Limbasiya-2020, with what some attacks are given.
pub trait LimbasiyaWorld: World {
    /// The victim's card, copied.
    fn card(&self) -> Vec<u8>;

    /// The victim's ID, which people know.
    fn id(&self) -> String;

    /// The attacker's own registration.
    fn fellow(&mut self) -> Result<Fellow, Stopped<Self::Error>>;

    /// A copy of a server's disk.
    fn table(&mut self, at: At) -> Result<Table, Stopped<Self::Error>>;

    /// A server's name and place, which are public.
    fn place(&self, at: At) -> (String, String);

    /// The key of one sign-in, by its number, where a session's key leaked.
    fn leaked_key(&self, number: usize) -> Option<[u8; 32]>;
}
