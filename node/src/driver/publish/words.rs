//! A replica's account in words, and by the members' names.

use consensus::{Departure, Divergence, Explanation, Phase, ReplicaId, SlotExplanation, Timer};

use crate::{status::OpenBlock, term::Term};

/// Open blocks that a status names: the oldest ones, which hold up the rest.
const OPEN_SHOWN: usize = 4;

/// Whose votes the oldest open slot, or the next view, still lacks.
pub(super) fn awaited(told: &Explanation) -> &[ReplicaId] {
    if !told.active {
        return &told.view_changes_missing;
    }
    told.slots
        .first()
        .map(|slot| slot.missing.as_slice())
        .unwrap_or_default()
}

/// The oldest open blocks with the votes that are here and those that are missing.
pub(super) fn open(told: &Explanation, term: &Term) -> Vec<OpenBlock> {
    let names = |members: &[ReplicaId]| {
        let names = members.iter().map(|place| term.name(*place).to_owned());
        names.collect()
    };
    let block = |slot: &SlotExplanation| OpenBlock {
        height: slot.seq.get(),
        phase: phase_name(slot.phase),
        present: names(&slot.present),
        missing: names(&slot.missing),
    };
    told.slots.iter().take(OPEN_SHOWN).map(block).collect()
}

/// Why the view was changed, as a metric's label.
pub(super) const fn departure_name(why: Departure) -> &'static str {
    match why {
        Departure::Timeout => "timeout",
        Departure::SlowPrimary => "slow_primary",
        Departure::NoNewView => "no_new_view",
        Departure::Others => "others",
        Departure::Begun => "begun",
    }
}

/// Why the view was changed, in words.
pub(super) const fn departure_text(why: Departure) -> &'static str {
    match why {
        Departure::Timeout => "the primary did not order what waited in time",
        Departure::SlowPrimary => "the primary brought less than half of what it could",
        Departure::NoNewView => "the new primary did not begin its view in time",
        Departure::Others => "so many members left that one of them is honest",
        Departure::Begun => "a quorum had left and the next view had begun",
    }
}

/// A timer by what happens when it runs out.
pub(super) const fn timer_name(timer: Timer) -> &'static str {
    match timer {
        Timer::Request => "change of the primary",
        Timer::Forward => "reminder to the primary",
        Timer::NewView => "next change of the primary",
        Timer::Status => "asking again",
        Timer::Heartbeat => "heartbeat",
    }
}

/// A divergence in words.
pub(super) fn differs(divergence: Divergence) -> String {
    format!(
        "this node's header of block {} is {:?}, the certified one is {:?}: its reads are not trusted",
        divergence.seq, divergence.own, divergence.certified
    )
}

/// Milliseconds as seconds with fractions.
pub(super) fn seconds(ms: i64) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "a metric; exact up to 2^53 ms")]
    let ms = ms as f64;
    ms / 1000.0
}

/// What the replica is doing, in words.
pub(super) fn phase(told: &Explanation) -> String {
    if !told.active {
        return format!("changing to view {}", told.view);
    }
    match told.slots.first() {
        None => "idle".to_owned(),
        Some(slot) => format!("block {}: {}", slot.seq, phase_name(slot.phase)),
    }
}

/// A phase in the words of the paper.
pub(super) const fn phase_name(phase: Phase) -> &'static str {
    match phase {
        Phase::PrePrepare => "PRE-PREPARE",
        Phase::Batch => "its batch",
        Phase::Prepare => "PREPAREs",
        Phase::Commit => "COMMITs",
        Phase::Execution => "execution",
        Phase::Checkpoint => "CHECKPOINTs",
    }
}
