//! What a patient is shown of the ledger, and what a member cannot hide from her.

use contract::record::{DisclosureRequest, Purpose};
use contract::transaction::{Call, DisclosureCall};
use patient::code::{Code, Exit};
use patient::output::Failure;

use super::terminal::{Enrols, ID, Terminal, code};
use crate::consortium::Consortium;

fn history(terminal: &Terminal<'_>, more: &[&str]) -> Result<Exit, Failure> {
    let (pw, paper) = (terminal.text("pw"), terminal.text("paper"));
    let mut typed = vec!["--password-file", &pw, "--recovery-code-file", &paper];
    typed.extend(more);
    terminal.run("history", &typed)
}

fn asked(members: &Consortium) -> Vec<usize> {
    let world = members.world();
    let heard = world.heard.iter().filter(|(_, path)| path == "/v1/history");
    heard.map(|(at, _)| *at).collect()
}

#[test]
fn each_identity_is_asked_of_whom_it_is_known_to_already() {
    let members = Consortium::start();
    let terminal = Terminal::new(&members, "mine");
    terminal.register(Enrols::NoFace).unwrap();
    terminal.sign_in("clinic-b", &[], &[]).unwrap();
    terminal.sign_in("clinic-a", &[], &["--fresh"]).unwrap();

    assert_eq!(history(&terminal, &[]), Ok(Exit::Ok));
    assert_eq!(
        asked(&members),
        [2, 0],
        "the fresh one's server is noted nowhere"
    );

    members.world().heard.clear();
    assert_eq!(
        history(&terminal, &["--all", "--via", "clinic-c"]),
        Ok(Exit::Ok)
    );
    assert_eq!(asked(&members), [3; 16]);
}

#[test]
fn a_disclosure_a_recovery_and_a_claim_are_shown_and_none_can_be_hidden() {
    let members = Consortium::start();
    let terminal = Terminal::new(&members, "mine");
    terminal.register(Enrols::NoFace).unwrap();
    terminal.sign_in("clinic-b", &[], &[]).unwrap();
    let aid = members.world().centre.people[ID][0];
    {
        let mut world = members.world();
        let request = DisclosureRequest {
            aid,
            officer: "desk-1".parse().unwrap(),
            purpose: Purpose::Emergency,
            note: None,
        };
        let request = DisclosureCall::Request(Box::new(request));
        world.chain.calls(0, Call::Disclosure(request));
        world.chain.calls(
            1,
            Call::Disclosure(DisclosureCall::Approve { number: 0, aid }),
        );
        world.trouble.keeps_results = true;
    }
    terminal.sign_in("clinic-b", &[], &[]).unwrap_err();
    assert_eq!(history(&terminal, &[]), Ok(Exit::Ok));

    members.world().trouble.hides_claims = true;
    assert_eq!(code(history(&terminal, &[])), Code::HistoryIncomplete);
    {
        let mut world = members.world();
        world.trouble.hides_claims = false;
        world.chain.calls(0, Call::Revoke(aid));
        world.trouble.hides_events = true;
    }
    assert_eq!(code(history(&terminal, &[])), Code::HistoryIncomplete);
    members.world().trouble.hides_events = false;
    assert_eq!(
        history(&terminal, &[]),
        Ok(Exit::Ok),
        "a revoked identity may ask"
    );
}
