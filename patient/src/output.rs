//! What a command says: data on stdout, talk on stderr, one JSON object where `--json` asks for it.

mod console;
mod failure;

pub use self::console::{Console, Form, Input, Mark, Talk};
pub use self::failure::Failure;
