//! The ledgers that the members ended with: block by block, with every certificate checked as a patient would.

use std::collections::BTreeMap;
use std::time::Duration;

use bench::clock::{wait_for, wall_ms};
use bench::consortium::{Consortium, Node};
use bench::http::Connection;
use bench::load::Sample;
use consensus::{
    Certificate as _, ChainId, CheckpointCertificate, Committee, Digest, Epoch, PublicKey,
    ReplicaId, Seq, Signature,
};
use contract::{Genesis, Header, HeaderHash, SignatureBytes, TransactionHash, header_hash};
use patient::light::{self, Expect};
use patient::receipt::Receipt;
use serde_json::Value;

use crate::claims::{Broken, Verdict, ensure, ensure_equal};

/// How long catching up may take once everything is whole.
const PATIENCE: Duration = Duration::from_mins(1);

/// A transaction in a block.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Ordered {
    /// Which.
    pub(super) hash: TransactionHash,
    /// What the API says of it; the outcome is in there.
    pub(super) document: Value,
}

impl Ordered {
    /// Whether all that it asked for was done.
    fn is_done(&self) -> bool {
        let outcome = self.document.get("outcome");
        let part = |name: &str| outcome.and_then(|outcome| outcome.get(name));
        let refused = part("refused").and_then(Value::as_array);
        part("status").is_some_and(|status| status == "done") && refused.is_none_or(Vec::is_empty)
    }
}

/// One block as a member tells it.
#[derive(Debug, Clone)]
struct Block {
    hash: HeaderHash,
    header: Header,
    bytes: Vec<u8>,
    transactions: Vec<Ordered>,
    certificate: CheckpointCertificate,
}

/// A member's ledger, from block 1 on.
#[derive(Debug)]
pub(super) struct Ledger(Vec<Block>);

impl Ledger {
    /// Every transaction with its height, in order.
    pub(super) fn transactions(&self) -> impl Iterator<Item = (u64, &Ordered)> {
        self.0.iter().flat_map(|block| {
            let height = block.header.height.get();
            block.transactions.iter().map(move |one| (height, one))
        })
    }

    /// How many blocks.
    pub(super) const fn len(&self) -> usize {
        self.0.len()
    }
}

/// Waits until these members tell the same height and state, and returns the height.
pub(super) fn settle(consortium: &Consortium, members: &[usize]) -> Result<u64, Broken> {
    let told = || -> Vec<Option<(u64, String)>> {
        let one = |member: &usize| {
            let status = consortium.nodes.get(*member)?.status()?;
            let root = status.get("state_root")?.to_string();
            Some((status.get("height")?.as_u64()?, root))
        };
        members.iter().map(one).collect()
    };
    let agreed = wait_for(PATIENCE, || {
        let told = told();
        let first = told.first()?.clone()?;
        let same = told.iter().all(|other| other.as_ref() == Some(&first));
        same.then_some(first.0)
    });
    agreed.ok_or_else(|| format!("heights and states did not become equal: {:?}", told()).into())
}

/// Reads the ledgers of these members up to a height and compares them block by block; returns the one that all have.
pub(super) fn compare(
    consortium: &Consortium,
    members: &[usize],
    height: u64,
) -> Result<Ledger, Broken> {
    let mut common: Option<Vec<Block>> = None;
    for member in members {
        let node = consortium.nodes.get(*member).ok_or("no such member")?;
        let blocks = read(node, height)?;
        chained(&blocks, &consortium.genesis).map_err(|why| format!("{}: {why}", node.name))?;
        let Some(first) = &common else {
            common = Some(blocks);
            continue;
        };
        for (one, other) in first.iter().zip(&blocks) {
            let place = format!("block {} at {}", one.header.height, node.name);
            ensure(one.bytes == other.bytes, || {
                format!(
                    "{place}: the header is another one: {:?}, {:?}",
                    one.header, other.header
                )
            })?;
            ensure_equal(&place, &other.transactions, &one.transactions)?;
        }
    }
    common.map(Ledger).ok_or_else(|| "no member to read".into())
}

/// All blocks of a member.
fn read(node: &Node, height: u64) -> Result<Vec<Block>, Broken> {
    let mut connection = node.connection(node.member_api(), Duration::from_secs(10));
    (1..=height)
        .map(|height| {
            let document = ask(&mut connection, &format!("/v1/blocks/{height}"))?;
            block(&document).ok_or_else(|| {
                format!("{}: block {height} cannot be read: {document}", node.name).into()
            })
        })
        .collect()
}

/// Asks until the node answers; a busy one asks to come back.
fn ask(connection: &mut Connection, path: &str) -> Result<Value, Broken> {
    let answer = wait_for(Duration::from_secs(20), || {
        let response = connection.get(path).ok()?;
        (!matches!(response.status, 429 | 503)).then_some(response)
    });
    let response = answer.ok_or_else(|| format!("no answer to {path}"))?;
    ensure_equal(&format!("status of {path}"), &response.status, &200)?;
    Ok(response.json())
}

/// A block from the API's answer.
fn block(document: &Value) -> Option<Block> {
    let bytes = hex::decode(document.get("header_bytes")?.as_str()?).ok()?;
    let header = Header::decode(&bytes).ok()?;
    let transaction = |one: &Value| {
        Some(Ordered {
            hash: one.get("hash")?.as_str()?.parse().ok()?,
            document: one.clone(),
        })
    };
    let transactions = document.get("transactions")?.as_array()?;
    Some(Block {
        hash: header_hash(&bytes),
        transactions: transactions
            .iter()
            .map(transaction)
            .collect::<Option<_>>()?,
        certificate: certificate(document, &header, header_hash(&bytes))?,
        header,
        bytes,
    })
}

/// The certificate in the API's answer; without votes when the member has none of its own for this block.
fn certificate(
    document: &Value,
    header: &Header,
    hash: HeaderHash,
) -> Option<CheckpointCertificate> {
    let signatures = document.pointer("/certificate/signatures")?.as_array()?;
    let vote = |one: &Value| {
        let member = u16::try_from(one.get("member")?.as_u64()?).ok()?;
        let signature: SignatureBytes =
            serde_json::from_value(one.get("signature")?.clone()).ok()?;
        Some((
            ReplicaId::new(member),
            Signature::new(&signature.to_bytes()),
        ))
    };
    Some(CheckpointCertificate {
        epoch: Epoch::new(header.epoch.get()),
        seq: Seq::new(header.height.get()),
        header: Digest::new(*hash.as_bytes()),
        checkpoints: signatures.iter().map(vote).collect::<Option<_>>()?,
    })
}

/// Every block follows the one before, every certificate is a quorum's, and the last block is certified.
fn chained(blocks: &[Block], genesis: &Genesis) -> Verdict {
    for (before, block) in blocks.iter().zip(blocks.iter().skip(1)) {
        let place = format!("the parent of block {}", block.header.height);
        ensure_equal(&place, &block.header.parent, &before.hash)?;
    }
    let mut committees: BTreeMap<u32, Committee> = BTreeMap::new();
    for block in blocks {
        let certificate = &block.certificate;
        if certificate.checkpoints.is_empty() {
            continue;
        }
        let epoch = certificate.epoch;
        let known = committees.entry(epoch.get());
        let committee = match known {
            std::collections::btree_map::Entry::Occupied(there) => there.into_mut(),
            std::collections::btree_map::Entry::Vacant(gap) => {
                gap.insert(committee(genesis, epoch)?)
            }
        };
        certificate
            .check(committee)
            .map_err(|why| format!("the certificate of block {}: {why}", block.header.height))?;
    }
    let newest = blocks.last().map(|block| &block.certificate);
    let certified = newest.is_none_or(|certificate| !certificate.checkpoints.is_empty());
    ensure(certified, || {
        "the newest block has no certificate".to_owned()
    })
}

/// The members of the genesis as the committee of an epoch: nobody joins or leaves here.
fn committee(genesis: &Genesis, epoch: Epoch) -> Result<Committee, Broken> {
    let keys = genesis.committee();
    let keys = keys.iter().map(|key| PublicKey::new(*key.as_bytes()));
    let chain = ChainId::new(*genesis.chain().as_bytes());
    Committee::new(chain, epoch, keys.collect())
        .map_err(|error| format!("the committee: {error}").into())
}

/// Every acknowledged submission is on the ledger once, where the answer said; nothing at all is there twice. Returns
/// how many submissions were acknowledged.
pub(super) fn nothing_lost(ledger: &Ledger, samples: &[Sample]) -> Result<usize, Broken> {
    let mut found: BTreeMap<TransactionHash, Vec<u64>> = BTreeMap::new();
    for (height, transaction) in ledger.transactions().filter(|(_, one)| one.is_done()) {
        found.entry(transaction.hash).or_default().push(height);
    }
    if let Some((hash, heights)) = found.iter().find(|(_, heights)| heights.len() > 1) {
        return Err(format!("{hash} was executed more than once: at {heights:?}").into());
    }
    let acknowledged = samples
        .iter()
        .filter_map(|sample| Some((sample.hash, sample.height?)));
    let mut count = 0_usize;
    for (hash, height) in acknowledged {
        count = count.saturating_add(1);
        let place = format!("{hash}, acknowledged at {height}, is");
        ensure_equal(&place, &found.get(&hash), &Some(&vec![height]))?;
    }
    Ok(count)
}

/// Verifies the receipts of acknowledged submissions with the light client, taken from the members in turn. Returns
/// how many.
pub(super) fn receipts(
    consortium: &Consortium,
    members: &[usize],
    samples: &[Sample],
) -> Result<usize, Broken> {
    let nodes = members
        .iter()
        .filter_map(|member| consortium.nodes.get(*member));
    let mut connections: Vec<Connection> = nodes
        .map(|node| node.connection(node.member_api(), Duration::from_secs(10)))
        .collect();
    let acknowledged = samples.iter().filter(|sample| sample.height.is_some());
    let mut count = 0_usize;
    for sample in acknowledged {
        // A member without a certificate of its own for a block refers to the others.
        let turn = usize::from(!connections.is_empty());
        connections.rotate_left(turn);
        let path = format!("/v1/transactions/{}/receipt", sample.hash);
        let found = wait_for(Duration::from_secs(20), || {
            let answers = connections
                .iter_mut()
                .map(|connection| connection.get(&path));
            answers.flatten().find(|response| response.status == 200)
        });
        let response = found.ok_or_else(|| format!("no member has {path}"))?;
        let receipt = Receipt::parse(&response.body).map_err(|why| format!("{path}: {why}"))?;
        let expect = Expect {
            transaction: Some(sample.hash),
            ..Expect::default()
        };
        let (_, verdict) = light::verify(&receipt, &consortium.genesis, &expect, wall_ms());
        verdict.map_err(|why| format!("{path}: {why}"))?;
        count = count.saturating_add(1);
    }
    Ok(count)
}
