//! Who runs this ledger, who is here now, and whose votes are missing.

use maud::{Markup, html};

use super::{
    parts::{self, Fact, State, Value},
    time,
};

/// Whether a member can be heard.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Presence {
    /// This node itself.
    Here,
    /// Connected.
    Up,
    /// Not connected.
    Away,
}

/// One member as this node sees it.
#[derive(Clone, Debug)]
pub struct MemberLine {
    /// Its name.
    pub name: String,
    /// `rc` or `server`.
    pub role: String,
    /// Whether it can be heard.
    pub presence: Presence,
    /// The oldest open block waits for its vote.
    pub missing: bool,
    /// When its newest frame came.
    pub last_seen_ms: Option<u64>,
    /// The newest height it told.
    pub height: Option<u64>,
    /// Its clock minus ours.
    pub skew_ms: Option<i64>,
    /// What the ledger says of it.
    pub keys: Option<MemberKeys>,
}

/// A member's public side, from the ledger.
#[derive(Clone, Debug)]
pub struct MemberKeys {
    /// Its id on the ledger.
    pub server_id: String,
    /// Signs votes and transactions.
    pub key: String,
    /// Names it on the network.
    pub network_key: String,
    /// Pins its certificate.
    pub tls_spki: String,
    /// Where its patients reach it.
    pub api: String,
    /// Where the members reach it.
    pub p2p: String,
    /// Its place under Limbasiya-2020, where it is a server of that suite.
    pub place: Option<String>,
}

impl MemberKeys {
    /// Line by line.
    fn facts(&self) -> Vec<Fact> {
        let hash = |label, what, text: &String| Fact::new(label, Value::Hash(what, text.clone()));
        let mut facts = vec![
            hash("Server id", "server id", &self.server_id),
            hash("Member key", "member key", &self.key),
            hash("Network key", "network key", &self.network_key),
            hash("Certificate pin", "certificate pin", &self.tls_spki),
            Fact::text("Patient API", self.api.clone()),
            Fact::text("Peer address", self.p2p.clone()),
        ];
        if let Some(place) = &self.place {
            facts.push(Fact::text(
                "Place (Limbasiya-2020, insecure)",
                place.clone(),
            ));
        }
        facts
    }
}

/// A clock further off than this is shown as a warning; sign-ins fail at 120 s.
const SKEW_WARN_MS: u64 = 10_000;

/// Is it here?
fn presence(member: &MemberLine, now_ms: u64) -> State {
    match (member.presence, member.last_seen_ms) {
        (Presence::Here, _) => State::Good("this node".to_owned()),
        (Presence::Up, _) => State::Good("up".to_owned()),
        (Presence::Away, Some(ms)) => {
            State::Bad(format!("missing, last seen {}", time::age(now_ms, ms)))
        }
        (Presence::Away, None) => {
            State::Bad("missing, never seen since this node started".to_owned())
        }
    }
}

/// How far its clock is off.
fn clock(skew_ms: Option<i64>) -> Markup {
    let Some(skew) = skew_ms else {
        return html! { span .soft { "unknown" } };
    };
    let size = skew.unsigned_abs();
    let sign = match skew {
        _ if size < 100 => "",
        ..0 => "−",
        _ => "+",
    };
    let text = format!(
        "{sign}{}.{} s",
        size.div_euclid(1_000),
        size.rem_euclid(1_000).div_euclid(100)
    );
    html! { @if size > SKEW_WARN_MS { (parts::state(&State::Warn(text))) } @else { (text) } }
}

/// One line a member.
pub fn strip(members: &[MemberLine], now_ms: u64) -> Markup {
    html! {
        table .wide {
            thead { tr { th scope="col" { "Member" } th scope="col" { "Role" } th scope="col" { "State" } th scope="col" { "Height" } th scope="col" { "Clock" } } }
            tbody {
                @for member in members {
                    tr {
                        th scope="row" data-label="Member" { (member.name) }
                        td data-label="Role" { (role(&member.role)) }
                        td data-label="State" {
                            (parts::state(&presence(member, now_ms)))
                            @if member.missing { " " (parts::state(&State::Warn("its vote is awaited".to_owned()))) }
                        }
                        td data-label="Height" { @match member.height { Some(height) => (height), None => { span .soft { "unknown" } } } }
                        td data-label="Clock" { @if member.presence == Presence::Here { "reference" } @else { (clock(member.skew_ms)) } }
                    }
                }
            }
        }
    }
}

/// A role in words.
fn role(role: &str) -> &str {
    match role {
        "rc" => "registration centre",
        other => other,
    }
}

/// The page.
pub fn body(members: &[MemberLine], quorum: u16, progress: &str, now_ms: u64) -> Markup {
    let missing: Vec<&str> = members
        .iter()
        .filter(|m| m.missing || m.presence == Presence::Away)
        .map(|m| m.name.as_str())
        .collect();
    html! {
        h1 { "Members" }
        p {
            (members.len()) " members, " (quorum) " make a quorum. "
            @if missing.is_empty() { (parts::state(&State::Good("nobody is missing".to_owned()))) }
            @else { (parts::state(&State::Bad(format!("missing: {}", missing.join(", "))))) }
        }
        p { (progress) }
        (strip(members, now_ms))
        h2 { "Keys, from the ledger" }
        @for member in members {
            @if let Some(keys) = &member.keys {
                section .card aria-label=(format!("Keys of {}", member.name)) {
                    h3 { (member.name) }
                    (parts::facts(&keys.facts()))
                }
            }
        }
    }
}

/// A member for tests.
#[cfg(test)]
pub(super) fn sample(name: &str) -> MemberLine {
    MemberLine {
        name: name.to_owned(),
        role: "server".to_owned(),
        presence: Presence::Up,
        missing: false,
        last_seen_ms: Some(1),
        height: Some(3),
        skew_ms: Some(-1_250),
        keys: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_is_missing_is_named() {
        let away = MemberLine {
            presence: Presence::Away,
            last_seen_ms: Some(1_000),
            ..sample("clinic-b")
        };
        let html = body(&[sample("rc"), away], 3, "waits for PREPARE", 15_000).into_string();

        assert!(html.contains("✗ missing: clinic-b"));
        assert!(html.contains("✗ missing, last seen 14 s ago"));
        assert!(html.contains("waits for PREPARE"));
    }

    #[test]
    fn a_member_whose_vote_is_awaited_is_named_though_it_is_connected() {
        let slow = MemberLine {
            missing: true,
            ..sample("clinic-c")
        };
        let html = body(&[slow], 3, "", 2).into_string();

        assert!(html.contains("missing: clinic-c"));
        assert!(html.contains("! its vote is awaited"));
    }

    #[test]
    fn a_clock_is_shown_with_its_sign_and_a_bad_one_with_a_warning() {
        assert_eq!(clock(Some(-1_250)).into_string(), "−1.2 s");
        assert_eq!(clock(Some(-3)).into_string(), "0.0 s");
        assert!(clock(Some(10_001)).into_string().contains("! +10.0 s"));
        assert!(!clock(Some(10_000)).into_string().contains('!'));
    }
}
