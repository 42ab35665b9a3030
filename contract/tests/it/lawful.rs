//! Which changes of the membership are lawful.

use contract::contracts::membership::{
    ContractChange, MembershipChange, Renewal, Replacement, epoch_at, member_at, possession_digest,
};
use contract::contracts::registry::{ContractStatus, entries_at};
use contract::{Call, Height, Outcome, PublicKey, Refused, Role};
use ed25519_dalek::SigningKey;

use crate::consortium::{Consortium, public, server_record, sign};
use crate::governance::{Newcomer, WINDOW, WRITTEN, adding, ends, removing, renewal, setting};

const fn no(reason: Refused) -> Outcome {
    Outcome::Refused(reason)
}

const REJOIN: Call = Call::Rejoin { random: [7; 16] };

/// What a proposal by member 0 comes to, on a fresh ledger.
fn proposed(change: impl FnOnce(&Consortium) -> MembershipChange) -> Outcome {
    let mut ledger = Consortium::secure();
    let change = change(&ledger);
    ledger.propose(0, &change).1
}

#[test]
fn f_falls_only_when_the_change_says_so() {
    let silent = |ledger: &Consortium| MembershipChange {
        lower_faults: false,
        ..removing(ledger, &[3])
    };
    let lowered = Refused::LowersFaults {
        before: 1,
        after: 0,
    };

    assert_eq!(proposed(silent), no(lowered));
    assert_eq!(proposed(|ledger| removing(ledger, &[3])), WRITTEN);
    assert_eq!(
        lowered.to_string(),
        "with this change the consortium bears 0 faulty members, now 1: \
         the change must say so (lower_faults)"
    );
}

#[test]
fn a_change_changes_something() {
    let nothing = MembershipChange {
        lower_faults: true,
        ..MembershipChange::default()
    };

    assert_eq!(proposed(|_| nothing), no(Refused::EmptyChange));
}

#[test]
fn members_are_named_once_and_are_in_the_committee() {
    let stranger = |ledger: &Consortium| {
        let mut change = removing(ledger, &[3]);
        change.remove.push(Newcomer::new(9).id());
        change
    };
    let twice = |ledger: &Consortium| removing(ledger, &[3, 3]);
    let both = |ledger: &Consortium| MembershipChange {
        renew: vec![renewal(ledger, 3, &SigningKey::from_bytes(&[50; 32]))],
        ..removing(ledger, &[3])
    };

    for change in [stranger as fn(&Consortium) -> _, twice, both] {
        assert_eq!(proposed(change), no(Refused::UnknownMember));
    }
}

#[test]
fn thirty_one_members_are_the_most() {
    let with = |count: u8| {
        proposed(|ledger| {
            let newcomers: Vec<_> = (40..40 + count).map(Newcomer::new).collect();
            let mut change = adding(ledger, &newcomers.iter().collect::<Vec<_>>());
            // Short texts, so that so many fit into one transaction.
            for candidate in &mut change.add {
                candidate.member.p2p.truncate(24);
            }
            for (candidate, newcomer) in change.add.iter_mut().zip(&newcomers) {
                let digest = possession_digest(ledger.chain(), &candidate.member);
                candidate.possession = sign(&newcomer.signer, &digest);
            }
            change
        })
    };

    assert_eq!(with(25), WRITTEN);
    assert_eq!(with(27), WRITTEN);
    assert_eq!(with(28), no(Refused::CommitteeSize(32)));
}

#[test]
fn one_registration_centre_stays() {
    let without = |ledger: &Consortium| removing(ledger, &[0]);
    let second = |ledger: &Consortium| {
        let mut newcomer = Newcomer::new(9);
        newcomer.member.role = Role::Rc;
        adding(ledger, &[&newcomer])
    };
    let replaced = |ledger: &Consortium| {
        let mut newcomer = Newcomer::new(9);
        newcomer.member.role = Role::Rc;
        MembershipChange {
            replace: vec![Replacement {
                leaver: ledger.id(0),
                candidate: newcomer.candidate(ledger.chain()),
            }],
            ..MembershipChange::default()
        }
    };

    assert_eq!(proposed(without), no(Refused::RegistrationCentres(0)));
    assert_eq!(proposed(second), no(Refused::RegistrationCentres(2)));
    assert_eq!(proposed(replaced), WRITTEN);
}

#[test]
fn a_newcomer_is_somebody_else_and_holds_its_key() {
    let with = |spoil: fn(&mut Newcomer)| {
        proposed(|ledger| {
            let mut newcomer = Newcomer::new(9);
            spoil(&mut newcomer);
            adding(ledger, &[&newcomer])
        })
    };
    let same_name = with(|one| one.member.name = "clinic-a".to_owned());
    let same_network_key = with(|one| {
        one.member.network_key = public(&SigningKey::from_bytes(&[101; 32]));
    });
    let no_name = with(|one| one.member.name.clear());
    let foreign_key = with(|one| one.member.key = public(&SigningKey::from_bytes(&[77; 32])));
    let weak = with(|one| {
        let mut identity = [0; 32];
        identity[0] = 1;
        one.member.network_key = PublicKey::new(identity);
    });

    assert_eq!(same_name, no(Refused::NotDistinct));
    assert_eq!(same_network_key, no(Refused::NotDistinct));
    assert_eq!(no_name, no(Refused::BadRecord));
    assert_eq!(foreign_key, no(Refused::NoProofOfMemberKey));
    assert_eq!(weak, no(Refused::BadKey));
    assert_eq!(with(|_| ()), WRITTEN);
}

#[test]
fn two_newcomers_cannot_share_a_key() {
    let twins = |ledger: &Consortium| {
        let one = Newcomer::new(9);
        let mut other = one.clone();
        other.member.name = "clinic-other".to_owned();
        adding(ledger, &[&one, &other])
    };

    assert_eq!(proposed(twins), no(Refused::NotDistinct));
}

#[test]
fn a_key_once_removed_never_returns() {
    let mut ledger = Consortium::secure();
    let mut returning = Newcomer::new(9);
    returning.signer = ledger.keys[3].clone();
    returning.member.key = public(&returning.signer);
    let change = adding(&ledger, &[&returning]);
    assert_eq!(ledger.propose(0, &change).1, no(Refused::KeyUsed));

    ledger.agree(&removing(&ledger, &[3]));
    ledger.end_the_epoch();

    assert_eq!(ledger.propose(0, &change).1, no(Refused::KeyUsed));
    let fresh = Newcomer {
        signer: SigningKey::from_bytes(&[99; 32]),
        ..returning
    };
    let mut member = fresh.member.clone();
    member.key = public(&fresh.signer);
    let fresh = Newcomer { member, ..fresh };
    assert_eq!(ledger.propose(0, &adding(&ledger, &[&fresh])).1, WRITTEN);
}

#[test]
fn who_has_left_is_nobodys_author_and_stays_known_by_name() {
    let mut ledger = Consortium::secure();
    ledger.agree(&removing(&ledger, &[3]));
    let result = ledger.result(&crate::consortium::Patient::new(1), 3, 1);
    let until_the_end = ledger.asks(3, Call::Results(vec![result]));
    assert!(matches!(until_the_end, Outcome::Done(_)));
    let last = ledger.end_the_epoch().header().height;

    let (id, _) = ledger.propose(0, &setting(&[("depth", 4)]));
    let outcome = ledger.asks(3, Call::ApproveChange(id));

    assert_eq!(outcome, no(Refused::UnknownAuthor));
    let record = member_at(&ledger.snapshot(), &ledger.id(3))
        .unwrap()
        .unwrap();
    assert_eq!(
        (record.member.name.as_str(), record.left),
        ("clinic-c", Some(last))
    );
}

#[test]
fn a_newcomer_takes_the_place_of_the_one_it_replaces() {
    let mut ledger = Consortium::secure();
    let newcomer = Newcomer::new(9);
    let change = MembershipChange {
        replace: vec![Replacement {
            leaver: ledger.id(1),
            candidate: newcomer.candidate(ledger.chain()),
        }],
        ..MembershipChange::default()
    };
    ledger.agree(&change);
    assert_eq!(ledger.ready(&newcomer), ends(4 + WINDOW));
    ledger.end_the_epoch();

    let epoch = epoch_at(&ledger.snapshot()).unwrap();

    let names: Vec<_> = epoch
        .committee
        .iter()
        .map(|one| one.member.name.as_str())
        .collect();
    assert_eq!(names, ["rc", "clinic-9", "clinic-b", "clinic-c"]);
}

#[test]
fn a_renewal_is_signed_by_the_old_key_and_by_the_new_one() {
    let new = SigningKey::from_bytes(&[50; 32]);
    let stranger = SigningKey::from_bytes(&[51; 32]);
    let with = |spoil: &dyn Fn(&Consortium, &mut Renewal)| {
        proposed(|ledger| {
            let mut one = renewal(ledger, 2, &new);
            spoil(ledger, &mut one);
            MembershipChange {
                renew: vec![one],
                ..MembershipChange::default()
            }
        })
    };
    let other = |ledger: &Consortium| renewal(ledger, 2, &stranger);

    assert_eq!(with(&|_, _| ()), WRITTEN);
    let by_new = with(&|ledger, one| one.by_new = other(ledger).by_new);
    assert_eq!(by_new, no(Refused::NoProofOfMemberKey));
    let by_old = with(&|_, one| one.by_old = one.by_new);
    assert_eq!(by_old, no(Refused::NoProofOfMemberKey));
    let of_another = with(&|ledger, one| one.id = ledger.id(1));
    assert_eq!(of_another, no(Refused::BadRecord));
    let renamed = with(&|_, one| one.to.name = "other".to_owned());
    assert_eq!(renamed, no(Refused::BadRecord));
    let used = proposed(|ledger| {
        let taken = ledger.keys[1].clone();
        MembershipChange {
            renew: vec![renewal(ledger, 2, &taken)],
            ..MembershipChange::default()
        }
    });
    assert_eq!(used, no(Refused::KeyUsed));
    let nothing_new = proposed(|ledger| {
        let same = ledger.keys[2].clone();
        MembershipChange {
            renew: vec![renewal(ledger, 2, &same)],
            ..MembershipChange::default()
        }
    });
    assert_eq!(nothing_new, no(Refused::EmptyChange));
}

#[test]
fn a_renewed_member_keeps_its_id_and_place_and_loses_its_old_key() {
    let mut ledger = Consortium::secure();
    let new = SigningKey::from_bytes(&[50; 32]);
    let change = MembershipChange {
        renew: vec![renewal(&ledger, 2, &new)],
        ..MembershipChange::default()
    };
    ledger.agree(&change);
    let ready = ledger.ready_as(ledger.id(2), &new);
    assert_eq!(ledger.one(ready), ends(4 + WINDOW));
    ledger.end_the_epoch();

    let epoch = epoch_at(&ledger.snapshot()).unwrap();
    let third = &epoch.committee[2];
    assert_eq!(
        (third.server_id, third.member.key),
        (ledger.id(2), public(&new))
    );
    assert_eq!((third.since, third.left), (Height::new(0), None));
    let old = ledger.asks(2, REJOIN);
    assert_eq!(old, no(Refused::WrongKey));
    ledger.keys[2] = new;
    assert_eq!(ledger.asks(2, REJOIN), ends(70 + WINDOW));
}

#[test]
fn parameters_change_by_name_within_their_ranges_and_the_window_never() {
    let set = |pairs: &[(&str, u64)]| proposed(|_| setting(pairs));

    assert_eq!(set(&[("depth", 64)]), WRITTEN);
    assert_eq!(set(&[("depth", 65)]), no(Refused::ParameterOutOfRange));
    assert_eq!(set(&[("depth", 65), ("water_mark_window", 128)]), WRITTEN);
    assert_eq!(
        set(&[("water_mark_window", 3)]),
        no(Refused::ParameterOutOfRange)
    );
    assert_eq!(set(&[("detph", 2)]), no(Refused::FixedParameter));
    assert_eq!(
        set(&[("depth", 3), ("depth", 4)]),
        no(Refused::FixedParameter)
    );
    for fixed in ["replay_window_ms", "result_past_ms", "result_future_ms"] {
        assert_eq!(set(&[(fixed, 149_000)]), no(Refused::ParameterOutOfRange));
    }
    assert_eq!(set(&[("protocol_version", 2)]), WRITTEN);
    assert_eq!(
        set(&[("protocol_version", 3)]),
        no(Refused::ParameterOutOfRange)
    );
    assert_eq!(
        set(&[("protocol_version", 0)]),
        no(Refused::ParameterOutOfRange)
    );
}

fn contract_change(id: &str, version: u16, status: ContractStatus) -> MembershipChange {
    MembershipChange {
        contracts: vec![ContractChange {
            id: id.parse().unwrap(),
            version,
            status,
        }],
        ..MembershipChange::default()
    }
}

#[test]
fn contracts_go_forward_and_those_that_carry_votes_stay() {
    use ContractStatus::{Enabled, Retired};
    let asked = |id, version, status| proposed(|_| contract_change(id, version, status));

    assert_eq!(asked("authlog", 2, Enabled), WRITTEN);
    assert_eq!(asked("authlog", 1, Retired), WRITTEN);
    assert_eq!(asked("limbasiya", 1, Enabled), WRITTEN);
    for (id, version, status) in [
        ("authlog", 1, Enabled),
        ("authlog", 0, Retired),
        ("limbasiya", 1, Retired),
        ("membership", 1, Retired),
        ("contracts", 1, Retired),
    ] {
        let outcome = asked(id, version, status);
        assert_eq!(outcome, no(Refused::ContractUnchangeable), "{id} {version}");
    }
}

#[test]
fn a_contract_is_retired_with_the_epoch() {
    let mut ledger = Consortium::secure();
    ledger.agree(&contract_change("servers", 1, ContractStatus::Retired));
    ledger.end_the_epoch();

    let record = server_record(ledger.genesis.content(), 1);
    let outcome = ledger.asks(1, Call::SetServer(record));

    assert_eq!(outcome, no(Refused::ContractInactive));
    let entries = entries_at(&ledger.snapshot()).unwrap();
    let servers = entries
        .iter()
        .find(|entry| entry.id.as_str() == "servers")
        .unwrap();
    assert_eq!(servers.activation, Height::new(68));
}
