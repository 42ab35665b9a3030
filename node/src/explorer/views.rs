//! From the ledger's types to what the pages show.

use contract::{
    SignedTransaction,
    contracts::{
        disclosure::disclosures_of,
        identity::events_at,
        membership::{MemberRecord, committee_at},
    },
    identity::Aid,
    recorded,
};

use super::{
    block::{self, Line, Signer},
    decode,
    layout::Frame,
    members::{MemberKeys, MemberLine, Presence},
    names::Names,
    overview::BlockLine,
    parts::{Fact, State, Value},
    past::{self, Happened},
    results::SignIn,
};
use crate::{
    access::Role,
    http::{
        app::App,
        gate, members,
        problem::Problem,
        reads::{self, Certifiers},
    },
    ledger::{Located, ResultForm, ResultRow, StoredBlock},
};

/// The node is called behind when it lacks this many blocks.
const BEHIND: u64 = 3;

/// The frame of every page.
pub(super) fn frame(app: &App, role: Role) -> Frame {
    let genesis = app.genesis();
    Frame {
        node: app.services().config.name.clone(),
        consortium: genesis.name().to_owned(),
        chain: *genesis.chain(),
        research: genesis.kind() == contract::Kind::Research,
        now_ms: app.now_ms(),
        height: app.services().ledger.certified().height.get(),
        alerts: alerts(app),
        reader: gate::asks_for_login(app).then(|| role.name().to_owned()),
    }
}

/// What stops the ledger or this node, worst first.
fn alerts(app: &App) -> Vec<State> {
    let status = app.services().status.borrow().clone();
    let certified = app.services().ledger.certified().height.get();
    let mut alerts = Vec::new();
    let behind = status.behind(certified);
    if let Some(why) = status.diverged {
        alerts.push(State::Bad(format!("Do not rely on this node: {why}")));
    }
    if !status.members.is_empty()
        && status.members.iter().filter(|member| member.up).count() < usize::from(status.quorum)
    {
        let away: Vec<&str> = status
            .members
            .iter()
            .filter(|member| !member.up)
            .map(|member| member.name.as_str())
            .collect();
        alerts.push(State::Bad(format!(
            "No quorum: nothing new can be recorded. Missing: {}.",
            away.join(", ")
        )));
    } else if let Some(why) = status.stalled {
        alerts.push(State::Bad(format!("The ledger does not move: {why}")));
    }
    if let Some(why) = status.votes_lost {
        alerts.push(State::Warn(format!("This node only observes: {why}")));
    }
    if behind > BEHIND {
        alerts.push(State::Warn(format!(
            "This node is {behind} blocks behind: what you see is as of height {certified}."
        )));
    }
    alerts
}

/// A block in a list.
pub(super) fn block_line(block: &StoredBlock) -> BlockLine {
    BlockLine {
        height: block.header.height.get(),
        hash: block.hash.to_string(),
        time_ms: block.header.time.get(),
        transactions: block.transactions.len(),
        signers: block
            .certificate
            .as_ref()
            .map_or(0, |certificate| certificate.checkpoints.len()),
    }
}

/// A recorded sign-in in a list.
pub(super) fn sign_in(names: &Names<'_>, row: &ResultRow) -> SignIn {
    SignIn {
        height: row.height.get(),
        time_ms: row.time.get(),
        server: names.of(&row.server_id),
        aid: row.aid,
        session: row.sid.to_string(),
        suite: row.suite.to_string(),
        form: match row.form {
            ResultForm::Statement => decode::SIGNED,
            ResultForm::Late => decode::LATE,
            ResultForm::Legacy => decode::LEGACY,
        },
        transaction: row.transaction.to_string(),
        entry: row.entry.into(),
    }
}

/// What happened to an identity beside its sign-ins.
pub(super) fn past(app: &App, aid: &Aid) -> Result<Vec<Happened>, Problem> {
    let state = app.services().ledger.state();
    let broken = |error| reads::broken(&error);
    let events = events_at(&state, aid).map_err(broken)?;
    let disclosures = disclosures_of(&state, aid).map_err(broken)?;
    Ok(past::of(&app.names(), &events, &disclosures))
}

/// The sign-ins that one transaction recorded.
pub(super) fn sign_ins_of(
    app: &App,
    block: &StoredBlock,
    located: &Located,
    signed: &SignedTransaction,
) -> Vec<SignIn> {
    let names = app.names();
    let row = |result: contract::Recorded<'_>| SignIn {
        height: located.height.get(),
        time_ms: block.header.time.get(),
        server: names.of(result.server_id()),
        aid: *result.aid(),
        session: result.sid().to_string(),
        suite: result.suite().to_string(),
        form: match result.evidence {
            contract::Evidence::Statement(_) => decode::SIGNED,
            contract::Evidence::Late(_) => decode::LATE,
            contract::Evidence::Legacy(_) => decode::LEGACY,
        },
        transaction: signed.hash().to_string(),
        entry: result.entry,
    };
    recorded(
        std::slice::from_ref(signed),
        std::slice::from_ref(&located.outcome),
    )
    .map(row)
    .collect()
}

/// The committee, with what the ledger and this node know of each member.
pub(super) fn members(app: &App) -> Vec<MemberLine> {
    let status = app.services().status.borrow().clone();
    let own = &app.services().config.name;
    let state = app.services().ledger.state();
    let line = |record: &MemberRecord| {
        let member = &record.member;
        let seen = status.members.iter().find(|seen| seen.name == member.name);
        MemberLine {
            name: member.name.clone(),
            role: member.role.to_string(),
            presence: match seen {
                _ if member.name == *own => Presence::Here,
                Some(seen) if seen.up => Presence::Up,
                Some(_) | None => Presence::Away,
            },
            missing: status.missing.contains(&member.name),
            last_seen_ms: seen.and_then(|seen| seen.last_seen_ms),
            height: seen.and_then(|seen| seen.height),
            skew_ms: seen.and_then(|seen| seen.clock_skew_ms),
            keys: Some(MemberKeys {
                server_id: record.server_id.to_string(),
                key: member.key.to_string(),
                network_key: member.network_key.to_string(),
                tls_spki: member.tls_spki.to_string(),
                api: member.api.clone(),
                p2p: member.p2p.clone(),
                place: members::place(&state, &record.server_id).unwrap_or_else(|error| {
                    tracing::error!(event = "read_failed", %error, "a server's place cannot be read");
                    None
                }),
            }),
        }
    };
    committee_at(&state).map_or_else(
        |error| {
            tracing::error!(event = "read_failed", %error, "the committee cannot be read");
            Vec::new()
        },
        |committee| committee.iter().map(line).collect(),
    )
}

/// A block's page.
pub(super) fn block(
    app: &App,
    stored: &StoredBlock,
    certifiers: &Certifiers,
    from: usize,
) -> block::Block {
    let names = app.names();
    let signers = stored
        .certificate
        .iter()
        .flat_map(|certificate| reads::signatures(app, certificate, certifiers))
        .map(|signed| Signer {
            name: signed.name,
            key: signed.key.to_string(),
            signature: signed.signature.to_string(),
            valid: signed.valid,
        });
    let lines = (0..)
        .zip(stored.transactions.iter().zip(&stored.outcomes))
        .skip(from)
        .take(block::PAGE);
    let height = stored.header.height;
    block::Block {
        height: height.get(),
        hash: stored.hash.to_string(),
        header: header(stored),
        size: stored.batch.len(),
        view: stored.committed_in_view,
        signers: signers.collect(),
        quorum: (certifiers.members.len(), certifiers.quorum),
        total: stored.transactions.len(),
        from,
        lines: lines
            .map(|(index, (signed, outcome))| Line {
                index,
                hash: signed.hash().to_string(),
                call: decode::call(signed),
                author: decode::author_name(&names, signed.author()),
                outcome: decode::outcome(outcome, signed.call()),
            })
            .collect(),
        has_next: height < app.services().ledger.certified().height,
    }
}

/// A header, field by field.
fn header(stored: &StoredBlock) -> Vec<Fact> {
    let header = &stored.header;
    let hash = |label, what, text: String| Fact::new(label, Value::Hash(what, text));
    vec![
        Fact::text("Version", header.version.to_string()),
        Fact::text("Epoch", header.epoch.to_string()),
        Fact::new("Time", Value::Time(header.time.get())),
        hash("Chain", "chain id", header.chain.to_string()),
        hash("Parent", "parent hash", header.parent.to_string()),
        hash(
            "Batch digest",
            "batch digest",
            header.batch_digest.to_string(),
        ),
        hash(
            "Transactions root",
            "transactions root",
            header.transactions_root.to_string(),
        ),
        hash(
            "Outcomes root",
            "outcomes root",
            header.outcomes_root.to_string(),
        ),
        hash("State root", "state root", header.state_root.to_string()),
        hash(
            "History root",
            "history root",
            header.history_root.to_string(),
        ),
        hash(
            "Next committee",
            "committee digest",
            header.next_committee.to_string(),
        ),
    ]
}
