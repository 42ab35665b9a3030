//! kill -9 at random moments under load, one member or all at once.

use std::time::Duration;

use bench::clock::wall_ms;
use bench::consortium::{Consortium, Node};
use bench::load::{Arrival, Load};

use super::votes::Seen;
use super::{consortium, settled};
use crate::claims::{Claims, Verdict, ensure, say};
use crate::dice::Dice;

/// Processes killed in the run.
const KILLS: usize = 100;

/// Every so many rounds all members are killed at once.
const ALL_EVERY: usize = 8;

/// Acknowledged submissions without which the run has shown nothing.
const ACKNOWLEDGED_MIN: usize = 100;

/// Results in each bundle.
const BUNDLE: usize = 8;

/// All members by position.
const ALL: [usize; 4] = [0, 1, 2, 3];

/// The claim.
pub(super) fn claims(claims: &mut Claims) {
    let claim = "100 kills at random moments under load lose nothing acknowledged and sign no contradiction";
    claims.hold(claim, kills);
}

/// Kills, restarts, and then counts.
fn kills() -> Verdict {
    let seed = wall_ms();
    say(&format!("        seed {seed}"));
    let mut dice = Dice::new(seed);
    let (mut consortium, workload) = consortium()?;
    consortium.start_all()?;
    consortium.wait_ready(Duration::from_secs(30))?;
    let mut signed = Seen::default();
    let load = Load::start(
        &consortium,
        &workload,
        Arrival::Closed { connections: 2 },
        BUNDLE,
    )?;

    let (mut killed, mut round) = (0_usize, 0_usize);
    while killed < KILLS {
        round = round.saturating_add(1);
        std::thread::sleep(Duration::from_millis(dice.below(400).saturating_add(20)));
        if round.is_multiple_of(ALL_EVERY) {
            consortium.nodes.iter_mut().for_each(Node::kill);
            killed = killed.saturating_add(consortium.nodes.len());
            signed.add(&consortium, &ALL)?;
        } else {
            kill_one(&mut consortium, &mut dice);
            killed = killed.saturating_add(1);
        }
        std::thread::sleep(Duration::from_millis(dice.below(150)));
        consortium.start_all()?;
    }
    consortium.wait_ready(Duration::from_mins(1))?;
    let samples = load.finish();

    settled::same_state(&consortium)?;
    settled::nothing_lost(&consortium, &samples)?;
    signed.add(&consortium, &ALL)?;
    let acknowledged = samples
        .iter()
        .filter(|sample| sample.height.is_some())
        .count();
    let statements = signed.len();
    say(&format!(
        "        {killed} kills, {acknowledged} submissions acknowledged, {statements} statements read"
    ));
    ensure(acknowledged >= ACKNOWLEDGED_MIN, || {
        format!("only {acknowledged} submissions were acknowledged")
    })
}

/// Kills a member by chance.
fn kill_one(consortium: &mut Consortium, dice: &mut Dice) {
    let victim = usize::try_from(dice.below(4)).unwrap_or_default();
    if let Some(node) = consortium.nodes.get_mut(victim) {
        node.kill();
    }
}
