//! `GET /v1/members`, `/v1/evidence` and `/v1/divergences`: who votes, what is proposed, who contradicted himself, and whose
//! results differ.

use axum::{Json, extract::State};
use contract::{
    BlockTime, Epoch, Height, PublicKey, ServerId, Snapshot, StateError,
    contracts::evidence::{self, EvidenceRecord},
    contracts::limbasiya,
    contracts::membership::{
        self, EpochState, Guest, GuestKind, MemberRecord, MembershipChange, PastEpoch, Proposal,
        READY_LIFE_MS, faults, quorum,
    },
    identity::ChangeId,
};
use serde_json::{Value, json};

use super::{app::App, problem::Problem, reads};
use crate::{
    explorer::{change, decode},
    store::Reader,
};

/// Epochs that are listed, the newest first.
const EPOCHS: u32 = 50;
/// Entries of evidence that are listed, the newest first.
const ENTRIES: usize = 100;

/// The consortium as the newest certified state has it.
#[derive(Clone, Debug)]
pub(crate) struct Consortium {
    /// The running epoch.
    pub(crate) epoch: EpochState,
    /// What is proposed, oldest first.
    pub(crate) changes: Vec<Open>,
    /// Epochs, the running one first.
    pub(crate) epochs: Vec<(u32, PastEpoch, Vec<String>)>,
    /// Who may connect besides the members.
    pub(crate) guests: Vec<Guest>,
}

/// An open proposal.
#[derive(Clone, Debug)]
pub(crate) struct Open {
    /// Its name.
    pub(crate) id: ChangeId,
    /// What it says.
    pub(crate) proposal: Proposal,
    /// Who proposed it.
    pub(crate) proposer: String,
    /// Members of the present committee who approve it.
    pub(crate) approvals: Vec<String>,
    /// How many members there are now, and would be.
    pub(crate) sizes: (usize, usize),
    /// Newcomers who have not said lately that they are ready.
    pub(crate) awaited: Vec<String>,
    /// Whether its time is over.
    pub(crate) lapsed: bool,
}

impl Open {
    /// How many approvals it needs.
    pub(crate) fn needed(&self) -> usize {
        quorum(self.sizes.0)
    }

    /// How many faulty members the consortium bears now, and would.
    pub(crate) fn faults(&self) -> (usize, usize) {
        (faults(self.sizes.0), faults(self.sizes.1))
    }

    /// Where it stands, in words.
    pub(crate) fn stage(&self) -> String {
        let (have, need) = (self.approvals.len(), self.needed());
        if self.lapsed {
            "lapsed".to_owned()
        } else if have < need {
            format!("{have} of {need} approvals")
        } else if self.awaited.is_empty() {
            "approved".to_owned()
        } else {
            format!(
                "approved, waits for {} to be ready",
                self.awaited.join(", ")
            )
        }
    }
}

/// Reads the consortium in the newest certified state.
pub(crate) fn consortium(app: &App) -> Result<Consortium, Problem> {
    let tip = app.services().ledger.certified();
    let state = app.services().ledger.state();
    read(&state, tip.header.time).map_err(|error| reads::broken(&error))
}

/// Contradictions on the ledger: how many, and the newest.
pub(crate) fn contradictions(app: &App) -> Result<(u64, Vec<Contradiction>), Problem> {
    let state = app.services().ledger.state();
    let listed = evidence::newest_at(&state, ENTRIES).and_then(|(count, records)| {
        let named = records
            .into_iter()
            .map(|record| Contradiction::of(&state, record));
        Ok((count, named.collect::<Result<_, _>>()?))
    });
    listed.map_err(|error| reads::broken(&error))
}

/// One contradiction.
#[derive(Clone, Debug)]
pub(crate) struct Contradiction {
    /// As it is on the ledger.
    pub(crate) record: EvidenceRecord,
    /// Whose votes they are.
    pub(crate) name: String,
    /// Which votes contradict each other.
    pub(crate) what: String,
}

impl Contradiction {
    fn of(state: &Snapshot<Reader>, record: EvidenceRecord) -> Result<Self, StateError> {
        let votes = consensus::Evidence::decode(record.evidence.as_bytes());
        let what = votes.map_or_else(
            |_unreadable| "two votes".to_owned(),
            |votes| {
                let (first, second) = (votes.first.kind, votes.second.kind);
                format!("{first:?} and {second:?} for different batches")
            },
        );
        Ok(Self {
            name: name(state, &record.member)?,
            record,
            what,
        })
    }
}

fn read(state: &Snapshot<Reader>, now: BlockTime) -> Result<Consortium, StateError> {
    let epoch = membership::epoch_at(state)?;
    let mut changes = Vec::new();
    for (id, proposal) in membership::proposals_at(state)? {
        changes.push(open(state, &epoch.committee, now, (id, proposal))?);
    }
    let mut epochs = Vec::new();
    let newest = epoch.number.get();
    for number in (newest.saturating_sub(EPOCHS)..=newest).rev() {
        if let Some(past) = membership::committee_of(state, Epoch::new(number))? {
            let names = past.members.iter().map(|id| name(state, id));
            let names = names.collect::<Result<_, _>>()?;
            epochs.push((number, past, names));
        }
    }
    let mut guests = membership::guests_at(state)?;
    guests.retain(|guest| guest.until >= now);
    Ok(Consortium {
        epoch,
        changes,
        epochs,
        guests,
    })
}

fn open(
    state: &Snapshot<Reader>,
    committee: &[MemberRecord],
    now: BlockTime,
    (id, proposal): (ChangeId, Proposal),
) -> Result<Open, StateError> {
    let approves = |record: &&MemberRecord| proposal.approvals.contains(&record.server_id);
    let approvals = committee.iter().filter(approves);
    let change = &proposal.change;
    let before = committee.len();
    let after = before
        .saturating_add(change.add.len())
        .saturating_sub(change.remove.len());
    Ok(Open {
        proposer: name(state, &proposal.proposer)?,
        approvals: approvals.map(|record| record.member.name.clone()).collect(),
        sizes: (before, after),
        awaited: awaited(state, change, committee, now)?,
        lapsed: proposal.lapses_at < now,
        id,
        proposal,
    })
}

/// Who of a change's newcomers has not said lately that it is ready.
fn awaited(
    state: &Snapshot<Reader>,
    change: &MembershipChange,
    committee: &[MemberRecord],
    now: BlockTime,
) -> Result<Vec<String>, StateError> {
    let candidates = change.candidates().map(|one| &one.member);
    let renewed = change.renew.iter().map(|one| &one.to);
    let is_new = |key: &PublicKey| committee.iter().all(|record| record.member.key != *key);
    let mut awaited = Vec::new();
    for member in candidates.chain(renewed).filter(|one| is_new(&one.key)) {
        let said = membership::ready_at(state, &member.key)?;
        if said.is_none_or(|at| at.plus_ms(READY_LIFE_MS) < now) {
            awaited.push(member.name.clone());
        }
    }
    Ok(awaited)
}

fn name(state: &Snapshot<Reader>, id: &ServerId) -> Result<String, StateError> {
    let record = membership::member_at(state, id)?;
    Ok(record.map_or_else(|| id.to_string(), |record| record.member.name))
}

/// `GET /v1/members`.
pub(super) async fn members(State(app): State<App>) -> Result<Json<Value>, Problem> {
    let consortium = consortium(&app)?;
    let epoch = &consortium.epoch;
    let size = epoch.committee.len();
    let state = app.services().ledger.state();
    let members: Result<Vec<Value>, StateError> = epoch
        .committee
        .iter()
        .map(|record| Ok(member(record, place(&state, &record.server_id)?.as_deref())))
        .collect();
    let members = members.map_err(|error| reads::broken(&error))?;
    let next = epoch.end.as_ref().map(|end| {
        let names = end
            .committee
            .iter()
            .map(|record| record.member.name.clone());
        names.collect::<Vec<_>>()
    });
    let changes: Vec<Value> = consortium
        .changes
        .iter()
        .map(|one| open_json(&app, one))
        .collect();
    let guests: Vec<Value> = consortium.guests.iter().map(guest).collect();
    let epochs: Vec<Value> = consortium
        .epochs
        .iter()
        .map(|(number, past, names)| {
            json!({ "epoch": number, "first": past.first, "last": past.last, "members": names })
        })
        .collect();
    Ok(Json(json!({
        "schema": "aidchain.members/1", "certified_height": app.services().ledger.certified().height,
        "epoch": epoch.number, "first": epoch.first, "ends_at": epoch.end.as_ref().map(|end| end.last),
        "quorum": quorum(size), "faults": faults(size), "members": members, "next": next,
        "changes": changes, "guests": guests, "epochs": epochs,
    })))
}

/// `Loc_j` of a member that is registered under Limbasiya-2020, which is insecure.
pub(crate) fn place(state: &Snapshot<Reader>, id: &ServerId) -> Result<Option<String>, StateError> {
    let entry = limbasiya::server_at(state, id)?;
    Ok(entry.map(|entry| entry.server.place))
}

fn member(record: &MemberRecord, place: Option<&str>) -> Value {
    let member = &record.member;
    json!({
        "name": member.name, "role": member.role, "server_id": record.server_id, "since": record.since,
        "key": member.key, "network_key": member.network_key, "tls_spki": member.tls_spki,
        "p2p": member.p2p, "api": member.api, "limbasiya_place": place,
    })
}

fn open_json(app: &App, open: &Open) -> Value {
    let (before, after) = open.faults();
    json!({
        "id": open.id, "proposer": open.proposer, "height": open.proposal.height,
        "lapses_at_ms": open.proposal.lapses_at, "stage": open.stage(), "approvals": open.approvals,
        "needed": open.needed(), "awaited": open.awaited, "members_after": open.sizes.1,
        "faults_before": before, "faults_after": after,
        "change": decode::fields_json(&change::proposed(&app.names(), &open.proposal.change)),
    })
}

fn guest(guest: &Guest) -> Value {
    let why = match guest.why {
        GuestKind::Candidate => "candidate",
        GuestKind::Departed => "departed",
    };
    json!({ "name": guest.member.name, "why": why, "until_ms": guest.until })
}

/// `GET /v1/evidence`.
pub(super) async fn evidence(State(app): State<App>) -> Result<Json<Value>, Problem> {
    let (count, entries) = contradictions(&app)?;
    let names = app.names();
    let entries: Vec<Value> = entries
        .iter()
        .map(|one| {
            let record = &one.record;
            let height: Height = record.height;
            json!({
                "member": one.name, "server_id": record.member, "epoch": record.epoch, "view": record.view,
                "seq": record.seq, "what": one.what, "height": height,
                "reporter": decode::author_name(&names, &record.reporter),
                "evidence": hex::encode(record.evidence.as_bytes()),
            })
        })
        .collect();
    Ok(Json(json!({
        "schema": "aidchain.evidence/1", "certified_height": app.services().ledger.certified().height,
        "count": count, "entries": entries,
    })))
}

/// `GET /v1/divergences`: blocks of which members signed different headers, as this node saw it.
pub(super) async fn divergences(State(app): State<App>) -> Json<Value> {
    let reports = app.services().checkpoints.reports();
    Json(json!({
        "schema": "aidchain.divergences/1", "certified_height": app.services().ledger.certified().height,
        "count": reports.len(), "entries": reports,
    }))
}
