//! What the checker leaves out of a state is nothing that matters.

use std::collections::{BTreeSet, VecDeque};

use model::{Pbft, Setting, World};
use stateright::Model as _;

/// Every state that is reached, by a search that knows of no reduction.
fn reached<const S: usize, const V: usize>(setting: &Setting) -> BTreeSet<World<S, V>> {
    let model = Pbft::<S, V> {
        setting: setting.clone(),
    };
    let mut known: BTreeSet<World<S, V>> = model.init_states().into_iter().collect();
    let mut open: VecDeque<World<S, V>> = known.iter().cloned().collect();
    while let Some(world) = open.pop_front() {
        for action in setting.steps(&world) {
            let mut next = world.clone();
            setting.apply(&mut next, &action);
            if known.insert(next.clone()) {
                open.push_back(next);
            }
        }
    }
    known
}

/// Every state that the checker visits.
fn visited<const S: usize, const V: usize>(setting: &Setting) -> BTreeSet<World<S, V>> {
    let model = Pbft::<S, V> {
        setting: setting.clone(),
    };
    let mut known: BTreeSet<World<S, V>> = BTreeSet::new();
    let mut open = model.init_states();
    while let Some(world) = open.pop() {
        let steps = setting.steps(&world).into_iter();
        let next = steps.filter_map(|action| model.next_state(&world, action));
        open.extend(next.filter(|next| known.insert(next.clone())));
    }
    known
}

/// What the properties look at: which batches are prepared and ordered in which views.
fn sight<const S: usize, const V: usize>(setting: &Setting, world: &World<S, V>) -> Vec<bool> {
    let at = (0..V).flat_map(|view| (0..S).map(move |place| (view, place)));
    at.flat_map(|at| {
        let batches = model::Batch::all::<S>().iter();
        batches.flat_map(move |batch| {
            [
                setting.prepared(world, at, *batch),
                setting.committed(world, at, *batch),
            ]
        })
    })
    .collect()
}

#[test]
fn the_reduced_states_are_the_representatives_of_all_states_and_look_the_same() {
    let setting = Setting::of(4);

    let all = reached::<1, 2>(&setting);
    let mut represented = BTreeSet::new();
    for world in &all {
        let representative = setting.representative(world.clone());
        let exchanged = |world: &World<1, 2>| {
            let mut sight = sight(&setting, world);
            // A and B come first; each has two flags in each view.
            let views: Vec<Vec<bool>> = sight.chunks(6).map(<[bool]>::to_vec).collect();
            sight.clear();
            for view in views {
                sight.extend([view[2], view[3], view[0], view[1], view[4], view[5]]);
            }
            sight
        };
        let seen = sight(&setting, world);
        assert!(seen == sight(&setting, &representative) || seen == exchanged(&representative));
        represented.insert(representative);
    }
    let mut reduced = visited::<1, 2>(&setting);
    let model = Pbft::<1, 2> {
        setting: setting.clone(),
    };
    let first = model.init_states().into_iter();
    reduced.extend(first.map(|world| setting.representative(world)));

    assert!(all.len() > 100_000, "{} states", all.len());
    assert_eq!(reduced.len(), represented.len());
    assert!(reduced == represented);
}
