//! The same search over a life under AIDC-1, where not even ID and face may be found anywhere but in their own place.

use std::{
    fs,
    io::{Read as _, Write as _},
    net::{TcpListener, TcpStream},
    path::Path,
    sync::{Arc, Mutex},
    thread,
};

use node::vault::Vault;

use crate::{
    devnet::{Devnet, ID, PASSWORD},
    secrets::{ALL, Planted, Written, files, keys, memmem, metrics},
};

const MEMBERS: [&str; 4] = ["rc", "clinic-a", "clinic-b", "clinic-c"];
/// The password after the change.
const NEW_PASSWORD: &str = "plover-basalt-31";
/// Where what is planted is at home: the patient's own files, and a member's keys and vaults.
const OWN_PLACES: [&str; 10] = [
    "id",
    "pw",
    "new-pw",
    "code",
    "mine.device",
    "member.key",
    "network.key",
    "tls.key",
    "evaluators",
    "epochs",
];

/// Whatever passes between the terminal and one member, byte by byte.
struct Wire {
    address: String,
    heard: Arc<Mutex<Vec<u8>>>,
}

impl Wire {
    /// Stands between the terminal and the listener of a member.
    fn to(member: String) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let heard: Arc<Mutex<Vec<u8>>> = Arc::default();
        let tape = Arc::clone(&heard);
        thread::spawn(move || {
            for near in listener.incoming().map_while(Result::ok) {
                let Ok(far) = TcpStream::connect(&member) else {
                    return;
                };
                for (from, to) in [(&near, &far), (&far, &near)] {
                    let [from, to] = [from, to].map(|end| end.try_clone().unwrap());
                    let tape = Arc::clone(&tape);
                    thread::spawn(move || copy(from, to, &tape));
                }
            }
        });
        Self { address, heard }
    }

    fn heard(&self) -> Vec<u8> {
        self.heard.lock().unwrap().clone()
    }
}

fn copy(mut from: TcpStream, mut to: TcpStream, tape: &Mutex<Vec<u8>>) {
    let mut bytes = [0; 4096];
    while let Ok(read @ 1..) = from.read(&mut bytes) {
        tape.lock().unwrap().extend(&bytes[..read]);
        if to.write_all(&bytes[..read]).is_err() {
            break;
        }
    }
    // The other end may be closed already.
    drop(to.shutdown(std::net::Shutdown::Write));
}

/// A life with everything that can go wrong in it; all that the commands printed, and what one wire carried.
fn live(devnet: &Devnet) -> Written {
    let mut printed = Written::new();
    let mut run = |arguments: &[&str], statuses: &[i32]| {
        let mut command = devnet.command(env!("CARGO_BIN_EXE_aidchain"));
        let output = command.args(arguments).arg("--json").output().unwrap();
        let text = [output.stdout, output.stderr].concat();
        let status = output.status.code().unwrap();
        assert!(
            statuses.contains(&status),
            "{arguments:?} ended with {status}: {}",
            String::from_utf8_lossy(&text)
        );
        let place = format!("output {} of {}", printed.len(), arguments.join(" "));
        printed.insert(place, text);
    };
    let faces = [1, 2, 3].map(|number| format!("faces/captures/S03/{number:02}.json"));
    let enrolment: Vec<&str> = faces.iter().flat_map(|face| ["--bio", face]).collect();
    let patient = |verb: &[&'static str], more: &[&'static str]| {
        [&["patient"], verb, &["--profile", "mine"], more].concat()
    };
    let sign_in = |server, more: &[&'static str]| {
        let named = ["--server", server, "--password-file", "pw"];
        let probe = ["--bio", "faces/captures/S03/04.json"];
        patient(&["auth"], &[&named[..], &probe, more].concat())
    };
    let register = ["--genesis", "net/genesis.json", "--id-file", "id"];
    let secrets = ["--password-file", "pw", "--recovery-code-file", "code"];
    let register = patient(&["register"], &[register, secrets].concat());
    run(&[&register[..], &enrolment].concat(), &[0]);

    for server in MEMBERS {
        run(&sign_in(server, &[]), &[0]);
    }
    run(&sign_in("clinic-b", &["--identify"]), &[0]);
    let wrong = |from: &str, to: &'static str| -> Vec<&'static str> {
        let words = sign_in("clinic-a", &[]).into_iter();
        words
            .map(|word| if word == from { to } else { word })
            .collect()
    };
    run(&wrong("pw", "other-pw"), &[4]);
    let stranger = wrong("faces/captures/S03/04.json", "faces/captures/S02/04.json");
    run(&stranger, &[4]);

    let wire = Wire::to(devnet.listener(3, 1000));
    let elsewhere = format!("https://{}", wire.address);
    let over_the_wire = [&sign_in("clinic-c", &[])[..], &["--node", &elsewhere]].concat();
    run(&over_the_wire, &[0]);

    let change = ["--password-file", "pw", "--recovery-code-file", "code"];
    let change = [&change[..], &["--new-password-file", "new-pw"]].concat();
    let change = patient(&["change", "password"], &change);
    run(&[&change[..], &enrolment].concat(), &[0]);
    let look = ["--password-file", "new-pw", "--all"];
    let look = [&look[..], &["--bio", "faces/captures/S03/05.json"]].concat();
    run(&patient(&["history"], &look), &[0]);

    let heard = wire.heard();
    assert!(heard.len() > 1_000, "the wire carried a sign-in");
    printed.insert("the wire".to_owned(), heard);
    printed
}

/// The share in an evaluator's payload: behind kind 1, age 8, epoch 4, deal 32, handle 16 and two keys of 32, and
/// behind the change of 80 and the confirmation of 32, where there are any.
fn share(payload: &[u8]) -> &[u8] {
    let rest = &payload[125..];
    let rest = &rest[if rest[0] == 0 { 1 } else { 81 }..];
    let rest = &rest[if rest[0] == 0 { 1 } else { 33 }..];
    &rest[..32]
}

/// What lies in the vaults of a member that stands still.
fn vaults(home: &Path, name: &str) -> Vec<Planted> {
    let mut planted = Vec::new();
    let mut plant = |what: &str, bytes: &[u8]| {
        planted.push(Planted::new(format!("{what} of {name}"), bytes));
    };
    let open = |vault| Vault::open(home, vault).unwrap().1;
    for (_slot, payload) in open("epochs") {
        plant("an epoch's secret", &payload[13..45]);
    }
    for (_slot, payload) in open("evaluators") {
        // Destroyed ones hold none.
        if payload[0] == 1 {
            plant("a share", share(&payload));
        }
    }
    if name == "rc" {
        for (_slot, payload) in open("patients") {
            match payload[0] {
                0 => plant("the index key", &payload[1..33]),
                1 => {
                    let aids = payload.len().saturating_sub(16 * 96);
                    for row in payload[aids..].chunks(96) {
                        plant("k_i", &row[32..64]);
                        plant("a salt", &row[64..96]);
                    }
                }
                _ => {}
            }
        }
    }
    planted
}

/// The numbers of a capture, as the file says them.
fn template(capture: &Path) -> Vec<u8> {
    let text = fs::read(capture).unwrap();
    let capture: serde_json::Value = serde_json::from_slice(&text).unwrap();
    let digits = capture["template"].as_str().unwrap();
    hex::decode(digits).unwrap()
}

#[test]
fn no_secret_of_a_life_under_aidc_1_is_anywhere_but_in_its_own_place() {
    let devnet = Devnet::secure(ALL);
    let folder = devnet.folder();
    devnet.secret("new-pw", NEW_PASSWORD);
    let mut written = live(&devnet);
    written.extend(metrics(&devnet));
    devnet.must(&["devnet", "down", "--home", "net"]);

    let mut found = Vec::new();
    files(folder, &mut found);
    let faces = folder.join("faces");
    for path in found {
        let name = path.file_name().unwrap().to_str().unwrap();
        let is_own = OWN_PLACES.contains(&name) || name == "patients" || path.starts_with(&faces);
        if !is_own {
            written.insert(path.display().to_string(), fs::read(&path).unwrap());
        }
    }

    let file = |name: &str| fs::read(folder.join(name)).unwrap();
    let code = String::from_utf8(file("code")).unwrap();
    let mut planted = vec![
        Planted::new("PW", PASSWORD.as_bytes()),
        Planted::new("the new PW", NEW_PASSWORD.as_bytes()),
        Planted::new("the recovery code", code.trim().as_bytes()),
        Planted::new(
            "the recovery code in a row",
            code.trim().replace('-', "").as_bytes(),
        ),
    ];
    for number in 1..=5 {
        let bio = template(&faces.join(format!("captures/S03/{number:02}.json")));
        planted.push(Planted::new(format!("BIO {number}"), &bio[..32]));
    }
    for member in MEMBERS {
        let home = folder.join("net").join(member);
        planted.extend(keys(&home));
        let kept = vaults(&home, member);
        assert!(
            kept.len() >= if member == "rc" { 1 + 1 + 32 } else { 2 },
            "{member}"
        );
        planted.extend(kept);
        let log = fs::read(home.join("node.log")).unwrap();
        assert!(
            memmem(&log, br#""level":"TRACE""#),
            "{member} logs everything"
        );
    }
    for (place, text) in &written {
        for secret in &planted {
            assert!(!secret.is_in(text), "{} is in {place}", secret.name);
        }
    }
    let id = Planted::new("ID", ID.as_bytes());
    let told: Vec<&String> = written
        .iter()
        .filter_map(|(place, text)| id.is_in(text).then_some(place))
        .collect();
    let [told] = told.as_slice() else {
        panic!("the ID is in {told:?}");
    };
    assert!(
        told.ends_with("clinic-b/sign-ins/identified.jsonl"),
        "{told}"
    );
}
