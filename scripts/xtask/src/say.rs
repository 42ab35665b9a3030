//! Where the commands talk: one line at a time, on standard output or standard error.

/// Prints one line of result.
#[expect(clippy::print_stdout, reason = "the commands speak to the terminal")]
pub(crate) fn line(text: &str) {
    println!("{text}");
}

/// Prints one line of complaint.
#[expect(clippy::print_stderr, reason = "the commands speak to the terminal")]
pub(crate) fn error(text: &str) {
    eprintln!("{text}");
}
