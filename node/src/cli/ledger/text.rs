//! A member's JSON as lines and tables.

use patient::light::short;
use patient::utc;
use serde_json::Value;

/// Columns of a table of sign-ins.
const RESULT_COLUMNS: [&str; 6] = [
    "height",
    "time_ms",
    "server.name",
    "aid",
    "form",
    "transaction",
];

/// What a report of differing results says, and what it does not.
const WHAT_DIFFERS_SAYS: &str = "\
This says that results differ, and not why: a damaged disk or memory, another build and a fault of this program are as likely
as a lie. At the member whose header is not the certified one: aidchain doctor, then aidchain node repair.";

/// Where the ledger stands, and who blocks us.
pub(super) fn status(status: &Value) -> String {
    let field = |key: &str| scalar(status.get(key).unwrap_or(&Value::Null));
    let mut lines = vec![
        format!(
            "ledger      {} ({}), chain {}",
            field("name"),
            field("kind"),
            field("chain")
        ),
        format!(
            "height      {}, view {}, epoch {}, primary {}",
            field("height"),
            field("view"),
            field("epoch"),
            field("primary")
        ),
        format!("state root  {}", field("state_root")),
    ];
    for member in list(status, "members") {
        let up = member.get("up").and_then(Value::as_bool) == Some(true);
        lines.push(format!(
            "  {} {:<12} {:<7} height {}{}",
            if up { "✓" } else { "✗" },
            scalar(member.get("name").unwrap_or(&Value::Null)),
            scalar(member.get("role").unwrap_or(&Value::Null)),
            scalar(member.get("height").unwrap_or(&Value::Null)),
            if up { "" } else { ", not connected" },
        ));
    }
    for open in list(status, "open") {
        let names = |key: &str| match list(open, key) {
            [] => "nobody".to_owned(),
            names => names.iter().map(scalar).collect::<Vec<_>>().join(", "),
        };
        lines.push(format!(
            "  block {} waits for {}: here {}, missing {}",
            scalar(open.get("height").unwrap_or(&Value::Null)),
            scalar(open.get("phase").unwrap_or(&Value::Null)),
            names("present"),
            names("missing"),
        ));
    }
    if let Some(marks) = status.get("water_marks") {
        let mark = |key: &str| scalar(marks.get(key).unwrap_or(&Value::Null));
        lines.push(format!(
            "votes       above block {}, up to block {}",
            mark("low"),
            mark("high")
        ));
    }
    for key in ["phase", "timer", "changed_view"] {
        let text = field(key);
        if !text.is_empty() {
            lines.push(format!("{:<11} {text}", key.replace('_', " ")));
        }
    }
    for key in ["missing", "stalled", "votes_lost", "diverged"] {
        let text = field(key);
        if !text.is_empty() {
            lines.push(format!("{key:<11} {text}"));
        }
    }
    lines.join("\n")
}

/// Sign-ins as a table.
pub(super) fn results(answer: &Value) -> String {
    let count = list(answer, "results").len();
    let table = table(answer, "results", &RESULT_COLUMNS);
    let field = |key: &str| scalar(answer.get(key).unwrap_or(&Value::Null));
    let more = match field("next_cursor").as_str() {
        "" => String::new(),
        cursor => format!("\nMore: --cursor {cursor}"),
    };
    format!(
        "{table}\n{count} results at height {} (state root {}){more}",
        field("at_height"),
        short(&field("state_root"))
    )
}

/// Blocks whose results differ, each header with those who signed it.
pub(super) fn divergences(answer: &Value) -> String {
    let entries = list(answer, "entries");
    let field = |of: &Value, key: &str| scalar(of.get(key).unwrap_or(&Value::Null));
    let mut lines = Vec::new();
    for entry in entries {
        let noticed = entry.get("noticed_ms").map(time).unwrap_or_default();
        lines.push(format!(
            "block {} (epoch {}), noticed {noticed}",
            field(entry, "height"),
            field(entry, "epoch")
        ));
        let certified = field(entry, "certified");
        for result in list(entry, "results") {
            let header = field(result, "header");
            let mark = if header == certified {
                " (certified)"
            } else {
                ""
            };
            let members = field(result, "members");
            lines.push(format!("  {header}{mark}\n    signed by {members}"));
        }
    }
    if entries.is_empty() {
        return "No differing results were seen here.".to_owned();
    }
    lines.push(WHAT_DIFFERS_SAYS.to_owned());
    lines.join("\n")
}

/// A list of objects as a table with these columns.
pub(super) fn table(answer: &Value, key: &str, columns: &[&str]) -> String {
    let mut rows = vec![columns.iter().map(|it| heading(it)).collect::<Vec<_>>()];
    for item in list(answer, key) {
        rows.push(columns.iter().map(|column| cell(item, column)).collect());
    }
    let width = |place: usize| {
        let cells = rows.iter().filter_map(|row| row.get(place));
        cells.map(|cell| cell.chars().count()).max().unwrap_or(0)
    };
    let lines: Vec<_> = rows
        .iter()
        .map(|row| {
            let cells = row.iter().enumerate();
            let padded: Vec<_> = cells
                .map(|(place, cell)| format!("{cell:<width$}", width = width(place)))
                .collect();
            padded.join("  ").trim_end().to_owned()
        })
        .collect();
    lines.join("\n")
}

/// An object as one line per field.
pub(super) fn lines(value: &Value) -> String {
    let mut lines = Vec::new();
    walk("", value, &mut lines);
    lines.join("\n")
}

fn walk(path: &str, value: &Value, lines: &mut Vec<String>) {
    let below = |key: &str| {
        if path.is_empty() {
            key.to_owned()
        } else {
            format!("{path}.{key}")
        }
    };
    match value {
        Value::Object(fields) => {
            for (key, value) in fields.iter().filter(|(key, _)| *key != "schema") {
                walk(&below(key), value, lines);
            }
        }
        Value::Array(items) if items.iter().any(|item| item.is_object() || item.is_array()) => {
            for (place, item) in items.iter().enumerate() {
                walk(&below(&place.to_string()), item, lines);
            }
        }
        Value::Number(_) if path.ends_with("_ms") => {
            lines.push(format!("{path:<28} {}", time(value)));
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) => {
            lines.push(format!("{path:<28} {}", scalar(value)));
        }
    }
}

fn list<'a>(value: &'a Value, key: &str) -> &'a [Value] {
    let found = value.get(key).and_then(Value::as_array);
    found.map_or(&[], Vec::as_slice)
}

fn heading(column: &str) -> String {
    if column == "time_ms" {
        return "TIME (UTC)".to_owned();
    }
    let name = column.split('.').next().unwrap_or(column);
    name.to_uppercase().replace('_', " ")
}

fn cell(item: &Value, column: &str) -> String {
    let value = column
        .split('.')
        .try_fold(item, |value, key| value.get(key))
        .unwrap_or(&Value::Null);
    match value {
        Value::Array(items) => items.len().to_string(),
        Value::String(text) if text.len() > 40 => short(text),
        Value::Number(_) if column.ends_with("_ms") => time(value),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Object(_) => {
            scalar(value)
        }
    }
}

fn time(value: &Value) -> String {
    value
        .as_u64()
        .map_or_else(|| scalar(value), utc::table_text)
}

fn scalar(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        Value::Array(items) => items.iter().map(scalar).collect::<Vec<_>>().join(", "),
        Value::Bool(_) | Value::Number(_) | Value::Object(_) => value.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_status_names_who_is_missing() {
        let text = status(&json!({
            "name": "demo", "kind": "research", "chain": "4f1c", "height": 12, "view": 1, "epoch": 0,
            "primary": "clinic-a", "state_root": "1fd0",
            "members": [{ "name": "rc", "role": "rc", "up": false, "height": 11 }],
            "missing": ["rc"], "stalled": null, "votes_lost": null,
        }));

        assert!(text.contains("height      12, view 1, epoch 0, primary clinic-a"));
        assert!(text.contains("✗ rc"));
        assert!(text.ends_with("missing     rc"));
    }

    #[test]
    fn a_table_has_a_heading_and_a_line_an_item() {
        let answer = json!({ "blocks": [
            { "height": 15, "time_ms": 1_795_305_702_000_u64, "transactions": [1, 2], "hash": "ab".repeat(32) },
        ] });

        assert_eq!(
            table(
                &answer,
                "blocks",
                &["height", "time_ms", "transactions", "hash"]
            ),
            "HEIGHT  TIME (UTC)           TRANSACTIONS  HASH\n15      2026-11-22 00:01:42  2             abab…ab"
        );
    }

    #[test]
    fn a_list_of_sign_ins_says_at_which_height_it_was_taken() {
        let answer = json!({ "at_height": 15, "state_root": "1fd0".repeat(16), "next_cursor": "15-2-0", "results": [
            { "height": 14, "time_ms": 0, "server": { "name": "clinic-a", "id": "00" }, "aid": "aid1", "form": "legacy",
              "transaction": "9be1" },
        ] });

        let text = results(&answer);

        assert!(
            text.contains("14      1970-01-01 00:00:00  clinic-a  aid1  legacy  9be1"),
            "{text}"
        );
        assert!(
            text.ends_with("1 results at height 15 (state root 1fd0…d0)\nMore: --cursor 15-2-0"),
            "{text}"
        );
    }

    #[test]
    fn differing_results_are_listed_with_their_signers_and_nobody_is_accused() {
        let answer = json!({ "entries": [{
            "height": 7, "epoch": 1, "noticed_ms": 0, "certified": "aa",
            "results": [
                { "header": "aa", "members": ["rc", "clinic-a", "clinic-b"] },
                { "header": "bb", "members": ["clinic-c"] },
            ],
        }] });

        let text = divergences(&answer);

        assert!(
            text.starts_with(
                "block 7 (epoch 1), noticed 1970-01-01 00:00:00\n  aa (certified)\n    signed by rc, clinic-a, \
                 clinic-b\n  bb\n    signed by clinic-c\n"
            ),
            "{text}"
        );
        assert!(text.contains("and not why"), "{text}");
        assert_eq!(
            divergences(&json!({ "entries": [] })),
            "No differing results were seen here."
        );
    }

    #[test]
    fn an_object_becomes_a_line_a_field() {
        let answer = json!({ "schema": "s", "call": { "name": "register" }, "list": [{ "a": 1 }], "flat": [1, 2] });

        let text = lines(&answer);

        let words: Vec<_> = text.split_whitespace().collect();
        assert_eq!(
            words,
            ["call.name", "register", "list.0.a", "1", "flat", "1,", "2"]
        );
    }
}
