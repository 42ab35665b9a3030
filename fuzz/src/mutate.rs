//! Changes to bytes: the ones that decoders tend to trip over.

use simulator::Dice;

/// The most bytes that a mutated input may have.
const LONGEST: usize = 64 * 1024;

/// Numbers at which lengths and counters go wrong.
const EDGES: [u64; 10] = [
    0,
    1,
    0x7f,
    0xff,
    0xffff,
    0x7fff_ffff,
    0xffff_ffff,
    0x7fff_ffff_ffff_ffff,
    0xffff_ffff_ffff_fffe,
    0xffff_ffff_ffff_ffff,
];

/// The bytes with a few changes; some may come from another sample.
pub fn bytes(dice: &mut Dice, sample: &[u8], other: &[u8]) -> Vec<u8> {
    let mut bytes = sample.to_vec();
    for _ in 0..=dice.below(4) {
        change(dice, &mut bytes, other);
    }
    bytes.truncate(LONGEST);
    bytes
}

/// One change.
fn change(dice: &mut Dice, bytes: &mut Vec<u8>, other: &[u8]) {
    let at = dice.place(bytes.len());
    let end = at + dice.place(bytes.len().saturating_sub(at).min(64) + 1);
    match dice.below(9) {
        0 => {
            if let Some(byte) = bytes.get_mut(at) {
                *byte ^= 1 << dice.below(8);
            }
        }
        1 => {
            if let Some(byte) = bytes.get_mut(at) {
                *byte = any(dice);
            }
        }
        2 => bytes.truncate(at),
        3 => bytes.insert(at.min(bytes.len()), any(dice)),
        4 => drop(bytes.drain(at..end)),
        5 => {
            let twice: Vec<u8> = bytes[at..end].to_vec();
            bytes.splice(at..at, twice);
        }
        6 | 7 => {
            let edge = dice.pick(&EDGES).to_le_bytes();
            let width = dice.pick(&[2, 4, 8]);
            for (to, from) in bytes.iter_mut().skip(at).zip(edge.iter().take(width)) {
                *to = *from;
            }
        }
        _ => {
            let from = dice.place(other.len());
            let to = from + dice.place(other.len().saturating_sub(from).min(256) + 1);
            bytes.splice(at..end, other[from..to].iter().copied());
        }
    }
}

/// Any byte.
pub fn any(dice: &mut Dice) -> u8 {
    dice.below(256).to_le_bytes()[0]
}
