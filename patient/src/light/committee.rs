//! From the founding members to the committee that signed, and whether it did.

use consensus::{
    Certificate as _, ChainId, CheckpointCertificate, Digest, Ed25519, Epoch, Kind, PublicKey,
    ReplicaId, Scheme as _, Seq, Signature, Statement, View,
};
use contract::block::{HEADER_VERSION, Header, header_hash};
use contract::genesis::Genesis;
use contract::identity::{self, HeaderHash, Height};

use super::not_valid::BadCertificate;
use super::{Members, NotValid};
use crate::receipt::{Certificate, EpochProof};

/// The committee of the header's epoch, proved from genesis.
pub(super) fn of_header(
    epochs: &[EpochProof],
    genesis: &Genesis,
    header: &Header,
) -> Result<Members, NotValid> {
    if header.version != HEADER_VERSION {
        return Err(NotValid::HeaderVersion(header.version));
    }
    let mut committee = members(genesis, 0, &genesis.committee())?;
    let mut last = Height::new(0);
    for (epoch, proof) in epochs.iter().enumerate() {
        let ended = ended_epoch(epoch, proof, genesis)?;
        if ended.height <= last {
            return Err(NotValid::EpochMismatch { epoch });
        }
        last = ended.height;
        let hash = header_hash(&proof.header.0);
        check(&proof.certificate, &ended, hash, &committee, genesis)
            .map_err(|problem| NotValid::EpochCertificate { epoch, problem })?;
        let next = members(genesis, epoch.saturating_add(1), &proof.committee)?;
        if next.digest().as_bytes() != ended.next_committee.as_bytes() {
            return Err(NotValid::OtherCommittee { epoch });
        }
        committee = next;
    }
    if u64::from(header.epoch.get()) != u64::from(committee.epoch().get()) || header.height <= last
    {
        return Err(NotValid::EpochsMissing {
            header: header.epoch.get(),
            proved: epochs.len(),
        });
    }
    Ok(committee)
}

/// The members who signed the header, by name.
pub(super) fn signers(
    certificate: &Certificate,
    (header, hash): (&Header, HeaderHash),
    committee: &Members,
    genesis: &Genesis,
) -> Result<Vec<String>, NotValid> {
    check(certificate, header, hash, committee, genesis).map_err(NotValid::Certificate)?;
    Ok(certificate
        .signatures
        .iter()
        .map(|one| name(ReplicaId::new(one.member), committee, genesis))
        .collect())
}

fn ended_epoch(epoch: usize, proof: &EpochProof, genesis: &Genesis) -> Result<Header, NotValid> {
    let header = Header::decode(&proof.header.0)
        .map_err(|problem| NotValid::EpochHeader { epoch, problem })?;
    let fits = header.version == HEADER_VERSION
        && header.chain == *genesis.chain()
        && usize::try_from(header.epoch.get()) == Ok(epoch);
    if fits {
        Ok(header)
    } else {
        Err(NotValid::EpochMismatch { epoch })
    }
}

fn members(
    genesis: &Genesis,
    epoch: usize,
    keys: &[identity::PublicKey],
) -> Result<Members, NotValid> {
    let keys = keys
        .iter()
        .map(|key| PublicKey::new(*key.as_bytes()))
        .collect();
    let number = u32::try_from(epoch).unwrap_or(u32::MAX);
    Members::new(
        ChainId::new(*genesis.chain().as_bytes()),
        Epoch::new(number),
        keys,
    )
    .map_err(|problem| NotValid::Committee { epoch, problem })
}

/// Checks a certificate over a header. What it reports in words, consensus decides in the end.
fn check(
    certificate: &Certificate,
    header: &Header,
    hash: HeaderHash,
    committee: &Members,
    genesis: &Genesis,
) -> Result<(), BadCertificate> {
    if certificate.epoch != header.epoch.get() || certificate.height != header.height.get() {
        return Err(BadCertificate::OtherBlock {
            epoch: certificate.epoch,
            height: Height::new(certificate.height),
        });
    }
    form(certificate, committee)?;
    let checkpoint = checkpoint(certificate, hash);
    let bytes = statement(&checkpoint, committee);
    for (member, signature) in &checkpoint.checkpoints {
        let genuine = committee
            .key(*member)
            .is_some_and(|key| Ed25519::verify(key, &bytes, signature));
        if !genuine {
            return Err(BadCertificate::Signature(name(*member, committee, genesis)));
        }
    }
    checkpoint
        .check(committee)
        .map_err(|_rejected| BadCertificate::TooFew {
            found: certificate.signatures.len(),
            quorum: committee.quorum(),
        })
}

/// What each signer signed (CONSENSUS.md §3).
fn statement(checkpoint: &CheckpointCertificate, committee: &Members) -> [u8; Statement::LENGTH] {
    let statement = Statement {
        chain: committee.chain(),
        epoch: checkpoint.epoch,
        kind: Kind::Checkpoint,
        view: View::ZERO,
        seq: checkpoint.seq,
        digest: checkpoint.header,
    };
    statement.bytes()
}

fn form(certificate: &Certificate, committee: &Members) -> Result<(), BadCertificate> {
    let size = committee.size();
    let mut before = None;
    for one in &certificate.signatures {
        if usize::from(one.member) >= size {
            return Err(BadCertificate::NotAMember {
                member: one.member,
                size,
            });
        }
        if before.is_some_and(|before| before >= one.member) {
            return Err(BadCertificate::NotAscending(one.member));
        }
        before = Some(one.member);
    }
    let (found, quorum) = (certificate.signatures.len(), committee.quorum());
    if found < quorum {
        return Err(BadCertificate::TooFew { found, quorum });
    }
    Ok(())
}

fn checkpoint(certificate: &Certificate, hash: HeaderHash) -> CheckpointCertificate {
    CheckpointCertificate {
        epoch: Epoch::new(certificate.epoch),
        seq: Seq::new(certificate.height),
        header: Digest::new(*hash.as_bytes()),
        checkpoints: certificate
            .signatures
            .iter()
            .map(|one| {
                let signature = Signature::new(&one.signature.to_bytes());
                (ReplicaId::new(one.member), signature)
            })
            .collect(),
    }
}

/// The member's name in the genesis file, or the beginning of its key when it joined later.
fn name(member: ReplicaId, committee: &Members, genesis: &Genesis) -> String {
    let Some(key) = committee.keys().get(usize::from(member.get())) else {
        return format!("member {member}");
    };
    genesis
        .members()
        .iter()
        .find(|founder| founder.key.as_bytes() == key.as_bytes())
        .map_or_else(
            || format!("key {}", super::report::short(&hex::encode(key.as_bytes()))),
            |founder| founder.name.clone(),
        )
}
