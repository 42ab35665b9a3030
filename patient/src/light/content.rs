//! What a transaction says, as far as a receipt's owner cares.

use contract::genesis::{Genesis, Member};
use contract::identity::{Aid, BlockTime, ServerId, SessionId, SuiteId, TransactionHash};
use contract::outcome::Outcome;
use contract::receipt::Included;
use contract::record::{AuthResult, LegacyResult};
use contract::recorded::Standing;
use contract::transaction::{Author, Call, DisclosureCall, RecoveryCall};

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
    /// Whether it reached the ledger in time, late, or as a claim that is no sign-in.
    pub standing: Standing,
}

/// What was recorded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Content {
    /// A patient was registered.
    Registration {
        /// Who.
        aid: Aid,
    },
    /// Several AIDs were registered: those of the batch that the contract took.
    Registrations(Vec<Aid>),
    /// One AID took another's place.
    Replacement {
        /// The one that ended.
        old: Aid,
        /// The one that began.
        new: Aid,
    },
    /// The patient alone says that she signed in; it is no sign-in.
    Claim(Box<SignIn>),
    /// Sign-ins were recorded: the one of a bundle that the receipt shows, or those of the papers' suites that the
    /// contract took.
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
            Call::LimbasiyaUser(uid) => Self::Registration { aid: *uid },
            Call::RegisterBatch(registrations) => {
                let aids = registrations.iter().map(|one| one.record.aid).collect();
                Self::Registrations(taken(aids, included)?)
            }
            Call::Replace(replacement) => Self::Replacement {
                old: replacement.old,
                new: replacement.registration.record.aid,
            },
            Call::Claim(result) => {
                Self::Claim(Box::new(sign_in(result, Standing::Claimed, genesis)))
            }
            Call::Results(_) | Call::LateResults(_) | Call::LegacyResults(_) => {
                Self::SignIns(taken(sign_ins(call, genesis), included)?)
            }
            Call::ServerClaims(reports) => {
                taken(reports.iter().collect(), included)?;
                Self::Other {
                    call: call.name(),
                    aid: None,
                }
            }
            Call::Revoke(aid)
            | Call::Shred(aid)
            | Call::Recovery(
                RecoveryCall::Approve { old: aid, .. }
                | RecoveryCall::Cancel(aid)
                | RecoveryCall::Finish(aid),
            )
            | Call::Disclosure(DisclosureCall::Approve { aid, .. }) => Self::about(call, aid),
            Call::Recovery(RecoveryCall::Request(recovery)) => Self::about(call, &recovery.old),
            Call::Disclosure(DisclosureCall::Request(request)) => Self::about(call, &request.aid),
            Call::SetServer(_)
            | Call::ProposeChange(_)
            | Call::ApproveChange(_)
            | Call::CancelChange(_)
            | Call::Ready { .. }
            | Call::Rejoin { .. }
            | Call::Evidence(_)
            | Call::LimbasiyaServer(_) => Self::Other {
                call: call.name(),
                aid: match included.transaction.author() {
                    Author::Patient(aid) => Some(*aid),
                    Author::Member(_) => None,
                },
            },
        })
    }

    const fn about(call: &Call, aid: &Aid) -> Self {
        Self::Other {
            call: call.name(),
            aid: Some(*aid),
        }
    }

    /// The patients it is about.
    pub fn aids(&self) -> Vec<Aid> {
        match self {
            Self::Registration { aid } => vec![*aid],
            Self::Registrations(aids) => aids.clone(),
            Self::Replacement { old, new } => vec![*old, *new],
            Self::Claim(one) => vec![one.aid],
            Self::SignIns(all) => all.iter().map(|one| one.aid).collect(),
            Self::Other { aid, .. } => aid.iter().copied().collect(),
        }
    }

    /// The line that says it.
    pub(super) fn text(&self, time: BlockTime) -> String {
        let when = crate::utc::text(time.get());
        match self {
            Self::Registration { aid } => format!("registration of {}, {when}", brief(aid)),
            Self::Registrations(aids) => match aids.as_slice() {
                [aid] => format!("registration of {}, {when}", brief(aid)),
                more => format!("{} registrations, {when}", more.len()),
            },
            Self::Replacement { old, new } => {
                format!("replacement of {} by {}, {when}", brief(old), brief(new))
            }
            Self::Claim(one) => format!(
                "claim of {}, not countersigned by {}: no sign-in, {when}",
                brief(&one.aid),
                one.server_name
            ),
            Self::SignIns(all) => match all.as_slice() {
                [one] => {
                    let late = match one.standing {
                        Standing::Late => ", recorded late",
                        Standing::Recorded | Standing::Claimed => "",
                    };
                    format!(
                        "sign-in ok{late}, {} at {}, {when}",
                        brief(&one.aid),
                        one.server_name
                    )
                }
                more => format!("{} sign-ins, {when}", more.len()),
            },
            Self::Other { call, aid } => match aid {
                Some(aid) => format!("{} {}, {when}", words(call), brief(aid)),
                None => format!("{call}, {when}"),
            },
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
            Self::Registration { .. }
            | Self::Registrations(_)
            | Self::Replacement { .. }
            | Self::Claim(_)
            | Self::Other { .. } => self.check_other(expect),
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
        Some(name) => {
            let named = genesis.member_named(name).map(Member::server_id);
            // Who joined later is not in the genesis file; an id is the same for ever.
            let server = named.or_else(|| name.parse().ok());
            let unknown = || differs("server", name, &"a genesis file without it");
            Some(server.ok_or_else(unknown)?)
        }
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

/// The entries that are shown and that the contract took.
fn taken<T>(all: Vec<T>, included: &Included) -> Result<Vec<T>, NotValid> {
    let refusal_of = |at| included.transaction.refusal_of(&included.outcome, at);
    let first = refusal_of(0);
    let taken: Vec<T> = all
        .into_iter()
        .enumerate()
        .filter(|(at, _)| refusal_of(*at).is_none())
        .map(|(_, one)| one)
        .collect();
    match first {
        Some(reason) if taken.is_empty() => Err(NotValid::Refused(reason)),
        Some(_) | None => Ok(taken),
    }
}

/// The results in a call; a claim is none.
fn sign_ins(call: &Call, genesis: &Genesis) -> Vec<SignIn> {
    let signed = |results: &[AuthResult], standing| {
        let one = |result| sign_in(result, standing, genesis);
        results.iter().map(one).collect()
    };
    match call {
        Call::Results(results) => signed(results, Standing::Recorded),
        Call::LateResults(results) => signed(results, Standing::Late),
        Call::LegacyResults(results) => results.iter().map(|one| legacy(one, genesis)).collect(),
        Call::Register(_)
        | Call::WuRegister(_)
        | Call::Revoke(_)
        | Call::Shred(_)
        | Call::SetServer(_)
        | Call::ProposeChange(_)
        | Call::ApproveChange(_)
        | Call::CancelChange(_)
        | Call::Ready { .. }
        | Call::Rejoin { .. }
        | Call::Evidence(_)
        | Call::RegisterBatch(_)
        | Call::Replace(_)
        | Call::Recovery(_)
        | Call::Claim(_)
        | Call::ServerClaims(_)
        | Call::Disclosure(_)
        | Call::LimbasiyaServer(_)
        | Call::LimbasiyaUser(_) => Vec::new(),
    }
}

fn sign_in(result: &AuthResult, standing: Standing, genesis: &Genesis) -> SignIn {
    SignIn {
        aid: result.aid,
        server: result.server_id,
        server_name: named(&result.server_id, genesis),
        session: result.sid,
        suite: result.suite,
        answered: result.t3,
        standing,
    }
}

fn legacy(result: &LegacyResult, genesis: &Genesis) -> SignIn {
    SignIn {
        aid: result.aid,
        server: result.server_id,
        server_name: named(&result.server_id, genesis),
        session: result.sid,
        suite: result.suite,
        answered: result.t3,
        standing: Standing::Recorded,
    }
}

fn named(server: &ServerId, genesis: &Genesis) -> String {
    genesis
        .member_with_id(server)
        .map_or_else(|| server.to_string(), |member| member.name.clone())
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

/// What a call comes to for the patient that it is about.
fn words(call: &'static str) -> &'static str {
    match call {
        "revoke" => "revocation of",
        "shred" => "shredding of",
        "request-recovery" => "recovery asked for, nothing replaced yet, of",
        "approve-recovery" => "recovery approved, nothing replaced yet, of",
        "cancel-recovery" => "recovery cancelled of",
        "finish-recovery" => "recovery in effect, replaced is",
        "request-disclosure" => "disclosure asked for, not approved, of",
        "approve-disclosure" => "disclosure approved, which counts as done, of",
        other => other,
    }
}

/// An AID as a line of talk shows it.
fn brief(aid: &Aid) -> String {
    let text = aid.to_string();
    match (text.get(..8), text.get(text.len().saturating_sub(4)..)) {
        (Some(first), Some(last)) => format!("{first}…{last}"),
        _ => text,
    }
}
