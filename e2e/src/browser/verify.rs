//! `/verify.html` against `aidchain receipt verify`: the same receipts, the same verdicts.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use super::world::World;
use crate::claims::{Broken, Claims, Verdict, ensure, ensure_equal};
use crate::tools::{Ended, aidchain, finish, pictures};
use crate::webdriver::Browser;

/// The page in the repository.
pub(super) const PAGE: &str = "node/src/explorer/verify.html";

/// The verdict, once there is one.
pub(super) const DECIDED: &str =
    "return /VALID/.test(document.querySelector('#verdict').innerText)";

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
    claims.hold(
        "verify.html shows its own SHA-256, which the README names",
        || own_hash(browser),
    );
    claims.hold(
        "the node serves the very verify.html of the repository",
        || {
            ensure(fs::read(PAGE)? == world.fetch("/verify.html")?, || {
                "they differ".to_owned()
            })
        },
    );
}

/// The page's text of its own hash is the hash of the file, and the README names it.
fn own_hash(browser: &mut Browser) -> Verdict {
    let page = fs::canonicalize(PAGE)?;
    let printed = finish(Command::new("sha256sum").arg(&page))?.out;
    let hash = printed.split(' ').next().unwrap_or_default().to_owned();
    browser.go(&format!("file://{}", page.display()))?;
    browser.wait_until(
        "the page hashes itself",
        "return document.querySelector('#page-hash').innerText.length === 64",
    )?;
    ensure_equal("the page's own hash", &browser.text("#page-hash")?, &hash)?;
    let readme = fs::read_to_string("README.md")?;
    ensure(readme.contains(&hash), || {
        format!("the README does not name verify.html's hash {hash}")
    })
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
    let text = verdict(browser, page, &world.receipt, &world.genesis())?;
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
        ("#expect-server", "clinic-a"),
        ("#expect-aid", other_aid.as_str()),
    ] {
        verdict(browser, page, &world.receipt, &world.genesis())?;
        let code = "const input = document.querySelector(arguments[0]); input.value = arguments[1];
            input.dispatchEvent(new Event('input', { bubbles: true }))";
        browser.script(code, &[Value::from(field), Value::from(value)])?;
        browser.wait_until(
            "the verdict changes",
            "return /^NOT VALID/.test(document.querySelector('#verdict').innerText)",
        )?;
    }
    let receipt = world.receipt.clone();
    let genesis = world.genesis();
    cli(&receipt, &genesis, &["--expect-server", "clinic-a"])?.ended_with(5)?;
    cli(&receipt, &genesis, &[])?.ended_with(0)
}

/// The command line's verdict.
fn cli(receipt: &Path, genesis: &Path, expectations: &[&str]) -> Result<Ended, Broken> {
    let arguments = cli_arguments(receipt, genesis);
    Ok(finish(
        Command::new(aidchain()).args(arguments).args(expectations),
    )?)
}

/// How the command line is asked.
pub(super) fn cli_arguments(receipt: &Path, genesis: &Path) -> Vec<String> {
    let (receipt, genesis) = (receipt.display().to_string(), genesis.display().to_string());
    let words = [
        "receipt",
        "verify",
        &receipt,
        "--trust",
        &genesis,
        "--offline",
        "--json",
    ];
    words.map(str::to_owned).to_vec()
}
