//! `aidchain ledger …`: what a member says about the ledger. One node's word: receipts are what proves.

pub(super) mod source;
mod text;

use clap::{Args, Subcommand};
use patient::cli::receipt::{aid, hash};
use patient::client::Question;
use patient::code::{Code, Exit};
use patient::output::{Console, Failure};
use patient::utc;
use serde_json::Value;

use self::source::Source;

const STATUS_EXAMPLE: &str = "Example:\n  aidchain ledger status --node http://127.0.0.1:8200";
const BLOCKS_EXAMPLE: &str = "Example:\n  aidchain ledger blocks --limit 20";
const BLOCK_EXAMPLE: &str = "Example:\n  aidchain ledger block 15";
const TX_EXAMPLE: &str = "Example:\n  aidchain ledger tx HASH";
const IDENTITY_EXAMPLE: &str = "Example:\n  aidchain ledger identity AID";
const EVIDENCE_EXAMPLE: &str = "Example:\n  aidchain ledger evidence --node http://127.0.0.1:8200";
const DIVERGENCES_EXAMPLE: &str =
    "Example:\n  aidchain ledger divergences --node http://127.0.0.1:8200";
const RESULTS_EXAMPLE: &str =
    "Example:\n  aidchain ledger results --server clinic-c --since 2026-11-01 --at-height 15";

/// Read the ledger at a member
#[derive(Clone, Debug, Subcommand)]
pub(super) enum LedgerCommand {
    /// Say where the ledger stands and who is missing
    #[command(after_help = STATUS_EXAMPLE)]
    Status(Ask),
    /// List the newest blocks
    #[command(after_help = BLOCKS_EXAMPLE)]
    Blocks(Blocks),
    /// Show a block and who certified it
    #[command(after_help = BLOCK_EXAMPLE)]
    Block(Block),
    /// Show a transaction, its outcome and its place
    #[command(after_help = TX_EXAMPLE)]
    Tx(Tx),
    /// Show an identity
    #[command(after_help = IDENTITY_EXAMPLE)]
    Identity(Identity),
    /// List sign-ins
    #[command(after_help = RESULTS_EXAMPLE)]
    Results(Results),
    /// List proofs that a member contradicted itself
    #[command(after_help = EVIDENCE_EXAMPLE)]
    Evidence(Ask),
    /// List blocks of which members signed different results
    ///
    /// A report and no proof: it says that results differ, and not whose fault that is.
    #[command(after_help = DIVERGENCES_EXAMPLE)]
    Divergences(Ask),
}

/// Whom to ask.
#[derive(Clone, Debug, Args)]
pub(super) struct Ask {
    #[command(flatten)]
    source: Source,
}

/// Which blocks.
#[derive(Clone, Debug, Args)]
pub(super) struct Blocks {
    #[command(flatten)]
    source: Source,
    /// Blocks below this height only
    #[arg(long, value_name = "HEIGHT")]
    before: Option<u64>,
    /// At most so many
    #[arg(long, value_name = "N", default_value_t = 20)]
    limit: u32,
}

/// Which block.
#[derive(Clone, Debug, Args)]
pub(super) struct Block {
    #[command(flatten)]
    source: Source,
    /// Height of the block
    #[arg(value_name = "HEIGHT")]
    height: u64,
}

/// Which transaction.
#[derive(Clone, Debug, Args)]
pub(super) struct Tx {
    #[command(flatten)]
    source: Source,
    /// Hash of the transaction
    #[arg(value_name = "HASH")]
    hash: String,
}

/// Which identity.
#[derive(Clone, Debug, Args)]
pub(super) struct Identity {
    #[command(flatten)]
    source: Source,
    /// AID, 62 characters
    #[arg(value_name = "AID")]
    aid: String,
}

/// Which sign-ins.
#[derive(Clone, Debug, Args)]
pub(super) struct Results {
    #[command(flatten)]
    source: Source,
    /// Of this patient
    #[arg(long, value_name = "AID")]
    aid: Option<String>,
    /// At this member
    #[arg(long, value_name = "NAME")]
    server: Option<String>,
    /// Not before this day or time (UTC)
    #[arg(long, value_name = "TIME")]
    since: Option<String>,
    /// As the ledger stood at this height
    #[arg(long, value_name = "HEIGHT")]
    at_height: Option<u64>,
    /// Go on where the page before ended
    #[arg(long, value_name = "CURSOR")]
    cursor: Option<String>,
    /// At most so many
    #[arg(long, value_name = "N", default_value_t = 100)]
    limit: u32,
}

impl LedgerCommand {
    pub(super) fn run(&self, console: &Console) -> Result<Exit, Failure> {
        match self {
            Self::Status(command) => {
                let answer = command.source.get("/v1/status")?;
                console.data(&answer, &text::status(&answer))?;
            }
            Self::Blocks(command) => {
                let answer = command.source.get(&command.path())?;
                let text = text::table(
                    &answer,
                    "blocks",
                    &["height", "time_ms", "transactions", "signers", "hash"],
                );
                console.data(&answer, &text)?;
            }
            Self::Block(command) => {
                let answer = command
                    .source
                    .get(&format!("/v1/blocks/{}", command.height))?;
                console.data(&answer, &text::lines(&answer))?;
            }
            Self::Tx(command) => {
                let hash = hash(&command.hash)?;
                let answer = command.source.get(&format!("/v1/transactions/{hash}"))?;
                console.data(&answer, &text::lines(&answer))?;
            }
            Self::Identity(command) => {
                let aid = aid(&command.aid)?;
                let answer = command.source.get(&format!("/v1/identities/{aid}"))?;
                console.data(&answer, &text::lines(&answer))?;
            }
            Self::Evidence(command) => {
                let answer = command.source.get("/v1/evidence")?;
                let columns = [
                    "member", "what", "epoch", "view", "seq", "height", "reporter",
                ];
                console.data(&answer, &text::table(&answer, "entries", &columns))?;
            }
            Self::Divergences(command) => {
                let answer = command.source.get("/v1/divergences")?;
                console.data(&answer, &text::divergences(&answer))?;
            }
            Self::Results(command) => {
                let answer = command.source.get(&command.path()?)?;
                console.data(&answer, &text::results(&answer))?;
            }
        }
        Ok(Exit::Ok)
    }
}

impl Blocks {
    fn path(&self) -> String {
        let before = self
            .before
            .map_or_else(String::new, |before| format!("&before={before}"));
        format!("/v1/blocks?limit={}{before}", self.limit)
    }
}

impl Results {
    fn path(&self) -> Result<String, Failure> {
        let mut filter = vec![format!("limit={}", self.limit)];
        if let Some(text) = &self.aid {
            filter.push(format!("aid={}", aid(text)?));
        }
        if let Some(server) = &self.server {
            filter.push(format!("server={}", plain("--server", server)?));
        }
        if let Some(since) = &self.since {
            let ms =
                utc::parse(since).map_err(|error| Failure::new(Code::NotATime).because(error))?;
            filter.push(format!("since={}", utc::text(ms)));
        }
        if let Some(height) = self.at_height {
            filter.push(format!("at_height={height}"));
        }
        if let Some(cursor) = &self.cursor {
            filter.push(format!("cursor={}", plain("--cursor", cursor)?));
        }
        Ok(format!("/v1/results?{}", filter.join("&")))
    }
}

/// A value that may stand in a query as it is.
fn plain<'a>(flag: &str, text: &'a str) -> Result<&'a str, Failure> {
    let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | '~');
    if !text.is_empty() && text.chars().all(allowed) {
        return Ok(text);
    }
    Err(Failure::new(Code::BadQuery).message(format!(
        "{flag} {text:?} holds a character that it cannot have"
    )))
}

impl Source {
    fn get(&self, path: &str) -> Result<Value, Failure> {
        self.client()?.ask(Question::get(path))?.success()?.json()
    }
}
