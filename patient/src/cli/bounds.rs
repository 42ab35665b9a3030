//! What a ledger and the command line allow a patient's command to do.

use clap::Args;
use contract::genesis::{Genesis, Kind};
use contract::identity::SuiteId;

use crate::code::Code;
use crate::output::{Console, Failure};

/// The name of the risk that the papers' suites bring.
const RISK: &str = "insecure-suite";

/// A suite that this version runs.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Chosen {
    /// The default.
    Aidc1,
    /// The first paper's, on research ledgers.
    Wu2021,
    /// The second paper's, on research ledgers.
    Limbasiya2020,
}

/// A suite of a paper, and what is worst about it.
struct Paper {
    name: &'static str,
    id: SuiteId,
    chosen: Chosen,
    flaw: &'static str,
}

const PAPERS: [Paper; 2] = [
    Paper {
        name: "wu-2021",
        id: SuiteId::WU_2021,
        chosen: Chosen::Wu2021,
        flaw: "faces travel in clear and IDs are public",
    },
    Paper {
        name: "limbasiya-2020",
        id: SuiteId::LIMBASIYA_2020,
        chosen: Chosen::Limbasiya2020,
        flaw: "every user can follow every other, and one key serves all sessions",
    },
];

/// Which suite, and whether its risk is accepted.
#[derive(Clone, Debug, Args)]
pub(super) struct SuiteChoice {
    /// Suite to use, aidc-1 if none is named; the papers' suites run only when named
    #[arg(long, value_name = "NAME")]
    suite: Option<String>,
    /// Accept the named risk
    #[arg(long, value_name = "RISK")]
    accept_risk: Option<String>,
}

impl SuiteChoice {
    /// The suite that runs on this ledger. Suites are never negotiated: without a name it is AIDC-1.
    pub(super) fn choose(&self, genesis: &Genesis, console: &Console) -> Result<Chosen, Failure> {
        let named = self.suite.as_deref();
        if let Some(paper) = PAPERS.iter().find(|paper| Some(paper.name) == named) {
            return match genesis.kind() {
                Kind::Secure => Err(Failure::new(Code::SuiteOnSecureLedger)),
                Kind::Research => self.insecure(paper, genesis, console),
            };
        }
        match (named, genesis.kind()) {
            (None | Some("aidc-1"), _) if genesis.suites().contains(&SuiteId::AIDC_1) => {
                Ok(Chosen::Aidc1)
            }
            (None, Kind::Research) => Err(Failure::new(Code::InsecureSuite)),
            (None | Some("aidc-1"), _) => Err(Failure::new(Code::SuiteNotOffered)),
            (Some(other), _) => Err(Failure::new(Code::Usage)
                .message(format!("no suite of this version is called {other:?}"))
                .help("leave --suite out for aidc-1; wu-2021 and limbasiya-2020 run on research ledgers only")),
        }
    }

    fn insecure(
        &self,
        paper: &Paper,
        genesis: &Genesis,
        console: &Console,
    ) -> Result<Chosen, Failure> {
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
                    .help(format!("add: --suite {} --accept-risk={RISK}", paper.name))
                    .note("aborted, no changes made"));
            }
        }
        if !genesis.suites().contains(&paper.id) {
            return Err(Failure::new(Code::SuiteNotOffered));
        }
        console.warn(&format!(
            "INSECURE suite {} on a research ledger: {}. Synthetic patients only.",
            paper.name, paper.flaw
        ));
        Ok(paper.chosen)
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

    fn research() -> Genesis {
        let older = genesis("genesis-4.json");
        let mut content = older.content().clone();
        content.suites.push(SuiteId::LIMBASIYA_2020);
        Genesis::parse(&content.to_json()).expect("genesis")
    }

    fn chosen(ledger: &str, suite: Option<&str>, risk: Option<&str>) -> Result<Chosen, Code> {
        chosen_on(&genesis(ledger), suite, risk)
    }

    fn chosen_on(
        genesis: &Genesis,
        suite: Option<&str>,
        risk: Option<&str>,
    ) -> Result<Chosen, Code> {
        let choice = SuiteChoice {
            suite: suite.map(str::to_owned),
            accept_risk: risk.map(str::to_owned),
        };
        let console = Console::new(Form::Json, Talk::Quiet, Input::Never);
        let chosen = choice.choose(genesis, &console);
        chosen.map_err(|failure| failure.code())
    }

    #[test]
    fn without_a_name_it_is_aidc_1_wherever_the_ledger_has_it() {
        for ledger in ["genesis-4.json", "genesis-secure.json"] {
            for suite in [None, Some("aidc-1")] {
                for risk in [None, Some("insecure-suite")] {
                    assert_eq!(chosen(ledger, suite, risk), Ok(Chosen::Aidc1));
                }
            }
            assert_eq!(chosen(ledger, Some("wu"), None), Err(Code::Usage));
        }
    }

    #[test]
    fn an_insecure_suite_runs_on_a_research_ledger_when_named_and_its_risk_accepted() {
        let research = |risk| chosen("genesis-4.json", Some("wu-2021"), risk);

        assert_eq!(research(Some("insecure-suite")), Ok(Chosen::Wu2021));
        assert_eq!(research(None), Err(Code::InsecureSuite));
        assert_eq!(research(Some("other")), Err(Code::RiskNotAccepted));
    }

    #[test]
    fn the_second_paper_s_suite_runs_where_the_genesis_lists_it() {
        let suite = Some("limbasiya-2020");
        let listed = research();
        let risk = Some("insecure-suite");

        assert_eq!(chosen_on(&listed, suite, risk), Ok(Chosen::Limbasiya2020));
        assert_eq!(chosen_on(&listed, suite, None), Err(Code::InsecureSuite));
        assert_eq!(
            chosen("genesis-4.json", suite, risk),
            Err(Code::SuiteNotOffered)
        );
    }

    #[test]
    fn no_insecure_suite_ever_runs_on_a_secure_ledger() {
        for suite in ["wu-2021", "limbasiya-2020"] {
            for risk in [Some("insecure-suite"), None] {
                let refused = chosen("genesis-secure.json", Some(suite), risk);
                assert_eq!(refused, Err(Code::SuiteOnSecureLedger));
            }
        }
    }
}
