//! A rolling upgrade to a build that knows newer rules of the ledger, and their activation at a voted epoch's end.

use std::fs::OpenOptions;
use std::process::Stdio;
use std::time::Duration;

use bench::clock::wait_for;
use bench::consortium::{Consortium, Node};
use bench::load::{Arrival, Load};
use serde_json::Value;

use super::{ask, consortium, settled, vote};
use crate::claims::{Broken, Claims, Verdict, ensure, ensure_equal, say};
use crate::newer;

/// The member that is upgraded last.
const LAST: usize = 3;

/// How long a member may take to say which build it runs, or to end.
const PATIENCE: Duration = Duration::from_secs(30);

/// The claim.
pub(super) fn claims(claims: &mut Claims) {
    claims.hold(
        "newer rules activate at a voted epoch's end under load; who lacks them stops before their first block and goes \
         on with the newer build",
        rolling_upgrade,
    );
}

/// Stops a member in order and starts the newer build in its home.
fn upgrade(node: &mut Node) -> Verdict {
    ensure(
        node.child.is_none() || node.stop(Duration::from_secs(6)),
        || format!("{} did not stop in order:\n{}", node.name, node.log()),
    )?;
    let log = OpenOptions::new()
        .create(true)
        .append(true)
        .open(node.log_path())?;
    let mut command = node.place.command(&std::env::current_exe()?);
    node.tell(command.arg("newer"));
    command
        .stdin(Stdio::null())
        .stdout(log.try_clone()?)
        .stderr(log);
    node.child = Some(command.spawn()?);
    Ok(())
}

/// What `upgrade check` says, with its exit code, once every member has said which build it runs.
fn check(consortium: &Consortium) -> Result<(i32, Value), Broken> {
    let told = wait_for(PATIENCE, || {
        let ended = ask(consortium, 0, &["upgrade", "check"]).ok()?;
        let told = ended.json();
        let members = told.get("members")?.as_array()?;
        let said = |member: &Value| member.get("version").is_some_and(Value::is_string);
        members.iter().all(said).then(|| (ended.code, told.clone()))
    });
    told.ok_or_else(|| "the members do not say which builds they run".into())
}

/// Three members run the newer build, the fourth the product's.
fn rolling_upgrade() -> Verdict {
    let (old, new) = newer::rules();
    let (mut consortium, workload) = consortium()?;
    consortium.start_all()?;
    consortium.wait_ready(PATIENCE)?;
    let (code, told) = check(&consortium)?;
    ensure_equal("exit code before the upgrade", &code, &5)?;
    let all = told
        .get("left_behind")
        .and_then(Value::as_array)
        .map(Vec::len);
    ensure_equal("members without the newer rules", &all, &Some(4))?;

    let load = Load::start_at(
        &[0, 1, 2],
        &consortium,
        &workload,
        Arrival::Closed { connections: 1 },
        4,
    )?;
    for index in 0..LAST {
        upgrade(consortium.nodes.get_mut(index).ok_or("no member")?)?;
        consortium.wait_ready(PATIENCE)?;
    }
    let (code, told) = check(&consortium)?;
    ensure_equal("exit code with one member left behind", &code, &5)?;
    ensure_equal(
        "left behind",
        &told.get("left_behind"),
        &Some(&serde_json::json!(["clinic-c"])),
    )?;
    let raise = format!("protocol_version={new}");
    for index in 0..LAST {
        vote(&consortium, index, &["member", "set", &raise])?;
    }

    let (last, height) = stops_before_them(&mut consortium, (old, new))?;
    let further = wait_for(PATIENCE, || {
        let newest = load
            .samples()
            .iter()
            .filter_map(|sample| sample.height)
            .max();
        newest.filter(|newest| *newest > last.saturating_add(5))
    });
    let further = further.ok_or("the others did not go on under the newer rules")?;
    ensure_equal("height at which the old build stopped", &height, &last)?;

    upgrade(consortium.nodes.get_mut(LAST).ok_or("no member")?)?;
    consortium.wait_ready(PATIENCE)?;
    settled::reaches(&consortium, further, PATIENCE)?;
    let samples = load.finish();
    settled::same_state(&consortium)?;
    settled::nothing_lost(&consortium, &samples)?;
    let (_, told) = check(&consortium)?;
    ensure_equal(
        "rules in force",
        &told.get("protocol_version"),
        &Some(&Value::from(new)),
    )?;
    say(&format!(
        "        version {new} from block {} on, {} submissions acknowledged",
        last.saturating_add(1),
        samples
            .iter()
            .filter(|sample| sample.height.is_some())
            .count()
    ));
    Ok(())
}

/// The member with the old build ends by itself with its text; the epoch's last block, and the block it has reached.
fn stops_before_them(
    consortium: &mut Consortium,
    (old, new): (u64, u64),
) -> Result<(u64, u64), Broken> {
    let victim = consortium.nodes.get_mut(LAST).ok_or("no member")?;
    let code = victim.exit_code(PATIENCE);
    let said = victim.log();
    ensure_equal("exit code of the old build", &code, &Some(8))?;
    let words = format!(
        "is made by version {new} of the ledger's rules, this software knows {old}: upgrade it"
    );
    let line = said.lines().rev().find(|line| line.contains(&words));
    let first = line.and_then(|line| {
        let (before, _) = line.split_once(&words)?;
        before.trim().rsplit(' ').next()?.parse::<u64>().ok()
    });
    let first = first.ok_or_else(|| format!("it does not say why it stopped:\n{said}"))?;
    let node = consortium.nodes.get(LAST).ok_or("no member")?;
    let file = consortium.folder.path().join("stopped.backup");
    let file = file.display().to_string();
    let made = super::home(consortium, node, &["node", "backup", "--to", &file])?;
    made.ended_with(0)?;
    let height = made.json().get("height").and_then(Value::as_u64);
    let height = height.ok_or("the stopped member has no ledger")?;
    Ok((first.saturating_sub(1), height))
}
