//! The one reader of messages: fields one after the other, none left over.

use crate::error::Malformed;

/// A reader that takes a message's fields off its bytes, one by one.
#[derive(Clone, Copy)]
pub(crate) struct Fields<'a> {
    message: &'static str,
    rest: &'a [u8],
}

impl<'a> Fields<'a> {
    /// The fields of a message.
    pub(crate) const fn of(message: &'static str, rest: &'a [u8]) -> Self {
        Self { message, rest }
    }

    /// The fields of a message that always has the same length.
    pub(crate) const fn exactly(
        message: &'static str,
        bytes: &'a [u8],
        expected: usize,
    ) -> Result<Self, Malformed> {
        if bytes.len() == expected {
            Ok(Self::of(message, bytes))
        } else {
            Err(Malformed::Length {
                message,
                expected,
                found: bytes.len(),
            })
        }
    }

    /// The next `N` bytes.
    pub(crate) const fn take<const N: usize>(
        &mut self,
        field: &'static str,
    ) -> Result<&'a [u8; N], Malformed> {
        match self.rest.split_first_chunk() {
            Some((bytes, rest)) => {
                self.rest = rest;
                Ok(bytes)
            }
            None => Err(self.truncated(field)),
        }
    }

    /// As many bytes as the two before them say.
    pub(crate) fn prefixed(&mut self, field: &'static str) -> Result<&'a [u8], Malformed> {
        let length = usize::from(u16::from_be_bytes(*self.take(field)?));
        let parts = self.rest.split_at_checked(length);
        let (bytes, rest) = parts.ok_or_else(|| self.truncated(field))?;
        self.rest = rest;
        Ok(bytes)
    }

    /// All that is left.
    pub(crate) const fn rest(self) -> &'a [u8] {
        self.rest
    }

    /// Nothing may be left.
    pub(crate) const fn end(self) -> Result<(), Malformed> {
        if self.rest.is_empty() {
            Ok(())
        } else {
            Err(Malformed::Surplus {
                message: self.message,
                surplus: self.rest.len(),
            })
        }
    }

    /// The error of a field whose value it cannot have; `why` is read after its name.
    pub(crate) const fn wrong(self, field: &'static str, why: &'static str) -> Malformed {
        Malformed::Field {
            message: self.message,
            field,
            why,
        }
    }

    const fn truncated(self, field: &'static str) -> Malformed {
        Malformed::Truncated {
            message: self.message,
            field,
        }
    }
}
