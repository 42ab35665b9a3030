//! What the transcript ends in: the session's id and its keys.

use core::fmt;

use contract::{AuthResult, Height, SessionId};

use super::aead::OnceKey;
use super::kdf::Extracted;
use super::message::{Answer, EpochTag, HEADER_BYTES, Kind, STATUS_BYTES};
use super::symmetric::Symmetric;
use crate::error::{Failed, Reason};
use crate::secret::{Secret, SessionKey};

/// The end of a transcript: `sid` and the key from which all others are expanded.
pub(crate) struct Schedule {
    /// h after M4.
    sid: SessionId,
    /// Extract(salt = ck, ikm = sid).
    prk: Extracted,
}

impl Schedule {
    /// The keys of a finished transcript.
    pub(crate) fn of(transcript: Symmetric) -> Self {
        let sid = SessionId::new(*transcript.hash());
        let prk = Extracted::new(transcript.into_chaining_key().expose(), sid.as_bytes());
        Self { sid, prk }
    }

    /// The session's id.
    pub(crate) const fn sid(&self) -> SessionId {
        self.sid
    }

    /// k9 and its associated data for the form of Me9 that this header names. Two forms
    /// have two keys; each party takes one of them, once.
    pub(crate) fn statement_key(&self, header: [u8; HEADER_BYTES]) -> (OnceKey, Vec<u8>) {
        let key = OnceKey::new(self.prk.expand(&[b"aidc1/me9", &header]));
        (key, bound(&self.sid, header))
    }

    /// `K_ij`.
    pub(crate) fn session_key(&self) -> SessionKey {
        SessionKey::new(self.prk.expand(&[b"aidc1/key"]))
    }

    /// The exporter.
    pub(crate) fn exporter(&self) -> Exporter {
        Exporter(self.prk.expand(&[b"aidc1/exporter"]))
    }
}

impl fmt::Debug for Schedule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Schedule({}, redacted)", self.sid)
    }
}

/// `sid ‖ hdr`, the associated data of everything after the handshake.
fn bound(sid: &SessionId, header: [u8; HEADER_BYTES]) -> Vec<u8> {
    [sid.as_bytes().as_slice(), &header].concat()
}

/// Further keys of a session come from here, each under its label.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Exporter(Secret<32>);

impl Exporter {
    /// The key of the server's messages after the handshake. Nonce 0 is the answer's.
    pub fn to_patient(&self) -> Secret<32> {
        self.expand(b"aidc1/s2p")
    }

    /// The key of the patient's messages after the handshake.
    pub fn to_server(&self) -> Secret<32> {
        self.expand(b"aidc1/p2s")
    }

    /// Expand(exporter, label, 32).
    fn expand(&self, label: &[u8]) -> Secret<32> {
        Extracted::from_prk(&self.0).expand(&[label])
    }
}

/// What became of a sign-in, as the server says under the session's key.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Status {
    /// It is on the ledger, in this block.
    Recorded(Height),
    /// It was accepted and handed in when this was the last certified block.
    Accepted(Height),
}

impl Status {
    /// The nine bytes under the answer.
    const fn to_bytes(self) -> [u8; STATUS_BYTES] {
        let (code, height) = match self {
            Self::Recorded(height) => (1, height),
            Self::Accepted(height) => (2, height),
        };
        let mut bytes = [code; STATUS_BYTES];
        let [_code, field @ ..] = &mut bytes;
        field.copy_from_slice(&height.get().to_be_bytes());
        bytes
    }

    /// The status that nine bytes stand for, if they stand for one.
    const fn from_bytes(bytes: &[u8; STATUS_BYTES]) -> Option<Self> {
        let [code, height @ ..] = *bytes;
        let height = Height::new(u64::from_be_bytes(height));
        match code {
            1 => Some(Self::Recorded(height)),
            2 => Some(Self::Accepted(height)),
            _ => None,
        }
    }
}

/// The server's right to one answer. It is used up by giving it; asked again, the host
/// repeats the bytes.
#[derive(Debug)]
pub struct Answering {
    epoch: EpochTag,
    sid: SessionId,
    exporter: Exporter,
}

impl Answering {
    pub(crate) const fn new(epoch: EpochTag, sid: SessionId, exporter: Exporter) -> Self {
        Self {
            epoch,
            sid,
            exporter,
        }
    }

    /// The answer that says what became of the sign-in.
    pub fn answer(self, status: Status) -> Answer {
        let ad = bound(&self.sid, self.epoch.header(Kind::Answer));
        let key = OnceKey::new(self.exporter.to_patient());
        Answer {
            epoch: self.epoch,
            status: key.seal(&ad, &status.to_bytes()),
        }
    }
}

/// The patient, who may say "signed in" once the server's answer opened.
#[derive(Debug)]
pub struct Unanswered {
    epoch: EpochTag,
    signed: AuthResult,
    exporter: Exporter,
}

impl Unanswered {
    pub(crate) const fn new(epoch: EpochTag, signed: AuthResult, exporter: Exporter) -> Self {
        Self {
            epoch,
            signed,
            exporter,
        }
    }

    /// What she signed, should she have to claim it alone.
    pub const fn signed(&self) -> &AuthResult {
        &self.signed
    }

    /// What the server says. A false answer changes nothing: the true one may still come.
    pub fn open(&self, answer: &Answer) -> Result<Status, Failed> {
        let refused = || Failed::because(Reason::Mismatch);
        if answer.epoch != self.epoch {
            return Err(Failed::because(Reason::WrongEpoch));
        }
        let ad = bound(&self.signed.sid, self.epoch.header(Kind::Answer));
        let key = OnceKey::new(self.exporter.to_patient());
        let bytes = key.open(&ad, &answer.status).ok_or_else(refused)?;
        Status::from_bytes(bytes.expose()).ok_or_else(|| Failed::because(Reason::Reserved))
    }

    /// Further keys of the session.
    pub const fn exporter(&self) -> &Exporter {
        &self.exporter
    }
}
