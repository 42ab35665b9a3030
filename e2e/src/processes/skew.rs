//! Members whose clocks are wrong: `faketime` and a binary linked dynamically.

use std::fs::File;
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use bench::clock::wait_for;
use bench::consortium::Node;
use bench::load::{Arrival, Load};
use serde_json::Value;

use super::{consortium, settled};
use crate::claims::{Broken, Claims, Verdict, ensure};
use crate::tools::dynamic_aidchain;

/// The claims.
pub(super) fn claims(claims: &mut Claims) {
    for (offset, words) in [("+300s", "ahead"), ("-300s", "behind")] {
        let claim = format!(
            "a member whose clock is five minutes {words} stops nobody and is named with its skew"
        );
        claims.hold(&claim, || skewed(offset));
    }
}

/// Starts a member under a wrong clock.
fn start_skewed(node: &Node, binary: &Path, offset: &str) -> Result<Child, Broken> {
    let plain = node.command(binary)?;
    let mut command = Command::new("faketime");
    command
        .args(["-f", offset])
        .arg(plain.get_program())
        .args(plain.get_args());
    command.env("FAKETIME_DONT_FAKE_MONOTONIC", "1");
    command.envs(
        plain
            .get_envs()
            .filter_map(|(key, value)| Some((key, value?))),
    );
    let log = File::create(node.log_path())?;
    command
        .stdin(Stdio::null())
        .stdout(log.try_clone()?)
        .stderr(log)
        .process_group(0);
    Ok(command.spawn()?)
}

/// One member, the first primary, under a wrong clock.
fn skewed(offset: &str) -> Verdict {
    let dynamic = dynamic_aidchain()?;
    let (mut consortium, workload) = consortium()?;
    let binary = consortium.binary.clone();
    for node in &mut consortium.nodes {
        if node.index == 0 {
            let child = start_skewed(node, &dynamic, offset)?;
            node.adopt(child);
        } else {
            node.start(&binary)?;
        }
    }
    let load = Load::start(
        &consortium,
        &workload,
        Arrival::Closed { connections: 1 },
        4,
    )?;
    let newest = || {
        load.samples()
            .iter()
            .filter_map(|sample| sample.height)
            .max()
    };
    let height = wait_for(Duration::from_secs(40), || {
        newest().filter(|height| *height >= 3)
    });
    load.finish();
    let height = height.ok_or("nothing was committed in 40 s")?;
    settled::reaches(&consortium, height, Duration::from_secs(30))?;

    let other = consortium.nodes.get(1).ok_or("no member")?;
    let far = |skew: &i64| skew.abs() > 200_000;
    let named = wait_for(Duration::from_secs(20), || {
        skew_told(&other.status()?).filter(far)
    });
    ensure(named.is_some(), || {
        format!("the others do not show the skew: {:?}", other.status())
    })
}

/// The clock skew that a status tells of the first member, in milliseconds.
fn skew_told(status: &Value) -> Option<i64> {
    status.pointer("/members/0/clock_skew_ms")?.as_i64()
}
