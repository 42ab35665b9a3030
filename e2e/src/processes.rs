//! Real processes on loopback that are killed, starved, misled and corrupted.

mod backup;
mod disk;
mod growth;
mod homes;
mod kills;
mod readme;
mod renewal;
mod settled;
mod skew;
mod start;
mod upgrade;
pub(crate) mod votes;

use std::process::Command;
use std::time::Duration;

use bench::clock::wait_for;
use bench::consortium::{Consortium, Node};
use bench::workload::Workload;

use crate::claims::{Broken, Claims, Verdict};
use crate::tools::{Ended, aidchain, finish};

/// Patients in the genesis of each consortium here.
const PATIENTS: u32 = 50;

/// All claims about processes.
pub(crate) fn run(claims: &mut Claims) {
    readme::claims(claims);
    start::claims(claims);
    homes::claims(claims);
    disk::claims(claims);
    skew::claims(claims);
    backup::claims(claims);
    renewal::claims(claims);
    upgrade::claims(claims);
    kills::claims(claims);
    growth::claims(claims);
}

/// A fresh consortium, not yet started, and the patients it knows.
fn consortium() -> Result<(Consortium, Workload), Broken> {
    let workload = Workload::new(7, PATIENTS);
    Ok((Consortium::create(&aidchain(), &workload)?, workload))
}

/// Runs a command on the home of a member.
fn home(consortium: &Consortium, node: &Node, words: &[&str]) -> Result<Ended, Broken> {
    let mut command = Command::new(&consortium.binary);
    command
        .arg("--json")
        .args(words)
        .arg("--home")
        .arg(&node.home);
    Ok(finish(&mut command)?)
}

/// Runs a command of a member against its own node.
fn ask(consortium: &Consortium, index: usize, words: &[&str]) -> Result<Ended, Broken> {
    let node = consortium.nodes.get(index).ok_or("no such member")?;
    let mut command = Command::new(&consortium.binary);
    command
        .arg("--json")
        .args(words)
        .env("AIDCHAIN_HOME", &node.home)
        .env("AIDCHAIN_NODE", format!("http://{}", node.member_api()));
    Ok(finish(&mut command)?)
}

/// A member votes by a command.
fn vote(consortium: &Consortium, index: usize, words: &[&str]) -> Verdict {
    ask(consortium, index, words)?.ended_with(0)
}

/// A transaction's receipt, fetched from a member, is valid to somebody who has the genesis file and no network.
fn receipt_verifies(consortium: &Consortium, index: usize, transaction: &str) -> Verdict {
    let node = consortium.nodes.get(index).ok_or("no such member")?;
    let mut connection = node.connection(node.member_api(), Duration::from_secs(10));
    let path = format!("/v1/transactions/{transaction}/receipt");
    let answer = wait_for(Duration::from_secs(20), || {
        let response = connection.get(&path).ok()?;
        (response.status == 200).then_some(response)
    });
    let answer = answer.ok_or_else(|| format!("{} gives no receipt at {path}", node.name))?;
    let file = consortium
        .folder
        .path()
        .join(format!("{index}-{transaction}.receipt.json"));
    std::fs::write(&file, answer.body)?;
    let mut command = Command::new(&consortium.binary);
    command.args([
        "receipt",
        "verify",
        "--offline",
        "--expect-transaction",
        transaction,
    ]);
    command
        .arg("--trust")
        .arg(consortium.genesis_path())
        .arg(&file);
    finish(&mut command)?.ended_with(0)
}
