//! The protocol as a model for stateright: initial states, steps, and what must hold.

use stateright::{Model, Property};

use crate::setting::Setting;
use crate::step::Action;
use crate::world::{Batch, World};

/// What must hold in every state.
pub const AGREEMENT: &str = "agreement: no two batches are ordered at one place";

/// What must hold in every state.
pub const UNIQUENESS: &str = "uniqueness: no two batches are prepared at one place of one view";

/// What must hold in every state.
pub const VALIDITY: &str = "validity: nothing is ordered that fails the vote-time check";

/// The protocol with S sequence numbers and V views.
#[derive(Clone, Debug)]
pub struct Pbft<const S: usize, const V: usize> {
    /// Members, liars and rules.
    pub setting: Setting,
}

impl<const S: usize, const V: usize> Model for Pbft<S, V> {
    type State = World<S, V>;
    type Action = Action<S>;

    // Which of the primaries lie, if any; who else lies makes no difference.
    fn init_states(&self) -> Vec<Self::State> {
        let Setting { size, liars, .. } = self.setting;
        let primaries = V.min(size);
        let lying = (0..1_u64 << primaries).filter(|lying| {
            let among = usize::try_from(lying.count_ones()).unwrap_or(usize::MAX);
            among <= liars && liars - among <= size - primaries
        });
        lying.map(|lying| World::new(lying, size - liars)).collect()
    }

    fn actions(&self, state: &Self::State, actions: &mut Vec<Self::Action>) {
        actions.extend(self.setting.steps(state));
    }

    fn next_state(&self, state: &Self::State, action: Self::Action) -> Option<Self::State> {
        let mut next = state.clone();
        self.setting.apply(&mut next, &action);
        Some(self.setting.representative(next))
    }

    fn properties(&self) -> Vec<Property<Self>> {
        let mut properties = vec![
            Property::always(AGREEMENT, agreement),
            Property::always(UNIQUENESS, uniqueness),
            Property::always(VALIDITY, validity),
            Property::sometimes("a batch is ordered in view 0", |model, world| {
                orders_in(model, world, 0)
            }),
            Property::sometimes("a batch is ordered in view 1", |model, world| {
                orders_in(model, world, 1)
            }),
            Property::sometimes("a batch is ordered in two views", twice),
            Property::sometimes("a batch is ordered under a lying primary", under_a_liar),
        ];
        if V > 2 {
            let last = |model: &Self, world: &World<S, V>| orders_in(model, world, 2);
            properties.push(Property::sometimes("a batch is ordered in view 2", last));
        }
        if S > 1 {
            let gap = |model: &Self, world: &World<S, V>| {
                places::<S>().any(|place| {
                    let mut ordered = model.setting.ordered(world, place);
                    ordered.any(|(_, batch)| batch == Batch::NULL)
                })
            };
            properties.push(Property::sometimes(
                "the null batch is ordered in a gap",
                gap,
            ));
        }
        if self.setting.checkpoints {
            let above = |_: &Self, world: &World<S, V>| {
                let members = world.members.iter();
                members
                    .flat_map(|member| member.began)
                    .flatten()
                    .any(|began| began.stable > 0)
            };
            properties.push(Property::sometimes(
                "a view begins above a checkpoint",
                above,
            ));
        }
        properties
    }
}

/// All places.
fn places<const S: usize>() -> core::ops::Range<usize> {
    0..S
}

/// No two batches are ordered at one place, in whatever views.
fn agreement<const S: usize, const V: usize>(model: &Pbft<S, V>, world: &World<S, V>) -> bool {
    places::<S>().all(|place| {
        let mut ordered = model.setting.ordered(world, place).map(|(_, batch)| batch);
        let first = ordered.next();
        ordered.all(|batch| Some(batch) == first)
    })
}

/// No two batches have a prepared certificate at one place of one view.
fn uniqueness<const S: usize, const V: usize>(model: &Pbft<S, V>, world: &World<S, V>) -> bool {
    let mut all = places::<S>().flat_map(|place| (0..V).map(move |view| (view, place)));
    all.all(|at| {
        let prepared = Batch::all::<S>()
            .iter()
            .filter(|batch| model.setting.prepared(world, at, **batch));
        prepared.count() <= 1
    })
}

/// No invalid batch is ordered.
fn validity<const S: usize, const V: usize>(model: &Pbft<S, V>, world: &World<S, V>) -> bool {
    places::<S>().all(|place| {
        let mut ordered = model.setting.ordered(world, place);
        ordered.all(|(_, batch)| batch != Batch::BAD)
    })
}

/// Something is ordered in this view.
fn orders_in<const S: usize, const V: usize>(
    model: &Pbft<S, V>,
    world: &World<S, V>,
    view: usize,
) -> bool {
    places::<S>().any(|place| {
        let mut ordered = model.setting.ordered(world, place);
        ordered.any(|(here, _)| here == view)
    })
}

/// Something is ordered in two views.
fn twice<const S: usize, const V: usize>(model: &Pbft<S, V>, world: &World<S, V>) -> bool {
    places::<S>().any(|place| model.setting.ordered(world, place).count() > 1)
}

/// Something is ordered in a view whose primary lies.
fn under_a_liar<const S: usize, const V: usize>(model: &Pbft<S, V>, world: &World<S, V>) -> bool {
    (0..V).any(|view| world.lies(view) && orders_in(model, world, view))
}
