//! The second paper's suite on real processes: its patient, her card, and members that are killed.

use std::os::unix::fs::PermissionsExt as _;
use std::thread;
use std::time::Duration;

use serde_json::Value;

use crate::devnet::Devnet;

const RISK: [&str; 3] = ["--suite", "limbasiya-2020", "--accept-risk=insecure-suite"];

/// A devnet whose four members are registered as servers, with their secrets on the disk.
fn served() -> Devnet {
    let devnet = Devnet::research("info");
    let all = ["rc", "clinic-a", "clinic-b", "clinic-c"];
    let registered = || {
        all.iter().all(|name| {
            let log = devnet.folder().join("net").join(name).join("node.log");
            let log = std::fs::read_to_string(log).unwrap_or_default();
            log.contains("limbasiya_registered")
        })
    };
    let mut tries = (0..500).map(|_| {
        thread::sleep(Duration::from_millis(20));
        registered()
    });
    assert!(tries.any(|done| done), "a member is no server");
    devnet
}

fn with<'a>(command: &[&'a str], more: &[&'a str]) -> Vec<&'a str> {
    [command, more, &RISK].concat()
}

fn register(devnet: &Devnet) -> Value {
    let secrets = ["--id-file", "id", "--password-file", "pw"];
    let genesis = ["--profile", "mine", "--genesis", "net/genesis.json"];
    devnet.must(&with(
        &["patient", "register"],
        &[&genesis[..], &secrets].concat(),
    ))
}

fn sign_in(devnet: &Devnet, server: &str, password: &str) -> (i32, Value) {
    let at = ["--profile", "mine", "--server", server];
    let secrets = ["--id-file", "id", "--password-file", password];
    devnet.run(&with(&["patient", "auth"], &[&at[..], &secrets].concat()))
}

fn change(devnet: &Devnet) -> (i32, Value) {
    let secrets = ["--id-file", "id", "--password-file", "pw"];
    let new = ["--profile", "mine", "--new-password-file", "other-pw"];
    devnet.run(&with(
        &["patient", "change", "password"],
        &[&new[..], &secrets].concat(),
    ))
}

fn code(ended: &(i32, Value)) -> (i32, &str) {
    (ended.0, ended.1["code"].as_str().unwrap_or_default())
}

#[test]
fn keys_rows_and_tables_outlive_members_that_are_killed() {
    let devnet = served();
    register(&devnet);
    let card = devnet.folder().join("data/aidchain/mine.card");
    let before = std::fs::read(&card).unwrap();
    assert_eq!(sign_in(&devnet, "clinic-a", "pw").0, 0);

    for name in ["rc", "clinic-a"] {
        devnet.kill(name);
        let up = devnet.must(&["devnet", "up", "--home", "net"]);
        assert_eq!(up["started"], 1);
    }

    for server in ["rc", "clinic-a"] {
        let (status, answer) = sign_in(&devnet, server, "pw");
        assert_eq!(status, 0, "{server}: {answer}");
    }
    assert_eq!(change(&devnet).0, 0);
    let (status, answer) = sign_in(&devnet, "clinic-a", "other-pw");
    assert_eq!(status, 0, "{answer}");
    assert_eq!(code(&sign_in(&devnet, "clinic-a", "pw")), (4, "AC0421"));
    let mode = std::fs::metadata(&card).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);

    // A terminal that stopped before it wrote the new card runs the same command again.
    std::fs::write(&card, before).unwrap();
    assert_eq!(change(&devnet).0, 0);
    assert_eq!(sign_in(&devnet, "clinic-b", "other-pw").0, 0);
}

#[test]
fn a_card_serves_its_own_suite_alone_and_no_face_is_taken() {
    let devnet = served();
    register(&devnet);

    let at = [
        "patient",
        "auth",
        "--profile",
        "mine",
        "--server",
        "clinic-a",
    ];
    let secrets = ["--id-file", "id", "--password-file", "pw"];
    let face = ["--bio", "faces/captures/S03/04.json"];
    let run = |more: &[&str]| devnet.run(&[&at[..], more].concat());

    let as_default = run(&[&secrets[2..], &face].concat());
    assert_eq!(code(&as_default), (2, "AC0408"));
    assert!(as_default.1.to_string().contains("suite limbasiya-2020"));
    let as_wu = run(&[&secrets[..], &face, &["--suite", "wu-2021", RISK[2]]].concat());
    assert_eq!(code(&as_wu), (2, "AC0408"));
    let with_a_face = run(&[&secrets[..], &face, &RISK].concat());
    assert_eq!(code(&with_a_face), (2, "AC0002"));
    let unnamed_risk = run(&[&secrets[..], &RISK[..2]].concat());
    assert_eq!(code(&unnamed_risk), (2, "AC0303"));
}
