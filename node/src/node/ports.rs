//! Who holds a port that this node needs, as far as the system tells.

use std::{
    fmt, io,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener},
};

use crate::config::{Config, Setting};

/// A port that cannot be had.
#[derive(Debug, thiserror::Error)]
#[error(
    "cannot listen on {address}{holder}: {cause}; choose another with {flag} or {key} in node.toml"
)]
pub struct PortError {
    /// The address.
    pub address: SocketAddr,
    /// Who has it.
    pub holder: Holder,
    /// The flag that changes it.
    pub flag: String,
    /// The key in the file that changes it.
    pub key: &'static str,
    /// What the system says.
    #[source]
    pub cause: io::Error,
}

/// The process that listens on a port, if it could be found out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Holder(pub Option<(u32, String)>);

impl fmt::Display for Holder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Some((pid, name)) => write!(f, " (held by process {pid}, {name})"),
            None => Ok(()),
        }
    }
}

/// Tries each listener of a node before anything is started, so that the error names the setting.
pub fn check(config: &Config) -> Result<(), PortError> {
    let listeners = [
        (Setting::P2pListen, config.p2p_listen),
        (Setting::ApiListen, config.api_listen),
        (Setting::MemberListen, config.member_listen),
        (Setting::OperationsListen, config.operations_listen),
    ];
    for (setting, address) in listeners {
        if let Err(cause) = TcpListener::bind(address) {
            let holder = Holder(holder(address));
            return Err(PortError {
                address,
                holder,
                flag: setting.flag(),
                key: setting.key(),
                cause,
            });
        }
    }
    Ok(())
}

/// The process that listens where `address` would.
fn holder(address: SocketAddr) -> Option<(u32, String)> {
    let tables = ["/proc/net/tcp", "/proc/net/tcp6"];
    let inode = tables.into_iter().find_map(|table| {
        let text = std::fs::read_to_string(table).ok()?;
        text.lines()
            .skip(1)
            .find_map(|line| listener(line, address))
    })?;
    let wanted = format!("socket:[{inode}]");
    let processes = std::fs::read_dir("/proc").ok()?;
    processes.flatten().find_map(|process| {
        let pid: u32 = process.file_name().to_str()?.parse().ok()?;
        let mut files = std::fs::read_dir(process.path().join("fd")).ok()?.flatten();
        files.find(|file| {
            std::fs::read_link(file.path()).is_ok_and(|link| link.as_os_str() == wanted.as_str())
        })?;
        let name = std::fs::read_to_string(process.path().join("comm")).unwrap_or_default();
        Some((pid, name.trim().to_owned()))
    })
}

/// The socket in a line of `/proc/net/tcp`, if it listens where `address` would.
fn listener(line: &str, address: SocketAddr) -> Option<u64> {
    let mut fields = line.split_whitespace().skip(1);
    let (local, state) = (fields.next()?, fields.nth(1)?);
    let (ip, port) = local.split_once(':')?;
    let port = u16::from_str_radix(port, 16).ok()?;
    let ip = kernel_ip(ip)?;
    let collides = ip == address.ip() || ip.is_unspecified() || address.ip().is_unspecified();
    if state != "0A" || port != address.port() || !collides {
        return None;
    }
    fields.nth(5)?.parse().ok()
}

/// An address as the kernel prints it: 32-bit words in the machine's order.
fn kernel_ip(hex: &str) -> Option<IpAddr> {
    let words: Vec<[u8; 4]> = hex
        .as_bytes()
        .chunks(8)
        .map(|word| {
            Some(
                u32::from_str_radix(str::from_utf8(word).ok()?, 16)
                    .ok()?
                    .to_ne_bytes(),
            )
        })
        .collect::<Option<_>>()?;
    match words.as_slice() {
        [v4] => Some(IpAddr::V4(Ipv4Addr::from(*v4))),
        [_, _, _, _] => {
            let octets: [u8; 16] = words.concat().try_into().ok()?;
            Some(IpAddr::V6(Ipv6Addr::from(octets)))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;

    #[test]
    fn a_taken_port_is_told_with_its_flag_and_its_holder() {
        let taken = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let mut config = Config::local(Path::new("/nowhere"), "rc", 20_000, 0).unwrap();
        for address in [
            &mut config.p2p_listen,
            &mut config.member_listen,
            &mut config.operations_listen,
        ] {
            address.set_port(0);
        }
        config.api_listen = taken.local_addr().unwrap();
        let error = check(&config).unwrap_err();
        assert_eq!(error.flag, "--api-listen");
        assert_eq!(
            error.holder.0.as_ref().map(|(pid, _)| *pid),
            Some(std::process::id())
        );
        let text = error.to_string();
        assert!(
            text.contains(&format!("process {}", std::process::id())),
            "{text}"
        );
    }

    #[test]
    fn addresses_are_read_as_the_kernel_prints_them() {
        assert_eq!(kernel_ip("0100007F"), Some(IpAddr::V4(Ipv4Addr::LOCALHOST)));
        let localhost6 = "00000000000000000000000001000000";
        assert_eq!(kernel_ip(localhost6), Some(IpAddr::V6(Ipv6Addr::LOCALHOST)));
        assert_eq!(kernel_ip("01"), Some(IpAddr::V4(Ipv4Addr::new(1, 0, 0, 0))));
        assert_eq!(kernel_ip("xyz"), None);
    }
}
