//! What this crate promises, told from outside.

#[cfg(test)]
mod aidc1_hostile;
#[cfg(test)]
mod aidc1_order;
#[cfg(test)]
mod aidc1_sign_in;
#[cfg(test)]
mod aidc1_vectors;
#[cfg(test)]
mod aidc1_world;
#[cfg(test)]
mod biometrics;
#[cfg(test)]
mod contract_of_a_suite;
#[cfg(test)]
mod enrolment_evaluators;
#[cfg(test)]
mod enrolment_life;
#[cfg(test)]
mod enrolment_messages;
#[cfg(test)]
mod enrolment_unlock;
#[cfg(test)]
mod enrolment_vectors;
#[cfg(test)]
mod enrolment_world;
#[cfg(test)]
mod faces;
#[cfg(test)]
mod formal_models;
#[cfg(test)]
mod fuzzy_vectors;
#[cfg(test)]
mod limbasiya;
#[cfg(test)]
mod limbasiya_world;
#[cfg(test)]
mod primitives;
#[cfg(test)]
mod seeded;
#[cfg(test)]
mod travels;
#[cfg(test)]
mod world;
#[cfg(test)]
mod wu_edges;
#[cfg(test)]
mod wu_terminal;
#[cfg(test)]
mod wu_vectors;
