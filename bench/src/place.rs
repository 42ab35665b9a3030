//! Where a member runs: on this machine's loopback, or in a network namespace of its own.

use std::fs::File;
use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::os::fd::AsFd as _;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use rustix::thread::{LinkNameSpaceType, move_into_link_name_space};

/// Where `ip netns` keeps namespaces by name.
const NAMESPACES: &str = "/run/netns";

/// Where a member runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// Beside everybody else.
    Loopback,
    /// In a namespace made with `ip netns`: what is not for members listens on its loopback.
    Namespace {
        /// The namespace.
        name: String,
        /// Where the other members reach it.
        address: Ipv4Addr,
    },
}

impl Place {
    /// Where the other members reach it.
    pub const fn address(&self) -> Ipv4Addr {
        match self {
            Self::Loopback => Ipv4Addr::LOCALHOST,
            Self::Namespace { address, .. } => *address,
        }
    }

    /// A command that runs a program there. It becomes the program, so that its process id is the program's.
    pub fn command(&self, program: &Path) -> Command {
        match self {
            Self::Loopback => Command::new(program),
            Self::Namespace { name, .. } => {
                let mut command = Command::new("ip");
                command.args(["netns", "exec", name]).arg(program);
                command
            }
        }
    }

    /// Connects from there.
    pub fn connect(&self, to: SocketAddr, patience: Duration) -> io::Result<TcpStream> {
        let Self::Namespace { name, .. } = self else {
            return TcpStream::connect_timeout(&to, patience);
        };
        let link = File::open(Path::new(NAMESPACES).join(name))?;
        // A socket stays in the namespace it was made in; the thread that entered it ends.
        let there = std::thread::spawn(move || {
            move_into_link_name_space(link.as_fd(), Some(LinkNameSpaceType::Network))?;
            TcpStream::connect_timeout(&to, patience)
        });
        there
            .join()
            .unwrap_or_else(|_panic| Err(io::Error::other("the connecting thread ended")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_namespace_that_does_not_exist_is_an_error() {
        let place = Place::Namespace {
            name: "aidchain-no-such-namespace".to_owned(),
            address: Ipv4Addr::LOCALHOST,
        };

        let error = place
            .connect(
                SocketAddr::from(([127, 0, 0, 1], 1)),
                Duration::from_secs(1),
            )
            .unwrap_err();

        assert_eq!(error.kind(), io::ErrorKind::NotFound);
    }
}
