//! What this crate promises, told from outside.

#[cfg(test)]
mod attacks;
#[cfg(test)]
mod biometrics;
#[cfg(test)]
mod contract_of_a_suite;
#[cfg(test)]
mod faces;
#[cfg(test)]
mod fuzzy_vectors;
#[cfg(test)]
mod inversion;
#[cfg(test)]
mod seeded;
#[cfg(test)]
mod world;
#[cfg(test)]
mod wu_edges;
#[cfg(test)]
mod wu_terminal;
#[cfg(test)]
mod wu_vectors;
