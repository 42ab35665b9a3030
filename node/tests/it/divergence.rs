//! A node whose result is not the certified one: it says so, writes it down, and ends. The others report who signed what.

use std::{
    fs,
    sync::{Arc, Mutex},
    time::Duration,
};

use consensus::{
    Batch, Checkpoint, CheckpointCertificate, Commit, Digest, Domain, Epoch, Frame as Talk,
    Prepare, ReplicaId, Seq, View,
};
use contract::{BlockTime, Header, HeaderHash, Height, Root};
use node::{clock::Clock, driver::Ended, executor::divergence_file, host::HostError};
use tokio::time::timeout;

use crate::{
    byzantine_peer::{Deaf, Liar},
    consortium::{Consortium, PATIENCE},
};

/// The block in question.
const SEQ: Seq = Seq::new(1);

/// Three members who agree on whatever the test says.
struct Conspiracy {
    liars: Vec<Liar>,
    answers: Deaf,
}

impl Conspiracy {
    /// Members 0 to 2 of a consortium in which only member 3 runs.
    async fn start(consortium: &Consortium) -> Self {
        let answers = Deaf(Arc::new(Mutex::new(Vec::new())));
        let liar = |me| Liar::answering(consortium, me, answers.clone());
        let liars: Vec<Liar> = (0..3).map(liar).collect();
        for liar in &liars {
            liar.connected(&[3]).await;
        }
        Self { liars, answers }
    }

    /// Orders a batch in view 0 at member 3.
    async fn order(&self, consortium: &Consortium, batch: &Batch) {
        let executed = consortium.until(3, |status| status.executed == 1);
        self.liars[0].until(|| self.say(batch), executed).await;
    }

    /// Says once what orders a batch.
    fn say(&self, batch: &Batch) {
        let (view, seq, digest) = (View::ZERO, SEQ, batch.digest());
        self.liars[0].say(3, &self.liars[0].proposal(seq.get(), batch));
        for liar in &self.liars[1..] {
            let vote = liar.sign(Prepare { view, seq, digest });
            liar.say(3, &Talk::Prepare(vote));
        }
        for liar in &self.liars {
            let vote = liar.sign(Commit { view, seq, digest });
            liar.say(3, &Talk::Commit(vote));
        }
    }

    /// Certifies a header, and gives its block to who asks.
    fn certify(&self, header: &Header, batch: &Batch) {
        let bytes = header.encode();
        let hash = Digest::of(Domain::Header, &bytes);
        let body = Checkpoint {
            seq: SEQ,
            header: hash,
        };
        let votes: Vec<_> = self.liars.iter().map(|liar| liar.sign(body)).collect();
        let certificate = CheckpointCertificate {
            epoch: Epoch::ZERO,
            seq: SEQ,
            header: hash,
            checkpoints: (0..)
                .map(ReplicaId::new)
                .zip(votes.iter().map(|vote| vote.signature))
                .collect(),
        };
        let mut answer = Vec::new();
        for part in [bytes, batch.bytes().to_vec(), certificate.encode()] {
            answer.extend(u32::try_from(part.len()).unwrap().to_le_bytes());
            answer.extend(part);
        }
        *self.answers.0.lock().unwrap() = answer;
        for (liar, vote) in self.liars.iter().zip(votes) {
            liar.say(3, &Talk::Checkpoint(vote));
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_whose_state_root_is_not_the_certified_one_names_it_and_ends() {
    let mut consortium = Consortium::found(4);
    consortium.start_node(3);
    let conspiracy = Conspiracy::start(&consortium).await;
    let now = BlockTime::new(Clock::start().wall_ms());
    let batch = Batch::new(contract::encode_batch(now, []));
    conspiracy.order(&consortium, &batch).await;
    let ledger = consortium.node(3).services().ledger.clone();
    let own = ledger.block(Height::new(1)).unwrap().unwrap().header;

    let forged = Header {
        state_root: Root::new([5; 32]),
        ..own
    };
    conspiracy.certify(&forged, &batch);

    let told = consortium
        .until(3, |status| status.diverged.is_some())
        .await;
    assert!(told.diverged.unwrap().contains("not trusted"));
    let mut node = consortium.nodes[3].take().unwrap();
    let ended = timeout(PATIENCE, node.ended()).await.unwrap();
    let Ended::Failed(HostError::Diverged(mismatch)) = ended else {
        panic!("{ended:?}");
    };
    assert_eq!(mismatch.seq, SEQ);
    assert_eq!(mismatch.roots, ["state_root"]);
    assert!(
        mismatch
            .to_string()
            .starts_with("StateRootMismatch at block 1: state_root")
    );
    let file = divergence_file(&consortium.home(3), SEQ);
    let report = fs::read_to_string(&file).unwrap();
    assert!(
        report.contains("they differ in         state_root\n"),
        "{report}"
    );
    assert_eq!(
        ledger.certified().height,
        Height::new(0),
        "nothing false became final"
    );
    let reports = node.services().checkpoints.reports();
    assert_eq!(reports.len(), 1, "{reports:?}");
    let signers: Vec<_> = reports[0].results.iter().map(|one| &one.members).collect();
    assert_eq!(
        signers,
        [&["rc", "clinic-1", "clinic-2"][..], &["clinic-3"]]
    );
    assert_eq!(reports[0].certified, Some(reports[0].results[0].header));
    node.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_member_that_signs_another_result_is_reported_with_its_header_also_after_a_restart() {
    let mut consortium = Consortium::found(4);
    for index in 0..3 {
        consortium.start_node(index);
    }
    let liar = Liar::start(&consortium, 3);
    liar.connected(&[0, 1, 2]).await;
    let height = consortium.submit(0).await;
    let ledger = consortium.node(0).services().ledger.clone();
    let block = ledger.block(Height::new(height)).unwrap().unwrap();

    let body = Checkpoint {
        seq: Seq::new(height),
        header: Digest::new([9; 32]),
    };
    let lie = || liar.say(0, &Talk::Checkpoint(liar.sign(body)));

    let services = consortium.node(0).services().clone();
    let noticed = async {
        while services.checkpoints.reports().is_empty() {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    let noticed = timeout(PATIENCE, noticed);
    liar.until(lie, noticed).await.unwrap();
    let reports = services.checkpoints.reports();
    let report = &reports[0];
    assert_eq!((report.height, report.epoch), (height, 0));
    assert_eq!(report.certified, Some(block.hash));
    let odd = report.results.last().unwrap();
    assert_eq!(odd.members, ["clinic-3"]);
    assert_eq!(odd.header, HeaderHash::new([9; 32]));
    assert_eq!(report.results[0].members.len(), 3, "{report:?}");
    let file = consortium.home(0).join("divergences.json");
    let kept = async {
        while !file.exists() {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    timeout(PATIENCE, kept).await.unwrap();

    drop((services, ledger));
    consortium.stop_node(0).await;
    consortium.revive_node(0).await;
    let again = consortium.node(0).services().checkpoints.reports();
    assert_eq!(again[0].height, height);
    assert_eq!(again[0].results.last(), reports[0].results.last());
}
