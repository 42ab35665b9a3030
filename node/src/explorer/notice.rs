//! Pages for what is not there, not yet there, or not for this reader: what happened, and the next step.

use maud::{Markup, html};

/// A page that explains.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notice {
    /// What happened, in a few words.
    pub title: String,
    /// Why, in whole sentences.
    pub why: String,
    /// What can be done: words and, perhaps, where.
    pub next: Vec<(String, Option<String>)>,
    /// The code of the error, for `aidchain explain`.
    pub code: Option<String>,
}

impl Notice {
    /// A notice with its reason and no next step yet.
    pub fn new(title: impl Into<String>, why: impl Into<String>) -> Self {
        Self {
            title: title.into(),
            why: why.into(),
            next: Vec::new(),
            code: None,
        }
    }

    /// Adds a step that leads to another page.
    #[must_use]
    pub fn link(mut self, words: &str, href: impl Into<String>) -> Self {
        self.next.push((words.to_owned(), Some(href.into())));
        self
    }

    /// Adds a step in words.
    #[must_use]
    pub fn step(mut self, words: impl Into<String>) -> Self {
        self.next.push((words.into(), None));
        self
    }

    /// Names the error.
    #[must_use]
    pub fn code(mut self, code: impl Into<String>) -> Self {
        self.code = Some(code.into());
        self
    }
}

/// The page.
pub fn body(notice: &Notice) -> Markup {
    html! {
        h1 { (notice.title) }
        p { (notice.why) }
        @if !notice.next.is_empty() {
            ul { @for (words, href) in &notice.next { li { @match href { Some(href) => { a href=(href) { (words) } }, None => (words) } } } }
        }
        @if let Some(code) = &notice.code { p .soft { (code) ": " code { "aidchain explain " (code) } } }
    }
}

/// A height nobody has certified yet.
pub fn future_block(asked: u64, newest: u64) -> Notice {
    Notice::new(
        format!("Block {asked} does not exist yet"),
        format!("The newest certified block is {newest}. Blocks are made when transactions come, and one a minute when none do."),
    )
    .link("The newest block", format!("/b/{newest}"))
    .link("This page again", format!("/b/{asked}"))
    .code("AC0603")
}

/// A role that may not see the page.
pub fn not_allowed(role: &str, need: &str) -> Notice {
    Notice::new(
        "Not for your role",
        format!("You are signed in as {role}; this page needs the role {need}, because it shows who signed in where."),
    )
    .step(format!("Ask the operator of this node for: aidchain explorer login --role {need}"))
    .link("Back to the overview", "/")
    .code("AC0707")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_future_block_is_named_as_such_and_leads_to_the_newest() {
        let html = body(&future_block(99, 15)).into_string();

        assert!(html.contains("Block 99 does not exist yet"));
        assert!(html.contains("href=\"/b/15\""));
        assert!(html.contains("AC0603"));
    }

    #[test]
    fn a_missing_role_is_named_with_whom_to_ask() {
        let html = body(&not_allowed("viewer", "auditor")).into_string();

        assert!(html.contains("signed in as viewer"));
        assert!(html.contains("needs the role auditor"));
        assert!(html.contains("Ask the operator"));
    }
}
