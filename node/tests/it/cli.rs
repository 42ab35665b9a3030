//! Claims about the command line, made to the binary itself.

use std::{
    fs,
    net::TcpListener,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
};

use serde_json::Value;
use tempfile::TempDir;

/// A folder to run commands in.
struct Desk(TempDir);

/// How a command ended.
struct Ended {
    status: i32,
    out: String,
    err: String,
}

impl Ended {
    fn json(&self) -> Value {
        serde_json::from_str(self.out.trim())
            .unwrap_or_else(|error| panic!("{error}: {}{}", self.out, self.err))
    }

    fn code(&self) -> String {
        self.json()["code"].as_str().unwrap_or_default().to_owned()
    }
}

impl Desk {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn run(&self, arguments: &[&str]) -> Ended {
        let output: Output = Command::new(env!("CARGO_BIN_EXE_aidchain"))
            .args(arguments)
            .current_dir(self.0.path())
            .env("XDG_DATA_HOME", self.path("data"))
            .env_remove("AIDCHAIN_HOME")
            .stdin(Stdio::null())
            .output()
            .unwrap();
        Ended {
            status: output.status.code().unwrap(),
            out: String::from_utf8(output.stdout).unwrap(),
            err: String::from_utf8(output.stderr).unwrap(),
        }
    }

    fn secret(&self, name: &str, text: &str) {
        fs::write(self.path(name), text).unwrap();
        fs::set_permissions(self.path(name), fs::Permissions::from_mode(0o600)).unwrap();
    }

    fn consortium(&self, more: &[&str]) -> Ended {
        let mut arguments = vec![
            "consortium",
            "init",
            "--local",
            "c",
            "--members",
            "rc,a,b,c",
            "--json",
        ];
        arguments.extend(more);
        self.run(&arguments)
    }
}

fn vectors() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../patient/tests/vectors/receipts")
}

#[test]
fn a_local_consortium_is_one_home_a_member_and_is_never_made_twice() {
    let desk = Desk::new();

    let made = desk.consortium(&["--research"]);
    assert_eq!(made.status, 0, "{}", made.err);
    assert_eq!(made.json()["kind"], "research");
    let genesis = fs::read(desk.path("c/genesis.json")).unwrap();
    for member in ["rc", "a", "b", "c"] {
        let home = desk.path("c").join(member);
        assert_eq!(fs::read(home.join("genesis.json")).unwrap(), genesis);
        for file in [
            "node.toml",
            "keys/member.key",
            "keys/network.key",
            "keys/tls.key",
            "keys/tls.crt",
        ] {
            assert!(home.join(file).is_file(), "{member}/{file}");
        }
    }

    let again = desk.consortium(&["--research"]);
    assert_eq!((again.status, again.code()), (10, "AC0106".to_owned()));
    let settled = desk.consortium(&["--research", "--if-missing"]);
    assert_eq!(settled.status, 0);
    assert_eq!(settled.json()["chain"], made.json()["chain"]);
    assert_eq!(fs::read(desk.path("c/genesis.json")).unwrap(), genesis);
}

#[test]
fn a_consortium_that_cannot_be_founded_leaves_nothing_behind() {
    let desk = Desk::new();

    for (members, code) in [
        ("rc,a,a,b", "AC0002"),
        ("rc,A", "AC0002"),
        ("rc,../x", "AC0002"),
    ] {
        let ended = desk.run(&[
            "consortium",
            "init",
            "--local",
            "c",
            "--members",
            members,
            "--json",
        ]);
        assert_eq!(ended.code(), code, "{members}: {}", ended.out);
        assert!(!desk.path("c").exists(), "{members}");
    }
}

#[test]
fn members_that_never_share_a_key_found_a_consortium_together() {
    let desk = Desk::new();
    for (place, (name, role)) in [
        ("rc", "rc"),
        ("a", "server"),
        ("b", "server"),
        ("c", "server"),
    ]
    .into_iter()
    .enumerate()
    {
        let (p2p, api) = (
            format!("127.0.0.1:{}", 7100 + place),
            format!("https://127.0.0.1:{}", 8100 + place),
        );
        let made = desk.run(&[
            "key", "init", "--home", name, "--name", name, "--role", role, "--p2p", &p2p, "--api",
            &api,
        ]);
        assert_eq!(made.status, 0, "{}", made.err);
        let secret = fs::read_to_string(desk.path(name).join("keys/member.key")).unwrap();
        assert!(!made.out.contains(secret.lines().nth(1).unwrap()));
        fs::write(desk.path(&format!("{name}.member.json")), made.out).unwrap();
    }

    let files = [
        "rc.member.json",
        "a.member.json",
        "b.member.json",
        "c.member.json",
    ];
    let mut arguments = vec![
        "consortium",
        "init",
        "--out",
        "genesis.json",
        "--research",
        "--json",
        "--from",
    ];
    arguments.extend(files);
    let founded = desk.run(&arguments);
    assert_eq!(founded.status, 0, "{}", founded.out);

    let adopt =
        |home: &str, genesis: &str| desk.run(&["node", "adopt", genesis, "--home", home, "--json"]);
    for home in ["rc", "a", "b", "c"] {
        let adopted = adopt(home, "genesis.json");
        assert_eq!(adopted.status, 0, "{}", adopted.out);
        assert_eq!(adopted.json()["chain"], founded.json()["chain"]);
    }
    assert_eq!(
        adopt("a", "genesis.json").status,
        0,
        "adopting twice changes nothing"
    );

    let other = desk.run(&[
        "consortium",
        "init",
        "--local",
        "other",
        "--members",
        "rc,a,b,c",
        "--json",
    ]);
    assert_eq!(other.status, 0);
    assert_eq!(adopt("a", "other/genesis.json").code(), "AC0112");
}

#[test]
fn a_devnet_whose_port_is_taken_names_the_port_and_starts_nothing() {
    let desk = Desk::new();
    let listener = (20_000..40_000)
        .step_by(100)
        .find_map(|port| TcpListener::bind(("127.0.0.1", port + 1)).ok())
        .unwrap();
    let port = listener.local_addr().unwrap().port();
    let base = (port - 1).to_string();

    let ended = desk.run(&[
        "devnet",
        "up",
        "--home",
        "net",
        "--base-port",
        &base,
        "--json",
    ]);

    assert_eq!(
        (ended.status, ended.code()),
        (8, "AC0107".to_owned()),
        "{}",
        ended.out
    );
    let error = ended.json();
    assert!(
        error["message"]
            .as_str()
            .unwrap()
            .contains(&format!("127.0.0.1:{port} (p2p of clinic-a)")),
        "{error}"
    );
    assert!(
        error["cause"]
            .as_str()
            .unwrap()
            .contains(&std::process::id().to_string()),
        "{error}"
    );
    assert!(!desk.path("net").exists());
}

#[test]
fn errors_are_one_object_under_json_and_four_lines_for_people() {
    let desk = Desk::new();

    let json = desk.run(&["devnet", "down", "--json"]);
    assert_eq!((json.status, json.code()), (6, "AC0116".to_owned()));
    assert_eq!(json.json()["schema"], "aidchain.error/1");
    assert_eq!(json.json()["exit"], 6);
    assert_eq!(json.err, "");

    let text = desk.run(&["devnet", "down"]);
    assert_eq!((text.status, text.out.as_str()), (6, ""));
    assert!(text.err.starts_with("error[AC0116]: "), "{}", text.err);
    assert!(
        text.err.contains("help:") && text.err.contains("aidchain explain AC0116"),
        "{}",
        text.err
    );
    assert!(!text.err.contains('\u{1b}'), "no colour off a terminal");

    let usage = desk.run(&["devnet", "sideways", "--json"]);
    assert_eq!((usage.status, usage.code()), (2, "AC0002".to_owned()));
    let unreachable = desk.run(&["ledger", "status", "--node", "http://127.0.0.1:1", "--json"]);
    assert_eq!(
        (unreachable.status, unreachable.code()),
        (3, "AC0701".to_owned())
    );
    let aid = desk.run(&["ledger", "identity", "aid1q7s2k9fe", "--json"]);
    assert_eq!((aid.status, aid.code()), (2, "AC0602".to_owned()));
}

#[test]
fn a_code_is_explained_and_an_unknown_one_is_not_found() {
    let desk = Desk::new();

    let page = desk.run(&["explain", "AC0107"]);
    assert_eq!(page.status, 0);
    assert!(page.out.starts_with("AC0107: "), "{}", page.out);
    for unknown in ["AC9999", "AC-7F3K", "nonsense"] {
        assert_eq!(
            desk.run(&["explain", unknown, "--json"]).code(),
            "AC0009",
            "{unknown}"
        );
    }
}

#[test]
fn nobody_registers_with_an_insecure_suite_by_accident() {
    let desk = Desk::new();
    assert_eq!(desk.consortium(&["--research"]).status, 0);
    let register = |genesis: &str, more: &[&str]| {
        let mut arguments = vec![
            "patient",
            "register",
            "--profile",
            "p",
            "--genesis",
            genesis,
            "--json",
            "--no-input",
        ];
        arguments.extend(more);
        let ended = desk.run(&arguments);
        (ended.status, ended.code())
    };
    let accepted = ["--suite", "wu-2021", "--accept-risk=insecure-suite"];
    let second = ["--suite", "limbasiya-2020", "--accept-risk=insecure-suite"];

    // Without a name it is the default suite, which wants a face or says so.
    assert_eq!(register("c/genesis.json", &[]), (2, "AC0002".to_owned()));
    assert_eq!(
        register("c/genesis.json", &second[..2]),
        (2, "AC0303".to_owned())
    );
    assert_eq!(
        register("c/genesis.json", &accepted[..2]),
        (2, "AC0303".to_owned())
    );
    let secure = vectors().join("genesis-secure.json");
    assert_eq!(
        register(secure.to_str().unwrap(), &accepted),
        (4, "AC0304".to_owned())
    );
    assert_eq!(
        register(secure.to_str().unwrap(), &second),
        (4, "AC0304".to_owned())
    );
    for suite in [accepted, second] {
        assert_eq!(register("c/genesis.json", &suite), (2, "AC0003".to_owned()));
    }

    desk.secret("id", "synthetic");
    desk.secret("pw", "secret");
    let mut all = accepted.to_vec();
    all.extend(["--id-file", "id", "--password-file", "pw"]);
    assert_eq!(register("c/genesis.json", &all), (2, "AC0305".to_owned()));
    fs::set_permissions(desk.path("pw"), fs::Permissions::from_mode(0o644)).unwrap();
    assert_eq!(register("c/genesis.json", &all), (8, "AC0008".to_owned()));
}

#[test]
fn the_binary_judges_every_receipt_vector_as_the_index_says() {
    let desk = Desk::new();
    let index: Value =
        serde_json::from_slice(&fs::read(vectors().join("index.json")).unwrap()).unwrap();
    let mut judged = 0;
    for vector in index["vectors"].as_array().unwrap() {
        // The binary reads the real clock, so the one vector about the clock is left to the library's test.
        if vector["fails"] == "time" {
            continue;
        }
        let file = vectors().join(vector["file"].as_str().unwrap());
        let genesis = vectors().join(vector["genesis"].as_str().unwrap());
        let mut arguments = vec![
            "receipt",
            "verify",
            file.to_str().unwrap(),
            "--trust",
            genesis.to_str().unwrap(),
        ];
        arguments.extend(["--offline", "--json"]);
        for (flag, key) in [("--expect-aid", "aid"), ("--expect-server", "server")] {
            if let Some(value) = vector["expect"][key].as_str() {
                arguments.extend([flag, value]);
            }
        }
        let ended = desk.run(&arguments);
        let valid = vector["valid"].as_bool().unwrap();
        assert_eq!(
            ended.status,
            if valid { 0 } else { 5 },
            "{vector}: {}",
            ended.out
        );
        judged += 1;
    }
    assert!(judged > 90, "{judged}");
}
