//! One run of each suite, its messages kept and its operations counted.

use std::time::Duration;

use chacha20::ChaCha20Rng;
use rand_core::SeedableRng as _;

use super::accountant;
use super::printed::Phase;
use super::tally::{Counts, Tally};
use crate::contest::{Contestant as _, Failure, Sent, aidc1, limbasiya, wu};

/// The names of what is built.
pub(super) const WU: &str = "Wu-2021";
pub(super) const LIMBASIYA: &str = "Limbasiya-2020";
pub(super) const AIDC1: &str = "AIDC-1";

/// A phase of a suite.
pub(super) struct Counted {
    pub(super) scheme: &'static str,
    pub(super) phase: Phase,
    /// Of the patient, and of the server or RC.
    pub(super) sides: [(&'static str, Counts); 2],
    pub(super) sent: Vec<Sent>,
}

impl Counted {
    /// Operations of both sides.
    pub(super) fn total(&self) -> Counts {
        let [(_, first), (_, second)] = &self.sides;
        first.plus(second)
    }

    /// Bits of all messages.
    pub(super) fn bits(&self) -> u64 {
        let bits = self.sent.iter().map(Sent::bits).sum::<usize>();
        u64::try_from(bits).unwrap_or(u64::MAX)
    }
}

/// A draw that is the same each time: what is counted does not depend on it.
pub(super) fn dice() -> ChaCha20Rng {
    ChaCha20Rng::from_seed(*b"aidchain.paper/1 counts one run.")
}

/// All phases of all suites.
pub(super) fn runs() -> Result<Vec<Counted>, Failure> {
    Ok([wu()?, limbasiya()?]
        .into_iter()
        .flatten()
        .chain([aidc1()?])
        .collect())
}

fn wu() -> Result<[Counted; 2], Failure> {
    let tallies = <[Tally; 4]>::default();
    let [hers, centres, patients, servers] = &tallies;
    let (mut pair, registered) = wu::Pair::enrolled(dice(), (hers, centres))?;
    let signed_in = pair.counted((patients, servers))?;
    Ok(both_phases(WU, &tallies, [registered, signed_in]))
}

fn limbasiya() -> Result<[Counted; 2], Failure> {
    let tallies = <[Tally; 4]>::default();
    let [hers, centres, patients, servers] = &tallies;
    let (mut pair, registered) = limbasiya::Pair::enrolled(dice(), (hers, centres))?;
    let signed_in = pair.counted((patients, servers))?;
    Ok(both_phases(LIMBASIYA, &tallies, [registered, signed_in]))
}

fn both_phases(
    scheme: &'static str,
    [hers, centres, patients, servers]: &[Tally; 4],
    [registered, signed_in]: [Vec<Sent>; 2],
) -> [Counted; 2] {
    [
        Counted {
            scheme,
            phase: Phase::Registration,
            sides: [("patient", hers.counts()), ("RC", centres.counts())],
            sent: registered,
        },
        Counted {
            scheme,
            phase: Phase::Authentication,
            sides: [("patient", patients.counts()), ("server", servers.counts())],
            sent: signed_in,
        },
    ]
}

fn aidc1() -> Result<Counted, Failure> {
    let (patient, server) = accountant::sign_in(&mut dice())?;
    let mut pair = aidc1::Pair::new(dice())?;
    pair.shake(&|| Duration::ZERO)?;
    Ok(Counted {
        scheme: AIDC1,
        phase: Phase::Authentication,
        sides: [("patient", patient), ("server", server)],
        sent: pair.sent()?,
    })
}
