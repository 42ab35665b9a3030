//! Break-glass: who asks, who allows it, and what the patient sees of it.

use contract::contracts::disclosure::{
    Disclosure, DisclosureApproval, disclosures_of, newest_at, waiting_at,
};
use contract::{
    Call, DisclosureCall, DisclosureRequest, Outcome, Purpose, Refused, Root, WuRecord,
};

use crate::consortium::{Consortium, Patient};
use crate::replacing::{WRITTEN, no};

const DAY: u64 = 86_400_000;

fn request(seed: u8) -> DisclosureRequest {
    DisclosureRequest {
        aid: Patient::new(seed).record.aid,
        officer: "desk-7".parse().unwrap(),
        purpose: Purpose::Emergency,
        note: Some(Root::new([7; 32])),
    }
}

fn asking(seed: u8) -> Call {
    Call::Disclosure(DisclosureCall::Request(Box::new(request(seed))))
}

fn approving(number: u64, seed: u8) -> Call {
    let aid = Patient::new(seed).record.aid;
    Call::Disclosure(DisclosureCall::Approve { number, aid })
}

fn of_patient(ledger: &Consortium, seed: u8) -> Vec<Disclosure> {
    disclosures_of(&ledger.snapshot(), &Patient::new(seed).record.aid).unwrap()
}

#[test]
fn a_disclosure_is_asked_for_by_the_rc_and_approved_by_another_member() {
    let mut ledger = Consortium::secure();
    assert_eq!(ledger.calls(1, asking(1)), no(Refused::NotPermitted));
    assert_eq!(ledger.calls(0, asking(1)), WRITTEN);
    let asked = (ledger.tip.height(), ledger.tip.header().time);
    ledger.wait(1_000);

    assert_eq!(ledger.calls(0, approving(0, 1)), no(Refused::OwnRequest));
    assert_eq!(ledger.calls(2, approving(0, 1)), WRITTEN);
    assert_eq!(
        ledger.calls(3, approving(0, 1)),
        no(Refused::ApprovedBefore)
    );

    let approval = of_patient(&ledger, 1)[0].approval.unwrap();
    let entry = Disclosure {
        number: 0,
        request: request(1),
        rc: ledger.id(0),
        height: asked.0,
        time: asked.1,
        approval: Some(DisclosureApproval {
            by: ledger.id(2),
            ..approval
        }),
    };
    assert_eq!(of_patient(&ledger, 1), [entry]);
    assert_eq!(approval.time, asked.1.plus_ms(1_000));
}

#[test]
fn a_patient_neither_asks_nor_approves() {
    let mut ledger = Consortium::secure();
    let patient = Patient::new(1);
    let asks = ledger.patient_calls(&patient, &patient.sig, asking(1));
    assert_eq!(asks, no(Refused::NotPermitted));
    assert_eq!(ledger.calls(0, asking(1)), WRITTEN);

    let approves = ledger.patient_calls(&patient, &patient.sig, approving(0, 1));

    assert_eq!(approves, no(Refused::NotPermitted));
}

#[test]
fn an_approval_names_the_request_and_the_aid_that_it_is_about() {
    let mut ledger = Consortium::secure();
    let register = Call::Register(Box::new(Patient::new(2).registration(ledger.chain())));
    assert_eq!(ledger.calls(0, register), WRITTEN);
    assert_eq!(ledger.calls(0, asking(1)), WRITTEN);

    let unknown = no(Refused::UnknownDisclosure);
    assert_eq!(ledger.calls(1, approving(0, 2)), unknown);
    assert_eq!(ledger.calls(1, approving(1, 1)), unknown);
    assert_eq!(of_patient(&ledger, 1)[0].approval, None);
}

#[test]
fn what_nobody_approves_in_a_day_lapses_and_stays_visible() {
    let mut ledger = Consortium::secure();
    assert_eq!(ledger.calls(0, asking(1)), WRITTEN);
    assert_eq!(ledger.calls(0, asking(1)), WRITTEN);
    ledger.wait(DAY);
    assert_eq!(ledger.calls(1, approving(0, 1)), WRITTEN);
    ledger.wait(1);

    let outcome = ledger.calls(1, approving(1, 1));

    assert_eq!(outcome, no(Refused::RequestLapsed));
    let now = ledger.tip.header().time;
    assert_eq!(waiting_at(&ledger.snapshot(), now).unwrap(), []);
    let entries = of_patient(&ledger, 1);
    assert!(entries[0].approval.is_some() && entries[1].approval.is_none());
}

#[test]
fn nothing_can_be_disclosed_of_nobody_or_of_who_was_shredded() {
    let mut ledger = Consortium::secure();
    assert_eq!(ledger.calls(0, asking(9)), no(Refused::UnknownAid));
    let shred = Call::Shred(Patient::new(1).record.aid);
    assert_eq!(ledger.calls(0, shred), WRITTEN);

    assert_eq!(ledger.calls(0, asking(1)), no(Refused::NotActive));
}

#[test]
fn sixty_four_requests_wait_and_lapsed_ones_make_room() {
    let mut ledger = Consortium::secure();
    for number in 0..64 {
        assert_eq!(ledger.calls(0, asking(1)), WRITTEN, "{number}");
    }

    assert_eq!(ledger.calls(0, asking(1)), no(Refused::TooManyDisclosures));
    assert_eq!(ledger.calls(1, approving(5, 1)), WRITTEN);
    assert_eq!(ledger.calls(0, asking(1)), WRITTEN);
    assert_eq!(ledger.calls(0, asking(1)), no(Refused::TooManyDisclosures));
    ledger.wait(DAY + 1);
    assert_eq!(ledger.calls(0, asking(1)), WRITTEN);
    let now = ledger.tip.header().time;
    let waiting = waiting_at(&ledger.snapshot(), now).unwrap();
    let numbers: Vec<u64> = waiting.iter().map(|entry| entry.number).collect();
    assert_eq!(numbers, [65]);
}

#[test]
fn members_see_the_newest_first() {
    let mut ledger = Consortium::secure();
    for _ in 0..3 {
        assert_eq!(ledger.calls(0, asking(1)), WRITTEN);
    }

    let (count, entries) = newest_at(&ledger.snapshot(), 2).unwrap();

    let numbers: Vec<u64> = entries.iter().map(|entry| entry.number).collect();
    assert_eq!((count, numbers), (3, vec![2, 1]));
}

#[test]
fn a_ledger_takes_disclosures_only_once_its_members_activated_the_contract() {
    let mut content = crate::consortium::content(contract::Kind::Research);
    content
        .contracts
        .retain(|one| one.id.as_str() != "disclosure");
    let mut ledger = Consortium::founded(&content);
    let record = WuRecord {
        aid: Patient::new(1).record.aid,
        id: contract::Blob::new(b"alice".to_vec()),
    };
    assert_eq!(ledger.calls(0, Call::WuRegister(record)), WRITTEN);
    assert_eq!(ledger.calls(0, asking(1)), no(Refused::ContractInactive));

    let change = contract::contracts::membership::MembershipChange {
        contracts: vec![contract::contracts::membership::ContractChange {
            id: "disclosure".parse().unwrap(),
            version: 1,
            status: contract::contracts::registry::ContractStatus::Enabled,
        }],
        ..Default::default()
    };
    ledger.agree(&change);
    let before: Outcome = ledger.calls(0, asking(1));
    ledger.end_the_epoch();

    assert_eq!(before, no(Refused::ContractInactive));
    assert_eq!(ledger.calls(0, asking(1)), WRITTEN);
}
