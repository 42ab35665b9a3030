//! What travels between a terminal and one evaluator: request, answer, confirmation.
//!
//! ```text
//! request       version 1 ‖ handle 16 ‖ server_id 32 ‖ T 8 ‖ blinded 32 ‖ σ 64    153 bytes
//! answer        version 1 ‖ element 32 ‖ c 32 ‖ s 32                               97 bytes
//! confirmation  version 1 ‖ handle 16 ‖ evaluation id 32 ‖ σ 64                   113 bytes
//! ```

use contract::{ChainId, PublicKey, ServerId, SignatureBytes, signature};
use ed25519_dalek::Signer as _;
use sha2::{Digest as _, Sha256};

use super::oprf::{Element, Evaluation, Proof};
use super::root::{DeviceSecret, Handle};
use crate::error::Malformed;
use crate::fields::Fields;
use crate::freshness::Timestamp;
use crate::suite::Message;

/// Bytes of an [`EvaluationRequest`].
pub const REQUEST_BYTES: usize = 153;
/// Bytes of an answer, which is an [`Evaluation`].
pub const ANSWER_BYTES: usize = 97;
/// Bytes of a [`Confirmation`].
pub const CONFIRMATION_BYTES: usize = 113;

/// The version of all three.
const VERSION: u8 = 1;

/// Names one evaluation by one evaluator.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct EvaluationId([u8; 32]);

impl EvaluationId {
    /// The id of these bytes.
    pub const fn new(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The bytes.
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

/// Asks one evaluator to evaluate a blinded password; signed by the device, so that
/// nobody else uses up the patient's tries.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct EvaluationRequest {
    handle: Handle,
    server_id: ServerId,
    /// When, by the terminal's clock; rises from one request to the next.
    time: Timestamp,
    /// The blinded element as it came. It is decoded after everything else was checked.
    blinded: [u8; 32],
    signature: SignatureBytes,
}

impl EvaluationRequest {
    /// The request, signed by `dev`.
    pub(super) fn sign(
        (device, chain): (&DeviceSecret, &ChainId),
        handle: Handle,
        server_id: ServerId,
        time: Timestamp,
        blinded: Element,
    ) -> Self {
        let mut request = Self {
            handle,
            server_id,
            time,
            blinded: *blinded.as_bytes(),
            signature: SignatureBytes::new([0; 64]),
        };
        let signature = device.key().sign(&request.digest(chain, b"aidc1/evaluate"));
        request.signature = SignatureBytes::new(signature.to_bytes());
        request
    }

    /// Whose enrolment.
    pub const fn handle(&self) -> &Handle {
        &self.handle
    }

    /// Who is asked.
    pub const fn server_id(&self) -> &ServerId {
        &self.server_id
    }

    /// When, by the terminal's clock.
    pub(super) const fn time(&self) -> Timestamp {
        self.time
    }

    /// Names the evaluation that answers it.
    pub fn evaluation_id(&self, chain: &ChainId) -> EvaluationId {
        EvaluationId(self.digest(chain, b"aidc1/evaluation"))
    }

    /// Whether the device of this public key signed it.
    pub(super) fn is_signed_by(&self, device: &PublicKey, chain: &ChainId) -> bool {
        let digest = self.digest(chain, b"aidc1/evaluate");
        signature::is_valid(device, &digest, &self.signature)
    }

    /// The blinded element, if it is one.
    pub(super) fn blinded(&self) -> Option<Element> {
        Element::parse(&self.blinded)
    }

    fn digest(&self, chain: &ChainId, label: &[u8]) -> [u8; 32] {
        let mut hash = Sha256::new_with_prefix(label);
        hash.update(chain.as_bytes());
        hash.update(self.unsigned());
        hash.finalize().into()
    }

    fn unsigned(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(REQUEST_BYTES);
        bytes.push(VERSION);
        bytes.extend(self.handle.as_bytes());
        bytes.extend(self.server_id.as_bytes());
        bytes.extend(self.time.to_bytes());
        bytes.extend(self.blinded);
        bytes
    }
}

impl Message for EvaluationRequest {
    fn encode(&self) -> Vec<u8> {
        let mut bytes = self.unsigned();
        bytes.extend(self.signature.to_bytes());
        bytes
    }

    fn parse(bytes: &[u8]) -> Result<Self, Malformed> {
        let mut fields = Fields::exactly("an evaluation request", bytes, REQUEST_BYTES)?;
        version(&mut fields)?;
        let request = Self {
            handle: Handle::new(*fields.take("handle")?),
            server_id: ServerId::new(*fields.take("server_id")?),
            time: Timestamp::from_bytes(*fields.take("T")?),
            blinded: *fields.take("blinded element")?,
            signature: SignatureBytes::new(*fields.take("signature")?),
        };
        fields.end()?;
        Ok(request)
    }
}

impl Message for Evaluation {
    fn encode(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(ANSWER_BYTES);
        bytes.push(VERSION);
        bytes.extend(self.element.as_bytes());
        bytes.extend(self.proof.to_bytes());
        bytes
    }

    fn parse(bytes: &[u8]) -> Result<Self, Malformed> {
        let mut fields = Fields::exactly("an evaluation", bytes, ANSWER_BYTES)?;
        version(&mut fields)?;
        let element = Element::parse(fields.take("element")?)
            .ok_or_else(|| fields.wrong("element", "is no element of the group"))?;
        let (challenge, response) = (fields.take("c")?, fields.take("s")?);
        let proof = Proof::parse(challenge, response)
            .ok_or_else(|| fields.wrong("proof", "is not below the group's order"))?;
        fields.end()?;
        Ok(Self { element, proof })
    }
}

/// Tells an evaluator that its evaluation opened the lock.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Confirmation {
    handle: Handle,
    evaluation: EvaluationId,
    signature: SignatureBytes,
}

impl Confirmation {
    pub(super) fn new(handle: Handle, evaluation: EvaluationId, signature: [u8; 64]) -> Self {
        Self {
            handle,
            evaluation,
            signature: SignatureBytes::new(signature),
        }
    }

    /// Whose enrolment.
    pub const fn handle(&self) -> &Handle {
        &self.handle
    }

    /// Which evaluation.
    pub(super) const fn evaluation(&self) -> &EvaluationId {
        &self.evaluation
    }

    /// What `confirm` signs: tagged, so that no evaluator chooses the bytes of anything else.
    pub(super) fn digest(chain: &ChainId, handle: &Handle, evaluation: &EvaluationId) -> [u8; 32] {
        let mut hash = Sha256::new_with_prefix(b"aidc1/confirm");
        hash.update(chain.as_bytes());
        hash.update(handle.as_bytes());
        hash.update(evaluation.as_bytes());
        hash.finalize().into()
    }

    /// Whether the confirm key of this public half signed it.
    pub(super) fn is_signed_by(&self, confirm: &PublicKey, chain: &ChainId) -> bool {
        let digest = Self::digest(chain, &self.handle, &self.evaluation);
        signature::is_valid(confirm, &digest, &self.signature)
    }
}

impl Message for Confirmation {
    fn encode(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(CONFIRMATION_BYTES);
        bytes.push(VERSION);
        bytes.extend(self.handle.as_bytes());
        bytes.extend(self.evaluation.as_bytes());
        bytes.extend(self.signature.to_bytes());
        bytes
    }

    fn parse(bytes: &[u8]) -> Result<Self, Malformed> {
        let mut fields = Fields::exactly("a confirmation", bytes, CONFIRMATION_BYTES)?;
        version(&mut fields)?;
        let confirmation = Self {
            handle: Handle::new(*fields.take("handle")?),
            evaluation: EvaluationId(*fields.take("evaluation id")?),
            signature: SignatureBytes::new(*fields.take("signature")?),
        };
        fields.end()?;
        Ok(confirmation)
    }
}

fn version(fields: &mut Fields<'_>) -> Result<(), Malformed> {
    match fields.take("version")? {
        [VERSION] => Ok(()),
        _ => Err(fields.wrong("version", "is not 1: update one of the two sides")),
    }
}
