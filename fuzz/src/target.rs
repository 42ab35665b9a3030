//! Decoders of bytes from outside, each with samples that it takes and a rule that holds whatever comes.
//!
//! A decoder ends, without a panic, within [`MOST_TIME`], and with memory in proportion to what came. What it
//! takes means one thing: it is written again as the same bytes, or, where a text may be spelt in more than one way,
//! as a text that reads as the same.

pub mod contract;
pub mod enrolment;
pub mod limbasiya;
pub mod node;
pub mod patient;
pub mod protocol;
mod stock;

use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

use simulator::Dice;

use crate::clock;
use crate::input::{self, Form};

/// The longest that one input may take of a processor. The slowest honest ones check some hundred signatures.
pub const MOST_TIME: Duration = Duration::from_millis(500);

/// The most memory in use at once: so much at any rate, and so much for each byte of the input. A codec may reserve a
/// mebibyte for a row before it has seen it.
const MOST_MEMORY: (u64, u64) = (4 << 20, 64);

/// How many inputs one seed brings to each decoder.
pub const INPUTS: usize = 20;

/// What a decoder made of an input.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It refused it.
    Refused,
    /// It took it, and the rule holds.
    Taken,
    /// It took it, and the rule does not hold.
    Broken(String),
}

/// Decodes, and asks the rule of what was taken.
type Judge = Box<dyn Fn(&[u8]) -> Verdict>;

/// A decoder under test.
pub struct Target {
    /// Its crate and its name.
    pub name: &'static str,
    /// What its inputs are made of.
    pub form: Form,
    /// Inputs that it takes.
    pub samples: Vec<Vec<u8>>,
    /// Decodes, and asks the rule of what was taken.
    pub read: Judge,
}

/// What must never happen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// A panic.
    Panic,
    /// More time than [`MOST_TIME`].
    Slow(Duration),
    /// So many bytes of memory at once.
    Large(u64),
    /// What it took breaks its rule.
    Rule(String),
}

/// What came of a decoder's inputs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Inputs that it took.
    pub taken: u64,
    /// Inputs that it refused.
    pub refused: u64,
    /// The first input that broke something, and what.
    pub fault: Option<(Vec<u8>, Fault)>,
}

impl fmt::Debug for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Target({})", self.name)
    }
}

/// All of them. Making them takes a moment, for samples are signed.
pub fn all() -> Vec<Target> {
    let mut all = contract::targets();
    all.extend(protocol::targets());
    all.extend(enrolment::targets());
    all.extend(limbasiya::targets());
    all.extend(patient::targets());
    all.extend(node::targets());
    all
}

impl Target {
    /// A decoder whose inputs are bytes.
    fn bytes(
        name: &'static str,
        samples: Vec<Vec<u8>>,
        read: impl Fn(&[u8]) -> Verdict + 'static,
    ) -> Self {
        Self {
            name,
            form: Form::Bytes,
            samples,
            read: Box::new(read),
        }
    }

    /// A decoder whose inputs are JSON.
    fn json(
        name: &'static str,
        samples: Vec<Vec<u8>>,
        read: impl Fn(&[u8]) -> Verdict + 'static,
    ) -> Self {
        Self {
            form: Form::Json,
            ..Self::bytes(name, samples, read)
        }
    }

    /// A decoder whose inputs are texts. What is not UTF-8 never reaches it.
    fn text(
        name: &'static str,
        samples: &[&str],
        read: impl Fn(&str) -> Verdict + 'static,
    ) -> Self {
        let samples = samples.iter().map(|text| text.as_bytes().to_vec());
        let read = move |bytes: &[u8]| str::from_utf8(bytes).map_or(Verdict::Refused, &read);
        Self {
            form: Form::Text,
            ..Self::bytes(name, samples.collect(), read)
        }
    }

    /// One input.
    pub fn judge(&self, bytes: &[u8]) -> Result<Verdict, Fault> {
        let before = clock::spent();
        let mut verdict = Err(Fault::Panic);
        let memory = allocation_counter::measure(|| {
            let read = AssertUnwindSafe(|| (self.read)(bytes));
            verdict = catch_unwind(read).map_err(|_panic| Fault::Panic);
        });
        let verdict = verdict?;
        let time = clock::spent().saturating_sub(before);
        if let Verdict::Broken(rule) = verdict {
            return Err(Fault::Rule(rule));
        }
        if time > MOST_TIME {
            return Err(Fault::Slow(time));
        }
        let (floor, each) = MOST_MEMORY;
        if memory.bytes_max > floor + each * bytes.len() as u64 {
            return Err(Fault::Large(memory.bytes_max));
        }
        Ok(verdict)
    }

    /// Plays one seed.
    pub fn play(&self, seed: u64) -> Tally {
        let name = self.name.bytes().fold(0_u64, |sum, byte| {
            sum.wrapping_mul(31).wrapping_add(u64::from(byte))
        });
        let mut dice = Dice::new(seed ^ name);
        let mut tally = Tally::default();
        for _ in 0..INPUTS {
            let sample = &self.samples[dice.place(self.samples.len())];
            let other = &self.samples[dice.place(self.samples.len())];
            let bytes = input::of(&mut dice, self.form, sample, other);
            match self.judge(&bytes) {
                Ok(Verdict::Taken) => tally.taken += 1,
                Ok(_) => tally.refused += 1,
                Err(fault) => {
                    tally.fault.get_or_insert((bytes, fault));
                }
            }
        }
        tally
    }
}

/// The verdict on what was written again: there is one encoding and it is the input.
fn canonical(bytes: &[u8], again: Option<Vec<u8>>) -> Verdict {
    match again {
        None => Verdict::Refused,
        Some(again) if again == bytes => Verdict::Taken,
        Some(_) => Verdict::Broken("it would write other bytes".to_owned()),
    }
}

/// The verdict where something follows from having taken the input.
#[expect(
    clippy::fn_params_excessive_bools,
    reason = "a rule holds or it does not"
)]
fn holds(taken: bool, rule: &str) -> Verdict {
    if taken {
        Verdict::Taken
    } else {
        Verdict::Broken(rule.to_owned())
    }
}
