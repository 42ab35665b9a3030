//! Excerpts of the certified state, fetched from a member and believed for their proofs alone.

use std::path::Path;
use std::time::Duration;

use contract::contracts::identity::Origin;
use contract::genesis::Genesis;
use contract::identity::{Aid, Height};

use super::ledger::Ledger;
use crate::client::{Client, KNOWN_HEIGHT, Question};
use crate::clock;
use crate::code::Code;
use crate::excerpt::Excerpt;
use crate::known;
use crate::light::Shown;
use crate::output::Failure;

/// How long a node that is behind may take to catch up before it answers.
pub(crate) const BEHIND_WAIT: Duration = Duration::from_secs(2);

/// What a member shows of all servers' keys.
pub(crate) fn servers(client: &Client, genesis: &Genesis, card: &Path) -> Result<Shown, Failure> {
    shown(client, Question::get("/v1/server"), genesis, card)
}

/// What a member shows of one AID. It learns the AID.
pub(crate) fn record(
    client: &Client,
    genesis: &Genesis,
    (card, aid): (&Path, &Aid),
) -> Result<Shown, Failure> {
    let question = Question::post("/v1/record", aid.as_bytes().to_vec());
    shown(client, question, genesis, card)
}

/// What a member shows of who the members are, and the bytes that show it.
pub(crate) fn members(
    client: &Client,
    genesis: &Genesis,
    card: &Path,
) -> Result<(Vec<u8>, Shown), Failure> {
    excerpt(client, Question::get("/v1/consortium"), genesis, card)
}

fn shown(
    client: &Client,
    question: Question,
    genesis: &Genesis,
    card: &Path,
) -> Result<Shown, Failure> {
    excerpt(client, question, genesis, card).map(|(_bytes, shown)| shown)
}

fn excerpt(
    client: &Client,
    question: Question,
    genesis: &Genesis,
    card: &Path,
) -> Result<(Vec<u8>, Shown), Failure> {
    let known = known::height(card, genesis.chain())?;
    let question = question
        .header(KNOWN_HEIGHT, known.get().to_string())
        .waits(BEHIND_WAIT);
    let answer = client.ask_patiently(&question)?;
    let shown = verified(answer.body(), genesis, known).map_err(|failure| {
        let from = format!("what {} shows of the ledger does not check", client.url());
        failure.message(from)
    })?;
    known::note(card, genesis.chain(), shown.height())?;
    Ok((answer.body().to_vec(), shown))
}

/// The excerpt in these bytes, checked now.
pub(crate) fn verified(bytes: &[u8], genesis: &Genesis, known: Height) -> Result<Shown, Failure> {
    let excerpt =
        Excerpt::parse(bytes).map_err(|error| Failure::new(Code::BadExcerpt).because(error))?;
    Shown::verify(&excerpt, genesis, known, clock::wall_ms())
        .map_err(|reason| Failure::new(reason.code()).because(reason))
}

/// "recovered by RC and NAME at height H", for as long as everybody who relies on the AID is to see it.
pub(crate) fn notice(ledger: Ledger<'_>, shown: &Shown, origin: Option<&Origin>) -> Option<String> {
    let origin = origin?;
    let (rc, approver) = origin.notice(shown.time())?;
    Some(format!(
        "recovered by {} and {} at height {}",
        ledger.name(&rc),
        ledger.name(&approver),
        origin.height
    ))
}
