//! What a transaction says, as far as a receipt's owner cares.

use contract::genesis::Genesis;
use contract::identity::{Aid, BlockTime, ServerId, SessionId, SuiteId, TransactionHash};
use contract::outcome::Outcome;
use contract::receipt::Included;
use contract::transaction::{Author, Call};

use super::{Expect, NotValid};

/// One sign-in on the ledger.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignIn {
    /// Who signed in.
    pub aid: Aid,
    /// Where.
    pub server: ServerId,
    /// The server's name in the genesis file, or its id.
    pub server_name: String,
    /// The number of the sign-in.
    pub session: SessionId,
    /// The suite that was used.
    pub suite: SuiteId,
    /// When the server answered.
    pub answered: BlockTime,
}

/// What was recorded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Content {
    /// A patient was registered.
    Registration {
        /// Who.
        aid: Aid,
    },
    /// Sign-ins were recorded: those of the bundle that the contract took.
    SignIns(Vec<SignIn>),
    /// Something else, named as the ledger names it.
    Other {
        /// The name of the call.
        call: &'static str,
        /// The patient it is about, where it is about one.
        aid: Option<Aid>,
    },
}

impl Content {
    /// What an included transaction recorded; a refused one recorded nothing.
    pub(super) fn read(included: &Included, genesis: &Genesis) -> Result<Self, NotValid> {
        if let Outcome::Refused(reason) = &included.outcome {
            return Err(NotValid::Refused(*reason));
        }
        let call = included.transaction.call();
        Ok(match call {
            Call::Register(registration) => Self::Registration {
                aid: registration.record.aid,
            },
            Call::WuRegister(record) => Self::Registration { aid: record.aid },
            Call::Results(_) | Call::LegacyResults(_) => {
                Self::SignIns(recorded(call, &included.outcome, genesis)?)
            }
            Call::Revoke(aid) | Call::Shred(aid) => Self::Other {
                call: call.name(),
                aid: Some(*aid),
            },
            Call::SetServer(_) => Self::Other {
                call: call.name(),
                aid: match included.transaction.author() {
                    Author::Patient(aid) => Some(*aid),
                    Author::Member(_) => None,
                },
            },
        })
    }

    /// The patients it is about.
    pub fn aids(&self) -> Vec<Aid> {
        match self {
            Self::Registration { aid } => vec![*aid],
            Self::SignIns(all) => all.iter().map(|one| one.aid).collect(),
            Self::Other { aid, .. } => aid.iter().copied().collect(),
        }
    }

    /// The line that says it.
    pub(super) fn text(&self, time: BlockTime) -> String {
        let when = crate::utc::text(time.get());
        match self {
            Self::Registration { aid } => format!("registration of {}, {when}", brief(aid)),
            Self::SignIns(all) => match all.as_slice() {
                [one] => format!(
                    "sign-in ok, {} at {}, {when}",
                    brief(&one.aid),
                    one.server_name
                ),
                more => format!("{} sign-ins, {when}", more.len()),
            },
            Self::Other { call, .. } => format!("{call}, {when}"),
        }
    }

    /// Checks that it is what was asked for.
    pub(super) fn check(
        &self,
        expect: &Expect,
        hash: &TransactionHash,
        genesis: &Genesis,
    ) -> Result<(), NotValid> {
        if let Some(expected) = expect.transaction.filter(|expected| expected != hash) {
            return Err(differs("transaction", &expected, hash));
        }
        match self {
            Self::SignIns(all) => check_sign_ins(all, expect, genesis),
            Self::Registration { .. } | Self::Other { .. } => self.check_other(expect),
        }
    }

    fn check_other(&self, expect: &Expect) -> Result<(), NotValid> {
        if let Some(expected) = &expect.server {
            return Err(differs("server", expected, &"no sign-in at all"));
        }
        if let Some(expected) = &expect.session {
            return Err(differs("sign-in", expected, &"no sign-in at all"));
        }
        match expect.aid {
            Some(expected) if !self.aids().contains(&expected) => {
                Err(differs("patient", &expected, &listed(&self.aids())))
            }
            Some(_) | None => Ok(()),
        }
    }
}

fn check_sign_ins(all: &[SignIn], expect: &Expect, genesis: &Genesis) -> Result<(), NotValid> {
    let server = match &expect.server {
        Some(name) => Some(genesis.member_named(name).map_or_else(
            || Err(differs("server", name, &"a genesis file without it")),
            |member| Ok(member.server_id()),
        )?),
        None => None,
    };
    let of_patient = |one: &&SignIn| expect.aid.is_none_or(|aid| aid == one.aid);
    let at_server = |one: &&SignIn| server.is_none_or(|server| server == one.server);
    let of_session = |one: &&SignIn| expect.session.is_none_or(|session| session == one.session);
    if all
        .iter()
        .any(|one| of_patient(&one) && at_server(&one) && of_session(&one))
    {
        return Ok(());
    }
    let found = |text: fn(&SignIn) -> String| {
        let all: Vec<_> = all.iter().map(text).collect();
        all.join(", ")
    };
    if let Some(expected) = expect
        .aid
        .filter(|_| !all.iter().any(|one| of_patient(&one)))
    {
        return Err(differs(
            "patient",
            &expected,
            &found(|one| one.aid.to_string()),
        ));
    }
    if let Some(expected) = expect
        .server
        .as_ref()
        .filter(|_| !all.iter().any(|one| at_server(&one)))
    {
        return Err(differs(
            "server",
            expected,
            &found(|one| one.server_name.clone()),
        ));
    }
    let expected = expect.session.map_or_else(
        || "of that patient at that server".to_owned(),
        |session| session.to_string(),
    );
    Err(differs(
        "sign-in",
        &expected,
        &found(|one| one.session.to_string()),
    ))
}

/// The results of a bundle that the contract took.
fn recorded(call: &Call, outcome: &Outcome, genesis: &Genesis) -> Result<Vec<SignIn>, NotValid> {
    let all = sign_ins(call, genesis);
    let first = outcome.refusal_of(0);
    let taken: Vec<_> = all
        .into_iter()
        .enumerate()
        .filter(|(at, _)| outcome.refusal_of(*at).is_none())
        .map(|(_, one)| one)
        .collect();
    match first {
        Some(reason) if taken.is_empty() => Err(NotValid::Refused(reason)),
        Some(_) | None => Ok(taken),
    }
}

fn sign_ins(call: &Call, genesis: &Genesis) -> Vec<SignIn> {
    let named = |server: &ServerId| {
        genesis
            .member_with_id(server)
            .map_or_else(|| server.to_string(), |member| member.name.clone())
    };
    match call {
        Call::Results(results) => results
            .iter()
            .map(|one| SignIn {
                aid: one.aid,
                server: one.server_id,
                server_name: named(&one.server_id),
                session: one.sid,
                suite: one.suite,
                answered: one.t3,
            })
            .collect(),
        Call::LegacyResults(results) => results
            .iter()
            .map(|one| SignIn {
                aid: one.aid,
                server: one.server_id,
                server_name: named(&one.server_id),
                session: one.sid,
                suite: one.suite,
                answered: one.t3,
            })
            .collect(),
        Call::Register(_)
        | Call::WuRegister(_)
        | Call::Revoke(_)
        | Call::Shred(_)
        | Call::SetServer(_) => Vec::new(),
    }
}

fn differs(what: &'static str, expected: &impl ToString, found: &impl ToString) -> NotValid {
    NotValid::NotExpected {
        what,
        expected: expected.to_string(),
        found: found.to_string(),
    }
}

fn listed(aids: &[Aid]) -> String {
    let all: Vec<_> = aids.iter().map(Aid::to_string).collect();
    all.join(", ")
}

/// An AID as a line of talk shows it.
fn brief(aid: &Aid) -> String {
    let text = aid.to_string();
    match (text.get(..8), text.get(text.len().saturating_sub(4)..)) {
        (Some(first), Some(last)) => format!("{first}…{last}"),
        _ => text,
    }
}
