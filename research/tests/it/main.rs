//! What this crate promises, told from outside.

#[cfg(test)]
mod aidc1;
#[cfg(test)]
mod biometrics_bounds;
#[cfg(test)]
mod biometrics_page;
#[cfg(test)]
mod biometrics_sets;
#[cfg(test)]
mod inversion;
#[cfg(test)]
mod limbasiya;
#[cfg(test)]
mod wu;
