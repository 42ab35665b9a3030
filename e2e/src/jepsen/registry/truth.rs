//! Judges a history of the registry: by itself, and against the ledger that the members ended with.

use std::collections::BTreeMap;

use contract::TransactionHash;

use super::Event;
use super::client::outcome;
use crate::claims::{Verdict, ensure, ensure_equal};
use crate::jepsen::ledgers::Ledger;
use crate::jepsen::linear::{Span, check};
use crate::jepsen::register::{Asked, Deed, Entry, Registry, Said};

/// What a history was found to hold.
#[derive(Debug, Default)]
pub(in crate::jepsen) struct Judged {
    /// Calls whose linearizability was checked.
    pub(in crate::jepsen) calls: usize,
    /// Of these, writes and reads that were answered.
    pub(in crate::jepsen) answered: usize,
    /// AIDs they were about.
    pub(in crate::jepsen) keys: usize,
    /// Reads compared with the state at the height they name.
    pub(in crate::jepsen) reads: usize,
}

/// Checks everything that the registry promises.
pub(in crate::jepsen) fn judge(
    events: &[Event],
    ledger: &Ledger,
) -> Result<Judged, crate::claims::Broken> {
    let mut keys: BTreeMap<u32, Vec<Event>> = BTreeMap::new();
    for event in events {
        keys.entry(event.key).or_default().push(event.clone());
    }
    let mut judged = Judged {
        keys: keys.len(),
        ..Judged::default()
    };
    for (key, events) in &keys {
        linearizable(*key, events)?;
        let story = story(events, ledger)?;
        let reads = events
            .iter()
            .filter(|event| event.span.call.deed == Deed::Read);
        for read in reads {
            judged.reads = judged.reads.saturating_add(1);
            true_at_its_height(*key, read, &story)?;
        }
        let fresh = || events.iter().filter(|event| event.fresh);
        let answered = fresh().filter(|event| event.span.returned.is_some());
        judged.calls = judged.calls.saturating_add(fresh().count());
        judged.answered = judged.answered.saturating_add(answered.count());
    }
    Ok(judged)
}

/// The writes and fresh reads of one AID.
fn linearizable(key: u32, events: &[Event]) -> Verdict {
    let fresh = events.iter().filter(|event| event.fresh);
    let history: Vec<Span<Asked>> = fresh.map(|event| event.span.clone()).collect();
    check::<Registry>(&history).map_err(|why| format!("AID number {key}: {why}").into())
}

/// What stood under an AID from which height on, by the ledger. Fails where a client was told otherwise.
fn story(events: &[Event], ledger: &Ledger) -> Result<BTreeMap<u64, Entry>, crate::claims::Broken> {
    let writes: BTreeMap<TransactionHash, &Event> = events
        .iter()
        .filter_map(|event| Some((event.transaction?, event)))
        .collect();
    let mut entry = Entry::Absent;
    let mut story = BTreeMap::from([(0, entry)]);
    for (height, transaction) in ledger.transactions() {
        let Some(event) = writes.get(&transaction.hash) else {
            continue;
        };
        let Some(said) = outcome(&transaction.document) else {
            continue;
        };
        let deed = event.span.call.deed;
        let (after, due) = entry.after(deed);
        let place = format!("{deed:?} of AID number {} at {height}", event.key);
        ensure_equal(&format!("the ledger's outcome of {place}"), &said, &due)?;
        if let Some(told) = event.span.call.said {
            ensure_equal(&format!("what a client was told of {place}"), &told, &said)?;
            ensure_equal(
                &format!("the height told of {place}"),
                &event.height,
                &Some(height),
            )?;
        }
        entry = after;
        story.insert(height, entry);
    }
    Ok(story)
}

/// A read answers with the state after the block that it names.
fn true_at_its_height(key: u32, read: &Event, story: &BTreeMap<u64, Entry>) -> Verdict {
    let (Some(Said::Saw(saw)), Some(height)) = (read.span.call.said, read.height) else {
        return Ok(());
    };
    let stood = story.range(..=height).next_back().map(|(_, entry)| *entry);
    ensure(stood == Some(saw), || {
        format!("a read of AID number {key} at height {height} saw {saw:?}; there stood {stood:?}")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(saw: Entry, height: u64) -> Event {
        Event {
            key: 1,
            span: Span {
                call: Asked {
                    deed: Deed::Read,
                    said: Some(Said::Saw(saw)),
                },
                invoked: 0,
                returned: Some(1),
            },
            height: Some(height),
            transaction: None,
            fresh: false,
        }
    }

    #[test]
    fn a_read_that_names_a_height_must_have_seen_what_stood_there() {
        let story = BTreeMap::from([(0, Entry::Absent), (5, Entry::Active(2))]);

        true_at_its_height(1, &read(Entry::Absent, 4), &story).unwrap();
        true_at_its_height(1, &read(Entry::Active(2), 5), &story).unwrap();
        let told = true_at_its_height(1, &read(Entry::Absent, 5), &story).unwrap_err();
        assert!(told.to_string().contains("height 5"), "{told}");
    }

    #[test]
    fn a_read_that_names_no_condition_may_be_old_but_not_part_of_the_linearizable_history() {
        let mut done = read(Entry::Absent, 0);
        done.span.call = Asked {
            deed: Deed::Register(2),
            said: Some(Said::Done),
        };
        done.fresh = true;
        let mut late = read(Entry::Absent, 4);
        late.span.invoked = 2;
        late.span.returned = Some(3);

        linearizable(1, &[done.clone(), late.clone()]).unwrap();
        late.fresh = true;
        linearizable(1, &[done, late]).unwrap_err();
    }
}
