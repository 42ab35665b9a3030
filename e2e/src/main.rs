//! `e2e browser|processes|life|second|compose [WORDS]`, `e2e jepsen [OPTIONS]`: tests that need a browser, real
//! processes, Python, containers or network namespaces.
//!
//! A program and no `#[test]`s, so that `cargo test` compiles it and needs none of these.
//! With WORDS only the claims that contain them are tried. `e2e byzantine` is a member for the Jepsen runs,
//! `e2e newer` one of a newer build.

mod browser;
mod byzantine;
mod claims;
mod compose;
mod dice;
mod jepsen;
mod life;
mod newer;
mod people;
mod processes;
mod second;
mod tools;
mod webdriver;

use std::process::ExitCode;

use claims::{Broken, Claims, complain};

fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1);
    let suite = arguments.next().unwrap_or_default();
    let arguments: Vec<String> = arguments.collect();
    let words = Some(arguments.join(" ")).filter(|words| !words.is_empty() && suite != "jepsen");
    let mut claims = Claims::new(words);
    let ran: Result<(), Broken> = match suite.as_str() {
        "browser" => browser::run(&mut claims),
        "processes" => {
            processes::run(&mut claims);
            Ok(())
        }
        "life" => life::run(&mut claims),
        "second" => second::run(&mut claims),
        "compose" => compose::run(&mut claims),
        "jepsen" => jepsen::run(&mut claims, &arguments),
        "byzantine" => return member(byzantine::run(&arguments)),
        "newer" => return member(newer::run(&arguments)),
        _ => {
            complain(&format!(
                "usage: e2e browser|processes|life|second|compose [WORDS]\n       {}",
                jepsen::USAGE
            ));
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

/// How the process of a member ends.
fn member(ended: Result<(), Broken>) -> ExitCode {
    ended.map_or_else(
        |why| {
            complain(&why.to_string());
            ExitCode::FAILURE
        },
        |()| ExitCode::SUCCESS,
    )
}
