//! A member's key is renewed under load, by the commands that operators type.

use std::fs;
use std::path::Path;
use std::time::Duration;

use bench::clock::{wait_for, wall_ms};
use bench::consortium::{Consortium, member_seed};
use bench::load::{Arrival, Load, Sample};
use consensus::Record;
use serde_json::Value;

use super::votes::records;
use super::{ask, consortium, receipt_verifies, settled, vote};
use crate::claims::{Broken, Claims, Verdict, ensure, ensure_equal, say};
use crate::dice::Dice;

/// The member whose key is renewed.
const RENEWED: usize = 2;

/// How long a renewal may take.
const PATIENCE: Duration = Duration::from_mins(1);

/// The claims.
pub(super) fn claims(claims: &mut Claims) {
    claims.hold(
        "a rotated key votes from the next epoch on without a restart, and receipts of both keys verify offline",
        || renewed(Manner::InPeace),
    );
    claims.hold(
        "a member that is killed again and again while its key is rotated votes with one key at a time",
        || renewed(Manner::Killed),
    );
}

/// What happens to the member meanwhile.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Manner {
    /// Nothing.
    InPeace,
    /// It is killed at moments of chance and started again.
    Killed,
}

/// Rotates the key under load.
fn renewed(manner: Manner) -> Verdict {
    let (mut consortium, workload) = consortium()?;
    consortium.start_all()?;
    consortium.wait_ready(Duration::from_secs(30))?;
    let others = [0, 1, 3];
    let load = Load::start_at(
        &others,
        &consortium,
        &workload,
        Arrival::Closed { connections: 1 },
        4,
    )?;
    let home = consortium
        .nodes
        .get(RENEWED)
        .ok_or("no member")?
        .home
        .clone();
    let (old, pid) = (
        member_seed(&home)?,
        consortium
            .nodes
            .get(RENEWED)
            .and_then(bench::consortium::Node::pid),
    );
    acknowledged_above(&load, 0)?;

    let change = propose(&consortium)?;
    for index in [0, 1] {
        // A member sees what another proposed a moment later.
        let approved = wait_for(PATIENCE, || {
            let words = ["member", "approve", "--change", &change];
            vote(&consortium, index, &words).ok()
        });
        approved.ok_or_else(|| format!("member {index} cannot approve change {change}"))?;
    }
    if manner == Manner::Killed {
        kill_meanwhile(&mut consortium, &home)?;
    }
    votes_with_the_new_key(&consortium, &home)?;
    if manner == Manner::InPeace {
        let now = consortium
            .nodes
            .get(RENEWED)
            .and_then(bench::consortium::Node::pid);
        ensure_equal("process of the member", &now, &pid)?;
    }
    ensure(member_seed(&home)? != old, || {
        "the old key is still there".to_owned()
    })?;
    one_key_at_a_time(&home)?;

    receipts_verify(&mut consortium, load)
}

/// Something is acknowledged that needs the new key's votes; its receipt and one of the old key's time verify.
fn receipts_verify(consortium: &mut Consortium, load: Load) -> Verdict {
    // With one of the others down a quorum needs the new key's votes.
    consortium.nodes.get_mut(3).ok_or("no member")?.kill();
    let top = consortium
        .nodes
        .first()
        .and_then(bench::consortium::Node::height);
    let after = acknowledged_above(&load, top.unwrap_or_default())?;
    let binary = consortium.binary.clone();
    consortium
        .nodes
        .get_mut(3)
        .ok_or("no member")?
        .start(&binary)?;
    consortium.wait_ready(Duration::from_secs(30))?;
    let samples = load.finish();
    settled::same_state(consortium)?;
    settled::nothing_lost(consortium, &samples)?;
    let before = samples
        .iter()
        .filter(|sample| sample.height.is_some())
        .min_by_key(|sample| sample.height);
    let before = before.ok_or("nothing was acknowledged")?;
    for (node, sample) in [
        (0, before),
        (RENEWED, before),
        (0, &after),
        (RENEWED, &after),
    ] {
        receipt_verifies(consortium, node, &sample.hash.to_string())?;
    }
    let heights = (
        before.height.unwrap_or_default(),
        after.height.unwrap_or_default(),
    );
    say(&format!(
        "        receipts of blocks {} and {} verify with the genesis file alone",
        heights.0, heights.1
    ));
    Ok(())
}

/// The member proposes its next key; the change's id. Twice, since the second time must change nothing.
fn propose(consortium: &Consortium) -> Result<String, Broken> {
    let rotate = || -> Result<Value, Broken> {
        let ended = ask(consortium, RENEWED, &["key", "rotate"])?;
        ended.ended_with(0)?;
        Ok(ended.json())
    };
    let (first, second) = (rotate()?, rotate()?);
    ensure_equal("new key", &second.get("new_key"), &first.get("new_key"))?;
    ensure_equal(
        "transaction of the second command",
        &second.get("transaction"),
        &Some(&Value::Null),
    )?;
    let change = first.get("change").and_then(Value::as_str);
    Ok(change.ok_or("key rotate names no change")?.to_owned())
}

/// Waits until something above a height is acknowledged.
fn acknowledged_above(load: &Load, height: u64) -> Result<Sample, Broken> {
    let found = wait_for(PATIENCE, || {
        let samples = load.samples();
        let mut above = samples.iter().filter(|sample| sample.height > Some(height));
        above.next().cloned()
    });
    found.ok_or_else(|| format!("nothing above block {height} was acknowledged").into())
}

/// Kills and starts the member until its key is renewed.
fn kill_meanwhile(consortium: &mut Consortium, home: &Path) -> Verdict {
    let seed = wall_ms();
    say(&format!("        seed {seed}"));
    let mut dice = Dice::new(seed);
    let binary = consortium.binary.clone();
    for _ in 0..20 {
        if !home.join("rotation").exists() {
            return Ok(());
        }
        let node = consortium.nodes.get_mut(RENEWED).ok_or("no member")?;
        node.kill();
        node.start(&binary)?;
        std::thread::sleep(Duration::from_millis(dice.below(2_500).saturating_add(200)));
    }
    Ok(())
}

/// The member says that it votes in an epoch after the first, and nothing waits in its home any more.
fn votes_with_the_new_key(consortium: &Consortium, home: &Path) -> Verdict {
    let node = consortium.nodes.get(RENEWED).ok_or("no member")?;
    let done = wait_for(PATIENCE, || {
        let status = node.status()?;
        let epoch = status.get("epoch")?.as_u64()?;
        let votes = status.get("votes_lost")?.is_null();
        (epoch > 0 && votes && !home.join("rotation").exists()).then_some(())
    });
    ensure(done.is_some(), || {
        format!(
            "the new key does not vote: {:?}\n{}",
            node.status(),
            node.log()
        )
    })?;
    ensure(node.log().contains("the old key is destroyed"), || {
        "the member does not say that the old key is destroyed".to_owned()
    })
}

/// The old key's log holds votes of the first epoch only, the new key's log none of it.
fn one_key_at_a_time(home: &Path) -> Verdict {
    let epochs = |folder: &Path| -> Vec<u32> {
        let records = records(folder);
        records
            .iter()
            .filter_map(Record::epoch)
            .map(consensus::Epoch::get)
            .collect()
    };
    let own = |folder: &Path| {
        records(folder)
            .iter()
            .filter(|record| is_vote(record))
            .count()
    };
    let (retired, present) = (home.join("votes.retired-1"), home.join("votes"));
    ensure(own(&retired) > 0, || {
        "the old key's log is not there".to_owned()
    })?;
    ensure(epochs(&retired).iter().all(|epoch| *epoch == 0), || {
        "the old key voted behind its epoch".to_owned()
    })?;
    let early = records(&present)
        .iter()
        .any(|record| is_vote(record) && record.epoch().is_some_and(|it| it.get() == 0));
    ensure(!early, || {
        "the new key voted in the old key's epoch".to_owned()
    })?;
    let second = fs::exists(home.join("votes.retired-2"))?;
    ensure(!second, || "a key got two logs".to_owned())
}

/// Whether a record holds a vote of this member.
const fn is_vote(record: &Record) -> bool {
    matches!(
        record,
        Record::Accepted { .. }
            | Record::Prepared { .. }
            | Record::Checkpoint { .. }
            | Record::ViewChange(_)
            | Record::NewView(_)
    )
}
