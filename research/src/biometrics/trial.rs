//! Everybody's probes against everybody's enrolment.

use protocol::measure::Errors;

/// Counts how often a probe of the same person is refused and one of another accepted.
pub(super) fn errors<E, P>(
    everybody: &[E],
    probes: impl Fn(&E) -> &[P],
    accepts: impl Fn(&E, &P) -> bool,
) -> Errors {
    let mut errors = Errors::default();
    for (holder, enrolment) in everybody.iter().enumerate() {
        for (prober, person) in everybody.iter().enumerate() {
            for probe in probes(person) {
                let accepted = u64::from(accepts(enrolment, probe));
                let (tries, wrong, one_more) = if holder == prober {
                    (&mut errors.genuine, &mut errors.false_rejects, accepted ^ 1)
                } else {
                    (&mut errors.impostor, &mut errors.false_accepts, accepted)
                };
                *tries = tries.saturating_add(1);
                *wrong = wrong.saturating_add(one_more);
            }
        }
    }
    errors
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_probe_is_tried_once_against_each_enrolment() {
        // Two people; a probe is accepted where it is at least the holder's number.
        let everybody = [(1, vec![1, 0]), (2, vec![0, 5, 2])];

        let errors = errors(
            &everybody,
            |(_, probes)| probes,
            |(own, _), probe| probe >= own,
        );

        let expected = Errors {
            genuine: 5,
            false_rejects: 2,
            impostor: 5,
            false_accepts: 2,
        };
        assert_eq!(errors, expected);
    }
}
