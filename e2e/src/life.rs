//! A patient's whole life on the command line, against four real members of a secure ledger.
//!
//! Each claim is about somebody of her own, so that one that fails takes no other with it but the last, which looks at
//! what all of them left on the ledger.

mod offline;
mod person;

use std::cell::RefCell;
use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use bench::clock::wait_for;
use bench::consortium::{Consortium, NAMES};
use contract::genesis::Kind;
use serde_json::Value;

use crate::claims::{Broken, Claims, Verdict, ensure, ensure_equal};
use crate::tools::{Ended, aidchain};
use person::Person;

/// How long something on the ledger is waited for.
const PATIENCE: Duration = Duration::from_secs(20);

/// One claim of this page.
type Claim = fn(&World) -> Verdict;

/// The members and the folder of everybody's files.
pub(crate) struct World {
    pub(crate) consortium: RefCell<Consortium>,
    pub(crate) folder: PathBuf,
    pub(crate) genesis: PathBuf,
}

/// All claims about a patient's life.
pub(crate) fn run(claims: &mut Claims) -> Result<(), Broken> {
    let world = World::start()?;
    let all: [(&str, Claim); 12] = [
        (
            "a patient enrols once and signs in at all four members, under four identities",
            signs_in_everywhere,
        ),
        (
            "with the centre down she signs in at the others, and nobody enrols",
            without_the_centre,
        ),
        (
            "an identified sign-in tells her ID to that member alone",
            identified,
        ),
        (
            "with another password the old one and every old copy of the card are worth nothing",
            another_password,
        ),
        (
            "with another face hers of before opens nothing",
            another_face,
        ),
        (
            "moved to another device she signs in there and no more with the old card",
            moved,
        ),
        (
            "renewed she has sixteen identities more and signs in under a fresh one",
            renewed,
        ),
        (
            "who lost everything but the recovery code is back at once",
            recovered_by_code,
        ),
        (
            "who lost the code as well is back once another member approved and the delay is over",
            recovered_by_people,
        ),
        (
            "whose ID was disclosed sees by whom, and nobody discloses alone",
            disclosed,
        ),
        (
            "revoked and shredded she signs in nowhere, and nothing resolves her any more",
            revoked_and_shredded,
        ),
        (
            "each of these steps is on the ledger, with a receipt that checks offline",
            offline::every_step_checks,
        ),
    ];
    for (name, claim) in all {
        claims.hold(name, || claim(&world));
    }
    Ok(())
}

impl World {
    fn start() -> Result<Self, Broken> {
        let mut consortium = Consortium::local(&aidchain(), Kind::Secure)?;
        consortium.start_all()?;
        consortium.wait_ready(Duration::from_secs(30))?;
        Ok(Self {
            folder: consortium.folder.path().to_owned(),
            genesis: consortium.genesis_path(),
            consortium: RefCell::new(consortium),
        })
    }

    /// The home of a member.
    fn home(&self, name: &str) -> String {
        let home = self.folder.join("consortium").join(name);
        home.display().to_string()
    }

    /// A command of an officer of this member.
    fn desk(&self, member: &str, words: &[&str]) -> Result<Ended, Broken> {
        let home = self.home(member);
        person::run(self, &[&["desk"], words, &["--home", &home]].concat())
    }
}

fn field<'a>(told: &'a Value, name: &str) -> Result<&'a str, Broken> {
    let text = told.get(name).and_then(Value::as_str);
    text.ok_or_else(|| format!("no {name} in {told}").into())
}

fn signs_in_everywhere(world: &World) -> Verdict {
    let ada = Person::enrolled(world, "ada", 1)?;
    let mut shown = Vec::new();
    for (probe, name) in (4..).zip(NAMES) {
        let told = ada.signed_in(name, probe, &[])?;
        let aid = field(&told, "aid")?.to_owned();
        let receipt = field(&told, "receipt")?.to_owned();
        let expected = ["--expect-server", name, "--expect-aid", &aid];
        ada.verifies(&receipt, &expected)?;
        let other = if name == "rc" { "clinic-a" } else { "rc" };
        let wrong = ada.verify(&receipt, &["--expect-server", other])?;
        wrong.ended_with(5)?;
        shown.push(aid);
    }
    shown.sort();
    shown.dedup();
    ensure_equal("how many identities were shown", &shown.len(), &NAMES.len())?;
    // Again at one of them: the same identity as before, unless she asks for a fresh one.
    let again = ada.signed_in("rc", 8, &[])?;
    ensure(shown.contains(&field(&again, "aid")?.to_owned()), || {
        "the same member saw another identity".to_owned()
    })?;
    let fresh = ada.signed_in("rc", 9, &["--fresh"])?;
    ensure(!shown.contains(&field(&fresh, "aid")?.to_owned()), || {
        "a fresh identity had been used".to_owned()
    })?;
    ada.sign_in("clinic-a", &ada.stranger(1), "password", &[])?
        .ended_with(4)?;
    ada.register()?.ended_with(10)?;
    let history = ada.history(10)?;
    ensure_equal(
        "whether the history is complete",
        &history.get("complete"),
        &Some(&Value::Bool(true)),
    )
}

fn without_the_centre(world: &World) -> Verdict {
    let bob = Person::enrolled(world, "bob", 2)?;
    let eve = Person::new(world, "eve", 3)?;
    if let Some(centre) = world.consortium.borrow_mut().nodes.first_mut() {
        centre.kill();
    }
    let verdict = ["clinic-a", "clinic-b", "clinic-c"]
        .into_iter()
        .zip(4..)
        .try_for_each(|(name, probe)| bob.signed_in(name, probe, &[]).map(drop))
        .and_then(|()| eve.enrol()?.ended_with(3));
    let mut consortium = world.consortium.borrow_mut();
    consortium.start_all()?;
    consortium.wait_ready(Duration::from_secs(30))?;
    verdict
}

fn identified(world: &World) -> Verdict {
    let cara = Person::enrolled(world, "cara", 4)?;
    cara.signed_in("clinic-b", 4, &["--identify"])?;
    cara.signed_in("clinic-a", 5, &[])?;
    let written = |name: &str| {
        let path = PathBuf::from(world.home(name)).join("sign-ins/identified.jsonl");
        fs::read_to_string(path).unwrap_or_default()
    };
    ensure(written("clinic-b").contains(&cara.id()), || {
        "clinic-b was not told".to_owned()
    })?;
    for name in ["rc", "clinic-a", "clinic-c"] {
        ensure(!written(name).contains(&cara.id()), || {
            format!("{name} knows her ID")
        })?;
    }
    for node in &world.consortium.borrow().nodes {
        ensure(!node.log().contains(&cara.id()), || {
            format!("the log of {} names her", node.name)
        })?;
    }
    Ok(())
}

fn another_password(world: &World) -> Verdict {
    let dora = Person::enrolled(world, "dora", 5)?;
    let copy = dora.copy("dora-copy")?;
    dora.secret("new-password", "another pass phrase")?;
    let new = dora.file("new-password");
    dora.changed("password", &["--new-password-file", &new])?
        .ended_with(0)?;

    dora.sign_in("clinic-a", &dora.capture(4), "password", &[])?
        .ended_with(4)?;
    dora.sign_in("clinic-a", &dora.capture(5), "new-password", &[])?
        .ended_with(0)?;
    let old = copy.sign_in("clinic-a", &copy.capture(6), "password", &[])?;
    ensure(old.code == 4 || old.code == 7, || {
        format!("an old copy of the card opened: {}{}", old.out, old.talk)
    })
}

fn another_face(world: &World) -> Verdict {
    let finn = Person::enrolled(world, "finn", 6)?;
    finn.changed_face()?.ended_with(0)?;
    finn.sign_in("clinic-c", &finn.capture(4), "password", &[])?
        .ended_with(4)?;
    finn.sign_in("clinic-c", &finn.stranger(4), "password", &[])?
        .ended_with(0)
}

fn moved(world: &World) -> Verdict {
    let gina = Person::enrolled(world, "gina", 7)?;
    gina.signed_in("clinic-a", 4, &[])?;
    let phone = gina.moved_to("phone")?;
    phone.signed_in("clinic-a", 5, &[])?;
    let old = gina.sign_in("clinic-a", &gina.capture(6), "password", &[])?;
    ensure(old.code != 0, || "the old card still signs in".to_owned())
}

fn renewed(world: &World) -> Verdict {
    let hugo = Person::enrolled(world, "hugo", 8)?;
    let before = hugo.signed_in("clinic-b", 4, &[])?;
    hugo.renewed()?.ended_with(0)?;
    let after = hugo.signed_in("clinic-b", 5, &[])?;
    ensure(before.get("aid") != after.get("aid"), || {
        "the identity is the old one".to_owned()
    })
}

fn recovered_by_code(world: &World) -> Verdict {
    let ines = Person::enrolled(world, "ines", 9)?;
    ines.signed_in("clinic-a", 4, &[])?;
    ines.lose()?;
    ines.recover(&[])?.ended_with(2)?;
    ines.desk_code(world)?;
    ines.recover_with_code()?.ended_with(0)?;
    ines.signed_in("clinic-a", 5, &[]).map(drop)
}

fn recovered_by_people(world: &World) -> Verdict {
    let jack = Person::enrolled(world, "jack", 10)?;
    let first = jack.signed_in("clinic-a", 4, &[])?;
    jack.lose()?;
    jack.desk_code(world)?;
    jack.recover_without_code()?.ended_with(0)?;
    let waits = jack.sign_in("clinic-a", &jack.capture(5), "password", &[])?;
    ensure(waits.code != 0, || {
        "she signs in before anybody approved".to_owned()
    })?;

    let aid = field(&first, "aid")?;
    // The centre's sixteen requests are on the ledger a moment later; its own approval does not count.
    let own = wait_for(PATIENCE, || {
        let ended = world.desk("rc", &["approve", "--aid", aid]).ok();
        // Until all sixteen are there, they are none's or not one patient's.
        ended.filter(|ended| ended.code != 6 && !ended.out.contains("AC0354"))
    });
    own.ok_or("the recovery is not on the ledger")?
        .ended_with(4)?;
    let approved = wait_for(PATIENCE, || {
        let ended = world.desk("clinic-b", &["approve", "--aid", aid]).ok();
        ended.filter(|ended| !ended.out.contains("AC0354"))
    });
    approved
        .ok_or("the member does not see all requests")?
        .ended_with(0)?;
    let back = wait_for(PATIENCE, || {
        let ended = jack.sign_in("clinic-a", &jack.capture(6), "password", &[]);
        ended.ok().filter(|ended| ended.code == 0)
    });
    let back = back.ok_or("the recovery did not finish")?;
    ensure(
        format!("{}{}", back.out, back.talk).contains("recovered by"),
        || {
            format!(
                "nothing says that she was recovered: {}{}",
                back.out, back.talk
            )
        },
    )
}

fn disclosed(world: &World) -> Verdict {
    let kim = Person::enrolled(world, "kim", 11)?;
    let told = kim.signed_in("clinic-a", 4, &[])?;
    let aid = field(&told, "aid")?;
    let request = [
        "disclose",
        "request",
        "--aid",
        aid,
        "--officer",
        "desk-7",
        "--purpose",
        "BTG",
    ];
    let asked = world.desk("rc", &request)?;
    asked.ended_with(0)?;
    let number = asked.json().get("number").and_then(Value::as_u64);
    let number = number.ok_or("no number was told")?.to_string();
    world
        .desk("rc", &["disclose", "open", &number])?
        .ended_with(4)?;
    world
        .desk("rc", &["disclose", "approve", &number, "--aid", aid])?
        .ended_with(4)?;
    world
        .desk("clinic-c", &["disclose", "approve", &number, "--aid", aid])?
        .ended_with(0)?;
    let opened = world.desk("rc", &["disclose", "open", &number])?;
    opened.ended_with(0)?;
    ensure(opened.out.contains(&kim.id()), || {
        format!("the ID was not told: {}", opened.out)
    })?;
    let history = kim.history(5)?;
    ensure(history.to_string().contains("desk-7"), || {
        format!("she does not see the officer: {history}")
    })
}

fn revoked_and_shredded(world: &World) -> Verdict {
    let lena = Person::enrolled(world, "lena", 12)?;
    let told = lena.signed_in("clinic-a", 4, &[])?;
    let aid = field(&told, "aid")?;
    lena.revoke(5, &[])?.ended_with(2)?;
    lena.revoke(5, &["--accept-risk=revocation"])?
        .ended_with(0)?;
    for (name, probe) in NAMES.into_iter().zip(6..) {
        lena.sign_in(name, &lena.capture(probe), "password", &[])?
            .ended_with(4)?;
    }
    let id = lena.file("id");
    world
        .desk("rc", &["shred", "--id-file", &id])?
        .ended_with(0)?;
    world
        .desk("rc", &["shred", "--id-file", &id])?
        .ended_with(6)?;
    let request = [
        "disclose",
        "request",
        "--aid",
        aid,
        "--officer",
        "desk-7",
        "--purpose",
        "BTG",
    ];
    let refused = world.desk("rc", &request)?;
    ensure(refused.code != 0, || {
        "a shredded identity is disclosed".to_owned()
    })
}
