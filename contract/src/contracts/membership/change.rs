//! What members vote on, and the proofs that go with it.

use serde::{Deserialize, Serialize};

use crate::contract_id::ContractId;
use crate::contracts::registry::ContractStatus;
use crate::encoding;
use crate::genesis::Member;
use crate::hash;
use crate::identity::{ChainId, ChangeId, PublicKey, ServerId, SignatureBytes};

/// One change of the consortium; all of it takes effect at one epoch's end, or none.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MembershipChange {
    /// Newcomers, who vote after everybody else in this order.
    pub add: Vec<Candidate>,
    /// Members who leave.
    pub remove: Vec<ServerId>,
    /// Newcomers who take the place of members who leave.
    pub replace: Vec<Replacement>,
    /// Members with new keys or addresses.
    pub renew: Vec<Renewal>,
    /// Parameters with new values.
    pub parameters: Vec<ParameterChange>,
    /// Contracts with another version or status.
    pub contracts: Vec<ContractChange>,
    /// Whether the consortium may bear fewer faulty members afterwards.
    pub lower_faults: bool,
}

/// Somebody who is to become a member.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Candidate {
    /// Name, role, keys and addresses.
    pub member: Member,
    /// Signature of [`possession_digest`] by the member's key.
    pub possession: SignatureBytes,
}

/// A newcomer in the place of a member who leaves.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Replacement {
    /// Who leaves.
    pub leaver: ServerId,
    /// Who comes.
    pub candidate: Candidate,
}

/// A member with another key, network key, certificate or address; name and role stay.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Renewal {
    /// The member; its id outlives its keys.
    pub id: ServerId,
    /// Everything about it afterwards.
    pub to: Member,
    /// Signature of [`renewal_digest`] by the present key.
    pub by_old: SignatureBytes,
    /// Signature of the same by the key in `to`.
    pub by_new: SignatureBytes,
}

/// A parameter's new value.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ParameterChange {
    /// Its name in the genesis file.
    #[serde(deserialize_with = "encoding::text")]
    pub name: String,
    /// The new value.
    pub value: u64,
}

/// A contract's new version or status, from the next epoch's first block on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ContractChange {
    /// Which contract.
    pub id: ContractId,
    /// Its version.
    pub version: u16,
    /// Whether it takes calls.
    pub status: ContractStatus,
}

impl MembershipChange {
    /// SHA-256("aidchain/change" ‖ 0x00 ‖ chain id ‖ encoded change): what members approve.
    pub fn id(&self, chain: &ChainId) -> ChangeId {
        let bytes = encoding::encode(self);
        ChangeId::new(hash::labelled(
            "aidchain/change",
            &[chain.as_bytes(), &bytes],
        ))
    }

    /// Whether nothing would change.
    pub fn is_empty(&self) -> bool {
        *self
            == Self {
                lower_faults: self.lower_faults,
                ..Self::default()
            }
    }

    /// Everybody who would come, by addition or in another's place.
    pub fn candidates(&self) -> impl Iterator<Item = &Candidate> {
        let replacing = self.replace.iter().map(|one| &one.candidate);
        self.add.iter().chain(replacing)
    }

    /// Under which id and key somebody may say that it is ready.
    pub(super) fn newcomers(&self) -> impl Iterator<Item = (ServerId, PublicKey)> {
        let candidates = self.candidates().map(|one| &one.member);
        let renewed = self.renew.iter().map(|one| (one.id, one.to.key));
        candidates
            .map(|member| (member.server_id(), member.key))
            .chain(renewed)
    }
}

/// What a candidate's key signs: SHA-256("aidchain/join" ‖ 0x00 ‖ chain id ‖ encoded member).
pub fn possession_digest(chain: &ChainId, member: &Member) -> [u8; 32] {
    let bytes = encoding::encode(member);
    hash::labelled("aidchain/join", &[chain.as_bytes(), &bytes])
}

/// What a member's old and new key sign:
/// SHA-256("aidchain/renew" ‖ 0x00 ‖ chain id ‖ server id ‖ encoded member).
pub fn renewal_digest(chain: &ChainId, id: &ServerId, to: &Member) -> [u8; 32] {
    let bytes = encoding::encode(to);
    hash::labelled("aidchain/renew", &[chain.as_bytes(), id.as_bytes(), &bytes])
}
