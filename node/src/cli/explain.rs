//! `aidchain explain`: the page of an error code, or the check behind a support code.

use std::path::PathBuf;

use clap::Args;
use patient::code::{Code, Exit, SupportCode};
use patient::output::{Console, Failure};
use patient::utc;
use serde_json::json;

use crate::refusals;

pub(super) const EXAMPLE: &str = "\
Examples:
  aidchain explain AC0107
  aidchain explain AC-7F3K --home /var/lib/aidchain";

/// What to explain.
#[derive(Clone, Debug, Args)]
pub(super) struct Explain {
    /// Error code (AC0107) or support code (AC-7F3K)
    #[arg(value_name = "CODE")]
    code: String,
    /// Home of the node that gave the support code
    #[arg(long, value_name = "DIR", env = "AIDCHAIN_HOME")]
    home: Option<PathBuf>,
}

impl Explain {
    pub(super) fn run(&self, console: &Console) -> Result<Exit, Failure> {
        if let Ok(support) = self.code.parse::<SupportCode>() {
            return self.support(support, console);
        }
        let code: Code = self
            .code
            .parse()
            .map_err(|error| Failure::new(Code::NoSuchCode).message(format!("{error}")))?;
        let object = json!({
            "schema": "aidchain.explained/1",
            "code": code.text(),
            "title": code.title(),
            "page": code.page(),
            "help": code.help(),
            "exit": code.exit().status(),
        });
        console.data(&object, &code.explain())?;
        Ok(Exit::Ok)
    }

    fn support(&self, support: SupportCode, console: &Console) -> Result<Exit, Failure> {
        if let Some(home) = &self.home {
            let found = refusals::find(home, support).map_err(|error| {
                Failure::new(Code::CannotRead)
                    .message(format!("cannot read the refusals of {}", home.display()))
                    .because(error)
            })?;
            if !found.is_empty() {
                let lines: Vec<_> = found
                    .iter()
                    .map(|it| {
                        let when = utc::text(it.time_ms);
                        format!("{} {} at {when}: {}", it.code, it.step, it.check)
                    })
                    .collect();
                let object = json!({ "schema": "aidchain.refusals/1", "refusals": found });
                console.data(&object, &lines.join("\n"))?;
                return Ok(Exit::Ok);
            }
        }
        let code = patient::refusals::find(support).ok_or_else(|| {
            let place = match &self.home {
                Some(home) => format!("neither {} nor this terminal knows it", home.display()),
                None => "this terminal does not know it; a clinic's code is known to its node"
                    .to_owned(),
            };
            Failure::new(Code::NoSuchCode)
                .message(format!("the support code {support} is not known here"))
                .because(place)
                .help(format!(
                    "at the node: aidchain explain {support} --home DIR"
                ))
        })?;
        let refusals = json!([{ "support": support.to_string(), "code": code.text() }]);
        let object = json!({ "schema": "aidchain.refusals/1", "refusals": refusals });
        console.data(&object, &format!("{code} {}", code.title()))?;
        Ok(Exit::Ok)
    }
}
