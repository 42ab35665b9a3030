//! Ephemeral exponents: the generator's bytes under a key that only their owner has, and
//! bound to what they are for.
//!
//! A generator that repeats itself or is known to somebody betrays no exponent by itself,
//! and the same bytes in another handshake give another exponent. No counter is stored.

use contract::{PublicKey, ServerId};
use rand_core::CryptoRng;
use zeroize::Zeroizing;

use super::dh::Exponent;
use super::kdf::Extracted;
use crate::freshness::Timestamp;
use crate::secret::Secret;

/// Whose ephemeral it is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Role {
    /// `m_i`.
    Patient,
    /// `m_j`.
    Server,
}

impl Role {
    const fn code(self) -> u8 {
        match self {
            Self::Patient => 1,
            Self::Server => 2,
        }
    }
}

/// What an ephemeral is for.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Purpose<'a> {
    /// Whose it is.
    pub(crate) role: Role,
    /// Where the patient signs in.
    pub(crate) server: &'a ServerId,
    /// T1 or T3.
    pub(crate) time: Timestamp,
    /// `B_j` for the patient, M1 for the server.
    pub(crate) peer: &'a PublicKey,
}

/// Draws 32 bytes and makes an ephemeral of them, the hedge and the purpose.
pub(crate) fn ephemeral(
    hedge: &Secret<32>,
    purpose: &Purpose<'_>,
    rng: &mut impl CryptoRng,
) -> Exponent {
    let mut drawn = Zeroizing::new([0; 32]);
    rng.fill_bytes(&mut *drawn);
    let prk = Extracted::new(hedge.expose(), &*drawn);
    Exponent::from_seed(&prk.expand(&[
        b"aidc1/eph",
        &[purpose.role.code()],
        purpose.server.as_bytes(),
        &purpose.time.to_bytes(),
        purpose.peer.as_bytes(),
    ]))
}

#[cfg(test)]
mod tests {
    use chacha20::ChaCha20Rng;
    use rand_core::SeedableRng as _;

    use super::*;

    /// A generator that always gives the same bytes.
    fn stuck() -> ChaCha20Rng {
        ChaCha20Rng::seed_from_u64(1)
    }

    #[test]
    fn the_same_dice_give_another_ephemeral_for_another_hedge_or_purpose() {
        let (server, other_server) = (ServerId::new([1; 32]), ServerId::new([2; 32]));
        let (peer, other_peer) = (PublicKey::new([3; 32]), PublicKey::new([4; 32]));
        let (now, later) = (Timestamp::from_millis(5), Timestamp::from_millis(6));
        let hedge = Secret::new([7; 32]);
        let purpose = Purpose {
            role: Role::Patient,
            server: &server,
            time: now,
            peer: &peer,
        };
        let others = [
            Purpose {
                role: Role::Server,
                ..purpose
            },
            Purpose {
                server: &other_server,
                ..purpose
            },
            Purpose {
                time: later,
                ..purpose
            },
            Purpose {
                peer: &other_peer,
                ..purpose
            },
        ];

        let first = ephemeral(&hedge, &purpose, &mut stuck());
        let again = ephemeral(&hedge, &purpose, &mut stuck());
        let hedged = ephemeral(&Secret::new([8; 32]), &purpose, &mut stuck());

        assert_eq!(first.public(), again.public());
        assert_ne!(first.public(), hedged.public());
        for other in others {
            let one = ephemeral(&hedge, &other, &mut stuck());
            assert_ne!(first.public(), one.public(), "{other:?}");
        }
    }

    #[test]
    fn the_same_purpose_gives_another_ephemeral_at_the_next_throw() {
        let (server, peer) = (ServerId::new([1; 32]), PublicKey::new([3; 32]));
        let purpose = Purpose {
            role: Role::Server,
            server: &server,
            time: Timestamp::from_millis(5),
            peer: &peer,
        };
        let mut dice = stuck();

        let one = ephemeral(&Secret::new([7; 32]), &purpose, &mut dice);
        let next = ephemeral(&Secret::new([7; 32]), &purpose, &mut dice);

        assert_ne!(one.public(), next.public());
    }
}
