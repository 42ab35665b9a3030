//! A patient's terminal against four members: what she sees, and what stays when something goes wrong.

mod enrolment;
mod histories;
mod lives;
mod sign_in;
mod terminal;
