//! The listeners' claims, asked through their routes over a real ledger.

mod access;
mod aidc1;
mod api;
mod clinic;
mod enrolment;
mod limbasiya;
mod pages;
mod patients;
mod sign_in;
