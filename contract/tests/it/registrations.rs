//! AIDs of several patients in one transaction.

use contract::contracts::identity::identity_at;
use contract::encoding::Malformed;
use contract::{Blob, Call, Invalid, Outcome, Output, Refused, Registration, Status};

use crate::consortium::{Consortium, Patient};

/// Bytes of a sealed ID as the RC makes it: salt 32, padded ID 64, tag 16.
const SEALED: usize = 112;

fn registrations(ledger: &Consortium, seeds: std::ops::Range<u8>) -> Vec<Registration> {
    seeds
        .map(|seed| {
            let mut patient = Patient::new(seed);
            patient.record.c_id = Blob::new(vec![seed; SEALED]);
            patient.registration(ledger.chain())
        })
        .collect()
}

#[test]
fn sixteen_aids_with_sealed_ids_fit_into_one_transaction_and_seventeen_are_too_many() {
    let mut ledger = Consortium::secure();
    let limits = ledger.genesis.parameters().clone();
    let chain = *ledger.chain();
    let sixteen = registrations(&ledger, 2..18);
    let seventeen = registrations(&ledger, 2..19);

    let full = ledger.by_member(0, Call::RegisterBatch(sixteen));
    let over = ledger.by_member(0, Call::RegisterBatch(seventeen));
    let none = ledger.by_member(0, Call::RegisterBatch(Vec::new()));

    assert_eq!(full.check(&chain, &limits), Ok(()));
    let too_many = Invalid::TooManyEntries {
        found: 17,
        limit: 16,
    };
    assert_eq!(over.check(&chain, &limits), Err(too_many));
    assert_eq!(none.check(&chain, &limits), Err(Invalid::EmptyBundle));
    let recorded = Outcome::Done(Output::Recorded {
        refused: Vec::new(),
    });
    assert_eq!(ledger.one(full), recorded);
    for seed in 2..18 {
        let found = identity_at(&ledger.snapshot(), &Patient::new(seed).record.aid).unwrap();
        assert_eq!(found.unwrap().status(), Status::Active, "{seed}");
    }
}

#[test]
fn a_batch_of_registrations_keeps_to_the_bytes_of_a_transaction() {
    let mut ledger = Consortium::secure();
    let mut all = registrations(&ledger, 2..18);
    for one in &mut all {
        one.record.c_id = Blob::new(vec![0; 256]);
    }

    let long = ledger.by_member(0, Call::RegisterBatch(all));

    let verdict = long.check(ledger.chain(), ledger.genesis.parameters());
    assert!(matches!(
        verdict,
        Err(Invalid::Malformed(Malformed::TooLong { limit: 8_192, .. }))
    ));
}

#[test]
fn each_registration_of_a_batch_is_judged_by_itself() {
    let mut ledger = Consortium::secure();
    let mut all = registrations(&ledger, 2..6);
    all[1].proof_dh = all[0].proof_dh;
    all.push(all[0].clone());
    all.push(registrations(&ledger, 1..2).remove(0));

    let outcome = ledger.calls(0, Call::RegisterBatch(all));

    let refused = vec![
        (1, Refused::NoProofOfDhKey),
        (4, Refused::AlreadyRegistered),
        (5, Refused::AlreadyRegistered),
    ];
    assert_eq!(outcome, Outcome::Done(Output::Recorded { refused }));
    let missing = identity_at(&ledger.snapshot(), &Patient::new(3).record.aid).unwrap();
    assert_eq!(missing, None);
}

#[test]
fn only_the_rc_registers_batches() {
    let mut ledger = Consortium::secure();
    let all = registrations(&ledger, 2..4);

    let outcome = ledger.calls(2, Call::RegisterBatch(all));

    assert_eq!(outcome, Outcome::Refused(Refused::NotPermitted));
}

#[test]
fn a_batch_costs_its_author_a_share_for_each_entry() {
    let mut content = crate::consortium::content(contract::Kind::Secure);
    content.parameters.max_per_author = 4;
    let mut ledger = Consortium::founded(&content);
    let three = registrations(&ledger, 2..5);
    let two = registrations(&ledger, 5..7);

    let first = ledger.calls(0, Call::RegisterBatch(three));
    let second = ledger.calls(0, Call::RegisterBatch(two));

    assert!(matches!(first, Outcome::Done(_)));
    assert_eq!(second, Outcome::Refused(Refused::OverQuota));
}
