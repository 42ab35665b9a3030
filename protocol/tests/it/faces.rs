//! Faces for the tests: real ones where they are at hand, and ones of nobody.

use std::collections::BTreeMap;
use std::path::PathBuf;

use protocol::biometric::Template;
use serde_json::Value;

/// The text of a file of the real set. On a machine that must have it, its
/// absence is a failure; elsewhere it is told, and the test has nothing to do.
pub(crate) fn real(name: &str) -> Option<String> {
    let directory = std::env::var_os("AIDCHAIN_BIOMETRICS_DIR").map_or_else(
        || PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../shared/data/biometrics"),
        PathBuf::from,
    );
    let path = directory.join(name);
    let text = std::fs::read_to_string(&path).ok();
    if text.is_none() {
        assert_ne!(
            std::env::var("CI").as_deref(),
            Ok("true"),
            "no {}; set AIDCHAIN_BIOMETRICS_DIR",
            path.display()
        );
        announce(&format!(
            "LEFT OUT: a test on real faces, for there is no {}",
            path.display()
        ));
    }
    text
}

/// The templates of a file of captures, by subject.
pub(crate) fn by_subject(file: &str) -> BTreeMap<String, Vec<Template>> {
    let file: Value = serde_json::from_str(file).unwrap();
    let mut subjects = BTreeMap::<String, Vec<Template>>::new();
    for capture in file["captures"].as_array().unwrap() {
        let subject = capture["subject"].as_str().unwrap();
        subjects
            .entry(subject.to_owned())
            .or_default()
            .push(Template::new(bytes(&capture["template"])));
    }
    subjects
}

/// The templates of a seed's synthetic subjects.
pub(crate) fn synthetic(seed: u64) -> Vec<Vec<Template>> {
    protocol::synthetic::subjects(seed)
        .iter()
        .map(|subject| {
            let shots = subject.captures.iter();
            shots.map(|shot| shot.template.clone()).collect()
        })
        .collect()
}

/// The bytes of a hexadecimal string.
pub(crate) fn bytes<const N: usize>(hex: &Value) -> [u8; N] {
    let bytes = hex::decode(hex.as_str().unwrap()).unwrap();
    bytes.try_into().unwrap()
}

#[expect(
    clippy::print_stderr,
    reason = "what a test run left out must be seen in its output"
)]
pub(crate) fn announce(text: &str) {
    eprintln!("{text}");
}
