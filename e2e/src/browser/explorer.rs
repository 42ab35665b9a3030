//! What the explorer does beyond looking right: empty states, live updates, search, no scripts.

use serde_json::{Value, json};

use super::world::World;
use crate::claims::{Broken, Claims, Verdict, ensure};
use crate::tools::pictures;
use crate::webdriver::Browser;

/// The claim about a ledger on which nothing has happened.
pub(super) fn empty(claims: &mut Claims, browser: &mut Browser, world: &World) {
    claims.hold(
        "the overview of an empty ledger says how to register the first patient",
        || {
            browser.go(&world.page("/"))?;
            says(browser, "aidchain patient register")
        },
    );
}

/// The claims about a ledger in use.
pub(super) fn claims(claims: &mut Claims, browser: &mut Browser, world: &World) {
    claims.hold(
        "a sign-in appears on the open overview without a reload",
        || live(browser, world),
    );
    claims.hold(
        "search understands a height, a hash, an AID and a member, and says what it tried",
        || search(browser, world),
    );
    claims.hold("a slash puts the cursor into the search box", || {
        browser.go(&world.page("/"))?;
        let press = "document.body.dispatchEvent(new KeyboardEvent('keydown', { key: '/', bubbles: true, cancelable: true }));
            return document.activeElement.id";
        let focused = browser.script(press, &[])?;
        ensure(focused == "search", || format!("the focus is on {focused}"))
    });
    claims.hold(
        "a research ledger says on every page that it is insecure",
        || {
            for path in ["/", "/b/1", "/members"] {
                browser.go(&world.page(path))?;
                says(browser, "insecure")?;
            }
            Ok(())
        },
    );
    claims.hold(
        "an ID in a decoded call is shown by its length only",
        || {
            let patient_id = std::fs::read_to_string(world.patient.file("id"))?;
            browser.go(&world.page("/b/1"))?;
            let html = browser
                .script("return document.documentElement.outerHTML", &[])?
                .to_string();
            ensure(!html.contains(&patient_id), || {
                "the ID stands on the page".to_owned()
            })
        },
    );
    claims.hold("without JavaScript every page shows its content", || {
        without_scripts(browser, world)
    });
}

/// The claim about a consortium that has lost its quorum. It stops two members.
pub(super) fn without_quorum(claims: &mut Claims, browser: &mut Browser, world: &mut World) {
    claims.hold(
        "without a quorum every page names the missing members",
        || {
            for node in world.consortium.nodes.iter_mut().skip(2) {
                node.kill();
            }
            browser.width(1280)?;
            browser.go(&world.page("/members"))?;
            let told = bench::clock::wait_for(std::time::Duration::from_secs(20), || {
                browser.go(&world.page("/")).ok()?;
                let text = browser.text("body").ok()?;
                (text.contains("clinic-b")
                    && text.to_lowercase().contains("quorum")
                    && text.contains("2/4"))
                .then_some(())
            });
            browser.screenshot(&pictures().join("no-quorum-1280.png"))?;
            ensure(told.is_some(), || {
                "the overview does not say 2/4 and who is missing".to_owned()
            })?;
            browser.go(&world.page("/b/1"))?;
            says(browser, "clinic-c")
        },
    );
}

/// The page shows this text.
fn says(browser: &mut Browser, words: &str) -> Verdict {
    let text = browser.text("body")?;
    ensure(text.contains(words), || {
        format!("the page does not say `{words}`:\n{text}")
    })
}

/// Opens the overview, signs in elsewhere and watches the number.
fn live(browser: &mut Browser, world: &World) -> Verdict {
    browser.go(&world.page("/"))?;
    let before: u64 = browser.text("#height")?.trim().parse().unwrap_or_default();
    browser.script("window.stillThere = true", &[])?;
    world.sign_in("clinic-b", 8)?;
    let code = format!(
        "return window.stillThere === true && Number(document.querySelector('#height').innerText) > {before}"
    );
    browser.wait_until("the height on the open page rises", &code)
}

/// One query of each kind.
fn search(browser: &mut Browser, world: &World) -> Verdict {
    let queries: [(&str, &str); 4] = [
        ("1", "/b/1"),
        (world.transaction.as_str(), "/t/"),
        (world.aid.as_str(), "/a/"),
        ("clinic-b", "/members"),
    ];
    for (query, wanted) in queries {
        browser.go(&world.page(&format!("/search?q={query}")))?;
        let place = browser.script("return location.pathname", &[])?;
        let links = "return [...document.querySelectorAll('main a')].map((link) => link.getAttribute('href')).join(' ')";
        let links = browser.script(links, &[])?;
        let found = [&place, &links]
            .iter()
            .any(|text| text.as_str().is_some_and(|text| text.contains(wanted)));
        ensure(found, || {
            format!("searching {query} led to {place}, links {links}")
        })?;
    }
    browser.go(&world.page("/search?q=zzzz"))?;
    says(browser, "zzzz")
}

/// Scripts off: the same words stand on the page.
fn without_scripts(browser: &mut Browser, world: &World) -> Verdict {
    browser.devtools(
        "Emulation.setScriptExecutionDisabled",
        &json!({ "value": true }),
    )?;
    let pages = [
        ("/", "Members"),
        // Whichever three of the four signed it.
        ("/b/1", "clinic-"),
        ("/members", "clinic-c"),
    ];
    let seen: Result<Vec<(&str, String)>, Broken> = pages
        .into_iter()
        .map(|(path, words)| {
            browser.go(&world.page(path))?;
            browser
                .screenshot(&pictures().join(format!("no-script{}.png", path.replace('/', "-"))))?;
            Ok((words, html(browser)?))
        })
        .collect();
    browser.devtools(
        "Emulation.setScriptExecutionDisabled",
        &json!({ "value": false }),
    )?;
    for (words, html) in seen? {
        ensure(html.contains(words), || {
            format!("`{words}` is not on the page without scripts")
        })?;
    }
    Ok(())
}

/// The page's markup, read past its scripts.
fn html(browser: &mut Browser) -> Result<String, Broken> {
    let document = browser.devtools("DOM.getDocument", &json!({ "depth": 1 }))?;
    let node = document
        .get("root")
        .and_then(|root| root.get("nodeId"))
        .cloned()
        .unwrap_or(Value::Null);
    let outer = browser.devtools("DOM.getOuterHTML", &json!({ "nodeId": node }))?;
    Ok(outer
        .get("outerHTML")
        .and_then(Value::as_str)
        .unwrap_or_default()
        .to_owned())
}
