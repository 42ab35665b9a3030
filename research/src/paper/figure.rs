//! Fig. 2 again: the printed totals beside what this machine takes, as SVG.
//!
//! The paper draws both phases on one linear axis. Between its slowest and our fastest entry lie four powers of ten, so
//! this axis is logarithmic, from a microsecond to a tenth of a second.

use std::fmt::Write as _;

use super::grid::here_ns;
use super::report::Report;
use super::text::millis;

/// Where the picture stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Setting {
    /// A file of its own: it brings its colours, for light and for dark.
    File,
    /// A page, whose colours it takes.
    Page,
}

/// Width of the picture, in its own units.
const WIDTH: u32 = 640;
/// Where bars begin.
const LEFT: u32 = 130;
/// Length of a bar over the whole axis.
const LENGTH: u32 = 410;
/// Height of a scheme's two bars and the gap below.
const STEP: u32 = 34;
/// Height of a phase's heading.
const HEAD: u32 = 30;
/// Powers of ten on the axis, from 10^3 ns on.
const DECADES: u32 = 5;
/// The axis begins at 10^3 ns.
const FIRST_DECADE: f64 = 3.0;
/// Colours that can be told apart on white and on black.
const PRINTED: &str = "#b7791f";
const HERE: &str = "#2f7fd1";

/// What stands beside the bars of one scheme.
struct Bars<'a> {
    label: &'a str,
    printed_ns: Option<u64>,
    here_ns: Option<u64>,
}

/// The picture.
pub fn svg(report: &Report, setting: Setting) -> String {
    let phases = ["registration", "authentication"].map(|phase| (phase, bars(report, phase)));
    let rows = phases.iter().map(|(_, bars)| bars.len()).sum::<usize>();
    let rows = u32::try_from(rows).unwrap_or(u32::MAX);
    let height = rows
        .saturating_mul(STEP)
        .saturating_add(HEAD.saturating_mul(3));
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {height}\" role=\"img\" \
         aria-label=\"{}\" font-family=\"system-ui, sans-serif\" font-size=\"11\">\n",
        description(&phases)
    );
    if setting == Setting::File {
        svg.push_str(
            "<style>svg{color:#1c1c1c;background:#fff}\
             @media (prefers-color-scheme:dark){svg{color:#ececec;background:#14161a}}</style>\n",
        );
    }
    let mut top = 0;
    for (phase, bars) in &phases {
        heading(&mut svg, top, phase);
        top = top.saturating_add(HEAD);
        grid_lines(&mut svg, top, bars.len());
        for bar in bars {
            pair(&mut svg, top, bar);
            top = top.saturating_add(STEP);
        }
    }
    legend(&mut svg, top);
    svg.push_str("</svg>\n");
    svg
}

fn bars<'a>(report: &'a Report, phase: &str) -> Vec<Bars<'a>> {
    let printed = report.tables.computation.iter();
    let printed = printed.filter(|row| row.phase == phase).map(|row| Bars {
        label: &row.scheme,
        printed_ns: Some(row.printed_ns),
        here_ns: here_ns(report, &row.scheme, phase),
    });
    let ours = report.measured.runs.iter();
    let ours = ours.filter(|run| run.phase == phase && !run.scheme.starts_with("Wu"));
    let ours = ours.map(|run| Bars {
        label: &run.scheme,
        printed_ns: None,
        here_ns: Some(run.both_ns),
    });
    printed.chain(ours).collect()
}

/// What the picture says, in words.
fn description(phases: &[(&str, Vec<Bars<'_>>)]) -> String {
    let mut words = "Computation in milliseconds, printed and measured here.".to_owned();
    for (phase, bars) in phases {
        let _infallible = write!(words, " {phase}:");
        for bar in bars {
            let _infallible = write!(words, " {}", bar.label);
            if let Some(ns) = bar.printed_ns {
                let _infallible = write!(words, " printed {}", millis(ns));
            }
            if let Some(ns) = bar.here_ns {
                let _infallible = write!(words, " here {}", millis(ns));
            }
            words.push(';');
        }
    }
    words
}

fn heading(svg: &mut String, top: u32, phase: &str) {
    let base = top.saturating_add(20);
    let _infallible = writeln!(
        svg,
        "<text x=\"0\" y=\"{base}\" fill=\"currentColor\" font-weight=\"bold\">{phase}</text>"
    );
}

/// A line at each power of ten, and what it stands for.
fn grid_lines(svg: &mut String, top: u32, rows: usize) {
    let rows = u32::try_from(rows).unwrap_or(u32::MAX);
    let bottom = top
        .saturating_add(rows.saturating_mul(STEP))
        .saturating_sub(6);
    for (decade, label) in (0..=DECADES).zip(["1 µs", "10 µs", "0.1 ms", "1 ms", "10 ms", "0.1 s"])
    {
        let x = LEFT.saturating_add(decade.saturating_mul(LENGTH / DECADES));
        let _infallible = writeln!(
            svg,
            "<line x1=\"{x}\" y1=\"{top}\" x2=\"{x}\" y2=\"{bottom}\" stroke=\"currentColor\" stroke-opacity=\"0.2\"/>\
             <text x=\"{x}\" y=\"{}\" fill=\"currentColor\" text-anchor=\"middle\" font-size=\"9\">{label}</text>",
            top.saturating_sub(4)
        );
    }
}

/// A scheme's two bars.
fn pair(svg: &mut String, top: u32, bars: &Bars<'_>) {
    let base = top.saturating_add(18);
    let _infallible = writeln!(
        svg,
        "<text x=\"0\" y=\"{base}\" fill=\"currentColor\">{}</text>",
        bars.label
    );
    let both = [(bars.printed_ns, PRINTED, 2), (bars.here_ns, HERE, 14)];
    for (ns, colour, down) in both {
        let Some(ns) = ns else { continue };
        let (y, long) = (top.saturating_add(down), long(ns));
        let _infallible = writeln!(
            svg,
            "<rect x=\"{LEFT}\" y=\"{y}\" width=\"{long:.1}\" height=\"11\" fill=\"{colour}\"/>\
             <text x=\"{:.1}\" y=\"{}\" fill=\"currentColor\" font-size=\"9\">{} ms</text>",
            f64::from(LEFT) + long + 4.0,
            y.saturating_add(9),
            rounded(ns)
        );
    }
}

/// Three digits are enough beside a bar.
fn rounded(ns: u64) -> String {
    let digits = ns.checked_ilog10().unwrap_or(0);
    let least = 10_u64.pow(digits.saturating_sub(2));
    let half = least / 2;
    let kept = ns.saturating_add(half).checked_div(least).unwrap_or(ns);
    millis(kept.saturating_mul(least))
}

/// The length of a bar.
fn long(ns: u64) -> f64 {
    let ns = f64::from(u32::try_from(ns).unwrap_or(u32::MAX));
    let share = (ns.max(1.0).log10() - FIRST_DECADE) / f64::from(DECADES);
    (share * f64::from(LENGTH)).clamp(2.0, f64::from(LENGTH))
}

fn legend(svg: &mut String, top: u32) {
    let base = top.saturating_add(16);
    for (x, colour, what) in [
        (LEFT, PRINTED, "as printed"),
        (
            LEFT.saturating_add(120),
            HERE,
            "on this machine: run, or operation mix of [22] to [24]",
        ),
    ] {
        let _infallible = writeln!(
            svg,
            "<rect x=\"{x}\" y=\"{}\" width=\"11\" height=\"11\" fill=\"{colour}\"/>\
             <text x=\"{}\" y=\"{base}\" fill=\"currentColor\">{what}</text>",
            base.saturating_sub(9),
            x.saturating_add(16)
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bar_is_as_long_as_its_powers_of_ten() {
        let tenth = f64::from(LENGTH) / f64::from(DECADES);

        assert!((long(10_000) - tenth).abs() < 0.01);
        assert!((long(1_000_000) - 3.0 * tenth).abs() < 0.01);
        assert!(long(5) > 1.0);
        assert!(long(u64::MAX) <= f64::from(LENGTH));
    }

    #[test]
    fn beside_a_bar_stand_three_digits() {
        assert_eq!(rounded(8_920_100), "8.92");
        assert_eq!(rounded(29_890_300), "29.9");
        assert_eq!(rounded(4_567), "0.00457");
        assert_eq!(rounded(0), "0");
    }
}
