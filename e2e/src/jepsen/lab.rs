//! A network for four members: a namespace for each, joined by a bridge in a fifth.
//!
//! Nothing of it touches this machine's own network. Members reach each other over the bridge only; tests reach a
//! member from inside its namespace, so that no partition of members cuts a client off from its server.

use std::collections::BTreeSet;
use std::io::Write as _;
use std::net::Ipv4Addr;
use std::process::{Command, Stdio};

use bench::place::Place;

use crate::claims::{Broken, Verdict};
use crate::tools::{finish, has};

/// How many members.
pub(super) const MEMBERS: usize = 4;

/// Programs that make the network.
const PROGRAMS: [(&str, &str); 2] = [("ip", "iproute2"), ("nft", "nftables")];

/// Frames of one member that another does not get: from, to.
pub(super) type Cut = (usize, usize);

/// The namespaces. Dropping it removes them.
#[derive(Debug)]
pub(super) struct Lab {
    /// Begins the names of the namespaces of this run.
    tag: String,
}

impl Lab {
    /// Makes the network, or says what is missing.
    pub(super) fn build() -> Result<Self, Broken> {
        for (program, package) in PROGRAMS {
            if !has(program) {
                return Err(format!("no `{program}` in the path: install {package}").into());
            }
        }
        let lab = Self {
            tag: format!("aidchain-{}", std::process::id()),
        };
        lab.wire().map_err(|why| {
            format!("cannot make network namespaces (root with CAP_NET_ADMIN and CAP_SYS_ADMIN is needed): {why}")
        })?;
        Ok(lab)
    }

    /// Makes namespaces, bridge and cables.
    fn wire(&self) -> Verdict {
        let hub = self.hub();
        ip(&["netns", "add", &hub])?;
        ip(&["-n", &hub, "link", "add", "bridge", "type", "bridge"])?;
        ip(&["-n", &hub, "link", "set", "bridge", "up"])?;
        for member in 0..MEMBERS {
            let (there, cable) = (self.namespace(member), format!("member{member}"));
            let address = format!("{}/24", address(member));
            ip(&["netns", "add", &there])?;
            ip(&[
                "link", "add", &cable, "netns", &hub, "type", "veth", "peer", "name", "members",
                "netns", &there,
            ])?;
            ip(&["-n", &hub, "link", "set", &cable, "master", "bridge", "up"])?;
            ip(&["-n", &there, "addr", "add", &address, "dev", "members"])?;
            ip(&["-n", &there, "link", "set", "members", "up"])?;
            ip(&["-n", &there, "link", "set", "lo", "up"])?;
        }
        Ok(())
    }

    /// Where each member runs.
    pub(super) fn places(&self) -> [Place; MEMBERS] {
        std::array::from_fn(|member| Place::Namespace {
            name: self.namespace(member),
            address: address(member),
        })
    }

    /// From now on exactly these frames are lost: dropped where they arrive, in silence, as by a broken network.
    pub(super) fn cut(&self, cuts: &BTreeSet<Cut>) -> Verdict {
        for member in 0..MEMBERS {
            let from = cuts.iter().filter(|(_, to)| *to == member);
            let sources: Vec<String> = from.map(|(from, _)| address(*from).to_string()).collect();
            nft(&self.namespace(member), &rules(&sources))?;
        }
        Ok(())
    }

    /// The namespace with the bridge.
    fn hub(&self) -> String {
        format!("{}-hub", self.tag)
    }

    /// The namespace of a member.
    fn namespace(&self, member: usize) -> String {
        format!("{}-{member}", self.tag)
    }
}

impl Drop for Lab {
    fn drop(&mut self) {
        for member in 0..MEMBERS {
            // What was never made cannot be removed, and is no loss.
            drop(ip(&["netns", "del", &self.namespace(member)]));
        }
        drop(ip(&["netns", "del", &self.hub()]));
    }
}

/// A member's address on the bridge.
fn address(member: usize) -> Ipv4Addr {
    let last = u8::try_from(member).unwrap_or(u8::MAX).saturating_add(1);
    Ipv4Addr::new(10, 77, 0, last)
}

/// The whole filter of one member, replacing the one before in one step.
fn rules(dropped: &[String]) -> String {
    let rule = match dropped {
        [] => String::new(),
        some => format!("ip saddr {{ {} }} drop\n", some.join(", ")),
    };
    format!(
        "table inet cuts\ndelete table inet cuts\n\
         table inet cuts {{\nchain arriving {{\ntype filter hook input priority 0\n{rule}}}\n}}\n"
    )
}

/// Runs `ip`.
fn ip(arguments: &[&str]) -> Verdict {
    let mut command = Command::new("ip");
    finish(command.args(arguments))?.ended_with(0)
}

/// Hands rules to the packet filter of a namespace.
fn nft(namespace: &str, rules: &str) -> Verdict {
    let mut child = Command::new("ip")
        .args(["netns", "exec", namespace, "nft", "-f", "-"])
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()?;
    if let Some(mut input) = child.stdin.take() {
        input.write_all(rules.as_bytes())?;
    }
    let output = child.wait_with_output()?;
    if output.status.success() {
        return Ok(());
    }
    let talk = String::from_utf8_lossy(&output.stderr).into_owned();
    Err(format!("nft in {namespace}: {}\n{talk}", output.status).into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_filter_names_each_cut_source_once_and_nothing_when_all_is_well() {
        let some = rules(&["10.77.0.1".to_owned(), "10.77.0.3".to_owned()]);

        assert!(some.contains("ip saddr { 10.77.0.1, 10.77.0.3 } drop\n"));
        assert!(!rules(&[]).contains("drop"));
    }
}
