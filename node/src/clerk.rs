//! Transactions in this member's name that no operator asks for: signed with its present key, valid for a minute.

use std::sync::Arc;

use contract::contracts::membership;
use contract::{Author, BlockTime, Call, ServerId, SignedTransaction, StateError, Transaction};

use crate::clock::Clock;
use crate::keys::Keys;
use crate::ledger::Ledger;
use crate::mempool::{SubmitError, Submitter, Ticket};
use crate::petition::{VALID_MS, random};

/// What it takes to say something on the ledger.
#[derive(Clone, Debug)]
pub struct Clerk {
    /// Who is a member, and what time it is there.
    pub ledger: Ledger,
    /// Takes what is said, here and to the other members.
    pub submitter: Submitter,
    /// Signs.
    pub keys: Arc<Keys>,
    /// The clocks.
    pub clock: Clock,
}

/// Why nothing was said.
#[derive(Debug, thiserror::Error)]
pub enum NotSaid {
    /// The system gives no random numbers.
    #[error("the operating system gives no random numbers")]
    NoRandomness,
    /// The pool did not take it.
    #[error(transparent)]
    Refused(#[from] SubmitError),
}

impl Clerk {
    /// The larger of this machine's clock and the certified ledger's.
    pub fn now(&self) -> BlockTime {
        let wall = BlockTime::new(self.clock.wall_ms());
        wall.max(self.ledger.certified().header.time)
    }

    /// This member's id, if the certified ledger has it as a member with its present key.
    pub fn seat(&self) -> Result<Option<ServerId>, StateError> {
        let key = self.keys.member_public();
        let epoch = membership::epoch_at(&self.ledger.state())?;
        let mut seats = epoch.committee.into_iter();
        let own = seats.find(|record| record.member.key == key);
        Ok(own.map(|record| record.server_id))
    }

    /// Says it; a minute later it is void.
    pub async fn say(&self, author: ServerId, call: Call) -> Result<Ticket, NotSaid> {
        let until = self.now().plus_ms(VALID_MS);
        self.say_until(author, call, until).await
    }

    /// Says it; behind `until`, in block time, it is void.
    pub async fn say_until(
        &self,
        author: ServerId,
        call: Call,
        until: BlockTime,
    ) -> Result<Ticket, NotSaid> {
        let signed = self.signed(author, call, until)?;
        Ok(self.submitter.submit(signed.as_bytes().into()).await?)
    }

    /// Says what this node has found good itself, every signature in it; a minute later it is void.
    pub async fn say_checked(&self, author: ServerId, call: Call) -> Result<Ticket, NotSaid> {
        let until = self.now().plus_ms(VALID_MS);
        let signed = self.signed(author, call, until)?;
        Ok(self.submitter.submit_checked(signed).await?)
    }

    fn signed(
        &self,
        author: ServerId,
        call: Call,
        until: BlockTime,
    ) -> Result<SignedTransaction, NotSaid> {
        let salt = random().ok_or(NotSaid::NoRandomness)?;
        let chain = *self.ledger.genesis().chain();
        let transaction = Transaction::new(chain, Author::Member(author), until, salt, call);
        Ok(transaction.sign(self.keys.member()))
    }
}
