//! AIDC-1 done by an accountant: each side once more, from `docs/aidc1.md` alone, with every operation counted.
//!
//! The suite itself has no meter. A count is worth something because the other side is the real one: the accountant's
//! patient signs in at a real server, and a real patient at the accountant's server. A message with a byte too few or
//! too many, or one operation left out, ends the run.

mod patient;
mod server;
mod transcript;

use chacha20::ChaCha20Rng;
use contract::SuiteId;
use contract::{AuthResult, BlockTime, PatientRecord, ServerRecord, SessionId, SignatureBytes};

use super::tally::Counts;
use crate::contest::Failure;

/// What each side of a sign-in does: (patient, server).
pub(super) fn sign_in(rng: &mut ChaCha20Rng) -> Result<(Counts, Counts), Failure> {
    Ok((patient::count(rng)?, server::count(rng)?))
}

/// The statement, with zeros where σ will stand.
fn unsigned(
    server: &ServerRecord,
    patient: &PatientRecord,
    (t1, t3): (u64, u64),
    sid: [u8; 32],
) -> AuthResult {
    AuthResult {
        suite: SuiteId::AIDC_1,
        server_id: server.server_id,
        key_epoch: server.key_epoch,
        aid: patient.aid,
        t1: BlockTime::new(t1),
        t3: BlockTime::new(t3),
        sid: SessionId::new(sid),
        pk_sig: patient.pk_sig,
        sigma: SignatureBytes::new([0; 64]),
    }
}

#[cfg(test)]
mod tests {
    use rand_core::SeedableRng as _;

    use super::*;

    /// One multiplication for the ephemeral and two (ss kept) or four with points, as the specification's cost.
    #[test]
    fn the_real_suite_accepts_what_the_accountant_computed() {
        let (patient, server) = sign_in(&mut ChaCha20Rng::seed_from_u64(1)).unwrap();

        assert_eq!((patient.mul_fixed, patient.mul_variable), (1, 3));
        assert_eq!((server.mul_fixed, server.mul_variable), (1, 4));
        assert_eq!((patient.sign, patient.verify), (1, 0));
        assert_eq!((server.sign, server.verify), (0, 1));
        assert_eq!(patient.xor + server.xor, 0);
    }
}
