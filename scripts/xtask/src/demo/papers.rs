//! What the demo shows of the papers' suites beside the main job: the second paper on the research ledger, and that a
//! secure ledger refuses both.

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::os::unix::fs::PermissionsExt as _;
use std::thread;
use std::time::Duration;

use serde_json::{Value, json};

use super::program::{number, text};
use super::stage::{NODES, Stage};
use super::{Seen, Stop};
use crate::clock::Stopwatch;
use crate::say;

const SUITE: [&str; 3] = ["--suite", "limbasiya-2020", "--accept-risk=insecure-suite"];
/// Everything that this demo does with the second paper's suite ends by then.
const LISTED_MAX: Duration = Duration::from_secs(20);
const STEP: Duration = Duration::from_millis(200);
/// Servers register themselves when they start; this is how long that may take.
const REGISTERED_MAX: Duration = Duration::from_secs(20);

/// The whole life of the second paper's suite on the same ledger.
pub(super) fn limbasiya(stage: &Stage, seen: &mut Seen) -> Result<(), Stop> {
    say::line("\n  Suite limbasiya-2020, insecure as published, on the same ledger.\n");
    servers_registered(stage)?;
    register(stage)?;
    for node in NODES {
        accepted(stage, seen, (node, "password"))?;
    }
    refused(stage, seen, "wrong-password", "wrong password")?;
    update(stage, seen)?;
    results(stage)
}

/// One attack on each paper's suite, against the members that still run: it succeeds there, and on AIDC-1 its aim is
/// not reached.
pub(super) fn attacked(stage: &Stage, seen: &mut Seen) -> Result<(), Stop> {
    say::line("\n  One attack on each, `aidchain research attack --all` has the others.\n");
    for (name, suite) in [("a1", "wu-2021"), ("b4", "limbasiya-2020")] {
        let told = stage.must(&["research", "attack", name, "--devnet", "consortium"])?;
        let told = told.get("attack").cloned().unwrap_or_default();
        let is = |field: &str| told.get(field).and_then(Value::as_bool);
        if is("succeeds") != Some(true) || is("aidc1_succeeds") != Some(false) {
            return Err(format!("attack {name} ended otherwise: {told}"));
        }
        say::line(&format!(
            "  ✓ attacked     {suite}: {}; on AIDC-1 it fails",
            text(&told, "title")?
        ));
        seen.attacks.push(
            json!({ "attack": name, "suite": suite, "succeeds": true, "aidc1_succeeds": false }),
        );
    }
    Ok(())
}

/// Each member asked the registration centre to be a server; its name and place are on the ledger.
fn servers_registered(stage: &Stage) -> Result<(), Stop> {
    let watch = Stopwatch::start();
    loop {
        let members = get(stage, "/v1/members")?;
        let servers = members.matches("\"limbasiya_place\":\"").count();
        if servers == NODES.len() {
            break;
        }
        if watch.elapsed() > REGISTERED_MAX {
            return Err(format!("{servers} of 4 servers are registered: {members}"));
        }
        thread::sleep(STEP);
    }
    say::line("  ✓ servers      4 registered at rc, each with its table");
    Ok(())
}

fn register(stage: &Stage) -> Result<(), Stop> {
    let mut arguments = vec![
        "patient",
        "register",
        "--profile",
        "second",
        "--genesis",
        "consortium/genesis.json",
        "--id-file",
        "id",
        "--password-file",
        "password",
    ];
    arguments.extend(SUITE);
    let answer = stage.must(&arguments)?;
    say::line(&format!(
        "  ✓ registered   {} at height {}",
        text(&answer, "aid")?,
        number(&answer, "height")?
    ));
    Ok(())
}

fn sign_in(stage: &Stage, node: &str, password: &str) -> Result<(i32, Value), Stop> {
    let mut arguments = vec![
        "patient",
        "auth",
        "--profile",
        "second",
        "--server",
        node,
        "--id-file",
        "id",
        "--password-file",
        password,
    ];
    arguments.extend(SUITE);
    let ended = stage.program.run(&stage.folder, &arguments)?;
    Ok((ended.status, ended.json))
}

fn accepted(stage: &Stage, seen: &mut Seen, (node, password): (&str, &str)) -> Result<(), Stop> {
    let (status, answer) = sign_in(stage, node, password)?;
    if status != 0 {
        return Err(format!("sign-in at {node} ended with {status}: {answer}"));
    }
    let height = number(&answer, "height")?;
    say::line(&format!(
        "  ✓ signed in    at {node}, on the ledger at height {height}"
    ));
    seen.sign_ins.push(json!({
        "node": node, "suite": "limbasiya-2020", "ok": true, "height": height,
    }));
    Ok(())
}

fn refused(stage: &Stage, seen: &mut Seen, password: &str, why: &str) -> Result<(), Stop> {
    let (status, answer) = sign_in(stage, "clinic-a", password)?;
    if status != 4 || text(&answer, "code")? != "AC0421" {
        return Err(format!("a {why} ended with {status}: {answer}"));
    }
    say::line(&format!("  ✓ refused      {why}, exit status {status}"));
    seen.refused.push(json!({ "why": why, "exit": status }));
    Ok(())
}

/// Another password: the centre makes a new C, and the servers' tables have it before the next sign-in is answered.
fn update(stage: &Stage, seen: &mut Seen) -> Result<(), Stop> {
    stage.secret("new-password", "battery staple")?;
    let mut arguments = vec![
        "patient",
        "change",
        "password",
        "--profile",
        "second",
        "--id-file",
        "id",
        "--password-file",
        "password",
        "--new-password-file",
        "new-password",
    ];
    arguments.extend(SUITE);
    stage.must(&arguments)?;
    say::line("  ✓ updated      the password at rc, and the card");
    accepted(stage, seen, ("clinic-b", "new-password"))?;
    say::line("  ✓ updated      the database of clinic-b, whose table had the old C");
    refused(stage, seen, "password", "old password")
}

/// The explorer shows both papers' results, and warns of each.
fn results(stage: &Stage) -> Result<(), Stop> {
    let watch = Stopwatch::start();
    loop {
        let page = get(stage, "/results")?;
        let shown = [
            "Limbasiya-2020, insecure",
            "Wu-2021, insecure",
            "insecure by purpose",
        ];
        match shown.iter().find(|text| !page.contains(**text)) {
            None => break,
            Some(missing) if watch.elapsed() > LISTED_MAX => {
                return Err(format!("the explorer's results do not say {missing:?}"));
            }
            Some(_) => thread::sleep(STEP),
        }
    }
    say::line("  ✓ explorer     shows the results of both papers, each marked insecure");
    Ok(())
}

/// What the first node's member interface has at this path; it speaks plain HTTP on loopback.
fn get(stage: &Stage, path: &str) -> Result<String, Stop> {
    let address = stage.member(0).replace("http://", "");
    let failed = |error: std::io::Error| format!("{address}{path}: {error}");
    let mut stream = TcpStream::connect(&address).map_err(failed)?;
    let request = format!("GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).map_err(failed)?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).map_err(failed)?;
    let answer = String::from_utf8_lossy(&answer).into_owned();
    if answer.starts_with("HTTP/1.1 200") {
        Ok(answer)
    } else {
        Err(format!(
            "{address}{path}: {}",
            answer.lines().next().unwrap_or_default()
        ))
    }
}

/// On a secure ledger neither suite runs, no patient of theirs comes in, and no card of theirs opens.
pub(super) fn refused_on_a_secure_ledger(stage: &Stage, seen: &mut Seen) -> Result<(), Stop> {
    for (suite, number) in [("wu-2021", "0x7f01"), ("limbasiya-2020", "0x7f02")] {
        let named = ["--suite", suite, "--accept-risk=insecure-suite"];
        let secrets = ["--id-file", "id", "--password-file", "password"];
        let register = [
            "patient",
            "register",
            "--profile",
            "paper",
            "--genesis",
            "consortium/genesis.json",
        ];
        let card = format!("{suite}.card");
        paper_card(stage, &card, number)?;
        let auth = [
            "patient",
            "auth",
            "--profile",
            "paper",
            "--card",
            &card,
            "--genesis",
            "consortium/genesis.json",
            "--server",
            "clinic-a",
        ];
        let capture = Stage::capture("S01", 4);
        let face = ["--password-file", "password", "--bio", &capture];
        let attempts: [(&str, Vec<&str>, &str); 3] = [
            (
                "suite",
                [&register[..], &secrets, &named].concat(),
                "AC0304",
            ),
            ("patient", [&auth[..], &secrets, &named].concat(), "AC0304"),
            ("card", [&auth[..], &face].concat(), "AC0408"),
        ];
        for (what, arguments, code) in attempts {
            let ended = stage.program.run(&stage.folder, &arguments)?;
            if ended.status == 0 || text(&ended.json, "code")? != code {
                return Err(format!(
                    "the {what} of {suite} ended with {}: {}",
                    ended.status, ended.json
                ));
            }
            seen.refused.push(json!({
                "why": format!("{what} of {suite}"), "exit": ended.status,
            }));
        }
        say::line(&format!(
            "  ✓ refused      {suite}: the suite and its patients (AC0304), their cards (AC0408)"
        ));
    }
    Ok(())
}

/// A card as a research ledger's patient has it, but for her secret.
fn paper_card(stage: &Stage, name: &str, suite: &str) -> Result<(), Stop> {
    let path = stage.folder.join(name);
    let card = json!({
        "schema": "aidchain.card/1", "version": 1, "chain": "00".repeat(32), "kind": "research", "suite": suite,
        "secret": "00".repeat(180),
    });
    fs::write(&path, card.to_string())
        .and_then(|()| fs::set_permissions(&path, fs::Permissions::from_mode(0o600)))
        .map_err(|error| format!("{}: {error}", path.display()))
}
