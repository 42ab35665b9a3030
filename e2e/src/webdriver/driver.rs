//! The chromedriver process, and the one encoding that it sends pictures in.

use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use bench::clock::wait_for;
use bench::http::Connection;

use crate::claims::Broken;

/// A running chromedriver. Ended when dropped.
#[derive(Debug)]
pub(crate) struct Driver {
    child: Child,
    address: SocketAddr,
}

impl Driver {
    /// Starts it on a free port.
    pub(crate) fn start() -> Result<Self, Broken> {
        let address = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?;
        let child = Command::new("chromedriver")
            .arg(format!("--port={}", address.port()))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()?;
        let driver = Self { child, address };
        let ready = wait_for(Duration::from_secs(20), || {
            Connection::new(address, Duration::from_secs(2))
                .get("/status")
                .ok()
                .filter(|answer| answer.status == 200)
        });
        ready
            .map(|_| driver)
            .ok_or_else(|| "chromedriver did not answer in 20 s".into())
    }

    /// Where it listens.
    pub(crate) const fn address(&self) -> SocketAddr {
        self.address
    }
}

impl Drop for Driver {
    fn drop(&mut self) {
        // Both fail only when it has ended by itself.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// Decodes standard Base64 (RFC 4648 §4).
pub(super) fn base64(text: &str) -> Result<Vec<u8>, Broken> {
    let mut bytes = Vec::new();
    let (mut held, mut bits) = (0_u32, 0_u32);
    for letter in text.bytes().filter(|letter| *letter != b'=') {
        let value = match letter {
            b'A'..=b'Z' => letter.wrapping_sub(b'A'),
            b'a'..=b'z' => letter.wrapping_sub(b'a').wrapping_add(26),
            b'0'..=b'9' => letter.wrapping_sub(b'0').wrapping_add(52),
            b'+' => 62,
            b'/' => 63,
            _ => return Err("not Base64".into()),
        };
        held = (held << 6) | u32::from(value);
        bits = bits.wrapping_add(6);
        if bits >= 8 {
            bits = bits.wrapping_sub(8);
            let [_, _, _, byte] = (held >> bits).to_be_bytes();
            bytes.push(byte);
        }
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_vectors_of_the_standard_decode() {
        let pairs = [
            ("", ""),
            ("Zg==", "f"),
            ("Zm8=", "fo"),
            ("Zm9v", "foo"),
            ("Zm9vYmFy", "foobar"),
        ];
        for (encoded, plain) in pairs {
            assert_eq!(base64(encoded).unwrap(), plain.as_bytes());
        }
    }

    #[test]
    fn a_strange_letter_is_refused() {
        assert_eq!(base64("Zm9v!").unwrap_err().to_string(), "not Base64");
    }
}
