//! One anonymous identity: since when, in which state, where it signed in. Never the ID behind it.

use contract::identity::Aid;
use maud::{Markup, html};

use super::{
    chart::{self, Bar},
    parts::{self, Fact, State},
    past::{self, Happened},
    results::{self, SignIn},
};

/// What the page of an identity shows.
#[derive(Clone, Debug)]
pub struct Identity {
    /// Who.
    pub aid: Aid,
    /// Whether it may sign in.
    pub status: State,
    /// What the ledger holds about it.
    pub facts: Vec<Fact>,
    /// What happened to it beside those, oldest first.
    pub past: Vec<Happened>,
    /// Its newest sign-ins.
    pub sign_ins: Vec<SignIn>,
    /// Whether there are older ones.
    pub more: bool,
    /// Sign-ins by day.
    pub days: Vec<Bar>,
}

/// The page.
pub fn body(view: &Identity) -> Markup {
    let aid = view.aid.to_string();
    html! {
        h1 { "Identity" }
        p { (parts::whole_hash("identity", &aid)) }
        p { (parts::state(&view.status)) }
        p .row { a .button href=(format!("/v1/identities/{aid}")) { "JSON" } a .button href=(format!("/results?aid={aid}")) { "Filter and export" } }
        (parts::facts(&view.facts))
        p .soft { "The ID behind it is not shown. Each view of this page is written to this node's access log." }
        @if !view.past.is_empty() {
            h2 { "What happened to it" }
            (past::table(&view.past))
        }
        h2 { "Sign-ins" }
        @if view.sign_ins.is_empty() { p { "None yet." } }
        @else {
            (chart::bars("Sign-ins by day", "sign-ins", &view.days))
            (results::table(&view.sign_ins))
            @if view.more { p { a .button href=(format!("/results?aid={aid}")) { "All of them" } } }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_identity_without_sign_ins_is_not_an_error() {
        let view = Identity {
            aid: Aid::new([9; 32]),
            status: State::Good("active".to_owned()),
            facts: Vec::new(),
            past: Vec::new(),
            sign_ins: Vec::new(),
            more: false,
            days: Vec::new(),
        };
        let html = body(&view).into_string();

        assert!(html.contains(&Aid::new([9; 32]).to_string()));
        assert!(html.contains("✓ active"));
        assert!(html.contains("None yet."));
        assert!(!html.contains("What happened to it"));
        assert!(html.contains("written to this node's access log"));
    }
}
