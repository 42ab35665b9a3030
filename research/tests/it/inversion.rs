//! The attack on PP alone, on faces of nobody and on real ones.

use research::biometrics::inversion::{Attacker, Tally, attack};
use research::biometrics::{Matrix, hard, projected};

use crate::biometrics_sets::{real, synthetic};

#[test]
fn whoever_knows_the_projection_computes_sp_from_pp_alone() {
    let set = synthetic(1);
    let matrix = set.matrix.as_ref().unwrap();
    let victims: Vec<_> = set.people.iter().filter_map(hard::victim).collect();

    let found = attack(
        victims
            .iter()
            .map(|victim| (victim, Attacker::knowing(matrix))),
    );

    assert_eq!(found.people, 32);
    assert!(found.recovered >= 29, "{found:?}");
}

#[test]
fn whoever_has_tk_computes_sp_and_whoever_has_it_not_learns_nothing() {
    let set = synthetic(1);
    let some = || set.people.iter().take(12);
    let labels = some().map(|person| &person.label);
    let victims: Vec<_> = some()
        .map(|person| projected::victim(person, 0).unwrap())
        .collect();
    let knowing = |label: &str| Attacker::knowing(&Matrix::of(&projected::projection(label, 0)));

    let leaked = attack(
        victims
            .iter()
            .zip(labels)
            .map(|(victim, label)| (victim, knowing(label))),
    );
    let secret = attack(victims.iter().map(|victim| (victim, knowing("nobody"))));

    assert!(leaked.people == 12 && leaked.recovered >= 11, "{leaked:?}");
    assert_eq!((secret.people, secret.recovered), (12, 0));
    assert!(secret.median_distance > 0.45, "{secret:?}");
}

#[test]
fn on_real_faces_it_finds_nine_in_ten_with_the_projection_and_nobody_without() {
    let Some(report) = real() else { return };
    let [public, leaked, secret]: [Tally; 3] = [
        report.inversion.public_projection,
        report.inversion.tk_leaked,
        report.inversion.tk_secret,
    ]
    .map(Option::unwrap);

    for known in [public, leaked] {
        assert!(known.recovered * 10 >= known.people * 9, "{known:?}");
        assert!(
            known.people >= 30 && known.median_distance < 0.1,
            "{known:?}"
        );
    }
    assert_eq!(secret.recovered, 0);
    assert!(secret.median_distance > 0.45, "{secret:?}");
}
