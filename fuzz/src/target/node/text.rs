//! Short texts that a reader, an operator or a peer writes.

use node::access::Token;
use node::explorer::{search, time};
use node::network::address::Address;
use node::store::{Cursor, Retain};

use crate::target::{Target, Verdict, canonical, holds};

/// All of them.
pub(super) fn targets() -> Vec<Target> {
    let token = "a5".repeat(32);
    let aid = contract::Aid::new([7; 32]).to_string();
    let addresses = [
        "127.0.0.1:7100",
        "[::1]:7100",
        "clinic-a.example:7100",
        "/ip4/127.0.0.1/tcp/7100",
        "/ip6/::1/tcp/7100",
        "/dns4/clinic-a.example/tcp/7100",
    ];
    vec![
        Target::text("node/cursor", &["812.3.1", "0.0.0"], |text| {
            let read = text.parse::<Cursor>().ok();
            canonical(text.as_bytes(), read.map(|it| it.to_string().into_bytes()))
        }),
        Target::text(
            "node/retention",
            &["all", "1000 blocks", "30 days"],
            |text| {
                let read = text.parse::<Retain>().ok();
                canonical(text.as_bytes(), read.map(|it| it.to_string().into_bytes()))
            },
        ),
        Target::text("node/member address", &addresses, |text| {
            let Ok(address) = text.parse::<Address>() else {
                return Verdict::Refused;
            };
            let ends = [":", "/"].map(|before| format!("{before}{}", address.port()));
            let port = ends.iter().any(|end| text.ends_with(end));
            let same = address.to_string().parse() == Ok(address);
            holds(same && port, "it is another address than is written")
        }),
        Target::text("node/access token", &[&token], |text| {
            let read = Token::read(text).map(|it| it.reveal().as_bytes().to_vec());
            canonical(text.trim().to_ascii_lowercase().as_bytes(), read)
        }),
        Target::text(
            "node/search",
            &["812", &token, &aid, "clinic-b", ""],
            |text| {
                let same = search::Query::read(text) == search::Query::read(text.trim());
                holds(same, "spaces around it change what is looked for")
            },
        ),
        Target::text(
            "node/moment",
            &[
                "2026-11-22",
                "2026-11-22T00:01:42.000Z",
                "1970-01-01T00:00:00Z",
            ],
            moment,
        ),
    ]
}

/// A moment is the one that is written, to the millisecond.
fn moment(text: &str) -> Verdict {
    let Some(ms) = time::parse(text) else {
        return Verdict::Refused;
    };
    let written = time::rfc3339(ms);
    let plain = text.strip_suffix('Z').unwrap_or(text);
    // Zeros at the end of a fraction say nothing, and a day alone is its beginning.
    let rest = written
        .strip_suffix('Z')
        .and_then(|it| it.strip_prefix(plain));
    let nothing = |rest: &str| rest.chars().all(|c| matches!(c, '0' | ':' | '.' | 'T'));
    holds(
        rest.is_some_and(nothing),
        "it is another moment than is written",
    )
}
