//! What every suite must keep, and Wu-2021 keeping it.
//!
//! A suite joins by implementing [`Setting`]; the claims are written once.

use contract::Aid;
use protocol::suite::{Accepted, Answered, Directory, Finished, Message, Opened, Pending, Suite};
use protocol::{Failed, Reason, Timestamp, Wu2021};

use crate::seeded::dice;
use crate::world::{Ledger, NOW, World, later};

/// What the claims need to know about a suite beside its trait.
trait Setting: Suite {
    /// The ledger that knows the patient.
    type Ledger: Directory<Self::Record>;

    /// A patient who can sign in, and where.
    fn scene() -> Scene<Self>;

    /// The first message with another AID in it.
    fn under_another_aid(hello: &Self::Hello) -> Self::Hello;

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

    fn under_another_aid(hello: &Self::Hello) -> Self::Hello {
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

/// What someone in the middle does.
#[derive(Clone, Copy)]
enum Middle {
    Nothing,
    FlipsHello(usize),
    FlipsReply(usize),
}

/// Times of the first message, of the server's answer and of its arrival.
type Times = [Timestamp; 3];

type Ends<S> = (
    Finished<<S as Suite>::Confirm>,
    Accepted<<S as Suite>::Evidence>,
);

impl<S: Setting> Scene<S> {
    fn open(&self, now: Timestamp) -> Opened<S::Hello, S::Patient> {
        S::open(&self.credential, now, &mut dice(now.as_millis()))
    }

    fn refusal(&self, hello: &S::Hello, now: Timestamp) -> Failed {
        match S::answer(&self.server, &self.ledger, hello, now, &mut dice(2)) {
            Ok(_) => panic!("the server answered"),
            Err(failed) => failed,
        }
    }

    fn handshake(&self, times: Times, middle: Middle) -> Result<Ends<S>, Failed> {
        let [opened, answered, arrived] = times;
        let patient = self.open(opened);
        let mut hello = patient.message.encode();
        if let Middle::FlipsHello(bit) = middle {
            hello[bit / 8] ^= 1 << (bit % 8);
        }
        let hello: S::Hello = read(&hello);
        let server = S::answer(&self.server, &self.ledger, &hello, answered, &mut dice(2))?;
        let mut reply = server.message.encode();
        if let Middle::FlipsReply(bit) = middle {
            reply[bit / 8] ^= 1 << (bit % 8);
        }
        let reply: S::Reply = read(&reply);
        let finished = patient.state.finish(&reply, arrived)?;
        let accepted = match server.state {
            Answered::Accepted(accepted) => accepted,
            Answered::AwaitConfirm(serving) => serving.finish(&finished.confirm, arrived)?,
        };
        Ok((finished, accepted))
    }
}

/// The message of these bytes: in fields of fixed size any bits are one.
fn read<M: Message>(bytes: &[u8]) -> M {
    M::parse(bytes).unwrap()
}

fn bits(message: &impl Message) -> usize {
    message.encode().len().saturating_mul(8)
}

fn both_ends_agree_on_key_session_and_times<S: Setting>() {
    let scene = S::scene();

    let (patient, server) = scene
        .handshake([NOW, later(20), later(40)], Middle::Nothing)
        .unwrap();

    assert_eq!(patient.key, server.key);
    assert_eq!(patient.session, server.session);
    assert_eq!(server.started, NOW);
    assert_eq!(server.answered, later(20));
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
        outcome.err().map(Failed::reason)
    };

    assert_eq!(why([NOW, later(119_999), later(239_998)]), None);
    assert_eq!(why([later(119_999), NOW, NOW]), None);
    for stale in [
        [NOW, later(120_000), later(120_000)],
        [later(120_000), NOW, NOW],
        [NOW, NOW, later(120_000)],
        [later(120_000), later(120_000), NOW],
    ] {
        assert_eq!(why(stale), Some(Reason::Expired), "{stale:?}");
    }
}

fn an_unknown_aid_looks_like_any_other_refusal<S: Setting>() {
    let scene = S::scene();
    let hello = scene.open(NOW).message;

    let unknown = scene.refusal(&S::under_another_aid(&hello), NOW);
    let late = scene.refusal(&hello, later(600_000));

    assert_ne!(unknown.reason(), late.reason());
    assert_eq!(unknown.to_string(), late.to_string());
    assert_eq!(format!("{unknown:?}"), format!("{late:?}"));
}

fn every_changed_bit_is_noticed_by_somebody<S: Setting>() {
    let scene = S::scene();
    let hello = scene.open(NOW).message;
    let answer = S::answer(&scene.server, &scene.ledger, &hello, NOW, &mut dice(2));
    let reply_bits = bits(&answer.ok().unwrap().message);
    let hello_bits = bits(&hello);

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

/// Each claim as a test of each suite.
macro_rules! every_suite_keeps {
    ($($claim:ident)*) => {
        mod wu_2021 {
            use super::*;

            $(#[test]
            fn $claim() {
                super::$claim::<Wu2021>();
            })*
        }
    };
}

every_suite_keeps! {
    both_ends_agree_on_key_session_and_times
    two_handshakes_share_neither_key_nor_session
    a_message_from_outside_the_window_is_refused_by_its_reader
    an_unknown_aid_looks_like_any_other_refusal
    every_changed_bit_is_noticed_by_somebody
    a_message_has_one_length_and_one_encoding
}
