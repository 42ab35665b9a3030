//! Wu-2021 at the edges of what it accepts: points that are none, numbers that are none, strings too long.

use k256::AffinePoint;
use k256::elliptic_curve::point::DecompressPoint;
use protocol::suite::{Message, Pending, Suite};
use protocol::wu::{Card, Me5, Me7, Wu2021};
use protocol::{Auxiliary, Failed, Malformed, Reason, fuzzy};

use crate::seeded::{Played, dice};
use crate::world::{NOW, World, id, password};

const NAME: &str = "patient-0001";

/// x-coordinates of no point: one beside the curve, and one that is no element of the field.
fn off_the_curve() -> [[u8; 32]; 2] {
    let beside = (1..=u8::MAX).map(|byte| [byte; 32]).find(|x| {
        AffinePoint::decompress(&(*x).into(), 0.into())
            .is_none()
            .into()
    });
    [beside.unwrap(), [0xFF; 32]]
}

fn xor(a: &[u8; 32], b: &[u8; 32]) -> [u8; 32] {
    core::array::from_fn(|i| a[i] ^ b[i])
}

#[test]
fn a_coordinate_of_no_point_is_refused_at_either_end() {
    let world = World::with(NAME);

    for x in off_the_curve() {
        let opened = Wu2021::open(&world.credential(NAME), NOW, &mut dice(1));
        let me5 = opened.message;
        let sp = fuzzy::reproduce(&me5.bio, &me5.pp).unwrap();
        let masked = xor(sp.expose(), &x);
        let me7 = Me7 {
            m3: masked,
            m4: [0; 32],
            t3: NOW,
        };
        let at_patient = opened.state.finish(&me7, NOW).map(|_| ());
        let me5 = Me5 { m1: masked, ..me5 };
        let at_server = Wu2021::answer(&(), &world.ledger, me5, NOW, &mut dice(2)).map(|_| ());

        for refused in [at_patient, at_server] {
            let why = refused.map_err(Failed::reason);
            assert_eq!(why, Err(Reason::NotOnCurve));
        }
    }
}

#[test]
fn zero_and_numbers_beyond_the_group_are_drawn_again() {
    let world = World::with(NAME);
    let good = [7; 32];
    let hello = |drawn: &[[u8; 32]]| {
        let mut dice = Played::new(drawn.concat());
        Wu2021::open(&world.credential(NAME), NOW, &mut dice).message
    };

    assert_eq!(hello(&[[0; 32], [0xFF; 32], good]), hello(&[good]));
}

#[test]
fn a_helper_string_has_one_length() {
    let parsed = Auxiliary::parse(&[1; 320]).map(|pp| pp.to_bytes());
    assert_eq!(parsed, Ok([1; 320]));
    for found in [0, 64, 288, 319, 321, 640] {
        assert_eq!(
            Auxiliary::parse(&vec![1; found]),
            Err(Malformed::Length {
                message: "PP",
                expected: 320,
                found,
            })
        );
    }
}

#[test]
fn a_card_changed_in_pp_or_in_what_it_compares_opens_for_nobody() {
    let world = World::with(NAME);
    let card = world.card.encode();
    let open = |card: &[u8]| {
        let card = Card::parse(card).unwrap();
        card.unlock(id(NAME), &password("tulip"), world.captures[3].clone())
            .map(|_| ())
            .map_err(Failed::reason)
    };

    assert_eq!(open(&card), Ok(()));
    for (field, places) in [("PP", 64..384), ("V_u", 384..416), ("h(ID)", 416..448)] {
        for place in places {
            let mut changed = card.to_vec();
            changed[place] ^= 0x10;
            assert_eq!(open(&changed), Err(Reason::Locked), "{field}, byte {place}");
        }
    }
}

#[test]
fn a_sign_in_under_way_shows_neither_number_nor_string_nor_face() {
    let world = World::with(NAME);
    let opened = Wu2021::open(&world.credential(NAME), NOW, &mut dice(1));

    let state = format!("{:?}", opened.state);
    let hello = format!("{:?}", opened.message);

    assert!(
        state.contains("ephemeral: Ephemeral(redacted), sp: Secret<32>(redacted)"),
        "{state}"
    );
    assert!(
        hello.contains("pp: Auxiliary(redacted), bio: Template(redacted)"),
        "{hello}"
    );
    assert_eq!(Me5::parse(&opened.message.encode()), Ok(opened.message));
}
