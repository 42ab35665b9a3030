//! What an attack is shown as: a story for people, an object for programs, a line in the table.

use patient::code::Exit;
use patient::output::{Console, Failure};
use research::attacks::aidc1::Attempt;
use research::attacks::story::Outcome;
use research::attacks::{Attack, Target, all};
use serde_json::{Value, json};

/// Characters of the longest line of running text.
const WIDTH: usize = 96;

/// Where an attack was carried out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// Against real nodes.
    Devnet,
    /// In this process, on the suite itself.
    Process,
}

impl Place {
    const fn text(self) -> &'static str {
        match self {
            Self::Devnet => "devnet",
            Self::Process => "in process",
        }
    }
}

/// An attack and how it ended.
#[derive(Debug)]
pub(super) struct Row {
    pub(super) attack: &'static Attack,
    pub(super) place: Place,
    pub(super) outcome: Outcome,
    pub(super) attempt: Attempt,
}

impl Row {
    /// It succeeds on its target and fails on AIDC-1.
    pub(super) const fn is_as_expected(&self) -> bool {
        self.outcome.succeeded && !self.attempt.succeeded
    }

    const fn is_exhibit(&self) -> bool {
        matches!(self.attack.target, Target::Exhibit(_))
    }

    fn object(&self) -> Value {
        let mut object = about(self.attack);
        if let Some(fields) = object.as_object_mut() {
            let mut put = |key: &str, value: Value| fields.insert(key.to_owned(), value);
            put("where", json!(self.place.text()));
            put("succeeds", json!(self.outcome.succeeded));
            put("aidc1_where", json!(Place::Process.text()));
            put("aidc1_succeeds", json!(self.attempt.succeeded));
            put("aidc1_why", json!(self.attempt.why));
        }
        object
    }

    /// Each step with what it gave.
    fn steps(&self) -> Vec<Value> {
        let done = self.outcome.story.steps();
        let steps = self.attack.steps.iter().enumerate();
        steps
            .map(|(at, step)| {
                let shown = done.get(at).map(|shown| {
                    let shown = shown.iter();
                    let shown = shown.map(|one| json!({ "label": one.label, "value": one.value }));
                    shown.collect::<Vec<_>>()
                });
                json!({ "title": step.title, "text": step.text, "done": shown.is_some(), "shown": shown })
            })
            .collect()
    }

    fn story(&self) -> String {
        let attack = self.attack;
        let mut lines = vec![
            format!("{}  {}: {}", attack.id, attack.name, attack.title),
            format!(
                "On {} ({}), {}. The victim is synthetic.",
                attack.paper.text(),
                target(attack),
                place(self.place)
            ),
            format!("Needs {}.", needs(attack)),
        ];
        let done = self.outcome.story.steps();
        for (at, step) in attack.steps.iter().enumerate() {
            lines.push(format!("\n{}. {}", at.saturating_add(1), step.title));
            lines.extend(wrapped(step.text));
            match done.get(at) {
                Some(shown) => {
                    let shown = shown.iter();
                    lines.extend(shown.map(|one| format!("   {} = {}", one.label, one.value)));
                }
                None => lines.push("   This did not work.".to_owned()),
            }
        }
        let reached = |reached| if reached { "succeeds" } else { "fails" };
        lines.push(format!(
            "\nOn {} the attack {}.",
            attack.paper.text(),
            reached(self.outcome.succeeded)
        ));
        lines.push(format!(
            "On aidc-1 ({}) the same aim {}:",
            Place::Process.text(),
            reached(self.attempt.succeeded)
        ));
        lines.extend(wrapped(&self.attempt.why));
        lines.join("\n")
    }

    fn line(&self) -> String {
        let said = |yes| if yes { "yes" } else { "no" };
        format!(
            "{:<4} {:<23} {:<15} {:<8} {:<11} {:<9} {}",
            self.attack.id.text(),
            self.attack.name,
            self.attack.paper.text(),
            self.attack.target.text(),
            self.place.text(),
            said(self.outcome.succeeded),
            said(self.attempt.succeeded)
        )
    }
}

/// Prints one attack.
pub(super) fn one(row: &Row, console: &Console) -> Result<(), Failure> {
    let object = json!({
        "schema": "aidchain.attack/1",
        "attack": row.object(),
        "steps": row.steps(),
    });
    console.data(&object, &row.story())
}

/// Prints all of them.
pub(super) fn table(rows: &[Row], console: &Console) -> Result<(), Failure> {
    let count = |keep: &dyn Fn(&Row) -> bool| rows.iter().filter(|row| keep(row)).count();
    let suites = count(&|row| !row.is_exhibit());
    let on_suites = count(&|row| !row.is_exhibit() && row.outcome.succeeded);
    let exhibits = count(&Row::is_exhibit);
    let on_exhibits = count(&|row| row.is_exhibit() && row.outcome.succeeded);
    let on_aidc1 = count(&|row| row.attempt.succeeded);
    let object = json!({
        "schema": "aidchain.attacks/1",
        "attacks": rows.iter().map(Row::object).collect::<Vec<_>>(),
        "suite_succeeded": on_suites,
        "exhibit_succeeded": on_exhibits,
        "aidc1_succeeded": on_aidc1,
    });
    let mut lines = vec![
        "     attack                  scheme          target   where       succeeds  on aidc-1"
            .to_owned(),
    ];
    lines.extend(rows.iter().map(Row::line));
    lines.push(format!(
        "\n{on_suites} of {suites} succeed on the suites, {on_exhibits} of {exhibits} on exhibits (published \
         forms that no suite has),\n{on_aidc1} of {} on aidc-1, where each was attempted in this process.",
        rows.len()
    ));
    console.data(&object, &lines.join("\n"))
}

/// Prints which there are.
pub(super) fn list(console: &Console) -> Result<Exit, Failure> {
    let lines: Vec<_> = all()
        .iter()
        .map(|attack| {
            let paper = attack.paper.text();
            format!(
                "{:<4} {:<23} {paper:<15} {}",
                attack.id.text(),
                attack.name,
                attack.title
            )
        })
        .collect();
    let object = json!({
        "schema": "aidchain.attack-list/1",
        "attacks": all().iter().map(about).collect::<Vec<_>>(),
    });
    console.data(&object, &lines.join("\n"))?;
    Ok(Exit::Ok)
}

/// An attack as the catalogue has it.
fn about(attack: &Attack) -> Value {
    json!({
        "id": attack.id.text(),
        "name": attack.name,
        "title": attack.title,
        "paper": attack.paper.text(),
        "target": attack.target.text(),
        "exhibit": match attack.target {
            Target::Exhibit(name) => Some(name),
            Target::Suite => None,
        },
        "needs": attack.needs.iter().map(|need| need.text()).collect::<Vec<_>>(),
    })
}

fn target(attack: &Attack) -> String {
    match attack.target {
        Target::Suite => "the suite".to_owned(),
        Target::Exhibit(name) => format!("exhibit {name}: a published form that no suite has"),
    }
}

const fn place(place: Place) -> &'static str {
    match place {
        Place::Devnet => "against the nodes of the research devnet",
        Place::Process => "in this process, without a node",
    }
}

fn needs(attack: &Attack) -> String {
    let needs: Vec<_> = attack.needs.iter().map(|need| need.text()).collect();
    needs.join(", ")
}

/// Running text in lines.
fn wrapped(text: &str) -> Vec<String> {
    let mut lines = Vec::new();
    let mut line = String::from("  ");
    for word in text.split_whitespace() {
        let length = line.chars().count().saturating_add(word.chars().count());
        if length >= WIDTH {
            lines.push(std::mem::replace(&mut line, String::from("  ")));
        }
        line.push(' ');
        line.push_str(word);
    }
    lines.push(line);
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn running_text_is_broken_between_words() {
        let text = "word ".repeat(60);

        let lines = wrapped(&text);

        assert!(lines.len() > 3);
        assert!(lines.iter().all(|line| line.chars().count() <= WIDTH));
        assert_eq!(lines.concat().split_whitespace().count(), 60);
    }
}
