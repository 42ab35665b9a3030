//! A backup of a running member, a member restored from it, and one whose ledger is repaired.

use std::fs;
use std::time::Duration;

use bench::clock::wait_for;
use bench::consortium::Consortium;
use bench::load::{Arrival, Load};
use consensus::Record;
use serde_json::Value;

use super::votes::records;
use super::{consortium, home, settled};
use crate::claims::{Broken, Claims, Verdict, ensure, ensure_equal, say};

/// The member that is restored or repaired.
const VICTIM: usize = 2;

/// How long the ledger is watched for a block that must not come.
const WATCHED: Duration = Duration::from_secs(4);

/// How long anything may take.
const PATIENCE: Duration = Duration::from_secs(30);

/// The claims.
pub(super) fn claims(claims: &mut Claims) {
    claims.hold(
        "a backup of a running member verifies and restores, and the restored member signs nothing until its Rejoin",
        restored,
    );
    claims.hold(
        "a member with a damaged ledger database is repaired by one command and votes on",
        repaired,
    );
}

/// The newest height that was acknowledged, once it is above this one.
fn acknowledged(load: &Load, above: u64) -> Result<u64, Broken> {
    let newest = wait_for(PATIENCE, || {
        let newest = load
            .samples()
            .iter()
            .filter_map(|sample| sample.height)
            .max();
        newest.filter(|height| *height > above)
    });
    newest.ok_or_else(|| format!("nothing above block {above} was acknowledged").into())
}

/// Load through the members that are never stopped here.
fn load(consortium: &Consortium, workload: &bench::workload::Workload) -> Result<Load, Broken> {
    Ok(Load::start_at(
        &[0, 1],
        consortium,
        workload,
        Arrival::Closed { connections: 1 },
        4,
    )?)
}

/// Backs up under load, restores, and watches what the member does without its votes.
fn restored() -> Verdict {
    let (mut consortium, workload) = consortium()?;
    consortium.start_all()?;
    consortium.wait_ready(PATIENCE)?;
    let loaded = load(&consortium, &workload)?;
    acknowledged(&loaded, 5)?;
    let file = consortium
        .folder
        .path()
        .join("running.backup")
        .display()
        .to_string();
    let node = consortium.nodes.get(VICTIM).ok_or("no member")?;
    let made = home(&consortium, node, &["node", "backup", "--to", &file])?;
    made.ended_with(0)?;
    home(&consortium, node, &["node", "backup", "verify", &file])?.ended_with(0)?;
    let height = made
        .json()
        .get("height")
        .and_then(Value::as_u64)
        .ok_or("a backup without a height")?;
    acknowledged(&loaded, height.saturating_add(5))?;
    let samples = loaded.finish();

    for index in [VICTIM, 3] {
        consortium
            .nodes
            .get_mut(index)
            .ok_or("no member")?
            .stop(Duration::from_secs(6));
    }
    let node = consortium.nodes.get(VICTIM).ok_or("no member")?;
    let restore = home(
        &consortium,
        node,
        &["node", "restore", "--replace", "--from", &file],
    )?;
    restore.ended_with(0)?;
    ensure_equal(
        "restored block",
        &restore.json().get("height"),
        &Some(&Value::from(height)),
    )?;
    let binary = consortium.binary.clone();
    let victim = consortium.nodes.get_mut(VICTIM).ok_or("no member")?;
    victim.start(&binary)?;
    signs_nothing(&consortium)?;

    consortium
        .nodes
        .get_mut(3)
        .ok_or("no member")?
        .start(&binary)?;
    votes_again(&consortium)?;
    let folder = consortium
        .nodes
        .get(VICTIM)
        .ok_or("no member")?
        .home
        .join("votes");
    let early = records(&folder)
        .iter()
        .filter_map(Record::epoch)
        .any(|epoch| epoch.get() == 0);
    ensure(!early, || {
        "the restored member voted in the epoch of the backup".to_owned()
    })?;
    settled::same_state(&consortium)?;
    settled::nothing_lost(&consortium, &samples)?;
    say(&format!("        a backup of block {height}"));
    needs_the_victim(&mut consortium, &workload)
}

/// With two voters of four and the restored member the ledger stands still: it has no vote to give.
fn signs_nothing(consortium: &Consortium) -> Verdict {
    let (witness, victim) = (consortium.nodes.first(), consortium.nodes.get(VICTIM));
    let (witness, victim) = (witness.ok_or("no member")?, victim.ok_or("no member")?);
    let lost = wait_for(PATIENCE, || {
        let status = victim.status()?;
        status.get("votes_lost")?.as_str().map(str::to_owned)
    });
    let lost = lost.ok_or("the restored member does not say that its votes are lost")?;
    ensure(lost.contains("signs nothing"), || lost.clone())?;
    let before = witness.height();
    std::thread::sleep(WATCHED);
    ensure_equal(
        "height without a quorum of voters",
        &witness.height(),
        &before,
    )?;
    ensure(!victim.home.join("votes").exists(), || {
        "a vote log was made before the ledger let the member in again".to_owned()
    })
}

/// Waits until the restored member votes, in a later epoch.
fn votes_again(consortium: &Consortium) -> Verdict {
    let victim = consortium.nodes.get(VICTIM).ok_or("no member")?;
    let back = wait_for(PATIENCE, || {
        let status = victim.status()?;
        let later = status.get("epoch")?.as_u64()? > 0;
        (later && status.get("votes_lost")?.is_null()).then_some(())
    });
    ensure(back.is_some(), || {
        format!("the member does not vote again: {:?}", victim.status())
    })
}

/// With another member down, something is acknowledged only by the victim's votes.
fn needs_the_victim(consortium: &mut Consortium, workload: &bench::workload::Workload) -> Verdict {
    consortium.nodes.get_mut(3).ok_or("no member")?.kill();
    let top = consortium
        .nodes
        .first()
        .and_then(bench::consortium::Node::height);
    let loaded = load(consortium, workload)?;
    let height = acknowledged(&loaded, top.unwrap_or_default())?;
    loaded.finish();
    settled::reaches(consortium, height, PATIENCE)
}

/// The database is overwritten; the block file and the votes are whole.
fn repaired() -> Verdict {
    let (mut consortium, workload) = consortium()?;
    consortium.start_all()?;
    consortium.wait_ready(PATIENCE)?;
    let loaded = load(&consortium, &workload)?;
    acknowledged(&loaded, 5)?;
    let victim = consortium.nodes.get_mut(VICTIM).ok_or("no member")?;
    victim.stop(Duration::from_secs(6));
    fs::write(victim.home.join("ledger/db/db"), b"not a database")?;

    let node = consortium.nodes.get(VICTIM).ok_or("no member")?;
    let ended = home(&consortium, node, &["node", "repair"])?;
    ended.ended_with(0)?;
    ensure_equal(
        "what was done",
        &ended.json().get("repaired"),
        &Some(&Value::from("rebuilt")),
    )?;
    consortium.start_all()?;
    consortium.wait_ready(PATIENCE)?;
    let samples = loaded.finish();
    settled::same_state(&consortium)?;
    settled::nothing_lost(&consortium, &samples)?;
    let status = consortium
        .nodes
        .get(VICTIM)
        .and_then(bench::consortium::Node::status);
    let lost = status
        .as_ref()
        .and_then(|status| status.get("votes_lost"))
        .cloned();
    ensure_equal("lost votes", &lost, &Some(Value::Null))?;
    needs_the_victim(&mut consortium, &workload)
}
