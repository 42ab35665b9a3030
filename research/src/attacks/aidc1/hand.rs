//! What an attacker has in his hand against AIDC-1, and how far it takes him through a handshake.
//!
//! Four secrets make a session's keys: `es = DH(m_i, B)`, `ss = DH(a, B)`, `ee = DH(m_i, m_j)`, `se = DH(a, m_j)`.
//! Whoever has one number of a pair has the secret. Where he has none he takes each guess that he holds, and at last
//! zeros.

use contract::{ChainId, PatientRecord, ServerRecord};
use ed25519_dalek::{Signer as _, SigningKey};

use super::noise::{self, Noise};
use crate::attacks::arithmetic::Number;

/// Bytes of a header.
const HEADER: usize = 8;

/// The public side of a handshake: what every member reads.
#[derive(Clone, Debug)]
pub(in crate::attacks) struct Public {
    pub(in crate::attacks) chain: ChainId,
    pub(in crate::attacks) server: ServerRecord,
    pub(in crate::attacks) patient: PatientRecord,
}

/// The numbers and strings that an attacker has.
#[derive(Clone, Debug, Default)]
pub(in crate::attacks) struct Hand {
    /// a, the patient's static number.
    pub(in crate::attacks) patient: Option<Number>,
    /// b, the server's number of the epoch.
    pub(in crate::attacks) server: Option<Number>,
    /// `m_i` of the session.
    pub(in crate::attacks) m_i: Option<Number>,
    /// `m_j` of the session.
    pub(in crate::attacks) m_j: Option<Number>,
    /// The key that signs the patient's statements.
    pub(in crate::attacks) sig: Option<SigningKey>,
    /// Strings that may be a secret.
    pub(in crate::attacks) guesses: Vec<[u8; 32]>,
}

/// How far somebody came in a session that he only heard.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(in crate::attacks) struct Heard {
    /// Who signs in, if C1 opened.
    pub(in crate::attacks) aid: Option<[u8; 32]>,
    /// K, if M4 opened.
    pub(in crate::attacks) key: Option<[u8; 32]>,
}

/// Me5 by its fields.
struct Me5<'a> {
    head: &'a [u8],
    m1: &'a [u8; 32],
    c1: &'a [u8; 48],
    m2: &'a [u8; 32],
}

impl<'a> Me5<'a> {
    fn read(bytes: &'a [u8]) -> Option<Self> {
        let (head, rest) = bytes.split_at_checked(HEADER.saturating_mul(2))?;
        let (m1, rest) = rest.split_first_chunk()?;
        let (c1, rest) = rest.split_first_chunk()?;
        let (m2, _rest) = rest.split_first_chunk()?;
        Some(Self { head, m1, c1, m2 })
    }
}

/// Me7 by its fields.
struct Me7<'a> {
    head: &'a [u8],
    m3: &'a [u8; 32],
    m4: &'a [u8; 24],
}

impl<'a> Me7<'a> {
    fn read(bytes: &'a [u8]) -> Option<Self> {
        let (head, rest) = bytes.split_at_checked(HEADER.saturating_mul(2))?;
        let (m3, rest) = rest.split_first_chunk()?;
        let (m4, _rest) = rest.split_first_chunk()?;
        Some(Self { head, m3, m4 })
    }
}

/// A header of this kind in the epoch of another message.
fn header(of: &[u8], kind: u8) -> [u8; HEADER] {
    let mut header = [0; HEADER];
    for (to, from) in header.iter_mut().zip(of) {
        *to = *from;
    }
    let [_a, _d, _version, code, ..] = &mut header;
    *code = kind;
    header
}

/// The secret of a pair, by whichever number is known.
fn secret(
    (number, point): (Option<&Number>, &[u8; 32]),
    (other, others): (Option<&Number>, &[u8; 32]),
) -> Option<[u8; 32]> {
    let by_one = number.and_then(|number| number.agree(point));
    by_one.or_else(|| other.and_then(|other| other.agree(others)))
}

impl Hand {
    /// The secret, or all that he can think of in its place.
    fn candidates(&self, known: Option<[u8; 32]>) -> Vec<[u8; 32]> {
        match known {
            Some(known) => vec![known],
            None => self.guesses.iter().copied().chain([[0; 32]]).collect(),
        }
    }

    /// Mixes in the first candidate under which this opens.
    fn follow(&self, state: &mut Noise, known: Option<[u8; 32]>, sealed: &[u8]) -> Option<Vec<u8>> {
        self.candidates(known).into_iter().find_map(|candidate| {
            let mut next = state.clone();
            let key = next.mix_key(&candidate);
            let opened = next.open(&key, sealed)?;
            *state = next;
            Some(opened)
        })
    }

    /// Follows a session that was overheard, as far as this hand goes.
    pub(super) fn read(&self, public: &Public, (hello, reply): (&[u8], &[u8])) -> Heard {
        let mut heard = Heard::default();
        self.read_on(public, (hello, reply), &mut heard);
        heard
    }

    fn read_on(
        &self,
        public: &Public,
        (hello, reply): (&[u8], &[u8]),
        heard: &mut Heard,
    ) -> Option<()> {
        let (me5, me7) = (Me5::read(hello)?, Me7::read(reply)?);
        let mut state = self.opened(public, &me5, heard)?;
        self.ended(&mut state, public, (&me5, &me7))?;
        heard.key = Some(state.end(&[b"aidc1/key"]));
        Some(())
    }

    /// Through Me5, if both its seals open.
    fn opened(&self, public: &Public, me5: &Me5<'_>, heard: &mut Heard) -> Option<Noise> {
        let server = public.server.dh_epoch_key.as_bytes();
        let patient = public.patient.pk_dh.as_bytes();
        let mut state = Noise::start(&public.chain, &public.server);
        state.mix_hash(&[me5.head]);
        state.mix_hash(&[me5.m1]);
        let es = secret((self.m_i.as_ref(), server), (self.server.as_ref(), me5.m1));
        let aid = self.follow(&mut state, es, me5.c1)?;
        heard.aid = aid.try_into().ok();
        state.mix_hash(&[patient]);
        let ss = secret(
            (self.patient.as_ref(), server),
            (self.server.as_ref(), patient),
        );
        self.follow(&mut state, ss, me5.m2)?;
        Some(state)
    }

    /// Through Me7, if M4 opens: then the state is at its end.
    fn ended(
        &self,
        state: &mut Noise,
        public: &Public,
        (me5, me7): (&Me5<'_>, &Me7<'_>),
    ) -> Option<()> {
        let patient = public.patient.pk_dh.as_bytes();
        state.mix_hash(&[me7.head]);
        state.mix_hash(&[me7.m3]);
        let ee = secret((self.m_i.as_ref(), me7.m3), (self.m_j.as_ref(), me5.m1));
        let se = secret(
            (self.patient.as_ref(), me7.m3),
            (self.m_j.as_ref(), patient),
        );
        self.candidates(ee).into_iter().find_map(|candidate| {
            let mut next = state.clone();
            let _unused = next.mix_key(&candidate);
            self.follow(&mut next, se, me7.m4)?;
            *state = next;
            Some(())
        })
    }

    /// An answer in the server's place, with a number of his own: Me7, and the K that it would give.
    pub(super) fn forge_reply(
        &self,
        public: &Public,
        hello: &[u8],
        (number, now): (Number, u64),
    ) -> Option<(Vec<u8>, [u8; 32])> {
        let me5 = Me5::read(hello)?;
        let mut unheard = Heard::default();
        let mut state = self
            .opened(public, &me5, &mut unheard)
            .unwrap_or_else(|| Self::blind(public, &me5));
        let patient = public.patient.pk_dh.as_bytes();
        let head = [header(me5.head, 0x07), now.to_be_bytes()].concat();
        state.mix_hash(&[&head]);
        state.mix_hash(&[&number.x()]);
        let _unused = state.mix_key(&number.agree(me5.m1)?);
        let key = state.mix_key(&number.agree(patient)?);
        let m4 = state.seal(&key, &u64::MAX.to_be_bytes());
        let reply = [head.as_slice(), &number.x(), &m4].concat();
        Some((reply, state.end(&[b"aidc1/key"])))
    }

    /// Past an Me5 that does not open, with zeros in the place of es and ss.
    fn blind(public: &Public, me5: &Me5<'_>) -> Noise {
        let mut state = Noise::start(&public.chain, &public.server);
        state.mix_hash(&[me5.head]);
        state.mix_hash(&[me5.m1]);
        let _unused = state.mix_key(&[0; 32]);
        state.mix_hash(&[me5.c1]);
        state.mix_hash(&[public.patient.pk_dh.as_bytes()]);
        let _unused = state.mix_key(&[0; 32]);
        state.mix_hash(&[me5.m2]);
        state
    }

    /// A first message in the patient's name, with a number of his own.
    pub(super) fn forge_hello(
        &self,
        public: &Public,
        epoch: &[u8],
        (number, now): (&Number, u64),
    ) -> Option<Vec<u8>> {
        let server = public.server.dh_epoch_key.as_bytes();
        let patient = public.patient.pk_dh.as_bytes();
        let head = [header(epoch, 0x05), now.to_be_bytes()].concat();
        let mut state = Noise::start(&public.chain, &public.server);
        state.mix_hash(&[&head]);
        state.mix_hash(&[&number.x()]);
        let key = state.mix_key(&number.agree(server)?);
        let c1 = state.seal(&key, public.patient.aid.as_bytes());
        state.mix_hash(&[patient]);
        let ss = secret(
            (self.patient.as_ref(), server),
            (self.server.as_ref(), patient),
        );
        let key = state.mix_key(self.candidates(ss).first()?);
        let m2 = state.seal(&key, &[0; 16]);
        Some([head.as_slice(), &number.x(), &c1, &m2].concat())
    }

    /// The statement in the patient's name, once the server answered: Me9 and K.
    pub(super) fn forge_confirm(
        &self,
        public: &Public,
        (hello, reply): (&[u8], &[u8]),
        number: &Number,
    ) -> Option<(Vec<u8>, [u8; 32])> {
        let hand = Self {
            m_i: Some(number.clone()),
            ..self.clone()
        };
        let (me5, me7) = (Me5::read(hello)?, Me7::read(reply)?);
        let mut state = hand.opened(public, &me5, &mut Heard::default())?;
        hand.ended(&mut state, public, (&me5, &me7))?;
        let [t1, t3] = [me5.head, me7.head].map(|head| head.split_last_chunk::<8>());
        let (_head, t1) = t1?;
        let (_head, t3) = t3?;
        let digest = crate::attacks::arithmetic::plain(&[
            b"aidc1/statement",
            public.chain.as_bytes(),
            public.server.server_id.as_bytes(),
            &public.server.key_epoch.to_be_bytes(),
            &contract::SuiteId::AIDC_1.get().to_be_bytes(),
            public.patient.aid.as_bytes(),
            t1,
            t3,
            state.sid(),
        ]);
        let own = SigningKey::from_bytes(&number.x());
        let sigma = self.sig.as_ref().unwrap_or(&own).sign(&digest).to_bytes();
        let head = header(me5.head, 0x09);
        let key = state.end(&[b"aidc1/me9", &head]);
        let ad = [state.sid().as_slice(), &head].concat();
        let me9 = [head.as_slice(), &noise::seal(&key, &ad, &sigma)].concat();
        Some((me9, state.end(&[b"aidc1/key"])))
    }
}
