//! `aidchain patient history`: what the ledger says about her identities, each line proved.

use clap::Args;
use contract::contracts::disclosure::Disclosure;
use contract::contracts::identity::{Event, What};
use contract::contracts::membership::MemberRecord;
use contract::identity::{Aid, ServerId};
use contract::recorded::Standing;
use contract::transaction::Author;
use protocol::aidc1::{AidIndex, Keys};
use serde_json::{Value, json};

use super::given::{FactorFrom, PasswordFrom};
use super::mine::{Mine, Open};
use crate::aidc1::history::{self, Account, History};
use crate::aidc1::ledger::Ledger;
use crate::aidc1::members::Members;
use crate::aidc1::place::Place;
use crate::code::{Code, Exit};
use crate::dice;
use crate::light::short;
use crate::output::{Console, Failure, Mark};
use crate::utc;

pub(super) const EXAMPLE: &str = "\
Example:
  aidchain patient history --profile mine --bio today.json
  aidchain patient history --profile mine --all --via clinic-b --recovery-code-file paper
An identity that one member knows is asked of that member, the others of the registration
centre, which knows them all; --via asks one member for everything, and it learns that these
identities are one person's.";

/// Which card, and whom to ask.
#[derive(Clone, Debug, Args)]
pub struct ShowHistory {
    #[command(flatten)]
    mine: Mine,
    #[command(flatten)]
    password: PasswordFrom,
    #[command(flatten)]
    factor: FactorFrom,
    /// Also identities that were never used
    #[arg(long)]
    all: bool,
    /// Ask this member for everything
    #[arg(long, value_name = "NAME")]
    via: Option<String>,
}

/// One identity that is asked about.
struct Asked<'a> {
    index: AidIndex,
    keys: Keys,
    member: &'a MemberRecord,
}

impl ShowHistory {
    pub(super) fn run(&self, console: &Console) -> Result<Exit, Failure> {
        let place = self.mine.place()?;
        let (genesis, _file) = self.mine.genesis(&place)?;
        let members = Members::beside(place.card(), &genesis)?;
        let ledger = self.mine.ledger(&genesis, &members)?;
        let _held = place.hold()?;
        let password = self.password.source().password(console)?;
        let shows = self.factor.shows(console)?;
        let mut rng = dice::seeded()?;
        let mut open = Open::card(ledger, &place, (&password, &shows), &mut rng, console)?;
        let mut found = Vec::new();
        let mut failed = None;
        for asked in self.asked(ledger, &mut open)? {
            match history::of(ledger, asked.member, (&asked.keys, place.card())) {
                Ok(history) => found.push((asked, history)),
                Err(failure) => {
                    let text = format!("{}: {}", asked.keys.aid(), failure.what());
                    console.step(Mark::Bad, "history", &text);
                    failed = Some(failure);
                }
            }
        }
        say((ledger, &place), &found, failed, console)
    }

    /// Which identities, each of whom.
    fn asked<'a>(&self, ledger: Ledger<'a>, open: &mut Open) -> Result<Vec<Asked<'a>>, Failure> {
        let via = self
            .via
            .as_deref()
            .map(|name| ledger.named(name))
            .transpose()?;
        let centre = ledger.centre()?;
        let used: Vec<_> = open.opened.holder.rotation().used().collect();
        let root = &open.opened.root;
        let asked = AidIndex::all().filter_map(|index| {
            let seen = used.iter().find(|(one, _)| *one == index);
            let kept: Option<ServerId> = seen.and_then(|(_, server)| *server);
            let knows = kept.and_then(|id| ledger.members().with_id(&id));
            (self.all || seen.is_some()).then(|| Asked {
                index,
                keys: root.seed(index).keys(),
                member: via.or(knows).unwrap_or(centre),
            })
        });
        Ok(asked.collect())
    }
}

/// Shows what was found, and ends as it deserves.
fn say(
    (ledger, place): (Ledger<'_>, &Place),
    shown: &[(Asked<'_>, Option<History>)],
    failed: Option<Failure>,
    console: &Console,
) -> Result<Exit, Failure> {
    let mut text = Vec::new();
    let mut identities = Vec::new();
    for (asked, history) in shown {
        let aid = asked.keys.aid();
        text.extend(lines(ledger, asked, history.as_ref()));
        identities.push(object(ledger, (asked.index, aid), history.as_ref()));
    }
    if let Some(failure) = failed {
        if shown.is_empty() {
            return Err(failure);
        }
        console.talk(&text.join("\n"));
        return Err(failure.note(format!("{} identities were shown before", shown.len())));
    }
    if text.is_empty() {
        text.push("No identity of this card was used yet; --all shows them all.".to_owned());
    }
    let counts = shown.iter().filter_map(|(_, history)| history.as_ref());
    let complete = counts.clone().all(is_complete);
    let object = json!({
        "schema": "aidchain.patient-history/1",
        "card": place.card(),
        "complete": complete,
        "identities": identities,
    });
    console.data(&object, &text.join("\n"))?;
    if complete {
        return Ok(Exit::Ok);
    }
    Err(Failure::new(Code::HistoryIncomplete)
        .because("the ledger counts more entries than this member showed"))
}

const fn is_complete(history: &History) -> bool {
    history.events_missing == 0 && history.disclosures_missing == 0
}

fn lines(ledger: Ledger<'_>, asked: &Asked<'_>, history: Option<&History>) -> Vec<String> {
    let aid = asked.keys.aid();
    let Some(history) = history else {
        return vec![format!(
            "{aid}  not on the ledger, says {}",
            asked.member.member.name
        )];
    };
    let status = serde_json::to_value(history.status).unwrap_or(Value::Null);
    let status = status.as_str().unwrap_or_default().to_owned();
    let mut lines = vec![format!(
        "{aid}  {status} at height {}, {}",
        history.height,
        utc::text(history.time.get())
    )];
    lines.extend(history.accounts.iter().map(|one| account_line(ledger, one)));
    lines.extend(history.events.iter().map(|one| event_line(ledger, one)));
    if let Some(origin) = &history.origin {
        let old = short(&origin.old);
        lines.push(format!(
            "  in place of {old} since height {}",
            origin.height
        ));
    }
    if let Some(recovery) = &history.recovery {
        lines.push(format!(
            "  ! somebody wants to take its place: asked by {} at height {}; cancel it with: aidchain patient \
             cancel-recovery",
            ledger.name(&recovery.rc),
            recovery.height
        ));
    }
    lines.extend(
        history
            .disclosures
            .iter()
            .map(|one| disclosure_line(ledger, one)),
    );
    for (missing, what) in [
        (history.events_missing, "events"),
        (history.disclosures_missing, "requests for a disclosure"),
    ] {
        if missing > 0 {
            lines.push(format!(
                "  ! {missing} older {what} are counted and were not shown"
            ));
        }
    }
    if history.kept_from > 0 {
        let below = history.kept_from;
        lines.push(format!(
            "  sign-ins below height {below} are not kept by {}",
            asked.member.member.name
        ));
    }
    lines
}

fn account_line(ledger: Ledger<'_>, one: &Account) -> String {
    let word = match one.standing {
        Standing::Recorded => "sign-in",
        Standing::Late => "sign-in, recorded late",
        Standing::Claimed => "claimed by you, not countersigned: no sign-in",
    };
    let when = one.proved.map_or_else(
        || "no receipt here: not proved".to_owned(),
        |time| utc::text(time.get()),
    );
    format!(
        "  {word} at {}, height {}, {when}",
        ledger.name(&one.server),
        one.height
    )
}

fn event_line(ledger: Ledger<'_>, one: &Event) -> String {
    let what = match &one.what {
        What::Revoked => "revoked".to_owned(),
        What::Shredded => "shredded".to_owned(),
        What::Replaced { new, .. } => format!("replaced by {}", short(new)),
        What::RecoveryRequested { officer, .. } => {
            format!("recovery asked for by officer {officer}")
        }
        What::RecoveryApproved { effective, .. } => {
            format!(
                "recovery approved, effective {}",
                utc::text(effective.get())
            )
        }
        What::RecoveryCancelled { .. } => "recovery cancelled".to_owned(),
    };
    let by = match &one.by {
        Author::Member(id) => ledger.name(id),
        Author::Patient(_) => "you".to_owned(),
    };
    format!(
        "  {what}, by {by}, height {}, {}",
        one.height,
        utc::text(one.time.get())
    )
}

fn disclosure_line(ledger: Ledger<'_>, one: &Disclosure) -> String {
    let what = match &one.approval {
        Some(approval) => format!(
            "your ID was disclosed: approved by {}",
            ledger.name(&approval.by)
        ),
        None => "disclosure of your ID asked for, not approved".to_owned(),
    };
    format!(
        "  {what}; officer {} of {}, purpose {}, height {}, {}",
        one.request.officer,
        ledger.name(&one.rc),
        one.request.purpose.code(),
        one.height,
        utc::text(one.time.get())
    )
}

fn object(ledger: Ledger<'_>, (index, aid): (AidIndex, &Aid), history: Option<&History>) -> Value {
    let Some(history) = history else {
        return json!({ "index": index.get(), "aid": aid, "registered": false });
    };
    let accounts: Vec<_> = history
        .accounts
        .iter()
        .map(|one| account(ledger, one))
        .collect();
    let events: Vec<_> = history
        .events
        .iter()
        .map(|one| json!({ "height": one.height, "time_ms": one.time, "text": event_line(ledger, one).trim() }))
        .collect();
    let disclosures: Vec<_> = history
        .disclosures
        .iter()
        .map(|one| {
            json!({
                "number": one.number, "height": one.height, "time_ms": one.time,
                "officer": one.request.officer.as_str(), "purpose": one.request.purpose.code(), "by": ledger.name(&one.rc),
                "approved_by": one.approval.map(|it| ledger.name(&it.by)),
            })
        })
        .collect();
    json!({
        "index": index.get(),
        "aid": aid,
        "registered": true,
        "status": history.status,
        "height": history.height,
        "sign_ins": accounts,
        "events": events,
        "events_missing": history.events_missing,
        "origin": history.origin.as_ref().map(|it| json!({ "aid": it.old, "height": it.height })),
        "recovery_open": history.recovery.is_some(),
        "disclosures": disclosures,
        "disclosures_missing": history.disclosures_missing,
        "claims": history.claims.count,
        "kept_from": history.kept_from,
    })
}

fn account(ledger: Ledger<'_>, one: &Account) -> Value {
    let standing = match one.standing {
        Standing::Recorded => "recorded",
        Standing::Late => "late",
        Standing::Claimed => "claimed",
    };
    json!({
        "server": ledger.name(&one.server), "session": one.session, "height": one.height,
        "standing": standing, "time_ms": one.proved, "proved": one.proved.is_some(),
    })
}
