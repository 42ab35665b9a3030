//! What members answer to a question for a history, as `docs/aidc1-api.md` says.

use contract::contract_id::{ContractId, IDENTITY};
use contract::contracts::{authlog, disclosure, identity};
use contract::identity::{Aid, ServerId, SessionId};
use contract::transaction::Call;
use patient::code::Code;
use protocol::aidc1::history::HistoryRequest;
use protocol::suite::Message as _;
use serde_json::{Value, json};

use super::serve::Reply;
use super::server::now;
use super::{Block, World};

impl World {
    pub(super) fn history(&self, at: usize, body: &[u8]) -> Reply {
        let request = HistoryRequest::parse(body).unwrap();
        let aid = *request.aid();
        let genesis = &self.chain.genesis;
        let member = genesis.members()[at].server_id();
        let found = identity::identity_at(&self.chain.snapshot(), &aid).unwrap();
        let key = found.and_then(|found| match found.credential {
            identity::Credential::Aidc1(record) => Some(record.pk_sig),
            identity::Credential::Wu2021 { .. } => None,
        });
        let for_whom = (genesis.chain(), &member);
        if !key.is_some_and(|key| request.holds(&key, for_whom, now(0))) {
            return Reply::problem(403, Code::SignInRefused);
        }
        let (rows, claims) = self.rows(&aid);
        let mut excerpt = self.chain.excerpt(self.keys(&aid, &claims));
        if self.trouble.hides_events {
            excerpt
                .entries
                .retain(|entry| !entry.key.0.starts_with(b"event/"));
        }
        Reply::json(
            200,
            &json!({ "schema": "aidchain.history/1", "version": 1, "excerpt": excerpt,
                "sign_ins": rows, "next": null, "kept_from": 0 }),
        )
    }

    fn rows(&self, aid: &Aid) -> (Vec<Value>, Vec<(ServerId, SessionId)>) {
        let mut rows = Vec::new();
        let mut claims = Vec::new();
        let blocks = self.chain.blocks.iter().enumerate().rev();
        for (height, block) in blocks {
            let Some((standing, server, sid)) = account(block, aid) else {
                continue;
            };
            if standing == "claimed" {
                claims.push((server, sid));
                if self.trouble.hides_claims {
                    continue;
                }
            }
            rows.push(
                json!({ "standing": standing, "height": height, "index": 0, "entry": 0,
                "server_id": server, "sid": sid, "receipt": self.chain.receipt(block, 0) }),
            );
        }
        (rows, claims)
    }

    fn keys(&self, aid: &Aid, claims: &[(ServerId, SessionId)]) -> Vec<(ContractId, Vec<u8>)> {
        let events = identity::events_at(&self.chain.snapshot(), aid).unwrap();
        let events = (0_u32..)
            .zip(events)
            .map(|(number, _)| identity::event_key(aid, number));
        let mut keys: Vec<_> = [
            identity::identity_key(aid),
            identity::events_key(aid),
            identity::origin_key(aid),
            identity::recovery_key(aid),
        ]
        .into_iter()
        .chain(events)
        .map(|key| (IDENTITY, key))
        .collect();
        keys.push((authlog::ID, authlog::claims_key(aid)));
        let claim = |(server, sid): &(ServerId, SessionId)| authlog::claim_key(aid, server, sid);
        keys.extend(claims.iter().map(claim).map(|key| (authlog::ID, key)));
        keys.push((disclosure::ID, disclosure::count_key(aid)));
        let all = disclosure::disclosures_of(&self.chain.snapshot(), aid).unwrap();
        for (nth, one) in (0_u32..).zip(all) {
            keys.push((disclosure::ID, disclosure::nth_key(aid, nth)));
            keys.push((disclosure::ID, disclosure::entry_key(one.number)));
        }
        keys
    }
}

/// What a block has of an AID's sign-ins.
fn account(block: &Block, aid: &Aid) -> Option<(&'static str, ServerId, SessionId)> {
    let call = block.transactions.first()?.call();
    if let Call::Results(all) = call {
        let one = all.iter().find(|one| one.aid == *aid)?;
        return Some(("recorded", one.server_id, one.sid));
    }
    let Call::Claim(one) = call else {
        return None;
    };
    (one.aid == *aid).then_some(("claimed", one.server_id, one.sid))
}
