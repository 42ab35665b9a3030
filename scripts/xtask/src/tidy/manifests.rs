//! Checks on `Cargo.toml`: no features of our own, every version at the root.

use super::Problem;
use crate::source::Source;

/// Everything wrong with one manifest.
pub(super) fn check(file: &Source) -> Vec<Problem> {
    if !file.path.ends_with("Cargo.toml") {
        return Vec::new();
    }
    let root = file.path == "Cargo.toml";
    let mut problems = Vec::new();
    let mut section = "";
    for (number, line) in (1..).zip(file.text.lines()) {
        if let Some(name) = line.strip_prefix('[') {
            section = name.trim_end_matches(']');
            if section == "features" {
                problems.push(Problem::at(
                    &file.path,
                    number,
                    "a feature: the second behaviour is never tested",
                ));
            }
        }
        let dependency = section.ends_with("dependencies")
            && line.contains(" = ")
            && !line.contains("workspace = true");
        if dependency && !root {
            problems.push(Problem::at(
                &file.path,
                number,
                "versions stand in the root manifest: `x.workspace = true`",
            ));
        }
    }
    if !root && !file.text.contains("[lints]\nworkspace = true") {
        problems.push(Problem::of(
            &file.path,
            "does not take the workspace's lints",
        ));
    }
    problems
}

#[cfg(test)]
mod tests {
    use super::*;

    const LINTS: &str = "[lints]\nworkspace = true\n";

    fn lines(text: &str) -> Vec<usize> {
        let file = Source {
            path: "a/Cargo.toml".to_owned(),
            text: text.to_owned(),
        };
        check(&file)
            .into_iter()
            .map(|problem| problem.line)
            .collect()
    }

    #[test]
    fn a_manifest_that_takes_everything_from_the_root_is_fine() {
        assert_eq!(
            lines(&format!("{LINTS}[dependencies]\nsha2.workspace = true\n")),
            [0_usize; 0]
        );
    }

    #[test]
    fn a_features_section_is_found() {
        assert_eq!(lines(&format!("{LINTS}[features]\n")), [3]);
    }

    #[test]
    fn a_version_of_its_own_is_found() {
        assert_eq!(
            lines(&format!("{LINTS}[dev-dependencies]\nsha2 = \"1\"\n")),
            [4]
        );
    }

    #[test]
    fn a_crate_without_the_lints_is_found() {
        assert_eq!(lines("[dependencies]\n"), [0]);
    }
}
