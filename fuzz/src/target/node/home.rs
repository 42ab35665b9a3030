//! Files in a member's home.

use std::fs;
use std::path::Path;

use node::access::{self, Role, Token, Tokens};
use node::config::{Config, Overrides};
use node::keys::{self, Keys};
use node::refusals;
use patient::code::{Code, SupportCode};

use super::only_file;
use crate::target::patient::{folder, put};
use crate::target::{Target, Verdict, holds};

/// All of them.
pub(super) fn targets() -> Vec<Target> {
    let keys = ["member.key", "network.key", "tls.key", "tls.crt"];
    let names = [
        "node/member key",
        "node/network key",
        "node/TLS key",
        "node/TLS certificate",
    ];
    let mut all = vec![configuration(), tokens(), refused()];
    for (name, file) in names.into_iter().zip(keys) {
        all.push(key(name, file));
    }
    all
}

/// The content of a file.
fn read(path: &Path) -> Vec<u8> {
    fs::read(path).unwrap_or_else(|error| unreachable!("{}: {error}", path.display()))
}

/// `node.toml`: what is read is written again as a file that reads alike.
fn configuration() -> Target {
    let home = folder();
    let written = Config::local(home.path(), "clinic-a", 7100, 1).and_then(|config| config.write());
    assert!(written.is_ok(), "the sample is written");
    let path = home.path().join(node::config::FILE);
    let mut target = Target::bytes("node/node.toml", vec![read(&path)], move |bytes| {
        put(&path, bytes);
        let load = || Config::load(home.path(), &Overrides::default());
        let Ok(config) = load() else {
            return Verdict::Refused;
        };
        let again = config.write().is_ok() && load().is_ok_and(|it| it == config);
        holds(again, "what it writes reads as something else")
    });
    target.form = crate::input::Form::Text;
    target
}

/// One of the keys. Its refusal must not show what the file holds.
fn key(name: &'static str, file: &str) -> Target {
    let home = folder();
    let made = Keys::create(home.path(), &["localhost".to_owned()]);
    assert!(made.is_ok(), "the sample is written");
    let path = home.path().join(keys::FOLDER).join(file);
    let sample = read(&path);
    let secret = String::from_utf8_lossy(&sample)
        .lines()
        .nth(1)
        .unwrap_or("")
        .to_owned();
    let hidden = file != "tls.crt";
    let mut target = Target::bytes(name, vec![sample], move |bytes| {
        put(&path, bytes);
        match Keys::load(home.path()) {
            Ok(_keys) => Verdict::Taken,
            Err(error) => {
                let part = secret.get(..16).unwrap_or("no secret");
                let told = format!("{error} {error:?}");
                if hidden && told.contains(part) {
                    return Verdict::Broken("the refusal shows the key".to_owned());
                }
                Verdict::Refused
            }
        }
    });
    target.form = crate::input::Form::Text;
    target
}

/// The file of access tokens: a token entitles to nothing that its own line does not say.
fn tokens() -> Target {
    let home = folder();
    let token = access::issue(home.path(), Role::Viewer, 1);
    let issued = token.is_ok_and(|token| Tokens::of(home.path()).role(&token, 1).is_ok());
    assert!(issued, "the sample is written");
    let path = only_file(&home.path().join(access::FOLDER));
    let sample = read(&path);
    let mut target = Target::bytes("node/token file", vec![sample], move |bytes| {
        put(&path, bytes);
        let guess = Token::read(&"ab".repeat(32));
        match guess.map(|guess| Tokens::of(home.path()).role(&guess, 1)) {
            Some(Ok(role)) => holds(role.is_none(), "a guess entitles to something"),
            Some(Err(_)) | None => Verdict::Refused,
        }
    });
    target.form = crate::input::Form::Text;
    target
}

/// The list of refusals: a line that is none is passed over.
fn refused() -> Target {
    let home = folder();
    let path = home.path().join(refusals::FILE);
    let support = SupportCode::from_random([1, 2, 3, 4]);
    let refusal = refusals::Refusal {
        support: support.to_string(),
        time_ms: 1,
        step: "sign-in".to_owned(),
        code: Code::CredentialDidNotOpen.text(),
        check: "Rep does not reproduce SP".to_owned(),
    };
    let sample = serde_json::to_vec(&refusal).unwrap_or_default();
    Target::json("node/refusals", vec![sample], move |bytes| {
        put(&path, bytes);
        match refusals::find(home.path(), support) {
            Ok(found) if found.is_empty() => Verdict::Refused,
            Ok(found) => {
                let text = support.to_string();
                holds(
                    found.iter().all(|it| it.support == text),
                    "it finds another's refusal",
                )
            }
            Err(_) => Verdict::Refused,
        }
    })
}
