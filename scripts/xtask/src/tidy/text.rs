//! Checks on the text of one file: length, header, leftovers, banners, paths of a build machine.

use super::Problem;
use crate::source::Source;

/// Longest source file.
const LINES_MAX: usize = 500;

/// Kinds of file that people read as code.
const SOURCES: [&str; 5] = ["rs", "js", "css", "py", "sh"];

// Written in pieces, so that this file passes its own check.

/// Words that mark something unfinished.
const LEFTOVER_WORDS: [&str; 3] = [
    concat!("TO", "DO"),
    concat!("FIX", "ME"),
    concat!("X", "XX"),
];

/// Code that marks something unfinished, untested or unused.
const LEFTOVER_CODE: [&str; 5] = [
    concat!("todo", "!("),
    concat!("unimplemented", "!("),
    concat!("#[", "ignore"),
    concat!("allow(", "dead_code"),
    concat!("expect(", "dead_code"),
];

/// A row of these in a comment is a banner.
const BANNERS: [&str; 3] = [
    concat!("==", "=="),
    concat!("// --", "--"),
    concat!("// **", "**"),
];

/// Folders that exist on one machine only.
const MACHINE_PATHS: [&str; 4] = [
    concat!("/ro", "ot/"),
    concat!("/ho", "me/"),
    concat!("/t", "mp/"),
    concat!("/wo", "rk/"),
];

/// Everything wrong with one file's text.
pub(super) fn check(file: &Source) -> Vec<Problem> {
    let mut problems = Vec::new();
    let source = SOURCES.iter().any(|kind| file.has_extension(kind));
    let lines = file.text.lines().count();
    if source && lines > LINES_MAX {
        let what = format!("{lines} lines, the limit is {LINES_MAX}: split it by idea");
        problems.push(Problem::of(&file.path, what));
    }
    if file.has_extension("rs") && !file.text.lines().any(|line| line.starts_with("//!")) {
        problems.push(Problem::of(
            &file.path,
            "no `//!` line that says what the file is for",
        ));
    }
    for (number, line) in (1..).zip(file.text.lines()) {
        if let Some(word) = leftover(line) {
            problems.push(Problem::at(
                &file.path,
                number,
                format!("`{word}`: finish it or drop it"),
            ));
        }
        if source && BANNERS.iter().any(|banner| line.contains(banner)) {
            problems.push(Problem::at(
                &file.path,
                number,
                "a banner: split the file instead",
            ));
        }
        if let Some(path) = machine_path(line) {
            let what = format!("`{path}` exists on one machine only");
            problems.push(Problem::at(&file.path, number, what));
        }
    }
    problems
}

/// The first leftover in a line.
fn leftover(line: &str) -> Option<&'static str> {
    let code = LEFTOVER_CODE.into_iter().find(|code| line.contains(code));
    code.or_else(|| {
        let mut words = line.split(|c: char| !c.is_alphanumeric() && c != '_');
        words.find_map(|word| {
            LEFTOVER_WORDS
                .into_iter()
                .find(|leftover| *leftover == word)
        })
    })
}

/// The first path of a build machine in a line; a path inside a longer one (`a/home/b`) is none.
fn machine_path(line: &str) -> Option<&'static str> {
    MACHINE_PATHS.into_iter().find(|path| {
        line.match_indices(path).any(|(at, _)| {
            let before = line.get(..at).and_then(|text| text.chars().next_back());
            before.is_none_or(|c| !c.is_alphanumeric() && !"._-)}>*".contains(c))
        })
    })
}

/// Rust files that no `mod` line reaches.
pub(super) fn dead_files(sources: &[Source]) -> Vec<Problem> {
    let rust = || sources.iter().filter(|file| file.has_extension("rs"));
    let unreached = rust().filter(|file| {
        let root =
            ["main", "lib", "build"].contains(&file.stem()) || file.path.contains("/src/bin/");
        let declaration = format!("mod {};", file.stem());
        !root && !rust().any(|other| other.text.contains(&declaration))
    });
    unreached
        .map(|file| Problem::of(&file.path, "no `mod` line reaches this file"))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn source(path: &str, text: &str) -> Source {
        Source {
            path: path.to_owned(),
            text: text.to_owned(),
        }
    }

    #[test]
    fn a_short_file_with_a_header_has_no_problem() {
        let file = source("a/src/b.rs", "//! Why.\nfn b() {}\n");

        assert_eq!(check(&file), []);
    }

    #[test]
    fn a_file_of_501_lines_is_too_long_and_one_of_500_is_not() {
        let header = "//! Why.\n".to_owned();

        assert_eq!(
            check(&source("b.rs", &(header.clone() + &"\n".repeat(499)))),
            []
        );
        assert_eq!(
            check(&source("b.rs", &(header + &"\n".repeat(500)))).len(),
            1
        );
    }

    #[test]
    fn prose_may_be_as_long_as_it_likes() {
        assert_eq!(check(&source("LICENSE", &"a\n".repeat(900))), []);
    }

    #[test]
    fn a_file_without_a_header_is_named() {
        let problems = check(&source("b.rs", "fn b() {}\n"));

        assert_eq!(
            problems,
            [Problem::of(
                "b.rs",
                "no `//!` line that says what the file is for"
            )]
        );
    }

    #[test]
    fn every_leftover_is_found_with_its_line() {
        for word in LEFTOVER_WORDS.iter().chain(&LEFTOVER_CODE) {
            let problems = check(&source("b.rs", &format!("//! Why.\n// {word} later\n")));

            assert_eq!(
                problems
                    .iter()
                    .map(|problem| problem.line)
                    .collect::<Vec<_>>(),
                [2]
            );
        }
    }

    #[test]
    fn a_leftover_inside_a_longer_word_is_none() {
        assert_eq!(leftover(concat!("mktemp name.XX", "XXXX")), None);
    }

    #[test]
    fn a_banner_in_code_is_a_problem_and_in_prose_is_a_heading() {
        let text = concat!("//! Why.\n// ==", "== section\n");

        assert_eq!(check(&source("b.rs", text)).len(), 1);
        assert_eq!(check(&source("b.md", text)), []);
    }

    #[test]
    fn a_path_of_one_machine_is_found_and_a_folder_of_that_name_is_not() {
        assert_eq!(
            machine_path(concat!("cat /ro", "ot/x")),
            Some(concat!("/ro", "ot/"))
        );
        assert_eq!(
            machine_path(concat!("at (/t", "mp/x)")),
            Some(concat!("/t", "mp/"))
        );
        assert_eq!(machine_path(concat!("members/ho", "me/x")), None);
        assert_eq!(machine_path(concat!("${target}/t", "mp/x")), None);
    }

    #[test]
    fn a_file_no_module_names_is_dead() {
        let sources = [
            source("a/src/lib.rs", "//! A.\nmod b;\n"),
            source("a/src/b.rs", "//! B.\n"),
            source("a/src/c.rs", "//! C.\n"),
        ];

        assert_eq!(
            dead_files(&sources),
            [Problem::of("a/src/c.rs", "no `mod` line reaches this file")]
        );
    }
}
