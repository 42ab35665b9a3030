//! Where a member can be dialled: `/dns4/clinic-a/tcp/7100`, `/ip4/10.0.0.7/tcp/7100`, or `host:port`.
//!
//! Names are resolved by the operating system (compose and hospitals use names), so libp2p's own resolver stays off.

use std::{
    fmt,
    net::{IpAddr, SocketAddr},
    str::FromStr,
};

/// A host and a port.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Address {
    host: Host,
    port: u16,
}

/// A host by number or by name.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Host {
    Ip(IpAddr),
    Name(String),
}

/// A text that is no address.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is no address: give host:port or a multiaddr like /dns4/clinic-a/tcp/7100")]
pub struct BadAddress {
    /// What was given.
    pub text: String,
}

/// Longest host name of the DNS.
const NAME_MAX: usize = 253;

impl Address {
    /// The port.
    pub const fn port(&self) -> u16 {
        self.port
    }

    /// The addresses that stand behind it now.
    pub async fn resolve(&self) -> std::io::Result<Vec<SocketAddr>> {
        match &self.host {
            Host::Ip(ip) => Ok(vec![SocketAddr::new(*ip, self.port)]),
            Host::Name(name) => Ok(tokio::net::lookup_host((name.as_str(), self.port))
                .await?
                .collect()),
        }
    }

    /// Reads `/kind/host/tcp/port`.
    fn from_multiaddr(text: &str) -> Option<Self> {
        let mut parts = text.strip_prefix('/')?.split('/');
        let (kind, host) = (parts.next()?, parts.next()?);
        let (tcp, port) = (parts.next()?, parts.next()?);
        if tcp != "tcp" || parts.next().is_some() {
            return None;
        }
        let host = match kind {
            "ip4" => Host::Ip(IpAddr::V4(host.parse().ok()?)),
            "ip6" => Host::Ip(IpAddr::V6(host.parse().ok()?)),
            "dns" | "dns4" | "dns6" => Host::Name(name(host)?),
            _ => return None,
        };
        Some(Self {
            host,
            port: nonzero(port)?,
        })
    }

    /// Reads `host:port`.
    fn from_host_port(text: &str) -> Option<Self> {
        let (host, port) = text.rsplit_once(':')?;
        if let Ok(socket) = text.parse::<SocketAddr>() {
            return nonzero(port).map(|_port| Self::from(socket));
        }
        Some(Self {
            host: Host::Name(name(host)?),
            port: nonzero(port)?,
        })
    }
}

/// A port that can be dialled, in its one spelling: neither a sign nor zeros in front.
fn nonzero(port: &str) -> Option<u16> {
    let number = port.parse().ok().filter(|port: &u16| *port != 0)?;
    (number.to_string() == port).then_some(number)
}

/// A host name of letters, digits, hyphens, underscores and dots.
fn name(host: &str) -> Option<String> {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    let fits = !host.is_empty() && host.len() <= NAME_MAX && host.chars().all(plain);
    fits.then(|| host.to_owned())
}

impl From<SocketAddr> for Address {
    fn from(socket: SocketAddr) -> Self {
        Self {
            host: Host::Ip(socket.ip()),
            port: socket.port(),
        }
    }
}

impl FromStr for Address {
    type Err = BadAddress;

    fn from_str(text: &str) -> Result<Self, BadAddress> {
        let read = if text.starts_with('/') {
            Self::from_multiaddr
        } else {
            Self::from_host_port
        };
        read(text).ok_or_else(|| BadAddress {
            text: text.to_owned(),
        })
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.host {
            Host::Ip(IpAddr::V4(ip)) => write!(f, "/ip4/{ip}/tcp/{}", self.port),
            Host::Ip(IpAddr::V6(ip)) => write!(f, "/ip6/{ip}/tcp/{}", self.port),
            Host::Name(name) => write!(f, "/dns4/{name}/tcp/{}", self.port),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_spellings_of_an_address_mean_the_same() {
        let pairs = [
            ("127.0.0.1:7100", "/ip4/127.0.0.1/tcp/7100"),
            ("[::1]:7100", "/ip6/::1/tcp/7100"),
            ("clinic-a.example:7100", "/dns4/clinic-a.example/tcp/7100"),
        ];
        for (short, long) in pairs {
            let address: Address = short.parse().unwrap();
            assert_eq!(address, long.parse().unwrap());
            assert_eq!(address.to_string(), long);
        }
    }

    #[test]
    fn what_cannot_be_dialled_is_refused() {
        for text in [
            "",
            ":",
            "host",
            "host:",
            ":7100",
            "host:0",
            "host:65536",
            "host:+7100",
            "host:07100",
            "[::1]:07100",
            "a b:1",
            "/ip4/1.2.3/tcp/1",
            "/ip4/1.2.3.4/udp/1",
            "/ip4/1.2.3.4/tcp/1/p2p/x",
            "/dns4//tcp/1",
            "http://h:1",
        ] {
            assert_eq!(
                text.parse::<Address>(),
                Err(BadAddress {
                    text: text.to_owned()
                })
            );
        }
    }

    #[tokio::test]
    async fn a_name_is_resolved_by_the_system() {
        let address: Address = "localhost:7100".parse().unwrap();
        let found = address.resolve().await.unwrap();
        assert!(
            found
                .iter()
                .any(|socket| socket.ip().is_loopback() && socket.port() == 7100)
        );
    }
}
