//! Who evaluates a new lock: every member of the running epoch, under the key that it has on the ledger now.

use contract::contracts::membership::faults;
use contract::contracts::servers;
use contract::{
    BlockTime, ChainId, PublicKey, ServerId, ServerRecord, Snapshot, StateError, StateReader,
};
use ed25519_dalek::SigningKey;
use protocol::aidc1::deal::{self, Dealt, Enrolment};
use protocol::aidc1::oprf::shares::{self, Evaluators};
use rand_core::CryptoRng;
use thiserror::Error;

use crate::term::Term;

/// Why no shares can be dealt.
#[derive(Debug, Error)]
pub(crate) enum CannotDeal {
    /// Somebody could not open its share.
    #[error(
        "member {0} has no epoch key on the ledger for this moment; try again in a few seconds"
    )]
    NoKey(String),
    /// The state cannot be read.
    #[error(transparent)]
    State(#[from] StateError),
    /// The members do not make a list of evaluators.
    #[error("the members of this epoch cannot evaluate: {0}")]
    Members(String),
}

/// The members, each with its present key.
#[derive(Clone, Debug)]
pub(crate) struct Dealer {
    chain: ChainId,
    threshold: u8,
    members: Vec<(ServerId, PublicKey)>,
}

impl Dealer {
    /// Those of an epoch.
    pub(crate) fn of<R: StateReader>(
        term: &Term,
        chain: ChainId,
        state: &Snapshot<R>,
        now: BlockTime,
    ) -> Result<Self, CannotDeal> {
        let threshold = faults(term.members.len()).saturating_add(1);
        let mut members = Vec::with_capacity(term.members.len());
        for record in &term.members {
            let key = present(state, &record.server_id, now)?;
            let key = key.ok_or_else(|| CannotDeal::NoKey(record.member.name.clone()))?;
            members.push((record.server_id, key.dh_epoch_key));
        }
        Ok(Self {
            chain,
            threshold: u8::try_from(threshold).unwrap_or(u8::MAX),
            members,
        })
    }

    /// Draws a key for a lock, seals each member's share of it and forgets it.
    pub(crate) fn deal(
        &self,
        enrolment: &Enrolment,
        rc: &SigningKey,
        rng: &mut impl CryptoRng,
    ) -> Result<(Evaluators, Vec<Vec<u8>>), CannotDeal> {
        let ids: Vec<ServerId> = self.members.iter().map(|(id, _)| *id).collect();
        let (evaluators, shares) = shares::deal(self.threshold, &ids, rng)
            .map_err(|bad| CannotDeal::Members(bad.to_string()))?;
        let mut deals = Vec::with_capacity(ids.len());
        for ((id, key), share) in self.members.iter().zip(shares) {
            let part = Dealt {
                enrolment: enrolment.clone(),
                evaluators: evaluators.clone(),
                share,
            };
            let sealed = deal::seal(&part, *id, key, (&self.chain, rc), rng);
            deals.push(sealed.map_err(|bad| CannotDeal::Members(bad.to_string()))?);
        }
        Ok((evaluators, deals))
    }
}

/// The record of a member that covers this moment: the newest, or the one before it where that begins only later.
fn present<R: StateReader>(
    state: &Snapshot<R>,
    member: &ServerId,
    now: BlockTime,
) -> Result<Option<ServerRecord>, StateError> {
    let Some(newest) = servers::newest_record_at(state, member)? else {
        return Ok(None);
    };
    if newest.covers(now) {
        return Ok(Some(newest));
    }
    let Some(before) = newest.key_epoch.checked_sub(1) else {
        return Ok(None);
    };
    let before = servers::record_at(state, member, before)?;
    Ok(before.filter(|record| record.covers(now)))
}
