//! The attacks on Wu et al. that PROTOCOL's table lists, carried out on the suite
//! itself: flaws kept on purpose, so that nobody takes it for secure.

use core::ops::Mul as _;

use contract::Aid;
use k256::elliptic_curve::PrimeField;
use k256::elliptic_curve::point::{AffineCoordinates, DecompressPoint};
use k256::{AffinePoint, ProjectivePoint, Scalar};
use protocol::suite::{Accepted, Answered, Directory, Message, Opened, Pending, Suite};
use protocol::wu::{Me5, Me7, PatientId, Wu2021};
use protocol::{Auxiliary, Template, Timestamp, fuzzy};
use sha2::{Digest, Sha256};

use crate::seeded::{Played, dice};
use crate::world::{Ledger, NOW, World, id, later};

const NAME: &str = "0417";

/// What an attacker writes himself: the published hash functions.
fn h(label: &str, fields: &[&[u8]]) -> [u8; 32] {
    let mut hash = Sha256::new_with_prefix(format!("wu2021/{label}"));
    for field in fields {
        hash.update(u16::try_from(field.len()).unwrap().to_be_bytes());
        hash.update(field);
    }
    hash.finalize().into()
}

fn xor(a: &[u8; 32], b: &[u8; 32]) -> [u8; 32] {
    core::array::from_fn(|i| a[i] ^ b[i])
}

/// The attacker's own secret number and the x-coordinate of its point.
fn own_point(number: u64) -> (Scalar, [u8; 32]) {
    let scalar = Scalar::from(number);
    let point = ProjectivePoint::mul_by_generator(&scalar).to_affine();
    let odd: bool = point.y_is_odd().into();
    (if odd { scalar.negate() } else { scalar }, point.x().into())
}

fn agree(number: &Scalar, x: &[u8; 32]) -> [u8; 32] {
    let point = AffinePoint::decompress(&(*x).into(), 0.into()).unwrap();
    ProjectivePoint::from(point)
        .mul(number)
        .to_affine()
        .x()
        .into()
}

/// A1: SP from one overheard Me5.
fn sp_of(me5: &Me5) -> [u8; 32] {
    *fuzzy::reproduce(&me5.bio, &me5.pp).unwrap().expose()
}

/// A4: the identity, by trying all of a small space against one overheard Me5.
fn guess_identity(me5: &Me5) -> Option<String> {
    let x = xor(&sp_of(me5), &me5.m1);
    (0..10_000)
        .map(|number| format!("{number:04}"))
        .find(|guess| h("h2", &[&x, guess.as_bytes(), &me5.t1.to_bytes()]) == me5.m2)
}

fn overheard(world: &World, now: Timestamp) -> Opened<Me5, protocol::wu::login::Patient> {
    Wu2021::open(&world.credential(NAME), now, &mut dice(now.as_millis()))
}

fn answer(ledger: &Ledger, me5: &Me5, now: Timestamp) -> (Me7, Accepted<()>) {
    match Wu2021::answer(&(), ledger, me5, now, &mut dice(2)) {
        Ok(Opened {
            message,
            state: Answered::Accepted(accepted),
        }) => (message, accepted),
        other => panic!("not accepted: {other:?}"),
    }
}

#[test]
fn a1_one_overheard_message_unmasks_every_past_and_future_one() {
    let world = World::with(NAME);
    let first = overheard(&world, NOW).message;
    let sp = sp_of(&first);

    let second = overheard(&world, later(86_400_000)).message;
    let (reply, _) = answer(&world.ledger, &second, later(86_400_000));

    for masked in [second.m1, reply.m3] {
        let x = xor(&sp, &masked);
        let on_curve: bool = AffinePoint::decompress(&x.into(), 0.into())
            .is_some()
            .into();
        assert!(on_curve);
    }
    let x = xor(&sp, &second.m1);
    let proof = h("h2", &[&x, NAME.as_bytes(), &second.t1.to_bytes()]);
    assert_eq!(proof, second.m2, "the unmasked point is the patient's");
}

#[test]
fn a2_a_stranger_answers_as_the_server_and_shares_the_patient_s_key() {
    let world = World::with(NAME);
    let Opened {
        message: me5,
        state: patient,
    } = overheard(&world, NOW);

    let sp = sp_of(&me5);
    let patient_x = xor(&sp, &me5.m1);
    let (number, x) = own_point(123_456_789);
    let key = agree(&number, &patient_x);
    let t3 = later(50);
    let forged = Me7 {
        m3: xor(&sp, &x),
        m4: h("h3", &[&key, &patient_x, &t3.to_bytes()]),
        t3,
    };
    let finished = patient.finish(&forged, later(60)).unwrap();

    assert_eq!(*finished.key.expose(), key);
}

#[test]
fn a3_a_message_meant_for_one_server_is_accepted_by_another() {
    let world = World::with(NAME);
    let me5 = overheard(&world, NOW).message;
    let elsewhere = Ledger::of([(me5.aid, id(NAME))]);

    let (_, here) = answer(&world.ledger, &me5, later(10));
    let (_, there) = answer(&elsewhere, &me5, later(20));

    assert_eq!(here.aid, there.aid);
    assert_ne!(here.session, there.session, "two sign-ins out of one");
}

#[test]
fn a4_an_identity_of_four_digits_is_found_offline() {
    let world = World::with(NAME);
    let me5 = overheard(&world, NOW).message;

    assert_eq!(guess_identity(&me5).as_deref(), Some(NAME));
}

#[test]
fn a5_whoever_overheard_one_sign_in_signs_in_as_the_patient_for_ever() {
    let world = World::with(NAME);
    let overheard = overheard(&world, NOW).message;
    let ten_years_on = later(10 * 365 * 86_400_000);

    let identity = guess_identity(&overheard).unwrap();
    let sp = sp_of(&overheard);
    let (number, x) = own_point(987_654_321);
    let forged = Me5 {
        m1: xor(&sp, &x),
        m2: h("h2", &[&x, identity.as_bytes(), &ten_years_on.to_bytes()]),
        t1: ten_years_on,
        ..overheard
    };
    let (reply, accepted) = answer(&world.ledger, &forged, ten_years_on);

    assert_eq!(accepted.aid, world.card.aid());
    let key = agree(&number, &xor(&sp, &reply.m3));
    assert_eq!(key, *accepted.key.expose());
}

#[test]
fn a7_masked_points_xor_to_unmasked_ones_and_sift_a_list_of_candidates() {
    let world = World::with(NAME);
    let sp = sp_of(&overheard(&world, NOW).message);
    let mut candidates: Vec<[u8; 32]> = (0..63_u8).map(|i| h("guess", &[&[i]])).collect();
    candidates.push(sp);

    for session in 0..20 {
        let me5 = overheard(&world, later(session)).message;
        let (me7, _) = answer(&world.ledger, &me5, later(session));
        let points = xor(&xor(&sp, &me5.m1), &xor(&sp, &me7.m3));
        assert_eq!(xor(&me5.m1, &me7.m3), points, "the pad cancels");
        candidates.retain(|candidate| {
            let x = xor(candidate, &me5.m1);
            AffinePoint::decompress(&x.into(), 0.into())
                .is_some()
                .into()
        });
    }

    assert_eq!(candidates, [sp]);
}

#[test]
fn a8_every_sign_in_names_the_same_patient_and_the_same_template() {
    let world = World::with(NAME);

    let [one, other] = [NOW, later(5)].map(|now| overheard(&world, now).message);

    assert_eq!(one.aid, other.aid);
    assert_eq!(one.pp, other.pp);
}

#[test]
fn a9_face_and_helper_string_travel_in_clear_and_nothing_else_does() {
    let world = World::with(NAME);
    let [m_i, m_j] = ["m_i", "m_j"].map(|label| h(label, &[]));
    let me5 = Wu2021::open(&world.credential(NAME), NOW, &mut Played::new(m_i)).message;
    let served = Wu2021::answer(&(), &world.ledger, &me5, NOW, &mut Played::new(m_j));
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
fn a10_a_stolen_card_and_an_overheard_face_give_the_password_away() {
    let world = World::with(NAME);
    let card = world.card.encode();
    let v_u: [u8; 32] = card[384..416].try_into().unwrap();
    let sp = sp_of(&overheard(&world, NOW).message);

    let found = ["rose", "tulip", "daisy"].into_iter().find(|guess| {
        let typed = h("h", &[NAME.as_bytes(), guess.as_bytes()]);
        h("h1", &[&xor(&typed, &sp)]) == v_u
    });

    assert_eq!(found, Some("tulip"));
}

#[test]
fn a11_the_card_alone_holds_sp_in_clear() {
    let world = World::with(NAME);

    let card = world.card.encode();

    assert_eq!(card[32..64], sp_of(&overheard(&world, NOW).message));
}

#[test]
fn a12_someone_in_the_middle_shares_one_key_with_each_end() {
    let world = World::with(NAME);
    let Opened {
        message: me5,
        state: patient,
    } = overheard(&world, NOW);
    let identity = guess_identity(&me5).unwrap();
    let sp = sp_of(&me5);
    let patient_x = xor(&sp, &me5.m1);
    let (number, x) = own_point(31_337);

    let towards_server = Me5 {
        m1: xor(&sp, &x),
        m2: h("h2", &[&x, identity.as_bytes(), &me5.t1.to_bytes()]),
        ..me5
    };
    let (me7, server) = answer(&world.ledger, &towards_server, NOW);
    let key = agree(&number, &patient_x);
    let towards_patient = Me7 {
        m3: xor(&sp, &x),
        m4: h("h3", &[&key, &patient_x, &me7.t3.to_bytes()]),
        ..me7
    };
    let finished = patient.finish(&towards_patient, NOW).unwrap();

    assert_eq!(*finished.key.expose(), key);
    assert_eq!(
        *server.key.expose(),
        agree(&number, &xor(&sp, &me7.m3)),
        "the server's key is known too"
    );
    assert_ne!(finished.key, server.key);
}

#[test]
fn a13_a_replayed_message_is_accepted_again_and_gives_a_second_result() {
    let world = World::with(NAME);
    let me5 = Me5::parse(&overheard(&world, NOW).message.encode()).unwrap();

    let (_, first) = answer(&world.ledger, &me5, later(1_000));
    let (_, replayed) = answer(&world.ledger, &me5, later(119_999));

    assert_eq!(first.aid, replayed.aid);
    assert_ne!(first.session, replayed.session);
}

#[test]
fn a14_a_server_makes_up_a_sign_in_out_of_the_ledger_and_one_old_message() {
    let world = World::with(NAME);
    let old = overheard(&world, NOW).message;
    let identity = world.ledger.resolve(&old.aid).unwrap();

    let (_, x) = own_point(5);
    let invented = Me5 {
        m1: xor(&sp_of(&old), &x),
        m2: h(
            "h2",
            &[&x, identity.expose().as_bytes(), &later(900_000).to_bytes()],
        ),
        t1: later(900_000),
        ..old
    };

    let (_, accepted) = answer(&world.ledger, &invented, later(900_000));
    assert_eq!(accepted.aid, world.card.aid());
}

#[test]
fn a15_one_leaked_number_of_either_side_gives_the_key() {
    let world = World::with(NAME);
    let drawn: [u8; 32] = h("m_i", &[]);
    let Opened { message: me5, .. } =
        Wu2021::open(&world.credential(NAME), NOW, &mut Played::new(drawn));
    let (me7, accepted) = answer(&world.ledger, &me5, NOW);

    let leaked = Scalar::from_repr(drawn.into()).unwrap();
    let key = agree(&leaked, &xor(&sp_of(&me5), &me7.m3));

    assert_eq!(key, *accepted.key.expose());
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
    let me5 = overheard(&world, NOW).message;
    let mut changed = me5.pp.to_bytes();
    changed[40] ^= 1;
    let changed = Auxiliary::parse(&changed).unwrap();

    for stranger in &world.stranger {
        assert_eq!(fuzzy::reproduce(stranger, &me5.pp), None);
    }
    assert_eq!(fuzzy::reproduce(&me5.bio, &changed), None);
    assert_eq!(fuzzy::reproduce(&Template::new([0; 256]), &me5.pp), None);
}
