//! Complete sign-ins at four members: the handshake over HTTP, the result on the ledger, the answer at the patient.
//!
//! Patients, members and ledger share this machine. Each terminal keeps one connection from an address of its own, so
//! that the members' limits for one source are the ones in force, and signs in at fixed times.

use std::io;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc;
use std::time::Duration;

use contract::{Blob, IdCommitment, PatientRecord, PublicKey, Status};
use protocol::Secret;
use protocol::aidc1::{Credential, Keys, Peer, Seed};
use serde_json::{Value, json};

use super::terminal::{Terminal, credential};
use crate::clock::{Moment, wait_for};
use crate::consortium::{Consortium, Node};
use crate::figures::{percentile, rounded};
use crate::process::cpu_seconds;

/// Sign-ins a second of one terminal: below what a member grants one source.
const PER_TERMINAL: u32 = 8;
/// Patients who share a terminal.
const PER_DESK: u16 = 3;
/// How long the members may take to be ready, and to agree in the end.
const PATIENCE: Duration = Duration::from_secs(30);
/// Pause after a sign-in that was not served.
const BACK_OFF: Duration = Duration::from_millis(200);

/// How much is asked for.
#[derive(Debug, Clone, Copy)]
pub struct Crowd {
    /// Sign-ins a second over all members.
    pub rate: u32,
    /// Seconds to measure.
    pub seconds: u32,
    /// Seconds under load before that.
    pub warmup: u32,
}

impl Crowd {
    /// Terminals that it takes.
    fn terminals(self) -> u16 {
        u16::try_from(self.rate.div_ceil(PER_TERMINAL)).unwrap_or(u16::MAX)
    }
}

/// One sign-in.
struct Sample {
    answered: Moment,
    /// From the moment it was due.
    took: Duration,
    recorded: bool,
}

/// Starts four members, signs in and measures.
pub(super) fn measure(binary: &Path, crowd: Crowd) -> io::Result<Value> {
    let patients: Vec<Keys> = (0..crowd.terminals().saturating_mul(PER_DESK))
        .map(keys)
        .collect();
    let records = patients.iter().map(record).collect();
    let mut consortium = Consortium::with_patients(binary, records)?;
    consortium.start_all()?;
    consortium.wait_ready(PATIENCE)?;

    let desks = open(&consortium, crowd, &patients)?;
    let stop = AtomicBool::new(false);
    let (tell, told) = mpsc::channel();
    let (from, to) = std::thread::scope(|scope| {
        let start = Moment::now();
        for desk in desks {
            let (tell, stop) = (tell.clone(), &stop);
            scope.spawn(move || desk.work(start, &tell, stop));
        }
        drop(tell);
        std::thread::sleep(Duration::from_secs(crowd.warmup.into()));
        let from = Reading::take(&consortium);
        std::thread::sleep(Duration::from_secs(crowd.seconds.into()));
        let to = Reading::take(&consortium);
        stop.store(true, Ordering::Relaxed);
        (from, to)
    });
    let samples: Vec<Sample> = told.into_iter().collect();
    agree(&consortium)?;
    Ok(figures(crowd, (&from, &to), &samples))
}

/// The keys of a patient who does not exist.
fn keys(number: u16) -> Keys {
    let mut seed = [0x5A; 32];
    let [high, low] = number.to_be_bytes();
    seed[..2].copy_from_slice(&[high, low]);
    Seed::new(Secret::new(seed)).keys()
}

const fn record(keys: &Keys) -> PatientRecord {
    PatientRecord {
        aid: *keys.aid(),
        pk_dh: *keys.pk_dh(),
        pk_sig: *keys.pk_sig(),
        pk_recovery: PublicKey::new(*keys.pk_sig().as_bytes()),
        status: Status::Active,
        epoch: 0,
        c_id: Blob::new(Vec::new()),
        id_commit: IdCommitment::new([0; 32]),
    }
}

/// A terminal, the patients in front of it, and its turn among all terminals.
struct Desk {
    terminal: Terminal,
    patients: Vec<Credential>,
    /// After the start of the run.
    first: Duration,
    step: Duration,
}

/// Connects every terminal, the members in turn.
fn open(consortium: &Consortium, crowd: Crowd, patients: &[Keys]) -> io::Result<Vec<Desk>> {
    let peers: Vec<Peer> = (0_u16..)
        .zip(&consortium.nodes)
        .map(|(number, node)| {
            let number = u16::MAX.saturating_sub(number);
            Terminal::connect(consortium, node, number)?.peer(&consortium.genesis, node)
        })
        .collect::<io::Result<_>>()?;
    let places = consortium.nodes.iter().zip(&peers).cycle();
    let groups = patients.chunks(usize::from(PER_DESK));
    let between = Duration::from_secs_f64(1.0 / f64::from(crowd.rate));
    let count = u32::from(crowd.terminals());
    (0..crowd.terminals())
        .zip(places)
        .zip(groups)
        .map(|((number, (node, peer)), group)| {
            Ok(Desk {
                terminal: Terminal::connect(consortium, node, number)?,
                patients: group.iter().map(|keys| credential(keys, peer)).collect(),
                first: between.saturating_mul(u32::from(number)),
                step: between.saturating_mul(count),
            })
        })
        .collect()
}

impl Desk {
    /// Signs in one patient after the other until told to stop.
    fn work(mut self, start: Moment, tell: &mpsc::Sender<Sample>, stop: &AtomicBool) {
        let mut due = start.after(self.first);
        for patient in self.patients.iter().cycle() {
            due.wait();
            if stop.load(Ordering::Relaxed) {
                return;
            }
            let ended = self.terminal.sign_in(patient);
            let answered = Moment::now();
            let sample = Sample {
                answered,
                took: answered.since(due),
                recorded: matches!(ended, Ok(Some(_))),
            };
            if !sample.recorded {
                std::thread::sleep(BACK_OFF);
            }
            if tell.send(sample).is_err() {
                return;
            }
            due = due.after(self.step);
        }
    }
}

/// Processor time used up to a moment.
struct Reading {
    at: Moment,
    members_s: f64,
    own_s: f64,
}

impl Reading {
    fn take(consortium: &Consortium) -> Self {
        let members = consortium.nodes.iter().filter_map(Node::pid);
        Self {
            members_s: members.map(cpu_seconds).sum(),
            own_s: cpu_seconds(std::process::id()),
            at: Moment::now(),
        }
    }
}

/// Waits until all members have one height and one state.
fn agree(consortium: &Consortium) -> io::Result<()> {
    let equal = || {
        let told = consortium.nodes.iter().map(|node| {
            let status = node.status()?;
            Some((
                status.get("height")?.as_u64()?,
                status.get("state_root")?.as_str()?.to_owned(),
            ))
        });
        let told: Vec<_> = told.collect::<Option<_>>()?;
        let first = told.first()?;
        told.iter().all(|other| other == first).then_some(())
    };
    wait_for(PATIENCE, equal).ok_or_else(|| io::Error::other("the members' ledgers differ"))
}

fn figures(crowd: Crowd, (from, to): (&Reading, &Reading), samples: &[Sample]) -> Value {
    let seconds = to.at.since(from.at).as_secs_f64();
    let inside = |sample: &&Sample| from.at <= sample.answered && sample.answered <= to.at;
    let mut took: Vec<f64> = samples
        .iter()
        .filter(inside)
        .filter(|sample| sample.recorded)
        .map(|sample| sample.took.as_secs_f64() * 1e3)
        .collect();
    took.sort_by(f64::total_cmp);
    let missed = samples.iter().filter(|sample| !sample.recorded).count();
    let done = f64::from(u32::try_from(took.len()).unwrap_or(u32::MAX));
    let each = |cpu: f64| rounded(cpu / done.max(1.0) * 1e6);
    json!({
        "sign_ins_per_s": rounded(done / seconds),
        "sign_in_rate": crowd.rate,
        "sign_in_terminals": crowd.terminals(),
        "sign_in_seconds": rounded(seconds),
        "sign_in_p50_ms": rounded(percentile(&took, 0.50)),
        "sign_in_p99_ms": rounded(percentile(&took, 0.99)),
        "sign_in_members_cpu_us": each(to.members_s - from.members_s),
        "sign_in_terminals_cpu_us": each(to.own_s - from.own_s),
        "sign_in_not_recorded": missed,
    })
}
