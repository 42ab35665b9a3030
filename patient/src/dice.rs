//! The only source of randomness in this crate.

use chacha20::ChaCha20Rng;
use rand_core::SeedableRng as _;
use zeroize::Zeroize as _;

use crate::code::{Code, SupportCode};
use crate::output::Failure;

/// A generator seeded by the operating system.
pub fn seeded() -> Result<ChaCha20Rng, Failure> {
    let mut seed = random::<32>()?;
    let rng = ChaCha20Rng::from_seed(seed);
    seed.zeroize();
    Ok(rng)
}

/// Random bytes from the operating system.
pub fn random<const N: usize>() -> Result<[u8; N], Failure> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).map_err(|error| {
        Failure::new(Code::Bug)
            .message("the operating system gives no random numbers")
            .because(error)
    })?;
    Ok(bytes)
}

/// A fresh name for a refusal.
pub fn support_code() -> Result<SupportCode, Failure> {
    random().map(SupportCode::from_random)
}
