//! Suite AIDC-1, the default: the Noise IK pattern on secp256k1, the patient found by
//! her AID on the ledger, and a statement signed by her Ed25519 key.
//!
//! `docs/aidc1.md` gives every byte, label, order and limit of the handshake, and
//! `docs/aidc1-enrolment.md` of what comes before it; this module is their Rust form.
//!
//! ```text
//! Me5     patient → server   T1, M1, AID under es, height under ss     128 bytes
//! Me7     server → patient   T3, M3, height under ee and se             72 bytes
//! Me9     patient → server   her signed statement                       88 bytes
//!                            the same, and who she is                  184 bytes
//! answer  server → patient   what became of it                          33 bytes
//! ```
//!
//! # Reading order
//!
//! ```text
//! seed       a patient's seed and the three keys that it stands for
//! kdf aead   HKDF-SHA-256; ChaCha20-Poly1305 with keys that are spent by use
//! dh hedge   secret exponents on secp256k1; ephemerals
//! symmetric  Noise's running state (ck, h)
//! record     a server's record, where each transcript begins
//! message    the layouts
//! patient    opens, verifies, checks the time, signs
//! limits     room, before anything is read
//! gate       time and replay, before anybody multiplies
//! server     the keys of a server's living epochs
//! serving    recognises, answers, accepts
//! schedule   sid and keys at the end; the answer
//! ```
//!
//! How a credential comes to be, is opened, changed and replaced:
//!
//! ```text
//! root          the secrets of patient and device; the seeds of the sixteen AIDs
//! password      what she types, prepared alike everywhere
//! oprf          what evaluators make of it, t of n, without seeing it
//! lock          Argon2id, face and code: how the root is sealed
//! unlock        how it is opened, and what a failure tells: nothing
//! evaluation    request, answer, confirmation
//! throttle      how often an evaluator answers
//! deal          how an evaluator gets its share
//! evaluator     one enrolment at an evaluator, from deal to end
//! issue         the RC's part: the ID sealed and committed to
//! registration  what the terminal proves, checks and consents to
//! application   what terminal and RC say to each other: first and third message
//! offer         the RC's message between them
//! history       the patient's question for what the ledger says about her
//! order         what she herself asks of the ledger
//! recovery      the code on paper
//! rotation      which AID is shown to whom
//! card          what a terminal keeps of all this
//! ```

mod aead;
pub mod application;
pub mod card;
pub mod deal;
pub mod dh;
pub mod evaluation;
pub mod evaluator;
pub mod gate;
mod hedge;
pub mod history;
pub mod identity;
pub mod issue;
pub(crate) mod kdf;
pub mod limits;
pub mod lock;
pub mod message;
pub mod offer;
pub mod oprf;
pub mod order;
pub mod password;
pub mod patient;
pub mod record;
pub mod recovery;
pub mod registration;
pub mod root;
pub mod rotation;
pub mod schedule;
pub mod seed;
pub mod server;
pub mod serving;
mod statement;
mod symmetric;
pub mod throttle;
pub mod unlock;
#[cfg(test)]
mod vectors;

use contract::{PatientRecord, SuiteId};
use rand_core::CryptoRng;

pub use aead::{Sealed, TAG_BYTES};
pub use card::{Card, Holder};
pub use dh::Exponent;
pub use evaluation::{Confirmation, EvaluationId, EvaluationRequest};
pub use evaluator::Enrolled;
pub use gate::{Admitted, Gate};
pub use identity::Identity;
pub use limits::Limits;
pub use lock::{Binding, Cost, Lock, TerminalKey};
pub use message::{Answer, Content, EpochTag, Kind, Me5, Me7, Me9};
pub use order::{Envelope, Order};
pub use password::Password;
pub use patient::{Certified, Credential, Patient, Peer, StaticSecret};
pub use record::NotUsable;
pub use recovery::RecoveryCode;
pub use root::{AIDS, AidIndex, DeviceSecret, Handle, Root};
pub use rotation::Rotation;
pub use schedule::{Answering, Exporter, Status, Unanswered};
pub use seed::{Keys, Seed};
pub use server::{EpochSecret, Server};
pub use serving::{Evidence, Serving};
pub use throttle::Throttle;
pub use unlock::{Factor, NotOpened, Question, Retry};

use crate::error::Failed;
use crate::freshness::{Timestamp, Window};
use crate::suite::{self, Answered, Directory, Opened, Suite};

/// Δ: clocks may differ by this much, and no more.
pub const DELTA_MS: u64 = 120_000;

/// |T − now| ≤ Δ.
pub(crate) const WINDOW: Window = Window::up_to_millis(DELTA_MS);

/// The suite.
#[derive(Clone, Copy, Debug)]
pub enum Aidc1 {}

impl Suite for Aidc1 {
    const ID: SuiteId = SuiteId::AIDC_1;

    type Credential = Credential;
    type Server = Server;
    type Record = PatientRecord;
    type Gate = Gate;
    type Hello = Me5;
    type Admitted = Admitted;
    type Reply = Me7;
    type Confirm = Me9;
    type Evidence = Evidence;
    type After = Unanswered;
    type Patient = Patient;
    type Serving = Serving;

    fn open(
        credential: &Credential,
        now: Timestamp,
        rng: &mut impl CryptoRng,
    ) -> Opened<Me5, Patient> {
        credential.open(now, rng)
    }

    fn admit(gate: &mut Gate, hello: Me5, now: Timestamp) -> Result<Admitted, Failed> {
        gate.admit(hello, now)
    }

    fn answer(
        server: &Server,
        directory: &impl Directory<PatientRecord>,
        hello: Admitted,
        now: Timestamp,
        rng: &mut impl CryptoRng,
    ) -> Result<suite::Answer<Self>, Failed> {
        let Opened { message, state } = serving::answer(server, directory, hello, now, rng)?;
        Ok(Opened {
            message,
            state: Answered::AwaitConfirm(state),
        })
    }
}
