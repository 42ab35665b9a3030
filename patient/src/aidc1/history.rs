//! What the ledger says about an AID: asked of one member, under the AID's own key, and believed for the proofs alone.

use std::path::Path;

use contract::contracts::authlog::Claims;
use contract::contracts::disclosure::Disclosure;
use contract::contracts::identity::{Event, Origin, PendingRecovery};
use contract::contracts::membership::MemberRecord;
use contract::identity::{BlockTime, Height, ServerId, SessionId};
use contract::record::{PatientRecord, Status};
use contract::recorded::Standing;
use protocol::aidc1::Keys;
use protocol::aidc1::history::HistoryRequest;
use protocol::suite::Message as _;
use serde::Deserialize;

use super::ledger::Ledger;
use super::pending::unshown;
use super::wallet::now;
use crate::client::{KNOWN_HEIGHT, Question};
use crate::code::Code;
use crate::excerpt::Excerpt;
use crate::light::{self, Content, Expect, Shown, SignIn};
use crate::output::Failure;
use crate::receipt::{FILE_BYTES_MAX, Receipt};
use crate::{clock, known};

const SCHEMA: &str = "aidchain.history/1";
/// Pages that are read of one AID: ten thousand sign-ins.
const PAGES_MAX: usize = 100;
/// Bytes of one page: its excerpt, its receipts, and what is around them.
const PAGE_BYTES_MAX: usize = 4 * FILE_BYTES_MAX;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Page {
    schema: String,
    version: u16,
    excerpt: Excerpt,
    sign_ins: Vec<Row>,
    next: Option<String>,
    kept_from: u64,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Row {
    standing: String,
    height: u64,
    #[serde(rename = "index")]
    _index: u64,
    #[serde(rename = "entry")]
    _entry: u64,
    server_id: ServerId,
    sid: SessionId,
    receipt: Option<Receipt>,
}

/// One sign-in, or what was claimed to be one.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Account {
    pub(crate) server: ServerId,
    pub(crate) session: SessionId,
    pub(crate) height: u64,
    pub(crate) standing: Standing,
    /// When, where it is proved; nothing where the member has no receipt any more.
    pub(crate) proved: Option<BlockTime>,
}

/// Everything about one AID.
#[derive(Debug)]
pub(crate) struct History {
    pub(crate) height: Height,
    pub(crate) time: BlockTime,
    pub(crate) status: Status,
    pub(crate) accounts: Vec<Account>,
    pub(crate) claims: Claims,
    /// Oldest first; as many as the ledger counts, or the newest of them.
    pub(crate) events: Vec<Event>,
    pub(crate) events_missing: u32,
    pub(crate) origin: Option<Origin>,
    pub(crate) recovery: Option<PendingRecovery>,
    pub(crate) disclosures: Vec<Disclosure>,
    pub(crate) disclosures_missing: u32,
    /// The member keeps no block below this one.
    pub(crate) kept_from: u64,
}

/// Asks a member for everything about the AID of these keys. It learns that somebody with this AID asks.
pub(crate) fn of(
    ledger: Ledger<'_>,
    member: &MemberRecord,
    (keys, card): (&Keys, &Path),
) -> Result<Option<History>, Failure> {
    let mut cursor = None;
    let mut history: Option<History> = None;
    for _ in 0..PAGES_MAX {
        let page = page(ledger, member, (keys, card), cursor.as_deref())?;
        let accounts = accounts(&page, ledger, keys)?;
        match &mut history {
            None => history = summary(&page, ledger, (keys, card))?,
            Some(history) => history.kept_from = history.kept_from.max(page.kept_from),
        }
        let Some(found) = &mut history else {
            return Ok(None);
        };
        found.accounts.extend(accounts);
        cursor = page.next;
        if cursor.is_none() {
            break;
        }
    }
    if let Some(history) = &mut history {
        history.accounts = merged(std::mem::take(&mut history.accounts));
        check_claims(history)?;
    }
    Ok(history)
}

fn page(
    ledger: Ledger<'_>,
    member: &MemberRecord,
    (keys, card): (&Keys, &Path),
    cursor: Option<&str>,
) -> Result<Page, Failure> {
    let chain = ledger.genesis.chain();
    let request = HistoryRequest::new(keys, chain, member.server_id, now());
    let path = match cursor {
        Some(cursor) if is_cursor(cursor) => format!("/v1/history?cursor={cursor}"),
        Some(_) => return Err(incomplete("its next page has no name")),
        None => "/v1/history".to_owned(),
    };
    let known = known::height(card, chain)?;
    let question =
        Question::post(path, request.encode()).header(KNOWN_HEIGHT, known.get().to_string());
    let answer = ledger.client(member)?.ask_patiently(&question)?;
    if answer.body().len() > PAGE_BYTES_MAX {
        return Err(incomplete("it is longer than a page can be"));
    }
    let page: Page = answer.json()?;
    if page.schema != SCHEMA || page.version != 1 {
        return Err(incomplete("its schema is another one"));
    }
    Ok(page)
}

/// height.index.entry
fn is_cursor(text: &str) -> bool {
    text.len() <= 64
        && text
            .bytes()
            .all(|byte| byte.is_ascii_digit() || byte == b'.')
}

fn incomplete(why: &str) -> Failure {
    Failure::new(Code::HistoryIncomplete).because(why)
}

/// What the certified state says about the AID; nothing if it does not know it.
fn summary(
    page: &Page,
    ledger: Ledger<'_>,
    (keys, card): (&Keys, &Path),
) -> Result<Option<History>, Failure> {
    let genesis = ledger.genesis;
    let known = known::height(card, genesis.chain())?;
    let text = serde_json::to_vec(&page.excerpt)
        .map_err(|error| Failure::new(Code::Bug).because(error))?;
    let shown = super::state::verified(&text, genesis, known)?;
    known::note(card, genesis.chain(), shown.height())?;
    let aid = keys.aid();
    let Some(record) = shown.patient(aid).map_err(unshown)? else {
        return Ok(None);
    };
    read(&shown, &record, page.kept_from)
        .map(Some)
        .map_err(unshown)
}

fn read(shown: &Shown, record: &PatientRecord, kept_from: u64) -> Result<History, light::NotShown> {
    let aid = &record.aid;
    let (events, events_missing) = shown.newest_events(aid)?;
    let (disclosures, disclosures_missing) = shown.newest_disclosures(aid)?;
    Ok(History {
        height: shown.height(),
        time: shown.time(),
        status: record.status,
        accounts: Vec::new(),
        claims: shown.claims(aid)?,
        events,
        events_missing,
        origin: shown.origin(aid)?,
        recovery: shown.open_recovery(aid)?,
        disclosures,
        disclosures_missing,
        kept_from,
    })
}

/// The rows of a page, each held against its receipt.
fn accounts(page: &Page, ledger: Ledger<'_>, keys: &Keys) -> Result<Vec<Account>, Failure> {
    let one = |row: &Row| {
        let standing = match row.standing.as_str() {
            "recorded" => Standing::Recorded,
            "late" => Standing::Late,
            "claimed" => Standing::Claimed,
            _ => return Err(incomplete("a sign-in has no standing")),
        };
        let account = Account {
            server: row.server_id,
            session: row.sid,
            height: row.height,
            standing,
            proved: None,
        };
        match &row.receipt {
            Some(receipt) => Ok(Account {
                proved: Some(proved(&account, receipt, ledger, keys)?),
                ..account
            }),
            None => Ok(account),
        }
    };
    page.sign_ins.iter().map(one).collect()
}

/// When it was, if the receipt is about just this.
fn proved(
    account: &Account,
    receipt: &Receipt,
    ledger: Ledger<'_>,
    keys: &Keys,
) -> Result<BlockTime, Failure> {
    let receipt = Receipt::parse(receipt.to_file().as_bytes())
        .map_err(|error| Failure::new(Code::BadReceipt).because(error))?;
    let expect = Expect::default();
    let (_report, verdict) = light::verify(&receipt, ledger.genesis, &expect, clock::wall_ms());
    let verified = verdict.map_err(|reason| Failure::new(reason.code()).because(reason))?;
    let found = found_in(&verified.content, account, keys);
    let is_it = found.is_some_and(|one| {
        one.standing == account.standing && verified.height.get() == account.height
    });
    if is_it {
        Ok(verified.time)
    } else {
        Err(incomplete("a receipt in it is about something else"))
    }
}

fn found_in<'a>(content: &'a Content, account: &Account, keys: &Keys) -> Option<&'a SignIn> {
    let meant = |one: &&SignIn| {
        one.aid == *keys.aid() && one.session == account.session && one.server == account.server
    };
    match content {
        Content::SignIns(all) => all.iter().find(meant),
        Content::Claim(one) => Some(&**one).filter(|one| meant(one)),
        Content::Registration { .. }
        | Content::Registrations(_)
        | Content::Replacement { .. }
        | Content::Other { .. } => None,
    }
}

/// One account for each session: the greatest of those that there are.
fn merged(mut all: Vec<Account>) -> Vec<Account> {
    all.sort_by_key(|one| (one.server, one.session, one.standing));
    let mut merged: Vec<Account> = Vec::with_capacity(all.len());
    for one in all {
        match merged.last_mut() {
            Some(last) if (last.server, last.session) == (one.server, one.session) => *last = one,
            Some(_) | None => merged.push(one),
        }
    }
    merged.sort_by_key(|one| core::cmp::Reverse(one.height));
    merged
}

/// Every claim that takes a place has to be among what was shown.
fn check_claims(history: &History) -> Result<(), Failure> {
    let shown = |open: &contract::contracts::authlog::OpenClaim| {
        let mut accounts = history.accounts.iter();
        accounts.any(|one| one.server == open.server_id && one.session == open.sid)
    };
    if history.claims.open.iter().all(shown) {
        return Ok(());
    }
    Err(incomplete(
        "the ledger counts a claim that it does not show",
    ))
}
