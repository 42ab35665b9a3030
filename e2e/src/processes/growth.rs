//! A consortium that grows and shrinks while it works, by the commands that its operators type.

use std::fs;
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use bench::clock::{Moment, wait_for};
use bench::consortium::{Consortium, Node};
use bench::load::{Arrival, Load, Sample};
use bench::place::Place;
use bench::workload::Workload;
use serde_json::Value;

use super::{PATIENTS, settled};
use crate::claims::{Broken, Claims, Verdict, ensure, ensure_equal, say};
use crate::people::Patient;
use crate::tools::{Ended, aidchain, finish};

/// Connections that submit all the time, at the member that is there from the beginning to the end.
const CONNECTIONS: usize = 2;

/// Results in each bundle.
const BUNDLE: usize = 8;

/// How long a change may take from the last vote to the last member's first one.
const PATIENCE: Duration = Duration::from_mins(1);

/// A pause between two acknowledgements longer than this is a halt.
const HALT: Duration = Duration::from_secs(10);

/// Who comes first.
const FOUR: [&str; 3] = ["clinic-a", "clinic-b", "clinic-c"];

/// Who comes then.
const SEVEN: [&str; 3] = ["clinic-d", "clinic-e", "clinic-f"];

/// Who goes.
const LEAVERS: [&str; 3] = ["clinic-a", "clinic-b", "clinic-e"];

/// The claim.
pub(super) fn claims(claims: &mut Claims) {
    let claim = "membership goes 1, 4, 7, 4 under load without a halt or a loss, receipts of every epoch verify, and patients \
                 enrol and sign in at members that joined later or came again";
    claims.hold(claim, growth);
}

/// Grows, shrinks, then counts.
fn growth() -> Verdict {
    let workload = Workload::new(11, PATIENTS);
    let mut consortium = Consortium::create_alone(&aidchain(), &workload)?;
    enrols_everybody(&consortium)?;
    consortium.start_all()?;
    consortium.wait_ready(Duration::from_secs(30))?;
    let arrival = Arrival::Closed {
        connections: CONNECTIONS,
    };
    let load = Load::start_at(&[0], &consortium, &workload, arrival, BUNDLE)?;
    acknowledges_more(&load)?;
    let begun = Moment::now();

    let four = invite(&mut consortium, &FOUR)?;
    approve(&consortium, &["rc"], &four)?;
    in_epoch(&consortium, 1, 4)?;
    acknowledges_more(&load)?;
    let seven = invite(&mut consortium, &SEVEN)?;
    approve(&consortium, &["rc", "clinic-a", "clinic-c"], &seven)?;
    in_epoch(&consortium, 2, 7)?;
    acknowledges_more(&load)?;
    let ada = enrolled(&consortium, "ada", 1)?;
    signs_in(&ada, "clinic-d", 3)?;
    is_listed_at(&consortium, "clinic-d")?;
    let voters = ["rc", "clinic-a", "clinic-c", "clinic-d", "clinic-f"];
    remove(&consortium, &voters)?;
    // They vote until the epoch ends: without them it would have no quorum.
    let leaves = |node: &mut Node| LEAVERS.contains(&node.name.as_str());
    let leaving: Vec<Node> = consortium.nodes.extract_if(.., leaves).collect();
    in_epoch(&consortium, 3, 4)?;
    drop(leaving);
    acknowledges_more(&load)?;
    signs_in(&ada, "clinic-f", 4)?;
    let bea = enrolled(&consortium, "bea", 2)?;
    signs_in(&bea, "clinic-c", 3)?;
    comes_again(&mut consortium, "clinic-c", &["rc", "clinic-d", "clinic-f"])?;
    acknowledges_more(&load)?;
    signs_in(&bea, "clinic-c", 4)?;

    let samples = load.finish();
    let (pause, height) = longest_pause(begun, &samples);
    settled::same_state(&consortium)?;
    settled::nothing_lost(&consortium, &samples)?;
    let epochs = receipts_verify(&consortium, &samples)?;
    let acknowledged = samples.iter().filter(|one| one.height.is_some()).count();
    say(&format!(
        "        {acknowledged} submissions acknowledged, longest pause {:.2} s, before block {height}; receipts of {epochs} epochs verified",
        pause.as_secs_f64()
    ));
    ensure_equal("epochs with a receipt", &epochs, &5)?;
    ensure(pause < HALT, || {
        format!("nothing was acknowledged for {pause:?}")
    })
}

/// The registration centre is to enrol whoever comes, each by herself.
fn enrols_everybody(consortium: &Consortium) -> Verdict {
    let centre = consortium.nodes.first().ok_or("no member")?;
    let path = centre.home.join("node.toml");
    let told = fs::read_to_string(&path)?
        .replace("enrolment = \"desk\"", "enrolment = \"open\"")
        .replace("registration_set = 8", "registration_set = 1");
    Ok(fs::write(&path, told)?)
}

/// A patient who has the genesis file alone, in which there is one member. Newcomers' keys may still be on their way.
fn enrolled(consortium: &Consortium, name: &str, seed: u32) -> Result<Patient, Broken> {
    let folder = consortium.folder.path().join(name);
    let patient = Patient::new(&folder, &consortium.genesis_path(), seed)?;
    let mut last = None;
    let done = wait_for(PATIENCE, || {
        let ended = patient.register().ok()?;
        let done = ended.ended_with(0).is_ok().then_some(());
        last = Some(ended);
        done
    });
    ensure(done.is_some(), || {
        format!("{name} does not enrol: {last:?}")
    })?;
    Ok(patient)
}

/// She signs in at a member that is not in her genesis file.
fn signs_in(patient: &Patient, server: &str, capture: usize) -> Verdict {
    patient.sign_in(server, capture)?.ended_with(0)
}

/// The only member of the genesis file lists a sign-in under the name of a member that joined later.
fn is_listed_at(consortium: &Consortium, server: &str) -> Verdict {
    let centre = consortium.nodes.first().ok_or("no member")?;
    let node = format!("http://{}", centre.member_api());
    let words = ["ledger", "results", "--node", &node, "--server", server];
    let listed = wait_for(PATIENCE, || {
        let answer = command(consortium, &words).ok()?.json();
        let first = answer.pointer("/results/0/server/name")?;
        (first == server).then_some(())
    });
    ensure(listed.is_some(), || {
        format!("no sign-in is listed at {server}")
    })
}

/// Waits until something is acknowledged from now on.
fn acknowledges_more(load: &Load) -> Verdict {
    let here = Moment::now();
    let more = wait_for(PATIENCE, || {
        (!load.acknowledged_since(here).is_empty()).then_some(())
    });
    ensure(more.is_some(), || "nothing is acknowledged".to_owned())
}

/// Runs a command of the product to its good end; what it printed.
fn command(consortium: &Consortium, arguments: &[&str]) -> Result<Ended, Broken> {
    let mut command = Command::new(&consortium.binary);
    let ended = finish(command.arg("--json").args(arguments))?;
    ended.ended_with(0)?;
    Ok(ended)
}

/// Newcomers make their keys and requests, and start; the requests.
fn invite(consortium: &mut Consortium, names: &[&str]) -> Result<Vec<PathBuf>, Broken> {
    let binary = consortium.binary.clone();
    let mut requests = Vec::new();
    for name in names {
        let first = consortium.nodes.first().ok_or("no member")?.base;
        let taken = consortium.nodes.iter().map(|node| node.index);
        let index = taken.max().unwrap_or_default().saturating_add(1);
        let mut node = Node {
            name: (*name).to_owned(),
            // A name may come again, a home does not.
            home: consortium.folder.path().join(format!("{name}-{index}")),
            index,
            base: first.saturating_add(u16::try_from(index).unwrap_or_default()),
            place: Place::Loopback,
            child: None,
        };
        requests.push(request(consortium, &node)?);
        node.start(&binary)?;
        consortium.nodes.push(node);
    }
    Ok(requests)
}

/// A newcomer asks to be a member; the file for the others.
fn request(consortium: &Consortium, node: &Node) -> Result<PathBuf, Broken> {
    let file = node.home.with_extension("request.json");
    let p2p = format!("/ip4/127.0.0.1/tcp/{}", node.base);
    let api = format!("https://{}", node.api());
    let text = |path: &std::path::Path| path.display().to_string();
    let (home, genesis) = (text(&node.home), text(&consortium.genesis_path()));
    let out = text(&file);
    let words = [
        ["member", "request"],
        ["--home", &home],
        ["--genesis", &genesis],
        ["--name", &node.name],
        ["--p2p", &p2p],
        ["--api", &api],
        ["--out", &out],
    ];
    command(consortium, &words.concat())?;
    Ok(file)
}

/// The words with which a member says who it is and where its node listens.
fn voter(consortium: &Consortium, name: &str) -> Result<[String; 4], Broken> {
    let mut nodes = consortium.nodes.iter();
    let node = nodes
        .find(|node| node.name == name)
        .ok_or("no such member")?;
    Ok([
        "--home".to_owned(),
        node.home.display().to_string(),
        "--node".to_owned(),
        format!("http://{}", node.member_api()),
    ])
}

/// These members give a command each.
fn vote(consortium: &Consortium, voters: &[&str], words: &[&str]) -> Verdict {
    for name in voters {
        let at = voter(consortium, name)?;
        let at: Vec<&str> = at.iter().map(String::as_str).collect();
        command(consortium, &[words, &at].concat())?;
    }
    Ok(())
}

/// These members approve newcomers.
fn approve(consortium: &Consortium, voters: &[&str], requests: &[PathBuf]) -> Verdict {
    let files: Vec<String> = requests.iter().map(|it| it.display().to_string()).collect();
    let files: Vec<&str> = files.iter().map(String::as_str).collect();
    vote(
        consortium,
        voters,
        &[&["member", "approve"], files.as_slice()].concat(),
    )
}

/// These members remove the leavers.
fn remove(consortium: &Consortium, voters: &[&str]) -> Verdict {
    let words = ["member", "remove", "--lower-faults"];
    vote(consortium, voters, &[&words[..], &LEAVERS].concat())
}

/// A member loses its machine, and comes again under its name with other keys and at another address.
fn comes_again(consortium: &mut Consortium, name: &str, voters: &[&str]) -> Verdict {
    let is_old = |node: &mut Node| node.name == name;
    let old: Vec<Node> = consortium.nodes.extract_if(.., is_old).collect();
    drop(old);
    for request in invite(consortium, &[name])? {
        let request = request.display().to_string();
        vote(consortium, voters, &["member", "replace", name, &request])?;
    }
    in_epoch(consortium, 4, 4)
}

/// Waits until all nodes vote in an epoch of so many members.
fn in_epoch(consortium: &Consortium, epoch: u64, members: usize) -> Verdict {
    let votes = |node: &Node| {
        let status = node.status()?;
        let reached = status.get("epoch")?.as_u64()? >= epoch;
        let size = status.get("members")?.as_array()?.len();
        let whole = status.get("votes_lost")?.is_null();
        (reached && size == members && whole).then_some(())
    };
    for node in &consortium.nodes {
        let there = wait_for(PATIENCE, || votes(node));
        ensure(there.is_some(), || {
            let status = node.status();
            format!("{} does not vote in epoch {epoch}: {status:?}", node.name)
        })?;
    }
    Ok(())
}

/// The longest time without an acknowledgement, and the block that ended it.
fn longest_pause(begun: Moment, samples: &[Sample]) -> (Duration, u64) {
    let acknowledged = samples
        .iter()
        .filter_map(|one| Some((one.answered, one.height?)));
    let mut answers: Vec<(Moment, u64)> = acknowledged.collect();
    answers.push((begun, 0));
    answers.sort();
    let later = answers.iter().skip(1);
    let pauses = answers
        .iter()
        .zip(later)
        .map(|((one, _), (next, height))| (next.since(*one), *height));
    pauses.max().unwrap_or_default()
}

/// Has a receipt of each epoch verified with nothing but the genesis file; how many epochs there were.
fn receipts_verify(consortium: &Consortium, samples: &[Sample]) -> Result<usize, Broken> {
    // The one that came last was not there when the first of them was made.
    let node = consortium.nodes.last().ok_or("no member")?;
    let mut connection = node.connection(node.member_api(), Duration::from_secs(10));
    let members = connection.get("/v1/members")?.json();
    let epochs = members.get("epochs").and_then(Value::as_array);
    let trust = consortium.genesis_path().display().to_string();
    let mut verified = 0_usize;
    for epoch in epochs.into_iter().flatten() {
        let bound = |key: &str| epoch.get(key).and_then(Value::as_u64);
        let (first, last) = (
            bound("first").unwrap_or(0),
            bound("last").unwrap_or(u64::MAX),
        );
        let inside = |one: &&Sample| one.height.is_some_and(|it| (first..=last).contains(&it));
        let Some(sample) = samples.iter().find(inside) else {
            continue;
        };
        let path = format!("/v1/transactions/{}/receipt", sample.hash);
        let answer = connection.get(&path)?;
        ensure_equal(&path, &answer.status, &200)?;
        let file = consortium.folder.path().join(format!("{first}.receipt"));
        fs::write(&file, &answer.body)?;
        let file = file.display().to_string();
        let words = ["receipt", "verify", &file, "--trust", &trust, "--offline"];
        let said = command(consortium, &words)?;
        let valid = said.json().get("valid").and_then(Value::as_bool);
        ensure_equal("the receipt's verdict", &valid, &Some(true))?;
        verified = verified.saturating_add(1);
    }
    Ok(verified)
}
