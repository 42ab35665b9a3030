//! What tests of the membership have in common: newcomers, votes, the way to an epoch's end.

use contract::contracts::membership::{
    Candidate, MembershipChange, ParameterChange, Renewal, epoch_at, possession_digest,
    renewal_digest,
};
use contract::identity::{ChangeId, SpkiHash};
use contract::{
    Author, Call, ChainId, Execution, Height, Member, Outcome, Output, Role, ServerId,
    SignedTransaction, check_batch,
};
use ed25519_dalek::SigningKey;

use crate::consortium::{Consortium, public, sign};

/// W of these ledgers.
pub(crate) const WINDOW: u64 = 64;

pub(crate) const WRITTEN: Outcome = Outcome::Done(Output::Written);

pub(crate) const fn ends(last: u64) -> Outcome {
    Outcome::Done(Output::EpochEnds {
        last: Height::new(last),
    })
}

/// Somebody who wants to become a member.
#[derive(Clone)]
pub(crate) struct Newcomer {
    pub(crate) signer: SigningKey,
    pub(crate) member: Member,
}

impl Newcomer {
    pub(crate) fn new(seed: u8) -> Self {
        let signer = SigningKey::from_bytes(&[seed; 32]);
        let member = Member {
            name: format!("clinic-{seed}"),
            role: Role::Server,
            key: public(&signer),
            network_key: public(&SigningKey::from_bytes(&[seed ^ 0xff; 32])),
            tls_spki: SpkiHash::new([seed; 32]),
            p2p: format!("/ip4/127.0.0.1/tcp/72{seed}"),
            api: format!("https://127.0.0.1:82{seed}"),
        };
        Self { signer, member }
    }

    pub(crate) fn id(&self) -> ServerId {
        self.member.server_id()
    }

    pub(crate) fn candidate(&self, chain: &ChainId) -> Candidate {
        Candidate {
            possession: sign(&self.signer, &possession_digest(chain, &self.member)),
            member: self.member.clone(),
        }
    }
}

/// A change that adds these newcomers.
pub(crate) fn adding(ledger: &Consortium, newcomers: &[&Newcomer]) -> MembershipChange {
    let candidate = |one: &&Newcomer| one.candidate(ledger.chain());
    MembershipChange {
        add: newcomers.iter().map(candidate).collect(),
        ..MembershipChange::default()
    }
}

/// A change that removes founding members, and says that f may fall.
pub(crate) fn removing(ledger: &Consortium, members: &[usize]) -> MembershipChange {
    MembershipChange {
        remove: members.iter().map(|at| ledger.id(*at)).collect(),
        lower_faults: true,
        ..MembershipChange::default()
    }
}

/// A new key for a founding member, signed by both.
pub(crate) fn renewal(ledger: &Consortium, member: usize, signer: &SigningKey) -> Renewal {
    let id = ledger.id(member);
    let mut to = ledger.genesis.members()[member].clone();
    to.key = public(signer);
    let digest = renewal_digest(ledger.chain(), &id, &to);
    Renewal {
        id,
        by_old: sign(&ledger.keys[member], &digest),
        by_new: sign(signer, &digest),
        to,
    }
}

/// A change that gives parameters other values.
pub(crate) fn setting(pairs: &[(&str, u64)]) -> MembershipChange {
    let change = |(name, value): &(&str, u64)| ParameterChange {
        name: (*name).to_owned(),
        value: *value,
    };
    MembershipChange {
        parameters: pairs.iter().map(change).collect(),
        ..MembershipChange::default()
    }
}

impl Consortium {
    /// A founding member's governance call as a block.
    pub(crate) fn asks(&mut self, member: usize, call: Call) -> Outcome {
        let transaction = self.by_member(member, call);
        self.one(transaction)
    }

    /// A founding member proposes.
    pub(crate) fn propose(
        &mut self,
        member: usize,
        change: &MembershipChange,
    ) -> (ChangeId, Outcome) {
        let id = change.id(self.chain());
        let call = Call::ProposeChange(Box::new(change.clone()));
        (id, self.asks(member, call))
    }

    /// Founding members 0, 1 and 2, a quorum of four, agree; the last outcome.
    pub(crate) fn agree(&mut self, change: &MembershipChange) -> (ChangeId, Outcome) {
        let (id, proposed) = self.propose(0, change);
        assert_eq!(proposed, WRITTEN);
        assert_eq!(self.asks(1, Call::ApproveChange(id)), WRITTEN);
        let outcome = self.asks(2, Call::ApproveChange(id));
        (id, outcome)
    }

    /// Somebody says under this id and key that it is ready.
    pub(crate) fn ready_as(&mut self, id: ServerId, signer: &SigningKey) -> SignedTransaction {
        let valid_until = self.tip.header().time.plus_ms(60_000);
        let call = Call::Ready {
            height: self.tip.height(),
            header: *self.tip.hash(),
        };
        self.signed_with(Author::Member(id), signer, valid_until, call)
    }

    /// A newcomer says that it is ready.
    pub(crate) fn ready(&mut self, newcomer: &Newcomer) -> Outcome {
        let transaction = self.ready_as(newcomer.id(), &newcomer.signer);
        self.one(transaction)
    }

    /// Executes one null batch.
    pub(crate) fn null(&mut self) -> Execution {
        let now = self.tip.header().time;
        let limits = self.genesis.parameters();
        let batch = check_batch(&[], self.genesis.chain(), limits, now, |_| false).unwrap();
        self.apply(&batch)
    }

    /// Fills with null batches up to the end of the epoch, which must be fixed.
    pub(crate) fn end_the_epoch(&mut self) -> Execution {
        let state = epoch_at(&self.snapshot()).unwrap();
        let last = state.end.unwrap().last;
        loop {
            let execution = self.null();
            if self.tip.height() == last {
                return execution;
            }
        }
    }
}
