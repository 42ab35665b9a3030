//! The explorer: the ledger as pages, drawn by the node from the same reads as the JSON API.
//!
//! Each page is a function from a small view to HTML; nothing in here reads the ledger but the handlers.

pub mod assets;
pub mod block;
pub mod chart;
pub mod decode;
pub(crate) mod handlers;
pub mod identity;
pub mod layout;
pub mod members;
pub mod notice;
pub mod overview;
pub mod parts;
pub mod results;
pub mod search;
pub mod time;
pub mod transaction;
mod views;
