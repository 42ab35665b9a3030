//! The report for people.

use super::{Coded, Inversion, Iris, Outcome, Projected, Report};
use crate::biometrics::interval::Rate;
use crate::biometrics::spread::Spread;

/// One line for each finding.
pub(super) fn of(report: &Report) -> String {
    let (kat, face) = (report.kat, &report.face);
    let mut lines = vec![
        line(
            "Known answers",
            &format!("{} of {} met bit for bit", kat.exact, kat.total),
        ),
        line(
            "Faces",
            &format!("{} captures of {} people", face.captures, face.subjects),
        ),
    ];
    for (about, spread) in [("single", &face.single), ("of three", &face.enrolled)] {
        lines.extend(spread.iter().flat_map(|spread| distances(about, spread)));
    }
    lines.push("Enrolled with three captures each; intervals of 95 % (Clopper–Pearson)".to_owned());
    lines.extend(outcome("hard", &face.hard));
    lines.extend(face.projected.iter().flat_map(projected));
    lines.extend(face.soft.iter().flat_map(|soft| coded("soft", soft)));
    lines.extend(report.iris.iter().flat_map(iris));
    lines.extend(inversion(&report.inversion));
    lines.extend(report.missing.iter().map(|what| line("not measured", what)));
    lines.join("\n")
}

/// A finding and what it is about.
fn line(about: &str, finding: &str) -> String {
    format!("{about:16}{finding}")
}

fn distances(about: &str, spread: &Spread) -> [String; 3] {
    let Spread {
        genuine, impostor, ..
    } = spread;
    let of_one = format!(
        "mean {:.3}, sd {:.3}, p50 {:.3}, p95 {:.3}, p99 {:.3}, max {:.3} ({} pairs)",
        genuine.mean, genuine.sd, genuine.p50, genuine.p95, genuine.p99, genuine.max, genuine.n,
    );
    let of_two = format!(
        "mean {:.3}, sd {:.3}, p1 {:.3}, min {:.3} ({} pairs)",
        impostor.mean, impostor.sd, impostor.p1, impostor.min, impostor.n,
    );
    let both = format!(
        "EER {}, FRR {} at FAR 1e-3 and {} at 1e-4, {:.0} degrees of freedom",
        percent(spread.eer),
        percent(spread.frr_at_far_1e3),
        percent(spread.frr_at_far_1e4),
        spread.degrees_of_freedom,
    );
    [
        line(about, &format!("genuine   {of_one}")),
        line("", &format!("impostor  {of_two}")),
        line("", &both),
    ]
}

fn outcome(about: &str, outcome: &Outcome) -> [String; 2] {
    let counted = outcome.errors;
    [
        line(
            about,
            &format!(
                "false rejects {} of {}: {}",
                counted.false_rejects,
                counted.genuine,
                interval(outcome.frr),
            ),
        ),
        line("", &accepts(outcome)),
    ]
}

fn accepts(outcome: &Outcome) -> String {
    let counted = outcome.errors;
    format!(
        "false accepts {} of {}: {}",
        counted.false_accepts,
        counted.impostor,
        interval(outcome.far),
    )
}

fn projected(projected: &Projected) -> Vec<String> {
    let mut lines: Vec<_> = outcome("projected", &projected.with_tk).into();
    lines.push(line("  without tk", &accepts(&projected.without_tk)));
    let draws = projected.draws.iter().map(|draw| {
        format!(
            "{}/{}/{}",
            draw.false_rejects, draw.false_accepts, draw.false_accepts_without_tk,
        )
    });
    let draws = draws.collect::<Vec<_>>().join(" ");
    let what = format!("{draws} (false rejects/accepts/accepts without tk)");
    lines.push(line("  by the draw", &what));
    lines
}

fn coded(about: &str, coded: &Coded) -> Vec<String> {
    let mut lines = vec![line(
        about,
        &format!("{}, {} bits drawn", coded.code, coded.message_bits),
    )];
    lines.extend(outcome("", &coded.outcome));
    lines
}

fn iris(iris: &Iris) -> Vec<String> {
    let of = format!("{} captures of {} eyes", iris.captures, iris.subjects);
    let mut lines = vec![line("Irises", &of)];
    for (about, spread) in [("upright", &iris.upright), ("best of 13", &iris.tilted)] {
        lines.extend(spread.iter().flat_map(|spread| distances(about, spread)));
    }
    let codes = std::iter::once(&iris.first).chain(&iris.others);
    lines.extend(codes.flat_map(|code| coded("three to enrol", code)));
    lines
}

fn inversion(inversion: &Inversion) -> Vec<String> {
    let cases = [
        ("projection public", &inversion.public_projection),
        ("tk leaked", &inversion.tk_leaked),
        ("tk secret", &inversion.tk_secret),
    ];
    let found = cases.into_iter().filter_map(|(about, tally)| {
        let tally = tally.as_ref()?;
        Some(line(
            "PP alone",
            &format!(
                "{about}: SP of {} of {} people, median distance {:.3}",
                tally.recovered, tally.people, tally.median_distance,
            ),
        ))
    });
    found.collect()
}

/// A rate with its bounds.
fn interval(rate: Rate) -> String {
    let high = percent(rate.high);
    if rate.rate <= 0.0 {
        return format!("at most {high}");
    }
    format!("{} ({} to {high})", percent(rate.rate), percent(rate.low))
}

/// A share for people, with two digits that mean something.
fn percent(share: f64) -> String {
    let hundred = share * 100.0;
    if hundred <= 0.0 {
        "0 %".to_owned()
    } else if hundred < 0.1 {
        format!("{hundred:.4} %")
    } else {
        format!("{hundred:.2} %")
    }
}
