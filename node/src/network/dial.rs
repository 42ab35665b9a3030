//! From a member's address to sockets that can be dialled, off the network's task.

use std::{net::SocketAddr, time::Duration};

use libp2p::{Multiaddr, multiaddr::Protocol};
use tokio::sync::mpsc;
use tracing::debug;

use super::{MemberIndex, address::Address, swarm::Command};
use crate::limits;

/// Resolves a member's address and comes back with a command.
pub(super) fn resolve(member: MemberIndex, address: Address, commands: mpsc::Sender<Command>) {
    tokio::spawn(async move {
        let found = tokio::time::timeout(limits::DIAL_TIMEOUT, address.resolve()).await;
        let sockets = match found {
            Ok(Ok(sockets)) => sockets,
            Ok(Err(cause)) => {
                debug!(%address, %cause, "not resolved");
                Vec::new()
            }
            Err(_elapsed) => Vec::new(),
        };
        if commands.send(Command::Dial(member, sockets)).await.is_err() {
            debug!("the network has stopped");
        }
    });
}

/// A socket address as libp2p writes it.
pub(super) fn multiaddr(socket: SocketAddr) -> Multiaddr {
    Multiaddr::from(socket.ip()).with(Protocol::Tcp(socket.port()))
}

/// A random part of the pause between dials: nothing depends on its quality.
pub(super) fn jitter() -> Duration {
    let mut octets = [0; 2];
    if getrandom::fill(&mut octets).is_err() {
        return limits::REDIAL_JITTER;
    }
    let span = limits::REDIAL_JITTER.saturating_mul(2);
    let drawn = span.saturating_mul(u32::from(u16::from_le_bytes(octets)));
    drawn.checked_div(u32::from(u16::MAX)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn jitter_stays_within_its_span() {
        for _ in 0..100 {
            assert!(jitter() <= limits::REDIAL_JITTER.saturating_mul(2));
        }
    }
}
