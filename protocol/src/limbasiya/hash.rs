//! h and ⊕ of the scheme (L-1).

use sha2::{Digest as _, Sha256};
use zeroize::Zeroizing;

use crate::meter::{Meter, Operation};
use crate::papers;
pub(super) use crate::papers::xor;

/// h: SHA-256 over the fields, each behind its length, so that no two lists of fields give the same bytes.
pub(super) fn h(meter: &impl Meter, fields: &[&[u8]]) -> [u8; 32] {
    papers::digest(meter, Sha256::new(), fields)
}

/// ⊕ of a string with a hash, aligned at their ends as the implementation's integers are. Of a longer string all but
/// the last 32 bytes stay as they are: in clear (B6).
pub(super) fn mask(meter: &impl Meter, text: &[u8], pad: &[u8; 32]) -> Zeroizing<Vec<u8>> {
    meter.count(Operation::Xor);
    let width = text.len().max(pad.len());
    let mut sum = Zeroizing::new(vec![0; width.saturating_sub(text.len())]);
    sum.extend(text);
    for (mine, theirs) in sum.iter_mut().rev().zip(pad.iter().rev()) {
        *mine ^= theirs;
    }
    sum
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::meter::Unmetered;

    #[test]
    fn a_list_longer_than_the_pad_keeps_its_beginning_in_clear() {
        let masked = mask(
            &Unmetered,
            b"hospital2.secret-of-hospital-two-in-hex",
            &[0xFF; 32],
        );

        assert_eq!(&masked[..7], b"hospita");
        assert_eq!(masked[7], b'l' ^ 0xFF);
    }

    #[test]
    fn a_shorter_string_is_extended_on_its_left() {
        assert_eq!(
            *mask(&Unmetered, &[1], &[0; 32]),
            [[0; 31].as_slice(), &[1]].concat()
        );
    }

    #[test]
    fn fields_are_kept_apart() {
        assert_ne!(h(&Unmetered, &[b"ab", b"c"]), h(&Unmetered, &[b"a", b"bc"]));
    }
}
