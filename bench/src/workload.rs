//! Sign-in results with real signatures: synthetic patients, and servers that submit for them.

use std::io;

use contract::Blob;
use contract::genesis::Member;
use contract::identity::{
    Aid, BlockTime, ChainId, IdCommitment, PublicKey, ServerId, SessionId, SignatureBytes, SuiteId,
};
use contract::record::{AuthResult, PatientRecord, Registration, ServerRecord, Status};
use contract::transaction::{Author, Call, SignedTransaction, Transaction};
use ed25519_dalek::{Signer as _, SigningKey};
use k256::schnorr;
use sha2::{Digest as _, Sha256};

use crate::clock::wall_ms;
use crate::consortium::{Consortium, member_seed};

/// The x-coordinate of secp256k1's generator (SEC 2): a valid handshake key that nobody uses here,
/// since the ledger is measured and not the handshake.
const DH_KEY: [u8; 32] = [
    0x79, 0xbe, 0x66, 0x7e, 0xf9, 0xdc, 0xbb, 0xac, 0x55, 0xa0, 0x62, 0x95, 0xce, 0x87, 0x0b, 0x07,
    0x02, 0x9b, 0xfc, 0xdb, 0x2d, 0xce, 0x28, 0xd9, 0x59, 0xf2, 0x81, 0x5b, 0x16, 0xf8, 0x17, 0x98,
];

/// The secret of [`DH_KEY`], which is 1: it proves possession of a key that protects nobody.
fn dh_signer() -> Option<schnorr::SigningKey> {
    let mut one = [0; 32];
    if let Some(last) = one.last_mut() {
        *last = 1;
    }
    schnorr::SigningKey::from_slice(&one).ok()
}

/// The key epoch of every server's record.
const KEY_EPOCH: u32 = 1;

/// How long a transaction may wait.
const VALID_MS: u64 = 60_000;

/// A year, for validities.
const YEAR_MS: u64 = 365 * 24 * 3_600_000;

/// One synthetic patient.
#[derive(Debug, Clone)]
struct Patient {
    /// Signs her statements.
    signer: SigningKey,
    /// Her record in the genesis.
    record: PatientRecord,
}

/// The patients of a run.
#[derive(Debug, Clone)]
pub struct Workload {
    patients: Vec<Patient>,
}

impl Workload {
    /// So many patients, the same ones for the same seed.
    pub fn new(seed: u64, patients: u32) -> Self {
        Self {
            patients: (0..patients)
                .map(|number| Patient::new(seed, number))
                .collect(),
        }
    }

    /// Their records, for the genesis.
    pub fn patient_records(&self) -> Vec<PatientRecord> {
        self.patients
            .iter()
            .map(|patient| patient.record.clone())
            .collect()
    }

    /// The registration of the patient of this number at a time, signed by her keys and the
    /// registration centre.
    pub fn registration(
        &self,
        centre: &Server,
        number: usize,
        now: u64,
    ) -> Option<SignedTransaction> {
        let patient = self.patients.get(number)?;
        let digest = patient.record.possession_digest(&centre.chain);
        let proof_dh = dh_signer()?.sign_raw(&digest, &[0; 32]).ok()?;
        let registration = Registration {
            record: patient.record.clone(),
            proof_dh: SignatureBytes::new(proof_dh.to_bytes()),
            proof_sig: SignatureBytes::new(patient.signer.sign(&digest).to_bytes()),
        };
        let serial = u64::try_from(number).unwrap_or(u64::MAX);
        let registered = Transaction::new(
            centre.chain,
            Author::Member(centre.id),
            BlockTime::new(now.saturating_add(VALID_MS)),
            serial.to_le_bytes(),
            Call::Register(Box::new(registration)),
        );
        Some(registered.sign(&centre.signer))
    }

    /// A record for every server, for the genesis.
    pub fn server_records(members: &[Member]) -> Vec<ServerRecord> {
        let record = |member: &Member| ServerRecord {
            server_id: member.server_id(),
            node_key: member.key,
            dh_epoch_key: PublicKey::new(DH_KEY),
            key_epoch: KEY_EPOCH,
            not_before: BlockTime::new(0),
            not_after: BlockTime::new(wall_ms().saturating_add(YEAR_MS)),
            suites: vec![SuiteId::AIDC_1],
        };
        members.iter().map(record).collect()
    }

    /// The side that submits through one member.
    pub fn server(&self, consortium: &Consortium, index: usize) -> io::Result<Server> {
        let node = consortium.nodes.get(index).ok_or(io::ErrorKind::NotFound)?;
        let member = consortium
            .genesis
            .members()
            .get(index)
            .ok_or(io::ErrorKind::NotFound)?;
        Ok(Server {
            chain: *consortium.genesis.chain(),
            id: member.server_id(),
            signer: SigningKey::from_bytes(&member_seed(&node.home)?),
            patients: self.patients.clone(),
        })
    }
}

impl Patient {
    /// The patient of this number, with keys from the seed.
    fn new(seed: u64, number: u32) -> Self {
        let secret = digest(&[
            b"aidchain/bench/patient",
            &seed.to_le_bytes(),
            &number.to_le_bytes(),
        ]);
        let signer = SigningKey::from_bytes(&secret);
        let pk_sig = PublicKey::new(signer.verifying_key().to_bytes());
        let pk_dh = PublicKey::new(DH_KEY);
        let record = PatientRecord {
            aid: Aid::of_keys(SuiteId::AIDC_1, &pk_dh, &pk_sig),
            pk_dh,
            pk_sig,
            pk_recovery: pk_sig,
            status: Status::Active,
            epoch: 0,
            c_id: Blob::new(Vec::new()),
            id_commit: IdCommitment::new([0; 32]),
        };
        Self { signer, record }
    }
}

/// A member's side: bundles of results under its signature.
#[derive(Debug, Clone)]
pub struct Server {
    chain: ChainId,
    id: ServerId,
    signer: SigningKey,
    patients: Vec<Patient>,
}

impl Server {
    /// A bundle of fresh results. `serial` makes it unlike every other of this ledger: a session
    /// id may occur once.
    pub fn bundle(&self, serial: u64, results: usize) -> SignedTransaction {
        self.bundle_at(wall_ms(), serial, results)
    }

    /// The same for a time of the past, for a ledger that is written at once.
    pub fn bundle_at(&self, now: u64, serial: u64, results: usize) -> SignedTransaction {
        let numbered = self
            .patients
            .iter()
            .cycle()
            .skip(first_patient(serial, self.patients.len()));
        let results = (0_u64..).zip(numbered).take(results);
        let results = results
            .map(|(number, patient)| self.result(patient, serial, number, now))
            .collect();
        let valid_until = BlockTime::new(now.saturating_add(VALID_MS));
        let author = Author::Member(self.id);
        Transaction::new(
            self.chain,
            author,
            valid_until,
            serial.to_le_bytes(),
            Call::Results(results),
        )
        .sign(&self.signer)
    }

    /// One sign-in of a patient at this server, signed by her.
    fn result(&self, patient: &Patient, serial: u64, number: u64, now: u64) -> AuthResult {
        let sid = digest(&[
            self.id.as_bytes(),
            &serial.to_le_bytes(),
            &number.to_le_bytes(),
        ]);
        let mut result = AuthResult {
            suite: SuiteId::AIDC_1,
            server_id: self.id,
            key_epoch: KEY_EPOCH,
            aid: patient.record.aid,
            t1: BlockTime::new(now.saturating_sub(5)),
            t3: BlockTime::new(now),
            sid: SessionId::new(sid),
            pk_sig: patient.record.pk_sig,
            sigma: SignatureBytes::new([0; 64]),
        };
        let statement = result.statement_digest(&self.chain);
        result.sigma = SignatureBytes::new(patient.signer.sign(&statement).to_bytes());
        result
    }
}

/// Where in the row of patients a bundle begins.
fn first_patient(serial: u64, patients: usize) -> usize {
    let spread = usize::try_from(serial.wrapping_mul(61)).unwrap_or_default();
    spread.checked_rem(patients).unwrap_or_default()
}

/// SHA-256 of the parts in a row.
fn digest(parts: &[&[u8]]) -> [u8; 32] {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update(part);
    }
    hash.finalize().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn server() -> Server {
        Server {
            chain: ChainId::new([7; 32]),
            id: ServerId::new([8; 32]),
            signer: SigningKey::from_bytes(&[9; 32]),
            patients: Workload::new(1, 10).patients,
        }
    }

    #[test]
    fn every_signature_of_a_bundle_verifies() {
        let bundle = server().bundle(3, 12);

        assert_eq!(bundle.check_signatures(), Ok(()));
        assert_eq!(bundle.call().result_count(), 12);
    }

    #[test]
    fn no_two_bundles_are_alike() {
        let server = server();

        assert_ne!(server.bundle(1, 2).hash(), server.bundle(2, 2).hash());
    }

    #[test]
    fn a_patients_aid_is_the_one_of_her_keys() {
        for record in Workload::new(5, 3).patient_records() {
            assert_eq!(record.aid, record.aid_of_keys());
        }
    }
}
