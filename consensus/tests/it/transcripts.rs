//! Golden transcripts: a line of input, `----`, and every effect that comes of it.
//!
//! `TRANSCRIPTS=write cargo test -p consensus transcripts` writes them anew, to be read.

use std::fs;
use std::path::PathBuf;

use crate::stage::Stage;

/// A transcript played again: the same directions, with what comes of them now.
fn played(script: &str) -> String {
    let mut stage = Stage::new(4);
    let mut lines = script.lines().peekable();
    let mut out = String::new();
    while let Some(line) = lines.next() {
        if let Some(size) = line.strip_prefix("members ") {
            stage = Stage::new(size.parse().unwrap());
        }
        if let Some(window) = line.strip_prefix("window ") {
            stage.narrow(window.parse().unwrap());
        }
        out.push_str(line);
        out.push('\n');
        if lines.peek() == Some(&"----") {
            out.push_str("----\n");
            for effect in stage.play(line) {
                out.push_str(&effect);
                out.push('\n');
            }
            while lines.peek().is_some_and(|line| !line.is_empty()) {
                lines.next();
            }
        }
    }
    out
}

/// Plays a transcript and compares it with what is written.
fn check(name: &str) {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("tests/it/transcripts")
        .join(format!("{name}.txt"));
    let written = fs::read_to_string(&path).unwrap();

    let played = played(&written);

    if std::env::var_os("TRANSCRIPTS").is_some_and(|wish| wish == "write") {
        fs::write(&path, &played).unwrap();
        return;
    }
    for (place, (one, other)) in written.lines().zip(played.lines()).enumerate() {
        assert_eq!(one, other, "{name}.txt, line {}", place + 1);
    }
    assert_eq!(written, played, "{name}.txt");
}

/// One test for each transcript.
macro_rules! transcripts {
    ($($name:ident),* $(,)?) => {
        $(
            #[test]
            fn $name() {
                check(stringify!($name));
            }
        )*

        #[test]
        fn every_transcript_is_played() {
            let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/it/transcripts");
            let names = [$(stringify!($name)),*];
            for file in fs::read_dir(folder).unwrap() {
                let file = file.unwrap().file_name().into_string().unwrap();
                assert!(names.contains(&file.trim_end_matches(".txt")), "{file} is not played");
            }
        }
    };
}

transcripts![
    a_batch_committed_in_two_views,
    a_batch_found_invalid_is_valid_by_certificate,
    a_block_diverges,
    a_block_without_a_certificate_is_kept_for_others,
    a_gap_is_filled_with_the_null_batch,
    a_laggard_learns_of_the_end_late,
    a_late_prepare_still_counts,
    a_lost_commit_is_sent_again,
    a_member_alone,
    a_node_that_lost_its_votes_signs_nothing,
    a_primary_equivocates,
    a_replica_catches_up_with_blocks,
    a_replica_recovers_across_the_end_of_an_epoch,
    a_replica_restarts_in_mid_view_change,
    a_replica_that_lacks_a_block_asks_though_votes_keep_coming,
    a_quiet_network_beats,
    a_slot_is_voted_on_before_the_one_below_is_executed,
    checkpoints_come_in_any_order,
    the_epoch_ends,
    the_epoch_ends_under_load,
    the_epoch_ends_with_a_dead_primary,
    the_normal_case,
    the_power_fails_everywhere_with_commits_in_flight,
    the_primary_crashes,
];
