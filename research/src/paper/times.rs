//! What this machine takes: single operations, whole runs, operation mixes.

use std::hint::black_box;
use std::time::Duration;

use ed25519_dalek::{Signer as _, SigningKey};
use protocol::Template;
use protocol::fuzzy;
use sha2::{Digest as _, Sha256};

use super::counted::{AIDC1, LIMBASIYA, WU, dice};
use super::mixes::Mixer;
use super::printed::{self, Phase, Scheme, Unit};
use super::report::{Measured, Mix, Run, Timed};
use super::{group, sealing};
use crate::contest::{
    Clock, Contestant, Failure, Figure, Plan, aidc1, contest, limbasiya, median, wu,
};

/// How long is measured.
#[derive(Clone, Copy, Debug)]
pub struct Effort {
    /// Of whole runs.
    plan: Plan,
    /// Batches of single operations, of which the median counts.
    batches: u32,
    /// Operations in a batch that take less than some microseconds.
    quick: u32,
    /// Those that take longer, and operation mixes.
    slow: u32,
}

impl Effort {
    /// Some five seconds.
    pub const FULL: Self = Self {
        plan: Plan {
            turns: 9,
            handshakes: 50,
        },
        batches: 7,
        quick: 2_000,
        slow: 16,
    };

    /// Some hundred milliseconds: for a look.
    pub const GLANCE: Self = Self {
        plan: Plan {
            turns: 3,
            handshakes: 4,
        },
        batches: 3,
        quick: 50,
        slow: 1,
    };
}

/// Measures everything.
pub(super) fn measure(
    machine: String,
    effort: Effort,
    clock: Clock<'_>,
) -> Result<Measured, Failure> {
    Ok(Measured {
        machine,
        operations: operations(effort, clock)?,
        runs: runs(effort, clock)?,
        mixes: mixes(effort, clock)?,
    })
}

/// The median time of one of so many calls.
fn each(
    clock: Clock<'_>,
    (batches, calls): (u32, u32),
    mut call: impl FnMut() -> Result<(), Failure>,
) -> Result<u64, Failure> {
    call()?;
    let mut samples = Vec::new();
    for _ in 0..batches {
        let before = clock();
        for _ in 0..calls {
            call()?;
        }
        samples.push(clock().saturating_sub(before));
    }
    Ok(nanos(
        median(samples).checked_div(calls).unwrap_or_default(),
    ))
}

fn nanos(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}

fn runs(effort: Effort, clock: Clock<'_>) -> Result<Vec<Run>, Failure> {
    let (mut wu, mut limbasiya) = (wu::Pair::new(dice())?, limbasiya::Pair::new(dice())?);
    let mut aidc1 = aidc1::Pair::new(dice())?;
    let mut enrolment = wu::Registration(dice());
    let mut joining = limbasiya::Registration::new(dice())?;
    let contestants: [&mut dyn Contestant; 5] = [
        &mut enrolment,
        &mut joining,
        &mut wu,
        &mut limbasiya,
        &mut aidc1,
    ];
    let figures = contest(effort.plan, clock, contestants)?;
    let names = [
        (WU, Phase::Registration),
        (LIMBASIYA, Phase::Registration),
        (WU, Phase::Authentication),
        (LIMBASIYA, Phase::Authentication),
        (AIDC1, Phase::Authentication),
    ];
    let run = |((scheme, phase), figure): ((&str, Phase), Figure)| Run {
        scheme: scheme.to_owned(),
        phase: phase.name().to_owned(),
        patient_ns: nanos(figure.first),
        server_ns: nanos(figure.second),
        both_ns: nanos(figure.both),
    };
    Ok(names.into_iter().zip(figures).map(run).collect())
}

fn mixes(effort: Effort, clock: Clock<'_>) -> Result<Vec<Mix>, Failure> {
    let mut mixer = Mixer::new()?;
    let mut measured = Vec::new();
    for phase in Phase::BOTH {
        for scheme in [Scheme::Kumar, Scheme::Tsai, Scheme::Lwamo] {
            let terms = printed::work(scheme, phase).terms;
            let ns = each(clock, (effort.batches, effort.slow), || mixer.run(terms))?;
            measured.push(Mix {
                scheme: scheme.name().to_owned(),
                phase: phase.name().to_owned(),
                formula: printed::formula(terms),
                ns,
            });
        }
    }
    Ok(measured)
}

/// The operations of the formulas, then those that the formulas leave out.
fn operations(effort: Effort, clock: Clock<'_>) -> Result<Vec<Timed>, Failure> {
    let mut timed = papers(effort, clock)?;
    timed.extend(secp256k1(effort, clock)?);
    timed.extend(extractor(effort, clock)?);
    timed.extend(symmetric(effort, clock)?);
    Ok(timed)
}

fn timed(symbol: &str, what: &str, ns: u64) -> Timed {
    Timed {
        symbol: symbol.to_owned(),
        what: what.to_owned(),
        ns,
    }
}

/// As in the operation mixes.
fn papers(effort: Effort, clock: Clock<'_>) -> Result<Vec<Timed>, Failure> {
    let mut mixer = Mixer::new()?;
    let (quick, slow) = (
        (effort.batches, effort.quick),
        (effort.batches, effort.slow),
    );
    let mut all = Vec::new();
    for unit in Unit::ALL {
        let (what, calls) = match unit {
            Unit::Hash => ("SHA-256 of 64 bytes", quick),
            Unit::Xor => ("32 bytes", quick),
            Unit::Mul => ("a point of BLS12-381's G1", slow),
            Unit::Pairing => ("BLS12-381", slow),
            Unit::Add => ("two points of G1", quick),
            Unit::Exp => ("in BLS12-381's target group", slow),
            Unit::MapToPoint => ("to G1, with one T_mul: a BLS signature", slow),
            Unit::Encrypt | Unit::Decrypt => ("ECIES on secp256k1", slow),
        };
        let ns = each(clock, calls, || mixer.once(unit))?;
        all.push(timed(unit.symbol(), what, ns));
    }
    Ok(all)
}

fn secp256k1(effort: Effort, clock: Clock<'_>) -> Result<[Timed; 3], Failure> {
    let calls = (effort.batches, effort.slow);
    let number = group::draw(&mut dice());
    let mut x = group::base(&number);
    let point = group::lift_x(&x).ok_or("no point")?;
    let fixed = each(clock, calls, || {
        x = group::base(black_box(&number));
        Ok(())
    })?;
    let variable = each(clock, calls, || {
        black_box(group::times(&point, black_box(&number)));
        Ok(())
    })?;
    let lift = each(clock, calls, || {
        black_box(group::lift_x(black_box(&x)));
        Ok(())
    })?;
    Ok([
        timed("T_mul", "the generator of secp256k1", fixed),
        timed("T_mul", "a point of secp256k1", variable),
        timed("lift_x", "a point of secp256k1 from its x", lift),
    ])
}

fn extractor(effort: Effort, clock: Clock<'_>) -> Result<[Timed; 2], Failure> {
    let calls = (effort.batches, effort.slow);
    let (face, mut rng) = (Template::new([0x5A; 256]), dice());
    let (_, helper) = fuzzy::generate(&face, &mut rng);
    let generate = each(clock, calls, || {
        black_box(fuzzy::generate(&face, &mut rng));
        Ok(())
    })?;
    let reproduce = each(clock, calls, || {
        black_box(fuzzy::reproduce(&face, &helper).ok_or("the face does not reproduce")?);
        Ok(())
    })?;
    Ok([
        timed("Gen", "2,048 bits", generate),
        timed("Rep", "2,048 bits", reproduce),
    ])
}

fn symmetric(effort: Effort, clock: Clock<'_>) -> Result<[Timed; 4], Failure> {
    let (quick, slow) = (
        (effort.batches, effort.quick),
        (effort.batches, effort.slow),
    );
    let mut key: [u8; 32] = Sha256::digest(b"aidchain.paper/1 symmetric").into();
    let hkdf = each(clock, quick, || {
        key = sealing::derive(&key, &key, &[]).ok_or("HKDF")?;
        Ok(())
    })?;
    let aead = each(clock, quick, || {
        black_box(sealing::seal(&key, &key, &key).ok_or("AEAD")?);
        Ok(())
    })?;
    let signer = SigningKey::from_bytes(&key);
    let mut signature = signer.sign(&key);
    let sign = each(clock, slow, || {
        signature = signer.sign(black_box(&key));
        Ok(())
    })?;
    let public = signer.verifying_key();
    let verify = each(clock, slow, || {
        Ok(public.verify_strict(black_box(&key), &signature)?)
    })?;
    Ok([
        timed("HKDF", "an Extract and an Expand together", hkdf),
        timed("AEAD", "ChaCha20-Poly1305, 32 bytes", aead),
        timed("sign", "Ed25519", sign),
        timed("verify", "Ed25519", verify),
    ])
}
