//! Each adversary among three honest members: safe, live within a bound, and not in their way.

use std::sync::OnceLock;

use simulator::{Character, Fate, Sabotage, Scenario, run, run_scenario};

use crate::withstands;

/// The seeds that each adversary is tried in.
const SEEDS: u64 = 24;

/// How much of the throughput must be left, in 100.
const LEFT: u64 = 70;

/// Transactions that become final in the minute after one of four has turned into this.
fn served(character: Option<Character>) -> u64 {
    let play = |traced| {
        run_scenario(1, Sabotage::None, traced, |seed, _| {
            Scenario::minute(seed, character)
        })
    };
    let run = play(false);
    let last = || play(true).trace.pop();
    assert_eq!(run.violation, None, "{:?}", last());
    run.served
}

/// What is left of the throughput, in 100.
fn left_of_throughput(character: Character) -> u64 {
    static CALM: OnceLock<u64> = OnceLock::new();
    let calm = *CALM.get_or_init(|| served(None));
    served(Some(character)) * 100 / calm
}

/// Declares the test of an adversary.
macro_rules! withstood {
    ($($name:ident: $character:ident,)*) => {
        $(
            #[test]
            fn $name() {
                withstands(Character::$character, SEEDS);

                let left = left_of_throughput(Character::$character);

                assert!(left >= LEFT, "{left} %");
            }
        )*
    };
}

withstood! {
    a_silent_member_breaks_nothing_and_stops_nobody: Silent,
    an_equivocator_breaks_nothing_and_stops_nobody: Equivocator,
    a_double_voter_breaks_nothing_and_stops_nobody: DoubleVoter,
    an_impersonator_breaks_nothing_and_stops_nobody: Impersonator,
    a_replayer_breaks_nothing_and_stops_nobody: Replayer,
    a_member_without_proofs_breaks_nothing_and_stops_nobody: Forgetful,
    an_amnesiac_breaks_nothing_and_stops_nobody: Amnesiac,
    a_censor_breaks_nothing_and_stops_nobody: Censor,
    a_slow_primary_breaks_nothing_and_stops_nobody: SlowPrimary,
    a_frozen_primary_breaks_nothing_and_stops_nobody: FrozenPrimary,
    an_invalid_proposer_breaks_nothing_and_stops_nobody: InvalidProposer,
    a_time_traveller_breaks_nothing_and_stops_nobody: TimeTraveller,
    a_flooder_breaks_nothing_and_stops_nobody: Flooder,
    a_liar_breaks_nothing_and_stops_nobody: Liar,
    a_view_spammer_breaks_nothing_and_stops_nobody: ViewSpammer,
    a_staller_breaks_nothing_and_stops_nobody: Staller,
}

#[test]
fn whoever_contradicts_himself_where_messages_meet_is_found_and_nobody_else() {
    for character in [Character::Equivocator, Character::DoubleVoter] {
        let run = run_scenario(1, Sabotage::None, false, |seed, _| {
            let mut scenario = Scenario::minute(seed, Some(character));
            scenario.turn = core::time::Duration::ZERO;
            scenario.heal = core::time::Duration::from_secs(2);
            scenario
        });

        assert!(character.contradicts_itself());
        assert_eq!(run.violation, None);
        assert!(run.accusations >= 3, "{character:?}: {}", run.accusations);
    }
}

#[test]
fn nobody_is_accused_who_does_not_contradict_himself() {
    for character in Character::ALL {
        // An amnesiac contradicts itself by what it forgot, if somebody remembers.
        if character.contradicts_itself() || character == Character::Amnesiac {
            continue;
        }
        let runs = withstands(character, 8);

        let accused: usize = runs.iter().map(|run| run.accusations).sum();

        // Votes for two places far apart in the flood may be two for one.
        let may = matches!(character, Character::Flooder | Character::InvalidProposer);
        assert!(may || accused == 0, "{character:?}: {accused}");
    }
}

#[test]
fn two_that_send_more_than_they_must_drown_neither_the_others_nor_the_run() {
    // These two replayed each other's questions and answers to each other for ever.
    assert_eq!(run(258_647_029_785_306, Sabotage::None).violation, None);
    for seed in 0..SEEDS / 6 {
        let run = run_scenario(seed, Sabotage::None, false, |seed, _| {
            let mut scenario = Scenario::calm(seed, 7);
            scenario.fates[1] = Fate::Byzantine(Character::Flooder);
            scenario.fates[4] = Fate::Byzantine(Character::Flooder);
            scenario
        });

        assert_eq!(run.violation, None, "seed {seed}");
    }
}
