//! What the ledger reads: transactions, batches, headers, outcomes, proofs, parts of a state, the genesis file.

use std::rc::Rc;

use contract::batch::CheckedBatch;
use contract::encoding::{decode, encode};
use contract::state::{StateLeaf, StatePart, StatePath, StateProof};
use contract::{
    Aid, Blob, ContractId, Genesis, Header, History, Outcome, Output, Refused, ServerId,
    SignatureBytes, SignedTransaction, Snapshot, SuiteId, Transaction, check_batch, encode_batch,
    execute,
};
use serde_json::Value;

use super::stock::{Stock, time};
use super::{Target, Verdict, canonical, holds};

/// Those of this crate.
pub(super) fn targets() -> Vec<Target> {
    let stock = Rc::new(Stock::new());
    let mut all = vec![
        transaction(Rc::clone(&stock)),
        certified_batch(Rc::clone(&stock)),
        proposed_batch(Rc::clone(&stock)),
        executed(Rc::clone(&stock)),
        header(&stock),
        outcome(),
        history(),
        state_proof(&stock),
        state_part(&stock),
        genesis(&stock),
    ];
    all.extend(names());
    all
}

/// The bytes of each.
fn bytes_of(transactions: &[SignedTransaction]) -> Vec<Vec<u8>> {
    transactions
        .iter()
        .map(|one| one.as_bytes().to_vec())
        .collect()
}

/// Nobody else's transaction passes the check of signatures.
fn transaction(stock: Rc<Stock>) -> Target {
    let samples = bytes_of(&stock.transactions());
    let signed = samples.clone();
    Target::bytes("contract/transaction", samples, move |bytes| {
        let Ok(read) = SignedTransaction::decode(bytes) else {
            return Verdict::Refused;
        };
        let again = [
            encode(read.transaction()),
            read.signature().to_bytes().to_vec(),
        ]
        .concat();
        let passes = read
            .check(stock.genesis.chain(), stock.genesis.parameters())
            .is_ok();
        if passes && !signed.iter().any(|sample| sample == bytes) {
            return Verdict::Broken("nobody signed this".to_owned());
        }
        canonical(bytes, Some(again))
    })
}

/// Batches of a few transactions, of one, and of none.
fn batches(stock: &Stock) -> Vec<Vec<u8>> {
    let transactions = stock.transactions();
    let batch = |part: &[SignedTransaction]| {
        encode_batch(time(5), part.iter().map(SignedTransaction::as_bytes))
    };
    let mut batches: Vec<Vec<u8>> = transactions.chunks(4).map(batch).collect();
    batches.extend([
        batch(&transactions),
        batch(&transactions[..1]),
        batch(&[]),
        Vec::new(),
    ]);
    batches
}

/// The bytes that a batch that was read has.
fn batch_bytes(batch: &CheckedBatch) -> Vec<u8> {
    let transactions = batch.transactions().iter().map(SignedTransaction::as_bytes);
    batch
        .time()
        .map_or_else(Vec::new, |time| encode_batch(time, transactions))
}

/// A batch that a certificate names.
fn certified_batch(stock: Rc<Stock>) -> Target {
    Target::bytes("contract/batch certified", batches(&stock), move |bytes| {
        let batch = CheckedBatch::certified(bytes, &stock.genesis).ok();
        canonical(bytes, batch.as_ref().map(batch_bytes))
    })
}

/// A batch that is voted on holds only what its authors signed.
fn proposed_batch(stock: Rc<Stock>) -> Target {
    let signed = bytes_of(&stock.transactions());
    Target::bytes("contract/batch proposed", batches(&stock), move |bytes| {
        let (chain, limits) = (stock.genesis.chain(), stock.genesis.parameters());
        let Ok(batch) = check_batch(bytes, chain, limits, time(6), |_| false) else {
            return Verdict::Refused;
        };
        let by_authors = |one: &SignedTransaction| signed.iter().any(|it| it == one.as_bytes());
        if !batch.transactions().iter().all(by_authors) {
            return Verdict::Broken("nobody signed one of these".to_owned());
        }
        canonical(bytes, Some(batch_bytes(&batch)))
    })
}

/// What a member signs is executed, whatever it is, and everywhere alike.
fn executed(stock: Rc<Stock>) -> Target {
    let bodies = stock.transactions();
    let bodies = bodies.iter().map(|one| encode(one.transaction())).collect();
    let (tip, state) = stock.founded();
    Target::bytes("contract/execution", bodies, move |bytes| {
        let Ok(body) = decode::<Transaction>(bytes, bytes.len()) else {
            return Verdict::Refused;
        };
        let signed: Vec<_> = stock
            .keys
            .iter()
            .map(|key| body.clone().sign(key))
            .collect();
        let batch = encode_batch(time(5), signed.iter().map(SignedTransaction::as_bytes));
        let Ok(batch) = CheckedBatch::certified(&batch, &stock.genesis) else {
            return Verdict::Refused;
        };
        let blocks = [(); 2].map(|()| execute(&state, &tip, &batch).ok());
        match blocks {
            [Some(one), Some(two)] => holds(
                one.header_bytes() == two.header_bytes()
                    && one.outcomes() == two.outcomes()
                    && one.outcomes().len() == signed.len(),
                "two nodes execute it differently",
            ),
            _ => Verdict::Broken("it stops the node".to_owned()),
        }
    })
}

/// Headers.
fn header(stock: &Stock) -> Target {
    let (tip, _) = stock.founded();
    Target::bytes("contract/header", vec![tip.header().encode()], |bytes| {
        canonical(bytes, Header::decode(bytes).ok().map(|it| it.encode()))
    })
}

/// Outcomes of every form.
fn outcome() -> Target {
    let refused = vec![
        (0, Refused::Replayed),
        (3, Refused::SuiteNotAllowed(SuiteId::WU_2021)),
    ];
    let samples = [
        Outcome::Done(Output::Written),
        Outcome::Done(Output::Recorded { refused }),
        Outcome::Done(Output::EpochEnds {
            last: contract::Height::new(9),
        }),
        Outcome::Refused(Refused::LowersFaults {
            before: 2,
            after: 1,
        }),
        Outcome::Refused(Refused::RejoinTooSoon { again_at: time(1) }),
    ];
    let samples = samples.iter().map(Outcome::encode).collect();
    Target::bytes("contract/outcome", samples, |bytes| {
        canonical(bytes, Outcome::decode(bytes).ok().map(|it| it.encode()))
    })
}

/// Histories of several lengths.
fn history() -> Target {
    let mut samples = Vec::new();
    let mut history = History::new();
    for at in 0..70 {
        samples.push(history.encode());
        history.append(&contract::HeaderHash::new([at; 32]));
    }
    Target::bytes("contract/history", samples, |bytes| {
        let read = History::decode(bytes).ok();
        // A count that is not there must not reach the code that goes on with it.
        let read = read.inspect(|history| {
            let mut longer = history.clone();
            longer.append(&contract::HeaderHash::new([7; 32]));
            let _root = longer.root();
        });
        canonical(bytes, read.map(|it| it.encode()))
    })
}

/// A proof shows the value that is there, or nothing.
fn state_proof(stock: &Stock) -> Target {
    let (tip, state) = stock.founded();
    let snapshot = Snapshot::new(state, tip.header().height);
    let there = contract::contracts::registry::ID;
    let keys = [
        b"identity".as_slice(),
        b"evidence",
        b"nothing",
        b"authlog",
        b"",
    ];
    let proofs = keys.map(|key| snapshot.prove(&there, key).unwrap_or_default());
    let truth: Vec<_> = keys
        .iter()
        .map(|key| snapshot.get(&there, key).ok().flatten())
        .collect();
    let samples = proofs.iter().map(StateProof::encode).collect();
    let root = tip.header().state_root;
    Target::bytes("contract/state proof", samples, move |bytes| {
        let Ok(proof) = StateProof::decode(bytes) else {
            return Verdict::Refused;
        };
        for (key, truth) in keys.iter().zip(&truth) {
            if let Ok(shown) = proof.verify(&root, &there, key)
                && shown != truth.as_deref()
            {
                return Verdict::Broken("it proves what is not so".to_owned());
            }
        }
        canonical(bytes, Some(proof.encode()))
    })
}

/// What a receiver asks for next: whether a child at the lowest level is a leaf no hash says, and nobody asks.
fn named(part: &StatePart) -> Option<Vec<(u8, [u8; 32])>> {
    match part {
        StatePart::Leaves(_) => None,
        StatePart::Split(limbs) => Some(limbs.iter().map(|it| (it.nibble, it.hash())).collect()),
    }
}

/// A part of the state is what its hash names, or is not taken.
fn state_part(stock: &Stock) -> Target {
    let (tip, state) = stock.founded();
    let root = *tip.header().state_root.as_bytes();
    let snapshot = Snapshot::new(state, tip.header().height);
    let limbs = snapshot.limbs(&StatePath::ROOT).ok().flatten();
    let split = StatePart::Split(limbs.unwrap_or_default());
    let leaf = |key: u8| StateLeaf {
        key: [key; 32],
        value: Blob::new(vec![key; 40]),
    };
    let leaves = StatePart::Leaves((0..9).map(leaf).collect());
    let samples = vec![split.encode(), leaves.encode()];
    Target::bytes("contract/state part", samples, move |bytes| {
        let Ok(part) = StatePart::decode(bytes) else {
            return Verdict::Refused;
        };
        if part.check(&StatePath::ROOT, &root).is_ok() && named(&part) != named(&split) {
            return Verdict::Broken("another part with this hash".to_owned());
        }
        canonical(bytes, Some(part.encode()))
    })
}

/// A genesis file says what is read from it and nothing else.
fn genesis(stock: &Stock) -> Target {
    let mut content = stock.genesis.content().clone();
    let plain = content.to_json();
    for one in stock.transactions() {
        match one.call() {
            contract::Call::Register(registration) => {
                content.patients.push(registration.record.clone());
            }
            contract::Call::SetServer(record) => content.servers.push(record.clone()),
            _ => {}
        }
    }
    let secure = include_bytes!("../../../patient/tests/vectors/receipts/genesis-secure.json");
    let samples = vec![plain, content.to_json(), secure.to_vec()];
    Target::json("contract/genesis file", samples, |bytes| {
        let Ok(genesis) = Genesis::parse(bytes) else {
            return Verdict::Refused;
        };
        let again = genesis.content().to_json();
        let same =
            serde_json::from_slice::<Value>(bytes).ok() == serde_json::from_slice(&again).ok();
        holds(same, "it reads something else than is written")
    })
}

/// Texts that name something.
fn names() -> Vec<Target> {
    let hex = "5a".repeat(32);
    let aid = Aid::new([7; 32]).to_string();
    vec![
        Target::text("contract/AID", &[&aid], |text| {
            let read = text.parse::<Aid>().ok();
            canonical(text.as_bytes(), read.map(|it| it.to_string().into_bytes()))
        }),
        Target::text("contract/suite", &["0x7f01", "0x0001"], |text| {
            let read = text.parse::<SuiteId>().ok();
            canonical(text.as_bytes(), read.map(|it| it.to_string().into_bytes()))
        }),
        Target::text("contract/contract name", &["authlog", "a-b"], |text| {
            let read = text.parse::<ContractId>().ok();
            canonical(text.as_bytes(), read.map(|it| it.to_string().into_bytes()))
        }),
        Target::text("contract/identifier", &[&hex], |text| {
            let read = text.parse::<ServerId>().ok();
            canonical(text.as_bytes(), read.map(|it| it.to_string().into_bytes()))
        }),
        Target::text("contract/signature", &[&hex.repeat(2)], |text| {
            let read = text.parse::<SignatureBytes>().ok();
            canonical(text.as_bytes(), read.map(|it| it.to_string().into_bytes()))
        }),
    ]
}
