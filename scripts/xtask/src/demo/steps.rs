//! The steps, each of which checks what it shows.

use std::fs;
use std::process::Command;
use std::thread;
use std::time::Duration;

use serde_json::{Value, json};

use super::program::{number, text};
use super::stage::{NODES, Stage, receipt};
use super::{Seen, Stop, Suite};
use crate::clock::Stopwatch;
use crate::say;

/// The patient, and somebody else.
const PATIENT: &str = "S01";
const STRANGER: &str = "S02";
/// The first capture that was not used to enrol.
const FIRST_PROBE: usize = 4;
const CATCH_UP_MAX: Duration = Duration::from_secs(10);
const SHOWN_MAX: Duration = Duration::from_secs(3);
const STEP: Duration = Duration::from_millis(50);

/// Four nodes, ready.
pub(super) fn start(stage: &Stage) -> Result<(), Stop> {
    let port = stage.base_port.to_string();
    let mut arguments = vec!["devnet", "up", "--home", "consortium", "--base-port", &port];
    arguments.extend(stage.suite.of_devnet());
    let up = stage.must(&arguments)?;
    let started = number(&up, "started")?;
    if started != 4 {
        return Err(format!("{started} nodes started, not 4"));
    }
    let ready = up.get("ready_ms").and_then(Value::as_f64).unwrap_or(0.0);
    say::line(&format!(
        "  ✓ consortium   4 nodes ready in {:.1} s",
        ready / 1000.0
    ));
    Ok(())
}

/// The patient is enrolled at the registration centre, with three captures.
pub(super) fn register(stage: &Stage) -> Result<(), Stop> {
    let captures = [1, 2, 3].map(|number| Stage::capture(PATIENT, number));
    let [one, two, three] = &captures;
    let mut arguments = vec![
        "patient",
        "register",
        "--profile",
        "demo",
        "--genesis",
        "consortium/genesis.json",
        "--id-file",
        "id",
        "--password-file",
        "password",
        "--bio",
        one,
        "--bio",
        two,
        "--bio",
        three,
    ];
    arguments.extend(stage.suite.of_patient());
    if stage.suite == Suite::Aidc1 {
        arguments.extend(["--recovery-code-file", "recovery-code"]);
    }
    let answer = stage.must(&arguments)?;
    let height = number(&answer, "height")?;
    let who = match stage.suite {
        Suite::Aidc1 => "16 anonymous identities".to_owned(),
        Suite::Wu2021 => text(&answer, "aid")?.to_owned(),
    };
    say::line(&format!("  ✓ registered   {who} at height {height}"));
    known_everywhere(stage, height)
}

/// A sign-in, however it ends.
fn sign_in(stage: &Stage, node: &str, capture: &str, password: &str) -> Result<(i32, Value), Stop> {
    let mut arguments = vec![
        "patient",
        "auth",
        "--profile",
        "demo",
        "--server",
        node,
        "--password-file",
        password,
        "--bio",
        capture,
    ];
    arguments.extend(stage.suite.of_patient());
    if stage.suite == Suite::Wu2021 {
        arguments.extend(["--id-file", "id"]);
    }
    let ended = stage.program.run(&stage.folder, &arguments)?;
    Ok((ended.status, ended.json))
}

/// A sign-in that must succeed, noted for the last line.
fn accepted(stage: &Stage, seen: &mut Seen, node: &str, probe: usize) -> Result<(), Stop> {
    let (status, answer) = sign_in(stage, node, &Stage::capture(PATIENT, probe), "password")?;
    if status != 0 {
        return Err(format!("sign-in at {node} ended with {status}: {answer}"));
    }
    let height = number(&answer, "height")?;
    let finality = answer
        .get("finality_ms")
        .and_then(Value::as_f64)
        .unwrap_or(0.0);
    say::line(&format!(
        "  ✓ signed in    at {node}, on the ledger at height {height} after {finality:.0} ms"
    ));
    seen.sign_ins.push(json!({
        "node": node, "ok": true, "height": height, "finality_ms": (finality * 10.0).round() / 10.0,
    }));
    Ok(())
}

/// Waits until every node has the registration: one that lags does not know her yet.
fn known_everywhere(stage: &Stage, height: u64) -> Result<(), Stop> {
    let watch = Stopwatch::start();
    for place in 0..NODES.len() {
        while number(&stage.status(place)?, "height")? < height {
            if watch.elapsed() > CATCH_UP_MAX {
                return Err(format!("{:?} stays behind", NODES.get(place)));
            }
            thread::sleep(STEP);
        }
    }
    Ok(())
}

/// One enrolment serves at every node, each time with another capture.
pub(super) fn sign_in_everywhere(stage: &Stage, seen: &mut Seen) -> Result<(), Stop> {
    for (place, node) in NODES.iter().enumerate() {
        accepted(stage, seen, node, FIRST_PROBE.saturating_add(place))?;
    }
    Ok(())
}

/// Another face and a wrong password are refused alike, with exit status 4.
pub(super) fn refusals(stage: &Stage, seen: &mut Seen) -> Result<(), Stop> {
    let stranger = Stage::capture(STRANGER, 1);
    let own = Stage::capture(PATIENT, FIRST_PROBE);
    for (why, capture, password) in [
        ("face", &stranger, "password"),
        ("password", &own, "wrong-password"),
    ] {
        let (status, answer) = sign_in(stage, "clinic-a", capture, password)?;
        if status != 4 || text(&answer, "code")? != "AC0421" {
            return Err(format!("a wrong {why} ended with {status}: {answer}"));
        }
        say::line(&format!(
            "  ✓ refused      wrong {why}, exit status {status}"
        ));
        seen.refused.push(json!({ "why": why, "exit": status }));
    }
    Ok(())
}

/// The primary dies without a word; the others replace it and go on.
pub(super) fn kill_the_primary(stage: &Stage, seen: &mut Seen) -> Result<(), Stop> {
    let before = stage.status(0)?;
    let primary = text(&before, "primary")?.to_owned();
    let process = stage.process(&primary)?;
    let killed = Command::new("kill")
        .args(["-9", &process.to_string()])
        .status();
    if !killed.is_ok_and(|status| status.success()) {
        return Err(format!("cannot kill process {process}"));
    }
    say::line(&format!(
        "  ✓ killed       {primary}, the primary of view {}",
        number(&before, "view")?
    ));

    let (place, node) = NODES
        .iter()
        .enumerate()
        .rev()
        .find(|(_, node)| **node != primary)
        .ok_or("every node is the primary")?;
    accepted(stage, seen, node, 8)?;
    let (after, changes) = new_view(stage, place, number(&before, "view")?)?;
    say::line(&format!(
        "  ✓ view change  {} is primary of view {}",
        text(&after, "primary")?,
        number(&after, "view")?
    ));
    seen.view_changes = changes;
    Ok(())
}

/// Waits until a node shows a view above `old`: it publishes its status a moment after it has acted.
fn new_view(stage: &Stage, place: usize, old: u64) -> Result<(Value, u64), Stop> {
    let watch = Stopwatch::start();
    loop {
        let status = stage.status(place)?;
        let changes = number(&status, "view")?.saturating_sub(old);
        if changes > 0 {
            return Ok((status, changes));
        }
        if watch.elapsed() > SHOWN_MAX {
            return Err(format!(
                "the primary is dead and the view did not change: {status}"
            ));
        }
        thread::sleep(STEP);
    }
}

/// The dead node comes back and catches up to the same state.
pub(super) fn restart(stage: &Stage) -> Result<(), Stop> {
    let up = stage.must(&["devnet", "up", "--home", "consortium"])?;
    if number(&up, "started")? != 1 {
        return Err(format!("one node was to be started: {up}"));
    }
    let watch = Stopwatch::start();
    loop {
        let mut tips = Vec::new();
        for place in 0..NODES.len() {
            let status = stage.status(place)?;
            tips.push((
                number(&status, "height")?,
                text(&status, "state_root")?.to_owned(),
            ));
        }
        let (height, root) = tips.first().cloned().unwrap_or_default();
        if tips.iter().all(|tip| *tip == (height, root.clone())) {
            let brief = root.get(..8).unwrap_or(&root);
            say::line(&format!(
                "  ✓ caught up    4 nodes at height {height} with state root {brief}…"
            ));
            return Ok(());
        }
        if watch.elapsed() > CATCH_UP_MAX {
            return Err(format!("the nodes differ after {CATCH_UP_MAX:?}: {tips:?}"));
        }
        thread::sleep(STEP);
    }
}

/// A receipt checks offline; with one digit changed it does not.
pub(super) fn receipts(stage: &Stage) -> Result<(bool, bool), Stop> {
    let own = Stage::capture(PATIENT, 9);
    let (status, answer) = sign_in(stage, "clinic-c", &own, "password")?;
    if status != 0 {
        return Err(format!("sign-in at clinic-c ended with {status}: {answer}"));
    }
    let aid = text(&answer, "aid")?.to_owned();
    let path = stage.folder.join(receipt(&answer)?);
    let shown = path.display().to_string();
    let verify = |receipt: &str| {
        let arguments = [
            "receipt",
            "verify",
            receipt,
            "--trust",
            "consortium/genesis.json",
            "--offline",
            "--expect-server",
            "clinic-c",
            "--expect-aid",
            &aid,
        ];
        stage.program.run(&stage.folder, &arguments)
    };
    let genuine = verify(&shown)?;
    if genuine.status != 0 || genuine.json.get("valid") != Some(&Value::Bool(true)) {
        return Err(format!("a genuine receipt is refused: {}", genuine.json));
    }
    say::line("  ✓ receipt      valid, checked offline with the genesis file alone");

    let tampered =
        tamper(&fs::read_to_string(&path).map_err(|error| format!("{shown}: {error}"))?)?;
    let other = stage.folder.join("tampered.receipt.json");
    fs::write(&other, tampered).map_err(|error| format!("{}: {error}", other.display()))?;
    let refused = verify(&other.display().to_string())?;
    if refused.status != 5 || text(&refused.json, "code")? != "AC0503" {
        return Err(format!(
            "a tampered receipt ended with {}: {}",
            refused.status, refused.json
        ));
    }
    say::line("  ✓ tampered     one digit changed: not valid (AC0503)");
    Ok((true, true))
}

/// Changes one digit in the middle of the transaction.
fn tamper(receipt: &str) -> Result<String, Stop> {
    let mut object: Value = serde_json::from_str(receipt).map_err(|error| error.to_string())?;
    let transaction = text(&object, "transaction")?.to_owned();
    let middle = transaction.len() / 2;
    let changed: String = transaction
        .char_indices()
        .map(|(at, digit)| match (at == middle, digit) {
            (true, '0') => '1',
            (true, _) => '0',
            (false, digit) => digit,
        })
        .collect();
    if let Some(field) = object.get_mut("transaction") {
        *field = Value::String(changed);
    }
    Ok(object.to_string())
}

/// Where to look, and what is there.
pub(super) fn summary(stage: &Stage) -> Result<(), Stop> {
    let status = stage.status(0)?;
    let results = stage.must(&["ledger", "results", "--node", &stage.member(0)])?;
    let recorded = results
        .get("results")
        .and_then(Value::as_array)
        .map_or(0, Vec::len);
    if recorded < 6 {
        return Err(format!(
            "six sign-ins were accepted, {recorded} are on the ledger: {results}"
        ));
    }
    say::line(&format!(
        "\n  Explorer     {}/\n  Ledger       {} ({}), height {}, {recorded} sign-ins of 1 patient, chain {}",
        stage.member(0),
        text(&status, "name")?,
        text(&status, "kind")?,
        number(&status, "height")?,
        text(&status, "chain")?
    ));
    Ok(())
}
