//! Receipts after a change of the committee.

use contract::genesis::committee_digest;
use contract::identity::{Epoch, Height, PublicKey};
use ed25519_dalek::SigningKey;
use patient::receipt::{EpochProof, MemberSignature, Receipt};

use super::{Row, research, row};
use crate::vectors::forged;
use crate::vectors::ledger::{Ledger, key, public};

/// A receipt at height 100 of epoch `epoch`, signed by these keys in their places.
fn receipt(
    ledger: &Ledger,
    epoch: u32,
    signers: &[(u16, &SigningKey)],
    epochs: Vec<EpochProof>,
) -> Receipt {
    let mut block = ledger.standard();
    block.header.epoch = Epoch::new(epoch);
    block.header.height = Height::new(100);
    let mut receipt = ledger.receipt_signed(&block, 2, signers);
    receipt.epochs = epochs;
    receipt
}

/// The founders with clinic-c replaced by a new member.
fn second(ledger: &Ledger) -> Vec<SigningKey> {
    let mut keys = ledger.keys.clone();
    keys[3] = key(77);
    keys
}

fn three(keys: &[SigningKey]) -> Vec<(u16, &SigningKey)> {
    vec![(0, &keys[0]), (1, &keys[1]), (3, &keys[3])]
}

pub(super) fn rows() -> Vec<Row> {
    let mut rows = chains();
    rows.extend(broken());
    rows.push(small_order_key());
    rows
}

fn chains() -> Vec<Row> {
    let ledger = research();
    let (first, second) = (&ledger.keys, second(&ledger));
    let five: Vec<_> = second.iter().cloned().chain([key(78)]).collect();
    let end_0 = ledger.epoch_end(0, 79, &second, &three(first));
    let end_1 = ledger.epoch_end(1, 90, &five, &three(&second));
    let four_of_five = [(0, &five[0]), (1, &five[1]), (2, &five[2]), (4, &five[4])];
    let both = vec![end_0.clone(), end_1.clone()];
    let swapped = vec![end_1.clone(), end_0.clone()];
    vec![
        row(
            "valid-second-epoch",
            "the founders hand over to a committee with one new member, which signs",
            &receipt(&ledger, 1, &three(&second), vec![end_0.clone()]),
            None,
        ),
        row(
            "valid-third-epoch",
            "two changes, the second to five members",
            &receipt(&ledger, 2, &four_of_five, both.clone()),
            None,
        ),
        row(
            "quorum-of-the-smaller-committee",
            "three signatures, enough for the committee before but not for five",
            &receipt(&ledger, 2, &three(&five), both.clone()),
            Some("signatures"),
        ),
        row(
            "removed-signer",
            "the removed member signs in its old place",
            &receipt(&ledger, 1, &three(first), vec![end_0.clone()]),
            Some("signatures"),
        ),
        row(
            "old-committee-in-old-epoch",
            "the old committee goes on in its epoch after it has ended",
            &receipt(&ledger, 0, &three(first), vec![end_0]),
            Some("member set"),
        ),
        row(
            "missing-epoch",
            "the first of two changes is left out",
            &receipt(&ledger, 2, &four_of_five, vec![end_1]),
            Some("member set"),
        ),
        row(
            "epochs-out-of-order",
            "the changes are listed in the wrong order",
            &receipt(&ledger, 2, &four_of_five, swapped),
            Some("member set"),
        ),
        row(
            "no-epochs",
            "a header of epoch 1 and no proof of the change",
            &receipt(&ledger, 1, &three(&second), Vec::new()),
            Some("member set"),
        ),
        row(
            "one-epoch-too-many",
            "the proofs lead past the header's epoch",
            &receipt(&ledger, 1, &three(&second), both),
            Some("member set"),
        ),
    ]
}

fn broken() -> Vec<Row> {
    let ledger = research();
    let (first, second) = (&ledger.keys, second(&ledger));
    let strangers: Vec<_> = (91..95).map(key).collect();
    let mut other_keys = ledger.epoch_end(0, 79, &second, &three(first));
    other_keys.committee = strangers.iter().map(public).collect();
    let short = ledger.epoch_end(0, 79, &second, &[(0, &first[0]), (1, &first[1])]);
    let forged = ledger.epoch_end(0, 79, &strangers, &three(&strangers));
    let late = ledger.epoch_end(0, 100, &second, &three(first));
    let mut repeated = second.clone();
    repeated[3] = repeated[0].clone();
    let repeated_end = ledger.epoch_end(0, 79, &repeated, &three(first));
    let mut twice = ledger.epoch_end(0, 79, &second, &three(first));
    let copy: MemberSignature = twice.certificate.signatures[1].clone();
    twice.certificate.signatures[2] = copy;
    vec![
        row(
            "committee-from-the-receipt",
            "the next committee's keys are not those the signed header names",
            &receipt(&ledger, 1, &three(&strangers), vec![other_keys]),
            Some("member set"),
        ),
        row(
            "hand-over-without-quorum",
            "two of four hand over",
            &receipt(&ledger, 1, &three(&second), vec![short]),
            Some("member set"),
        ),
        row(
            "hand-over-by-strangers",
            "strangers hand over to themselves",
            &receipt(&ledger, 1, &three(&strangers), vec![forged]),
            Some("member set"),
        ),
        row(
            "hand-over-signed-twice-by-one",
            "a duplicate signer in the hand-over",
            &receipt(&ledger, 1, &three(&second), vec![twice]),
            Some("member set"),
        ),
        row(
            "header-not-after-hand-over",
            "the block is not above the end of the epoch before",
            &receipt(&ledger, 1, &three(&second), vec![late]),
            Some("member set"),
        ),
        row(
            "committee-repeats-a-key",
            "one key has two places in the next committee",
            &receipt(&ledger, 1, &three(&repeated), vec![repeated_end]),
            Some("member set"),
        ),
    ]
}

fn small_order_key() -> Row {
    let ledger = research();
    let mut committee: Vec<PublicKey> = ledger.keys.iter().map(public).collect();
    committee[3] = PublicKey::new(forged::SMALL_ORDER_KEY);
    let end = ledger.epoch_end_keys(0, 79, committee.clone(), &three(&ledger.keys));
    assert_eq!(
        committee_digest(&committee),
        committee_digest(&end.committee)
    );
    let keys = &ledger.keys;
    let mut made = receipt(&ledger, 1, &three(keys), vec![end]);
    made.certificate.signatures[2].signature = forged::of_small_order_key();
    row(
        "small-order-key",
        "a member's key has order 1, so that anybody signs for it",
        &made,
        Some("member set"),
    )
}
