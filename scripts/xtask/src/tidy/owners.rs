//! Replaceable by changing one file: who may name the store, the network, the codec and the clock.

use super::Problem;
use crate::source::Source;

/// Code that names a thing, and the only files that may.
struct Owned {
    /// Text that gives it away.
    names: &'static [&'static str],
    /// Stems of the files, or of the folders of the same name, that own it.
    owners: &'static [&'static str],
    /// Said when somebody else names it.
    what: &'static str,
}

/// One owner each.
const OWNED: [Owned; 4] = [
    Owned {
        names: &["libp2p::", "libp2p_", "use libp2p"],
        owners: &["network"],
        what: "only network.rs names libp2p",
    },
    Owned {
        names: &["sled::", "use sled"],
        owners: &["store", "damaged_store"],
        what: "only store.rs names sled, and the test that breaks its database",
    },
    Owned {
        names: &["bincode::", "use bincode"],
        owners: &["encoding"],
        what: "only an encoding.rs names the codec",
    },
    Owned {
        names: &["SystemTime", "Instant"],
        owners: &["clock"],
        what: "only a clock.rs reads time",
    },
];

/// Lines that name what another file owns.
pub(super) fn check(file: &Source) -> Vec<Problem> {
    // The table above names everything it guards.
    if !file.has_extension("rs") || file.path.ends_with("tidy/owners.rs") {
        return Vec::new();
    }
    let mut problems = Vec::new();
    for owned in &OWNED {
        if owned.owners.iter().any(|owner| belongs(&file.path, owner)) {
            continue;
        }
        for (number, line) in file.code_lines() {
            if owned.names.iter().any(|name| names(line, name)) {
                problems.push(Problem::at(&file.path, number, owned.what));
            }
        }
    }
    problems
}

/// Whether the path is `owner.rs`, `owner_x.rs` or lies in a folder `owner/`.
fn belongs(path: &str, owner: &str) -> bool {
    path.split('/')
        .any(|part| part == owner || part == format!("{owner}.rs"))
}

/// Whether the line holds the name as the start of a word, outside a string.
fn names(line: &str, name: &str) -> bool {
    line.match_indices(name).any(|(at, _)| {
        let (before, rest) = line.split_at(at);
        let starts = !before.ends_with(|c: char| c.is_alphanumeric() || c == '_');
        let after = rest.get(name.len()..).and_then(|text| text.chars().next());
        let ends =
            name.ends_with([':', '_']) || !after.is_some_and(|c| c.is_alphanumeric() || c == '_');
        let quoted = before.matches('"').count() % 2 == 1;
        starts && ends && !quoted
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(path: &str, code: &str) -> Vec<usize> {
        let file = Source {
            path: path.to_owned(),
            text: format!("//! T.\n{code}\n"),
        };
        check(&file)
            .into_iter()
            .map(|problem| problem.line)
            .collect()
    }

    #[test]
    fn the_owner_may_name_what_it_owns() {
        assert_eq!(lines("node/src/store.rs", "use sled::Db;"), [0_usize; 0]);
        assert_eq!(
            lines("node/src/network/frames.rs", "use libp2p::PeerId;"),
            [0_usize; 0]
        );
        assert_eq!(
            lines("contract/src/encoding.rs", "bincode::serde::encode()"),
            [0_usize; 0]
        );
        assert_eq!(
            lines("patient/src/clock.rs", "SystemTime::now()"),
            [0_usize; 0]
        );
    }

    #[test]
    fn anyone_else_may_not() {
        assert_eq!(lines("node/src/ledger.rs", "use sled::Db;"), [2]);
        assert_eq!(lines("node/src/driver.rs", "libp2p_stream::Control"), [2]);
        assert_eq!(
            lines("contract/src/block.rs", "bincode::serde::encode()"),
            [2]
        );
        assert_eq!(lines("node/src/sync.rs", "let t = Instant::now();"), [2]);
    }

    #[test]
    fn a_comment_a_string_or_a_longer_word_names_nothing() {
        assert_eq!(
            lines("node/src/node.rs", "// why sled::Db is wrapped"),
            [0_usize; 0]
        );
        assert_eq!(
            lines("node/src/node.rs", "let text = \"the Instant it stops\";"),
            [0_usize; 0]
        );
        assert_eq!(
            lines("node/src/node.rs", "let x = Instantly;"),
            [0_usize; 0]
        );
    }
}
