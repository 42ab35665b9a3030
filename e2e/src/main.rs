//! `e2e browser|processes|compose [WORDS]`: tests that need a browser, real processes or containers.
//!
//! A program and no `#[test]`s, so that `cargo test` compiles it and needs none of the three.
//! With WORDS only the claims that contain them are tried.

mod browser;
mod claims;
mod compose;
mod people;
mod processes;
mod tools;
mod webdriver;

use std::process::ExitCode;

use claims::{Broken, Claims, complain};

fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1);
    let suite = arguments.next().unwrap_or_default();
    let words = arguments.collect::<Vec<_>>().join(" ");
    let mut claims = Claims::new(Some(words).filter(|words| !words.is_empty()));
    let ran: Result<(), Broken> = match suite.as_str() {
        "browser" => browser::run(&mut claims),
        "processes" => {
            processes::run(&mut claims);
            Ok(())
        }
        "compose" => compose::run(&mut claims),
        _ => {
            complain("usage: e2e browser|processes|compose [WORDS]");
            return ExitCode::from(2);
        }
    };
    if let Err(why) = ran {
        claims.hold("the suite can start", || Err(why));
    }
    if claims.conclude(&suite) {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}
