//! What happens to patients' identities, and what is only claimed, in words.

use contract::record::{DisclosureRequest, PatientRecord, ServerClaim};
use contract::{AuthResult, Call, Consent, DisclosureCall, RecoveryCall, Registration};

use super::decode::{patient, suite};
use super::names::Names;
use super::parts::{Fact, Value};

/// A registration of several, a replacement, a recovery, a claim or a disclosure, field by field;
/// nothing of other calls.
pub fn fields(names: &Names<'_>, call: &Call) -> Vec<Fact> {
    match call {
        Call::RegisterBatch(registrations) => registered(registrations),
        Call::Replace(replacement) => {
            let consent = match &replacement.consent {
                Consent::SigningKey(_) => "the old signing key's",
                Consent::RecoveryKey(_) => "the recovery key's",
            };
            let mut facts = in_place_of(replacement.old, &replacement.registration.record);
            facts.push(Fact::text("Consent", consent.to_owned()));
            facts
        }
        Call::Recovery(step) => recovery(step),
        Call::Claim(result) => claim(names, result),
        Call::ServerClaims(reports) => vec![Fact::text(
            "Refused, as the server says",
            reports.iter().map(report).collect::<Vec<_>>().join("; "),
        )],
        Call::Disclosure(step) => disclosure(step),
        Call::Register(_)
        | Call::Revoke(_)
        | Call::Shred(_)
        | Call::WuRegister(_)
        | Call::LimbasiyaServer(_)
        | Call::LimbasiyaUser(_)
        | Call::Results(_)
        | Call::LateResults(_)
        | Call::LegacyResults(_)
        | Call::SetServer(_)
        | Call::ProposeChange(_)
        | Call::ApproveChange(_)
        | Call::CancelChange(_)
        | Call::Ready { .. }
        | Call::Rejoin { .. }
        | Call::Evidence(_) => Vec::new(),
    }
}

fn registered(registrations: &[Registration]) -> Vec<Fact> {
    let aids: Vec<String> = registrations
        .iter()
        .map(|one| one.record.aid.to_string())
        .collect();
    vec![Fact::text("Identities", aids.join(", "))]
}

/// The new record, and whose place it takes.
fn in_place_of(old: contract::Aid, record: &PatientRecord) -> Vec<Fact> {
    let mut facts = patient(record);
    facts.insert(0, Fact::new("In the place of", Value::Aid(old)));
    facts
}

fn recovery(step: &RecoveryCall) -> Vec<Fact> {
    match step {
        RecoveryCall::Request(recovery) => {
            let mut facts = in_place_of(recovery.old, &recovery.registration.record);
            facts.push(Fact::text("Officer", recovery.officer.to_string()));
            facts.push(Fact::text("Consent", "no key of the patient's".to_owned()));
            facts
        }
        RecoveryCall::Approve { old, new } => vec![
            Fact::new("In the place of", Value::Aid(*old)),
            Fact::new("Identity", Value::Aid(*new)),
        ],
        RecoveryCall::Cancel(old) | RecoveryCall::Finish(old) => {
            vec![Fact::new("In the place of", Value::Aid(*old))]
        }
    }
}

/// What a patient says alone; in no listing of sign-ins, whoever reads it.
fn claim(names: &Names<'_>, result: &AuthResult) -> Vec<Fact> {
    let server = Value::Server(names.of(&result.server_id), result.server_id.to_string());
    vec![
        Fact::text("Standing", "not countersigned: no sign-in".to_owned()),
        Fact::new("Identity", Value::Aid(result.aid)),
        Fact::new("Server", server),
        Fact::text("Suite", suite(result.suite)),
        Fact::text("Key epoch", result.key_epoch.to_string()),
        Fact::new("Asked", Value::Time(result.t1.get())),
        Fact::new("Answered", Value::Time(result.t3.get())),
        Fact::new("Session", Value::Hash("session", result.sid.to_string())),
    ]
}

fn report(report: &ServerClaim) -> String {
    let who = report
        .aid
        .map_or_else(|| "nobody known".to_owned(), |aid| aid.to_string());
    format!("{who}: {}", report.reason)
}

fn disclosure(step: &DisclosureCall) -> Vec<Fact> {
    match step {
        DisclosureCall::Request(request) => asked(request),
        DisclosureCall::Approve { number, aid } => vec![
            Fact::text("Number", number.to_string()),
            Fact::new("Identity", Value::Aid(*aid)),
        ],
    }
}

fn asked(request: &DisclosureRequest) -> Vec<Fact> {
    let mut facts = vec![
        Fact::new("Identity", Value::Aid(request.aid)),
        Fact::text("Officer", request.officer.to_string()),
        Fact::text(
            "Purpose",
            format!("{} ({})", request.purpose.code(), request.purpose),
        ),
    ];
    if let Some(note) = &request.note {
        facts.push(Fact::new(
            "Note",
            Value::Hash("hash of the note", note.to_string()),
        ));
    }
    facts
}

#[cfg(test)]
mod tests {
    use contract::identity::{Aid, BlockTime, PublicKey, ServerId, SessionId, SignatureBytes};
    use contract::{Kind, Purpose, SuiteId};

    use super::super::decode;
    use super::*;
    use crate::http::testing;

    #[test]
    fn a_claim_says_first_that_it_is_no_sign_in() {
        let genesis = testing::genesis(Kind::Secure);
        let result = AuthResult {
            suite: SuiteId::AIDC_1,
            server_id: ServerId::new([1; 32]),
            key_epoch: 1,
            aid: Aid::new([2; 32]),
            t1: BlockTime::new(1),
            t3: BlockTime::new(2),
            sid: SessionId::new([3; 32]),
            pk_sig: PublicKey::new([4; 32]),
            sigma: SignatureBytes::new([5; 64]),
        };

        let facts = decode::fields(
            &Names::of_founders(&genesis),
            &Call::Claim(Box::new(result)),
        );

        let first = Fact::text("Standing", "not countersigned: no sign-in".to_owned());
        assert_eq!(facts.first(), Some(&first));
    }

    #[test]
    fn a_disclosure_names_officer_and_purpose_and_the_hash_of_a_note_only_if_there_is_one() {
        let genesis = testing::genesis(Kind::Secure);
        let request = DisclosureRequest {
            aid: Aid::new([2; 32]),
            officer: "desk-7".parse().unwrap(),
            purpose: Purpose::Legal,
            note: None,
        };

        let call = Call::Disclosure(DisclosureCall::Request(Box::new(request)));
        let facts = decode::fields(&Names::of_founders(&genesis), &call);

        let purpose = Fact::text("Purpose", "HLEGAL (a court or a law demands it)".to_owned());
        assert_eq!(facts.get(2), Some(&purpose));
        assert_eq!(facts.len(), 3);
    }
}
