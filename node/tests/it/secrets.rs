//! Nothing that is secret leaves its place: planted, then looked for wherever a node or a command writes.
//!
//! On a research ledger the suite shows ID, PP and BIO' by design, so the search is for what not even Wu-2021 shows.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

use patient::client::{Client, Question};

use crate::devnet::{Devnet, ID, PASSWORD};

/// Everything, of the libraries below us too.
pub(crate) const ALL: &str =
    "trace,libp2p=trace,multistream_select=trace,yamux=trace,hyper=trace,rustls=trace,sled=trace";

/// A string of bytes that must not be found, in every form in which a program writes bytes.
pub(crate) struct Planted {
    pub(crate) name: String,
    forms: Vec<Vec<u8>>,
}

impl Planted {
    pub(crate) fn new(name: impl Into<String>, bytes: &[u8]) -> Self {
        assert!(bytes.len() >= 8, "too short to be told from chance");
        let listed = format!("{bytes:?}");
        let spelled = format!("{bytes:02x?}");
        Self {
            name: name.into(),
            forms: vec![
                bytes.to_vec(),
                hex::encode(bytes).into_bytes(),
                hex::encode_upper(bytes).into_bytes(),
                listed.trim_matches(['[', ']']).as_bytes().to_vec(),
                listed
                    .replace(' ', "")
                    .trim_matches(['[', ']'])
                    .as_bytes()
                    .to_vec(),
                spelled.trim_matches(['[', ']']).as_bytes().to_vec(),
            ],
        }
    }

    pub(crate) fn is_in(&self, text: &[u8]) -> bool {
        let found = |form: &Vec<u8>| memmem(text, form);
        self.forms.iter().any(found)
    }
}

/// Whether the needle is in the haystack, fast enough for logs of megabytes.
pub(crate) fn memmem(haystack: &[u8], needle: &[u8]) -> bool {
    let (first, rest) = needle.split_first().unwrap();
    let mut pieces = haystack.split_inclusive(|byte| byte == first);
    let mut left = haystack;
    pieces.any(|piece| {
        left = &left[piece.len()..];
        piece.ends_with(&[*first]) && left.starts_with(rest)
    })
}

/// The key in a key file: the second line's bytes, and of PKCS#8 the private number in them.
pub(crate) fn keys(home: &Path) -> Vec<Planted> {
    ["member.key", "network.key", "tls.key"]
        .into_iter()
        .map(|file| {
            let path = home.join("keys").join(file);
            let text = fs::read_to_string(&path).unwrap();
            let bytes = hex::decode(text.lines().nth(1).unwrap()).unwrap();
            let mut numbers = bytes.windows(34).filter(|it| it.starts_with(&[0x04, 0x20]));
            let private = match file {
                "tls.key" => &numbers.next().unwrap()[2..],
                _ => &bytes[..],
            };
            assert_eq!(private.len(), 32, "{}", path.display());
            Planted::new(path.display().to_string(), private)
        })
        .collect()
}

/// Every file below a folder.
pub(crate) fn files(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files(&path, found);
        } else if path.is_file() {
            // What is neither is the node's socket, which holds nothing.
            found.push(path);
        }
    }
}

/// What was written, by the place where it is.
pub(crate) type Written = BTreeMap<String, Vec<u8>>;

/// The metrics of all members.
pub(crate) fn metrics(devnet: &Devnet) -> Written {
    let page = |member| {
        let url = format!("http://{}", devnet.listener(member, 2000));
        let client = Client::plain(url.parse().unwrap());
        let answer = client.ask(Question::get("/metrics")).unwrap();
        let page = answer.success().unwrap().body().to_vec();
        (format!("metrics of {member}"), page)
    };
    (0..4).map(page).collect()
}

/// Signs in everywhere, is refused in every way, reads everything; all that the commands printed.
fn use_it(devnet: &Devnet) -> Written {
    let mut printed = Written::new();
    let mut run = |arguments: &[&str], status: i32| -> serde_json::Value {
        let mut command = devnet.command(env!("CARGO_BIN_EXE_aidchain"));
        let output = command.args(arguments).arg("--json").output().unwrap();
        assert_eq!(output.status.code(), Some(status), "{arguments:?}");
        let answer = serde_json::from_slice(&output.stdout).unwrap();
        let place = format!("output {} of {}", printed.len(), arguments.join(" "));
        printed.insert(place, [output.stdout, output.stderr].concat());
        answer
    };
    let mut signed_in = serde_json::Value::Null;
    for server in ["rc", "clinic-a", "clinic-b", "clinic-c"] {
        signed_in = run(&Devnet::sign_in_arguments(server), 0);
    }
    let swapped = |from: &str, to: &'static str| -> Vec<&'static str> {
        let arguments = Devnet::sign_in_arguments("clinic-a").into_iter();
        arguments
            .map(|word| if word == from { to } else { word })
            .collect()
    };
    run(&swapped("pw", "other-pw"), 4);
    run(&swapped("id", "other-id"), 4);
    run(
        &swapped("faces/captures/S03/04.json", "faces/captures/S02/04.json"),
        4,
    );
    let elsewhere = format!("https://{}", devnet.listener(1, 1000));
    let mut wrong_node = Devnet::sign_in_arguments("clinic-c");
    wrong_node.extend(["--node", &elsewhere]);
    run(&wrong_node, 5);

    let node = format!("http://{}", devnet.listener(0, 1100));
    let [transaction, aid] = ["transaction", "aid"].map(|key| signed_in[key].as_str().unwrap());
    for question in [
        &["status"][..],
        &["blocks"],
        &["block", "1"],
        &["tx", transaction],
        &["identity", aid],
        &["results"],
    ] {
        let question = [&["ledger"][..], question, &["--node", &node]].concat();
        run(&question, 0);
    }
    printed
}

#[test]
fn password_sp_and_private_keys_are_in_no_log_answer_metric_receipt_or_file_but_their_own() {
    let devnet = Devnet::logging(ALL);
    let mut written = use_it(&devnet);
    assert_eq!(devnet.register("again", "id").0, 10);

    let card_path = devnet.folder().join("data/aidchain/mine.card");
    let mut card: serde_json::Value =
        serde_json::from_slice(&fs::read(&card_path).unwrap()).unwrap();
    let secret = hex::decode(card["secret"].take().as_str().unwrap()).unwrap();
    written.insert(
        "the card's clear fields".to_owned(),
        card.to_string().into_bytes(),
    );
    written.extend(metrics(&devnet));
    let mut found = Vec::new();
    files(devnet.folder(), &mut found);
    let planted_here = [
        "pw",
        "id",
        "mine.card",
        "member.key",
        "network.key",
        "tls.key",
    ];
    for path in found {
        let is_own_place = planted_here.contains(&path.file_name().unwrap().to_str().unwrap());
        if !is_own_place {
            written.insert(path.display().to_string(), fs::read(&path).unwrap());
        }
    }

    let mut planted = vec![
        Planted::new("PW", PASSWORD.as_bytes()),
        Planted::new("SP", &secret[32..64]),
    ];
    for member in ["rc", "clinic-a", "clinic-b", "clinic-c"] {
        let home = devnet.folder().join("net").join(member);
        planted.extend(keys(&home));
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
    let shown = written.iter().filter(|(_, text)| id.is_in(text)).count();
    assert!(
        shown > 4,
        "the search finds what the ledger does show: {shown}"
    );
    assert!(written.keys().any(|place| place.ends_with("refusals.log")));
    assert!(written.keys().any(|place| place.contains("receipt")));
}
