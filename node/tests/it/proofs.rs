//! What a running consortium proves: how its committees came to be, and who contradicted himself.

use consensus::Batch;
use contract::{
    BlockTime, Call, Outcome, Output, TransactionHash, contracts::evidence,
    contracts::evidence::EvidenceRecord,
};
use node::clock::Clock;
use patient::{
    light::{self, Expect},
    receipt::Receipt,
};

use crate::{
    byzantine_peer::Liar,
    consortium::{Consortium, PATIENCE},
};

/// A member's Rejoin: it ends the epoch, and is on record in it.
async fn rejoin(consortium: &mut Consortium, member: usize) -> TransactionHash {
    let epoch = consortium.node(0).services().status.borrow().epoch;
    let signed = consortium.call(member, Call::Rejoin { random: [7; 16] });
    let submitter = consortium.node(member).services().submitter.clone();
    let ticket = submitter.submit(signed.as_bytes().into()).await.unwrap();
    let outcome = ticket.wait(PATIENCE).await.unwrap().outcome;
    assert!(matches!(outcome, Outcome::Done(Output::EpochEnds { .. })));
    for index in 0..4 {
        let next = move |status: &node::status::NodeStatus| status.epoch > epoch;
        consortium.until(index, next).await;
    }
    *signed.hash()
}

#[tokio::test(flavor = "multi_thread")]
async fn receipts_of_every_epoch_verify_with_the_genesis_alone() {
    let mut consortium = Consortium::start(4).await;
    let mut hashes = Vec::new();
    for member in [1, 2, 3] {
        hashes.push(rejoin(&mut consortium, member).await);
    }

    let services = consortium.node(0).services();
    let now = services.clock.wall_ms();
    for (epoch, hash) in hashes.iter().enumerate() {
        let receipt = services.ledger.receipt(hash, 0).unwrap().unwrap();
        let read = Receipt::parse(receipt.to_file().as_bytes()).unwrap();
        assert_eq!(read.epochs.len(), epoch);

        let verdict = light::verify(&read, &services.genesis, &Expect::default(), now).1;
        assert!(verdict.is_ok(), "epoch {epoch}: {verdict:?}");
        for without in 0..epoch {
            let mut shorter = read.clone();
            shorter.epochs.remove(without);
            let verdict = light::verify(&shorter, &services.genesis, &Expect::default(), now).1;
            assert!(verdict.is_err(), "epoch {epoch} without {without}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_primary_that_proposes_twice_is_on_the_ledger_with_the_proof() {
    let mut consortium = Consortium::found_quiet(4);
    for index in 1..4 {
        consortium.start_node(index);
    }
    let liar = Liar::start(&consortium, 0);
    liar.connected(&[1, 2, 3]).await;

    let now = BlockTime::new(Clock::start().wall_ms());
    let one = Batch::new(contract::encode_batch(now, []));
    let other = Batch::new(contract::encode_batch(now.plus_ms(1), []));
    let lie = || {
        liar.say(1, &liar.proposal(1, &one));
        liar.say(1, &liar.proposal(1, &other));
    };

    let clock = Clock::start();
    for index in 1..4 {
        let entered = async {
            loop {
                let state = consortium.node(index).services().ledger.state();
                let (_, entries) = evidence::newest_at(&state, 9).unwrap();
                if !entries.is_empty() {
                    break entries;
                }
                assert!(clock.elapsed() < PATIENCE, "no evidence at node {index}");
                tokio::time::sleep(std::time::Duration::from_millis(20)).await;
            }
        };
        let found: Vec<EvidenceRecord> = liar.until(lie, entered).await;
        let services = consortium.node(index).services();
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].member, services.genesis.members()[0].server_id());
        assert_eq!(
            (found[0].epoch.get(), found[0].view, found[0].seq),
            (0, 0, 1)
        );
    }
}
