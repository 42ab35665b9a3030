//! `/verify.html` against `aidchain receipt verify`: the same receipts, the same verdicts.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

use super::world::World;
use crate::claims::{Broken, Claims, Verdict, ensure, ensure_equal};
use crate::tools::{Ended, aidchain_with, pictures};
use crate::webdriver::Browser;

/// The verdict, once there is one.
const DECIDED: &str = "return /VALID/.test(document.querySelector('#verdict').innerText)";

/// The claims.
pub(super) fn claims(claims: &mut Claims, browser: &mut Browser, world: &World) {
    let page = match saved_page(world) {
        Ok(page) => page,
        Err(why) => return claims.hold("the node serves /verify.html", || Err(why)),
    };
    let from_file = format!("file://{}", page.display());
    claims.hold(
        "verify.html accepts the good receipt from a file, without any server",
        || {
            accepts(browser, &from_file, world)?;
            browser.screenshot(&pictures().join("verify-valid.png"))
        },
    );
    claims.hold("verify.html accepts the good receipt from the node", || {
        accepts(browser, &world.page("/verify.html"), world)
    });
    claims.hold(
        "the sign-in of another server or patient is refused when one was asked for",
        || expectations(browser, &from_file, world),
    );
    let vectors = vectors().unwrap_or_default();
    claims.hold(
        "there are at least fifteen negative receipt vectors",
        || {
            let negative = vectors.iter().filter(|vector| !vector.valid).count();
            ensure(negative >= 15, || format!("{negative} negative vectors"))
        },
    );
    for vector in &vectors {
        let verb = if vector.valid { "accept" } else { "refuse" };
        let claim = format!("both verifiers {verb} the receipt vector `{}`", vector.name);
        claims.hold(&claim, || agree(browser, &from_file, vector));
    }
}

/// The page as the node serves it, saved as a person would.
fn saved_page(world: &World) -> Result<PathBuf, Broken> {
    let path = world.consortium.folder.path().join("verify.html");
    fs::write(&path, world.fetch("/verify.html")?)?;
    Ok(path)
}

/// Chooses both files and returns the verdict's text.
fn verdict(
    browser: &mut Browser,
    page: &str,
    receipt: &Path,
    genesis: &Path,
) -> Result<String, Broken> {
    browser.go(page)?;
    browser.choose("#genesis-file", genesis)?;
    browser.choose("#receipt-file", receipt)?;
    browser.wait_until("a verdict", DECIDED)?;
    browser.text("#verdict")
}

/// The good receipt is valid, and the page says what it trusts.
fn accepts(browser: &mut Browser, page: &str, world: &World) -> Verdict {
    let text = verdict(browser, page, &world.patient.receipt(3), &world.genesis())?;
    ensure(text.starts_with("VALID"), || text.clone())?;
    let trust = browser.text("#trust")?;
    ensure(trust.contains("genesis"), || {
        format!("what it trusts: {trust}")
    })
}

/// The good receipt under a wrong expectation.
fn expectations(browser: &mut Browser, page: &str, world: &World) -> Verdict {
    let other_aid = format!("aid1{}", "q".repeat(58));
    for (field, value) in [
        ("#expect-server", "clinic-c"),
        ("#expect-aid", other_aid.as_str()),
    ] {
        verdict(browser, page, &world.patient.receipt(3), &world.genesis())?;
        let code = "const input = document.querySelector(arguments[0]); input.value = arguments[1];
            input.dispatchEvent(new Event('input', { bubbles: true }))";
        browser.script(code, &[Value::from(field), Value::from(value)])?;
        browser.wait_until(
            "the verdict changes",
            "return /^NOT VALID/.test(document.querySelector('#verdict').innerText)",
        )?;
    }
    let receipt = world.patient.receipt(3);
    let genesis = world.genesis();
    cli(&receipt, &genesis, &["--expect-server", "clinic-c"])?.ended_with(5)?;
    cli(&receipt, &genesis, &[])?.ended_with(0)
}

/// The command line's verdict.
fn cli(receipt: &Path, genesis: &Path, expectations: &[&str]) -> Result<Ended, Broken> {
    let (receipt, genesis) = (receipt.display().to_string(), genesis.display().to_string());
    let mut arguments = vec![
        "receipt",
        "verify",
        &receipt,
        "--trust",
        &genesis,
        "--offline",
        "--json",
    ];
    arguments.extend(expectations);
    Ok(aidchain_with(&arguments)?)
}

/// A receipt that must be accepted or refused.
struct Vector {
    name: String,
    valid: bool,
    receipt: PathBuf,
    genesis: PathBuf,
    server: Option<String>,
    aid: Option<String>,
}

/// The vectors of the patient crate: a folder each, with `vector.json`.
fn vectors() -> Result<Vec<Vector>, Broken> {
    let folder = Path::new("patient/tests/vectors/receipts");
    let index: Value = serde_json::from_slice(&fs::read(folder.join("index.json"))?)?;
    let list = index
        .get("vectors")
        .and_then(Value::as_array)
        .cloned()
        .unwrap_or_default();
    let one = |entry: &Value| {
        let text = |name: &str| entry.get(name).and_then(Value::as_str).map(str::to_owned);
        Some(Vector {
            name: text("name")?,
            valid: entry.get("valid")?.as_bool()?,
            receipt: folder.join(text("receipt")?),
            genesis: folder.join(text("genesis")?),
            server: text("expect_server"),
            aid: text("expect_aid"),
        })
    };
    Ok(list.iter().filter_map(one).collect())
}

/// Both verifiers say what the vector says.
fn agree(browser: &mut Browser, page: &str, vector: &Vector) -> Verdict {
    let mut expectations = Vec::new();
    for (flag, value) in [
        ("--expect-server", &vector.server),
        ("--expect-aid", &vector.aid),
    ] {
        if let Some(value) = value {
            expectations.extend([flag, value.as_str()]);
        }
    }
    let ended = cli(&vector.receipt, &vector.genesis, &expectations)?;
    ensure_equal(
        "the command line's exit code",
        &ended.code,
        &if vector.valid { 0 } else { 5 },
    )?;

    browser.go(page)?;
    let set = "document.querySelector(arguments[0]).value = arguments[1]";
    for (field, value) in [
        ("#expect-server", &vector.server),
        ("#expect-aid", &vector.aid),
    ] {
        if let Some(value) = value {
            browser.script(set, &[Value::from(field), Value::from(value.as_str())])?;
        }
    }
    browser.choose("#genesis-file", &vector.genesis)?;
    browser.choose("#receipt-file", &vector.receipt)?;
    browser.wait_until("a verdict", DECIDED)?;
    let text = browser.text("#verdict")?;
    ensure_equal(
        "the page's verdict",
        &text.starts_with("VALID"),
        &vector.valid,
    )
}
