//! Members as servers that are signed in at.

use std::collections::BTreeMap;

use contract::identity::{Aid, Height, SessionId};
use contract::record::{AuthResult, PatientRecord};
use contract::transaction::Call;
use hyper::header::HeaderMap;
use patient::code::Code;
use protocol::aidc1::{EpochSecret, Gate, Me5, Me9, Server, Serving, Status};
use protocol::suite::{Answered, Directory, Message as _, Pending as _, Suite as _};
use protocol::wu::PatientId;
use protocol::{Aidc1, Reason, Timestamp};

use super::serve::Reply;
use super::{Chain, World};

/// One member's sign-ins.
pub(crate) struct Desk {
    server: Server,
    gate: Gate,
    open: BTreeMap<SessionId, Serving>,
    /// The bytes of a confirm, and of its answer.
    answered: BTreeMap<SessionId, (Vec<u8>, Vec<u8>)>,
    /// Whom this server knows by name.
    pub(crate) known: Vec<PatientId>,
}

impl Desk {
    pub(crate) fn new(chain: &Chain, at: usize, secret: &EpochSecret) -> Self {
        let genesis = &chain.genesis;
        let id = genesis.members()[at].server_id();
        let mut server = Server::new(*genesis.chain(), id);
        server
            .install(genesis.content().servers[at].clone(), secret)
            .unwrap();
        Self {
            server,
            gate: Gate::default(),
            open: BTreeMap::new(),
            answered: BTreeMap::new(),
            known: Vec::new(),
        }
    }
}

/// This machine's time, and so many milliseconds more.
pub(crate) fn now(ahead_ms: u64) -> Timestamp {
    Timestamp::from_millis(patient::clock::wall_ms() + ahead_ms)
}

struct Reads<'a>(&'a Chain);

impl Directory<PatientRecord> for Reads<'_> {
    fn resolve(&self, aid: &Aid) -> Option<PatientRecord> {
        let found = contract::contracts::identity::identity_at(&self.0.snapshot(), aid).unwrap();
        match found?.credential {
            contract::contracts::identity::Credential::Aidc1(record) => Some(record),
            contract::contracts::identity::Credential::Wu2021 { .. } => None,
        }
    }

    fn height(&self) -> Height {
        self.0.tip.height()
    }
}

impl World {
    pub(super) fn hello(&mut self, at: usize, body: &[u8]) -> Reply {
        let now = now(self.trouble.ahead_ms);
        let desk = &mut self.desks[at];
        let me5 = Me5::parse(body).unwrap();
        let answered = Aidc1::admit(&mut desk.gate, me5, now).and_then(|admitted| {
            let reads = Reads(&self.chain);
            Aidc1::answer(&desk.server, &reads, admitted, now, &mut self.rng)
        });
        match answered {
            Ok(opened) => {
                let Answered::AwaitConfirm(serving) = opened.state else {
                    unreachable!("AIDC-1 has a third message");
                };
                // As the node learns it: by what the state shows.
                let sid = serving.session();
                desk.open.insert(sid, serving);
                Reply::ok(opened.message.encode())
            }
            Err(failed) => Reply::problem(403, refusal(failed.reason())),
        }
    }

    pub(super) fn confirm(&mut self, at: usize, headers: &HeaderMap, body: &[u8]) -> Reply {
        let sid = headers.get("aidchain-session").unwrap().to_str().unwrap();
        let sid: SessionId = sid.parse().unwrap();
        let desk = &mut self.desks[at];
        if let Some((bytes, answer)) = desk.answered.get(&sid) {
            assert_eq!(bytes, body, "a retransmission repeats the bytes");
            return Reply::ok(answer.clone());
        }
        let Some(serving) = desk.open.remove(&sid) else {
            return Reply::problem(403, Code::SignInRefused);
        };
        let me9 = Me9::parse(body).unwrap();
        let Ok(accepted) = serving.finish(&me9, now(self.trouble.ahead_ms)) else {
            return Reply::problem(403, Code::SignInRefused);
        };
        desk.known.extend(accepted.evidence.id);
        let status = self.record(at, accepted.evidence.result);
        let answer = accepted.evidence.answering.answer(status).encode();
        let kept = (body.to_vec(), answer.clone());
        self.desks[at].answered.insert(sid, kept);
        Reply::ok(answer)
    }

    fn record(&mut self, at: usize, result: AuthResult) -> Status {
        let before = self.chain.tip.height();
        if self.trouble.keeps_results {
            return Status::Accepted(before);
        }
        self.chain.calls(at, Call::Results(vec![result]));
        Status::Recorded(self.chain.tip.height())
    }
}

const fn refusal(reason: Reason) -> Code {
    match reason {
        Reason::Expired => Code::ClockSkew,
        Reason::Behind => Code::NodeBehind,
        Reason::WrongEpoch => Code::StaleServerRecord,
        Reason::Locked
        | Reason::UnknownAid
        | Reason::NotReproduced
        | Reason::NotOnCurve
        | Reason::Mismatch
        | Reason::Replayed
        | Reason::Full
        | Reason::Reserved
        | Reason::NotProved => Code::SignInRefused,
    }
}
