//! Claims about a whole consortium of real processes, made through the command line.

use std::{
    fs,
    io::Write as _,
    net::TcpListener,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::atomic::{AtomicU16, Ordering},
    thread,
    time::Duration,
};

use serde_json::Value;
use tempfile::TempDir;

/// What the patient types. No word of ours is like either.
pub(crate) const ID: &str = "patient-Zx41";
pub(crate) const PASSWORD: &str = "kestrel-quartz-88";

pub(crate) const RISK: [&str; 3] = ["--suite", "wu-2021", "--accept-risk=insecure-suite"];

/// Four nodes and a registered patient, gone when dropped.
pub(crate) struct Devnet {
    folder: TempDir,
    base_port: u16,
    log: &'static str,
}

impl Devnet {
    pub(crate) fn up() -> Self {
        Self::logging("info")
    }

    /// A devnet whose nodes log what this filter lets through.
    pub(crate) fn logging(log: &'static str) -> Self {
        let devnet = Self::research(log);
        let (status, registered) = devnet.register("mine", "id");
        assert_eq!(status, 0, "{registered}");
        devnet.settle(registered["height"].as_u64());
        devnet
    }

    /// One with a research ledger, on which nobody is registered.
    pub(crate) fn research(log: &'static str) -> Self {
        Self::started(log, &["--research"])
    }

    /// One with a secure ledger, on which nobody is registered.
    pub(crate) fn secure(log: &'static str) -> Self {
        Self::started(log, &[])
    }

    fn started(log: &'static str, kind: &[&str]) -> Self {
        let base_port = free_ports();
        let devnet = Self {
            folder: tempfile::tempdir().unwrap(),
            base_port,
            log,
        };
        for (name, text) in [
            ("id", ID),
            ("pw", PASSWORD),
            ("other-id", "another"),
            ("other-pw", "another"),
        ] {
            devnet.secret(name, text);
        }
        let port = base_port.to_string();
        devnet.must(&["research", "faces", "--seed", "1", "--out", "faces"]);
        let up = ["devnet", "up", "--home", "net", "--base-port", &port];
        devnet.must(&[&up[..], kind].concat());
        devnet
    }

    /// A file that only its owner may read.
    pub(crate) fn secret(&self, name: &str, text: &str) {
        let path = self.folder.path().join(name);
        fs::write(&path, text).unwrap();
        fs::set_permissions(path, fs::Permissions::from_mode(0o600)).unwrap();
    }

    /// Waits until every member has the registration: one that lags does not know her yet.
    fn settle(&self, height: Option<u64>) {
        let known = || {
            let status = self.must(&["devnet", "status", "--home", "net"]);
            let members = status["members"].as_array().unwrap().clone();
            members
                .iter()
                .all(|member| member["height"].as_u64() >= height)
        };
        let mut tries = (0..500).map(|_| {
            thread::sleep(Duration::from_millis(20));
            known()
        });
        assert!(tries.any(|known| known), "a member stays behind");
    }

    /// The folder in which commands run.
    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// The address of a member's listener, by the listener's distance from the first.
    pub(crate) fn listener(&self, member: u16, distance: u16) -> String {
        let port = self
            .base_port
            .saturating_add(distance)
            .saturating_add(member);
        format!("127.0.0.1:{port}")
    }

    pub(crate) fn command(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        command
            .current_dir(self.folder.path())
            .env("XDG_DATA_HOME", self.folder.path().join("data"))
            .env("AIDCHAIN_LOG", self.log)
            .stdin(Stdio::null());
        command
    }

    pub(crate) fn end(mut command: Command) -> (i32, Value) {
        let output = command.output().unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        let json = serde_json::from_str(text.trim()).unwrap_or(Value::Null);
        (output.status.code().unwrap(), json)
    }

    pub(crate) fn run(&self, arguments: &[&str]) -> (i32, Value) {
        let mut command = self.command(env!("CARGO_BIN_EXE_aidchain"));
        command.args(arguments).arg("--json");
        Self::end(command)
    }

    pub(crate) fn must(&self, arguments: &[&str]) -> Value {
        let (status, json) = self.run(arguments);
        assert_eq!(status, 0, "{arguments:?}: {json}");
        json
    }

    pub(crate) fn register(&self, profile: &str, id: &str) -> (i32, Value) {
        let captures = [1, 2, 3].map(|number| format!("faces/captures/S03/{number:02}.json"));
        let mut arguments = vec![
            "patient",
            "register",
            "--profile",
            profile,
            "--genesis",
            "net/genesis.json",
        ];
        arguments.extend(["--id-file", id, "--password-file", "pw"]);
        for capture in &captures {
            arguments.extend(["--bio", capture]);
        }
        arguments.extend(RISK);
        self.run(&arguments)
    }

    pub(crate) fn sign_in_arguments(server: &str) -> Vec<&str> {
        let mut arguments = vec!["patient", "auth", "--profile", "mine", "--server", server];
        arguments.extend(["--id-file", "id", "--password-file", "pw"]);
        arguments.extend(["--bio", "faces/captures/S03/04.json"]);
        arguments.extend(RISK);
        arguments
    }

    pub(crate) fn kill(&self, name: &str) {
        let status = self.must(&["devnet", "status", "--home", "net"]);
        let members = status["members"].as_array().unwrap();
        let pid = members
            .iter()
            .find(|member| member["name"] == name)
            .unwrap()["pid"]
            .to_string();
        assert!(
            Command::new("kill")
                .args(["-9", &pid])
                .status()
                .unwrap()
                .success()
        );
    }
}

impl Drop for Devnet {
    fn drop(&mut self) {
        let (status, json) = self.run(&["devnet", "down", "--home", "net", "--wipe"]);
        assert_eq!(status, 0, "{json}");
    }
}

/// A base port from which all sixteen ports are free, and which no other test has drawn.
fn free_ports() -> u16 {
    static NEXT: AtomicU16 = AtomicU16::new(21_000);
    let is_free = |base: &u16| {
        [0_u16, 1000, 1100, 2000].iter().all(|offset| {
            let first = base.saturating_add(*offset);
            let mut ports = first..first.saturating_add(4);
            ports.all(|port| TcpListener::bind(("127.0.0.1", port)).is_ok())
        })
    };
    std::iter::repeat_with(|| NEXT.fetch_add(10, Ordering::Relaxed))
        .take_while(|base| *base < 22_000)
        .find(is_free)
        .unwrap()
}

fn code(ended: &(i32, Value)) -> (i32, &str) {
    (ended.0, ended.1["code"].as_str().unwrap_or_default())
}

#[test]
fn a_second_registration_a_wrong_node_a_wrong_clock_and_a_lost_quorum_each_have_their_own_end() {
    let devnet = Devnet::up();

    assert_eq!(code(&devnet.register("again", "id")), (10, "AC0310"));
    assert!(
        !devnet
            .folder
            .path()
            .join("data/aidchain/again.card")
            .exists()
    );
    assert_eq!(code(&devnet.register("mine", "other-id")), (10, "AC0308"));

    let other = format!("https://127.0.0.1:{}", devnet.base_port + 1001);
    let mut wrong_node = Devnet::sign_in_arguments("clinic-c");
    wrong_node.extend(["--node", &other]);
    assert_eq!(code(&devnet.run(&wrong_node)), (5, "AC0702"));

    if let Some(faketime) = faketime() {
        for shift in ["-200s", "+200s"] {
            let mut command = devnet.command(faketime.to_str().unwrap());
            command.args(["-f", shift, env!("CARGO_BIN_EXE_aidchain")]);
            command
                .args(Devnet::sign_in_arguments("clinic-c"))
                .arg("--json");
            assert_eq!(code(&Devnet::end(command)), (9, "AC0430"), "{shift}");
        }
    }

    let up = devnet.must(&["devnet", "up", "--home", "net"]);
    assert_eq!(up["started"], 0, "what runs is left alone");
    devnet.kill("clinic-a");
    devnet.kill("clinic-b");
    assert_eq!(
        code(&devnet.run(&Devnet::sign_in_arguments("clinic-c"))),
        (7, "AC0431")
    );
    let up = devnet.must(&["devnet", "up", "--home", "net"]);
    assert_eq!(up["started"], 2);
    assert_eq!(devnet.run(&Devnet::sign_in_arguments("clinic-a")).0, 0);
}

#[test]
fn a_wrong_id_password_or_face_is_refused_in_one_and_the_same_words() {
    let devnet = Devnet::up();
    let refusal = |id: &str, password: &str, capture: &str| {
        let capture = format!("faces/captures/{capture}.json");
        let mut arguments = vec!["patient", "auth", "--profile", "mine"];
        arguments.extend(["--server", "clinic-a", "--bio", &capture]);
        arguments.extend(["--id-file", id, "--password-file", password]);
        arguments.extend(RISK);
        let (status, mut error) = devnet.run(&arguments);
        let support = error["support_code"].take();
        assert!(support.as_str().unwrap().starts_with("AC-"), "{support}");
        (status, error)
    };

    let password = refusal("id", "other-pw", "S03/04");

    assert_eq!(code(&password), (4, "AC0421"));
    assert_eq!(password.1["exit"], 4);
    for other in [
        refusal("other-id", "pw", "S03/04"),
        refusal("id", "pw", "S02/04"),
        refusal("other-id", "other-pw", "S01/04"),
    ] {
        assert_eq!(other, password);
    }
    let text = password.1.to_string().to_lowercase();
    for which in ["wrong password", "wrong face", "wrong id"] {
        assert!(!text.contains(which), "{text}");
    }
    assert_eq!(devnet.run(&Devnet::sign_in_arguments("clinic-a")).0, 0);
}

#[test]
fn every_reading_of_the_ledger_names_its_schema_and_every_failure_is_an_object_on_stdout() {
    let devnet = Devnet::up();
    let signed_in = devnet.must(&Devnet::sign_in_arguments("clinic-b"));
    let node = format!("http://{}", devnet.listener(2, 1100));
    let height = signed_in["height"].to_string();
    let [transaction, aid] = ["transaction", "aid"].map(|key| signed_in[key].as_str().unwrap());
    let absent = "00".repeat(32);

    let ledger = |question: &[&str]| {
        let mut arguments = vec!["ledger"];
        arguments.extend(question);
        arguments.extend(["--node", &node]);
        devnet.run(&arguments)
    };
    for (question, schema) in [
        (&["status"][..], "aidchain.status/1"),
        (&["blocks"], "aidchain.blocks/1"),
        (&["block", &height], "aidchain.block/1"),
        (&["tx", transaction], "aidchain.transaction/1"),
        (&["identity", aid], "aidchain.identity/1"),
        (&["results"], "aidchain.results/1"),
    ] {
        let (status, answer) = ledger(question);
        assert_eq!(
            (status, &answer["schema"]),
            (0, &schema.into()),
            "{question:?}"
        );
    }
    for absent in [&["block", "999999"][..], &["tx", &absent]] {
        let (status, error) = ledger(absent);
        assert_ne!(status, 0, "{error}");
        assert_eq!(error["schema"], "aidchain.error/1", "{absent:?}");
        assert_eq!(error["exit"], status);
    }
    for question in ["status", "blocks", "results"] {
        for form in [None, Some("--json")] {
            let mut command = devnet.command(env!("CARGO_BIN_EXE_aidchain"));
            command
                .args(["ledger", question, "--node", &node])
                .args(form);
            has_had_enough(command);
        }
    }
}

/// Runs a command whose reader is gone, as behind `| head -0`: that is no error.
fn has_had_enough(mut command: Command) {
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let output = command
        .stdout(writer)
        .stderr(Stdio::piped())
        .spawn()
        .unwrap()
        .wait_with_output()
        .unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(
        (output.status.code(), said.as_str()),
        (Some(0), ""),
        "{command:?}"
    );
}

/// Debian's faketime, without which a wrong clock cannot be played.
pub(crate) fn faketime() -> Option<PathBuf> {
    let path = PathBuf::from("/usr/bin/faketime");
    if path.exists() {
        return Some(path);
    }
    assert_ne!(
        std::env::var("CI").as_deref(),
        Ok("true"),
        "faketime is missing and CI=true"
    );
    writeln!(
        std::io::stderr(),
        "LEFT OUT: what a wrong clock does, because faketime is not installed"
    )
    .unwrap();
    None
}
