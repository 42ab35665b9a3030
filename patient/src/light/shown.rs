//! What an excerpt shows: entries of the state after a block that a quorum certified.

use std::collections::BTreeMap;

use contract::block::{Header, header_hash};
use contract::contract_id::ContractId;
use contract::contracts::identity::{
    Credential, Event, Identity, Origin, PendingRecovery, event_key, events_key, identity_key,
    origin_key, recovery_key,
};
use contract::contracts::membership::{self, MemberRecord, committee_key, member_key};
use contract::contracts::{authlog, disclosure, identity, servers};
use contract::encoding::{self, Malformed};
use contract::genesis::Genesis;
use contract::identity::{Aid, BlockTime, ChainId, Epoch, Height, Root, ServerId, SessionId};
use contract::limits::ENCODED_BYTES_MAX;
use contract::record::{PatientRecord, ServerRecord};
use contract::state::{NotProved, StateProof};
use serde::Serialize;
use serde::de::DeserializeOwned;
use thiserror::Error;

use super::{NotValid, committee, not_in_the_future};
use crate::code::Code;
use crate::excerpt::{ENTRIES_MAX, Entry, Excerpt};

/// Why an excerpt shows nothing that may be relied on.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum NotShown {
    /// It is about another ledger than the trusted one.
    #[error("it is from ledger {found}, you trust {trusted}")]
    OtherLedger {
        /// The ledger it names.
        found: ChainId,
        /// The ledger of the genesis file.
        trusted: ChainId,
    },
    /// Its header is none.
    #[error("its header cannot be read: {0}")]
    Header(Malformed),
    /// Its header is not certified, or lies in the future.
    #[error(transparent)]
    Certified(#[from] NotValid),
    /// The ledger has been known to be further for some time.
    #[error("it is of height {found}; this terminal has seen height {known}")]
    Stale {
        /// Its height.
        found: Height,
        /// The height that this terminal knows.
        known: Height,
    },
    /// An entry is not of the prescribed form.
    #[error("its entry {0} cannot be read")]
    Entry(usize),
    /// A proof does not show what it claims.
    #[error("the proof of its entry {at}: {problem}")]
    Proof {
        /// Which entry.
        at: usize,
        /// What is wrong.
        problem: NotProved,
    },
    /// One key has two entries.
    #[error("its entry {0} repeats a key")]
    Twice(usize),
    /// What was asked for is not in it, neither as present nor as absent.
    #[error("it says nothing about {0}")]
    Missing(&'static str),
    /// A value is not of the type that its key has.
    #[error("what it has for {0} cannot be read")]
    Value(&'static str),
}

impl NotShown {
    /// The code of the error.
    pub const fn code(&self) -> Code {
        match self {
            Self::OtherLedger { .. } => Code::ReceiptOfOtherLedger,
            Self::Certified(reason) => reason.code(),
            Self::Stale { .. } => Code::ExcerptStale,
            Self::Header(_) | Self::Entry(_) | Self::Twice(_) | Self::Value(_) => Code::BadExcerpt,
            Self::Proof { .. } => Code::StateProofFails,
            Self::Missing(_) => Code::ExcerptIncomplete,
        }
    }
}

/// Entries of a certified state. Each was proved; what nobody asked for is never read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shown {
    epoch: Epoch,
    height: Height,
    time: BlockTime,
    entries: BTreeMap<(ContractId, Vec<u8>), Option<Vec<u8>>>,
}

impl Shown {
    /// Checks an excerpt at the time `now_ms` for a terminal that has seen the height `known`.
    pub fn verify(
        excerpt: &Excerpt,
        genesis: &Genesis,
        known: Height,
        now_ms: u64,
    ) -> Result<Self, NotShown> {
        let header = certified(excerpt, genesis, now_ms)?;
        if header.height < known {
            return Err(NotShown::Stale {
                found: header.height,
                known,
            });
        }
        let mut entries = BTreeMap::new();
        for (at, entry) in excerpt.entries.iter().enumerate() {
            let (key, value) = proved(at, entry, &header.state_root)?;
            if entries.insert(key, value).is_some() {
                return Err(NotShown::Twice(at));
            }
        }
        Ok(Self {
            epoch: header.epoch,
            height: header.height,
            time: header.time,
            entries,
        })
    }

    /// After which block.
    pub const fn height(&self) -> Height {
        self.height
    }

    /// That block's time.
    pub const fn time(&self) -> BlockTime {
        self.time
    }

    /// In which epoch that block is.
    pub const fn epoch(&self) -> Epoch {
        self.epoch
    }

    /// The members, in the committee's order.
    pub fn members(&self) -> Result<Vec<MemberRecord>, NotShown> {
        let what = "the members";
        let ids: Option<Vec<ServerId>> = self.value(what, &membership::ID, &committee_key())?;
        let ids = ids.ok_or(NotShown::Value(what))?;
        let one = |id: &ServerId| {
            let record: Option<MemberRecord> =
                self.value("a member", &membership::ID, &member_key(id))?;
            record
                .filter(|record| record.server_id == *id && record.left.is_none())
                .ok_or(NotShown::Value("a member"))
        };
        ids.iter().map(one).collect()
    }

    /// A server's newest record, if it ever published one.
    pub fn newest_server(&self, server: &ServerId) -> Result<Option<ServerRecord>, NotShown> {
        let newest = self.value(
            "the server's newest key epoch",
            &servers::ID,
            &servers::newest_key(server),
        )?;
        let Some(epoch) = newest else {
            return Ok(None);
        };
        let key = servers::record_key(server, epoch);
        let record: Option<ServerRecord> = self.value("the server's record", &servers::ID, &key)?;
        match record {
            Some(record) if record.server_id == *server && record.key_epoch == epoch => {
                Ok(Some(record))
            }
            Some(_) | None => Err(NotShown::Value("the server's record")),
        }
    }

    /// A server's record for this time: its newest, or an older one that lasts while the newest has not begun.
    pub fn server_at(
        &self,
        server: &ServerId,
        time: BlockTime,
    ) -> Result<Option<ServerRecord>, NotShown> {
        let newest = self.newest_server(server)?;
        if newest
            .as_ref()
            .is_none_or(|record| record.not_before <= time)
        {
            return Ok(newest);
        }
        let mut older = self
            .entries
            .iter()
            .rev()
            .filter_map(|((contract, _), value)| {
                let value = value.as_ref().filter(|_| *contract == servers::ID)?;
                encoding::decode::<ServerRecord>(value, ENCODED_BYTES_MAX).ok()
            });
        Ok(older.find(|record| record.server_id == *server && record.covers(time)))
    }

    /// What the ledger has under an AID.
    pub fn identity(&self, aid: &Aid) -> Result<Option<Identity>, NotShown> {
        self.value("the AID's record", &identity::ID, &identity_key(aid))
    }

    /// The record of AIDC-1 under an AID.
    pub fn patient(&self, aid: &Aid) -> Result<Option<PatientRecord>, NotShown> {
        match self.identity(aid)?.map(|identity| identity.credential) {
            Some(Credential::Aidc1(record)) if record.aid == *aid => Ok(Some(record)),
            Some(Credential::Aidc1(_) | Credential::Wu2021 { .. }) => {
                Err(NotShown::Value("the AID's record"))
            }
            None => Ok(None),
        }
    }

    /// Where an AID came from, if it took the place of another.
    pub fn origin(&self, aid: &Aid) -> Result<Option<Origin>, NotShown> {
        self.value("the AID's origin", &identity::ID, &origin_key(aid))
    }

    /// The recovery of an AID that is open.
    pub fn open_recovery(&self, aid: &Aid) -> Result<Option<PendingRecovery>, NotShown> {
        let found: Option<Option<PendingRecovery>> =
            self.value("an open recovery", &identity::ID, &recovery_key(aid))?;
        Ok(found.flatten())
    }

    /// What happened to an AID, oldest first, and how many older events the state counts that the excerpt leaves out.
    pub fn newest_events(&self, aid: &Aid) -> Result<(Vec<Event>, u32), NotShown> {
        let what = "the number of the AID's events";
        let count: Option<u32> = self.value(what, &identity::ID, &events_key(aid))?;
        newest(count, |number| {
            let what = "an event of the AID";
            let found = self.value(what, &identity::ID, &event_key(aid, number))?;
            found.ok_or(NotShown::Value(what))
        })
    }

    /// How many claims an AID made, and which of them take a place.
    pub fn claims(&self, aid: &Aid) -> Result<authlog::Claims, NotShown> {
        let key = authlog::claims_key(aid);
        let claims = self.value("the AID's claims", &authlog::ID, &key)?;
        Ok(claims.unwrap_or_default())
    }

    /// What became of a claim.
    pub fn claim(
        &self,
        aid: &Aid,
        server: &ServerId,
        sid: &SessionId,
    ) -> Result<Option<authlog::ClaimRecord>, NotShown> {
        let key = authlog::claim_key(aid, server, sid);
        self.value("a claim of the AID", &authlog::ID, &key)
    }

    /// What was asked about an AID, oldest first, and how many older requests the state counts that the excerpt leaves
    /// out.
    pub fn newest_disclosures(
        &self,
        aid: &Aid,
    ) -> Result<(Vec<disclosure::Disclosure>, u32), NotShown> {
        let what = "the number of requests for a disclosure";
        let count: Option<u32> = self.value(what, &disclosure::ID, &disclosure::count_key(aid))?;
        newest(count, |nth| self.disclosure(aid, nth))
    }

    fn disclosure(&self, aid: &Aid, nth: u32) -> Result<disclosure::Disclosure, NotShown> {
        let what = "a request for a disclosure";
        let number = self.value(what, &disclosure::ID, &disclosure::nth_key(aid, nth))?;
        let number: u64 = number.ok_or(NotShown::Value(what))?;
        let key = disclosure::entry_key(number);
        let entry: Option<disclosure::Disclosure> = self.value(what, &disclosure::ID, &key)?;
        entry
            .filter(|entry| entry.number == number && entry.request.aid == *aid)
            .ok_or(NotShown::Value(what))
    }

    /// The value under a key that was asked for: present, or proved to be absent.
    fn value<T: Serialize + DeserializeOwned>(
        &self,
        what: &'static str,
        contract: &ContractId,
        key: &[u8],
    ) -> Result<Option<T>, NotShown> {
        let found = self.entries.get(&(contract.clone(), key.to_vec()));
        let Some(bytes) = found.ok_or(NotShown::Missing(what))? else {
            return Ok(None);
        };
        encoding::decode(bytes, ENCODED_BYTES_MAX)
            .map(Some)
            .map_err(|_malformed| NotShown::Value(what))
    }
}

/// The newest of so many entries, down to the first that is not there.
fn newest<T>(
    count: Option<u32>,
    one: impl Fn(u32) -> Result<T, NotShown>,
) -> Result<(Vec<T>, u32), NotShown> {
    let count = count.unwrap_or(0);
    let mut found = Vec::new();
    let mut missing = 0;
    // No excerpt has more entries than this, whatever a count says.
    let floor = count.saturating_sub(u32::try_from(ENTRIES_MAX).unwrap_or(u32::MAX));
    for number in (0..count).rev() {
        if number < floor {
            missing = number.saturating_add(1);
            break;
        }
        match one(number) {
            Ok(entry) => found.push(entry),
            Err(NotShown::Missing(_)) => {
                missing = number.saturating_add(1);
                break;
            }
            Err(other) => return Err(other),
        }
    }
    found.reverse();
    Ok((found, missing))
}

/// The header, proved from the genesis file on.
fn certified(excerpt: &Excerpt, genesis: &Genesis, now_ms: u64) -> Result<Header, NotShown> {
    let trusted = *genesis.chain();
    let other = |found| NotShown::OtherLedger { found, trusted };
    if excerpt.chain != trusted {
        return Err(other(excerpt.chain));
    }
    if excerpt.kind != genesis.kind() {
        return Err(NotValid::OtherKind {
            receipt: excerpt.kind,
            trusted: genesis.kind(),
        }
        .into());
    }
    let header = Header::decode(&excerpt.header.0).map_err(NotShown::Header)?;
    if header.chain != trusted {
        return Err(other(header.chain));
    }
    let committee = committee::of_header(&excerpt.epochs, genesis, &header)?;
    let hashed = (&header, header_hash(&excerpt.header.0));
    committee::signers(&excerpt.certificate, hashed, &committee, genesis)?;
    not_in_the_future(&header, now_ms)?;
    Ok(header)
}

type Proved = ((ContractId, Vec<u8>), Option<Vec<u8>>);

fn proved(at: usize, entry: &Entry, root: &Root) -> Result<Proved, NotShown> {
    let contract: ContractId = entry
        .contract
        .parse()
        .map_err(|_error| NotShown::Entry(at))?;
    let proof = StateProof::decode(&entry.proof.0).map_err(|_error| NotShown::Entry(at))?;
    let value = proof
        .verify(root, &contract, &entry.key.0)
        .map_err(|problem| NotShown::Proof { at, problem })?;
    let value = value.map(<[u8]>::to_vec);
    Ok(((contract, entry.key.0.clone()), value))
}
