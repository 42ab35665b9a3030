//! What a node reads of its peers, its readers and its own home.

use std::fs;
use std::rc::Rc;

use consensus::{
    ChainId, CheckpointCertificate, Digest, Domain, Epoch, Kind, ReplicaId, Seq, Signature,
    Statement, View,
};
use contract::state::StatePath;
use contract::{Genesis, Header, Height};
use ed25519_dalek::Signer as _;
use node::snapshot::archive::Archive;
use node::snapshot::proof::Proved;
use node::snapshot::staging::{self, Staging};
use node::snapshot::wire::{EpochProof, Manifest, Offer, Request, SnapshotBlock};
use node::sync::{RawBlock, answer};

use super::patient::{folder, put};
use super::stock::Stock;
use super::{Target, Verdict, canonical, holds};

mod home;
mod text;
mod votes;

/// Those of this crate.
pub(super) fn targets() -> Vec<Target> {
    let stock = Rc::new(Stock::new());
    let header = stock.founded().0.header().clone();
    let certificate = certificate(&stock, &header);
    let mut all = vec![
        request(),
        sync_request(),
        offer(),
        manifest(&stock, &header, &certificate),
        snapshot_block(&stock, &header),
        staged(
            manifests(&stock, &header, &certificate)
                .iter()
                .map(Manifest::encode)
                .collect(),
        ),
        archive(&stock, &header, &certificate),
        votes::file(),
        votes::group(),
    ];
    all.extend(text::targets());
    all.extend(home::targets());
    all
}

/// A quorum's word for a header.
fn certificate(stock: &Stock, header: &Header) -> CheckpointCertificate {
    let (seq, digest) = (
        Seq::new(header.height.get()),
        Digest::of(Domain::Header, &header.encode()),
    );
    let statement = Statement {
        chain: ChainId::new(*stock.genesis.chain().as_bytes()),
        epoch: Epoch::ZERO,
        kind: Kind::Checkpoint,
        view: View::ZERO,
        seq,
        digest,
    };
    let signed = (0..).map(ReplicaId::new).zip(&stock.keys[..3]);
    let vote = |(member, key): (ReplicaId, &ed25519_dalek::SigningKey)| {
        (
            member,
            Signature::new(&key.sign(&statement.bytes()).to_bytes()),
        )
    };
    CheckpointCertificate {
        epoch: Epoch::ZERO,
        seq,
        header: digest,
        checkpoints: signed.map(vote).collect(),
    }
}

/// What is asked for while a snapshot is taken.
fn request() -> Target {
    let height = Height::new(4096);
    let path = StatePath::new(&[0xf, 0, 3]).unwrap_or_default();
    let samples = [
        Request::Offer,
        Request::Manifest(height),
        Request::State(height, path),
        Request::Hashes(height, 1),
        Request::Blocks(height, Height::new(4111)),
    ];
    let samples = samples.iter().map(Request::encode).collect();
    Target::bytes("node/snapshot request", samples, |bytes| {
        canonical(bytes, Request::decode(bytes).map(|it| it.encode()))
    })
}

/// Blocks asked for: whatever is asked, an answer has its bounds.
fn sync_request() -> Target {
    let range = |from: u64, to: u64| [from.to_le_bytes(), to.to_le_bytes()].concat();
    let samples = vec![range(1, 9), range(0, u64::MAX), range(u64::MAX, u64::MAX)];
    let block = RawBlock {
        header: vec![1; 278],
        batch: vec![2; 1000],
        certificate: vec![3; 300],
    };
    Target::bytes("node/sync request", samples, move |bytes| {
        let asked = std::cell::Cell::new(0_u32);
        let answered = answer(bytes, |_height| {
            asked.set(asked.get() + 1);
            Some(block.clone())
        });
        if answered.is_empty() {
            return Verdict::Refused;
        }
        let most = u32::from(node::limits::SYNC_BLOCKS);
        holds(
            asked.get() <= most && bytes.len() == 16,
            "it gives out more than its bound, or to a request of another length",
        )
    })
}

/// What a member offers.
fn offer() -> Target {
    let offer = |snapshot| Offer {
        certified: Height::new(9000),
        lowest: Height::new(1),
        snapshot,
    };
    let samples = vec![
        offer(None).encode(),
        offer(Some(Height::new(8192))).encode(),
    ];
    Target::bytes("node/snapshot offer", samples, |bytes| {
        canonical(bytes, Offer::decode(bytes).map(Offer::encode))
    })
}

/// The manifest of block 0, and one with a finished epoch.
fn manifests(stock: &Stock, header: &Header, certificate: &CheckpointCertificate) -> [Manifest; 2] {
    let plain = Manifest {
        epochs: Vec::new(),
        header: header.encode(),
        certificate: certificate.clone(),
        segments: Vec::new(),
    };
    let epoch = EpochProof {
        header: header.encode(),
        certificate: certificate.clone(),
        next: stock
            .genesis
            .committee()
            .iter()
            .map(|key| *key.as_bytes())
            .collect(),
    };
    let long = Manifest {
        epochs: vec![epoch; 3],
        segments: vec![[7; 32]; 5],
        ..plain.clone()
    };
    [plain, long]
}

/// A manifest proves the header that a quorum signed and no other.
fn manifest(stock: &Stock, header: &Header, certificate: &CheckpointCertificate) -> Target {
    let samples = manifests(stock, header, certificate);
    let samples = samples.iter().map(Manifest::encode).collect();
    let (genesis, signed) = (std::sync::Arc::clone(&stock.genesis), header.encode());
    Target::bytes("node/snapshot manifest", samples, move |bytes| {
        let Some(manifest) = Manifest::decode(bytes) else {
            return Verdict::Refused;
        };
        let again = manifest.encode();
        let other = manifest.header != signed;
        if other && Proved::check(manifest, &genesis).is_ok() {
            return Verdict::Broken("nobody signed this header".to_owned());
        }
        canonical(bytes, Some(again))
    })
}

/// What was taken of a snapshot before a crash.
fn staged(samples: Vec<Vec<u8>>) -> Target {
    let home = folder();
    let staging = Staging::open(home.path());
    let staging = staging.unwrap_or_else(|error| unreachable!("no staging folder: {error}"));
    let path = home.path().join(staging::FOLDER).join("manifest");
    Target::bytes("node/staged manifest", samples, move |bytes| {
        let _kept = &home;
        put(&path, bytes);
        match staging.manifest() {
            Some(manifest) => holds(manifest.encode() == bytes, "it would write other bytes"),
            None => Verdict::Refused,
        }
    })
}

/// A block of a snapshot.
fn snapshot_block(stock: &Stock, header: &Header) -> Target {
    let transactions = stock.transactions();
    let batch = transactions
        .iter()
        .map(contract::SignedTransaction::as_bytes);
    let block = SnapshotBlock {
        header: header.encode(),
        batch: contract::encode_batch(header.time, batch),
        outcomes: vec![vec![0; 8]; transactions.len()],
    };
    let mut sample = Vec::new();
    block.write(&mut sample);
    Target::bytes("node/snapshot block", vec![sample], |bytes| {
        let mut rest = bytes;
        let Some(block) = SnapshotBlock::read(&mut rest) else {
            return Verdict::Refused;
        };
        let mut again = Vec::new();
        block.write(&mut again);
        again.extend_from_slice(rest);
        canonical(bytes, Some(again))
    })
}

/// The head of a backup: file, genesis, proof.
fn archive(stock: &Stock, header: &Header, certificate: &CheckpointCertificate) -> Target {
    let genesis = stock.genesis.content().to_json();
    let chain = Genesis::parse(&genesis)
        .map(|it| *it.chain().as_bytes())
        .unwrap_or_default();
    let [manifest, _] = manifests(stock, header, certificate);
    let frame = |kind: u8, bytes: &[u8]| {
        let length = u32::try_from(bytes.len()).unwrap_or(u32::MAX).to_le_bytes();
        [&[kind], length.as_slice(), bytes].concat()
    };
    let sample = [
        b"aidchain-backup\n\x01\x00".to_vec(),
        chain.to_vec(),
        frame(1, &genesis),
        frame(2, &manifest.encode()),
        frame(4, &[1; 100]),
        frame(7, &[0; 128]),
    ]
    .concat();
    let folder = folder();
    let path = folder.path().join("backup");
    Target::bytes("node/backup", vec![sample], move |bytes| {
        let _kept = &folder;
        put(&path, bytes);
        match Archive::open(&path, &genesis) {
            Ok(archive) => holds(
                archive.height() == Height::new(0),
                "another height is proved",
            ),
            Err(_) => Verdict::Refused,
        }
    })
}

/// The only file in a folder.
fn only_file(folder: &std::path::Path) -> std::path::PathBuf {
    let mut files = fs::read_dir(folder).into_iter().flatten().flatten();
    let file = files.next().map(|entry| entry.path());
    file.unwrap_or_else(|| unreachable!("no file in {}", folder.display()))
}
