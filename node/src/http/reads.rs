//! Reading the ledger for the handlers: certified blocks only, and one text when the store fails.

use consensus::{CheckpointCertificate, Kind, Statement, View};
use contract::{
    Aid, Epoch, Height, PublicKey, SignatureBytes, WuRecord,
    contracts::identity::{self, Credential, Identity, identity_at},
    contracts::{limbasiya, membership},
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
    if let Some(problem) = let_go(app, height) {
        return Err(problem);
    }
    let newest = app.services().ledger.certified().height;
    block(app, height)?.ok_or_else(|| {
        Problem::not_found(
            Code::NoSuchBlock,
            format!("there is no block {height} yet; the newest certified one is {newest}"),
        )
    })
}

/// Says that a block is not kept here, and who keeps it as far as they told.
pub(crate) fn let_go(app: &App, height: Height) -> Option<Problem> {
    let lowest = app.services().ledger.lowest();
    (height < lowest).then(|| {
        let text = format!(
            "block {height} is not kept here, where blocks begin at {lowest}; {}",
            keepers(app, height)
        );
        Problem::not_found(Code::BlockPruned, text)
    })
}

/// The members that say they keep a block.
pub(crate) fn keepers(app: &App, height: Height) -> String {
    let status = app.services().status.borrow().clone();
    let keeps = |lowest: Option<u64>| lowest.is_some_and(|lowest| lowest <= height.get());
    let names: Vec<&str> = status
        .members
        .iter()
        .filter(|member| keeps(member.lowest))
        .map(|member| member.name.as_str())
        .collect();
    match names.as_slice() {
        [] => "no member that keeps it is known here".to_owned(),
        names => format!("kept by {}", names.join(", ")),
    }
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

/// What the newest certified state holds under an AID, and the height that this state is of.
pub(crate) fn identity(app: &App, aid: &Aid) -> Result<(Height, Option<Identity>), Problem> {
    let ledger = &app.services().ledger;
    let height = ledger.certified().height;
    let found = identity_at(&ledger.state_at(height), aid).map_err(|error| broken(&error))?;
    Ok((height, found))
}

/// The block that registered a UID of Limbasiya-2020, if the newest certified state has it.
pub(crate) fn limbasiya_user(app: &App, uid: &Aid) -> Result<Option<Height>, Problem> {
    let state = app.services().ledger.state();
    limbasiya::user_at(&state, uid).map_err(|error| broken(&error))
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

/// Who certified the blocks of one epoch.
#[derive(Clone, Debug)]
pub(crate) struct Certifiers {
    /// Names and keys, in committee order.
    pub(crate) members: Vec<(String, PublicKey)>,
    /// How many of them decide.
    pub(crate) quorum: usize,
}

/// The committee of an epoch, by name; nobody in an epoch that the ledger does not know.
pub(crate) fn certifiers(app: &App, epoch: Epoch) -> Result<Certifiers, Problem> {
    let state = app.services().ledger.state();
    let known = membership::committee_of(&state, epoch).map_err(|error| broken(&error))?;
    let mut members = Vec::new();
    if let Some(known) = known {
        for (id, key) in known.members.iter().zip(known.keys) {
            let record = membership::member_at(&state, id).map_err(|error| broken(&error))?;
            let name = record.map_or_else(|| id.to_string(), |record| record.member.name);
            members.push((name, key));
        }
    }
    let quorum = membership::quorum(members.len());
    Ok(Certifiers { members, quorum })
}

/// The signatures of a certificate, each checked against the member of its epoch that it names.
pub(crate) fn signatures(
    app: &App,
    certificate: &CheckpointCertificate,
    certifiers: &Certifiers,
) -> Vec<CheckedSignature> {
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
            let (name, key) = certifiers.members.get(usize::from(member.get()))?;
            let signature = SignatureBytes::new(signed.to_bytes());
            Some(CheckedSignature {
                member: member.get(),
                name: name.clone(),
                key: *key,
                valid: signature::is_valid(key, &bytes, &signature),
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

    /// The octets that it holds under an AID; nothing when it cannot be read, which the log tells.
    pub(crate) fn encoded(&self, aid: &Aid) -> Option<Vec<u8>> {
        let found = self.0.get(&identity::ID, &identity::identity_key(aid));
        found.unwrap_or_else(|error| {
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

    /// The state itself.
    pub(crate) const fn state(&self) -> &contract::Snapshot<Reader> {
        &self.0
    }

    /// Which height it is from.
    pub(crate) const fn at(&self) -> Height {
        self.0.height()
    }
}
