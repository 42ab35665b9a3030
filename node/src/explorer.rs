//! The explorer: the ledger as pages, drawn by the node from the same reads as the JSON API.
//!
//! Each page is a function from a small view to HTML; nothing in here reads the ledger but the handlers.

pub mod assets;
mod attacks;
pub mod block;
pub mod change;
pub mod chart;
mod consortium;
pub mod decode;
pub mod glance;
pub(crate) mod handlers;
pub mod identity;
pub mod layout;
pub mod members;
pub mod names;
pub mod notice;
pub mod overview;
mod paper;
pub mod parts;
pub mod past;
pub mod patients;
pub mod results;
pub mod search;
pub mod time;
pub mod transaction;
mod views;
