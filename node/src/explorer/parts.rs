//! The small pieces every page is made of: hashes, times, states, facts, tables of them.

use contract::identity::Aid;
use maud::{Markup, html};

use super::time;

/// How many hex digits stay at each end of a shortened hash.
const ENDS: usize = 8;

/// A state in words and a sign, so that colour is never the only signal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum State {
    /// As it should be.
    Good(String),
    /// Worth a look.
    Warn(String),
    /// Wrong.
    Bad(String),
}

/// One value of a decoded record, typed so that each page writes it the same way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value {
    /// Plain words or a number.
    Text(String),
    /// A hash or key in hex, with what it is.
    Hash(&'static str, String),
    /// A patient's anonymous identity, linked.
    Aid(Aid),
    /// Milliseconds since 1970.
    Time(u64),
    /// A block's height, linked.
    Height(u64),
    /// A transaction's hash, linked.
    Transaction(String),
    /// A member by name, and its id.
    Server(String, String),
    /// An ID that stands on a research ledger in clear; only its length is shown.
    ClearId(usize),
    /// Bytes nobody reads, behind a fold.
    Bytes(Vec<u8>),
}

/// A label and its value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fact {
    /// What it is.
    pub label: &'static str,
    /// The value.
    pub value: Value,
}

impl Fact {
    /// Joins the two.
    pub const fn new(label: &'static str, value: Value) -> Self {
        Self { label, value }
    }

    /// A fact in plain words.
    pub fn text(label: &'static str, text: impl Into<String>) -> Self {
        Self::new(label, Value::Text(text.into()))
    }
}

/// The middle left out; the whole stays in `title`, for copying and for screen readers.
pub fn short(text: &str) -> String {
    let length = text.chars().count();
    if length <= ENDS.saturating_mul(2).saturating_add(1) {
        return text.to_owned();
    }
    let head: String = text.chars().take(ENDS).collect();
    let tail: String = text.chars().skip(length.saturating_sub(ENDS)).collect();
    format!("{head}…{tail}")
}

/// A hash: short to the eye, whole to the clipboard.
pub fn hash(what: &str, text: &str) -> Markup {
    html! { code title=(text) data-copy=(text) data-what=(what) { (short(text)) } }
}

/// A hash in full, wrapped where the screen ends.
pub fn whole_hash(what: &str, text: &str) -> Markup {
    html! { code data-copy=(text) data-what=(what) { (text) } }
}

/// A short hash that leads somewhere.
pub fn linked(href: &str, what: &str, text: &str) -> Markup {
    html! { a href=(href) title=(text) { span .seen { (what) " " } code { (short(text)) } } }
}

/// An AID that leads to its page.
pub fn aid(aid: &Aid) -> Markup {
    let text = aid.to_string();
    linked(&format!("/a/{text}"), "identity", &text)
}

/// A moment, in UTC until the reader chooses another clock.
pub fn moment(ms: u64) -> Markup {
    html! { time datetime=(time::rfc3339(ms)) { (time::readable(ms)) } }
}

/// A state: sign, word, colour, in this order of importance.
pub fn state(state: &State) -> Markup {
    match state {
        State::Good(text) => html! { span .good { "✓ " (text) } },
        State::Warn(text) => html! { span .warn { "! " (text) } },
        State::Bad(text) => html! { span .bad { "✗ " (text) } },
    }
}

/// One value.
pub fn value(value: &Value) -> Markup {
    match value {
        Value::Text(text) => html! { (text) },
        Value::Hash(what, text) => whole_hash(what, text),
        Value::Aid(name) => aid(name),
        Value::Time(ms) => moment(*ms),
        Value::Height(height) => html! { a href=(format!("/b/{height}")) { (height) } },
        Value::Transaction(text) => linked(&format!("/t/{text}"), "transaction", text),
        Value::Server(name, id) => {
            html! { (name) " " span .soft { "(" (hash("server id", id)) ")" } }
        }
        Value::ClearId(bytes) => {
            html! { span .warn { "! in clear on this ledger, " (bytes) " bytes" } }
        }
        Value::Bytes(bytes) => html! {
            details { summary { (bytes.len()) " bytes" } code { (hex::encode(bytes)) } }
        },
    }
}

/// A list of labels and values.
pub fn facts(facts: &[Fact]) -> Markup {
    html! { dl .facts { @for fact in facts { dt { (fact.label) } dd { (value(&fact.value)) } } } }
}

/// Numbers in a row of boxes; each box may change in place when the page is live.
pub fn tiles(tiles: &[(&'static str, &'static str, Markup)]) -> Markup {
    html! { dl .tiles { @for (id, label, content) in tiles { div { dt { (label) } dd id=(id) { (content) } } } } }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hash_keeps_its_ends_to_the_eye_and_all_of_it_in_the_title() {
        let text = "0123456789abcdef".repeat(4);
        let html = hash("block hash", &text).into_string();

        assert!(html.contains(&format!("title=\"{text}\"")));
        assert!(html.contains(&format!("data-copy=\"{text}\"")));
        assert!(html.contains(">01234567…89abcdef<"));
        assert_eq!(short("short"), "short");
    }

    #[test]
    fn an_id_in_clear_is_counted_and_never_shown() {
        let html = value(&Value::ClearId(14)).into_string();

        assert!(html.contains("in clear on this ledger, 14 bytes"));
    }

    #[test]
    fn every_state_has_a_sign_beside_its_colour() {
        let all = [
            State::Good("up".to_owned()),
            State::Warn("late".to_owned()),
            State::Bad("gone".to_owned()),
        ];
        let html: Vec<String> = all.iter().map(|s| state(s).into_string()).collect();

        assert_eq!(html[0], "<span class=\"good\">✓ up</span>");
        assert!(html[1].contains("! late"));
        assert!(html[2].contains("✗ gone"));
    }

    #[test]
    fn text_from_outside_is_escaped() {
        let html = value(&Value::Text("<script>".to_owned())).into_string();

        assert_eq!(html, "&lt;script&gt;");
    }
}
