//! `aidchain upgrade check`: which build each member runs, and whether newer rules of the ledger can be proposed now.

use clap::{Args, Subcommand};
use patient::client::Question;
use patient::code::Exit;
use patient::output::{Console, Failure};
use serde::Deserialize;
use serde_json::json;

use super::ledger::source::Source;

const EXAMPLE: &str = "\
Example, before the rules of the ledger are raised:
  aidchain upgrade check --node http://127.0.0.1:8200 &&
    aidchain member set protocol_version=2 --home /var/lib/aidchain";

/// See who is ready for newer rules of the ledger
#[derive(Clone, Debug, Subcommand)]
pub(super) enum UpgradeCommand {
    /// Show each member's build, and whether newer rules of the ledger would leave anybody behind
    ///
    /// Ends with 0 when every member's build knows the next version of the rules, with 5 when somebody would be left
    /// behind or nothing can be proposed now, and with 7 when a member that is away has not said which build it runs.
    #[command(after_help = EXAMPLE)]
    Check(Check),
}

impl UpgradeCommand {
    pub(super) fn run(&self, console: &Console) -> Result<Exit, Failure> {
        match self {
            Self::Check(command) => command.run(console),
        }
    }
}

/// Whom to ask.
#[derive(Clone, Debug, Args)]
pub(super) struct Check {
    #[command(flatten)]
    source: Source,
}

/// What a node says of itself and of the others.
#[derive(Clone, Debug, Deserialize)]
struct Status {
    protocol_version: u64,
    members: Vec<MemberStatus>,
}

/// A member as that node sees it.
#[derive(Clone, Debug, Deserialize)]
struct MemberStatus {
    name: String,
    up: bool,
    build: Option<Build>,
}

/// A member's program.
#[derive(Clone, Debug, Deserialize)]
struct Build {
    version: String,
    rules: u64,
    store_format: u16,
    votes_format: u16,
}

/// What stands in the way of newer rules.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Verdict {
    /// Nothing.
    Ready,
    /// The builds of these members lack them.
    LeftBehind(Vec<String>),
    /// It is not known which builds these members run.
    Unknown(Vec<String>),
    /// The end of the epoch is fixed, so that nothing can be proposed before it.
    Pending(u64),
}

impl Check {
    fn run(&self, console: &Console) -> Result<Exit, Failure> {
        let client = self.source.client()?;
        let status: Status = client.ask(Question::get("/v1/status"))?.success()?.json()?;
        let members: serde_json::Value = client
            .ask(Question::get("/v1/members"))?
            .success()?
            .json()?;
        let ends_at = members.get("ends_at").and_then(serde_json::Value::as_u64);
        let next = status.protocol_version.saturating_add(1);
        let verdict = verdict(&status, next, ends_at);
        let listed = status.members.iter().map(|member| {
            let build = member.build.as_ref();
            json!({
                "name": member.name, "up": member.up, "version": build.map(|it| &it.version),
                "protocol_version_max": build.map(|it| it.rules),
                "store_format": build.map(|it| it.store_format),
                "votes_format": build.map(|it| it.votes_format),
            })
        });
        let (left, unknown) = match &verdict {
            Verdict::LeftBehind(names) => (names.as_slice(), &[][..]),
            Verdict::Unknown(names) => (&[][..], names.as_slice()),
            Verdict::Ready | Verdict::Pending(_) => (&[][..], &[][..]),
        };
        let object = json!({
            "schema": "aidchain.upgrade-check/1", "protocol_version": status.protocol_version, "next": next,
            "can_raise": verdict == Verdict::Ready, "left_behind": left, "unknown": unknown, "ends_at": ends_at,
            "members": listed.collect::<Vec<_>>(),
        });
        console.data(&object, &text(&status, next, &verdict))?;
        Ok(exit(&verdict))
    }
}

/// Judges the next version of the rules. Who certainly lacks it weighs more than who has not said.
fn verdict(status: &Status, next: u64, ends_at: Option<u64>) -> Verdict {
    let names = |wanted: &dyn Fn(&MemberStatus) -> bool| -> Vec<String> {
        let members = status.members.iter().filter(|member| wanted(member));
        members.map(|member| member.name.clone()).collect()
    };
    let lacking = names(&|member| member.build.as_ref().is_some_and(|it| it.rules < next));
    let silent = names(&|member| member.build.is_none());
    match (lacking.is_empty(), silent.is_empty(), ends_at) {
        (false, _, _) => Verdict::LeftBehind(lacking),
        (true, false, _) => Verdict::Unknown(silent),
        (true, true, Some(last)) => Verdict::Pending(last),
        (true, true, None) => Verdict::Ready,
    }
}

const fn exit(verdict: &Verdict) -> Exit {
    match verdict {
        Verdict::Ready => Exit::Ok,
        Verdict::LeftBehind(_) | Verdict::Pending(_) => Exit::NotVerified,
        Verdict::Unknown(_) => Exit::NoQuorum,
    }
}

/// The answer, for people.
fn text(status: &Status, next: u64, verdict: &Verdict) -> String {
    let now = status.protocol_version;
    let mut lines = vec![format!("The ledger's rules are version {now}.")];
    for member in &status.members {
        let build = member.build.as_ref().map_or_else(
            || "has not said which build it runs".to_owned(),
            |it| {
                format!(
                    "{}  knows rules up to {}, ledger format {}, vote log format {}",
                    it.version, it.rules, it.store_format, it.votes_format
                )
            },
        );
        let away = if member.up { "" } else { "  (away)" };
        lines.push(format!("  {:<14} {build}{away}", member.name));
    }
    lines.push(match verdict {
        Verdict::Ready => format!(
            "Version {next} can be proposed now, and leaves nobody behind:\n  \
             aidchain member set protocol_version={next}"
        ),
        Verdict::LeftBehind(names) if names.len() == status.members.len() => {
            format!("No member's build knows version {next}: there is nothing to raise the rules to.")
        }
        Verdict::LeftBehind(names) => format!(
            "Version {next} would leave behind: {}. Their nodes would stop before its first block.\n\
             Install the newer build there first, one member after the other.",
            names.join(", ")
        ),
        Verdict::Unknown(names) => format!(
            "Whether version {next} would leave anybody behind is not known: {} must be connected to say.",
            names.join(", ")
        ),
        Verdict::Pending(last) => format!(
            "Nothing can be proposed before the epoch ends with block {last}; ask again behind it."
        ),
    });
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn status(builds: &[(&str, Option<u64>)]) -> Status {
        let member = |(name, rules): &(&str, Option<u64>)| MemberStatus {
            name: (*name).to_owned(),
            up: rules.is_some(),
            build: rules.map(|rules| Build {
                version: "0.1.0".to_owned(),
                rules,
                store_format: 1,
                votes_format: 1,
            }),
        };
        Status {
            protocol_version: 1,
            members: builds.iter().map(member).collect(),
        }
    }

    #[test]
    fn newer_rules_can_be_proposed_when_every_build_is_known_to_have_them() {
        let judged = |builds: &[(&str, Option<u64>)], ends_at| {
            let verdict = verdict(&status(builds), 2, ends_at);
            (exit(&verdict), verdict)
        };
        let names = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();

        let all = [("rc", Some(2)), ("clinic-a", Some(3))];
        assert_eq!(judged(&all, None), (Exit::Ok, Verdict::Ready));
        let pending = (Exit::NotVerified, Verdict::Pending(70));
        assert_eq!(judged(&all, Some(70)), pending);
        let one = [("rc", Some(2)), ("clinic-a", Some(1)), ("clinic-b", None)];
        let left = Verdict::LeftBehind(names(&["clinic-a"]));
        assert_eq!(judged(&one, None), (Exit::NotVerified, left));
        let silent = [("rc", Some(2)), ("clinic-b", None)];
        let unknown = Verdict::Unknown(names(&["clinic-b"]));
        assert_eq!(judged(&silent, None), (Exit::NoQuorum, unknown));
    }

    #[test]
    fn who_would_be_left_behind_is_said_by_name() {
        let status = status(&[("rc", Some(2)), ("clinic-a", Some(1))]);

        let told = text(&status, 2, &verdict(&status, 2, None));

        assert!(
            told.contains("rc             0.1.0  knows rules up to 2"),
            "{told}"
        );
        assert!(told.contains("would leave behind: clinic-a."), "{told}");
    }
}
