//! The frame around every page: which ledger this is, where one can go, what is wrong right now.

use contract::identity::ChainId;
use maud::{DOCTYPE, Markup, html};

use super::parts::{self, State};

/// What every page says about the node that serves it.
#[derive(Clone, Debug)]
pub struct Frame {
    /// The member whose node this is.
    pub node: String,
    /// The consortium's name, from genesis.
    pub consortium: String,
    /// Which ledger.
    pub chain: ChainId,
    /// A research ledger, which is insecure by purpose.
    pub research: bool,
    /// This node's clock.
    pub now_ms: u64,
    /// The newest certified height: nothing on the page is younger.
    pub height: u64,
    /// What stops the ledger or this node, worst first.
    pub alerts: Vec<State>,
    /// Who reads, when a login is needed.
    pub reader: Option<String>,
}

/// The pages the navigation leads to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// `/`
    Overview,
    /// `/results`
    Results,
    /// `/members`
    Members,
    /// `/verify.html`
    Verify,
    /// `/research`, on a research ledger.
    Research,
    /// A page the navigation does not name.
    Elsewhere,
}

/// The navigation, in order.
const PLACES: [(Place, &str, &str); 5] = [
    (Place::Overview, "/", "Overview"),
    (Place::Results, "/results", "Results"),
    (Place::Members, "/members", "Members"),
    (Place::Verify, "/verify.html", "Verify"),
    (Place::Research, "/research", "Research"),
];

/// One whole page.
pub fn page(frame: &Frame, place: Place, title: &str, body: &Markup) -> Markup {
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                title { (title) " · " (frame.consortium) " · aidchain" }
                meta name="viewport" content="width=device-width, initial-scale=1";
                link rel="stylesheet" href="/style.css";
                link rel="icon" href="data:,";
                script type="module" src="/live.js" {}
            }
            body data-now=(frame.now_ms) {
                a .skip href="#main" { "Skip to the content" }
                header .top { (top(frame, place)) }
                (banners(frame))
                main #main { (body) }
                footer .foot { (foot(frame)) }
            }
        }
    }
}

/// Name, ledger, navigation, search.
fn top(frame: &Frame, place: Place) -> Markup {
    let chain = frame.chain.to_string();
    let colour: String = chain.chars().take(6).collect();
    html! {
        div {
            a .brand href="/" { "aidchain explorer" }
            span .chip title=(chain) {
                svg width="14" height="14" viewBox="0 0 14 14" aria-hidden="true" {
                    rect width="14" height="14" rx="3" fill=(format!("#{colour}")) stroke="currentColor" {}
                }
                span { "genesis " (parts::short(&chain)) }
            }
            nav aria-label="Pages" {
                ul {
                    @for (at, href, name) in PLACES.into_iter().filter(|(at, _, _)| frame.research || *at != Place::Research) {
                        li { a href=(href) aria-current=[(at == place).then_some("page")] { (name) } }
                    }
                }
            }
            form .search action="/search" method="get" role="search" {
                label .seen for="search" { "Search: height, hash, AID or member" }
                input #search type="search" name="q" maxlength="200" placeholder="Height, hash, AID, member" autocomplete="off";
                button type="submit" { "Search" }
            }
        }
    }
}

/// What a reader must know before reading on.
fn banners(frame: &Frame) -> Markup {
    html! {
        section .banner aria-label="Notices" {
            @if frame.research {
                p {
                    span .warn { "! Research ledger, insecure by purpose." }
                    " It runs the published suites with their flaws: identities stand in clear. Only synthetic patients belong here."
                }
            }
            @for alert in &frame.alerts { p { (parts::state(alert)) } }
            p #browser-clock .warn hidden {}
        }
    }
}

/// What the page is from.
fn foot(frame: &Frame) -> Markup {
    html! {
        div {
            p {
                "Read from " strong { (frame.node) } " at certified height "
                a href=(format!("/b/{}", frame.height)) { (frame.height) } ", "
                (parts::moment(frame.now_ms)) ". One node's word: check what matters with "
                a href="/verify.html" { "a receipt" } "."
                @if let Some(reader) = &frame.reader { " Signed in as " (reader) "." }
            }
            p .only-script { button #clock type="button" { "Times: UTC" } }
        }
    }
}

/// A frame for tests and for pages before the node is ready.
#[cfg(test)]
pub(super) fn sample() -> Frame {
    Frame {
        node: "clinic-a".to_owned(),
        consortium: "demo".to_owned(),
        chain: ChainId::new([0x4f; 32]),
        research: false,
        now_ms: 1_795_305_702_000,
        height: 15,
        alerts: Vec::new(),
        reader: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_names_its_ledger_its_node_and_the_height_it_is_from() {
        let html = page(
            &sample(),
            Place::Overview,
            "Overview",
            &html! { h1 { "x" } },
        )
        .into_string();

        assert!(html.starts_with("<!DOCTYPE html><html lang=\"en\">"));
        assert!(html.contains("genesis 4f4f4f4f…4f4f4f4f"));
        assert!(html.contains("<strong>clinic-a</strong>"));
        assert!(html.contains("href=\"/b/15\""));
        assert_eq!(html.matches("aria-current=\"page\"").count(), 1);
        assert!(!html.contains("Research ledger"));
    }

    #[test]
    fn a_research_ledger_says_on_every_page_that_it_is_insecure() {
        let frame = Frame {
            research: true,
            ..sample()
        };
        let html = page(&frame, Place::Elsewhere, "x", &html! {}).into_string();

        assert!(html.contains("Research ledger, insecure by purpose."));
        assert_eq!(html.matches("aria-current").count(), 0);
    }

    #[test]
    fn an_alert_stands_on_every_page() {
        let alerts = vec![State::Bad("no quorum: clinic-b is missing".to_owned())];
        let html = page(
            &Frame { alerts, ..sample() },
            Place::Members,
            "x",
            &html! {},
        )
        .into_string();

        assert!(html.contains("✗ no quorum: clinic-b is missing"));
    }

    #[test]
    fn no_page_carries_a_script_or_style_of_its_own() {
        let html = page(&sample(), Place::Overview, "x", &html! {}).into_string();

        assert!(!html.contains("style="));
        assert!(!html.contains("<style"));
        assert_eq!(html.matches("<script").count(), 1);
        assert!(html.contains("<script type=\"module\" src=\"/live.js\"></script>"));
    }
}
