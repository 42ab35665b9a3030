//! Backup, restore and repair on nodes that run, by the commands that an operator types.

use std::path::Path;
use std::process::{Command, Output, Stdio};

use contract::Height;
use node::keys::Keys;
use node::node::Node;
use node::snapshot::decide;
use serde_json::Value;

use crate::consortium::{Consortium, PATIENCE};

/// Runs a command to its end, beside the runtime that the nodes live in.
async fn aidchain(arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_aidchain"));
    command
        .args(arguments)
        .env_remove("AIDCHAIN_HOME")
        .stdin(Stdio::null());
    tokio::task::spawn_blocking(move || command.output().unwrap())
        .await
        .unwrap()
}

fn json(output: &Output) -> Value {
    let text = String::from_utf8_lossy(&output.stdout);
    serde_json::from_str(&text).unwrap_or_else(|error| {
        let talk = String::from_utf8_lossy(&output.stderr);
        panic!("{error}: {text}{talk}")
    })
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

/// The backup of a home in a file.
async fn back_up(home: &Path, file: &Path) -> Output {
    let (home, file) = (text(home), text(file));
    aidchain(&["--json", "node", "backup", "--home", home, "--to", file]).await
}

/// A home's ledger from a file, in the place of the one that is there.
async fn replace(home: &Path, file: &Path) -> Output {
    let (home, file) = (text(home), text(file));
    aidchain(&[
        "--json",
        "node",
        "restore",
        "--home",
        home,
        "--from",
        file,
        "--replace",
    ])
    .await
}

/// The secrets of a home, each as bytes that must be found nowhere else.
fn secrets(home: &Path) -> Vec<Vec<u8>> {
    let keys = Keys::load(home).unwrap();
    let mut secrets = vec![
        keys.member().to_bytes().to_vec(),
        keys.network_seed().to_vec(),
        keys.tls_key_der().to_vec(),
    ];
    for secret in secrets.clone() {
        secrets.push(hex::encode(secret).into_bytes());
    }
    secrets
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_of_a_running_node_holds_no_secret_and_restores_to_a_node_that_signs_nothing() {
    let mut consortium = Consortium::start(4).await;
    let mut height = 0;
    for _ in 0..5 {
        height = consortium.submit(3).await;
    }
    consortium.until(3, |status| status.stable >= height).await;
    let home = consortium.home(3);
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("clinic.backup");

    let made = back_up(&home, &file).await;

    assert!(
        json(&made)["height"].as_u64().unwrap() >= height,
        "{made:?}"
    );
    let bytes = std::fs::read(&file).unwrap();
    for secret in secrets(&home) {
        let found = bytes.windows(secret.len()).any(|part| part == secret);
        assert!(
            !found,
            "a secret of {} bytes is in the backup",
            secret.len()
        );
    }
    let checked = aidchain(&[
        "--json",
        "node",
        "backup",
        "verify",
        "--home",
        text(&home),
        text(&file),
    ])
    .await;
    assert_eq!(json(&checked)["height"], json(&made)["height"]);

    consortium.stop_node(3).await;
    let refused = aidchain(&[
        "--json",
        "node",
        "restore",
        "--home",
        text(&home),
        "--from",
        text(&file),
    ])
    .await;
    assert_eq!(refused.status.code(), Some(10), "a ledger is there");
    let restored = replace(&home, &file).await;
    assert_eq!(json(&restored)["votes"], "lost");
    assert!(!home.join("votes").exists(), "votes are never in a backup");
    consortium.start_node(3);
    let status = consortium
        .until(3, |status| status.executed >= height)
        .await;
    assert!(status.votes_lost.is_some(), "{status:?}");
    assert_eq!(
        consortium.state_root(3, height),
        consortium.state_root(0, height)
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_with_a_changed_byte_changes_nothing_and_ends_with_its_own_status() {
    let mut consortium = Consortium::start(4).await;
    consortium.submit(0).await;
    let home = consortium.home(0);
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("rc.backup");
    consortium.stop_node(0).await;
    let made = back_up(&home, &file).await;
    assert!(made.status.success(), "a node that stands still: {made:?}");
    let mut bytes = std::fs::read(&file).unwrap();
    let last = bytes.len() - 1;
    bytes[last] ^= 1;
    std::fs::write(&file, bytes).unwrap();

    let restored = replace(&home, &file).await;

    assert_eq!(restored.status.code(), Some(5));
    assert_eq!(json(&restored)["code"], "AC0210");
    consortium.start_node(0);
    let status = consortium.until(0, |status| status.executed > 0).await;
    assert_eq!(status.votes_lost, None, "votes and ledger are as they were");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_repaired_node_has_its_ledger_and_its_votes_again() {
    let mut consortium = Consortium::start(4).await;
    let mut height = 0;
    for _ in 0..4 {
        height = consortium.submit(1).await;
    }
    consortium.until(2, |status| status.stable >= height).await;
    consortium.stop_node(2).await;
    let home = consortium.home(2);
    std::fs::write(home.join("ledger/db/db"), b"not a database").unwrap();

    let repaired = aidchain(&["--json", "node", "repair", "--home", text(&home)]).await;

    assert_eq!(json(&repaired)["repaired"], "rebuilt", "{repaired:?}");
    consortium.start_node(2);
    let status = consortium
        .until(2, |status| status.executed >= height)
        .await;
    assert_eq!(status.votes_lost, None);
    assert_eq!(
        consortium.state_root(2, height),
        consortium.state_root(0, height)
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_whose_wish_for_a_snapshot_nobody_fulfils_starts_with_what_it_has() {
    let mut consortium = Consortium::start(4).await;
    let height = consortium.submit(1).await;
    consortium.until(3, |status| status.stable >= height).await;
    consortium.stop_node(3).await;
    let config = consortium.config(3).clone();
    decide::wish(&config.home, Height::new(height)).unwrap();

    let joined = tokio::time::timeout(PATIENCE, Node::join(&config)).await;

    joined.unwrap().unwrap();
    assert_eq!(decide::wished(&config.home), None);
    consortium.start_node(3);
    let later = consortium.submit(1).await;
    let status = consortium.until(3, |status| status.stable >= later).await;
    assert_eq!(status.votes_lost, None);
}
