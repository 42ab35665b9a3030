//! The patient's side: what her terminal does, and how anybody checks a receipt without trusting who sent it.
//!
//! This crate holds no node code. It speaks HTTP to a node, keeps the credential card, and judges receipts with the
//! genesis file alone. Its tables of errors and its way of printing serve the node's commands too.

mod aidc1;
pub mod capture;
pub mod card;
pub mod cli;
pub mod client;
pub mod clock;
pub mod code;
pub mod dice;
pub mod excerpt;
pub mod files;
pub mod known;
pub mod light;
pub mod limbasiya;
pub mod output;
pub mod receipt;
pub mod refusals;
pub mod secret_input;
pub mod utc;
