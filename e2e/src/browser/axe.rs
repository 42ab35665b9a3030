//! axe-core, the accessibility checker. It is MPL-2.0 and no part of the repository: `AIDCHAIN_AXE`
//! says where `axe.min.js` lies; `.ci/run` shows where to get it.

use std::path::PathBuf;

use serde_json::Value;

use crate::claims::{Broken, Verdict, ensure};
use crate::webdriver::Browser;

/// The rules that are asked: WCAG 2.0 to 2.2, A and AA, and best practice.
const RUN: &str = "
const done = arguments[arguments.length - 1];
axe.run(document, { runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'] })
  .then((result) => done({
    passes: result.passes.length,
    violations: result.violations.map((v) => v.id + ': ' + v.nodes.map((n) => n.html).join(' | ')),
  }), (error) => done({ passes: 0, violations: [String(error)] }));";

/// The checker's source, read once.
pub(super) struct Axe(String);

impl Axe {
    /// Reads it.
    pub(super) fn load() -> Result<Self, Broken> {
        let cache =
            || Some(PathBuf::from(std::env::var_os("HOME")?).join(".cache/aidchain/axe.min.js"));
        let path = std::env::var_os("AIDCHAIN_AXE")
            .map(PathBuf::from)
            .or_else(cache)
            .unwrap_or_default();
        let source = std::fs::read_to_string(&path).map_err(|error| {
            format!(
                "no axe.min.js at {} (AIDCHAIN_AXE): {error}",
                path.display()
            )
        })?;
        Ok(Self(source))
    }

    /// What it finds on the page that is open.
    fn findings(&self, browser: &mut Browser) -> Result<(u64, Vec<String>), Broken> {
        browser.script(&self.0, &[])?;
        let result = browser.script_async(RUN)?;
        let passes = result
            .get("passes")
            .and_then(Value::as_u64)
            .unwrap_or_default();
        let found = result
            .get("violations")
            .and_then(Value::as_array)
            .cloned()
            .unwrap_or_default();
        Ok((passes, found.iter().map(Value::to_string).collect()))
    }

    /// It checked many things and found none broken.
    pub(super) fn finds_nothing(&self, browser: &mut Browser) -> Verdict {
        let (passes, violations) = self.findings(browser)?;
        ensure(violations.is_empty(), || violations.join("\n        "))?;
        ensure(passes >= 10, || format!("only {passes} rules applied"))
    }

    /// It does find what is broken on purpose: without this, silence proves nothing.
    pub(super) fn finds_what_is_broken(&self, browser: &mut Browser) -> Verdict {
        let spoil = "document.documentElement.removeAttribute('lang');
            document.body.insertAdjacentHTML('beforeend', '<img src=\"data:,\"><input>');";
        browser.script(spoil, &[])?;
        let (_, violations) = self.findings(browser)?;
        ensure(violations.len() >= 3, || {
            format!("found only {violations:?}")
        })
    }
}
