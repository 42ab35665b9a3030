//! Every page at two widths and in two schemes: fits, is light to load, and axe finds nothing.

use serde_json::{Value, json};

use super::axe::Axe;
use super::world::World;
use crate::claims::{Broken, Claims, Verdict, ensure};
use crate::tools::pictures;
use crate::webdriver::Browser;

/// Widths in CSS pixels: a desk and a small telephone.
const WIDTHS: [u32; 2] = [1280, 320];

/// Colour schemes.
const SCHEMES: [&str; 2] = ["light", "dark"];

/// Most bytes of a page with everything it loads, and most requests.
const BYTES_MAX: f64 = 60_000.0;
const REQUESTS_MAX: f64 = 3.0;

/// The pages by name, with and without something to show.
fn pages(world: &World) -> Vec<(&'static str, String)> {
    vec![
        ("overview", "/".to_owned()),
        ("block", "/b/1".to_owned()),
        ("transaction", format!("/t/{}", world.transaction)),
        ("identity", format!("/a/{}", world.aid)),
        ("results", "/results".to_owned()),
        ("members", "/members".to_owned()),
        ("search", "/search?q=nothing-like-it".to_owned()),
        ("future-block", "/b/999999".to_owned()),
        ("bad-hash", format!("/t/{}", "a".repeat(63))),
        ("unknown-page", "/no/such/page".to_owned()),
        ("verify", "/verify.html".to_owned()),
        ("research", "/research".to_owned()),
        ("attacks", "/research/attacks".to_owned()),
    ]
}

/// The claims, one for each page.
pub(super) fn claims(
    claims: &mut Claims,
    browser: &mut Browser,
    world: &World,
) -> Result<(), Broken> {
    let axe = Axe::load()?;
    for (name, path) in pages(world) {
        let claim = format!(
            "the page `{name}` fits 320 px, is light to load, and axe finds no violation in light or dark"
        );
        claims.hold(&claim, || page(browser, &axe, name, &world.page(&path)));
    }
    claims.hold(
        "axe does find a missing language, a missing text and a missing label",
        || {
            browser.go(&world.page("/"))?;
            axe.finds_what_is_broken(browser)
        },
    );
    Ok(())
}

/// One page in every way it is shown.
fn page(browser: &mut Browser, axe: &Axe, name: &str, url: &str) -> Verdict {
    for scheme in SCHEMES {
        for width in WIDTHS {
            browser.width(width)?;
            browser.scheme(scheme)?;
            browser.go(url)?;
            let picture = pictures().join(format!("{name}-{width}-{scheme}.png"));
            browser.screenshot(&picture)?;
            fits(browser, width)?;
            shows(browser, scheme)?;
            axe.finds_nothing(browser)
                .map_err(|why| format!("{width} px, {scheme}: {why}"))?;
        }
    }
    light_to_load(browser)
}

/// Nothing reaches beyond the window's right edge.
fn fits(browser: &mut Browser, width: u32) -> Verdict {
    let code = "return Math.max(document.documentElement.scrollWidth, document.body.scrollWidth)";
    let found = browser.script(code, &[])?;
    let fits = found
        .as_f64()
        .is_some_and(|found| found <= f64::from(width));
    ensure(fits, || {
        format!("{found} px wide in a window of {width} px")
    })
}

/// The background is bright in the light scheme and not in the dark one.
fn shows(browser: &mut Browser, scheme: &str) -> Verdict {
    let code = "
        const colour = (element) => getComputedStyle(element).backgroundColor.match(/[\\d.]+/g).map(Number);
        const body = colour(document.body);
        const [r, g, b] = body.length === 4 && body[3] === 0 ? colour(document.documentElement) : body;
        return (r + g + b) / 3";
    let brightness = browser.script(code, &[])?.as_f64().unwrap_or_default();
    let right = if scheme == "dark" {
        brightness < 90.0
    } else {
        brightness > 165.0
    };
    ensure(right, || {
        format!("the background's brightness is {brightness} in the {scheme} scheme")
    })
}

/// The page with all it loads.
fn light_to_load(browser: &mut Browser) -> Verdict {
    let code = "
        const own = performance.getEntriesByType('navigation')[0];
        const rest = performance.getEntriesByType('resource').filter((entry) => /^http/.test(entry.name) && !/\\/v1\\/events/.test(entry.name));
        const size = (entry) => entry.encodedBodySize || entry.transferSize || 0;
        return { requests: 1 + rest.length, bytes: [own, ...rest].map(size).reduce((a, b) => a + b, 0) }";
    let load = browser.script(code, &[json!(null)])?;
    let number = |name: &str| load.get(name).and_then(Value::as_f64).unwrap_or(f64::MAX);
    ensure(
        number("bytes") <= BYTES_MAX && number("requests") <= REQUESTS_MAX,
        || format!("too heavy: {load}"),
    )
}
