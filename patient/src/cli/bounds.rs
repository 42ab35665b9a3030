//! What a ledger and the command line allow a patient's command to do.

use clap::Args;
use contract::genesis::{Genesis, Kind};
use contract::identity::SuiteId;

use crate::code::Code;
use crate::output::{Console, Failure};

/// The name of the risk that the papers' suites bring.
const RISK: &str = "insecure-suite";

/// Which suite, and whether its risk is accepted.
#[derive(Clone, Debug, Args)]
pub(super) struct SuiteChoice {
    /// Suite to use; the papers' suites run only when named
    #[arg(long, value_name = "NAME")]
    suite: Option<String>,
    /// Accept the named risk
    #[arg(long, value_name = "RISK")]
    accept_risk: Option<String>,
}

impl SuiteChoice {
    /// Checks that this version may run the chosen suite on this ledger. Suites are never negotiated.
    pub(super) fn check(&self, genesis: &Genesis, console: &Console) -> Result<(), Failure> {
        match (self.suite.as_deref(), genesis.kind()) {
            (Some("wu-2021"), Kind::Secure) => Err(Failure::new(Code::SuiteOnSecureLedger)),
            (Some("wu-2021"), Kind::Research) => self.insecure(genesis, console),
            (None | Some("aidc-1"), Kind::Secure) => Err(Failure::new(Code::SuiteNotBuilt)),
            (None, Kind::Research) => Err(Failure::new(Code::InsecureSuite)),
            (Some("aidc-1"), Kind::Research) => Err(Failure::new(Code::SuiteNotBuilt)
                .help("on this research ledger: --suite wu-2021 --accept-risk=insecure-suite")),
            (Some(other), _) => Err(Failure::new(Code::Usage)
                .message(format!("no suite of this version is called {other:?}"))
                .help("this version has --suite wu-2021, on research ledgers only")),
        }
    }

    fn insecure(&self, genesis: &Genesis, console: &Console) -> Result<(), Failure> {
        match self.accept_risk.as_deref() {
            Some(RISK) => {}
            Some(other) => {
                return Err(Failure::new(Code::RiskNotAccepted)
                    .message(format!("the risk of this command is not called {other:?}"))
                    .help(format!("add --accept-risk={RISK}"))
                    .note("aborted, no changes made"));
            }
            None => {
                return Err(Failure::new(Code::InsecureSuite)
                    .help(format!("add: --accept-risk={RISK}"))
                    .note("aborted, no changes made"));
            }
        }
        if !genesis.suites().contains(&SuiteId::WU_2021) {
            return Err(Failure::new(Code::SuiteNotOffered));
        }
        console.warn(
            "INSECURE suite wu-2021 on a research ledger: faces travel in clear and IDs are public. \
             Synthetic patients only.",
        );
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::output::{Form, Input, Talk};

    fn genesis(file: &str) -> Genesis {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/vectors/receipts");
        Genesis::parse(&std::fs::read(path.join(file)).expect("vector")).expect("genesis")
    }

    fn verdict(ledger: &str, suite: Option<&str>, risk: Option<&str>) -> Option<Code> {
        let choice = SuiteChoice {
            suite: suite.map(str::to_owned),
            accept_risk: risk.map(str::to_owned),
        };
        let console = Console::new(Form::Json, Talk::Quiet, Input::Never);
        let failed = choice.check(&genesis(ledger), &console).err();
        failed.map(|failure| failure.code())
    }

    #[test]
    fn an_insecure_suite_runs_on_a_research_ledger_when_named_and_its_risk_accepted() {
        let research = |suite, risk| verdict("genesis-4.json", suite, risk);
        let wu = Some("wu-2021");

        assert_eq!(research(wu, Some("insecure-suite")), None);
        assert_eq!(research(wu, None), Some(Code::InsecureSuite));
        assert_eq!(research(wu, Some("other")), Some(Code::RiskNotAccepted));
        assert_eq!(research(None, None), Some(Code::InsecureSuite));
        assert_eq!(
            research(None, Some("insecure-suite")),
            Some(Code::InsecureSuite)
        );
        assert_eq!(research(Some("aidc-1"), None), Some(Code::SuiteNotBuilt));
        assert_eq!(research(Some("wu"), None), Some(Code::Usage));
    }

    #[test]
    fn no_insecure_suite_ever_runs_on_a_secure_ledger() {
        let secure = |suite, risk| verdict("genesis-secure.json", suite, risk);

        assert_eq!(
            secure(Some("wu-2021"), Some("insecure-suite")),
            Some(Code::SuiteOnSecureLedger)
        );
        assert_eq!(secure(None, None), Some(Code::SuiteNotBuilt));
    }
}
