//! Checks a receipt, or an excerpt of the state, with nothing but the genesis file: no node is asked and nobody is
//! believed.
//!
//! Genesis names the first committee. Each finished epoch hands over to the next committee under its own certificate;
//! the committee of the receipt's epoch signs the header; the header's roots hold the transaction and its outcome.

mod committee;
mod content;
mod not_valid;
mod report;
mod shown;

use consensus::{Committee, Ed25519};
use contract::block::Header;
use contract::genesis::Genesis;
use contract::identity::{Aid, BlockTime, Height, Root, SessionId, TransactionHash};
use contract::receipt::{EntryProof, Included, TransactionProof};

pub use self::content::{Content, SignIn};
pub use self::not_valid::{BadCertificate, NotValid};
pub use self::report::{Report, Step, short};
pub use self::shown::{NotShown, Shown};

use crate::receipt::Receipt;

/// A certified time further ahead of this machine's clock than this is refused.
pub const FUTURE_MS_MAX: u64 = 120_000;

/// What the receipt is expected to be about. A genuine receipt about something else proves nothing here.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Expect {
    /// This patient.
    pub aid: Option<Aid>,
    /// This server, by its name in the genesis file, or by its id.
    pub server: Option<String>,
    /// This sign-in.
    pub session: Option<SessionId>,
    /// This transaction.
    pub transaction: Option<TransactionHash>,
}

/// What a valid receipt proves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verified {
    /// What is on the ledger.
    pub content: Content,
    /// The transaction's hash.
    pub transaction: TransactionHash,
    /// The block.
    pub height: Height,
    /// The block's time.
    pub time: BlockTime,
    /// The root of the ledger's state after the block.
    pub state_root: Root,
    /// Who signed, by name.
    pub signers: Vec<String>,
    /// How many members the committee has.
    pub committee_size: usize,
}

/// Checks a receipt at the time `now_ms` and says, step by step, what came of it.
pub fn verify(
    receipt: &Receipt,
    genesis: &Genesis,
    expect: &Expect,
    now_ms: u64,
) -> (Report, Result<Verified, NotValid>) {
    let mut report = Report::default();
    let verdict = steps(receipt, genesis, expect, now_ms, &mut report);
    if let Err(reason) = &verdict {
        report.bad(reason);
    }
    (report, verdict)
}

fn steps(
    receipt: &Receipt,
    genesis: &Genesis,
    expect: &Expect,
    now_ms: u64,
    report: &mut Report,
) -> Result<Verified, NotValid> {
    same_ledger(receipt, genesis)?;
    report.good(Step::Ledger, report::ledger(genesis));

    let included = inclusion(receipt)?;
    let header = &included.header;
    let content = Content::read(&included, genesis)?;
    report.good(Step::Content, content.text(header.time));
    report.good(Step::Inclusion, report::inclusion(receipt, header));

    let committee = committee::of_header(&receipt.epochs, genesis, header)?;
    let hashed = (header, included.header_hash);
    let signers = committee::signers(&receipt.certificate, hashed, &committee, genesis)?;
    report.good(Step::Signatures, report::signatures(&signers, &committee));
    report.good(Step::Members, report::members(receipt, genesis));

    not_in_the_future(header, now_ms)?;
    content.check(expect, included.transaction.hash(), genesis)?;
    if *expect != Expect::default() {
        report.good(
            Step::Expected,
            "it is the one that was asked for".to_owned(),
        );
    }
    Ok(Verified {
        transaction: *included.transaction.hash(),
        height: header.height,
        time: header.time,
        state_root: header.state_root,
        content,
        signers,
        committee_size: committee.size(),
    })
}

fn same_ledger(receipt: &Receipt, genesis: &Genesis) -> Result<(), NotValid> {
    if receipt.chain != *genesis.chain() {
        return Err(NotValid::OtherLedger {
            receipt: receipt.chain,
            trusted: *genesis.chain(),
        });
    }
    if receipt.kind != genesis.kind() {
        return Err(NotValid::OtherKind {
            receipt: receipt.kind,
            trusted: genesis.kind(),
        });
    }
    Ok(())
}

fn inclusion(receipt: &Receipt) -> Result<Included, NotValid> {
    let bare = |path: &[Root]| path.iter().map(|root| *root.as_bytes()).collect();
    let proof = TransactionProof {
        transaction: receipt.transaction.0.clone(),
        entry: receipt.entry.as_ref().map(|entry| EntryProof {
            index: u64::from(entry.index),
            bytes: entry.bytes.0.clone(),
            path: bare(&entry.path),
        }),
        index: u64::from(receipt.index),
        count: u64::from(receipt.count),
        path: bare(&receipt.path),
        outcome: receipt.outcome.0.clone(),
        outcome_path: bare(&receipt.outcome_path),
        header: receipt.header.0.clone(),
    };
    let included = proof.verify()?;
    if included.header.chain != receipt.chain {
        return Err(NotValid::OtherLedger {
            receipt: included.header.chain,
            trusted: receipt.chain,
        });
    }
    Ok(included)
}

const fn not_in_the_future(header: &Header, now_ms: u64) -> Result<(), NotValid> {
    if header.time.get() > now_ms.saturating_add(FUTURE_MS_MAX) {
        return Err(NotValid::Future {
            time: header.time,
            now: BlockTime::new(now_ms),
        });
    }
    Ok(())
}

/// The committee type that production uses.
type Members = Committee<Ed25519>;
