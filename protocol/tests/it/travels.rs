//! What travels under the suite of Wu et al., what lies on a card and what stands on the ledger: the flaws that one sees by
//! looking. Those that take an attacker are carried out in the crate `research`.

use contract::Aid;
use protocol::suite::{Answered, Directory as _, Message as _, Opened, Suite as _};
use protocol::wu::{Me5, PatientId, Wu2021};
use protocol::{Auxiliary, Template, fuzzy};

use crate::seeded::{Played, dice};
use crate::world::{NOW, World, id};

const NAME: &str = "0417";

/// SP from one overheard Me5.
fn sp_of(me5: &Me5) -> [u8; 32] {
    *fuzzy::reproduce(&me5.bio, &me5.pp).unwrap().expose()
}

fn xor(a: &[u8; 32], b: &[u8; 32]) -> [u8; 32] {
    core::array::from_fn(|i| a[i] ^ b[i])
}

fn overheard(world: &World) -> Me5 {
    Wu2021::open(&world.credential(NAME), NOW, &mut dice(1)).message
}

#[test]
fn a9_face_and_helper_string_travel_in_clear_and_nothing_else_does() {
    let world = World::with(NAME);
    let [m_i, m_j] = [[0x17; 32], [0x71; 32]];
    let me5 = Wu2021::open(&world.credential(NAME), NOW, &mut Played::new(m_i)).message;
    let served = Wu2021::answer(&(), &world.ledger, me5.clone(), NOW, &mut Played::new(m_j));
    let Ok(Opened {
        message: me7,
        state: Answered::Accepted(accepted),
    }) = served
    else {
        panic!("not accepted");
    };
    let wire = [me5.encode(), me7.encode()].concat();
    let travels = |part: &[u8]| wire.windows(part.len()).any(|window| window == part);

    assert!(travels(world.captures[3].expose()), "BIO'");
    assert!(travels(&me5.pp.to_bytes()), "PP");
    assert!(travels(me5.aid.as_bytes()), "AID");
    let sp = sp_of(&me5);
    let points = [xor(&sp, &me5.m1), xor(&sp, &me7.m3)];
    for secret in [sp, m_i, m_j, *accepted.key.expose(), points[0], points[1]] {
        assert!(!travels(&secret));
    }
    for typed in [NAME, "tulip"] {
        assert!(!travels(typed.as_bytes()), "{typed}");
    }
}

#[test]
fn a11_the_card_alone_holds_sp_in_clear() {
    let world = World::with(NAME);

    let card = world.card.encode();

    assert_eq!(card[32..64], sp_of(&overheard(&world)));
}

#[test]
fn a16_a_member_reads_the_identity_beside_the_aid() {
    let world = World::with(NAME);
    let aid: Aid = world.card.aid();

    let identity: Option<PatientId> = world.ledger.resolve(&aid);

    assert_eq!(identity, Some(id(NAME)));
}

#[test]
fn no_other_face_and_no_changed_helper_string_yields_sp() {
    let world = World::with(NAME);
    let me5 = overheard(&world);
    let mut changed = me5.pp.to_bytes();
    changed[40] ^= 1;
    let changed = Auxiliary::parse(&changed).unwrap();

    for stranger in &world.stranger {
        assert_eq!(fuzzy::reproduce(stranger, &me5.pp), None);
    }
    assert_eq!(fuzzy::reproduce(&me5.bio, &changed), None);
    assert_eq!(fuzzy::reproduce(&Template::new([0; 256]), &me5.pp), None);
}
