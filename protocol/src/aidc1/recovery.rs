//! The recovery code: 128 bits on paper, and the keys that they stand for.
//!
//! Written in Crockford's base 32, which has no letters that look alike, with his check
//! symbol behind it.

use contract::PublicKey;
use ed25519_dalek::SigningKey;
use rand_core::CryptoRng;
use thiserror::Error;
use zeroize::{Zeroize as _, Zeroizing};

use super::kdf::Extracted;
use super::root::{AidIndex, draw, public_of, signing_key};
use crate::secret::Secret;

/// Bytes of a code.
pub const CODE_BYTES: usize = 16;

/// Symbols of a printed code, without its check symbol: 130 bits, the first two zero.
pub const CODE_SYMBOLS: usize = 26;

/// The symbols, and behind the first 32 those that only a check may be.
const ALPHABET: &[u8; 37] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ*~$=U";

/// Symbols between two hyphens.
const GROUP: usize = 5;

/// Characters that are read at most, separators included.
const TYPED_BYTES_MAX: usize = 128;

/// What the patient keeps on paper. Wiped when dropped and printed by
/// [`RecoveryCode::to_text`] alone.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RecoveryCode(Secret<CODE_BYTES>);

/// Why a text is no recovery code. A place is named, never a symbol.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Error)]
pub enum BadCode {
    /// Too few or too many symbols.
    #[error("a recovery code has 27 symbols beside hyphens and spaces, this has {0}")]
    Length(usize),
    /// A character that no code has.
    #[error("symbol {0} of the recovery code is none that a code can have there")]
    Symbol(usize),
    /// The check does not fit: a symbol is wrong, or two are swapped.
    #[error("the recovery code's last symbol does not fit the others: compare it with the paper")]
    Check,
}

impl RecoveryCode {
    /// The code of these bytes.
    pub const fn new(bytes: Secret<CODE_BYTES>) -> Self {
        Self(bytes)
    }

    /// A fresh code. Draws 16 bytes.
    pub fn draw(rng: &mut impl CryptoRng) -> Self {
        Self(draw(rng))
    }

    /// The bytes, for whoever has a reason.
    pub const fn expose(&self) -> &[u8; CODE_BYTES] {
        self.0.expose()
    }

    /// What is printed, in groups of five.
    pub fn to_text(&self) -> Zeroizing<String> {
        let mut number = u128::from_be_bytes(*self.0.expose());
        let check = check_of(number);
        let mut symbols = Zeroizing::new([0_u8; CODE_SYMBOLS]);
        for symbol in symbols.iter_mut().rev() {
            *symbol = u8::try_from(number & 31).unwrap_or(0);
            number >>= 5;
        }
        let mut text = Zeroizing::new(String::with_capacity(TYPED_BYTES_MAX));
        for (at, &value) in symbols.iter().chain([&check]).enumerate() {
            if at % GROUP == 0 && at != 0 {
                text.push('-');
            }
            text.push(symbol_of(value));
        }
        text
    }

    /// The code that was typed: any case; hyphens, spaces and tabs anywhere; O for 0, I
    /// and L for 1.
    pub fn parse(text: &[u8]) -> Result<Self, BadCode> {
        let mut symbols = Zeroizing::new(Vec::with_capacity(TYPED_BYTES_MAX));
        let typed = text.iter().filter(|byte| !b"- \t".contains(byte));
        symbols.extend(typed.take(TYPED_BYTES_MAX).copied());
        let Ok(&[first, ref rest @ .., check]) = <&[u8; CODE_SYMBOLS + 1]>::try_from(&**symbols)
        else {
            return Err(BadCode::Length(symbols.len()));
        };
        let mut number = u128::from(value_of(first, 8).ok_or(BadCode::Symbol(1))?);
        for (place, &symbol) in (2..).zip(rest) {
            let value = value_of(symbol, 32).ok_or(BadCode::Symbol(place))?;
            number = number << 5 | u128::from(value);
        }
        let check = value_of(check, 37).ok_or(BadCode::Symbol(CODE_SYMBOLS + 1))?;
        if check != check_of(number) {
            return Err(BadCode::Check);
        }
        let mut bytes = number.to_be_bytes();
        number.zeroize();
        let code = Self::new(Secret::new(bytes));
        bytes.zeroize();
        Ok(code)
    }

    /// `pk_recovery` of one of the patient's AIDs. Each has its own, since equal ones
    /// would link them on the ledger.
    pub fn public(&self, index: AidIndex) -> PublicKey {
        public_of(&self.key(index))
    }

    /// The key behind it.
    pub(super) fn key(&self, index: AidIndex) -> SigningKey {
        let prk = Extracted::new(&[], self.0.expose());
        signing_key(&prk.expand(&[b"aidc1/recovery", &[index.get()]]))
    }
}

/// The check symbol's value.
fn check_of(number: u128) -> u8 {
    u8::try_from(number % 37).unwrap_or(0)
}

/// The symbol of a value below 37.
fn symbol_of(value: u8) -> char {
    let symbol = ALPHABET.get(usize::from(value));
    char::from(symbol.copied().unwrap_or(b'?'))
}

/// The value below `limit` that a typed symbol stands for.
fn value_of(typed: u8, limit: u8) -> Option<u8> {
    let symbol = match typed.to_ascii_uppercase() {
        b'O' => b'0',
        b'I' | b'L' => b'1',
        other => other,
    };
    let value = (0..).zip(ALPHABET).find(|(_, known)| **known == symbol)?.0;
    (value < limit).then_some(value)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn code(byte: u8) -> RecoveryCode {
        RecoveryCode::new(Secret::new([byte; CODE_BYTES]))
    }

    #[test]
    fn the_smallest_and_the_largest_code_are_printed_as_crockford_says() {
        assert_eq!(*code(0).to_text(), "00000-00000-00000-00000-00000-00");
        // 2^128 − 1 is 32 modulo 37.
        assert_eq!(*code(0xff).to_text(), "7ZZZZ-ZZZZZ-ZZZZZ-ZZZZZ-ZZZZZ-Z*");
    }

    #[test]
    fn case_hyphens_spaces_and_look_alikes_do_not_matter() {
        let mut bytes = [0; CODE_BYTES];
        bytes[15] = 0b0000_0001;
        let expected = RecoveryCode::new(Secret::new(bytes));

        for typed in [
            "00000-00000-00000-00000-00000-11",
            "oOoO0 00000\t00000-00000 00000 iL",
            "0000000000000000000000000l1",
            "  0-0000000000000000000000001I--",
        ] {
            assert_eq!(RecoveryCode::parse(typed.as_bytes()), Ok(expected.clone()));
        }
    }

    #[test]
    fn what_is_no_code_is_refused_with_its_place() {
        let parse = |text: &str| RecoveryCode::parse(text.as_bytes());

        assert_eq!(parse(""), Err(BadCode::Length(0)));
        assert_eq!(parse(&"0".repeat(26)), Err(BadCode::Length(26)));
        assert_eq!(parse(&"0".repeat(28)), Err(BadCode::Length(28)));
        assert_eq!(parse(&"0".repeat(1 << 20)), Err(BadCode::Length(128)));
        assert_eq!(
            parse(&format!("8{}", "0".repeat(26))),
            Err(BadCode::Symbol(1))
        );
        assert_eq!(
            parse(&format!("0U{}", "0".repeat(25))),
            Err(BadCode::Symbol(2))
        );
        assert_eq!(
            parse(&format!("{}!", "0".repeat(26))),
            Err(BadCode::Symbol(27))
        );
        assert_eq!(parse(&format!("{}1", "0".repeat(26))), Err(BadCode::Check));
        assert_eq!(RecoveryCode::parse(&[0xff; 27]), Err(BadCode::Symbol(1)));
    }

    #[test]
    fn each_aid_has_a_recovery_key_of_its_own() {
        let keys: std::collections::BTreeSet<_> =
            AidIndex::all().map(|index| code(7).public(index)).collect();

        assert_eq!(keys.len(), 16);
        assert_eq!(
            format!("{:?}", code(0xAB)),
            "RecoveryCode(Secret<16>(redacted))"
        );
    }

    proptest! {
        #[test]
        fn what_is_printed_is_read_again(bytes: [u8; CODE_BYTES]) {
            let code = RecoveryCode::new(Secret::new(bytes));

            prop_assert_eq!(RecoveryCode::parse(code.to_text().as_bytes()), Ok(code));
        }

        #[test]
        fn one_wrong_symbol_and_two_swapped_neighbours_are_noticed(
            bytes: [u8; CODE_BYTES],
            place in 0_usize..25,
            symbol in 0_usize..32,
        ) {
            let text = RecoveryCode::new(Secret::new(bytes)).to_text().replace('-', "");
            let mut wrong = text.clone().into_bytes();
            wrong[place] = ALPHABET[symbol];
            let mut swapped = text.clone().into_bytes();
            swapped.swap(place, place.wrapping_add(1));

            for typed in [wrong, swapped] {
                if typed != text.as_bytes() {
                    prop_assert!(RecoveryCode::parse(&typed).is_err());
                }
            }
        }
    }
}
