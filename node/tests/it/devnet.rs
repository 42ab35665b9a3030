//! Claims about a whole consortium of real processes, made through the command line.

use std::{
    fs,
    io::Write as _,
    net::TcpListener,
    os::unix::fs::PermissionsExt as _,
    path::PathBuf,
    process::{Command, Stdio},
};

use serde_json::Value;
use tempfile::TempDir;

const RISK: [&str; 3] = ["--suite", "wu-2021", "--accept-risk=insecure-suite"];

/// Four nodes and a registered patient, gone when dropped.
struct Devnet {
    folder: TempDir,
    base_port: u16,
}

impl Devnet {
    fn up() -> Self {
        let base_port = free_ports();
        let devnet = Self {
            folder: tempfile::tempdir().unwrap(),
            base_port,
        };
        for (name, text) in [
            ("id", "synthetic"),
            ("pw", "secret"),
            ("other-id", "another"),
        ] {
            let path = devnet.folder.path().join(name);
            fs::write(&path, text).unwrap();
            fs::set_permissions(path, fs::Permissions::from_mode(0o600)).unwrap();
        }
        let port = base_port.to_string();
        devnet.must(&["research", "faces", "--seed", "1", "--out", "faces"]);
        devnet.must(&[
            "devnet",
            "up",
            "--home",
            "net",
            "--research",
            "--base-port",
            &port,
        ]);
        assert_eq!(devnet.register("mine", "id").0, 0);
        devnet
    }

    fn command(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        command
            .current_dir(self.folder.path())
            .env("XDG_DATA_HOME", self.folder.path().join("data"))
            .stdin(Stdio::null());
        command
    }

    fn end(mut command: Command) -> (i32, Value) {
        let output = command.output().unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        let json = serde_json::from_str(text.trim()).unwrap_or(Value::Null);
        (output.status.code().unwrap(), json)
    }

    fn run(&self, arguments: &[&str]) -> (i32, Value) {
        let mut command = self.command(env!("CARGO_BIN_EXE_aidchain"));
        command.args(arguments).arg("--json");
        Self::end(command)
    }

    fn must(&self, arguments: &[&str]) -> Value {
        let (status, json) = self.run(arguments);
        assert_eq!(status, 0, "{arguments:?}: {json}");
        json
    }

    fn register(&self, profile: &str, id: &str) -> (i32, Value) {
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

    fn sign_in_arguments(server: &str) -> Vec<&str> {
        let mut arguments = vec!["patient", "auth", "--profile", "mine", "--server", server];
        arguments.extend(["--id-file", "id", "--password-file", "pw"]);
        arguments.extend(["--bio", "faces/captures/S03/04.json"]);
        arguments.extend(RISK);
        arguments
    }

    fn kill(&self, name: &str) {
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

/// A base port from which all sixteen ports are free.
fn free_ports() -> u16 {
    let is_free = |base: &u16| {
        [0_u16, 1000, 1100, 2000].iter().all(|offset| {
            let first = base.saturating_add(*offset);
            let mut ports = first..first.saturating_add(4);
            ports.all(|port| TcpListener::bind(("127.0.0.1", port)).is_ok())
        })
    };
    (21_000..23_000).step_by(10).find(is_free).unwrap()
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

/// Debian's faketime, without which a wrong clock cannot be played.
fn faketime() -> Option<PathBuf> {
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
        "LEFT OUT: sign-in with a wrong clock, because faketime is not installed"
    )
    .unwrap();
    None
}
