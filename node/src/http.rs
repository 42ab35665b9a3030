//! The three listeners: patients, members with their explorer, operations.

pub mod limits;
pub mod problem;
pub mod rate;
#[cfg(test)]
pub(crate) mod testing;

use std::{io, net::SocketAddr};

use thiserror::Error;

/// Why the listeners do not serve.
#[derive(Debug, Error)]
pub enum HttpError {
    /// An address cannot be bound.
    #[error("cannot listen on {address} ({setting} in node.toml): {cause}")]
    Bind {
        /// The key of `node.toml`.
        setting: &'static str,
        /// The address.
        address: SocketAddr,
        /// What the system says.
        #[source]
        cause: io::Error,
    },
    /// The TLS key cannot be used.
    #[error(transparent)]
    Tls(#[from] crate::tls::TlsError),
}
