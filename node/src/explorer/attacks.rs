//! The attacks on the papers' suites: what each needs, where the attacker stands, and how it goes.

use maud::{Markup, html};
use research::attacks::{self, Attack, Need, Target};

/// A place in the picture: an attacker stands at some of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stand {
    Card,
    Wire,
    Server,
    Ledger,
    User,
}

impl Stand {
    /// From the patient outwards.
    const ALL: [Self; 5] = [
        Self::Card,
        Self::Wire,
        Self::Server,
        Self::Ledger,
        Self::User,
    ];

    const fn label(self) -> &'static str {
        match self {
            Self::Card => "her card",
            Self::Wire => "the wire",
            Self::Server => "the server",
            Self::Ledger => "the ledger",
            Self::User => "another user",
        }
    }

    /// Where who needs this stands.
    const fn of(need: Need) -> Self {
        match need {
            Need::Card => Self::Card,
            Need::Listen | Need::Send | Need::Middle => Self::Wire,
            Need::Table | Need::Leak => Self::Server,
            Need::Insider => Self::Ledger,
            Need::Fellow => Self::User,
        }
    }
}

/// The whole page.
pub(super) fn body() -> Markup {
    html! {
        h1 { "Attacks on the papers' suites" }
        p {
            "Each is a program: " code { "aidchain research attack NAME" } " runs it against a research ledger and \
             explains each step. On AIDC-1 none of them reaches its aim. The " a href="/research" { "tables" } " show \
             what the suites cost."
        }
        @for attack in attacks::all() { (one(attack)) }
    }
}

fn one(attack: &Attack) -> Markup {
    let number = attack.id.text();
    let target = match attack.target {
        Target::Suite => "the suite".to_owned(),
        Target::Exhibit(name) => format!("the published form {name}, which no suite has"),
    };
    let needs: Vec<&str> = attack.needs.iter().map(|need| need.text()).collect();
    html! {
        section .card id=(number) aria-labelledby=(format!("{number}-title")) {
            h2 id=(format!("{number}-title")) { (number.to_uppercase()) ": " (attack.title) }
            p .soft { (attack.paper.text()) ", " (target) ". Needs " (needs.join(", ")) ". " code { (attack.name) } }
            (picture(attack.needs))
            details {
                summary { "The steps of " (number.to_uppercase()) }
                ol { @for step in attack.steps { li { strong { (step.title) } " " (step.text) } } }
            }
        }
    }
}

/// Patient, wire, server, ledger, and where the attacker stands.
fn picture(needs: &[Need]) -> Markup {
    let stands = |stand: Stand| needs.iter().any(|need| Stand::of(*need) == stand);
    let taken: Vec<_> = Stand::ALL
        .into_iter()
        .filter(|stand| stands(*stand))
        .collect();
    let labels: Vec<_> = taken.iter().map(|stand| stand.label()).collect();
    html! {
        svg viewBox="0 0 500 44" width="500" role="img" aria-label=(format!("The attacker stands at: {}", labels.join(", "))) {
            line .axis x1="0" y1="20" x2="500" y2="20" {}
            @for (at, stand) in (0_u32..).zip(Stand::ALL) {
                @let left = at.saturating_mul(100);
                rect .(if stands(stand) { "hit" } else { "free" }) x=(left.saturating_add(4)) y="6" width="92" height="28" rx="4" {}
                text x=(left.saturating_add(50)) y="24" text-anchor="middle" {
                    @if stands(stand) { "✗ " }
                    (stand.label())
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_attack_of_the_catalogue_stands_on_the_page_with_its_steps_and_a_picture() {
        let page = body().into_string();

        for attack in attacks::all() {
            assert!(
                page.contains(&format!("id=\"{}\"", attack.id)),
                "{}",
                attack.id
            );
            for step in attack.steps {
                let title = html! { (step.title) }.into_string();
                assert!(page.contains(&title), "{title}");
            }
        }
        let pictures = page
            .matches("aria-label=\"The attacker stands at: ")
            .count();
        assert_eq!(pictures, attacks::all().len());
        assert!(page.len() < 45_000, "{} bytes", page.len());
    }

    #[test]
    fn who_steals_a_card_stands_at_the_card_alone() {
        let drawn = picture(&[Need::Card]).into_string();

        assert!(drawn.contains("The attacker stands at: her card\""));
        assert_eq!(drawn.matches("class=\"hit\"").count(), 1);
        assert_eq!(drawn.matches("class=\"free\"").count(), 4);
    }
}
