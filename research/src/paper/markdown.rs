//! The page `docs/paper.md`. Whatever number stands in it comes out of the report.

use std::fmt::Write as _;

use super::grid::{
    Grid, communication, computation, counts, errors, messages, operations, runs, units,
};
use super::report::Report;

/// What comes first.
const HEAD: &str = "\
# The paper's tables, once more

Written by `aidchain research reproduce --out docs`; do not edit it. The same numbers as data: \
[paper.json](paper/paper.json) (`aidchain.paper/1`) and the CSV files beside it.

Wu, Peng, Gao and Chen (*An Efficient Anonymous Authentication Scheme for Medical Services Based on Blockchain*, \
EasyChair preprint, 2021) compare their scheme with three others by bits on the wire (Table 2), by operations (Table 3) \
and by time (Fig. 2). Here each printed value stands beside what its own terms add up to, and beside what this software \
does: bits of the messages that it sends, operations counted while it runs, processor time of one thread.

**Fast is not safe.** Wu-2021 and Limbasiya-2020 are broken ([threats.md](threats.md)); they run on research ledgers \
only. AIDC-1, the suite in use, costs more because it does more.
";

/// Before each table: what it shows and how to read it.
const COMMUNICATION: &str = "\
The paper sets |G| = 1024 bits (a point of a PBC Type A curve), |Q| = 160 bits (also for AID, SP, PP, BIO and V_u) and \
32 bits for ID, PW and a time. *recomputed* is the printed formula with these sizes; *built* is the length of the \
messages of one run. *agrees* means that all that stand in the row are equal.
";
const MESSAGES: &str = "\
The same run, field by field. *framing* is what stands between fields: lengths, headers. The biometric and its helper \
string are most of Me5: the paper counts as many bits for a face as for a hash.
";
const COMPUTATION: &str = "\
*recomputed* is the printed formula with the paper's own unit times (below). *here* is a whole run of Wu-2021, and for \
[22] to [24] their operations one after the other: an **operation mix** and no protocol, since the equations of these \
schemes are not public where we could read them. The formula of [22] prints T_mul in two places; all are counted.
";
const FIGURE: &str = "\
## Fig. 2

![Computation as printed and as measured here, on a logarithmic axis](paper/fig2.svg)

The axis is logarithmic: a tenth of the length is much less than a tenth of the time. [24] changes its place: the \
encryption that the paper charges like an exponentiation is two multiplications on a curve here, and its decryption one.
";
const ERRORS: &str = "\
Found by doing the sums again. A benchmark that quotes the printed totals repeats them.
";
const UNITS: &str = "\
The paper took its times from a survey of schemes for internet telephony (its reference [21]). The next table has the \
same kinds of operation here, which are not the same operations: points are those of secp256k1 and BLS12-381, and T_exp \
is an exponentiation in the pairing's target group. `blst` is faster still than this through its unsafe interface, in T_exp only \
([ADR 0008](adr/0008-counts-and-pairings.md)).
";
const COUNTS: &str = "\
The papers' suites report each operation as they do it (`protocol/src/meter.rs`), from the opening of the card to the \
key. AIDC-1 has no meter: an accountant does each side once more by [its specification](aidc1.md), counts, and has to be \
accepted by the real other side. *T_h* is one hash of a few fields, *session id* one over both messages, which the \
ledger wants and no paper has; *HKDF* is one Extract or Expand. Where a suite computes a value twice, it counts twice.
";
const RUNS: &str = "\
Messages encoded and parsed on the way, no network and no ledger. A card is open already; AIDC-1's patient keeps ss, as \
terminals do. *both* is a median of its own, so not always the sum. AIDC-1's enrolment is missing: Argon2id is meant to \
cost what it costs there.
";

/// What comes last.
const FOOT: &str = "\
## What is not reproduced, and why

- **The schemes [22], [23] and [24] as protocols.** Their equations are not public where we could read them. Rows of \
Table 2 are checked by their arithmetic, rows of Table 3 run as operation mixes.
- **The paper's machine.** Its unit times come from a survey and not from a run of the authors, and no machine is named; \
its bars are sums of products. Ours are runs.
- **Handsets and batteries.** No figure of ours is from a telephone.
- **The ledger.** The paper announces an implementation on Hyperledger Fabric as future work and ignores what travels to \
and from the chain. What a sign-in costs with consensus is measured by `scripts/bench sign-in`, without the paper.
- **Table 1 and Fig. 1** hold symbols and a drawing.
- **Registration of AIDC-1** in the tables: it registers sixteen AIDs at once and deals key shares to the members, so no \
row of the paper is like it.
";

/// The page.
pub fn markdown(report: &Report) -> String {
    let mut page = HEAD.to_owned();
    let _infallible = write!(page, "\nMeasured on: {}.\n", report.measured.machine);
    for (grid, about) in [
        (communication(report), COMMUNICATION),
        (messages(report), MESSAGES),
        (computation(report), COMPUTATION),
    ] {
        section(&mut page, &grid, about);
    }
    let _infallible = write!(page, "\n{FIGURE}");
    for (grid, about) in [
        (errors(report), ERRORS),
        (units(report), UNITS),
        (operations(report), ""),
        (counts(report), COUNTS),
        (runs(report), RUNS),
    ] {
        section(&mut page, &grid, about);
    }
    let _infallible = write!(page, "\n{FOOT}");
    page
}

fn section(page: &mut String, grid: &Grid, about: &str) {
    let _infallible = write!(page, "\n## {}\n\n", grid.title);
    if !about.is_empty() {
        let _infallible = writeln!(page, "{about}");
    }
    let head: Vec<String> = grid.head.iter().map(|name| (*name).to_owned()).collect();
    row(page, &head);
    row(page, &vec!["---".to_owned(); head.len()]);
    for cells in &grid.rows {
        row(page, cells);
    }
}

/// A row; what a table would take for the end of a cell is escaped.
fn row(page: &mut String, cells: &[String]) {
    let cells: Vec<_> = cells.iter().map(|cell| cell.replace('|', "\\|")).collect();
    let _infallible = writeln!(page, "| {} |", cells.join(" | "));
}
