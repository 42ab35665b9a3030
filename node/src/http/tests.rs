//! The listeners' claims, asked through their routes over a real ledger.

mod access;
mod api;
mod pages;
mod sign_in;
