//! What the terminal and the RC do for a patient of Wu-2021, and what they refuse.

use protocol::suite::Message;
use protocol::wu::{self, AlreadyRegistered, Card, Mapping, Me1};
use protocol::{Malformed, Reason, Template};

use crate::seeded::dice;
use crate::world::{Table, World, id, password};

const NAME: &str = "patient-0001";

fn request(world: &World) -> Me1 {
    Me1 {
        id: id(NAME),
        password: password("tulip"),
        bio: world.captures[0].clone(),
    }
}

#[test]
fn the_card_opens_with_every_other_capture_of_the_same_face() {
    let world = World::with(NAME);

    let opened = world.captures[3..]
        .iter()
        .filter(|&capture| {
            let opened = world
                .card
                .unlock(id(NAME), &password("tulip"), capture.clone());
            opened.is_ok()
        })
        .count();

    assert_eq!(opened, world.captures.len() - 3);
}

#[test]
fn wrong_identity_password_and_face_are_one_and_the_same_refusal() {
    let World {
        card,
        captures,
        stranger,
        ..
    } = World::with(NAME);
    let right = captures[3].clone();
    let attempts = [
        card.unlock(id("patient-0002"), &password("tulip"), right.clone()),
        card.unlock(id(NAME), &password("Tulip"), right),
        card.unlock(id(NAME), &password("tulip"), stranger[3].clone()),
        card.unlock(id("patient-0002"), &password("x"), stranger[4].clone()),
    ];

    for attempt in attempts {
        let failed = attempt.unwrap_err();
        assert_eq!(failed.reason(), Reason::Locked);
        assert_eq!(failed.to_string(), "authentication failed");
    }
}

#[test]
fn a_stored_card_reads_back_and_any_other_length_is_refused() {
    let world = World::with(NAME);
    let bytes = world.card.encode();

    assert_eq!(Card::parse(&bytes), Ok(world.card));
    for wrong in [0, 447, 449] {
        let mut other = bytes.to_vec();
        other.resize(wrong, 0);
        assert_eq!(
            Card::parse(&other),
            Err(Malformed::Length {
                message: "a card of Wu-2021",
                expected: 448,
                found: wrong,
            })
        );
    }
}

#[test]
fn neither_an_enrolled_identity_nor_a_taken_aid_is_registered_again() {
    let world = World::with(NAME);
    let request = request(&world);
    let fresh = wu::enrol(&request, &Table::default(), &mut dice(3)).unwrap();
    let same_patient = Table {
        ids: [NAME.to_owned()].into(),
        ..Table::default()
    };
    let taken = Table {
        aids: [fresh.answer.aid].into(),
        ..Table::default()
    };

    for table in [same_patient, taken] {
        let refused = wu::enrol(&request, &table, &mut dice(3));
        assert_eq!(refused.unwrap_err(), AlreadyRegistered);
    }
    assert_eq!(fresh.mapping.id, id(NAME));
}

#[test]
fn a_registration_request_is_read_strictly() {
    let world = World::with(NAME);
    let request = request(&world);
    let bytes = request.encode();

    assert_eq!(Me1::parse(&bytes), Ok(request));
    for length in 0..bytes.len() {
        assert!(Me1::parse(&bytes[..length]).is_err(), "{length} bytes");
    }
    assert_eq!(
        Me1::parse(&[bytes.as_slice(), &[0, 0]].concat()),
        Err(Malformed::Surplus {
            message: "Me1",
            surplus: 2,
        })
    );
    let nameless = [&[0, 0][..], &bytes[2 + NAME.len()..]].concat();
    assert!(matches!(
        Me1::parse(&nameless),
        Err(Malformed::Field { field: "ID", .. })
    ));
}

#[test]
fn a_row_of_the_mapping_table_reads_back() {
    let world = World::with(NAME);
    let row = wu::enrol(&request(&world), &Table::default(), &mut dice(3))
        .unwrap()
        .mapping;

    let bytes = row.encode();

    assert_eq!(Mapping::parse(&bytes), Ok(row));
    assert_eq!(
        Mapping::parse(&bytes[..bytes.len() - 1]),
        Err(Malformed::Truncated {
            message: "a row of the mapping table",
            field: "m",
        })
    );
    assert_eq!(
        Mapping::parse(&[bytes.as_slice(), &[0]].concat()),
        Err(Malformed::Surplus {
            message: "a row of the mapping table",
            surplus: 1,
        })
    );
}

#[test]
fn no_secret_of_card_credential_or_row_is_printed() {
    let world = World::with(NAME);
    let enrolment = wu::enrol(&request(&world), &Table::default(), &mut dice(3)).unwrap();
    let shown = format!("{:?} {:?}", world.credential(NAME), enrolment);

    for secret in [NAME, "tulip"] {
        assert!(!shown.contains(secret), "{secret} in {shown}");
    }
    for bytes in [
        &enrolment.answer.sp.expose()[..4],
        &enrolment.mapping.m.expose()[..4],
        &enrolment.mapping.a.expose()[..4],
        &world.captures[3].expose()[..4],
    ] {
        let listed = format!("{bytes:?}");
        let listed = listed.trim_matches(['[', ']']);
        assert!(!shown.contains(listed), "{listed} in {shown}");
        assert!(!shown.contains(&hex::encode(bytes)));
    }
    assert_ne!(world.captures[3], Template::new([0; 256]));
}
