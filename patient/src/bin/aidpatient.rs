//! aidchain.

const fn main() {}
