//! Real processes on loopback that are killed, starved, misled and corrupted.

mod dice;
mod disk;
mod homes;
mod kills;
mod readme;
mod settled;
mod skew;
mod start;
mod votes;

use bench::consortium::Consortium;
use bench::workload::Workload;

use crate::claims::{Broken, Claims};
use crate::tools::aidchain;

/// Patients in the genesis of each consortium here.
const PATIENTS: u32 = 50;

/// All claims about processes.
pub(crate) fn run(claims: &mut Claims) {
    readme::claims(claims);
    start::claims(claims);
    homes::claims(claims);
    disk::claims(claims);
    skew::claims(claims);
    kills::claims(claims);
}

/// A fresh consortium, not yet started, and the patients it knows.
fn consortium() -> Result<(Consortium, Workload), Broken> {
    let workload = Workload::new(7, PATIENTS);
    Ok((Consortium::create(&aidchain(), &workload)?, workload))
}
