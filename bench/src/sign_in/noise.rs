//! Noise IK with curve 25519, ChaCha20-Poly1305 and SHA-256, as `snow` does it: two messages, keys on both sides.

use std::io;

use research::contest::{Clock, Contestant, Failure, Sides, timed};
use snow::{Builder, params::NoiseParams};

use super::failed;

/// No message is longer.
const MESSAGE_BYTES: usize = 256;

/// Two static key pairs.
pub(super) struct Pair {
    params: NoiseParams,
    initiator: snow::Keypair,
    responder: snow::Keypair,
}

impl Pair {
    pub(super) fn new() -> io::Result<Self> {
        let params: NoiseParams = "Noise_IK_25519_ChaChaPoly_SHA256".parse().map_err(failed)?;
        let pair = || {
            Builder::new(params.clone())
                .generate_keypair()
                .map_err(failed)
        };
        Ok(Self {
            initiator: pair()?,
            responder: pair()?,
            params,
        })
    }
}

impl Contestant for Pair {
    fn shake(&mut self, clock: Clock<'_>) -> Result<Sides, Failure> {
        let mut sides = Sides::default();
        let mut first = [0; MESSAGE_BYTES];
        let mut second = [0; MESSAGE_BYTES];
        let mut payload = [0; MESSAGE_BYTES];

        let (mut initiator, sent) = timed(clock, &mut sides.first, || {
            let mut state = Builder::new(self.params.clone())
                .local_private_key(&self.initiator.private)?
                .remote_public_key(&self.responder.public)?
                .build_initiator()?;
            let sent = state.write_message(&[], &mut first)?;
            Ok::<_, snow::Error>((state, sent))
        })
        .map_err(failed)?;
        let answered = timed(clock, &mut sides.second, || {
            let mut state = Builder::new(self.params.clone())
                .local_private_key(&self.responder.private)?
                .build_responder()?;
            state.read_message(first.get(..sent).unwrap_or_default(), &mut payload)?;
            let answered = state.write_message(&[], &mut second)?;
            state.into_transport_mode()?;
            Ok::<_, snow::Error>(answered)
        })
        .map_err(failed)?;
        timed(clock, &mut sides.first, || {
            initiator.read_message(second.get(..answered).unwrap_or_default(), &mut payload)?;
            initiator.into_transport_mode()
        })
        .map_err(failed)?;
        Ok(sides)
    }
}
