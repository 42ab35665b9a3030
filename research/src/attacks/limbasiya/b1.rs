//! B1: any other user.

use crate::attacks::aidc1::{Attempt, Clinic, Hand};
use crate::attacks::arithmetic::shorten;
use crate::attacks::story::{Must as _, Stopped, Story, some};
use crate::attacks::world::{At, LimbasiyaWorld, Truth};
use crate::attacks::{Attack, Id, Need, Paper, Step, Target};

use super::{Stolen, request, secret_of, unmasked};

pub(in crate::attacks) const ABOUT: Attack = Attack {
    id: Id::B1,
    name: "fellow-user",
    title: "Any other user reads who signs in and links all her sign-ins",
    paper: Paper::Limbasiya2020,
    target: Target::Suite,
    needs: &[Need::Listen, Need::Fellow],
    steps: &[
        Step {
            title: "Register like everybody",
            text: "The attacker is a user. His own card holds List_sj: every server's secret SSK_j, the same for all \
                   users.",
        },
        Step {
            title: "Listen to somebody else",
            text: "α = UID ⊕ h(ID_j ‖ SSK_j ‖ T1): all of the mask is known to him.",
        },
        Step {
            title: "Listen again, another day",
            text: "UID is the same for as long as she lives. Her sign-ins are linked to each other.",
        },
    ],
};

pub(in crate::attacks) fn run<W: LimbasiyaWorld>(
    world: &mut W,
    story: &mut Story,
) -> Result<(), Stopped<W::Error>> {
    let own = world.fellow()?;
    let card = Stolen::read(&own.card)?;
    let opened = some(card.try_out(own.id.as_bytes(), own.password.as_bytes()))?;
    let (server, _place) = world.place(At::Here);
    let ssk = some(secret_of(&opened.list, &server))?;
    story.step([("SSK_j", shorten(&ssk))]);

    let first = request(&world.overhear(At::Here)?.hello)?;
    let uid = unmasked(&first, &ssk);
    (world.confirms(Truth::Anchor, &uid) && uid != opened.uid).must()?;
    story.step([("UID", shorten(&uid))]);

    world.pass(86_400_000);
    let next = request(&world.overhear(At::Here)?.hello)?;
    (unmasked(&next, &ssk) == uid).must()?;
    story.step([("UID again", shorten(&uid))]);
    Ok(())
}

pub(in crate::attacks) fn on_aidc1(clinic: &mut Clinic) -> Option<Attempt> {
    let his = clinic.fellows_numbers(At::Here)?;
    let sign_in = clinic.overhear(At::Here)?;
    let tried = his.len();
    let mut hands = vec![clinic.hand()];
    hands.extend(his.into_iter().map(|number| Hand {
        patient: Some(number.clone()),
        server: Some(number.clone()),
        m_i: Some(number.clone()),
        m_j: Some(number),
        ..Hand::default()
    }));
    let hers = Some(clinic.aid());
    let found = hands
        .iter()
        .any(|hand| clinic.follow(hand, &sign_in).aid == hers);
    let why = format!(
        "none of the {tried} secret numbers of another patient opens C1, in any place: servers share no secret with \
         patients, and AID is sealed to the server"
    );
    Some(Attempt {
        succeeded: found,
        why,
    })
}
