//! What the ledger keeps of contradictions, whoever judges them.

use contract::contracts::evidence::newest_at;
use contract::{Blob, Call, Kind, Outcome, Refused};

use crate::consortium::{Consortium, confession, content};
use crate::governance::{WRITTEN, removing};

fn reports(ledger: &mut Consortium, member: usize, evidence: Blob) -> Outcome {
    ledger.asks(member, Call::Evidence(evidence))
}

const NO_EVIDENCE: Outcome = Outcome::Refused(Refused::NoEvidence);
const KNOWN: Outcome = Outcome::Refused(Refused::EvidenceKnown);

#[test]
fn a_contradiction_is_kept_once_for_member_epoch_view_and_sequence_number() {
    let mut ledger = Consortium::secure();

    let first = reports(&mut ledger, 0, confession(0, 2, 5, 9));
    let again = reports(&mut ledger, 1, confession(0, 2, 5, 9));
    let others = [(0, 3, 5, 9), (0, 2, 6, 9), (0, 2, 5, 10)]
        .map(|(epoch, place, view, seq)| confession(epoch, place, view, seq))
        .map(|evidence| reports(&mut ledger, 1, evidence));

    assert_eq!((first, again), (WRITTEN, KNOWN));
    assert_eq!(others, [WRITTEN, WRITTEN, WRITTEN]);
    let (count, newest) = newest_at(&ledger.snapshot(), 2).unwrap();
    let seen: Vec<_> = newest
        .iter()
        .map(|one| (one.member, one.view, one.seq))
        .collect();
    assert_eq!(count, 4);
    assert_eq!(seen, [(ledger.id(2), 5, 10), (ledger.id(2), 6, 9)]);
}

#[test]
fn the_culprit_is_looked_up_in_the_epoch_that_the_evidence_names() {
    let mut ledger = Consortium::secure();
    ledger.agree(&removing(&ledger, &[1]));
    ledger.end_the_epoch();

    let old = reports(&mut ledger, 0, confession(0, 1, 0, 3));
    let new = reports(&mut ledger, 0, confession(1, 1, 0, 80));
    let beyond = reports(&mut ledger, 0, confession(1, 3, 0, 80));
    let later = reports(&mut ledger, 0, confession(2, 1, 0, 80));

    assert_eq!([old, new], [WRITTEN, WRITTEN]);
    assert_eq!([beyond, later], [NO_EVIDENCE, NO_EVIDENCE]);
    let (_, newest) = newest_at(&ledger.snapshot(), 9).unwrap();
    let culprits: Vec<_> = newest.iter().map(|one| one.member).collect();
    assert_eq!(culprits, [ledger.id(2), ledger.id(1)]);
}

#[test]
fn bytes_that_the_judge_does_not_know_are_refused() {
    let mut ledger = Consortium::secure();

    for bytes in [Vec::new(), vec![0; 21], vec![0; 512], vec![0; 513]] {
        let outcome = reports(&mut ledger, 0, Blob::new(bytes));
        assert_eq!(outcome, NO_EVIDENCE);
    }
}

#[test]
fn sixty_four_entries_about_a_member_in_an_epoch_are_enough() {
    let mut ledger = Consortium::secure();
    for seq in 0..64 {
        assert_eq!(reports(&mut ledger, 0, confession(0, 2, 0, seq)), WRITTEN);
    }

    assert_eq!(reports(&mut ledger, 0, confession(0, 2, 0, 64)), KNOWN);
    assert_eq!(reports(&mut ledger, 0, confession(0, 3, 0, 64)), WRITTEN);
}

#[test]
fn a_ledger_without_the_contract_refuses_evidence_until_the_members_take_it_up() {
    use contract::contracts::membership::{ContractChange, MembershipChange};
    use contract::contracts::registry::ContractStatus;
    let mut content = content(Kind::Secure);
    content
        .contracts
        .retain(|one| one.id.as_str() != "evidence");
    let mut ledger = Consortium::founded(&content);
    let inactive = Outcome::Refused(Refused::ContractInactive);
    assert_eq!(reports(&mut ledger, 0, confession(0, 2, 5, 9)), inactive);

    ledger.agree(&MembershipChange {
        contracts: vec![ContractChange {
            id: "evidence".parse().unwrap(),
            version: 1,
            status: ContractStatus::Enabled,
        }],
        ..MembershipChange::default()
    });
    ledger.end_the_epoch();

    assert_eq!(reports(&mut ledger, 0, confession(0, 2, 5, 9)), WRITTEN);
}
