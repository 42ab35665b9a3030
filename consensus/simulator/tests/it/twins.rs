//! Twins: scripts that are generated, and scripts from files.

use simulator::twins::{self, Generator, Script};
use simulator::{Dice, Sabotage};

/// The scripts of a file beside the tests.
fn from_file(text: &str) -> Vec<Script> {
    twins::read(text).unwrap()
}

/// Plays scripts: each must be safe, and live once everybody reaches everybody.
fn play(scripts: impl IntoIterator<Item = Script>) {
    for script in scripts {
        let run = script.run(1, Sabotage::None, false);

        let told = || twins::write(core::slice::from_ref(&script));
        assert_eq!(run.violation, None, "{}", told());
        assert!(run.height > 0, "{}", told());
    }
}

#[test]
fn one_of_four_members_runs_twice_and_all_agree() {
    let (generator, mut dice) = (Generator::new(4, 1, 2, 4), Dice::new(1));

    play((0..150).map(|_| generator.any(&mut dice)));
}

#[test]
fn two_of_seven_members_run_twice_and_all_agree() {
    let (generator, mut dice) = (Generator::new(7, 2, 3, 3), Dice::new(2));

    play((0..40).map(|_| generator.any(&mut dice)));
}

#[test]
fn the_scripts_in_files_are_safe() {
    play(from_file(include_str!("../twins/split_leader.json")));
    play(from_file(include_str!("../twins/four_members.json")));
    play(from_file(include_str!(
        "../twins/no_twins_eleven_views.json"
    )));
}

#[test]
fn a_generator_makes_every_division_with_a_quorum_under_every_leader() {
    // Five nodes have 16 divisions into at most two sides; in three of them both copies are on
    // a side with one other member only, and no side has three members.
    let generator = Generator::new(4, 1, 2, 1);

    assert_eq!(generator.count(), 13 * 4);
}

#[test]
fn a_file_of_scripts_is_read_as_it_was_written() {
    let generator = Generator::new(7, 2, 3, 4);
    let scripts: Vec<Script> = (0..9)
        .map(|number| generator.script(number * 7919))
        .collect();

    assert_eq!(twins::read(&twins::write(&scripts)).unwrap(), scripts);
}

#[test]
fn nodes_of_a_file_are_numbers_or_pairs_of_numbers() {
    let numbers = r#"{"num_nodes":4,"num_twins":1,"ticks":9,
        "scenarios":[[{"leader":2,"partitions":[[1,3],[2,5]]}]]}"#;
    let pairs = r#"{"num_nodes":4,"num_twins":1,"ticks":9,"scenarios":[[{"leader":2,"partitions":[
        [{"ReplicaID":1,"NetworkID":1},{"ReplicaID":2,"NetworkID":3}],
        [{"ReplicaID":1,"NetworkID":2},{"ReplicaID":4,"NetworkID":5}]]}]]}"#;

    let read = from_file(numbers);

    assert_eq!(read, from_file(pairs));
    assert_eq!(read[0].rounds[0].leader, 1);
    assert_eq!(read[0].rounds[0].partitions, [vec![0, 1], vec![4, 3]]);
}

#[test]
fn a_file_that_names_what_there_is_not_is_refused() {
    for text in [
        "[",
        r#"{"num_nodes":4,"num_twins":2,"scenarios":[]}"#,
        r#"{"num_nodes":4,"num_twins":1,"scenarios":[[{"leader":5,"partitions":[]}]]}"#,
        r#"{"num_nodes":4,"num_twins":1,"scenarios":[[{"leader":1,"partitions":[[6]]}]]}"#,
    ] {
        assert!(twins::read(text).is_err(), "{text}");
    }
}
