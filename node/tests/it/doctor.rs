//! What `aidchain doctor` finds in homes with something wrong in them, and that it changes none of them.

use std::{
    fs,
    net::TcpListener,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
};

use serde_json::Value;

use crate::devnet::{Devnet, faketime};

/// The finding of one check.
fn finding<'a>(report: &'a Value, check: &str) -> &'a Value {
    let findings = report["findings"].as_array().unwrap();
    let found = findings.iter().find(|finding| finding["check"] == check);
    found.unwrap_or_else(|| panic!("{check}: {report}"))
}

/// The mark and the code of one check.
fn said<'a>(report: &'a Value, check: &str) -> (&'a str, &'a str) {
    let finding = finding(report, check);
    let text = |key: &str| finding[key].as_str().unwrap_or_default();
    (text("mark"), text("code"))
}

/// Doctor at a member of a devnet.
fn doctor(devnet: &Devnet, member: &str, more: &[&str]) -> (i32, Value) {
    let home = format!("net/{member}");
    devnet.run(&[&["doctor", "--home", &home], more].concat())
}

/// What one check says, and the exit status when it alone is asked for.
fn only(devnet: &Devnet, member: &str, check: &str) -> (i32, String, String) {
    let (status, report) = doctor(devnet, member, &["--only", check]);
    let (mark, code) = said(&report, check);
    (status, mark.to_owned(), code.to_owned())
}

/// Flips a bit of a file; gives it back as it was.
struct Flipped {
    path: PathBuf,
    before: Vec<u8>,
    after: Vec<u8>,
}

impl Flipped {
    fn in_middle_of(path: PathBuf) -> Self {
        let length = fs::metadata(&path).unwrap().len();
        Self::at(path, usize::try_from(length).unwrap() / 2)
    }

    fn at(path: PathBuf, place: usize) -> Self {
        let before = fs::read(&path).unwrap();
        let mut after = before.clone();
        after[place] ^= 1;
        fs::write(&path, &after).unwrap();
        Self {
            path,
            before,
            after,
        }
    }

    /// Puts the file right, after checking that nobody has touched it.
    fn undo(self) {
        assert_eq!(fs::read(&self.path).unwrap(), self.after, "doctor wrote");
        fs::write(&self.path, self.before).unwrap();
    }
}

/// The only file of a member's vote log.
fn vote_log(home: &Path) -> PathBuf {
    let mut files = fs::read_dir(home.join("votes")).unwrap();
    files.next().unwrap().unwrap().path()
}

/// What is said of a member that has the others' newest block: while the members put their keys onto the ledger, who
/// has just come up may be a block behind.
fn settled(devnet: &Devnet, member: &str) -> (i32, Value) {
    for _ in 0..50 {
        let (status, report) = doctor(devnet, member, &[]);
        if said(&report, "state").0 == "ok" {
            return (status, report);
        }
        std::thread::sleep(std::time::Duration::from_millis(200));
    }
    doctor(devnet, member, &[])
}

#[test]
fn a_healthy_member_has_nothing_to_complain_of_and_a_missing_one_is_named() {
    let devnet = Devnet::up();

    let (status, report) = settled(&devnet, "clinic-a");
    assert_eq!(status, 0, "{report:#}");
    assert_eq!(report["schema"], "aidchain.doctor/1");
    let checks = [
        "home", "keys", "versions", "ports", "votes", "vault", "ledger", "node", "peers", "clock",
        "state",
    ];
    for check in checks {
        assert_eq!(said(&report, check), ("ok", ""), "{report:#}");
    }
    let ledger = finding(&report, "ledger")["text"]
        .as_str()
        .unwrap()
        .to_owned();
    let blocks = ledger.split([' ', ',']).nth(1).unwrap();
    assert!(ledger.ends_with(&format!("{blocks}/{blocks}")), "{ledger}");
    let state = finding(&report, "state")["text"].as_str().unwrap();
    assert!(
        state.starts_with("equal with rc, clinic-b, clinic-c"),
        "{state}"
    );

    devnet.kill("clinic-c");
    let missing = || only(&devnet, "clinic-a", "peers") == (0, "warning".into(), String::new());
    let mut tries = (0..100).map(|_| {
        std::thread::sleep(std::time::Duration::from_millis(50));
        missing()
    });
    assert!(tries.any(|missing| missing), "nobody is missed");
    let (_, report) = doctor(&devnet, "clinic-a", &[]);
    let help = finding(&report, "peers")["help"].as_str().unwrap();
    assert!(help.contains("clinic-c"), "{help}");
}

#[test]
fn each_fault_in_the_home_of_a_node_that_stands_still_is_found_and_nothing_is_changed() {
    let devnet = Devnet::up();
    devnet.kill("clinic-c");
    let home = devnet.folder().join("net/clinic-c");
    let error = |status: i32, code: &str| (status, "error".to_owned(), code.to_owned());
    let look = |check| only(&devnet, "clinic-c", check);

    let (status, report) = doctor(&devnet, "clinic-c", &[]);
    assert_eq!(status, 0, "{report:#}");
    assert_eq!(said(&report, "node").0, "warning", "it does not run");
    assert_eq!(said(&report, "peers").0, "ok", "the others answer");
    assert_eq!(said(&report, "state").0, "ok");

    let blocks = Flipped::in_middle_of(home.join("ledger/blocks"));
    assert_eq!(look("ledger"), error(8, "AC0208"));
    blocks.undo();
    assert_eq!(look("ledger").0, 0);

    let votes = Flipped::in_middle_of(vote_log(&home));
    assert_eq!(look("votes"), error(8, "AC0204"));
    votes.undo();
    assert_eq!(look("votes").0, 0);

    // In the first secret.
    let vault = Flipped::at(home.join("vault/epochs"), 2_048 + 8);
    assert_eq!(look("vault"), error(8, "AC0213"));
    vault.undo();
    assert_eq!(look("vault").0, 0);

    let key = home.join("keys/member.key");
    fs::set_permissions(&key, fs::Permissions::from_mode(0o640)).unwrap();
    assert_eq!(look("keys"), error(8, "AC0110"));
    fs::set_permissions(&key, fs::Permissions::from_mode(0o600)).unwrap();

    let taken = TcpListener::bind(devnet.listener(3, 1000)).unwrap();
    assert_eq!(look("ports"), error(8, "AC0107"));
    drop(taken);
    assert_eq!(look("ports").0, 0);

    if let Some(faketime) = faketime() {
        let mut late = devnet.command(faketime.to_str().unwrap());
        late.args(["-f", "-5s", env!("CARGO_BIN_EXE_aidchain"), "--json"]);
        late.args(["doctor", "--home", "net/clinic-c", "--only", "clock"]);
        let (status, report) = Devnet::end(late);
        assert_eq!((status, said(&report, "clock")), (9, ("error", "AC0430")));
        let text = finding(&report, "clock")["text"].as_str().unwrap();
        assert!(text.starts_with('−'), "{text}");
    }

    let init = [
        "consortium",
        "init",
        "--local",
        "other",
        "--members",
        "rc,clinic-c",
    ];
    devnet.must(&[&init[..], &["--research"]].concat());
    fs::copy(
        devnet.folder().join("other/genesis.json"),
        home.join("genesis.json"),
    )
    .unwrap();
    let (status, report) = doctor(&devnet, "clinic-c", &[]);
    assert_eq!(status, 8, "{report:#}");
    assert_eq!(said(&report, "home").0, "error");
    assert_eq!(said(&report, "ledger"), ("error", "AC0201"));
    assert_eq!(said(&report, "votes"), ("error", "AC0201"));
}
