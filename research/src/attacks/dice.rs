//! Dice that remember what they gave: how a number leaks.

use core::convert::Infallible;

use rand_core::{CryptoRng, TryCryptoRng, TryRng};

/// A generator whose last 32 bytes at once are known.
#[derive(Debug)]
pub struct Recorder<'a, R: ?Sized> {
    rng: &'a mut R,
    last: [u8; 32],
}

impl<'a, R: CryptoRng + ?Sized> Recorder<'a, R> {
    /// Records what this generator gives.
    pub const fn new(rng: &'a mut R) -> Self {
        Self { rng, last: [0; 32] }
    }

    /// The last 32 bytes that were asked for at once.
    pub const fn last(&self) -> [u8; 32] {
        self.last
    }
}

impl<R: CryptoRng + ?Sized> TryRng for Recorder<'_, R> {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        Ok(self.rng.next_u32())
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        Ok(self.rng.next_u64())
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Infallible> {
        self.rng.fill_bytes(bytes);
        if let Ok(drawn) = <[u8; 32]>::try_from(&*bytes) {
            self.last = drawn;
        }
        Ok(())
    }
}

impl<R: CryptoRng + ?Sized> TryCryptoRng for Recorder<'_, R> {}
