//! How the RC's secrets lie in the slots of its vault.
//!
//! ```text
//! key         kind 0 ‖ k_rc 32
//! generation  kind 1 ‖ age 8 ‖ index 32 ‖ number 4 ‖ purpose 1 ‖ desk 1 [‖ hash of the code 32]
//!             ‖ locks 1 ‖ locks × (handle 16 ‖ pk_dev 32 ‖ pk_confirm 32) ‖ 16 × (AID 32 ‖ k_i 32 ‖ salt 32)
//! note        kind 3 ‖ AID 32 ‖ random 16 ‖ text
//! desk code   kind 2 ‖ age 8 ‖ hash 32 ‖ index 32 ‖ purpose 1 ‖ until 8 ‖ failed 1 ‖ officer
//! ```

use std::fmt;

use contract::{Aid, Officer, PublicKey};
use protocol::Secret;
use protocol::aidc1::deal::Enrolment;
use protocol::aidc1::issue::DataKey;
use protocol::aidc1::{AIDS, Handle};
use zeroize::Zeroizing;

use crate::vault::PAYLOAD_BYTES_MAX;

/// Locks of one patient that may prove who she is: she may have failed to finish with the newest.
pub(super) const LOCKS: usize = 2;

/// HMAC of an ID under `k_rc`: names a patient at this RC alone.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Index(pub(super) [u8; 32]);

impl fmt::Debug for Index {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Index(redacted)")
    }
}

/// SHA-256 of a desk code.
pub(super) type CodeHash = [u8; 32];

/// What for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Aim {
    Enrol,
    Renew,
    Move,
    Recover,
}

/// A lock's public half.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct LockKeys {
    pub(super) handle: Handle,
    device: PublicKey,
    pub(super) confirm: PublicKey,
}

/// Sixteen AIDs of a patient, without their secrets.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Generation {
    /// Counts its writings.
    pub(super) age: u64,
    pub(super) index: Index,
    /// Counts the patient's generations.
    pub(super) number: u32,
    pub(super) aim: Aim,
    /// The desk code that was spent for it.
    pub(super) desk: Option<CodeHash>,
    /// The newest first.
    pub(super) locks: Vec<LockKeys>,
    pub(super) aids: [Aid; AIDS],
}

/// What the RC alone holds of one AID. Destroying it shreds.
#[derive(Clone, Debug)]
pub(super) struct AidSecrets {
    pub(super) key: DataKey,
    pub(super) salt: Secret<32>,
}

/// A code that an officer handed out.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct DeskRow {
    /// Counts its writings.
    pub(super) age: u64,
    pub(super) hash: CodeHash,
    /// Whose identity was proofed.
    pub(super) index: Index,
    pub(super) aim: Aim,
    /// The last moment at which it counts.
    pub(super) until_ms: u64,
    /// Acceptances whose consents did not hold.
    pub(super) failed: u8,
    pub(super) officer: Officer,
}

/// Bytes of the longest text that an officer may write beside a request.
pub(super) const NOTE_BYTES_MAX: usize = 1_900;

/// What an officer wrote beside a request to know whose an AID is.
pub(super) struct Note {
    pub(super) aid: Aid,
    /// 16 random bytes, then the text.
    pub(super) bytes: Zeroizing<Vec<u8>>,
}

impl fmt::Debug for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Note(redacted)")
    }
}

/// What a slot holds.
#[derive(Debug)]
#[expect(
    clippy::large_enum_variant,
    reason = "nearly all rows are of the large kind, and none is moved about"
)]
pub(super) enum Row {
    Key(Secret<32>),
    Generation(Generation),
    Desk(DeskRow),
    Note(Note),
}

impl Aim {
    const fn code(self) -> u8 {
        match self {
            Self::Enrol => 0,
            Self::Renew => 1,
            Self::Move => 2,
            Self::Recover => 3,
        }
    }

    fn of_code(code: u8) -> Option<Self> {
        let all = [Self::Enrol, Self::Renew, Self::Move, Self::Recover];
        all.into_iter().find(|one| one.code() == code)
    }
}

impl From<&Enrolment> for LockKeys {
    fn from(enrolment: &Enrolment) -> Self {
        Self {
            handle: enrolment.handle,
            device: enrolment.device,
            confirm: enrolment.confirm,
        }
    }
}

impl Generation {
    /// The slot's payload.
    pub(super) fn encode(&self, secrets: &[AidSecrets]) -> Zeroizing<Vec<u8>> {
        let mut bytes = Zeroizing::new(Vec::with_capacity(PAYLOAD_BYTES_MAX));
        bytes.push(1);
        bytes.extend(self.age.to_be_bytes());
        bytes.extend(self.index.0);
        bytes.extend(self.number.to_be_bytes());
        bytes.push(self.aim.code());
        bytes.push(u8::from(self.desk.is_some()));
        bytes.extend(self.desk.iter().flatten());
        bytes.push(u8::try_from(self.locks.len()).unwrap_or(u8::MAX));
        for lock in &self.locks {
            bytes.extend(lock.handle.as_bytes());
            bytes.extend(lock.device.as_bytes());
            bytes.extend(lock.confirm.as_bytes());
        }
        for (aid, secrets) in self.aids.iter().zip(secrets) {
            bytes.extend(aid.as_bytes());
            bytes.extend(secrets.key.expose());
            bytes.extend(secrets.salt.expose());
        }
        bytes
    }

    /// The secrets in a generation's slot.
    pub(super) fn secrets(payload: &[u8]) -> Option<Vec<AidSecrets>> {
        let (kind, mut rest) = payload.split_first()?;
        (*kind == 1).then_some(())?;
        generation(&mut rest).map(|(_, secrets)| secrets)
    }
}

impl Row {
    /// What a slot's payload says.
    pub(super) fn parse(payload: &[u8]) -> Option<Self> {
        let (kind, mut rest) = payload.split_first()?;
        let rest = &mut rest;
        let row = match kind {
            0 => Self::Key(Secret::new(take(rest)?)),
            1 => Self::Generation(generation(rest)?.0),
            2 => Self::Desk(desk(rest)?),
            3 => Self::Note(Note {
                aid: Aid::new(take(rest)?),
                bytes: Zeroizing::new(std::mem::take(rest).to_vec()),
            }),
            _ => return None,
        };
        rest.is_empty().then_some(row)
    }
}

impl Note {
    /// The slot's payload.
    pub(super) fn encode(&self) -> Zeroizing<Vec<u8>> {
        let mut bytes = Zeroizing::new(Vec::with_capacity(PAYLOAD_BYTES_MAX));
        bytes.push(3);
        bytes.extend(self.aid.as_bytes());
        bytes.extend(&*self.bytes);
        bytes
    }
}

impl DeskRow {
    /// The slot's payload.
    pub(super) fn encode(&self) -> Vec<u8> {
        let mut bytes = vec![2];
        bytes.extend(self.age.to_be_bytes());
        bytes.extend(self.hash);
        bytes.extend(self.index.0);
        bytes.push(self.aim.code());
        bytes.extend(self.until_ms.to_be_bytes());
        bytes.push(self.failed);
        bytes.extend(self.officer.as_str().as_bytes());
        bytes
    }
}

/// The slot's payload of the RC's key.
pub(super) fn encode_key(key: &Secret<32>) -> Zeroizing<Vec<u8>> {
    let mut bytes = Zeroizing::new(Vec::with_capacity(33));
    bytes.push(0);
    bytes.extend(key.expose());
    bytes
}

fn generation(rest: &mut &[u8]) -> Option<(Generation, Vec<AidSecrets>)> {
    let age = u64::from_be_bytes(take(rest)?);
    let index = Index(take(rest)?);
    let number = u32::from_be_bytes(take(rest)?);
    let [aim] = take(rest)?;
    let desk = match take(rest)? {
        [0] => None,
        [1] => Some(take(rest)?),
        _ => return None,
    };
    let [locks] = take(rest)?;
    (1..=LOCKS).contains(&usize::from(locks)).then_some(())?;
    let locks = (0..locks)
        .map(|_| {
            Some(LockKeys {
                handle: Handle::new(take(rest)?),
                device: PublicKey::new(take(rest)?),
                confirm: PublicKey::new(take(rest)?),
            })
        })
        .collect::<Option<_>>()?;
    let mut aids = [Aid::new([0; 32]); AIDS];
    let mut secrets = Vec::with_capacity(AIDS);
    for aid in &mut aids {
        *aid = Aid::new(take(rest)?);
        secrets.push(AidSecrets {
            key: DataKey::new(Secret::new(take(rest)?)),
            salt: Secret::new(take(rest)?),
        });
    }
    let generation = Generation {
        age,
        index,
        number,
        aim: Aim::of_code(aim)?,
        desk,
        locks,
        aids,
    };
    Some((generation, secrets))
}

fn desk(rest: &mut &[u8]) -> Option<DeskRow> {
    let age = u64::from_be_bytes(take(rest)?);
    let hash = take(rest)?;
    let index = Index(take(rest)?);
    let [aim] = take(rest)?;
    let until_ms = u64::from_be_bytes(take(rest)?);
    let [failed] = take(rest)?;
    let officer = str::from_utf8(rest).ok()?.parse().ok()?;
    *rest = &[];
    Some(DeskRow {
        age,
        hash,
        index,
        aim: Aim::of_code(aim)?,
        until_ms,
        failed,
        officer,
    })
}

/// The next bytes of a payload.
fn take<const N: usize>(rest: &mut &[u8]) -> Option<[u8; N]> {
    let (taken, after) = rest.split_first_chunk()?;
    *rest = after;
    Some(*taken)
}
