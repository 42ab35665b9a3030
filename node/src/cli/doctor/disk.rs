//! What this machine's own files and ports say.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpStream};
use std::path::Path;
use std::time::Duration;

use consensus::ChainId;
use contract::{BlockTime, Genesis, Height, Root};
use patient::code::Code;
use patient::output::Failure;
use rustix::fs::statvfs;

use super::super::home::key_failure;
use super::super::node::backup::of_store;
use super::super::node::failure;
use super::finding::{Check, Finding, Life};
use crate::config::Config;
use crate::epochs::EpochsError;
use crate::executor;
use crate::keys::{KeyError, Keys};
use crate::node::{self, NodeError};
use crate::snapshot::inventory::disk_bytes;
use crate::store::{self, Inspected};
use crate::vault;
use crate::votelog;

/// The next step where nothing can be said without the keys.
const KEYS_FIRST: &str = "see the finding about keys";

/// How long one of this machine's own listeners may take to accept.
const ACCEPT: Duration = Duration::from_secs(1);

/// Free octets below which there is an error: the node stops when it cannot write.
const FREE_MIN: u64 = 256 << 20;

/// Free octets below which there is a warning.
const FREE_LOW: u64 = 2 << 30;

/// Days until the disk is full below which there is a warning.
const DAYS_LOW: u64 = 30;

/// The blocks must span this much time for their growth to say anything.
const SPAN_MIN_MS: u64 = 3_600_000;

/// Milliseconds of a day.
const DAY_MS: u64 = 86_400_000;

/// Whether the home's genesis file, keys and name fit together.
pub(super) fn home(config: &Config) -> Finding {
    match node::identify(config) {
        Ok(member) => Finding::good(
            Check::Home,
            format!(
                "{} ({}), keys and genesis.json fit",
                member.name, member.role
            ),
        ),
        Err(NodeError::Keys(_)) => Finding::warning(
            Check::Home,
            "not known whose it is, without its keys",
            KEYS_FIRST,
        ),
        Err(error) => Finding::bad(Check::Home, &failure::of_node(&error)),
    }
}

/// The key files.
pub(super) fn keys(loaded: &Result<Keys, KeyError>) -> Finding {
    match loaded {
        Ok(_keys) => Finding::good(Check::Keys, "3 key files, mode 0600, readable"),
        Err(error) => Finding::bad(Check::Keys, &key_failure(error)),
    }
}

/// Room on the disk of the home, and for how long it lasts at the rate of the newest blocks.
pub(super) fn disk(home: &Path, inspected: Option<&Inspected>) -> Finding {
    let cannot = |cause: &dyn std::fmt::Display| {
        let failure = Failure::new(Code::CannotRead)
            .message(format!("cannot measure {}", home.display()))
            .because(cause);
        Finding::bad(Check::Disk, &failure)
    };
    let free = match statvfs(home) {
        Ok(disk) => disk.f_bavail.saturating_mul(disk.f_frsize),
        Err(cause) => return cannot(&cause),
    };
    match disk_bytes(home) {
        Ok(used) => room(free, used, inspected.and_then(per_day)),
        Err(cause) => cannot(&cause),
    }
}

/// Octets of blocks a day, as the checked ones were written; nothing while they span too little time.
fn per_day(inspected: &Inspected) -> Option<u64> {
    let times = || inspected.roots.values().map(|(_, time)| time.get());
    // Block 0 has the time of the genesis file, which may be long before the first start.
    let first = times().nth(1)?;
    let span = times().next_back()?.checked_sub(first)?;
    if span < SPAN_MIN_MS {
        return None;
    }
    inspected
        .checked_bytes
        .saturating_mul(DAY_MS)
        .checked_div(span)
}

/// What is said of so much room.
fn room(free: u64, used: u64, per_day: Option<u64>) -> Finding {
    let days = per_day.and_then(|rate| free.checked_div(rate));
    let lasts = match days {
        None => "how fast it grows is not known yet".to_owned(),
        Some(days) if days > 730 => format!("about {} years of blocks at today's rate", days / 365),
        Some(days) => format!("about {days} days of blocks at today's rate"),
    };
    let text = format!("{} free, {} used, {lasts}", size(free), size(used));
    let help = "make room, or let old blocks go with `retain` in node.toml";
    if free < FREE_MIN {
        return Finding::bad(
            Check::Disk,
            &Failure::new(Code::DiskFull).message(text).help(help),
        );
    }
    if free < FREE_LOW || days.is_some_and(|days| days < DAYS_LOW) {
        return Finding::warning(Check::Disk, text, help);
    }
    Finding::good(Check::Disk, text)
}

/// A number of octets in words.
fn size(octets: u64) -> String {
    match octets {
        0..1_000_000 => format!("{} kB", octets / 1_000),
        1_000_000..1_000_000_000 => format!("{} MB", octets / 1_000_000),
        _ => format!("{} GB", octets / 1_000_000_000),
    }
}

/// Whether a running node listens, or a node that is to start could.
pub(super) fn ports(config: &Config, life: Life) -> Finding {
    let outside = "whether the others can dial them was not tried";
    if life == Life::Stands {
        return match node::check_ports(config) {
            Ok(()) => Finding::good(Check::Ports, format!("4 ports are free; {outside}")),
            Err(error) => Finding::bad(Check::Ports, &failure::of_node(&error.into())),
        };
    }
    let listeners = [
        config.p2p_listen,
        config.api_listen,
        config.member_listen,
        config.operations_listen,
    ];
    let deaf = listeners
        .into_iter()
        .find(|address| TcpStream::connect_timeout(&reached(*address), ACCEPT).is_err());
    match deaf {
        None => Finding::good(
            Check::Ports,
            format!("4 ports accept connections; {outside}"),
        ),
        Some(address) => Finding::bad(
            Check::Ports,
            &Failure::new(Code::CannotReach)
                .message(format!("nothing accepts connections on {address}"))
                .help("look into the node's log, and start it again"),
        ),
    }
}

/// Where this machine reaches one of its own listeners.
pub(super) fn reached(mut listener: SocketAddr) -> SocketAddr {
    if listener.ip().is_unspecified() {
        listener.set_ip(match listener.ip() {
            IpAddr::V4(_) => Ipv4Addr::LOCALHOST.into(),
            IpAddr::V6(_) => Ipv6Addr::LOCALHOST.into(),
        });
    }
    listener
}

/// The vote log of the home's key.
pub(super) fn votes(home: &Path, genesis: &Genesis, keys: &Result<Keys, KeyError>) -> Finding {
    let Ok(keys) = keys else {
        let text = "not known whose they should be, without the keys";
        return Finding::warning(Check::Votes, text, KEYS_FIRST);
    };
    let key = keys.member_public();
    let chain = ChainId::new(*genesis.chain().as_bytes());
    let read = votelog::inspect(home, chain, consensus::PublicKey::new(*key.as_bytes()));
    let failure = match read {
        Ok(Ok(extent)) => {
            return Finding::good(
                Check::Votes,
                format!("whole; records {}, files {}", extent.records, extent.files),
            );
        }
        Ok(Err(votelog::Loss::OtherChain)) => Failure::new(Code::OtherStore)
            .message("the vote log belongs to another ledger than genesis.json")
            .help("give this home its own genesis.json back"),
        Ok(Err(loss)) => Failure::new(Code::VotesLost).message(loss.to_string()),
        Err(error) => failure::of_node(&error.into()),
    };
    Finding::bad(Check::Votes, &failure)
}

/// The vaults: epoch keys, shares of passwords, and at the registration centre the patients.
pub(super) fn vault(home: &Path) -> Finding {
    match vault::inspect(home) {
        Ok(counts) if counts.is_empty() => {
            let text = "there is no vault: a node that starts makes it";
            Finding::warning(Check::Vault, text, "start the node")
        }
        Ok(counts) => {
            let counts: Vec<String> = counts
                .iter()
                .map(|(name, secrets)| format!("{name} {secrets}"))
                .collect();
            Finding::good(Check::Vault, format!("whole; {}", counts.join(", ")))
        }
        Err(error) => {
            let failure = failure::of_node(&NodeError::from(EpochsError::from(error)));
            Finding::bad(Check::Vault, &failure)
        }
    }
}

/// The block file, its newest blocks re-checked.
pub(super) fn ledger(
    home: &Path,
    genesis: &Genesis,
    newest: usize,
    life: Life,
) -> (Finding, Option<Inspected>) {
    let inspected = match store::inspect(&home.join(executor::FOLDER), genesis, newest) {
        Ok(Some(inspected)) => inspected,
        Ok(None) => {
            let text = "there is no block file: the ledger begins here, or comes from the others";
            return (
                Finding::warning(Check::Ledger, text, "start the node"),
                None,
            );
        }
        Err(error) => return (Finding::bad(Check::Ledger, &of_store(&error)), None),
    };
    let text = format!(
        "blocks {}{}, hashes re-checked {}/{}",
        inspected.blocks,
        tip(&inspected),
        inspected.checked,
        inspected.blocks
    );
    let finding = if let Some(fault) = inspected.fault {
        let failure = Failure::new(Code::StoreDamaged)
            .message(format!("{fault} ({text})"))
            .help("stop the node, then: aidchain node repair");
        Finding::bad(Check::Ledger, &failure)
    } else if inspected.torn_bytes > 0 && life == Life::Stands {
        let text = format!("{text}; the last entry was not finished when the node ended");
        Finding::warning(
            Check::Ledger,
            text,
            "start the node: it writes that entry again",
        )
    } else {
        Finding::good(Check::Ledger, text)
    };
    (finding, Some(inspected))
}

/// The newest block in words.
fn tip(inspected: &Inspected) -> String {
    let newest: Option<(&Height, &(Root, BlockTime))> = inspected.roots.last_key_value();
    newest.map_or_else(String::new, |(height, _)| format!(", newest {height}"))
}

#[cfg(test)]
mod tests {
    use patient::output::Mark;

    use super::*;

    #[test]
    fn a_disk_is_judged_by_what_is_free_and_by_how_long_it_lasts() {
        let mark = |free, per_day| room(free, 0, per_day).mark;

        assert_eq!(mark(71 << 30, Some(20 << 20)), Mark::Good);
        assert_eq!(mark(71 << 30, None), Mark::Good);
        assert_eq!(mark(71 << 30, Some(3 << 30)), Mark::Warning);
        assert_eq!(mark(FREE_LOW - 1, None), Mark::Warning);
        assert_eq!(mark(FREE_MIN - 1, None), Mark::Bad);
        assert!(
            room(71 << 30, 0, Some(20 << 20))
                .text
                .contains("about 9 years")
        );
    }

    #[test]
    fn growth_is_told_only_of_blocks_that_span_some_time() {
        let blocks = |span_ms: u64| Inspected {
            roots: [(0, 0), (1, 1_000), (2, 1_000 + span_ms)]
                .map(|(height, time)| (Height::new(height), (Root::ZERO, BlockTime::new(time))))
                .into(),
            checked_bytes: 1_000,
            ..Inspected::default()
        };

        assert_eq!(per_day(&blocks(SPAN_MIN_MS - 1)), None);
        assert_eq!(per_day(&blocks(SPAN_MIN_MS)), Some(24_000));
        assert_eq!(per_day(&Inspected::default()), None);
    }
}
