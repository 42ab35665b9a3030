//! A second implementation of the patient's side, in Python, against four real members: what `docs/aidc1.md` and
//! `docs/aidc1-api.md` leave open shows here.

mod python;
mod world;

use std::fs;
use std::path::Path;

use bench::consortium::NAMES;
use serde_json::Value;

use crate::claims::{Broken, Claims, Verdict, ensure, ensure_equal};
use crate::tools::has;
use python::Python;
use world::World;

/// All claims about the second implementation.
pub(crate) fn run(claims: &mut Claims) -> Result<(), Broken> {
    let python = Python::find()?;
    claims.hold(
        "the second implementation makes every value of the vectors and refuses what it must",
        || python.tests(),
    );
    let world = World::start(python)?;
    for name in NAMES {
        claims.hold(
            &format!("it signs in at {name}, and the receipt is valid to the first one"),
            || signs_in(&world, name),
        );
    }
    claims.hold(
        "a wrong seed and an unknown AID are refused in one and the same words",
        || wrong_secrets(&world),
    );
    claims.hold(
        "a changed record, header or certificate is refused before anything is sent",
        || changed_excerpts(&world),
    );
    claims.hold(
        "a member that does not hold the pinned key is not spoken to",
        || wrong_pin(&world),
    );
    for offset in ["+200s", "-200s"] {
        claims.hold(
            &format!("a terminal whose clock is off by {offset} is told that it is the clock"),
            || wrong_clock(&world, offset),
        );
    }
    Ok(())
}

/// One sign-in, and what the first implementation says of its receipt.
fn signs_in(world: &World, name: &str) -> Verdict {
    let receipt = world.file(&format!("{name}.receipt.json"));
    let seed = world.seed("her.seed", &world.patient.seed)?;
    let ended = world.sign_in(name, &seed, &["--receipt", &shown(&receipt)])?;
    ended.ended_with(0)?;
    let told = ended.json();
    ensure_equal("the server", &field(&told, "server")?, &name)?;
    let aid = world.patient.aid();
    ensure_equal("the AID", &field(&told, "aid")?, &aid.as_str())?;
    ensure_equal("the status", &field(&told, "status")?, &"recorded")?;

    let expected = ["--expect-server", name, "--expect-aid"];
    world.verify(&receipt, &expected, &aid)?.ended_with(0)
}

/// Another seed alone, and another seed that claims her AID.
fn wrong_secrets(world: &World) -> Verdict {
    let (name, other) = ("clinic-a", world.seed("other.seed", &"ab".repeat(32))?);
    let unknown = world.sign_in(name, &other, &[])?;
    unknown.ended_with(4)?;
    let wrong = world.sign_in(name, &other, &["--aid", &world.patient.aid_digits()])?;
    wrong.ended_with(4)?;

    ensure_equal("what is told", &wrong.json(), &unknown.json())?;
    // She herself is let in by the same member at the same moment.
    let seed = world.seed("her.seed", &world.patient.seed)?;
    world.sign_in(name, &seed, &[])?.ended_with(0)
}

/// Where an excerpt is changed: a place in its JSON, and which digit of the text there.
const CHANGES: [(&str, usize); 4] = [
    // The value of an entry, which is the record.
    ("/entries/ENTRY/proof", 40),
    // The header's state root.
    ("/header", 380),
    ("/certificate/signatures/0/signature", 8),
    ("/chain", 3),
];

/// The excerpt as it came, then with one digit of it changed.
fn changed_excerpts(world: &World) -> Verdict {
    let name = "clinic-b";
    let kept = world.file("excerpt.json");
    world
        .ask(name, &["--server-excerpt", &shown(&kept)])?
        .ended_with(0)?;
    world
        .ask(name, &["--read-excerpt", &shown(&kept)])?
        .ended_with(0)?;
    let excerpt: Value = serde_json::from_slice(&fs::read(&kept)?)?;
    let entry = entry_of(&excerpt, world, name)?.to_string();
    for (place, digit) in CHANGES {
        let place = place.replace("ENTRY", &entry);
        let mut changed = excerpt.clone();
        let text = changed.pointer_mut(&place);
        let text = text.ok_or_else(|| format!("the excerpt has no {place}"))?;
        *text = Value::from(flipped(text.as_str().unwrap_or_default(), digit));
        let path = world.file("changed.json");
        fs::write(&path, changed.to_string())?;
        let ended = world.ask(name, &["--read-excerpt", &shown(&path)])?;
        ended
            .ended_with(5)
            .map_err(|why| format!("{place} changed: {why}"))?;
    }
    Ok(())
}

/// Which entry holds the record of a member.
fn entry_of(excerpt: &Value, world: &World, name: &str) -> Result<usize, Broken> {
    let member = world.consortium.genesis.member_named(name);
    let id = member.ok_or("no such member")?.server_id();
    let prefix = hex::encode([b"record/".as_slice(), id.as_bytes()].concat());
    let entries = excerpt.get("entries").and_then(Value::as_array);
    let holds = |entry: &Value| {
        let key = entry.get("key").and_then(Value::as_str);
        key.is_some_and(|key| key.starts_with(&prefix))
    };
    let found = entries.and_then(|entries| entries.iter().position(holds));
    found.ok_or_else(|| format!("the excerpt has no record of {name}").into())
}

/// The text with another hex digit in one place.
fn flipped(text: &str, place: usize) -> String {
    let other = |digit: char| if digit == '0' { '1' } else { '0' };
    let digits = text.chars().enumerate();
    digits
        .map(|(at, digit)| if at == place { other(digit) } else { digit })
        .collect()
}

/// A genesis file in which two members' addresses are exchanged: each answers with the other's key.
fn wrong_pin(world: &World) -> Verdict {
    let mut genesis: Value = serde_json::from_slice(&fs::read(world.consortium.genesis_path())?)?;
    let api = |index: usize| {
        let address = genesis.pointer(&format!("/members/{index}/api")).cloned();
        address.ok_or_else(|| Broken::from("a member without an address"))
    };
    let (first, second) = (api(1)?, api(2)?);
    for (place, address) in [("/members/1/api", second), ("/members/2/api", first)] {
        if let Some(found) = genesis.pointer_mut(place) {
            *found = address;
        }
    }
    let path = world.file("exchanged.json");
    fs::write(&path, genesis.to_string())?;
    let seed = world.seed("her.seed", &world.patient.seed)?;

    let ended = world.sign_in_by(&path, "clinic-a", &seed)?;
    ended.ended_with(5)?;
    ensure(ended.talk.contains("pins"), || {
        format!("it does not say that the key is another:\n{}", ended.talk)
    })
}

/// A terminal under `faketime`; Python is linked dynamically.
fn wrong_clock(world: &World, offset: &str) -> Verdict {
    ensure(has("faketime"), || {
        "faketime must be installed (Debian: faketime)".to_owned()
    })?;
    let seed = world.seed("her.seed", &world.patient.seed)?;
    world.sign_in_at(offset, "clinic-c", &seed)?.ended_with(9)
}

/// A text field of what the program told.
fn field<'a>(told: &'a Value, name: &str) -> Result<&'a str, Broken> {
    let text = told.get(name).and_then(Value::as_str);
    text.ok_or_else(|| format!("no {name} in {told}").into())
}

/// A path as an argument.
fn shown(path: &Path) -> String {
    path.display().to_string()
}
