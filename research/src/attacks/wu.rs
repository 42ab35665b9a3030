//! The attacks on Wu et al., and what all of them do first.

pub(super) mod a1;
pub(super) mod a10;
pub(super) mod a12;
pub(super) mod a13;
pub(super) mod a14;
pub(super) mod a15;
pub(super) mod a2;
pub(super) mod a3;
pub(super) mod a4;
pub(super) mod a5;
pub(super) mod a6;
pub(super) mod a7;
pub(super) mod a8;
mod process;

pub use process::{Process, Victim};

use contract::SessionId;
use protocol::fuzzy;
use protocol::suite::Message as _;
use protocol::wu::{Me5, Me7};
use sha2::{Digest as _, Sha256};

use super::arithmetic::{self, Number, xor};
use super::story::{Must as _, Outcome, Stopped, Story, some};
use super::world::{At, Overheard, World, WuWorld};
use super::{Id, Target};

/// Synthetic victims have an ID of five digits. One of 32 bits, as the paper has it, is found in six minutes of one
/// core.
pub const IDENTITIES: u32 = 100_000;

/// Synthetic victims have a password of four digits.
pub const PASSWORDS: u32 = 10_000;

/// Carries out an attack on the suite; `None` if it is not one of those.
pub fn run<W: WuWorld>(id: Id, world: &mut W) -> Option<Result<Outcome, W::Error>> {
    let mut story = Story::default();
    let ended = match id {
        Id::A1 => a1::run(world, &mut story),
        Id::A2 => a2::run(world, &mut story),
        Id::A3 => a3::run(world, &mut story),
        Id::A4 => a4::run(world, &mut story),
        Id::A5 => a5::run(world, &mut story),
        Id::A7 => a7::run(world, &mut story),
        Id::A8 => a8::run(world, &mut story),
        Id::A10 => a10::run(world, &mut story),
        Id::A12 => a12::run(world, &mut story),
        Id::A13 => a13::run(world, &mut story),
        Id::A14 => a14::run(world, &mut story),
        Id::A15 => a15::run(world, &mut story),
        Id::A6 | Id::B1 | Id::B2 | Id::B3 | Id::B4 | Id::B5 | Id::B6 => return None,
    };
    Some(Outcome::of(ended, story))
}

/// The target of all attacks here but A6.
const SUITE: Target = Target::Suite;

/// The paper's hash functions: SHA-256 under a label.
fn h(label: &str, fields: &[&[u8]]) -> [u8; 32] {
    let hash = Sha256::new_with_prefix("wu2021/").chain_update(label);
    arithmetic::digest(hash, fields)
}

/// A sign-in that was overheard, read.
struct Heard {
    number: usize,
    me5: Me5,
    me7: Me7,
}

fn listen<W: World>(world: &mut W, at: At) -> Result<Heard, Stopped<W::Error>> {
    read(&world.overhear(at)?)
}

fn read<E>(overheard: &Overheard) -> Result<Heard, Stopped<E>> {
    Ok(Heard {
        number: overheard.number,
        me5: hello(&overheard.hello)?,
        me7: some(Me7::parse(&overheard.reply).ok())?,
    })
}

fn hello<E>(bytes: &[u8]) -> Result<Me5, Stopped<E>> {
    some(Me5::parse(bytes).ok())
}

/// SP = Rep(BIO', PP), both out of one Me5.
fn sp_of<E>(me5: &Me5) -> Result<[u8; 32], Stopped<E>> {
    some(fuzzy::reproduce(&me5.bio, &me5.pp).map(|sp| *sp.expose()))
}

/// The ID that M2 hashes, by trying them all.
fn guess_identity<E>(me5: &Me5) -> Result<String, Stopped<E>> {
    let x = xor(&sp_of(me5)?, &me5.m1);
    let mut guesses = (0..IDENTITIES).map(|number| format!("{number:05}"));
    some(guesses.find(|guess| m2(&x, guess, me5) == me5.m2))
}

/// `M2 = h2(x(m_i·P) ‖ ID ‖ T1)`.
fn m2(x: &[u8; 32], identity: &str, me5: &Me5) -> [u8; 32] {
    h("h2", &[x, identity.as_bytes(), &me5.t1.to_bytes()])
}

/// `M4 = h3(x(K) ‖ x(m_i·P) ‖ T3)`.
fn m4(key: &[u8; 32], x: &[u8; 32], me7: &Me7) -> [u8; 32] {
    h("h3", &[key, x, &me7.t3.to_bytes()])
}

/// SHA-256("wu2021/sid" ‖ Me5 ‖ Me7).
fn session(me5: &[u8], me7: &[u8]) -> SessionId {
    SessionId::new(arithmetic::plain(&[b"wu2021/sid", me5, me7]))
}

/// A first message in the victim's name that says it was made now, for whoever knows SP and ID.
fn forge<W: World>(world: &mut W, old: &Me5, (sp, identity): (&[u8; 32], &str)) -> (Number, Me5) {
    let number = Number::draw(|| world.draw());
    let x = number.x();
    let mut forged = Me5 {
        m1: xor(sp, &x),
        t1: world.now(),
        ..old.clone()
    };
    forged.m2 = m2(&x, identity, &forged);
    (number, forged)
}

/// Sends a forged first message. M4 tells that the server has the same key, and the ledger that it has the sign-in.
fn sign_in<W: World>(
    world: &mut W,
    at: At,
    (number, forged): (&Number, &Me5),
) -> Result<([u8; 32], SessionId), Stopped<W::Error>> {
    let sent = forged.encode();
    let answer = some(world.send(at, &sent)?)?;
    let me7 = some(Me7::parse(&answer).ok())?;
    let sp = sp_of(forged)?;
    let key = some(number.agree(&xor(&sp, &me7.m3)))?;
    (m4(&key, &number.x(), &me7) == me7.m4).must()?;
    let session = session(&sent, &answer);
    (world.recorded(at, &session)? == Some(forged.aid)).must()?;
    Ok((key, session))
}
