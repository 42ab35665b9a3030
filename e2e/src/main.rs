//! aidchain.

fn main() {}
