//! What members vote on, in words.

use contract::contracts::{
    membership::{MembershipChange, ParameterChange},
    registry::ContractStatus,
};
use contract::identity::ServerId;
use contract::{Call, Member};

use super::names::Names;
use super::parts::{Fact, Value};

/// What a member or a candidate asks about the membership, field by field; nothing of other calls.
pub fn fields(names: &Names<'_>, call: &Call) -> Vec<Fact> {
    match call {
        Call::ProposeChange(change) => proposed(names, change),
        Call::ApproveChange(id) | Call::CancelChange(id) => {
            vec![Fact::new(
                "Change",
                Value::Hash("change id", id.to_string()),
            )]
        }
        Call::Ready { height, header } => vec![
            Fact::new("Has the ledger up to", Value::Height(height.get())),
            Fact::new(
                "Block hash there",
                Value::Hash("block hash", header.to_string()),
            ),
        ],
        Call::Rejoin { random } => vec![Fact::text("Random", hex::encode(random))],
        Call::Evidence(evidence) => vec![Fact::new(
            "Two signed votes",
            Value::Bytes(evidence.as_bytes().to_vec()),
        )],
        Call::Register(_)
        | Call::Revoke(_)
        | Call::Shred(_)
        | Call::WuRegister(_)
        | Call::LimbasiyaServer(_)
        | Call::LimbasiyaUser(_)
        | Call::Results(_)
        | Call::LegacyResults(_)
        | Call::SetServer(_)
        | Call::RegisterBatch(_)
        | Call::Replace(_)
        | Call::Recovery(_)
        | Call::Claim(_)
        | Call::LateResults(_)
        | Call::ServerClaims(_)
        | Call::Disclosure(_) => Vec::new(),
    }
}

/// A proposed change: one line for each kind of thing that it changes.
pub fn proposed(names: &Names<'_>, change: &MembershipChange) -> Vec<Fact> {
    let name = |id: &ServerId| names.of(id);
    let lines = [
        (
            "Adds",
            listed(change.add.iter().map(|one| newcomer(&one.member))),
        ),
        ("Removes", listed(change.remove.iter().map(name))),
        (
            "Replaces",
            listed(change.replace.iter().map(|one| {
                let comes = newcomer(&one.candidate.member);
                format!("{} by {comes}", name(&one.leaver))
            })),
        ),
        (
            "New keys or addresses for",
            listed(change.renew.iter().map(|one| newcomer(&one.to))),
        ),
        ("Sets", listed(change.parameters.iter().map(parameter))),
        ("Contracts", listed(change.contracts.iter().map(contract))),
    ];
    let mut facts: Vec<Fact> = lines
        .into_iter()
        .filter(|(_, text)| !text.is_empty())
        .map(|(label, text)| Fact::text(label, text))
        .collect();
    if change.lower_faults {
        facts.push(Fact::text("May lower f", "yes"));
    }
    facts
}

fn newcomer(member: &Member) -> String {
    format!("{} ({}, key {})", member.name, member.role, member.key)
}

fn parameter(changed: &ParameterChange) -> String {
    format!("{} = {}", changed.name, changed.value)
}

fn contract(changed: &contract::contracts::membership::ContractChange) -> String {
    let status = match changed.status {
        ContractStatus::Enabled => "enabled",
        ContractStatus::Retired => "retired",
    };
    format!("{} version {} {status}", changed.id, changed.version)
}

fn listed(all: impl Iterator<Item = String>) -> String {
    all.collect::<Vec<_>>().join(", ")
}
