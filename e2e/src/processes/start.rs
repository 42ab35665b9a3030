//! Starting and stopping in the ordinary way, and on a port that somebody else has.

use std::net::TcpListener;
use std::process::Stdio;
use std::time::Duration;

use bench::clock::Moment;
use bench::load::{Arrival, Load};

use super::{consortium, settled};
use crate::claims::{Claims, Verdict, ensure, ensure_equal};
use crate::tools::finish;

/// The claims.
pub(super) fn claims(claims: &mut Claims) {
    claims.hold(
        "a consortium stopped under load ends within five seconds and goes on where it was",
        stop_and_go_on,
    );
    claims.hold(
        "a taken port is named and ends the node with the code for bad configuration",
        taken_port,
    );
}

/// SIGTERM to all, then all again.
fn stop_and_go_on() -> Verdict {
    let (mut consortium, workload) = consortium()?;
    consortium.start_all()?;
    consortium.wait_ready(Duration::from_secs(30))?;
    let load = Load::start(
        &consortium,
        &workload,
        Arrival::Closed { connections: 1 },
        4,
    )?;
    std::thread::sleep(Duration::from_secs(2));

    for node in &mut consortium.nodes {
        let start = Moment::now();
        let ended_well = node.stop(Duration::from_secs(5));
        let seconds = start.elapsed().as_secs_f64();
        ensure(ended_well, || {
            format!(
                "{} did not end well in {seconds:.1} s:\n{}",
                node.name,
                node.log()
            )
        })?;
    }
    let samples = load.finish();
    consortium.start_all()?;
    consortium.wait_ready(Duration::from_secs(30))?;

    settled::same_state(&consortium)?;
    settled::nothing_lost(&consortium, &samples)?;
    ensure(samples.iter().any(|sample| sample.height.is_some()), || {
        "nothing was acknowledged".to_owned()
    })
}

/// Somebody else listens on a member's port.
fn taken_port() -> Verdict {
    let (consortium, _) = consortium()?;
    let node = consortium.nodes.first().ok_or("no member")?;
    for address in [node.p2p(), node.api(), node.member_api(), node.operations()] {
        let _holder = TcpListener::bind(address)?;
        let mut command = node.command(&consortium.binary)?;
        let ended = finish(command.stdout(Stdio::piped()).stderr(Stdio::piped()))?;

        ensure_equal(&format!("exit code with {address} taken"), &ended.code, &8)?;
        let named = ended.talk.contains(&address.to_string());
        ensure(named, || {
            format!("the message does not name {address}:\n{}", ended.talk)
        })?;
    }
    Ok(())
}
