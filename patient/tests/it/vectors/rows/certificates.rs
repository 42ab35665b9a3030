//! Receipts whose signatures do not make a quorum's word.

use consensus::{ChainId, Epoch, Kind as Vote, Seq, Statement, View};
use contract::genesis::Kind;
use patient::receipt::{MemberSignature, Receipt};

use super::{Row, SIGNERS, changed, research, row, sign_in};
use crate::vectors::forged;
use crate::vectors::ledger::{Ledger, certify_statement, key, statement};

pub(super) fn rows() -> Vec<Row> {
    let mut rows = members();
    rows.extend(quorums());
    rows.extend(statements());
    rows.extend(forgeries());
    rows
}

const fn signatures(receipt: &mut Receipt) -> &mut Vec<MemberSignature> {
    &mut receipt.certificate.signatures
}

fn members() -> Vec<Row> {
    vec![
        changed(
            "duplicate-signer",
            "one member's signature is counted twice",
            "signatures",
            |receipt| {
                let copy = signatures(receipt)[1].clone();
                signatures(receipt)[2] = copy;
            },
        ),
        changed(
            "duplicate-signer-beside-quorum",
            "a quorum, and one of it twice",
            "signatures",
            |receipt| {
                let copy = signatures(receipt)[1].clone();
                signatures(receipt).insert(2, copy);
            },
        ),
        changed(
            "duplicate-signature-other-name",
            "one member's signature is shown under another's place",
            "signatures",
            |receipt| {
                signatures(receipt)[2].signature = signatures(receipt)[1].signature;
            },
        ),
        changed(
            "signers-out-of-order",
            "the members are not in ascending order",
            "signatures",
            |receipt| signatures(receipt).swap(0, 1),
        ),
        changed(
            "unknown-signer",
            "a signer has no place in the committee",
            "signatures",
            |receipt| signatures(receipt)[2].member = 4,
        ),
        changed(
            "one-bad-signature-beside-quorum",
            "a fourth signature that does not check spoils the certificate",
            "signatures",
            |receipt| {
                let wrong = MemberSignature {
                    member: 2,
                    signature: signatures(receipt)[0].signature,
                };
                signatures(receipt).insert(2, wrong);
            },
        ),
        changed(
            "no-signatures",
            "the certificate is empty",
            "signatures",
            |receipt| signatures(receipt).clear(),
        ),
    ]
}

fn quorums() -> Vec<Row> {
    let short = |size, genesis, name, signers: &[u16]| {
        let ledger = Ledger::new(Kind::Research, size);
        let receipt = ledger.receipt(&ledger.standard(), 2, signers);
        row(
            name,
            "one signature short of a quorum",
            &receipt,
            Some("signatures"),
        )
        .under(genesis)
    };
    vec![
        short(4, "genesis-4", "quorum-minus-one-of-4", &[0, 1]),
        short(5, "genesis-5", "quorum-minus-one-of-5", &[0, 1, 4]),
        short(6, "genesis-6", "quorum-minus-one-of-6", &[1, 2, 5]),
    ]
}

/// Signatures of the right members over a statement that differs in one field.
fn stated(name: &'static str, claim: &'static str, change: fn(&mut Statement)) -> Row {
    let ledger = research();
    let block = ledger.standard();
    let mut receipt = ledger.receipt(&block, 2, &SIGNERS);
    let mut other = statement(&block.header);
    change(&mut other);
    let signers: Vec<_> = SIGNERS
        .iter()
        .map(|place| (*place, &ledger.keys[usize::from(*place)]))
        .collect();
    receipt.certificate = certify_statement(&block.header, &other, &signers);
    row(name, claim, &receipt, Some("signatures"))
}

fn statements() -> Vec<Row> {
    vec![
        stated(
            "signed-other-height",
            "the signatures are for the next height",
            |it| it.seq = Seq::new(16),
        ),
        stated(
            "signed-other-view",
            "the signatures are for view 1; a checkpoint has view 0",
            |it| it.view = View::new(1),
        ),
        stated(
            "signed-other-epoch",
            "the signatures are for another epoch",
            |it| it.epoch = Epoch::new(1),
        ),
        stated(
            "signed-other-chain",
            "the signatures are for another ledger",
            |it| it.chain = ChainId::new([9; 32]),
        ),
        stated(
            "signed-other-type",
            "the signatures are COMMITs, not CHECKPOINTs",
            |it| it.kind = Vote::Commit,
        ),
        changed(
            "certificate-other-height",
            "the certificate names another height than the header",
            "signatures",
            |receipt| receipt.certificate.height = 16,
        ),
        changed(
            "certificate-other-epoch",
            "the certificate names another epoch than the header",
            "signatures",
            |receipt| receipt.certificate.epoch = 1,
        ),
    ]
}

fn forgeries() -> Vec<Row> {
    let (_receipt, genesis) = sign_in();
    let ledger = research();
    assert_eq!(ledger.file, genesis);
    let bytes = statement(&ledger.standard().header).bytes();
    vec![
        changed(
            "strangers",
            "three keys that no member holds",
            "signatures",
            |receipt| {
                let ledger = research();
                let (one, two, three) = (key(51), key(52), key(53));
                *receipt = ledger.receipt_signed(
                    &ledger.standard(),
                    2,
                    &[(0, &one), (1, &two), (3, &three)],
                );
            },
        ),
        changed(
            "large-s",
            "a signature with S + L in place of S",
            "signatures",
            |receipt| {
                let one = &mut signatures(receipt)[1].signature;
                *one = forged::with_large_s(*one);
            },
        ),
        changed(
            "small-order-r",
            "a signature whose R is the neutral element",
            "signatures",
            |receipt| {
                signatures(receipt)[1].signature = forged::with_small_r(&ledger.keys[1], &bytes);
            },
        ),
    ]
}
