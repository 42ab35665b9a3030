//! aidchain.
