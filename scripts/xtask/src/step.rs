//! One step of a longer run: its output streams through, its test counts are added up.

use std::io::{self, BufRead, BufReader, PipeReader};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use crate::clock::Stopwatch;
use crate::last_words::LastWords;
use crate::{say, source};

/// How many claims held and how many did not.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Counts {
    /// Held.
    pub(crate) passed: u64,
    /// Did not hold.
    pub(crate) failed: u64,
}

impl Counts {
    /// Both sides added.
    pub(crate) const fn plus(self, other: Self) -> Self {
        Self {
            passed: self.passed.saturating_add(other.passed),
            failed: self.failed.saturating_add(other.failed),
        }
    }
}

/// What a run of steps has come to so far.
#[derive(Debug, Default)]
pub(crate) struct Report {
    /// Sum over everything that ran.
    pub(crate) counts: Counts,
    /// Names of the steps that failed.
    pub(crate) failed: Vec<String>,
    /// What they said, for the end of the log.
    pub(crate) words: Vec<String>,
    /// What was left out, and why.
    pub(crate) left_out: Vec<String>,
}

impl Report {
    /// Whether `CI=true`: then nothing may be left out.
    pub(crate) fn in_ci() -> bool {
        std::env::var("CI").is_ok_and(|value| value == "true" || value == "1")
    }

    /// Notes a part that cannot run here; with `CI=true` that is a failure.
    pub(crate) fn leave_out(&mut self, name: &str, why: &str) {
        if Self::in_ci() {
            say::error(&format!(
                "\nFAILED {name}: {why}; with CI=true nothing may be left out"
            ));
            self.failed.push(name.to_owned());
            self.counts.failed = self.counts.failed.saturating_add(1);
        } else {
            say::error(&format!("\nLEFT OUT {name}: {why}"));
            self.left_out.push(format!("{name}: {why}"));
        }
    }

    /// Runs one step. A step that counts nothing counts as one claim itself.
    pub(crate) fn run(&mut self, step: Step) {
        say::line(&format!("\n▶ {}: {}", step.name, step.shown()));
        let watch = Stopwatch::start();
        let mut words = LastWords::default();
        let ended = step.perform(&mut words);
        let seconds = watch.elapsed().as_secs_f64();
        self.counts = self.counts.plus(settle(ended));
        if ended.is_ok() {
            say::line(&format!("✓ {} ({seconds:.1} s)", step.name));
        } else {
            say::error(&format!(
                "FAILED {} ({seconds:.1} s): {}",
                step.name,
                step.shown()
            ));
            self.words.push(format!("\nfrom {}:", step.name));
            self.words.extend(words.into_lines());
            self.failed.push(step.name);
        }
    }
}

/// What a step counted before it succeeded, or before it failed.
type Ended = Result<Counts, Counts>;

/// A step's verdict as counts: at least one claim, and a failed step has at least one failure.
fn settle(ended: Ended) -> Counts {
    match ended {
        Ok(counts) if counts == Counts::default() => Counts {
            passed: 1,
            failed: 0,
        },
        Ok(counts) => counts,
        Err(counts) => Counts {
            failed: counts.failed.max(1),
            ..counts
        },
    }
}

/// A command line with a name.
#[derive(Debug)]
pub(crate) struct Step {
    /// What a failure is reported under.
    name: String,
    /// Program and arguments.
    line: Vec<String>,
    /// Environment set for it alone.
    environment: Vec<(String, String)>,
}

impl Step {
    /// A step that runs `program` with `arguments` from the repository's root.
    pub(crate) fn new(name: &str, program: &str, arguments: &[&str]) -> Self {
        let line = std::iter::once(program).chain(arguments.iter().copied());
        Self {
            name: name.to_owned(),
            line: line.map(str::to_owned).collect(),
            environment: Vec::new(),
        }
    }

    /// A step that runs cargo.
    pub(crate) fn cargo(name: &str, arguments: &[&str]) -> Self {
        Self::new(name, env!("CARGO"), arguments)
    }

    /// The same step with one more variable.
    pub(crate) fn with(mut self, key: &str, value: &str) -> Self {
        self.environment.push((key.to_owned(), value.to_owned()));
        self
    }

    /// The command line as a person would type it.
    fn shown(&self) -> String {
        let environment = self
            .environment
            .iter()
            .map(|(key, value)| format!("{key}='{value}' "));
        let program = self.line.iter().take(1).map(|path| {
            PathBuf::from(path)
                .file_name()
                .map_or_else(|| path.clone(), |name| name.to_string_lossy().into_owned())
        });
        let arguments = self.line.iter().skip(1).cloned();
        environment.collect::<String>() + &program.chain(arguments).collect::<Vec<_>>().join(" ")
    }

    /// Starts it with one pipe for both of its outputs, so that what it says stays in order.
    fn start(&self) -> io::Result<(Child, PipeReader)> {
        let mut line = self.line.iter();
        let program = line.next().ok_or(io::ErrorKind::InvalidInput)?;
        let (reader, writer) = io::pipe()?;
        // The command holds the writing ends and is gone after this line: the pipe ends with the child.
        let child = Command::new(program)
            .args(line)
            .envs(self.environment.iter().map(|(key, value)| (key, value)))
            .current_dir(source::root())
            .stdin(Stdio::null())
            .stdout(writer.try_clone()?)
            .stderr(writer)
            .spawn()?;
        Ok((child, reader))
    }

    /// Runs it: what it says goes straight through and is read for counts on its way.
    fn perform(&self, words: &mut LastWords) -> Ended {
        let (mut child, output) = match self.start() {
            Ok(started) => started,
            Err(error) => {
                say::error(&format!("cannot run `{}`: {error}", self.shown()));
                return Err(Counts::default());
            }
        };
        let mut counts = Counts::default();
        for line in BufReader::new(output).split(b'\n').map_while(Result::ok) {
            let line = String::from_utf8_lossy(&line);
            say::line(&line);
            words.hear(&line);
            if let Some(more) = counted(&line) {
                counts = counts.plus(more);
            }
        }
        if child.wait().is_ok_and(|status| status.success()) {
            Ok(counts)
        } else {
            Err(counts)
        }
    }
}

/// The counts in one line of output: cargo's `test result:` line, or `N passed, M failed`.
pub(crate) fn counted(line: &str) -> Option<Counts> {
    let line = line.trim();
    if let Some(rest) = line.strip_prefix("test result:") {
        let (_, rest) = rest.split_once(". ")?;
        let mut parts = rest.split("; ");
        let passed = number_before(parts.next()?, " passed")?;
        let failed = number_before(parts.next()?, " failed")?;
        return Some(Counts { passed, failed });
    }
    let plain = line.split_once(": ").map_or(line, |(_, rest)| rest);
    let (passed, failed) = plain.split_once(", ")?;
    let passed = number_before(passed, " passed")?;
    let failed = number_before(failed, " failed")?;
    Some(Counts { passed, failed })
}

/// The number in front of a word that ends the text.
fn number_before(text: &str, word: &str) -> Option<u64> {
    text.strip_suffix(word)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_of_cargo_test_is_counted() {
        let line = "test result: FAILED. 12 passed; 3 failed; 0 ignored; 0 measured; 1 filtered out; finished in 0.01s";

        assert_eq!(
            counted(line),
            Some(Counts {
                passed: 12,
                failed: 3
            })
        );
    }

    #[test]
    fn the_plain_line_is_counted_with_and_without_a_word_before_it() {
        assert_eq!(
            counted("20000 passed, 0 failed"),
            Some(Counts {
                passed: 20_000,
                failed: 0
            })
        );
        assert_eq!(
            counted("browser: 7 passed, 1 failed"),
            Some(Counts {
                passed: 7,
                failed: 1
            })
        );
    }

    #[test]
    fn talk_is_not_counted() {
        assert_eq!(counted("3 passed the door, 1 failed to"), None);
        assert_eq!(counted("running 3 tests"), None);
    }

    #[test]
    fn a_silent_step_counts_as_one_claim() {
        assert_eq!(
            settle(Ok(Counts::default())),
            Counts {
                passed: 1,
                failed: 0
            }
        );
        assert_eq!(
            settle(Err(Counts::default())),
            Counts {
                passed: 0,
                failed: 1
            }
        );
    }

    #[test]
    fn a_step_that_failed_cannot_count_as_all_passed() {
        let seen = Counts {
            passed: 9,
            failed: 0,
        };

        assert_eq!(
            settle(Err(seen)),
            Counts {
                passed: 9,
                failed: 1
            }
        );
    }
}
