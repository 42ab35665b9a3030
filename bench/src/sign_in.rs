//! What one handshake costs in processor time: our suites beside TLS 1.3 and Noise, in one run; and what the fuzzy
//! extractor costs. With a ledger also how many complete sign-ins four members take.

mod complete;
mod extractor;
mod noise;
mod terminal;
mod tls;

use std::io;
use std::path::Path;
use std::time::Duration;

use research::contest::{Figure, aidc1, contest, limbasiya, wu};
use serde_json::{Value, json};

use crate::clock::processor_time;
use crate::figures::rounded;

pub use self::complete::Crowd;
pub use research::contest::Plan;

/// What a run of a contestant has shown, in microseconds.
struct Microseconds {
    both: f64,
    first: f64,
    second: f64,
}

impl From<Figure> for Microseconds {
    fn from(figure: Figure) -> Self {
        let micros = |time: Duration| time.as_secs_f64() * 1e6;
        Self {
            both: micros(figure.both),
            first: micros(figure.first),
            second: micros(figure.second),
        }
    }
}

/// Measures all of them.
pub fn measure(plan: Plan) -> io::Result<Value> {
    let dice = || patient::dice::seeded().map_err(|_failure| failed("no random numbers"));
    let mut aidc1 = aidc1::Pair::new(dice()?).map_err(failed)?;
    let figures = contest(
        plan,
        &processor_time,
        [
            &mut aidc1,
            &mut wu::Pair::new(dice()?).map_err(failed)?,
            &mut limbasiya::Pair::new(dice()?).map_err(failed)?,
            &mut extractor::Extractor::new(dice()?)?,
            &mut tls::Pair::new()?,
            &mut noise::Pair::new()?,
        ],
    );
    let [ours, wu, limbasiya, extractor, tls, noise] =
        figures.map_err(failed)?.map(Microseconds::from);
    let (to_key, total) = aidc1.wire_bytes();
    Ok(json!({
        "schema": "aidchain.bench-sign-in/1",
        "turns": plan.turns,
        "handshakes": plan.handshakes,
        "aidc1_us": rounded(ours.both),
        "aidc1_patient_us": rounded(ours.first),
        "aidc1_server_us": rounded(ours.second),
        "aidc1_server_per_s_per_core": (1e6 / ours.second).floor(),
        "wu2021_us": rounded(wu.both),
        "limbasiya_us": rounded(limbasiya.both),
        "gen_us": rounded(extractor.first),
        "rep_us": rounded(extractor.second),
        "tls13_mutual_us": rounded(tls.both),
        "noise_ik_us": rounded(noise.both),
        "ratio_to_tls13_mutual": rounded(ours.both / tls.both),
        "ratio_to_noise_ik": rounded(ours.both / noise.both),
        "wire_bytes_to_key": to_key,
        "wire_bytes_total": total,
        "state_bytes_per_pending": aidc1::STATE_BYTES,
    }))
}

/// The same, and complete sign-ins at members that run this binary.
pub fn measure_with_ledger(plan: Plan, binary: &Path, crowd: Crowd) -> io::Result<Value> {
    let mut figures = measure(plan)?;
    let complete = complete::measure(binary, crowd)?;
    if let (Some(all), Value::Object(more)) = (figures.as_object_mut(), complete) {
        all.extend(more);
    }
    Ok(figures)
}

/// An error of a contestant.
fn failed(error: impl std::fmt::Display) -> io::Error {
    io::Error::other(error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_short_run_measures_everybody_and_counts_the_bytes_of_the_specification() {
        let figures = measure(Plan {
            turns: 1,
            handshakes: 2,
        })
        .unwrap();

        for name in [
            "aidc1_us",
            "wu2021_us",
            "limbasiya_us",
            "gen_us",
            "rep_us",
            "tls13_mutual_us",
            "noise_ik_us",
        ] {
            assert!(figures[name].as_f64().unwrap() > 1.0, "{figures}");
        }
        assert_eq!(figures["wire_bytes_to_key"], 200);
        assert_eq!(figures["wire_bytes_total"], 288);
        assert!(figures["state_bytes_per_pending"].as_u64().unwrap() <= 2_048);
    }
}
