//! How the committee that signed a block came to be: the end of each epoch before it.

use contract::contracts::membership::{PastEpoch, committee_of};
use contract::{Epoch, Snapshot};
use patient::receipt::{Bytes, EpochProof};

use super::{LedgerError, certificate_of};
use crate::store::Reader;

/// The proofs of all epochs before this one, oldest first; none while this node lacks the
/// certificate of one's last block.
pub(super) fn epochs_before(
    reader: &Reader,
    state: &Snapshot<Reader>,
    epoch: Epoch,
) -> Result<Option<Vec<EpochProof>>, LedgerError> {
    let mut proofs = Vec::new();
    let mut ended = committee_of(state, Epoch::new(0))?;
    for number in 0..epoch.get() {
        let next = committee_of(state, Epoch::new(number).next())?;
        let proof = match (&ended, &next) {
            (Some(ended), Some(next)) => end_of(reader, ended, next)?,
            _unknown => None,
        };
        let Some(proof) = proof else {
            return Ok(None);
        };
        proofs.push(proof);
        ended = next;
    }
    Ok(Some(proofs))
}

/// The proof that one epoch ended and handed over to the next.
fn end_of(
    reader: &Reader,
    ended: &PastEpoch,
    next: &PastEpoch,
) -> Result<Option<EpochProof>, LedgerError> {
    let Some(last) = ended.last else {
        return Ok(None);
    };
    let header = reader.header(last)?;
    let certificate = reader.certificate(last)?;
    Ok(header
        .zip(certificate)
        .map(|(header, certificate)| EpochProof {
            header: Bytes(header.encode()),
            committee: next.keys.clone(),
            certificate: certificate_of(&certificate),
        }))
}
