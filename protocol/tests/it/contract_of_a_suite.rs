//! What every suite must keep, and AIDC-1 and the papers' suites keeping it.
//!
//! A suite joins by implementing [`Setting`]; the claims are written once. One of them Limbasiya-2020 does not keep.

use contract::Aid;
use protocol::suite::{
    Accepted, Answer, Answered, Directory, Finished, Message, Opened, Pending, Suite,
};
use protocol::{Aidc1, Failed, Limbasiya2020, Malformed, Reason, Timestamp, Wu2021};

use crate::aidc1_world::{Clinic, Patients, keys};
use crate::limbasiya_world::{Land, Uids, word};
use crate::seeded::dice;
use crate::world::{Ledger, NOW, World, later};

/// What the claims need to know about a suite beside its trait.
trait Setting: Suite {
    /// The ledger that knows the patient.
    type Ledger: Directory<Self::Record>;

    /// A patient who can sign in, and where.
    fn scene() -> Scene<Self>;

    /// A new server's memory.
    fn gate() -> Self::Gate;

    /// How far away a stamp may be.
    const NEAR_MS: u64 = 119_999;
    /// How far away a stamp is too far.
    const TOO_FAR_MS: u64;

    /// A first message of somebody whom the ledger does not know.
    fn of_a_stranger(scene: &Scene<Self>, hello: &Self::Hello) -> Self::Hello;

    /// Whether a bit of the first message may change unnoticed: a flaw of the suite.
    fn is_slack(bit: usize) -> bool;
}

struct Scene<S: Setting> {
    credential: S::Credential,
    server: S::Server,
    ledger: S::Ledger,
}

impl Setting for Wu2021 {
    type Ledger = Ledger;

    fn scene() -> Scene<Self> {
        let world = World::with("patient-0001");
        Scene {
            credential: world.credential("patient-0001"),
            server: (),
            ledger: world.ledger,
        }
    }

    fn gate() {}

    const TOO_FAR_MS: u64 = 120_000;

    fn of_a_stranger(_scene: &Scene<Self>, hello: &Self::Hello) -> Self::Hello {
        let mut changed = hello.clone();
        changed.aid = Aid::new([9; 32]);
        changed
    }

    /// BIO' may be a little off by its nature, so a flipped bit is taken for noise.
    /// The session ids of the two ends differ then; the paper has none to compare.
    fn is_slack(bit: usize) -> bool {
        (416 * 8..672 * 8).contains(&bit)
    }
}

impl Setting for Aidc1 {
    type Ledger = Patients;

    fn scene() -> Scene<Self> {
        let clinic = Clinic::new();
        Scene {
            credential: clinic.credential(),
            server: clinic.server,
            ledger: clinic.ledger,
        }
    }

    fn gate() -> Self::Gate {
        Self::Gate::default()
    }

    const TOO_FAR_MS: u64 = 120_001;

    fn of_a_stranger(_scene: &Scene<Self>, _hello: &Self::Hello) -> Self::Hello {
        let clinic = Clinic::new();
        let peer = clinic.peer(crate::aidc1_world::CERTIFIED);
        let stranger = protocol::aidc1::Credential::new(keys(99), peer);
        Self::open(&stranger, NOW, &mut dice(1)).message
    }

    fn is_slack(_bit: usize) -> bool {
        false
    }
}

impl Setting for Limbasiya2020 {
    type Ledger = Uids;

    fn scene() -> Scene<Self> {
        let land = Land::new();
        let server = word("hospital2");
        Scene {
            credential: land.unlocked().credential(&server).unwrap(),
            server: land.station("hospital2"),
            ledger: land.ledger,
        }
    }

    fn gate() {}

    // Whole seconds.
    const NEAR_MS: u64 = 59_000;
    const TOO_FAR_MS: u64 = 60_000;

    fn of_a_stranger(_scene: &Scene<Self>, hello: &Self::Hello) -> Self::Hello {
        let mut changed = hello.clone();
        changed.alpha[0] ^= 1;
        changed
    }

    fn is_slack(_bit: usize) -> bool {
        false
    }
}

/// What someone in the middle does.
#[derive(Clone, Copy)]
enum Middle {
    Nothing,
    FlipsHello(usize),
    FlipsReply(usize),
}

/// Times of the first message, of the server's answer and of its arrival.
type Times = [Timestamp; 3];

/// Who refused, and why.
#[derive(Debug)]
enum Refused {
    Malformed(Malformed),
    Failed(Failed),
}

impl From<Failed> for Refused {
    fn from(failed: Failed) -> Self {
        Self::Failed(failed)
    }
}

type Ends<S> = (
    Finished<<S as Suite>::Confirm, <S as Suite>::After>,
    Accepted<<S as Suite>::Evidence>,
);

impl<S: Setting> Scene<S> {
    fn open(&self, now: Timestamp) -> Opened<S::Hello, S::Patient> {
        S::open(&self.credential, now, &mut dice(now.as_millis()))
    }

    /// The server's answer to the first message that it ever saw.
    fn answer(&self, hello: S::Hello, now: Timestamp) -> Result<Answer<S>, Failed> {
        let admitted = S::admit(&mut S::gate(), hello, now)?;
        S::answer(&self.server, &self.ledger, admitted, now, &mut dice(2))
    }

    fn refusal(&self, hello: S::Hello, now: Timestamp) -> Failed {
        match self.answer(hello, now) {
            Ok(_) => panic!("the server answered"),
            Err(failed) => failed,
        }
    }

    fn handshake(&self, times: Times, middle: Middle) -> Result<Ends<S>, Refused> {
        let [opened, answered, arrived] = times;
        let patient = self.open(opened);
        let mut hello = patient.message.encode();
        if let Middle::FlipsHello(bit) = middle {
            hello[bit / 8] ^= 1 << (bit % 8);
        }
        let server = self.answer(read(&hello)?, answered)?;
        let mut reply = server.message.encode();
        if let Middle::FlipsReply(bit) = middle {
            reply[bit / 8] ^= 1 << (bit % 8);
        }
        let finished = patient.state.finish(&read(&reply)?, arrived)?;
        let accepted = match server.state {
            Answered::Accepted(accepted) => accepted,
            Answered::AwaitConfirm(serving) => serving.finish(&finished.confirm, arrived)?,
        };
        Ok((finished, accepted))
    }
}

/// The message of these bytes, if they are one; a host refuses others like any failure.
fn read<M: Message>(bytes: &[u8]) -> Result<M, Refused> {
    M::parse(bytes).map_err(Refused::Malformed)
}

fn bits(message: &impl Message) -> usize {
    message.encode().len().saturating_mul(8)
}

fn both_ends_agree_on_key_session_and_times<S: Setting>() {
    let scene = S::scene();

    let (patient, server) = scene
        .handshake([NOW, later(2_000), later(4_000)], Middle::Nothing)
        .unwrap();

    assert_eq!(patient.key, server.key);
    assert_eq!(patient.session, server.session);
    assert_eq!(server.started, NOW);
    assert_eq!(server.answered, later(2_000));
}

fn two_handshakes_share_neither_key_nor_session<S: Setting>() {
    let scene = S::scene();

    let (one, _) = scene.handshake([NOW; 3], Middle::Nothing).unwrap();
    let (other, _) = scene.handshake([later(1); 3], Middle::Nothing).unwrap();

    assert_ne!(one.key, other.key);
    assert_ne!(one.session, other.session);
}

fn a_message_from_outside_the_window_is_refused_by_its_reader<S: Setting>() {
    let scene = S::scene();
    let why = |times| {
        let outcome = scene.handshake(times, Middle::Nothing);
        outcome.err().map(|refused| match refused {
            Refused::Failed(failed) => failed.reason(),
            Refused::Malformed(malformed) => panic!("{malformed}"),
        })
    };

    let near = |times: u64| later(S::NEAR_MS.saturating_mul(times));
    assert_eq!(why([NOW, near(1), near(2)]), None);
    assert_eq!(why([near(1), NOW, NOW]), None);
    let too_far = later(S::TOO_FAR_MS);
    for stale in [
        [NOW, too_far, too_far],
        [too_far, NOW, NOW],
        [NOW, NOW, too_far],
        [too_far, too_far, NOW],
    ] {
        assert_eq!(why(stale), Some(Reason::Expired), "{stale:?}");
    }
}

fn an_unknown_aid_looks_like_any_other_refusal<S: Setting>() {
    let scene = S::scene();
    let hello = scene.open(NOW).message;

    let unknown = scene.refusal(S::of_a_stranger(&scene, &hello), NOW);
    let late = scene.refusal(hello, later(600_000));

    assert_ne!(unknown.reason(), late.reason());
    assert_eq!(unknown.to_string(), late.to_string());
    assert_eq!(format!("{unknown:?}"), format!("{late:?}"));
}

fn every_changed_bit_is_noticed_by_somebody<S: Setting>() {
    let scene = S::scene();
    let hello = scene.open(NOW).message;
    let hello_bits = bits(&hello);
    let reply_bits = bits(&scene.answer(hello, NOW).ok().unwrap().message);

    for bit in (0..hello_bits).filter(|&bit| !S::is_slack(bit)) {
        let outcome = scene.handshake([NOW; 3], Middle::FlipsHello(bit));
        assert!(outcome.is_err(), "bit {bit} of the first message");
    }
    for bit in 0..reply_bits {
        let outcome = scene.handshake([NOW; 3], Middle::FlipsReply(bit));
        assert!(outcome.is_err(), "bit {bit} of the reply");
    }
}

fn a_message_has_one_length_and_one_encoding<S: Setting>() {
    let hello = S::scene().open(NOW).message.encode();

    for length in 0..hello.len() {
        assert!(S::Hello::parse(&hello[..length]).is_err(), "{length} bytes");
    }
    assert!(S::Hello::parse(&[hello.as_slice(), &[0]].concat()).is_err());
    assert_eq!(S::Hello::parse(&hello).unwrap().encode(), hello);
}

/// Each claim as a test of a suite.
macro_rules! keeps {
    ($module:ident: $suite:ty, $($claim:ident)*) => {
        mod $module {
            use super::*;

            $(#[test]
            fn $claim() {
                super::$claim::<$suite>();
            })*
        }
    };
}

keeps! {
    aidc_1: Aidc1,
    both_ends_agree_on_key_session_and_times
    two_handshakes_share_neither_key_nor_session
    a_message_from_outside_the_window_is_refused_by_its_reader
    an_unknown_aid_looks_like_any_other_refusal
    every_changed_bit_is_noticed_by_somebody
    a_message_has_one_length_and_one_encoding
}

keeps! {
    wu_2021: Wu2021,
    both_ends_agree_on_key_session_and_times
    two_handshakes_share_neither_key_nor_session
    a_message_from_outside_the_window_is_refused_by_its_reader
    an_unknown_aid_looks_like_any_other_refusal
    every_changed_bit_is_noticed_by_somebody
    a_message_has_one_length_and_one_encoding
}

// All sessions of a user at a server have one key (B4): `limbasiya.rs` shows it.
keeps! {
    limbasiya_2020: Limbasiya2020,
    both_ends_agree_on_key_session_and_times
    a_message_from_outside_the_window_is_refused_by_its_reader
    an_unknown_aid_looks_like_any_other_refusal
    every_changed_bit_is_noticed_by_somebody
    a_message_has_one_length_and_one_encoding
}
