//! What members are called: as the ledger has it now, so that who joined later has a name, and who left keeps it.

use contract::{
    Genesis, Snapshot, StateError,
    contracts::membership::{committee_at, member_at},
    identity::ServerId,
};

use super::parts;
use crate::store::Reader;

/// The members' names.
#[derive(Debug)]
pub struct Names<'a> {
    genesis: &'a Genesis,
    /// Nothing where only the founders are asked for.
    state: Option<Snapshot<Reader>>,
}

impl<'a> Names<'a> {
    /// As this state has them.
    pub const fn now(genesis: &'a Genesis, state: Snapshot<Reader>) -> Self {
        Self {
            genesis,
            state: Some(state),
        }
    }

    /// A member's name, also of one who has left; the short id of somebody who never was one.
    pub fn of(&self, id: &ServerId) -> String {
        let state = self.state.as_ref();
        let found = state.and_then(|state| read(member_at(state, id)).flatten());
        let named = found.map(|record| record.member.name);
        let founder = || self.genesis.member_with_id(id).map(|one| one.name.clone());
        named
            .or_else(founder)
            .unwrap_or_else(|| parts::short(&id.to_string()))
    }

    /// Everybody who has a name: the members in their order, then founders who left.
    pub fn all(&self) -> Vec<(String, ServerId)> {
        let state = self.state.as_ref();
        let committee = state.and_then(|state| read(committee_at(state)));
        let mut all: Vec<(String, ServerId)> = committee
            .unwrap_or_default()
            .into_iter()
            .map(|record| (record.member.name, record.server_id))
            .collect();
        for founder in self.genesis.members() {
            if !all.iter().any(|(name, _)| *name == founder.name) {
                all.push((founder.name.clone(), founder.server_id()));
            }
        }
        all
    }

    /// Who has this name now, or had it at the founding.
    pub fn id_of(&self, name: &str) -> Option<ServerId> {
        let all = self.all().into_iter();
        all.filter(|(one, _)| one == name).map(|(_, id)| id).next()
    }

    /// All names in one text.
    pub fn list(&self) -> String {
        let names: Vec<String> = self.all().into_iter().map(|(name, _)| name).collect();
        names.join(", ")
    }
}

/// What was read; a page without it is better than none, and the log says why.
fn read<T>(found: Result<T, StateError>) -> Option<T> {
    found
        .inspect_err(|error| {
            tracing::error!(event = "read_failed", %error, "the state cannot be read");
        })
        .ok()
}

#[cfg(test)]
impl<'a> Names<'a> {
    /// The founders' names alone.
    pub(crate) const fn of_founders(genesis: &'a Genesis) -> Self {
        Self {
            genesis,
            state: None,
        }
    }
}
