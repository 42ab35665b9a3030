//! What a failed step said, kept for the end of a long log, where it is looked for.

use std::collections::VecDeque;

/// Lines kept of a step's end.
const TAIL: usize = 12;
/// Lines kept behind the name of a test that failed.
const BEHIND: usize = 12;
/// Lines kept of one step in all.
const ALL: usize = 80;

/// Collects lines as they come by.
#[derive(Debug, Default)]
pub(crate) struct LastWords {
    /// Of tests: who failed, and the first lines of what they said.
    tests: Vec<String>,
    /// How many lines still belong to the test that speaks.
    speaking: usize,
    /// The newest lines of any kind.
    tail: VecDeque<String>,
}

impl LastWords {
    /// Takes one line.
    pub(crate) fn hear(&mut self, line: &str) {
        if self.tail.len() == TAIL {
            self.tail.pop_front();
        }
        self.tail.push_back(line.to_owned());
        if line.starts_with("---- ") && line.ends_with(" stdout ----") {
            self.speaking = BEHIND;
        }
        let named = line.starts_with("test ") && line.ends_with(" ... FAILED");
        if (named || self.speaking > 0) && self.tests.len() < ALL {
            self.tests.push(line.to_owned());
        }
        self.speaking = self.speaking.saturating_sub(1);
    }

    /// What to repeat at the end: the tests that failed, or the end of what was said.
    pub(crate) fn into_lines(self) -> Vec<String> {
        if self.tests.is_empty() {
            self.tail.into()
        } else {
            self.tests
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn heard(lines: &[&str]) -> Vec<String> {
        let mut words = LastWords::default();
        for line in lines {
            words.hear(line);
        }
        words.into_lines()
    }

    #[test]
    fn the_tests_that_failed_are_named_with_what_they_said() {
        let told = heard(&[
            "test one ... ok",
            "test two ... FAILED",
            "failures:",
            "---- two stdout ----",
            "thread 'two' panicked at src/a.rs:7:9:",
            "assertion failed: left == right",
        ]);

        assert_eq!(
            told,
            [
                "test two ... FAILED",
                "---- two stdout ----",
                "thread 'two' panicked at src/a.rs:7:9:",
                "assertion failed: left == right",
            ]
        );
    }

    #[test]
    fn a_step_without_tests_repeats_its_end() {
        let lines: Vec<String> = (0..50).map(|number| format!("line {number}")).collect();
        let lines: Vec<&str> = lines.iter().map(String::as_str).collect();

        let told = heard(&lines);

        assert_eq!(told.len(), TAIL);
        assert_eq!(told.last().map(String::as_str), Some("line 49"));
    }

    #[test]
    fn a_step_in_which_all_fails_does_not_fill_the_log_again() {
        let told = heard(&["test x ... FAILED"; 500]);

        assert_eq!(told.len(), ALL);
    }
}
