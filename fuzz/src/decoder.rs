//! Bytes for the decoders of consensus, grown from what replicas really write and send.
//!
//! A decoder takes nothing but what was encoded: whatever it takes encodes to the same bytes again.
//! A log that holds other records than were written, in another order, is replayed or refused.

use consensus::{CheckpointCertificate, Evidence, Frame, Record};
use simulator::Dice;

use crate::mutate;
use crate::sequence::{self, Session};

/// How many inputs one seed brings to each decoder.
pub const INPUTS: usize = 300;

/// What one seed came to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Inputs that a decoder took.
    pub taken: u64,
    /// Inputs that it refused.
    pub refused: u64,
    /// The decoder and the first input that it took and would write otherwise.
    pub fault: Option<(&'static str, Vec<u8>)>,
}

/// A decoder by name: whether it takes these bytes, and what it would write in their place.
type Decoder = (&'static str, fn(&[u8]) -> Option<Vec<u8>>);

/// All of them.
const DECODERS: [Decoder; 4] = [
    ("frame", |bytes| Some(Frame::decode(bytes).ok()?.encode())),
    ("record", |bytes| Some(Record::decode(bytes).ok()?.encode())),
    ("evidence", |bytes| {
        Some(Evidence::decode(bytes).ok()?.encode())
    }),
    ("certificate", |bytes| {
        Some(CheckpointCertificate::decode(bytes).ok()?.encode())
    }),
];

impl Tally {
    /// One input for one decoder.
    fn judge(&mut self, (name, decode): Decoder, bytes: &[u8]) {
        match decode(bytes) {
            None => self.refused += 1,
            Some(again) if again == bytes => self.taken += 1,
            Some(_) => {
                self.fault.get_or_insert_with(|| (name, bytes.to_vec()));
            }
        }
    }
}

/// Plays one seed: a session of replicas, and changes to everything that it wrote and sent.
pub fn play(seed: u64) -> Tally {
    let mut tally = Tally::default();
    let mut dice = Dice::new(seed);
    let session = sequence::played(seed);
    let samples = session.samples();
    for _ in 0..INPUTS {
        let sample = &samples[dice.place(samples.len())];
        let other = &samples[dice.place(samples.len())];
        let bytes = mutate::bytes(&mut dice, sample, other);
        for decoder in DECODERS {
            tally.judge(decoder, &bytes);
        }
    }
    logs(&session, &mut dice, &mut tally);
    tally
}

/// Logs with records gone, repeated, moved, and changed in their bytes.
fn logs(session: &Session, dice: &mut Dice, tally: &mut Tally) {
    for host in 0..session.hosts() {
        let mut records = session.log(host);
        for _ in 0..=dice.below(3) {
            let (at, to) = (dice.place(records.len()), dice.place(records.len()));
            match dice.below(4) {
                0 => drop(records.remove(at)),
                1 => records.insert(to, records[at].clone()),
                2 => records.swap(at, to),
                _ => {
                    let bytes = mutate::bytes(dice, &records[at].encode(), &[]);
                    if let Ok(other) = Record::decode(&bytes) {
                        records[at] = other;
                    }
                }
            }
        }
        if session.recovers(host, records) {
            tally.taken += 1;
        } else {
            tally.refused += 1;
        }
    }
}
