//! Noise's `SymmetricState` (revision 34, section 5.2) with SHA-256 and ChaCha20-Poly1305.
//!
//! One departure, in the type and not in the bytes: in Noise a key counts its messages,
//! in the pattern IK none ever seals a second one. So [`Symmetric::mix_key`] hands the
//! key out, and sealing or opening spends it.

use core::fmt;

use sha2::{Digest as _, Sha256};

use super::aead::{OnceKey, Sealed};
use super::kdf::Extracted;
use crate::secret::Secret;

/// The running state `(ck, h)` of a handshake.
#[derive(Clone)]
pub(crate) struct Symmetric {
    /// The chaining key.
    ck: Secret<32>,
    /// The hash of everything so far.
    h: [u8; 32],
}

impl Symmetric {
    /// The state that begins with the protocol's name: the name itself, filled up with
    /// zeros, or its hash if it has more than 32 bytes.
    pub(crate) fn new(name: &[u8]) -> Self {
        let mut h = [0; 32];
        match h.get_mut(..name.len()) {
            Some(head) => head.copy_from_slice(name),
            None => h = Sha256::digest(name).into(),
        }
        Self {
            ck: Secret::new(h),
            h,
        }
    }

    /// `h = H(h ‖ parts)`.
    pub(crate) fn mix_hash(&mut self, parts: &[&[u8]]) {
        let mut hash = Sha256::new_with_prefix(self.h);
        for part in parts {
            hash.update(part);
        }
        self.h = hash.finalize().into();
    }

    /// `ck ‖ k = HKDF(ck, ikm)`; gives k out.
    pub(crate) fn mix_key(&mut self, ikm: &Secret<32>) -> OnceKey {
        let prk = Extracted::new(self.ck.expose(), ikm.expose());
        let output: Secret<64> = prk.expand(&[]);
        let (ck, k) = halves(&output);
        self.ck = ck;
        OnceKey::new(k)
    }

    /// Seals a message under h, and mixes the ciphertext into it.
    pub(crate) fn seal<const N: usize>(&mut self, key: OnceKey, message: &[u8; N]) -> Sealed<N> {
        let sealed = key.seal(&self.h, message);
        self.mix_hash(&sealed.parts());
        sealed
    }

    /// Opens a message under h, and mixes the ciphertext into it. If it does not open,
    /// nothing is mixed, and the handshake has nowhere to go.
    pub(crate) fn open<const N: usize>(
        &mut self,
        key: OnceKey,
        sealed: &Sealed<N>,
    ) -> Option<Secret<N>> {
        let message = key.open(&self.h, sealed)?;
        self.mix_hash(&sealed.parts());
        Some(message)
    }

    /// The hash of everything so far.
    pub(crate) const fn hash(&self) -> &[u8; 32] {
        &self.h
    }

    /// The chaining key, once nothing more is mixed in.
    pub(crate) fn into_chaining_key(self) -> Secret<32> {
        self.ck
    }
}

/// The two halves of HKDF's output.
fn halves(output: &Secret<64>) -> (Secret<32>, Secret<32>) {
    let mut parts = [[0; 32]; 2];
    for (part, half) in parts.iter_mut().zip(output.expose().chunks_exact(32)) {
        part.copy_from_slice(half);
    }
    let [first, second] = &mut parts;
    let split = (Secret::new(*first), Secret::new(*second));
    zeroize::Zeroize::zeroize(&mut parts);
    split
}

impl fmt::Debug for Symmetric {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Symmetric(redacted)")
    }
}

#[cfg(test)]
mod tests {
    //! Noise IK as others ran it: their vectors through this state, with curve 25519.

    use serde_json::Value;
    use x25519_dalek::{PublicKey, StaticSecret};

    use super::*;

    /// The bytes that this hex text stands for.
    fn bytes(text: &Value) -> Vec<u8> {
        hex::decode(text.as_str().unwrap()).unwrap()
    }

    fn secret(text: &Value) -> StaticSecret {
        StaticSecret::from(<[u8; 32]>::try_from(bytes(text)).unwrap())
    }

    fn dh(ours: &StaticSecret, theirs: PublicKey) -> Secret<32> {
        Secret::new(ours.diffie_hellman(&theirs).to_bytes())
    }

    /// Payloads have many lengths, and lengths are types here: seals one that is known.
    fn seal(state: &mut Symmetric, key: OnceKey, payload: &[u8]) -> Vec<u8> {
        fn fixed<const N: usize>(state: &mut Symmetric, key: OnceKey, payload: &[u8]) -> Vec<u8> {
            let payload: &[u8; N] = payload.try_into().unwrap();
            state.seal(key, payload).parts().concat()
        }
        match payload.len() {
            15 => fixed::<15>(state, key, payload),
            16 => fixed::<16>(state, key, payload),
            32 => fixed::<32>(state, key, payload),
            other => panic!("no vector has a payload of {other} bytes"),
        }
    }

    /// The responder's way through a vector: everything that was sealed opens.
    fn open(state: &mut Symmetric, key: OnceKey, sealed: &[u8]) -> Vec<u8> {
        fn fixed<const N: usize>(state: &mut Symmetric, key: OnceKey, sealed: &[u8]) -> Vec<u8> {
            let (body, tag) = sealed.split_last_chunk::<16>().unwrap();
            let sealed = Sealed::<N>::new(body.try_into().unwrap(), *tag);
            state.open(key, &sealed).unwrap().expose().to_vec()
        }
        match sealed.len().saturating_sub(16) {
            15 => fixed::<15>(state, key, sealed),
            16 => fixed::<16>(state, key, sealed),
            32 => fixed::<32>(state, key, sealed),
            other => panic!("no vector has a payload of {other} bytes"),
        }
    }

    fn start(vector: &Value, remote: &[u8]) -> Symmetric {
        let name = vector["protocol_name"].as_str().unwrap();
        let mut state = Symmetric::new(name.as_bytes());
        state.mix_hash(&[&bytes(&vector["init_prologue"])]);
        state.mix_hash(&[remote]);
        state
    }

    /// Both messages of a vector by the initiator's and the responder's keys, and the
    /// states of both at the end.
    fn run(vector: &Value) -> [Symmetric; 2] {
        let [s_i, e_i, s_r, e_r] = [
            "init_static",
            "init_ephemeral",
            "resp_static",
            "resp_ephemeral",
        ]
        .map(|name| secret(&vector[name]));
        let [initiators, first_ephemeral, responders, second_ephemeral] =
            [&s_i, &e_i, &s_r, &e_r].map(PublicKey::from);
        let [first, second] = [0, 1].map(|at| bytes(&vector["messages"][at]["ciphertext"]));
        let [hello, reply] = [0, 1].map(|at| bytes(&vector["messages"][at]["payload"]));
        assert_eq!(
            responders.to_bytes().to_vec(),
            bytes(&vector["init_remote_static"])
        );

        let mut initiator = start(vector, responders.as_bytes());
        initiator.mix_hash(&[first_ephemeral.as_bytes()]);
        let key = initiator.mix_key(&dh(&e_i, responders));
        let sealed_static = seal(&mut initiator, key, initiators.as_bytes());
        let key = initiator.mix_key(&dh(&s_i, responders));
        let sealed_hello = seal(&mut initiator, key, &hello);
        let sent = [
            first_ephemeral.as_bytes().as_slice(),
            &sealed_static,
            &sealed_hello,
        ]
        .concat();
        assert_eq!(sent, first);

        let mut responder = start(vector, responders.as_bytes());
        responder.mix_hash(&[first_ephemeral.as_bytes()]);
        let key = responder.mix_key(&dh(&s_r, first_ephemeral));
        assert_eq!(
            open(&mut responder, key, &sealed_static),
            initiators.as_bytes()
        );
        let key = responder.mix_key(&dh(&s_r, initiators));
        assert_eq!(open(&mut responder, key, &sealed_hello), hello);

        responder.mix_hash(&[second_ephemeral.as_bytes()]);
        drop(responder.mix_key(&dh(&e_r, first_ephemeral)));
        let key = responder.mix_key(&dh(&e_r, initiators));
        let sealed_reply = seal(&mut responder, key, &reply);
        let sent = [second_ephemeral.as_bytes().as_slice(), &sealed_reply].concat();
        assert_eq!(sent, second);

        initiator.mix_hash(&[second_ephemeral.as_bytes()]);
        drop(initiator.mix_key(&dh(&e_i, second_ephemeral)));
        let key = initiator.mix_key(&dh(&s_i, second_ephemeral));
        assert_eq!(open(&mut initiator, key, &sealed_reply), reply);
        [initiator, responder]
    }

    fn vectors() -> Value {
        let file = include_str!("../../tests/vectors/noise_ik_25519.json");
        serde_json::from_str(file).unwrap()
    }

    #[test]
    fn noise_ik_both_published_handshakes_run_through_this_state() {
        let vectors = vectors();
        let vectors = vectors["vectors"].as_array().unwrap();
        assert_eq!(vectors.len(), 2);

        for vector in vectors {
            let [initiator, responder] = run(vector);

            assert_eq!(initiator.hash(), responder.hash());
            if let Some(expected) = vector.get("handshake_hash") {
                assert_eq!(initiator.hash().to_vec(), bytes(expected));
            }
        }
    }

    #[test]
    fn noise_ik_the_first_transport_messages_open_under_the_chaining_key() {
        for vector in vectors()["vectors"].as_array().unwrap() {
            let [initiator, _responder] = run(vector);
            let split = Extracted::new(initiator.into_chaining_key().expose(), b"");
            let (to_responder, to_initiator) = halves(&split.expand(&[]));

            for (at, key) in [(2, to_responder), (3, to_initiator)] {
                let message = &vector["messages"][at];
                let payload = bytes(&message["payload"]);
                let sealed = match payload.len() {
                    11 => transport::<11>(key, &payload),
                    32 => transport::<32>(key, &payload),
                    other => panic!("no vector has a payload of {other} bytes"),
                };
                assert_eq!(sealed, bytes(&message["ciphertext"]));
            }
        }
    }

    fn transport<const N: usize>(key: Secret<32>, payload: &[u8]) -> Vec<u8> {
        let payload: &[u8; N] = payload.try_into().unwrap();
        OnceKey::new(key).seal(b"", payload).parts().concat()
    }

    #[test]
    fn a_long_name_is_hashed_and_a_short_one_filled_up() {
        let short = Symmetric::new(b"short");
        let long = Symmetric::new(&[b'n'; 33]);

        assert_eq!(short.hash()[..5], *b"short");
        assert_eq!(short.hash()[5..], [0; 27]);
        assert_eq!(*long.hash(), <[u8; 32]>::from(Sha256::digest([b'n'; 33])));
    }
}
