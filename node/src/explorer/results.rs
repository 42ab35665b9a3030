//! Sign-ins on the ledger: a filter, a page of rows, the same rows as a file.

use contract::identity::{Aid, SuiteId};
use maud::{Markup, html};

use super::{decode, parts};

/// One recorded sign-in.
#[derive(Clone, Debug)]
pub struct SignIn {
    /// The block it is in.
    pub height: u64,
    /// The block's time.
    pub time_ms: u64,
    /// The server it happened at, by name.
    pub server: String,
    /// Who.
    pub aid: Aid,
    /// The session, in hex.
    pub session: String,
    /// The suite, such as `0x0001`.
    pub suite: String,
    /// `signed by patient and server`, or what else the record rests on.
    pub form: &'static str,
    /// The transaction that carries it.
    pub transaction: String,
    /// Its place in that.
    pub entry: usize,
}

/// What the reader asked for, as it stands in the address.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filter {
    /// Only this identity.
    pub aid: String,
    /// Only at this server.
    pub server: String,
    /// Not before this day or moment.
    pub since: String,
    /// As the ledger was at this height.
    pub at_height: String,
}

/// A page of rows and what leads to the next.
#[derive(Clone, Debug)]
pub struct Results {
    /// What was asked.
    pub filter: Filter,
    /// The members one can choose from.
    pub servers: Vec<String>,
    /// The rows.
    pub rows: Vec<SignIn>,
    /// Where the next page starts.
    pub next: Option<String>,
    /// The certified height the rows are from.
    pub height: u64,
}

impl Filter {
    /// The filter as the query part of an address, with `extra` behind it.
    pub fn query(&self, extra: &[(&str, &str)]) -> String {
        let own = [
            ("aid", &self.aid),
            ("server", &self.server),
            ("since", &self.since),
            ("at_height", &self.at_height),
        ];
        let set = own
            .iter()
            .filter(|(_, value)| !value.is_empty())
            .map(|(name, value)| (*name, value.as_str()));
        let pairs: Vec<String> = set
            .chain(extra.iter().copied())
            .map(|(name, value)| format!("{name}={}", encoded(value)))
            .collect();
        pairs.join("&")
    }
}

/// A value as it may stand in an address.
fn encoded(text: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    let letters = text.bytes().map(|byte| {
        if plain(byte) {
            char::from(byte).to_string()
        } else {
            format!("%{byte:02X}")
        }
    });
    letters.collect()
}

/// The rows.
pub fn table(rows: &[SignIn]) -> Markup {
    html! {
        table .wide {
            thead { tr {
                th scope="col" { "Height" } th scope="col" { "Time" } th scope="col" { "Server" } th scope="col" { "Identity" }
                th scope="col" { "Result" } th scope="col" { "Transaction" }
            } }
            tbody {
                @for row in rows {
                    tr {
                        td data-label="Height" { a href=(format!("/b/{}", row.height)) { (row.height) } }
                        td data-label="Time" { (parts::moment(row.time_ms)) }
                        td data-label="Server" { (row.server) }
                        td data-label="Identity" { (parts::aid(&row.aid)) }
                        td data-label="Result" { (parts::state(&parts::State::Good("signed in".to_owned()))) " " span .soft { (suite(&row.suite)) ", " (row.form) } " " a href=(format!("/verify.html#tx={}.{}", row.transaction, row.entry)) { "Verify" } }
                        td data-label="Transaction" { (parts::linked(&format!("/t/{}", row.transaction), "transaction", &row.transaction)) }
                    }
                }
            }
        }
    }
}

/// A suite as the table shows it: one of the papers' by its name, and marked as what it is.
fn suite(number: &str) -> String {
    match number.parse::<SuiteId>() {
        Ok(suite) if suite.is_research() => decode::suite(suite),
        Ok(_) | Err(_) => number.to_owned(),
    }
}

/// The page.
pub fn body(view: &Results) -> Markup {
    html! {
        h1 { "Sign-ins" }
        form .card action="/results" method="get" aria-label="Filter" {
            div .row {
                label { span { "Server" } select name="server" {
                    option value="" { "all" }
                    @for server in &view.servers { option value=(server) selected[*server == view.filter.server] { (server) } }
                } }
                label { span { "Identity (aid1…)" } input type="text" name="aid" value=(view.filter.aid) maxlength="62" autocomplete="off" spellcheck="false"; }
                label { span { "Since (UTC, 2026-11-22)" } input type="text" name="since" value=(view.filter.since) maxlength="24" autocomplete="off"; }
                label { span { "As of height" } input type="text" name="at_height" value=(view.filter.at_height) maxlength="20" inputmode="numeric" autocomplete="off"; }
                button type="submit" { "Filter" }
            }
        }
        p { (view.rows.len()) " rows on this page, from certified height " (view.height) ". "
            "Exactly these as a file: "
            a href=(format!("/results.csv?{}", view.filter.query(&[]))) { "CSV" } ", "
            a href=(format!("/results.ndjson?{}", view.filter.query(&[]))) { "NDJSON" } }
        @if view.rows.is_empty() { p { "No sign-in matches. Widen the filter, or look at " a href="/results" { "all of them" } "." } }
        @else { (table(&view.rows)) }
        @if let Some(next) = &view.next {
            p { a .button rel="next" href=(format!("/results?{}", view.filter.query(&[("cursor", next)]))) { "Older" } }
        }
    }
}

/// The header line of a CSV export.
pub const CSV_HEADER: &str = "height,time,server,aid,session,suite,form,transaction\r\n";

/// A row of a CSV export; no value of it can hold a comma, but a member's name is quoted all the same.
pub fn csv(row: &SignIn) -> String {
    let name = row.server.replace('"', "\"\"");
    // A spreadsheet would run a name that begins like a formula.
    let guard = if name.starts_with(['=', '+', '-', '@']) {
        "'"
    } else {
        ""
    };
    format!(
        "{},{},\"{guard}{name}\",{},{},{},{},{}\r\n",
        row.height,
        super::time::rfc3339(row.time_ms),
        row.aid,
        row.session,
        row.suite,
        row.form,
        row.transaction
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row() -> SignIn {
        SignIn {
            height: 15,
            time_ms: 1_795_305_702_000,
            server: "clinic-c".to_owned(),
            aid: Aid::new([7; 32]),
            session: "5e".repeat(32),
            suite: "0x0001".to_owned(),
            form: "signed by patient and server",
            transaction: "c0".repeat(32),
            entry: 3,
        }
    }

    #[test]
    fn a_row_leads_to_its_block_its_identity_its_transaction_and_its_own_receipt() {
        let html = table(&[row()]).into_string();

        assert!(html.contains("href=\"/b/15\""));
        assert!(html.contains(&format!("href=\"/a/{}\"", Aid::new([7; 32]))));
        assert!(html.contains(&format!("href=\"/t/{}\"", "c0".repeat(32))));
        assert!(html.contains("✓ signed in"));
        assert!(html.contains(&format!("href=\"/verify.html#tx={}.3\"", "c0".repeat(32))));
    }

    #[test]
    fn the_next_page_and_the_exports_keep_the_filter() {
        let filter = Filter {
            server: "clinic c&d".to_owned(),
            ..Filter::default()
        };
        let view = Results {
            filter,
            servers: vec!["clinic c&d".to_owned()],
            rows: vec![row()],
            next: Some("15.0".to_owned()),
            height: 20,
        };
        let html = body(&view).into_string();

        assert!(html.contains("/results?server=clinic%20c%26d&amp;cursor=15.0"));
        assert!(html.contains("/results.csv?server=clinic%20c%26d"));
        assert!(html.contains("selected"));
    }

    #[test]
    fn an_export_line_has_one_value_a_column_and_starts_no_formula() {
        let wild = SignIn {
            server: "=cmd(\"x\")".to_owned(),
            ..row()
        };
        let line = csv(&wild);

        assert!(line.contains("\"'=cmd(\"\"x\"\")\""));
        assert_eq!(
            csv(&row()).matches(',').count(),
            CSV_HEADER.matches(',').count()
        );
        assert!(line.starts_with("15,2026-11-22T00:01:42.000Z,"));
    }

    #[test]
    fn no_match_says_what_to_do() {
        let view = Results {
            filter: Filter::default(),
            servers: Vec::new(),
            rows: Vec::new(),
            next: None,
            height: 3,
        };

        assert!(body(&view).into_string().contains("No sign-in matches"));
    }
}
