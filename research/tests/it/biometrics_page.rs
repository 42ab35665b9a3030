//! The page and the command say the same.

use crate::biometrics_sets::{is_public_half, real};

const PAGE: &str = include_str!("../../../docs/biometrics.md");

/// What stands in the page between the command and the end of the block.
fn printed() -> &'static str {
    let (_, after) = PAGE
        .split_once("$ aidchain research biometrics ../shared/data/biometrics\n")
        .unwrap();
    after.split_once("```").unwrap().0.trim_end()
}

#[test]
fn every_figure_of_the_page_is_what_the_command_prints() {
    let Some(report) = real().filter(|report| is_public_half(report)) else {
        return;
    };

    assert_eq!(printed(), report.text());
}
