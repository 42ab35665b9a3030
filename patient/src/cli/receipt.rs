//! Receipts: fetched and checked after a command, shown and verified by their own.

use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::{Args, Subcommand};
use contract::genesis::Genesis;
use contract::identity::{Aid, TransactionHash};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::card::Profile;
use crate::client::{Client, Question};
use crate::clock;
use crate::code::{Code, Exit};
use crate::files::{self, Readers};
use crate::light::{self, Content, Expect, NotValid, Report, Verified};
use crate::output::{Console, Failure, Mark};
use crate::receipt::{FILE_BYTES_MAX, Receipt};

/// How long a patient's command waits for the ledger.
const WAIT: Duration = Duration::from_secs(5);

const SHOW_EXAMPLE: &str = "\
Example:
  aidchain receipt show mine-c04d.receipt.json --trust genesis.json";
const VERIFY_EXAMPLE: &str = "\
Example:
  aidchain receipt verify mine-c04d.receipt.json --trust genesis.json --expect-server clinic-c --offline";

/// Show and check receipts
#[derive(Clone, Debug, Subcommand)]
pub enum ReceiptCommand {
    /// Say what a receipt claims, without believing it
    #[command(after_help = SHOW_EXAMPLE)]
    Show(Given),
    /// Check a receipt with the genesis file alone
    #[command(after_help = VERIFY_EXAMPLE)]
    Verify(Checked),
}

/// A receipt and the ledger it is held against.
#[derive(Clone, Debug, Args)]
pub struct Given {
    /// Receipt file
    #[arg(value_name = "RECEIPT")]
    receipt: PathBuf,
    /// Genesis file of the ledger: all that is trusted
    #[arg(long, value_name = "FILE", env = "AIDCHAIN_GENESIS")]
    trust: PathBuf,
}

/// A receipt and what it must be about.
#[derive(Clone, Debug, Args)]
pub struct Checked {
    #[command(flatten)]
    given: Given,
    /// Use no network; it never does, and says so
    #[arg(long)]
    offline: bool,
    /// Refuse the receipt unless it is about this patient
    #[arg(long, value_name = "AID")]
    expect_aid: Option<String>,
    /// Refuse the receipt unless it is about a sign-in at this member
    #[arg(long, value_name = "NAME")]
    expect_server: Option<String>,
    /// Refuse the receipt unless it is about this transaction
    #[arg(long, value_name = "HASH")]
    expect_transaction: Option<String>,
}

impl ReceiptCommand {
    /// Does what was asked.
    pub fn run(&self, console: &Console) -> Result<Exit, Failure> {
        match self {
            Self::Show(given) => given.show(console),
            Self::Verify(checked) => checked.given.verify(&checked.expect()?, console),
        }
    }
}

impl Checked {
    fn expect(&self) -> Result<Expect, Failure> {
        Ok(Expect {
            aid: self.expect_aid.as_deref().map(aid).transpose()?,
            server: self.expect_server.clone(),
            session: None,
            transaction: self.expect_transaction.as_deref().map(hash).transpose()?,
        })
    }
}

impl Given {
    fn read(&self) -> Result<(Receipt, Genesis), Failure> {
        let (genesis, _file) = files::genesis(&self.trust)?;
        let bytes = files::read(&self.receipt, FILE_BYTES_MAX)?;
        let receipt = Receipt::parse(&bytes).map_err(|error| {
            Failure::new(Code::BadReceipt)
                .message(format!("{} is not a receipt", self.receipt.display()))
                .because(error)
        })?;
        Ok((receipt, genesis))
    }

    fn show(&self, console: &Console) -> Result<Exit, Failure> {
        let (receipt, genesis) = self.read()?;
        let (report, verdict) =
            light::verify(&receipt, &genesis, &Expect::default(), clock::wall_ms());
        let words = if verdict.is_ok() {
            "it checks"
        } else {
            "it does NOT check"
        };
        let text = format!(
            "ledger      {} {}\nblock       height {}, epoch {}\nplace       transaction {} of {}\nsigners     {}\n{}\nThis is what the receipt claims; {words} against {}.",
            receipt.kind,
            receipt.chain,
            receipt.certificate.height,
            receipt.certificate.epoch,
            receipt.index,
            receipt.count,
            receipt.certificate.signatures.len(),
            report.text(),
            self.trust.display()
        );
        console.data(
            &object("aidchain.receipt-shown/1", &report, &verdict),
            &text,
        )?;
        Ok(Exit::Ok)
    }

    fn verify(&self, expect: &Expect, console: &Console) -> Result<Exit, Failure> {
        let (receipt, genesis) = self.read()?;
        let (report, verdict) = light::verify(&receipt, &genesis, expect, clock::wall_ms());
        let (last, exit) = match &verdict {
            Ok(_) => ("VALID. No network was used.".to_owned(), Exit::Ok),
            Err(reason) => (
                format!(
                    "NOT VALID ({}). Do not rely on this receipt.",
                    reason.code()
                ),
                reason.code().exit(),
            ),
        };
        let text = format!("{}\n{last}", report.text());
        console.data(
            &object("aidchain.receipt-verified/1", &report, &verdict),
            &text,
        )?;
        Ok(exit)
    }
}

fn object(schema: &str, report: &Report, verdict: &Result<Verified, NotValid>) -> Value {
    let steps: Vec<_> = report
        .lines()
        .iter()
        .map(|(step, mark, text)| json!({ "step": step.name(), "ok": *mark == Mark::Good, "text": text }))
        .collect();
    let found = verdict.as_ref().ok();
    let sign_ins = found.map(|verified| match &verified.content {
        Content::SignIns(all) => all
            .iter()
            .map(|one| json!({ "aid": one.aid, "server": one.server_name, "session": one.session, "suite": one.suite }))
            .collect(),
        Content::Registration { .. }
        | Content::Registrations(_)
        | Content::Replacement { .. }
        | Content::Claim(_)
        | Content::Other { .. } => Vec::new(),
    });
    json!({
        "schema": schema,
        "valid": verdict.is_ok(),
        "code": verdict.as_ref().err().map(|reason| reason.code().text()),
        "steps": steps,
        "transaction": found.map(|verified| verified.transaction),
        "height": found.map(|verified| verified.height),
        "time_ms": found.map(|verified| verified.time),
        "state_root": found.map(|verified| verified.state_root),
        "signers": found.map(|verified| &verified.signers),
        "aids": found.map(|verified| verified.content.aids()),
        "sign_ins": sign_ins,
    })
}

/// The AID that a text is.
pub fn aid(text: &str) -> Result<Aid, Failure> {
    text.parse().map_err(|error| {
        let failure = Failure::new(Code::NotAnAid).message(format!("not an AID: {error}"));
        if text.len() == 62 {
            return failure;
        }
        failure.because(format!(
            "{text:?} has {} characters, an AID has 62; did the terminal wrap it?",
            text.chars().count()
        ))
    })
}

/// The transaction hash that a text is.
pub fn hash(text: &str) -> Result<TransactionHash, Failure> {
    text.parse()
        .map_err(|error| Failure::new(Code::NotAHash).because(error))
}

/// What a command waits for, and what it must turn out to be.
pub(super) struct Sought {
    pub(super) path: String,
    pub(super) expect: Expect,
    pub(super) pending: Code,
}

#[derive(Deserialize)]
struct Committed {
    receipt: Receipt,
}

/// Waits for the result, checks its receipt and keeps it in a file whose name holds no secret.
pub(super) fn keep(
    client: &Client,
    genesis: &Genesis,
    sought: &Sought,
    profile: &Profile,
    folder: &Path,
) -> Result<(Verified, PathBuf), Failure> {
    let path = format!("{}?wait_ms={}", sought.path, WAIT.as_millis());
    let answer = client.ask(Question::get(path).waits(WAIT))?.success()?;
    if answer.is_pending() {
        return Err(Failure::new(sought.pending));
    }
    let committed: Committed = answer.json()?;
    let receipt = Receipt::parse(committed.receipt.to_file().as_bytes())
        .map_err(|error| Failure::new(Code::BadReceipt).because(error))?;
    let (_report, verdict) = light::verify(&receipt, genesis, &sought.expect, clock::wall_ms());
    let verified = verdict.map_err(|reason| {
        Failure::new(reason.code())
            .message(format!("the receipt of {} does not check", client.url()))
            .because(reason)
    })?;
    let hash = verified.transaction.to_string();
    let mark = hash.get(..8).unwrap_or_default();
    let file = folder.join(format!("{profile}-{mark}.receipt.json"));
    match files::write_new(
        &file,
        receipt.to_file().as_bytes(),
        Readers::Owner,
        Code::FileExists,
    ) {
        // The same receipt again, after a repeated sign-in at an idle moment.
        Err(failure) if failure.code() != Code::FileExists => Err(failure),
        Ok(()) | Err(_) => Ok((verified, file)),
    }
}
