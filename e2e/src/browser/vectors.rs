//! The receipts of `patient/tests/vectors`: the page and the command line judge each alike.

use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::{Value, json};

use super::verify::{DECIDED, PAGE, cli_arguments};
use crate::claims::{Broken, Claims, Verdict, ensure, ensure_equal};
use crate::tools::{Ended, aidchain, dynamic_aidchain, finish};
use crate::webdriver::Browser;

/// Where the receipts are.
const FOLDER: &str = "patient/tests/vectors/receipts";

/// Fewer negative receipts than this show too little.
const NEGATIVE_MIN: usize = 15;

/// A receipt with what must be said about it.
struct Vector {
    claim: String,
    file: String,
    genesis: String,
    aid: Option<String>,
    server: Option<String>,
    /// Which check fails; none when the receipt is valid.
    fails: Option<String>,
}

/// One claim a receipt. The page's clock stands where the vectors want it.
pub(super) fn claims(claims: &mut Claims, browser: &mut Browser) -> Result<(), Broken> {
    let index: Value = serde_json::from_slice(&fs::read(Path::new(FOLDER).join("index.json"))?)?;
    let now_ms = index
        .get("now_ms")
        .and_then(Value::as_u64)
        .ok_or("the vectors name no time")?;
    let list = index
        .get("vectors")
        .and_then(Value::as_array)
        .cloned()
        .unwrap_or_default();
    let vectors: Vec<Vector> = list.iter().filter_map(Vector::read).collect();
    claims.hold(
        "there are enough negative receipts, and each entry was understood",
        || {
            ensure_equal("entries", &vectors.len(), &list.len())?;
            let negative = vectors
                .iter()
                .filter(|vector| vector.fails.is_some())
                .count();
            ensure(negative >= NEGATIVE_MIN, || {
                format!("{negative} negative receipts")
            })
        },
    );
    let clock = json!({ "source": format!("Date.now = () => {now_ms};") });
    let set = browser.devtools("Page.addScriptToEvaluateOnNewDocument", &clock)?;
    for vector in &vectors {
        let verb = if vector.fails.is_none() {
            "accept"
        } else {
            "refuse"
        };
        let claim = format!("both verifiers {verb}: {}", vector.claim);
        claims.hold(&claim, || vector.judged_alike(browser, now_ms));
    }
    browser
        .devtools("Page.removeScriptToEvaluateOnNewDocument", &set)
        .map(drop)
}

impl Vector {
    /// One entry of the index.
    fn read(entry: &Value) -> Option<Self> {
        let text = |name: &str| {
            entry
                .pointer(name)
                .and_then(Value::as_str)
                .map(str::to_owned)
        };
        let fails = text("/fails");
        let valid = entry.get("valid")?.as_bool()?;
        (valid == fails.is_none()).then_some(())?;
        Some(Self {
            claim: text("/claim")?,
            file: text("/file")?,
            genesis: text("/genesis")?,
            aid: text("/expect/aid"),
            server: text("/expect/server"),
            fails,
        })
    }

    /// Both verdicts are the one of the index.
    fn judged_alike(&self, browser: &mut Browser, now_ms: u64) -> Verdict {
        let wanted = if self.fails.is_none() { 0 } else { 5 };
        self.command_line(now_ms)?.ended_with(wanted)?;
        let text = self.page(browser)?;
        ensure(text.starts_with("VALID") == self.fails.is_none(), || {
            format!("the page says: {text}")
        })
    }

    /// What the page says.
    fn page(&self, browser: &mut Browser) -> Result<String, Broken> {
        let page = fs::canonicalize(PAGE)?;
        browser.go(&format!("file://{}", page.display()))?;
        let set = "document.querySelector(arguments[0]).value = arguments[1]";
        for (field, value) in [("#expect-server", &self.server), ("#expect-aid", &self.aid)] {
            if let Some(value) = value {
                browser.script(set, &[json!(field), json!(value)])?;
            }
        }
        browser.choose("#genesis-file", &Path::new(FOLDER).join(&self.genesis))?;
        browser.choose("#receipt-file", &Path::new(FOLDER).join(&self.file))?;
        browser.wait_until("a verdict", DECIDED)?;
        browser.text("#verdict")
    }

    /// What `aidchain receipt verify` says; where the verdict hangs on the time, under that time.
    fn command_line(&self, now_ms: u64) -> Result<Ended, Broken> {
        let (receipt, genesis) = (
            Path::new(FOLDER).join(&self.file),
            Path::new(FOLDER).join(&self.genesis),
        );
        let mut arguments = cli_arguments(&receipt, &genesis);
        for (flag, value) in [
            ("--expect-server", &self.server),
            ("--expect-aid", &self.aid),
        ] {
            arguments.extend(
                value
                    .iter()
                    .flat_map(|value| [flag.to_owned(), value.clone()]),
            );
        }
        // A second earlier: time goes on while the program starts, and the margin is a millisecond.
        let clock = format!("@{}", (now_ms / 1000).saturating_sub(1));
        let mut command = if self.fails.as_deref() == Some("time") {
            let mut command = Command::new("faketime");
            command.arg(clock).arg(dynamic_aidchain()?);
            command
        } else {
            Command::new(aidchain())
        };
        Ok(finish(command.args(arguments))?)
    }
}
