//! The few addresses we speak to: scheme, host, port, nothing else.

use std::fmt;
use std::net::Ipv6Addr;
use std::str::FromStr;

use thiserror::Error;

/// `https://127.0.0.1:8100` or `http://127.0.0.1:8200`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Url {
    tls: bool,
    host: String,
    port: u16,
}

/// A text that is not such an address.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{0:?} is not an address like https://127.0.0.1:8100")]
pub struct BadUrl(pub String);

impl Url {
    /// Whether it is reached by TLS.
    pub const fn is_tls(&self) -> bool {
        self.tls
    }

    /// The name or address of the machine.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// The port.
    pub const fn port(&self) -> u16 {
        self.port
    }

    /// Host and port as the Host header has them.
    pub fn authority(&self) -> String {
        if self.host.contains(':') {
            return format!("[{}]:{}", self.host, self.port);
        }
        format!("{}:{}", self.host, self.port)
    }
}

impl fmt::Display for Url {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = if self.tls { "https" } else { "http" };
        write!(f, "{scheme}://{}", self.authority())
    }
}

impl FromStr for Url {
    type Err = BadUrl;

    fn from_str(text: &str) -> Result<Self, BadUrl> {
        parse(text).ok_or_else(|| BadUrl(text.to_owned()))
    }
}

fn parse(text: &str) -> Option<Url> {
    let (scheme, rest) = text.split_once("://")?;
    let (tls, usual) = match scheme {
        "https" => (true, 443),
        "http" => (false, 80),
        _ => return None,
    };
    let authority = rest.strip_suffix('/').unwrap_or(rest);
    let (host, port) = match authority.strip_prefix('[') {
        Some(six) => {
            let (host, rest) = six.split_once(']')?;
            host.parse::<Ipv6Addr>().ok()?;
            match rest {
                "" => (host, None),
                _ => (host, Some(rest.strip_prefix(':')?)),
            }
        }
        None => match authority.split_once(':') {
            Some((host, port)) => (host, Some(port)),
            None => (authority, None),
        },
    };
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_' | ':');
    if host.is_empty() || !host.chars().all(plain) {
        return None;
    }
    let port = match port {
        // One spelling: neither a sign nor zeros in front.
        Some(digits) => digits
            .parse()
            .ok()
            .filter(|port: &u16| port.to_string() == digits)?,
        None => usual,
    };
    Some(Url {
        tls,
        host: host.to_owned(),
        port,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_written_as_it_was_read() {
        for text in [
            "https://127.0.0.1:8100",
            "http://clinic-a:8200",
            "https://[::1]:8100",
        ] {
            assert_eq!(text.parse::<Url>().expect(text).to_string(), text);
        }
        assert_eq!(
            "https://rc.example/".parse::<Url>().expect("url").port(),
            443
        );
    }

    #[test]
    fn what_is_no_address_is_refused() {
        for wrong in [
            "",
            "127.0.0.1:8100",
            "ftp://a:1",
            "https://",
            "https://a:70000",
            "https://a/b",
            "https://u@a",
            "https://a:8100?x",
            "https://a:+8100",
            "https://a:08100",
            "https://[::1]8100",
            "https://[::1]x",
            "https://[a.b]:8100",
        ] {
            assert_eq!(wrong.parse::<Url>(), Err(BadUrl(wrong.to_owned())));
        }
    }
}
