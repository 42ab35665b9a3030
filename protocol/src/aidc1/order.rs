//! The three calls that a patient herself sends to the ledger (`docs/aidc1-ledger.md` §2).
//! The terminal composes every byte of them.

use contract::{
    Aid, AuthResult, Author, BlockTime, Call, ChainId, RecoveryCall, SignedTransaction, Transaction,
};

use super::recovery::RecoveryCode;
use super::root::AidIndex;
use super::seed::Keys;

/// What a patient may ask of the ledger for one of her AIDs.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Order {
    /// The server has not recorded this session: she says it alone.
    Claim(Box<AuthResult>),
    /// The AID is to sign in no more.
    Revoke,
    /// Nobody is to take the AID's place.
    CancelRecovery,
}

/// Which ledger, until when, and what makes equal orders distinct.
#[derive(Clone, Copy, Debug)]
pub struct Envelope {
    /// The ledger.
    pub chain: ChainId,
    /// Last block time at which it may be executed.
    pub valid_until: BlockTime,
    /// Random.
    pub salt: [u8; 8],
}

impl Order {
    fn written(self, aid: Aid, envelope: &Envelope) -> Transaction {
        let call = match self {
            Self::Claim(result) => Call::Claim(result),
            Self::Revoke => Call::Revoke(aid),
            Self::CancelRecovery => Call::Recovery(RecoveryCall::Cancel(aid)),
        };
        let Envelope {
            chain,
            valid_until,
            salt,
        } = *envelope;
        Transaction::new(chain, Author::Patient(aid), valid_until, salt, call)
    }
}

impl Keys {
    /// The order of this AID, under its own key.
    pub fn order(&self, order: Order, envelope: &Envelope) -> SignedTransaction {
        order.written(*self.aid(), envelope).sign(self.sig())
    }
}

impl RecoveryCode {
    /// The order of AID `index`, by the code alone. A claim counts only under the AID's own key.
    pub fn order(
        &self,
        (index, aid): (AidIndex, Aid),
        order: Order,
        envelope: &Envelope,
    ) -> SignedTransaction {
        order.written(aid, envelope).sign(&self.key(index))
    }
}

#[cfg(test)]
mod tests {
    use contract::genesis::{Content, Kind};

    use super::super::seed::Seed;
    use super::*;
    use crate::secret::Secret;

    const ENVELOPE: Envelope = Envelope {
        chain: ChainId::new([1; 32]),
        valid_until: BlockTime::new(2),
        salt: [3; 8],
    };

    #[test]
    fn an_order_is_her_own_under_either_of_her_keys() {
        let keys = Seed::new(Secret::new([4; 32])).keys();
        let code = RecoveryCode::new(Secret::new([5; 16]));
        let parameters = Content::new(Kind::Secure, "x", BlockTime::new(0), Vec::new()).parameters;

        for (order, call) in [
            (Order::Revoke, Call::Revoke(*keys.aid())),
            (
                Order::CancelRecovery,
                Call::Recovery(RecoveryCall::Cancel(*keys.aid())),
            ),
        ] {
            let by_key = keys.order(order.clone(), &ENVELOPE);
            let by_code = code.order((AidIndex::FIRST, *keys.aid()), order, &ENVELOPE);

            assert_eq!(by_key.transaction().key(), keys.pk_sig());
            assert_eq!(by_code.transaction().key(), &code.public(AidIndex::FIRST));
            for signed in [by_key, by_code] {
                assert_eq!(signed.call(), &call);
                assert_eq!(signed.author(), &Author::Patient(*keys.aid()));
                assert_eq!(signed.check(&ENVELOPE.chain, &parameters), Ok(()));
            }
        }
    }
}
