//! Claims about members who come and go, made through the command line on real processes.

use std::{
    process::{Child, Command},
    thread,
    time::Duration,
};

use serde_json::Value;

use crate::devnet::Devnet;

/// The newcomer's running node; ends with the test.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        self.0.kill().unwrap();
        self.0.wait().unwrap();
    }
}

/// Asks for admission as the devnet's fifth member, and starts its node.
fn newcomer(devnet: &Devnet) -> Running {
    let [p2p, api, member, operations] =
        [0, 1000, 1100, 2000].map(|distance| devnet.listener(4, distance));
    let api_url = format!("https://{api}");
    let request = devnet.must(&[
        "member",
        "request",
        "--home",
        "net/clinic-d",
        "--genesis",
        "net/genesis.json",
        "--name",
        "clinic-d",
        "--p2p",
        &p2p,
        "--api",
        &api_url,
    ]);
    assert_eq!(request["candidate"]["member"]["name"], "clinic-d");
    let mut command: Command = devnet.command(env!("CARGO_BIN_EXE_aidchain"));
    command.args(["node", "run", "--home", "net/clinic-d"]);
    command.args(["--p2p-listen", &p2p, "--api-listen", &api]);
    command.args([
        "--member-listen",
        &member,
        "--operations-listen",
        &operations,
    ]);
    command.args(["--explorer-login", "false"]);
    Running(command.spawn().unwrap())
}

/// What a member says of the consortium, once it says what is awaited.
fn until(devnet: &Devnet, what: &str, holds: impl Fn(&Value) -> bool) -> Value {
    let node = format!("http://{}", devnet.listener(0, 1100));
    for _ in 0..1_500 {
        let members = devnet.must(&["member", "list", "--node", &node]);
        if holds(&members) {
            return members;
        }
        thread::sleep(Duration::from_millis(20));
    }
    panic!("{what} never came");
}

fn names(members: &Value) -> Vec<&str> {
    let members = members["members"].as_array().unwrap();
    members
        .iter()
        .map(|one| one["name"].as_str().unwrap())
        .collect()
}

#[test]
fn a_newcomer_asks_three_members_approve_and_from_the_next_epoch_on_it_is_one_of_them() {
    let devnet = Devnet::up();
    let _running = newcomer(&devnet);
    let approve =
        |home: &str| devnet.must(&["member", "approve", "clinic-d.request.json", "--home", home]);

    let proposed = approve("net/rc");
    assert_eq!(proposed["action"], "proposed");
    assert_eq!(proposed["stage"], "1 of 3 approvals");
    let second = approve("net/clinic-a");
    assert_eq!(
        (&second["action"], &second["change"]),
        (&"approved".into(), &proposed["change"])
    );
    assert_eq!(second["stage"], "2 of 3 approvals");
    let again = devnet.run(&[
        "member",
        "approve",
        "clinic-d.request.json",
        "--home",
        "net/clinic-a",
    ]);
    assert_eq!((again.0, &again.1["code"]), (4, &"AC0808".into()));
    approve("net/clinic-b");

    let members = until(&devnet, "the newcomer's epoch", |members| {
        members["epoch"] == 1
    });
    assert_eq!(
        names(&members),
        ["rc", "clinic-a", "clinic-b", "clinic-c", "clinic-d"]
    );
    assert_eq!(
        (&members["quorum"], &members["faults"]),
        (&4.into(), &1.into())
    );
    assert_eq!(members["changes"], Value::Array(Vec::new()));

    // Of five members four decide: with one of the old ones dead it needs the new one's vote.
    devnet.must(&[
        "member",
        "set",
        "depth=3",
        "--home",
        "net/clinic-d",
        "--node",
        &format!("http://{}", devnet.listener(4, 1100)),
    ]);
    for home in ["net/rc", "net/clinic-a", "net/clinic-b"] {
        devnet.must(&["member", "set", "depth=3", "--home", home]);
    }
    until(&devnet, "the parameter's epoch", |members| {
        members["epoch"] == 2
    });
}

#[test]
fn a_removal_that_lowers_f_needs_a_word_from_everybody() {
    let devnet = Devnet::up();

    let silent = devnet.run(&["member", "remove", "clinic-c", "--home", "net/rc"]);
    assert_eq!((silent.0, &silent.1["code"]), (2, &"AC0010".into()));

    for home in ["net/rc", "net/clinic-a", "net/clinic-b"] {
        devnet.must(&[
            "member",
            "remove",
            "clinic-c",
            "--lower-faults",
            "--home",
            home,
        ]);
    }
    let members = until(&devnet, "the smaller committee", |members| {
        members["epoch"] == 1
    });
    assert_eq!(names(&members), ["rc", "clinic-a", "clinic-b"]);
    assert_eq!(members["guests"][0]["why"], "departed");
}

#[test]
fn a_proposal_is_cancelled_and_a_stranger_has_no_vote() {
    let devnet = Devnet::up();
    let proposed = devnet.must(&["member", "set", "depth=3", "--home", "net/rc"]);
    let id = proposed["change"].as_str().unwrap();

    let cancelled = devnet.must(&["member", "cancel", id, "--home", "net/rc"]);
    assert_eq!(
        (&cancelled["action"], &cancelled["stage"]),
        (&"cancelled".into(), &"closed".into())
    );
    let gone = devnet.run(&[
        "member",
        "approve",
        "--change",
        id,
        "--home",
        "net/clinic-a",
    ]);
    assert_eq!((gone.0, &gone.1["code"]), (6, &"AC0609".into()));

    let _running = newcomer(&devnet);
    let node = format!("http://{}", devnet.listener(0, 1100));
    let stranger = devnet.run(&[
        "member",
        "set",
        "depth=3",
        "--home",
        "net/clinic-d",
        "--node",
        &node,
    ]);
    assert_eq!((stranger.0, &stranger.1["code"]), (8, &"AC0112".into()));
}
