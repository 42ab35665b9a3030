//! B3: the message as the authors' program sends it.

use protocol::Timestamp;
use protocol::limbasiya::{Reply, Request};
use protocol::suite::Message as _;
use rand_core::CryptoRng;

use crate::attacks::aidc1::{Attempt, Clinic, Hand};
use crate::attacks::arithmetic::shorten;
use crate::attacks::story::{Must as _, Outcome, Story, some};
use crate::attacks::world::{At, Truth, World as _};
use crate::attacks::{Attack, Id, Need, Paper, Step, Target};

use super::{Process, h, masked, request, session_key, verification};

pub(in crate::attacks) const ABOUT: Attack = Attack {
    id: Id::B3,
    name: "message-as-implemented",
    title: "The message as the authors' program sends it makes anybody the server",
    paper: Paper::Limbasiya2020,
    target: Target::Exhibit("as_implemented"),
    needs: &[Need::Middle],
    steps: &[
        Step {
            title: "Read the message",
            text: "The authors' program sends UID and C in clear beside α and β. The suite leaves both out; this \
                   form is theirs.",
        },
        Step {
            title: "Answer in the server's place",
            text: "γ and σ are hashes of VT, C, UID, the names and T2 − T1, and all of that is in the message or \
                   public. SSK_j is in neither.",
        },
        Step {
            title: "She accepts",
            text: "The attacker computes the same SK as her terminal.",
        },
    ],
};

/// The exhibit: a request with what the authors' program sends beside it.
struct AsImplemented {
    request: Vec<u8>,
    uid: [u8; 32],
    c: [u8; 32],
}

/// γ and σ, for whoever knows UID and C.
fn answer(request: &Request, (uid, c): (&[u8; 32], &[u8; 32]), place: &str) -> Reply {
    let vt = verification(uid);
    let pad = h(&[c, uid, request.server.as_bytes(), &request.beta]);
    Reply {
        gamma: masked(&[vt.as_slice(), place.as_bytes()].concat(), &pad),
        sigma: h(&[&vt, c, &0_i64.to_be_bytes()]),
        t2: request.t1,
    }
}

/// Carries the attack out on the exhibit.
pub(in crate::attacks) fn exhibit(rng: &mut dyn CryptoRng, now: Timestamp) -> Option<Outcome> {
    let mut world = Process::new(rng, now)?;
    let mut story = Story::default();
    let mut attack = || {
        let [uid, c] = some(world.truth())?;
        let sent = AsImplemented {
            request: world.hold(At::Here)?,
            uid,
            c,
        };
        story.step([("UID", shorten(&sent.uid)), ("C", shorten(&sent.c))]);

        let (server, place) = Process::<&mut dyn CryptoRng>::place_of(At::Here);
        let request = request(&sent.request)?;
        let reply = answer(&request, (&sent.uid, &sent.c), &place);
        story.step([("γ", shorten(&reply.gamma)), ("σ", shorten(&reply.sigma))]);

        let accepted = some(world.give(&reply.encode())?)?;
        let key = session_key(&sent.uid, &sent.c, (&server, &place));
        world.confirms(Truth::Key(accepted), &key).must()?;
        story.step([("SK", shorten(&key))]);
        Ok(())
    };
    let ended = attack();
    Some(Outcome::sure(ended, story))
}

pub(in crate::attacks) fn on_aidc1(clinic: &mut Clinic) -> Option<Attempt> {
    let hello = clinic.hold(At::Here)?;
    let beside = clinic.beside(&hello)?;
    let travelled = [hello.as_slice(), &beside].concat();
    let windows = travelled.windows(32);
    let guesses: Vec<[u8; 32]> = windows
        .filter_map(|window| window.try_into().ok())
        .collect();
    let tried = guesses.len();
    let hand = Hand {
        guesses,
        ..clinic.hand()
    };
    let succeeded = clinic.deceive(&hand, &hello)?;
    let why = format!(
        "none of the {tried} strings of 32 octets in the message is es or ss, and an answer made without them \
         was refused: no secret travels, under any name"
    );
    Some(Attempt { succeeded, why })
}
