//! Claims that hold or fail: one line each, counted at the end.

use std::fmt;
use std::io;

use bench::clock::Moment;

/// Why a claim does not hold.
#[derive(Debug)]
pub(crate) struct Broken(String);

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl From<io::Error> for Broken {
    fn from(error: io::Error) -> Self {
        Self(error.to_string())
    }
}

impl From<serde_json::Error> for Broken {
    fn from(error: serde_json::Error) -> Self {
        Self(error.to_string())
    }
}

impl From<String> for Broken {
    fn from(text: String) -> Self {
        Self(text)
    }
}

impl From<&str> for Broken {
    fn from(text: &str) -> Self {
        Self(text.to_owned())
    }
}

/// What a scenario comes to.
pub(crate) type Verdict = Result<(), Broken>;

/// Holds if the condition does; otherwise says why not.
#[expect(
    clippy::fn_params_excessive_bools,
    reason = "a condition is what it judges"
)]
pub(crate) fn ensure(condition: bool, why: impl FnOnce() -> String) -> Verdict {
    if condition {
        Ok(())
    } else {
        Err(Broken(why()))
    }
}

/// Holds if both are equal; otherwise shows them.
pub(crate) fn ensure_equal<T: PartialEq + fmt::Debug>(
    what: &str,
    found: &T,
    wanted: &T,
) -> Verdict {
    ensure(found == wanted, || {
        format!("{what}: found {found:?}, wanted {wanted:?}")
    })
}

/// The claims of one run.
#[derive(Debug)]
pub(crate) struct Claims {
    /// Only claims with this in their words are tried.
    filter: Option<String>,
    passed: u32,
    failed: u32,
}

impl Claims {
    /// No claim yet.
    pub(crate) const fn new(filter: Option<String>) -> Self {
        Self {
            filter,
            passed: 0,
            failed: 0,
        }
    }

    /// Whether a claim is asked for.
    fn wanted(&self, claim: &str) -> bool {
        self.filter
            .as_ref()
            .is_none_or(|word| claim.contains(word.as_str()))
    }

    /// Tries one claim and prints how it went.
    pub(crate) fn hold(&mut self, claim: &str, scenario: impl FnOnce() -> Verdict) {
        if !self.wanted(claim) {
            return;
        }
        let start = Moment::now();
        let verdict = scenario();
        let seconds = start.elapsed().as_secs_f64();
        match verdict {
            Ok(()) => {
                self.passed = self.passed.saturating_add(1);
                say(&format!("ok      {claim} ({seconds:.1} s)"));
            }
            Err(why) => {
                self.failed = self.failed.saturating_add(1);
                say(&format!("FAILED  {claim} ({seconds:.1} s)\n        {why}"));
            }
        }
    }

    /// Prints the counts; whether every claim held, and there was one.
    pub(crate) fn conclude(&self, suite: &str) -> bool {
        say(&format!(
            "{suite}: {} passed, {} failed",
            self.passed, self.failed
        ));
        self.failed == 0 && self.passed > 0
    }
}

/// One line of result.
#[expect(clippy::print_stdout, reason = "a test program prints its results")]
pub(crate) fn say(text: &str) {
    println!("{text}");
}

/// One line of complaint.
#[expect(clippy::print_stderr, reason = "a test program prints its complaints")]
pub(crate) fn complain(text: &str) {
    eprintln!("{text}");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_with_a_broken_claim_does_not_conclude_well() {
        let mut claims = Claims::new(None);
        claims.hold("one", || Ok(()));
        assert!(claims.conclude("test"));

        claims.hold("two", || ensure_equal("sum", &2, &3));
        assert!(!claims.conclude("test"));
    }

    #[test]
    fn a_run_without_a_claim_proves_nothing() {
        let mut claims = Claims::new(Some("nothing like it".to_owned()));
        claims.hold("one", || Ok(()));

        assert!(!claims.conclude("test"));
    }
}
