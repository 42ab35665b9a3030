//! What the patient herself sends to the ledger: claims, revocations, cancelled recoveries.

use std::time::Duration;

use contract::contracts::membership::MemberRecord;
use contract::identity::{Aid, BlockTime, ServerId};
use contract::record::AuthResult;
use contract::transaction::SignedTransaction;
use protocol::aidc1::{AidIndex, Envelope, Keys, Order, RecoveryCode};
use serde::Deserialize;
use serde_json::{Value, json};

use super::ledger::Ledger;
use crate::client::Question;
use crate::code::Code;
use crate::output::Failure;
use crate::{clock, dice};

/// How long a transaction of hers may wait to be ordered.
const VALID_FOR_MS: u64 = 60_000;
/// How long the member is asked to wait for the ledger.
const WAIT: Duration = Duration::from_secs(5);

/// Who signs an order.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Signer<'a> {
    /// The AID's own key.
    Keys(&'a Keys),
    /// The code from the paper, for one AID.
    Code(&'a RecoveryCode, AidIndex, Aid),
}

/// What became of an order.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Submitted {
    /// The member that took it.
    pub(crate) member: String,
    /// Its block, if it is on the ledger.
    pub(crate) height: Option<u64>,
}

#[derive(Deserialize)]
struct Reply {
    schema: String,
    status: String,
    height: Option<u64>,
    outcome: Option<Value>,
}

impl Submitted {
    /// The object under `--json`.
    pub(crate) fn to_json(&self) -> Value {
        json!({ "member": self.member, "height": self.height })
    }
}

/// Claims a session that its server did not bring to the ledger, at any other member.
pub(crate) fn claim(
    ledger: Ledger<'_>,
    keys: &Keys,
    result: &AuthResult,
) -> Result<Submitted, Failure> {
    let order = Order::Claim(Box::new(result.clone()));
    submit(ledger, Signer::Keys(keys), order, Some(&result.server_id))
}

/// Sends an order to one member after another until one takes it; not to the one that is not to be asked.
pub(crate) fn submit(
    ledger: Ledger<'_>,
    signer: Signer<'_>,
    order: Order,
    except: Option<&ServerId>,
) -> Result<Submitted, Failure> {
    let envelope = Envelope {
        chain: *ledger.genesis.chain(),
        valid_until: BlockTime::new(clock::wall_ms()).plus_ms(VALID_FOR_MS),
        salt: dice::random()?,
    };
    let transaction = match signer {
        Signer::Keys(keys) => keys.order(order, &envelope),
        Signer::Code(code, index, aid) => code.order((index, aid), order, &envelope),
    };
    let mut last = None;
    let members = ledger.members().all().iter();
    for member in members.filter(|member| Some(&member.server_id) != except) {
        match send(ledger, member, &transaction) {
            Err(failure) if is_elsewhere(&failure) => last = Some(failure),
            ended => return ended,
        }
    }
    Err(last.unwrap_or_else(|| Failure::new(Code::CannotReach)))
}

fn send(
    ledger: Ledger<'_>,
    member: &MemberRecord,
    signed: &SignedTransaction,
) -> Result<Submitted, Failure> {
    let path = format!("/v1/patient/transactions?wait_ms={}", WAIT.as_millis());
    let question = Question::post(path, signed.as_bytes().to_vec()).waits(WAIT);
    let answer = ledger.client(member)?.ask(question)?.success()?;
    let reply: Reply = answer.json()?;
    if reply.schema != "aidchain.submitted/1" {
        return Err(Failure::new(Code::NodeAnswer));
    }
    if let Some(reason) = reply.outcome.as_ref().and_then(refusal) {
        return Err(Failure::new(Code::ContractRefused).because(reason));
    }
    Ok(Submitted {
        member: member.member.name.clone(),
        height: reply.height.filter(|_| reply.status == "committed"),
    })
}

/// Why the contract said no, if it did.
fn refusal(outcome: &Value) -> Option<String> {
    let text = |key| outcome.get(key).and_then(Value::as_str);
    let refused = text("status") == Some("refused");
    refused.then(|| text("reason").unwrap_or_default().to_owned())
}

/// Whether another member may do what this one did not.
const fn is_elsewhere(failure: &Failure) -> bool {
    matches!(
        failure.code(),
        Code::CannotReach
            | Code::TimedOut
            | Code::NodeNotReady
            | Code::Overloaded
            | Code::PoolFull
            | Code::OverShare
            | Code::NodeAnswer
            | Code::NodeBug
            | Code::WrongPin
    )
}
