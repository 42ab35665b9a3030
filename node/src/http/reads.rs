//! Reading the ledger for the handlers: certified blocks only, and one text when the store fails.

use consensus::{CheckpointCertificate, Kind, Statement, View};
use contract::{
    Aid, Height, PublicKey, SignatureBytes, WuRecord,
    contracts::identity::{Credential, Identity, identity_at},
    signature,
};
use patient::code::Code;
use tokio::time::{Duration, timeout};

use super::{app::App, problem::Problem};
use crate::{
    ledger::{Located, Page, ResultQuery, ResultRow, StoredBlock},
    store::Reader,
};

/// The store failed: the client hears that, the log hears why.
pub(crate) fn broken(error: &dyn std::error::Error) -> Problem {
    tracing::error!(event = "read_failed", %error, "the ledger cannot be read");
    Problem::busy(
        Code::NodeNotReady,
        "this node cannot read its ledger; its operator sees why in the log",
        5,
    )
}

/// A certified block.
pub(crate) fn block(app: &App, height: Height) -> Result<Option<StoredBlock>, Problem> {
    let ledger = &app.services().ledger;
    if height > ledger.certified().height {
        return Ok(None);
    }
    ledger.block(height).map_err(|error| broken(&error))
}

/// A certified block, or the text that there is none.
pub(crate) fn block_or_none(app: &App, height: Height) -> Result<StoredBlock, Problem> {
    let newest = app.services().ledger.certified().height;
    block(app, height)?.ok_or_else(|| {
        Problem::not_found(
            Code::NoSuchBlock,
            format!("there is no block {height} yet; the newest certified one is {newest}"),
        )
    })
}

/// A transaction in a certified block.
pub(crate) fn transaction(
    app: &App,
    hash: &contract::TransactionHash,
) -> Result<Option<Located>, Problem> {
    let ledger = &app.services().ledger;
    let found = ledger.transaction(hash).map_err(|error| broken(&error))?;
    Ok(found.filter(|located| located.height <= ledger.certified().height))
}

/// Recorded sign-ins.
pub(crate) fn results(app: &App, query: &ResultQuery) -> Result<Page<ResultRow>, Problem> {
    app.services()
        .ledger
        .results(query)
        .map_err(|error| broken(&error))
}

/// What the newest certified state holds under an AID.
pub(crate) fn identity(app: &App, aid: &Aid) -> Result<Option<Identity>, Problem> {
    identity_at(&app.services().ledger.state(), aid).map_err(|error| broken(&error))
}

/// One signature of a certificate, checked by itself.
#[derive(Clone, Debug)]
pub(crate) struct CheckedSignature {
    /// The member's place.
    pub(crate) member: u16,
    /// The member's name.
    pub(crate) name: String,
    /// Its key.
    pub(crate) key: PublicKey,
    /// The signature.
    pub(crate) signature: SignatureBytes,
    /// Whether it holds.
    pub(crate) valid: bool,
}

/// The signatures of a certificate, each checked against the founding member it names.
pub(crate) fn signatures(app: &App, certificate: &CheckpointCertificate) -> Vec<CheckedSignature> {
    let genesis = app.genesis();
    let statement = Statement {
        chain: consensus::ChainId::new(*genesis.chain().as_bytes()),
        epoch: certificate.epoch,
        kind: Kind::Checkpoint,
        view: View::ZERO,
        seq: certificate.seq,
        digest: certificate.header,
    };
    let bytes = statement.bytes();
    let checked = certificate
        .checkpoints
        .iter()
        .filter_map(|(member, signed)| {
            let founder = genesis.members().get(usize::from(member.get()))?;
            let signature = SignatureBytes::new(signed.to_bytes());
            Some(CheckedSignature {
                member: member.get(),
                name: founder.name.clone(),
                key: founder.key,
                valid: signature::is_valid(&founder.key, &bytes, &signature),
                signature,
            })
        });
    checked.collect()
}

/// Asks after each new certified block until there is an answer or time is up.
pub(crate) async fn within<T>(
    app: &App,
    wait: Duration,
    ask: impl Fn(&App) -> Result<Option<T>, Problem>,
) -> Result<Option<T>, Problem> {
    let answer = async {
        let mut heights = app.services().ledger.subscribe();
        loop {
            heights.mark_unchanged();
            if let Some(answer) = ask(app)? {
                return Ok(Some(answer));
            }
            if heights.changed().await.is_err() {
                return Ok(None);
            }
        }
    };
    timeout(wait, answer).await.unwrap_or(Ok(None))
}

/// The certified ledger as the suites ask it, at one height.
pub(crate) struct Snapshot(contract::Snapshot<Reader>);

impl Snapshot {
    /// The newest certified state.
    pub(crate) fn of(app: &App) -> Self {
        Self(app.services().ledger.state())
    }

    /// What it holds under an AID; nothing when it cannot be read, which the log tells.
    pub(crate) fn identity(&self, aid: &Aid) -> Option<Identity> {
        identity_at(&self.0, aid).unwrap_or_else(|error| {
            tracing::error!(event = "read_failed", %error, "the state cannot be read");
            None
        })
    }

    /// The record of an AID that may sign in under Wu-2021.
    pub(crate) fn wu_record(&self, aid: &Aid) -> Option<WuRecord> {
        match self.identity(aid)?.credential {
            Credential::Wu2021 {
                record,
                status: contract::Status::Active,
            } => Some(record),
            Credential::Wu2021 { .. } | Credential::Aidc1(_) => None,
        }
    }

    /// Which height it is from.
    pub(crate) const fn at(&self) -> Height {
        self.0.height()
    }
}
