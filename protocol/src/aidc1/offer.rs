//! What the RC answers to an application: its part of each AID, the deals for the members,
//! and what became of an acceptance (`docs/aidc1-enrolment.md` §10).

use contract::encoding::Blob;
use contract::{Aid, IdCommitment};
use zeroize::Zeroizing;

use super::application::{Ticket, sixteen, version};
use super::issue::{Answer, SEALED_ID_BYTES};
use super::oprf::shares::Evaluators;
use super::root::AIDS;
use crate::error::Malformed;
use crate::fields::Fields;
use crate::secret::Secret;
use crate::suite::Message;

/// Bytes of the longest offer: 31 deals of at most 2,400 bytes, and the answers.
pub const OFFER_BYTES_MAX: usize = 96 << 10;

/// The second message of an enrolment.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Offer {
    /// Who evaluates the new lock.
    pub evaluators: Evaluators,
    /// One for each evaluator, in their order; the terminal takes them there.
    pub deals: Vec<Vec<u8>>,
    /// The RC's part of sixteen AIDs; nothing for another lock of the same AIDs.
    pub identities: Option<Identities>,
}

/// The RC's part of sixteen AIDs.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Identities {
    /// Names the offer when it is accepted.
    pub ticket: Ticket,
    /// In the order of the new AIDs: the AID that each one replaces, if it replaces one.
    pub replaced: Option<Box<[Replaced; AIDS]>>,
    /// In the same order.
    pub answers: Box<[Answer; AIDS]>,
}

/// An AID that is to be replaced.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Replaced {
    /// It.
    pub aid: Aid,
    /// Its record's epoch; the new record's is one more.
    pub epoch: u32,
}

/// What became of an acceptance.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Taken {
    /// The calls were handed to the ledger.
    Submitted,
    /// The AIDs wait for those of others, so that the ledger does not show which belong together.
    Queued {
        /// How many patients wait, this one included.
        waiting: u16,
        /// With how many the set is registered.
        needed: u16,
    },
    /// Another member has to approve, and then a delay runs.
    AwaitsApproval,
}

impl Offer {
    /// The bytes that travel. They hold salts.
    pub fn encode(&self) -> Zeroizing<Vec<u8>> {
        let mut bytes = Zeroizing::new(Vec::with_capacity(8 << 10));
        bytes.push(super::application::VERSION);
        self.evaluators.write(&mut bytes);
        for deal in &self.deals {
            let length = u16::try_from(deal.len()).unwrap_or(u16::MAX);
            bytes.extend(length.to_be_bytes());
            bytes.extend(deal);
        }
        bytes.push(u8::from(self.identities.is_some()));
        if let Some(identities) = &self.identities {
            identities.write(&mut bytes);
        }
        bytes
    }

    /// The offer that these bytes are, all of them.
    pub fn parse(bytes: &[u8]) -> Result<Self, Malformed> {
        let mut fields = Fields::of("an offer", bytes);
        version(&mut fields)?;
        let evaluators = Evaluators::read(&mut fields)?;
        let deals = evaluators
            .members()
            .iter()
            .map(|_| Ok(fields.prefixed("deal")?.to_vec()))
            .collect::<Result<_, Malformed>>()?;
        let identities = match fields.take("identities")? {
            [0] => None,
            [1] => Some(Identities::read(&mut fields)?),
            _ => return Err(fields.wrong("identities", "is neither 0 nor 1")),
        };
        fields.end()?;
        Ok(Self {
            evaluators,
            deals,
            identities,
        })
    }
}

impl Identities {
    /// ticket 16 ‖ replaced 1 [‖ 16 × (AID 32 ‖ epoch 4)] ‖ 16 × (salt 32 ‖ `C_ID` 112 ‖ commitment 32).
    fn write(&self, bytes: &mut Vec<u8>) {
        bytes.extend(self.ticket.expose());
        bytes.push(u8::from(self.replaced.is_some()));
        for Replaced { aid, epoch } in self.replaced.iter().flat_map(|all| all.iter()) {
            bytes.extend(aid.as_bytes());
            bytes.extend(epoch.to_be_bytes());
        }
        for answer in self.answers.iter() {
            bytes.extend(answer.salt.expose());
            bytes.extend(answer.c_id.as_bytes());
            bytes.extend(answer.id_commit.as_bytes());
        }
    }

    fn read(fields: &mut Fields<'_>) -> Result<Self, Malformed> {
        let ticket = Ticket::new(Secret::new(*fields.take("ticket")?));
        let replaced = match fields.take("replaced")? {
            [0] => None,
            [1] => Some(sixteen(|| {
                Ok(Replaced {
                    aid: Aid::new(*fields.take("replaced AID")?),
                    epoch: u32::from_be_bytes(*fields.take("epoch")?),
                })
            })?),
            _ => return Err(fields.wrong("replaced", "is neither 0 nor 1")),
        };
        let answers = sixteen(|| {
            Ok(Answer {
                salt: Secret::new(*fields.take("salt")?),
                c_id: Blob::new(fields.take::<SEALED_ID_BYTES>("C_ID")?.to_vec()),
                id_commit: IdCommitment::new(*fields.take("id commitment")?),
            })
        })?;
        Ok(Self {
            ticket,
            replaced,
            answers,
        })
    }
}

impl Message for Taken {
    fn encode(&self) -> Vec<u8> {
        let (code, waiting, needed) = match *self {
            Self::Submitted => (0, 0, 0),
            Self::Queued { waiting, needed } => (1, waiting, needed),
            Self::AwaitsApproval => (2, 0, 0),
        };
        let [[a, b], [c, d]] = [u16::to_be_bytes(waiting), u16::to_be_bytes(needed)];
        vec![super::application::VERSION, code, a, b, c, d]
    }

    fn parse(bytes: &[u8]) -> Result<Self, Malformed> {
        let mut fields = Fields::of("the answer to an acceptance", bytes);
        version(&mut fields)?;
        let [code] = *fields.take("code")?;
        let waiting = u16::from_be_bytes(*fields.take("waiting")?);
        let needed = u16::from_be_bytes(*fields.take("needed")?);
        let taken = match (code, waiting, needed) {
            (0, 0, 0) => Self::Submitted,
            (1, 1.., _) if waiting <= needed => Self::Queued { waiting, needed },
            (2, 0, 0) => Self::AwaitsApproval,
            _ => return Err(fields.wrong("code", "and numbers do not go together")),
        };
        fields.end()?;
        Ok(taken)
    }
}
