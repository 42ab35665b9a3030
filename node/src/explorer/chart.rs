//! Bar charts as SVG drawn by the server: they print, need no script, and carry their numbers as a table.

use maud::{Markup, html};

/// Height of the drawing, in its own units.
const HEIGHT: u64 = 120;
/// Room for the labels under the bars.
const FOOT: u64 = 16;
/// Width of the drawing.
const WIDTH: u64 = 640;

/// One bar.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bar {
    /// What it stands for.
    pub label: String,
    /// How much.
    pub count: u64,
}

/// A chart and its table. Nothing at all when there is nothing to show.
pub fn bars(title: &str, unit: &str, bars: &[Bar]) -> Markup {
    let most = bars.iter().map(|bar| bar.count).max().unwrap_or(0);
    let number = u64::try_from(bars.len()).unwrap_or(u64::MAX);
    let Some(step) = WIDTH.checked_div(number) else {
        return html! {};
    };
    let total: u64 = bars
        .iter()
        .fold(0, |sum, bar| sum.saturating_add(bar.count));
    html! {
        figure .card {
            svg viewBox=(format!("0 0 {WIDTH} {}", HEIGHT.saturating_add(FOOT))) role="img" aria-label=(format!("{title}: {total} {unit} in {number} bars, at most {most}; the numbers follow as a table")) {
                line .axis x1="0" y1=(HEIGHT) x2=(WIDTH) y2=(HEIGHT) {}
                @for (at, bar) in (0_u64..).zip(bars) {
                    @let height = tall(bar.count, most);
                    rect .bar x=(at.saturating_mul(step).saturating_add(1)) y=(HEIGHT.saturating_sub(height)) width=(step.saturating_sub(2).clamp(1, 40)) height=(height) {
                        title { (bar.label) ": " (bar.count) " " (unit) }
                    }
                }
                @if let Some(first) = bars.first() { text x="0" y=(HEIGHT.saturating_add(13)) { (first.label) } }
                @if let [_, .., last] = bars { text x=(WIDTH) y=(HEIGHT.saturating_add(13)) text-anchor="end" { (last.label) } }
            }
            figcaption .soft { (title) ", at most " (most) " a bar" }
            details {
                summary { "The numbers" }
                table {
                    thead { tr { th scope="col" { "Bar" } th scope="col" { (unit) } } }
                    tbody { @for bar in bars { tr { th scope="row" { (bar.label) } td { (bar.count) } } } }
                }
            }
        }
    }
}

/// A bar's height; anything above zero is visible.
const fn tall(count: u64, most: u64) -> u64 {
    match count.saturating_mul(HEIGHT).checked_div(most) {
        Some(0) if count > 0 => 1,
        Some(height) => height,
        None => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bar(label: &str, count: u64) -> Bar {
        Bar {
            label: label.to_owned(),
            count,
        }
    }

    #[test]
    fn the_largest_bar_fills_the_chart_and_a_small_one_is_still_seen() {
        let html = bars(
            "Sign-ins",
            "sign-ins",
            &[bar("mon", 1000), bar("tue", 1), bar("wed", 0)],
        )
        .into_string();

        assert!(html.contains("height=\"120\""));
        assert!(html.contains("height=\"1\""));
        assert!(html.contains("height=\"0\""));
        assert!(html.contains("1001 sign-ins in 3 bars"));
    }

    #[test]
    fn the_numbers_are_there_without_the_picture() {
        let html = bars("Sign-ins", "sign-ins", &[bar("mon", 4)]).into_string();

        assert!(html.contains("<th scope=\"row\">mon</th><td>4</td>"));
    }

    #[test]
    fn nothing_is_drawn_from_nothing() {
        assert_eq!(bars("x", "y", &[]).into_string(), "");
    }
}
