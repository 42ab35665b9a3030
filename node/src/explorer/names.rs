//! What members are called: as the ledger has it now, so that who joined later has a name, and who left keeps it.

use contract::{
    Genesis, Snapshot,
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
        let found = self.state.as_ref().and_then(|state| {
            member_at(state, id).unwrap_or_else(|error| {
                tracing::error!(event = "read_failed", %error, "the state cannot be read");
                None
            })
        });
        let named = found.map(|record| record.member.name);
        let founder = || self.genesis.member_with_id(id).map(|one| one.name.clone());
        named
            .or_else(founder)
            .unwrap_or_else(|| parts::short(&id.to_string()))
    }

    /// Everybody who has a name: the members in their order, then founders who left.
    pub fn all(&self) -> Vec<(String, ServerId)> {
        let committee = self.state.as_ref().map(committee_at);
        let committee = committee.and_then(Result::ok).unwrap_or_default();
        let mut all: Vec<(String, ServerId)> = committee
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
