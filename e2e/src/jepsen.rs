//! Real members in a network of their own that is broken on purpose, as Jepsen does.
//!
//! Four processes, each in its network namespace, work while a nemesis harms them: partitions, pauses, wrong clocks,
//! kills, a lost disk, a member that lies. Afterwards, whatever was acknowledged must be on every honest member's
//! ledger, once; the ledgers must be equal block by block; the history of the registry must be linearizable; no honest
//! member may have signed a contradiction; and after each heal the first commit must have come within two seconds.

mod field;
mod lab;
mod ledgers;
mod linear;
mod nemesis;
mod partitions;
mod register;
mod registry;
mod trial;

use std::time::Duration;

use bench::clock::wall_ms;

use crate::claims::{Broken, Claims, say};
use lab::Lab;
use nemesis::Nemesis;

/// How the program is called.
pub(crate) const USAGE: &str =
    "e2e jepsen [--seconds-each N] [--nemesis NAME[,NAME...]|all] [--seed S]";

/// How long each nemesis of the short run works.
const SHORT: Duration = Duration::from_secs(20);

/// What was asked for.
#[derive(Debug, PartialEq, Eq)]
struct Options {
    each: Duration,
    nemeses: Vec<Nemesis>,
    seed: Option<u64>,
}

impl Options {
    /// Reads the arguments; without any, the short run.
    fn read(arguments: &[String]) -> Result<Self, Broken> {
        let mut options = Self {
            each: SHORT,
            nemeses: Nemesis::short(),
            seed: None,
        };
        for pair in arguments.chunks(2) {
            let [name, value] = pair else {
                return Err(format!("usage: {USAGE}").into());
            };
            match name.as_str() {
                "--seconds-each" => options.each = Duration::from_secs(number(value)?),
                "--seed" => options.seed = Some(number(value)?),
                "--nemesis" if value == "all" => options.nemeses = Nemesis::all(),
                "--nemesis" => {
                    options.nemeses = value.split(',').map(named).collect::<Result<_, _>>()?;
                }
                _ => return Err(format!("usage: {USAGE}").into()),
            }
        }
        Ok(options)
    }
}

/// A number of an argument.
fn number(text: &str) -> Result<u64, Broken> {
    let number = text.parse().ok();
    number.ok_or_else(|| format!("{text} is no number; usage: {USAGE}").into())
}

/// A nemesis by its name.
fn named(name: &str) -> Result<Nemesis, Broken> {
    let known = || {
        let names: Vec<String> = Nemesis::all().iter().map(ToString::to_string).collect();
        names.join(", ")
    };
    Nemesis::named(name).ok_or_else(|| format!("no nemesis {name}; there are {}", known()).into())
}

/// Runs the nemeses that were asked for.
pub(crate) fn run(claims: &mut Claims, arguments: &[String]) -> Result<(), Broken> {
    let options = Options::read(arguments)?;
    let seed = options.seed.unwrap_or_else(wall_ms);
    say(&format!(
        "jepsen: seed {seed}, {} s for each nemesis",
        options.each.as_secs()
    ));
    let lab = Lab::build()?;
    for nemesis in &options.nemeses {
        let claim =
            format!("{nemesis}: nothing acknowledged is lost and the registry is linearizable");
        claims.hold(&claim, || {
            let tally = trial::run(&lab, nemesis, options.each, nemesis.seed(seed))?;
            say(&format!("        {tally}"));
            Ok(())
        });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(line: &str) -> Result<Options, Broken> {
        let words: Vec<String> = line.split_whitespace().map(str::to_owned).collect();
        Options::read(&words)
    }

    #[test]
    fn without_arguments_the_short_run_is_meant() {
        let options = read("").unwrap();

        assert_eq!((options.each, options.nemeses), (SHORT, Nemesis::short()));
    }

    #[test]
    fn nemeses_are_chosen_by_name_and_a_wrong_name_is_answered_with_the_right_ones() {
        let options = read("--nemesis halves,kill --seconds-each 5 --seed 9").unwrap();

        assert_eq!(options.nemeses, [Nemesis::Halves, Nemesis::Kill]);
        assert_eq!(
            (options.each, options.seed),
            (Duration::from_secs(5), Some(9))
        );
        let told = read("--nemesis half").unwrap_err().to_string();
        assert!(told.contains("halves"), "{told}");
    }

    #[test]
    fn an_argument_without_a_value_is_refused() {
        assert!(read("--seed").unwrap_err().to_string().contains("usage"));
    }
}
