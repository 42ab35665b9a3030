//! B6: the list in clear.

use crate::attacks::aidc1::{Attempt, Clinic, holds};
use crate::attacks::arithmetic::shorten;
use crate::attacks::story::{Must as _, Stopped, Story, some};
use crate::attacks::world::{At, LimbasiyaWorld, Truth};
use crate::attacks::{Attack, Id, Need, Paper, Step, Target};

use super::{Stolen, secret_of};

pub(in crate::attacks) const ABOUT: Attack = Attack {
    id: Id::B6,
    name: "list-in-clear",
    title: "A card shows servers' secrets in clear to who knows no password",
    paper: Paper::Limbasiya2020,
    target: Target::Suite,
    needs: &[Need::Card],
    steps: &[
        Step {
            title: "Read Z off the card",
            text: "Z is the list of all servers under a pad of 32 bytes, and the list is longer.",
        },
        Step {
            title: "Leave the end away",
            text: "Aligned at their ends as numbers are, pad and list overlap in the last 32 bytes. All before them \
                   is text: name, SSK_j, place.",
        },
    ],
};

pub(in crate::attacks) fn run<W: LimbasiyaWorld>(
    world: &mut W,
    story: &mut Story,
) -> Result<(), Stopped<W::Error>> {
    let card = world.card();
    let z = Stolen::read(&card)?.z;
    story.step([("bytes of Z", z.len().to_string())]);

    let (clear, _masked) = some(z.split_last_chunk::<32>())?;
    let servers = [At::Here, At::There].map(|at| (at, world.place(at).0));
    let mut shown = servers.iter().filter_map(|(at, name)| {
        let secret = secret_of(clear, name)?;
        Some((*at, name, secret))
    });
    let (at, name, secret) = some(shown.next())?;
    world.confirms(Truth::Server(at), &secret).must()?;
    story.step([("server", name.clone()), ("SSK_j", shorten(&secret))]);
    Ok(())
}

pub(in crate::attacks) fn on_aidc1(clinic: &mut Clinic) -> Attempt {
    let card = clinic.card();
    let secrets = clinic.secrets();
    let searched = secrets.len();
    let found = secrets.iter().find(|(_what, secret)| holds(&card, secret));
    let why = match found {
        Some((what, _secret)) => format!("the card shows {what}"),
        None => format!(
            "none of {searched} secrets of servers, evaluators and the patient is among the {} octets of a card: \
             all but public keys on it is sealed",
            card.len()
        ),
    };
    Attempt {
        succeeded: found.is_some(),
        why,
    }
}
