//! What the command line asks for.

use std::hash::{BuildHasher as _, RandomState};
use std::path::PathBuf;

use simulator::Character;

/// The log of runs that the repository keeps; the program is started at its root.
const LOG: &str = "docs/simulation-log.csv";

/// A base seed that nobody chose has this many bits: it is short enough to be read out.
const FRESH_BITS: u32 = 48;

/// What is to be run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum What {
    /// Many seeds.
    Seeds,
    /// What each adversary leaves of the throughput.
    Adversaries,
    /// Finality among 31 members far apart.
    FarApart,
    /// How soon after a heal something is ordered, while one member lies.
    Recovery,
    /// So many Twins scripts by chance.
    Twins(u64),
    /// The Twins scripts of a file.
    TwinsFile(PathBuf),
}

/// What the command line asks for.
#[derive(Clone, Debug)]
pub(crate) struct Wish {
    /// What is to be run.
    pub(crate) what: What,
    /// How many seeds.
    pub(crate) seeds: u64,
    /// The first one.
    pub(crate) base: u64,
    /// The only adversary that is wished, by its name in the code.
    pub(crate) adversary: Option<Character>,
    /// Whether to print what happens.
    pub(crate) trace: bool,
    /// The file to which the verdict is added.
    pub(crate) log: Option<PathBuf>,
}

impl Wish {
    /// Reads the command line.
    pub(crate) fn read(mut words: impl Iterator<Item = String>) -> Option<Self> {
        let mut wish = Self {
            what: What::Seeds,
            seeds: 1000,
            base: fresh_base(),
            adversary: None,
            trace: false,
            log: None,
        };
        while let Some(word) = words.next() {
            match word.as_str() {
                "--seeds" => wish.seeds = words.next()?.parse().ok()?,
                "--base-seed" => wish.base = words.next()?.parse().ok()?,
                "--seed" => {
                    wish.base = words.next()?.parse().ok()?;
                    wish.seeds = 1;
                }
                "--adversary" => wish.adversary = Some(character(&words.next()?)?),
                "--trace" => wish.trace = true,
                "--log" => wish.log = Some(LOG.into()),
                "--adversaries" => wish.what = What::Adversaries,
                "--recovery" => wish.what = What::Recovery,
                "--far-apart" => wish.what = What::FarApart,
                "--twins" => wish.what = What::Twins(words.next()?.parse().ok()?),
                "--twins-file" => wish.what = What::TwinsFile(words.next()?.into()),
                _ => return None,
            }
        }
        Some(wish)
    }
}

/// The adversary of this name.
fn character(name: &str) -> Option<Character> {
    let named = |character: &Character| format!("{character:?}").eq_ignore_ascii_case(name);
    Character::ALL.into_iter().find(named)
}

/// A base seed that was hardly ever run before: the standard library draws a hasher's keys from
/// the system's randomness.
fn fresh_base() -> u64 {
    RandomState::new().hash_one(()) >> (u64::BITS - FRESH_BITS)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The wish that these words make.
    fn read(words: &[&str]) -> Option<Wish> {
        Wish::read(words.iter().map(|word| (*word).to_owned()))
    }

    #[test]
    fn who_names_no_base_seed_gets_another_one_each_time() {
        let bases: Vec<u64> = (0..8).map(|_| read(&[]).unwrap().base).collect();

        let first = bases.first().unwrap();
        assert!(bases.iter().any(|base| base != first), "{bases:?}");
        assert!(bases.iter().all(|base| *base < 1 << FRESH_BITS));
    }

    #[test]
    fn who_names_a_seed_gets_it() {
        let many = read(&["--seeds", "7", "--base-seed", "40"]).unwrap();
        let one = read(&["--seed", "41", "--trace"]).unwrap();

        assert_eq!((many.base, many.seeds), (40, 7));
        assert_eq!((one.base, one.seeds, one.trace), (41, 1, true));
        assert!(read(&["--seeds"]).is_none());
        assert!(read(&["--sneeds", "7"]).is_none());
    }

    #[test]
    fn who_names_an_adversary_gets_no_other_one() {
        let one = read(&["--recovery", "--adversary", "silent"]).unwrap();

        assert_eq!(one.adversary, Some(Character::Silent));
        assert!(read(&["--recovery", "--adversary", "loud"]).is_none());
    }
}
