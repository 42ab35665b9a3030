//! Servers and users of Limbasiya-2020, and whose results the ledger takes.

use contract::contracts::limbasiya::{self, server_at, user_at};
use contract::{
    Aid, Call, Height, Kind, LegacyResult, LimbasiyaServer, Outcome, Output, Refused, ServerId,
    SuiteId,
};

use crate::consortium::{Consortium, NAMES, content};

const WRITTEN: Outcome = Outcome::Done(Output::Written);
const UID: Aid = Aid::new([0x11; 32]);

const fn refused(reason: Refused) -> Outcome {
    Outcome::Refused(reason)
}

fn server(ledger: &Consortium, member: usize) -> LimbasiyaServer {
    LimbasiyaServer {
        server_id: ledger.id(member),
        id: NAMES[member].to_owned(),
        place: "Goa".to_owned(),
    }
}

fn result(ledger: &Consortium, member: usize, sid: u8) -> LegacyResult {
    LegacyResult {
        suite: SuiteId::LIMBASIYA_2020,
        ..ledger.legacy(UID, member, sid)
    }
}

#[test]
fn only_the_rc_registers_servers_and_users_and_each_once() {
    let mut ledger = Consortium::research();
    let registrations = [
        Call::LimbasiyaServer(server(&ledger, 1)),
        Call::LimbasiyaUser(UID),
    ];

    for call in registrations {
        let by_a_clinic = ledger.calls(1, call.clone());
        assert_eq!(by_a_clinic, refused(Refused::NotPermitted));
        assert_eq!(ledger.calls(0, call.clone()), WRITTEN);
        assert_eq!(ledger.calls(0, call), refused(Refused::AlreadyRegistered));
    }
}

#[test]
fn the_ledger_shows_a_server_with_its_place_and_a_user_by_her_uid() {
    let mut ledger = Consortium::research();
    let clinic = server(&ledger, 1);

    ledger.calls(0, Call::LimbasiyaServer(clinic.clone()));
    ledger.calls(0, Call::LimbasiyaUser(UID));

    let snapshot = ledger.snapshot();
    let found = server_at(&snapshot, &ledger.id(1)).unwrap().unwrap();
    assert_eq!((found.server, found.since), (clinic, Height::new(1)));
    assert_eq!(user_at(&snapshot, &UID).unwrap(), Some(Height::new(2)));
    assert_eq!(server_at(&snapshot, &ledger.id(2)).unwrap(), None);
    assert_eq!(user_at(&snapshot, &Aid::new([1; 32])).unwrap(), None);
}

#[test]
fn a_server_is_a_member_under_its_own_name_at_a_place_that_fits_the_list() {
    let mut ledger = Consortium::research();
    let good = server(&ledger, 1);
    let mut attempt = |change: fn(&mut LimbasiyaServer)| {
        let mut bad = good.clone();
        change(&mut bad);
        ledger.calls(0, Call::LimbasiyaServer(bad))
    };

    let stranger = attempt(|server| server.server_id = ServerId::new([9; 32]));
    assert_eq!(stranger, refused(Refused::UnknownMember));
    let other_name = attempt(|server| server.id = "clinic-b".to_owned());
    assert_eq!(other_name, refused(Refused::BadRecord));
    for place in ["", "Goa.1", "Goa;", "New Delhi", "é"] {
        let bad = LimbasiyaServer {
            place: place.to_owned(),
            ..good.clone()
        };
        let outcome = ledger.calls(0, Call::LimbasiyaServer(bad));
        assert_eq!(outcome, refused(Refused::BadRecord), "{place}");
    }
    let too_long = LimbasiyaServer {
        place: "a".repeat(33),
        ..good
    };
    let outcome = ledger.calls(0, Call::LimbasiyaServer(too_long));
    assert_eq!(outcome, refused(Refused::BadRecord));
}

#[test]
fn a_result_counts_once_server_and_user_are_registered() {
    let mut ledger = Consortium::research();
    let entry = |reason: Option<Refused>| {
        let refused = reason.map(|reason| (0, reason)).into_iter().collect();
        Outcome::Done(Output::Recorded { refused })
    };
    let submit = |ledger: &mut Consortium| {
        let result = result(ledger, 1, 1);
        ledger.calls(1, Call::LegacyResults(vec![result]))
    };

    assert_eq!(submit(&mut ledger), entry(Some(Refused::NotTheServer)));
    let clinic = server(&ledger, 1);
    ledger.calls(0, Call::LimbasiyaServer(clinic));
    assert_eq!(submit(&mut ledger), entry(Some(Refused::UnknownAid)));
    ledger.calls(0, Call::LimbasiyaUser(UID));
    assert_eq!(submit(&mut ledger), entry(None));
    assert_eq!(submit(&mut ledger), entry(Some(Refused::SessionSeen)));
}

#[test]
fn a_uid_signs_in_under_its_own_suite_alone() {
    let mut ledger = Consortium::research();
    let clinic = server(&ledger, 1);
    ledger.calls(0, Call::LimbasiyaServer(clinic));
    ledger.calls(0, Call::LimbasiyaUser(UID));

    for suite in [SuiteId::WU_2021, SuiteId::AIDC_1] {
        let result = LegacyResult {
            suite,
            ..result(&ledger, 1, 1)
        };
        let reason = match suite {
            SuiteId::WU_2021 => Refused::UnknownAid,
            other => Refused::SuiteNotAllowed(other),
        };
        let outcome = ledger.calls(1, Call::LegacyResults(vec![result]));
        let refused = vec![(0, reason)];
        assert_eq!(outcome, Outcome::Done(Output::Recorded { refused }));
    }
}

#[test]
fn a_secure_ledger_refuses_servers_and_users_even_where_its_genesis_lists_the_contract() {
    let mut secure = content(Kind::Secure);
    assert!(secure.contracts.iter().all(|one| one.id != limbasiya::ID));
    let mut ledger = Consortium::founded(&secure);
    let inactive = ledger.calls(0, Call::LimbasiyaUser(UID));
    assert_eq!(inactive, refused(Refused::ContractInactive));

    secure.contracts = content(Kind::Research).contracts;
    let mut ledger = Consortium::founded(&secure);
    let clinic = server(&ledger, 1);
    for call in [Call::LimbasiyaServer(clinic), Call::LimbasiyaUser(UID)] {
        assert_eq!(ledger.calls(0, call), refused(Refused::ResearchOnly));
    }
}

#[test]
fn a_research_ledger_without_the_suite_registers_nobody() {
    let mut content = content(Kind::Research);
    content
        .suites
        .retain(|suite| *suite != SuiteId::LIMBASIYA_2020);
    let mut ledger = Consortium::founded(&content);

    let outcome = ledger.calls(0, Call::LimbasiyaUser(UID));

    let suite = SuiteId::LIMBASIYA_2020;
    assert_eq!(outcome, refused(Refused::SuiteNotAllowed(suite)));
}
