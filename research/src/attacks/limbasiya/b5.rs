//! B5: a stolen card.

use contract::{Aid, SessionId};
use protocol::limbasiya::{Request, Word};
use protocol::suite::Message as _;

use crate::attacks::aidc1::{Attempt, Clinic};
use crate::attacks::arithmetic::{plain, shorten, xor};
use crate::attacks::story::{Must as _, Stopped, Story, some};
use crate::attacks::world::{At, LimbasiyaWorld, Truth};
use crate::attacks::{Attack, Id, Need, Paper, Step, Target};

use super::{Opened, PASSWORDS, Stolen, h, secret_of};

pub(in crate::attacks) const ABOUT: Attack = Attack {
    id: Id::B5,
    name: "stolen-card",
    title: "A stolen card gives the password away offline",
    paper: Paper::Limbasiya2020,
    target: Target::Suite,
    needs: &[Need::Card, Need::Send],
    steps: &[
        Step {
            title: "Read the card",
            text: "W, X, Y, E and Z. Everything on it is under masks that ID and password make, and nothing else.",
        },
        Step {
            title: "Try every password",
            text: "Each guess opens W to r1 and r2, these Y to USK, and E = h(UID ‖ PW ‖ USK) tells whether it was \
                   right. Nobody is asked. Here a password has four digits.",
        },
        Step {
            title: "Be the user",
            text: "The opened card gives UID, C and every server's secret. α and β are hashes of these: the server \
                   accepts, and the ledger records that she signed in.",
        },
    ],
};

pub(in crate::attacks) fn run<W: LimbasiyaWorld>(
    world: &mut W,
    story: &mut Story,
) -> Result<(), Stopped<W::Error>> {
    let card = world.card();
    let stolen = Stolen::read(&card)?;
    story.step([("W", shorten(stolen.w)), ("E", shorten(stolen.e))]);

    let id = world.id();
    let mut guesses = (0..PASSWORDS).map(|number| format!("{number:04}"));
    let found = guesses.find_map(|guess| {
        let opened = stolen.try_out(id.as_bytes(), guess.as_bytes())?;
        Some((guess, opened))
    });
    let (password, opened) = some(found)?;
    world
        .confirms(Truth::Password, password.as_bytes())
        .must()?;
    story.step([("PW", password)]);

    let session = sign_in(world, &opened)?;
    story.step([
        ("UID", shorten(&opened.uid)),
        ("session", shorten(session.as_bytes())),
    ]);
    Ok(())
}

/// Signs in with all that a card opens to.
fn sign_in<W: LimbasiyaWorld>(
    world: &mut W,
    opened: &Opened,
) -> Result<SessionId, Stopped<W::Error>> {
    let (server, _place) = world.place(At::Here);
    let ssk = some(secret_of(&opened.list, &server))?;
    let t1 = some(world.now().as_millis().checked_div(1_000))?;
    let time = t1.to_be_bytes();
    let forged = Request {
        alpha: xor(&opened.uid, &h(&[server.as_bytes(), &ssk, &time])),
        beta: h(&[&opened.uid, &ssk, &opened.c, &time]),
        server: some(Word::parse(server.as_bytes()).ok())?,
        t1,
    };
    let request = forged.encode();
    let reply = some(world.send(At::Here, &request)?)?;
    let session = SessionId::new(plain(&[b"limbasiya2020/sid", &request, &reply]));
    (world.recorded(At::Here, &session)? == Some(Aid::new(opened.uid))).must()?;
    Ok(session)
}

pub(in crate::attacks) fn on_aidc1(clinic: &mut Clinic) -> Option<Attempt> {
    let succeeded = clinic.try_passwords()?;
    let why = "without the evaluators no guess shows itself: card and device hold nothing that the right \
               password opens and a wrong one does not";
    Some(Attempt {
        succeeded,
        why: why.to_owned(),
    })
}
