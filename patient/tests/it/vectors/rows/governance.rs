//! Receipts of what members decide about themselves.

use contract::Blob;
use contract::contracts::membership::{
    Candidate, ContractChange, MembershipChange, ParameterChange, Renewal, Replacement,
};
use contract::contracts::registry::ContractStatus;
use contract::identity::{ChangeId, HeaderHash, Height, SignatureBytes};
use contract::outcome::{Outcome, Output};
use contract::transaction::Call;

use super::{Row, SIGNERS, research, row};
use crate::vectors::ledger::{Ledger, written};

pub(super) fn rows() -> Vec<Row> {
    let ledger = research();
    let id = ChangeId::new([0xC4; 32]);
    let last = Height::new(79);
    let decided = Outcome::Done(Output::EpochEnds { last });
    let calls = [
        (Call::ProposeChange(Box::new(change(&ledger))), written()),
        (Call::ApproveChange(id), decided),
        (Call::CancelChange(id), written()),
        (
            Call::Ready {
                height: Height::new(14),
                header: HeaderHash::new([0xC5; 32]),
            },
            written(),
        ),
        (
            Call::Rejoin { random: [7; 16] },
            Outcome::Done(Output::EpochEnds { last }),
        ),
        (Call::Evidence(Blob::new(vec![0xC6; 222])), written()),
    ];
    let content = calls.map(|(call, outcome)| (ledger.transaction(1, call), outcome));
    let block = ledger.block(content.to_vec());
    let claims = [
        (
            "valid-proposed-change",
            "a change with something in each of its lists",
        ),
        (
            "valid-deciding-approval",
            "the approval that ends the epoch",
        ),
        ("valid-cancelled-change", "a proposer closes its proposal"),
        ("valid-ready", "a newcomer has the ledger"),
        (
            "valid-rejoin",
            "a member that lost its votes ends the epoch",
        ),
        ("valid-evidence", "two votes of one member"),
    ];
    let of =
        |(index, (name, claim))| row(name, claim, &ledger.receipt(&block, index, &SIGNERS), None);
    (0..).zip(claims).map(of).collect()
}

/// A change with something in each of its lists; nobody asks here whether it is lawful.
fn change(ledger: &Ledger) -> MembershipChange {
    let members = ledger.genesis.members();
    let candidate = |at: usize| Candidate {
        member: members[at].clone(),
        possession: SignatureBytes::new([0xC1; 64]),
    };
    MembershipChange {
        add: vec![candidate(1), candidate(2)],
        remove: vec![members[3].server_id()],
        replace: vec![Replacement {
            leaver: members[2].server_id(),
            candidate: candidate(3),
        }],
        renew: vec![Renewal {
            id: members[1].server_id(),
            to: members[1].clone(),
            by_old: SignatureBytes::new([0xC2; 64]),
            by_new: SignatureBytes::new([0xC3; 64]),
        }],
        parameters: vec![ParameterChange {
            name: "depth".to_owned(),
            value: 3,
        }],
        contracts: vec![ContractChange {
            id: contract::contract_id::AUTHLOG,
            version: 2,
            status: ContractStatus::Retired,
        }],
        lower_faults: true,
    }
}
