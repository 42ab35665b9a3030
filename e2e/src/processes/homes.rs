//! Homes with something wrong in them: a store of another ledger, a cut log, a broken key.

use std::fs::{self, OpenOptions};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use bench::clock::wait_for;
use bench::consortium::{Consortium, Node};
use bench::load::{Arrival, Load};
use bench::workload::Workload;
use serde_json::Value;

use super::{consortium, settled, votes};
use crate::claims::{Broken, Claims, Verdict, ensure, ensure_equal};
use crate::tools::{Ended, finish};

/// The claims.
pub(super) fn claims(claims: &mut Claims) {
    claims.hold(
        "a store of another ledger is refused by its name",
        other_genesis,
    );
    claims.hold(
        "a corrupt or readable key file is refused by name",
        corrupt_key,
    );
    claims.hold(
        "a torn end of the vote log is cut off and the member goes on voting",
        torn_log,
    );
    claims.hold(
        "a vote log damaged in the middle makes the member an observer that says so",
        damaged_log,
    );
    claims.hold(
        "a missing ledger database is rebuilt to the same state",
        missing_store,
    );
}

/// A member of the consortium by position.
fn member(consortium: &mut Consortium, index: usize) -> Result<&mut Node, Broken> {
    consortium
        .nodes
        .get_mut(index)
        .ok_or_else(|| "no such member".into())
}

/// Runs a member that is expected to end by itself.
fn run_to_end(consortium: &Consortium, index: usize) -> Result<Ended, Broken> {
    let node = consortium.nodes.get(index).ok_or("no such member")?;
    let mut command = node.command(&consortium.binary)?;
    Ok(finish(
        command.stdout(Stdio::piped()).stderr(Stdio::piped()),
    )?)
}

/// Starts a consortium and puts something on its ledger; the height reached.
fn with_some_blocks(consortium: &mut Consortium, workload: &Workload) -> Result<u64, Broken> {
    consortium.start_all()?;
    consortium.wait_ready(Duration::from_secs(30))?;
    let height = submit_something(consortium, workload)?;
    settled::same_state(consortium)?;
    Ok(height)
}

/// Submits until something is acknowledged, and returns its height.
fn submit_something(consortium: &Consortium, workload: &Workload) -> Result<u64, Broken> {
    let load = Load::start(consortium, workload, Arrival::Closed { connections: 1 }, 4)?;
    let newest = || {
        load.samples()
            .iter()
            .filter_map(|sample| sample.height)
            .max()
    };
    let height = wait_for(Duration::from_secs(20), newest);
    load.finish();
    height.ok_or_else(|| "nothing was committed in 20 s".into())
}

/// One consortium's ledger under another's genesis.
fn other_genesis() -> Verdict {
    let (mut ours, workload) = consortium()?;
    with_some_blocks(&mut ours, &workload)?;
    let (theirs, _) = consortium()?;
    let foreign = theirs.nodes.first().ok_or("no member")?.home.clone();
    let node = member(&mut ours, 0)?;
    node.stop(Duration::from_secs(5));
    copy_folder(&node.home.join("ledger"), &foreign.join("ledger"))?;

    let ended = run_to_end(&theirs, 0)?;

    ensure_equal("exit code", &ended.code, &8)?;
    let foreign = ours.genesis.chain().to_string();
    let named = ended.talk.contains(&foreign) && ended.talk.contains("another ledger");
    ensure(named, || {
        format!("the message does not name {foreign}:\n{}", ended.talk)
    })
}

/// Copies the files of a folder.
fn copy_folder(from: &Path, to: &Path) -> Result<(), Broken> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            copy_folder(&entry.path(), &target)?;
        } else {
            fs::copy(entry.path(), target)?;
        }
    }
    Ok(())
}

/// Each key in turn cut short, then open to others.
fn corrupt_key() -> Verdict {
    let (consortium, _) = consortium()?;
    let keys = consortium
        .nodes
        .first()
        .ok_or("no member")?
        .home
        .join("keys");
    for name in ["member.key", "network.key", "tls.key"] {
        let path = keys.join(name);
        let whole = fs::read_to_string(&path)?;
        fs::write(&path, whole.get(..whole.len() / 2).unwrap_or_default())?;
        refused_by_name(&run_to_end(&consortium, 0)?, name)?;

        fs::write(&path, whole)?;
        fs::set_permissions(&path, fs::Permissions::from_mode(0o644))?;
        let ended = run_to_end(&consortium, 0)?;
        refused_by_name(&ended, name)?;
        ensure(ended.talk.contains("chmod"), || {
            format!("no chmod in the message:\n{}", ended.talk)
        })?;
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600))?;
    }
    Ok(())
}

/// The node ended with the code for bad configuration and named the file.
fn refused_by_name(ended: &Ended, name: &str) -> Verdict {
    ensure_equal(&format!("exit code with a bad {name}"), &ended.code, &8)?;
    ensure(ended.talk.contains(name), || {
        format!("the message does not name {name}:\n{}", ended.talk)
    })
}

/// The newest file of a member's vote log.
fn newest_log(node: &Node) -> Result<PathBuf, Broken> {
    let files = fs::read_dir(node.home.join("votes"))?
        .filter_map(Result::ok)
        .map(|entry| entry.path());
    let logs = files.filter(|path| path.extension().is_some_and(|extension| extension == "log"));
    logs.max().ok_or_else(|| "the vote log is empty".into())
}

/// A member killed in the middle of an append.
fn torn_log() -> Verdict {
    let (mut consortium, workload) = consortium()?;
    with_some_blocks(&mut consortium, &workload)?;
    let binary = consortium.binary.clone();
    let node = member(&mut consortium, 1)?;
    node.kill();
    let path = newest_log(node)?;
    // The head of a frame that was never finished.
    let mut bytes = fs::read(&path)?;
    bytes.extend([200, 1, 0, 0, 9, 9, 9, 9, 1, 2, 3]);
    fs::write(&path, bytes)?;
    node.start(&binary)?;
    consortium.wait_ready(Duration::from_secs(30))?;

    // With one of the others down a quorum needs the mended member's votes.
    member(&mut consortium, 2)?.kill();
    let height = submit_something(&consortium, &workload)?;
    settled::reaches(&consortium, height, Duration::from_secs(30))
}

/// One flipped bit in the middle of the log.
fn damaged_log() -> Verdict {
    let (mut consortium, workload) = consortium()?;
    with_some_blocks(&mut consortium, &workload)?;
    let binary = consortium.binary.clone();
    let node = member(&mut consortium, 1)?;
    node.kill();
    let path = newest_log(node)?;
    let mut bytes = fs::read(&path)?;
    let at = votes::before_another_frame(&bytes).ok_or("the log has one frame alone")?;
    if let Some(byte) = bytes.get_mut(at) {
        *byte ^= 1;
    }
    fs::write(&path, &bytes)?;
    node.start(&binary)?;

    let lost = wait_for(Duration::from_secs(30), || {
        let status = member(&mut consortium, 1).ok()?.status()?;
        status
            .get("votes_lost")
            .and_then(Value::as_str)
            .map(str::to_owned)
    });
    ensure(lost.is_some(), || {
        "the member does not say that its votes are lost".to_owned()
    })?;
    let height = submit_something(&consortium, &workload)?;
    settled::reaches(&consortium, height, Duration::from_secs(30))?;
    settled::same_state(&consortium)?;
    // It votes again in the next epoch, with a new log; the damaged one is set aside as it was.
    let aside = member(&mut consortium, 1)?.home.join("votes.lost-1-0");
    let name = path.file_name().unwrap_or_default();
    let back = wait_for(Duration::from_secs(30), || {
        let status = member(&mut consortium, 1).ok()?.status()?;
        status.get("votes_lost")?.is_null().then_some(())
    });
    ensure(back.is_some(), || {
        "the member does not vote again".to_owned()
    })?;
    ensure(fs::read(aside.join(name))? == bytes, || {
        "the damaged log was not set aside as it was".to_owned()
    })
}

/// The database is gone; the vote log is not.
fn missing_store() -> Verdict {
    let (mut consortium, workload) = consortium()?;
    with_some_blocks(&mut consortium, &workload)?;
    let binary = consortium.binary.clone();
    let node = member(&mut consortium, 3)?;
    ensure(node.stop(Duration::from_secs(5)), || {
        "the member did not stop".to_owned()
    })?;
    fs::remove_dir_all(node.home.join("ledger"))?;
    OpenOptions::new()
        .write(true)
        .truncate(true)
        .open(node.log_path())?;
    node.start(&binary)?;
    consortium.wait_ready(Duration::from_mins(1))?;

    settled::same_state(&consortium)?;
    let said = member(&mut consortium, 3)?.log();
    ensure(said.contains("rebuil"), || {
        format!("it does not say that it rebuilt the store:\n{said}")
    })
}
