//! The fuzzy extractor, version 1: from a noisy biometric to a string that repeats.
//!
//! A random message is encoded by the concatenation of a Reed–Solomon code
//! (`reed_solomon`) and a first-order Reed–Muller code (`hadamard`), and the
//! template is laid over the code word: the *offset*. A second template near the
//! first, laid over the offset, gives the code word with a few wrong bits; both
//! codes correct them, and message and first template come back exactly.
//!
//! ```text
//! PP  = salt 32 ‖ offset 256 ‖ tag 32
//! prk = HMAC-SHA-256(salt, message 182 bits in 23 bytes ‖ template 256)
//! SP  = HMAC-SHA-256(prk, "aidchain/fe/v1/sp" ‖ 1)
//! tag = HMAC-SHA-256(HMAC-SHA-256(prk, "aidchain/fe/v1/tag" ‖ 1), salt ‖ offset)
//! ```
//!
//! What this is worth: whoever holds PP and knows how templates are made computes
//! the template from PP alone, without a face. SP is one factor, never a key.

mod gf128;
mod hadamard;
mod reed_solomon;

use core::fmt;

use hmac::{Hmac, KeyInit, Mac};
use rand_core::CryptoRng;
use sha2::Sha256;
use subtle::ConstantTimeEq;
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

use crate::biometric::{TEMPLATE_BYTES, Template};
use crate::error::Malformed;
use crate::secret::Secret;

use gf128::Symbol;

/// Bytes of the auxiliary string.
pub const AUXILIARY_BYTES: usize = 320;

/// Bytes of a packed message: 26 symbols of seven bits, zero-padded.
const PACKED_BYTES: usize = 23;

/// The random string `SP` of the paper.
pub type RandomString = Secret<32>;

/// The auxiliary string `PP` of the paper: salt, offset and tag. It is made to be
/// stored, but it gives the template away: not printed, and wiped when dropped.
#[derive(Clone, PartialEq, Eq, Zeroize, ZeroizeOnDrop)]
pub struct Auxiliary {
    /// Makes the keys of two enrolments of one face differ.
    salt: [u8; 32],
    /// Template plus code word.
    offset: [u8; TEMPLATE_BYTES],
    /// Tells a right decoding from a wrong one, and a changed offset.
    tag: [u8; 32],
}

impl Auxiliary {
    /// The 320 bytes that are stored or sent.
    pub fn to_bytes(&self) -> [u8; AUXILIARY_BYTES] {
        let mut bytes = [0; AUXILIARY_BYTES];
        let fields = self.salt.iter().chain(&self.offset).chain(&self.tag);
        for (byte, &field) in bytes.iter_mut().zip(fields) {
            *byte = field;
        }
        bytes
    }

    /// The auxiliary string that 320 bytes are.
    pub fn parse(bytes: &[u8]) -> Result<Self, Malformed> {
        let parts = bytes
            .split_first_chunk::<32>()
            .and_then(|(salt, rest)| {
                let (offset, rest) = rest.split_first_chunk::<TEMPLATE_BYTES>()?;
                Some((salt, offset, <&[u8; 32]>::try_from(rest).ok()?))
            })
            .ok_or(Malformed::Length {
                message: "PP",
                expected: AUXILIARY_BYTES,
                found: bytes.len(),
            })?;
        let (&salt, &offset, &tag) = parts;
        Ok(Self { salt, offset, tag })
    }
}

impl fmt::Debug for Auxiliary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Auxiliary(redacted)")
    }
}

/// `Gen` of the paper. Draws 26 bytes for the message (the low seven bits of
/// each), then 32 for the salt.
pub fn generate(template: &Template, rng: &mut impl CryptoRng) -> (RandomString, Auxiliary) {
    let mut drawn = Zeroizing::new([0; reed_solomon::MESSAGE]);
    rng.fill_bytes(&mut *drawn);
    let mut salt = [0; 32];
    rng.fill_bytes(&mut salt);
    generate_from(template, &drawn, salt)
}

/// `Gen` of the paper with its draw given.
pub(crate) fn generate_from(
    template: &Template,
    drawn: &[u8; reed_solomon::MESSAGE],
    salt: [u8; 32],
) -> (RandomString, Auxiliary) {
    let message = Zeroizing::new(drawn.map(Symbol::from_low_bits));
    let offset = superpose(template.expose(), &reed_solomon::encode(&message));
    let (sp, tag) = derive(&message, template, &salt, &offset);
    (sp, Auxiliary { salt, offset, tag })
}

/// `Rep` of the paper: SP again, if the template is near enough to the one that
/// made `pp` and `pp` is unchanged.
pub fn reproduce(template: &Template, pp: &Auxiliary) -> Option<RandomString> {
    let received = Zeroizing::new(read_symbols(template, &pp.offset));
    let word = reed_solomon::correct(&received, &[])?;
    let message = Zeroizing::new(reed_solomon::message(&word));
    let enrolled = Template::new(superpose(&pp.offset, &word));
    let (sp, tag) = derive(&message, &enrolled, &pp.salt, &pp.offset);
    bool::from(tag.ct_eq(&pp.tag)).then_some(sp)
}

/// The bytes plus the code word's bits.
fn superpose(bytes: &[u8; TEMPLATE_BYTES], word: &reed_solomon::Word) -> [u8; TEMPLATE_BYTES] {
    let mut sum = *bytes;
    for (block, &symbol) in sum.chunks_exact_mut(8).zip(word) {
        for (byte, code) in block.iter_mut().zip(hadamard::encode(symbol).to_be_bytes()) {
            *byte ^= code;
        }
    }
    sum
}

/// The symbols that template plus offset spell, some of them wrong.
fn read_symbols(template: &Template, offset: &[u8; TEMPLATE_BYTES]) -> reed_solomon::Word {
    let mut word = [Symbol::ZERO; reed_solomon::LENGTH];
    let blocks = template
        .expose()
        .chunks_exact(8)
        .zip(offset.chunks_exact(8));
    for (symbol, (mine, theirs)) in word.iter_mut().zip(blocks) {
        let received = mine
            .iter()
            .zip(theirs)
            .fold(0, |bits, (a, b)| (bits << 8) | u64::from(a ^ b));
        *symbol = hadamard::decode(received);
    }
    word
}

/// SP and the tag over salt and offset.
fn derive(
    message: &[Symbol; reed_solomon::MESSAGE],
    template: &Template,
    salt: &[u8; 32],
    offset: &[u8; TEMPLATE_BYTES],
) -> (RandomString, [u8; 32]) {
    let packed = Zeroizing::new(pack(message));
    let prk = hmac(salt, &[&*packed, template.expose()]);
    let sp = hmac(&prk, &[b"aidchain/fe/v1/sp\x01"]);
    let tag_key = hmac(&prk, &[b"aidchain/fe/v1/tag\x01"]);
    let tag = hmac(&tag_key, &[salt, offset]);
    (Secret::new(*sp), *tag)
}

/// The message's 182 bits, highest first, zero-padded to whole bytes.
fn pack(message: &[Symbol; reed_solomon::MESSAGE]) -> [u8; PACKED_BYTES] {
    let mut packed = [0; PACKED_BYTES];
    let mut bits = Zeroizing::new([0_u8; PACKED_BYTES * 8]);
    let spread = message
        .iter()
        .flat_map(|symbol| (0..7).rev().map(|bit| (symbol.bits() >> bit) & 1));
    for (slot, bit) in bits.iter_mut().zip(spread) {
        *slot = bit;
    }
    for (byte, eight) in packed.iter_mut().zip(bits.chunks_exact(8)) {
        *byte = eight.iter().fold(0, |byte, bit| (byte << 1) | bit);
    }
    packed
}

/// HMAC-SHA-256 over the parts, one after the other.
pub(crate) fn hmac(key: &[u8; 32], parts: &[&[u8]]) -> Zeroizing<[u8; 32]> {
    // A key shorter than the block is padded with zeros by definition; padding it
    // here takes the constructor that cannot fail.
    let mut block = [0; 64];
    for (slot, &byte) in block.iter_mut().zip(key) {
        *slot = byte;
    }
    let mut mac = Hmac::<Sha256>::new(&block.into());
    block.zeroize();
    for part in parts {
        mac.update(part);
    }
    Zeroizing::new(mac.finalize().into_bytes().into())
}
