//! The attacks on Limbasiya et al., and what all of them do first.

pub(super) mod b1;
pub(super) mod b2;
pub(super) mod b3;
pub(super) mod b4;
pub(super) mod b5;
pub(super) mod b6;
mod process;

pub use process::Process;

use protocol::limbasiya::Request;
use protocol::suite::Message as _;
use sha2::{Digest as _, Sha256};

use super::Id;
use super::arithmetic::{self, xor};
use super::story::{Outcome, Stopped, Story, some};
use super::world::LimbasiyaWorld;

/// Synthetic victims have a password of four digits.
pub const PASSWORDS: u32 = 10_000;

/// Carries out an attack on the suite; `None` if it is not one of those.
pub fn run<W: LimbasiyaWorld>(id: Id, world: &mut W) -> Option<Result<Outcome, W::Error>> {
    let mut story = Story::default();
    let ended = match id {
        Id::B1 => b1::run(world, &mut story),
        Id::B2 => b2::run(world, &mut story),
        Id::B4 => b4::run(world, &mut story),
        Id::B5 => b5::run(world, &mut story),
        Id::B6 => b6::run(world, &mut story),
        Id::A1
        | Id::A2
        | Id::A3
        | Id::A4
        | Id::A5
        | Id::A6
        | Id::A7
        | Id::A8
        | Id::A10
        | Id::A12
        | Id::A13
        | Id::A14
        | Id::A15
        | Id::B3 => return None,
    };
    Some(Outcome::of(ended, story))
}

/// The published hash function.
fn h(fields: &[&[u8]]) -> [u8; 32] {
    arithmetic::digest(Sha256::new(), fields)
}

/// ⊕ aligned at the ends, of a text with a pad.
fn masked(text: &[u8], pad: &[u8; 32]) -> Vec<u8> {
    let mut text = text.to_vec();
    for (mine, theirs) in text.iter_mut().rev().zip(pad.iter().rev()) {
        *mine ^= theirs;
    }
    text
}

/// A card as a thief reads it.
struct Stolen<'a> {
    w: &'a [u8; 32],
    x: &'a [u8; 32],
    y: &'a [u8; 32],
    e: &'a [u8; 32],
    z: &'a [u8],
}

/// What a card opens to.
struct Opened {
    uid: [u8; 32],
    c: [u8; 32],
    list: Vec<u8>,
}

impl<'a> Stolen<'a> {
    fn read<E>(card: &'a [u8]) -> Result<Self, Stopped<E>> {
        let (first, rest) = some(card.split_first_chunk())?;
        let (second, rest) = some(rest.split_first_chunk())?;
        let (third, rest) = some(rest.split_first_chunk())?;
        let (fourth, rest) = some(rest.split_first_chunk())?;
        Ok(Self {
            w: first,
            x: second,
            y: third,
            e: fourth,
            z: rest,
        })
    }

    /// UID and the list, if ID and password are these: E tells.
    fn try_out(&self, id: &[u8], password: &[u8]) -> Option<Opened> {
        let a = h(&[id, password]);
        let nonces = xor(self.w, &a);
        let (r1, r2) = nonces.split_first_chunk::<16>()?;
        let b = xor(&h(&[r1, password]), &h(&[r2, password]));
        let usk = xor(&a, &xor(self.y, &b));
        let uid = h(&[r1, id, r2]);
        if h(&[&uid, password, &usk]) != *self.e {
            return None;
        }
        let mask = xor(&h(&[r2, id]), &h(&[r1, password]));
        let pad = xor(&h(&[r1, id, password]), &h(&[id, password, r2]));
        Some(Opened {
            uid,
            c: xor(self.x, &mask),
            list: masked(self.z, &pad),
        })
    }
}

/// `SSK_j` of a server, in a list as text or in as much of one as is in clear.
fn secret_of(list: &[u8], server: &str) -> Option<[u8; 32]> {
    let entries = list.split(|byte| *byte == b';');
    let mut fields = entries.map(|entry| entry.split(|byte| *byte == b'.'));
    fields.find_map(|mut fields| {
        let is_its = fields.next()? == server.as_bytes();
        let secret = fields.next().filter(|_| is_its)?;
        let mut bytes = [0; 32];
        hex::decode_to_slice(secret, &mut bytes).ok()?;
        Some(bytes)
    })
}

fn request<E>(bytes: &[u8]) -> Result<Request, Stopped<E>> {
    some(Request::parse(bytes).ok())
}

/// UID under α, for whoever knows `SSK_j`.
fn unmasked(request: &Request, ssk: &[u8; 32]) -> [u8; 32] {
    let server = request.server.as_bytes();
    let mask = h(&[server, ssk, &request.t1.to_be_bytes()]);
    xor(&request.alpha, &mask)
}

/// VT = h(UID ‖ "location-verification").
fn verification(uid: &[u8; 32]) -> [u8; 32] {
    h(&[uid, b"location-verification"])
}

/// SK = h(UID ‖ `ID_j` ‖ C ‖ `Loc_j` ‖ VT), for whoever knows UID and C: `SSK_j` is not in it.
fn session_key(uid: &[u8; 32], c: &[u8; 32], (name, place): (&str, &str)) -> [u8; 32] {
    let vt = verification(uid);
    h(&[uid, name.as_bytes(), c, place.as_bytes(), &vt])
}
