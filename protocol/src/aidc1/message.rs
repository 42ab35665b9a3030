//! The messages of the handshake and their bytes: a header that says which one it is,
//! then fixed fields.

use contract::Height;

use super::aead::{Sealed, TAG_BYTES};
use crate::error::Malformed;
use crate::fields::Fields;
use crate::freshness::Timestamp;
use crate::suite::Message;

/// Bytes of every header.
pub const HEADER_BYTES: usize = 8;
/// Bytes of Me5.
pub const ME5_BYTES: usize = 128;
/// Bytes of Me7.
pub const ME7_BYTES: usize = 72;
/// Bytes of Me9.
pub const ME9_BYTES: usize = 88;
/// Bytes of an identified Me9.
pub const ME9_IDENTIFIED_BYTES: usize = 184;
/// Bytes of the answer to Me9.
pub const ANSWER_BYTES: usize = 33;

/// Bytes of σ.
pub const SIGMA_BYTES: usize = 64;
/// Bytes of σ, salt and padded ID.
pub const IDENTIFIED_BYTES: usize = 160;
/// Bytes under M2: flags, height and zero.
pub(crate) const NOTE_BYTES: usize = 16;
/// Bytes under the answer: status and height.
pub(crate) const STATUS_BYTES: usize = 9;

/// What every message begins with.
const MAGIC: [u8; 2] = *b"AD";
/// The version of the layouts.
const VERSION: u8 = 1;
/// The suite's number.
const SUITE: [u8; 2] = contract::SuiteId::AIDC_1.get().to_be_bytes();

/// Which message a header announces.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    /// Patient to server, first.
    Me5,
    /// Server to patient.
    Me7,
    /// Patient to server: the statement.
    Me9,
    /// Patient to server: the statement and who she is.
    Me9Identified,
    /// Server to patient: what became of it.
    Answer,
}

impl Kind {
    /// The byte in the header.
    const fn code(self) -> u8 {
        match self {
            Self::Me5 => 0x05,
            Self::Me7 => 0x07,
            Self::Me9 => 0x09,
            Self::Me9Identified => 0x19,
            Self::Answer => 0x1A,
        }
    }

    /// The name in errors.
    const fn name(self) -> &'static str {
        match self {
            Self::Me5 => "Me5",
            Self::Me7 => "Me7",
            Self::Me9 => "Me9",
            Self::Me9Identified => "Me9 with an identity",
            Self::Answer => "the answer to Me9",
        }
    }

    /// The message's only length.
    const fn length(self) -> usize {
        match self {
            Self::Me5 => ME5_BYTES,
            Self::Me7 => ME7_BYTES,
            Self::Me9 => ME9_BYTES,
            Self::Me9Identified => ME9_IDENTIFIED_BYTES,
            Self::Answer => ANSWER_BYTES,
        }
    }
}

/// Low 16 bits of a server's key epoch, as every header names it. The full number is in
/// the record, whose hash is in the prologue.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct EpochTag([u8; 2]);

impl EpochTag {
    /// The tag of a key epoch.
    pub const fn of(key_epoch: u32) -> Self {
        let [_, _, high, low] = key_epoch.to_be_bytes();
        Self([high, low])
    }

    /// The header of a message of this epoch.
    pub(crate) const fn header(self, kind: Kind) -> [u8; HEADER_BYTES] {
        let ([a, d], [s, u], [high, low]) = (MAGIC, SUITE, self.0);
        [a, d, VERSION, kind.code(), s, u, high, low]
    }
}

/// The first message, patient to server.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Me5 {
    /// The server's key epoch.
    pub epoch: EpochTag,
    /// T1, the patient's clock.
    pub t1: Timestamp,
    /// `M1 = x(m_i·G)`.
    pub m1: [u8; 32],
    /// The AID under es.
    pub c1: Sealed<32>,
    /// M2: flags, height and zero under ss.
    pub m2: Sealed<NOTE_BYTES>,
}

/// The second message, server to patient.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Me7 {
    /// The server's key epoch.
    pub epoch: EpochTag,
    /// T3, the server's clock.
    pub t3: Timestamp,
    /// `M3 = x(m_j·G)`.
    pub m3: [u8; 32],
    /// M4: the server's height under ee and se.
    pub m4: Sealed<8>,
}

/// The third message, patient to server: her signed statement.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Me9 {
    /// The server's key epoch.
    pub epoch: EpochTag,
    /// The statement, with or without who she is.
    pub content: Content,
}

/// What an Me9 carries.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Content {
    /// σ.
    Statement(Sealed<SIGMA_BYTES>),
    /// σ, the commitment's salt, and the ID.
    Identified(Box<Sealed<IDENTIFIED_BYTES>>),
}

/// The answer to Me9, server to patient.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Answer {
    /// The server's key epoch.
    pub epoch: EpochTag,
    /// Status and height.
    pub status: Sealed<STATUS_BYTES>,
}

impl Message for Me5 {
    fn encode(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(ME5_BYTES);
        bytes.extend(self.epoch.header(Kind::Me5));
        bytes.extend(self.t1.to_bytes());
        bytes.extend(self.m1);
        put(&mut bytes, &self.c1);
        put(&mut bytes, &self.m2);
        bytes
    }

    fn parse(bytes: &[u8]) -> Result<Self, Malformed> {
        let (epoch, mut fields) = opened(Kind::Me5, bytes)?;
        let message = Self {
            epoch,
            t1: Timestamp::from_bytes(*fields.take("T1")?),
            m1: *fields.take("M1")?,
            c1: sealed(&mut fields, "C1")?,
            m2: sealed(&mut fields, "M2")?,
        };
        fields.end()?;
        Ok(message)
    }
}

impl Message for Me7 {
    fn encode(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(ME7_BYTES);
        bytes.extend(self.epoch.header(Kind::Me7));
        bytes.extend(self.t3.to_bytes());
        bytes.extend(self.m3);
        put(&mut bytes, &self.m4);
        bytes
    }

    fn parse(bytes: &[u8]) -> Result<Self, Malformed> {
        let (epoch, mut fields) = opened(Kind::Me7, bytes)?;
        let message = Self {
            epoch,
            t3: Timestamp::from_bytes(*fields.take("T3")?),
            m3: *fields.take("M3")?,
            m4: sealed(&mut fields, "M4")?,
        };
        fields.end()?;
        Ok(message)
    }
}

impl Me9 {
    /// Which of the two forms it is.
    pub const fn kind(&self) -> Kind {
        match self.content {
            Content::Statement(_) => Kind::Me9,
            Content::Identified(_) => Kind::Me9Identified,
        }
    }
}

impl Message for Me9 {
    fn encode(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(self.kind().length());
        bytes.extend(self.epoch.header(self.kind()));
        match &self.content {
            Content::Statement(sealed) => put(&mut bytes, sealed),
            Content::Identified(sealed) => put(&mut bytes, sealed),
        }
        bytes
    }

    fn parse(bytes: &[u8]) -> Result<Self, Malformed> {
        // The header says which form it is, and the form has one length.
        if bytes.get(3) == Some(&Kind::Me9Identified.code()) {
            let (epoch, mut fields) = opened(Kind::Me9Identified, bytes)?;
            let content = Content::Identified(Box::new(sealed(&mut fields, "identified σ")?));
            fields.end()?;
            return Ok(Self { epoch, content });
        }
        let (epoch, mut fields) = opened(Kind::Me9, bytes)?;
        let content = Content::Statement(sealed(&mut fields, "σ")?);
        fields.end()?;
        Ok(Self { epoch, content })
    }
}

impl Message for Answer {
    fn encode(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(ANSWER_BYTES);
        bytes.extend(self.epoch.header(Kind::Answer));
        put(&mut bytes, &self.status);
        bytes
    }

    fn parse(bytes: &[u8]) -> Result<Self, Malformed> {
        let (epoch, mut fields) = opened(Kind::Answer, bytes)?;
        let status = sealed(&mut fields, "status")?;
        fields.end()?;
        Ok(Self { epoch, status })
    }
}

/// Appends ciphertext and authenticator.
fn put<const N: usize>(bytes: &mut Vec<u8>, sealed: &Sealed<N>) {
    for part in sealed.parts() {
        bytes.extend(part);
    }
}

/// The fields of a message of the right length behind the right header.
fn opened(kind: Kind, bytes: &[u8]) -> Result<(EpochTag, Fields<'_>), Malformed> {
    let mut fields = Fields::exactly(kind.name(), bytes, kind.length())?;
    let wrong = |field, why| Malformed::Field {
        message: kind.name(),
        field,
        why,
    };
    let [m, n, version, code, suite @ .., high, low] = *fields.take::<HEADER_BYTES>("header")?;
    if [m, n] != MAGIC {
        return Err(wrong("magic", "is not \"AD\""));
    }
    if version != VERSION {
        return Err(wrong("version", "is not 1"));
    }
    if code != kind.code() {
        return Err(wrong("type", "names another message"));
    }
    if suite != SUITE {
        return Err(wrong("suite", "is not 0x0001"));
    }
    Ok((EpochTag([high, low]), fields))
}

/// The next sealed message.
fn sealed<const N: usize>(
    fields: &mut Fields<'_>,
    field: &'static str,
) -> Result<Sealed<N>, Malformed> {
    let body = *fields.take::<N>(field)?;
    let tag = *fields.take::<TAG_BYTES>(field)?;
    Ok(Sealed::new(body, tag))
}

/// What M2 says: no flag is known, the height is the patient's, the rest is zero.
pub(crate) const fn note(height: Height) -> [u8; NOTE_BYTES] {
    let mut bytes = [0; NOTE_BYTES];
    let (_flags, rest) = bytes.split_at_mut(4);
    let (field, _zero) = rest.split_at_mut(8);
    field.copy_from_slice(&height.get().to_be_bytes());
    bytes
}

/// The height in M2; `None` if a flag or a reserved byte is set.
pub(crate) fn read_note(bytes: &[u8; NOTE_BYTES]) -> Option<Height> {
    let (flags, rest) = bytes.split_first_chunk::<4>()?;
    let (height, zero) = rest.split_first_chunk::<8>()?;
    let clean = flags.iter().chain(zero).all(|byte| *byte == 0);
    clean.then(|| Height::new(u64::from_be_bytes(*height)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_note_says_its_height_and_nothing_else() {
        let height = Height::new(0x0102_0304_0506_0708);
        let good = note(height);
        assert_eq!(read_note(&good), Some(height));

        for bit in 0..NOTE_BYTES * 8 {
            let mut changed = good;
            changed[bit / 8] ^= 1 << (bit % 8);
            let in_height = (4..12).contains(&(bit / 8));
            assert_eq!(read_note(&changed).is_some(), in_height, "bit {bit}");
        }
    }

    #[test]
    fn every_header_is_as_published() {
        let epoch = EpochTag::of(0x0001_0203);
        for (kind, code) in [
            (Kind::Me5, 0x05),
            (Kind::Me7, 0x07),
            (Kind::Me9, 0x09),
            (Kind::Me9Identified, 0x19),
            (Kind::Answer, 0x1A),
        ] {
            let header = [b'A', b'D', 1, code, 0, 1, 2, 3];
            assert_eq!(epoch.header(kind), header, "{kind:?}");
        }
    }
}
