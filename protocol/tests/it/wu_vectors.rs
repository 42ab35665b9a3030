//! Suite Wu-2021 against values that a program without a line of this crate computed.

use protocol::suite::{Answered, Message, Opened, Pending, Suite};
use protocol::wu::{self, Card, Enrolment, Me1, Me3, Me5, Me7, Wu2021};
use protocol::{Template, Timestamp};
use serde_json::Value;

use crate::faces::bytes;
use crate::seeded::Played;
use crate::world::{Ledger, Table};

fn vector() -> Value {
    serde_json::from_str(include_str!("../vectors/wu_2021.json")).unwrap()
}

fn long(hex: &Value) -> Vec<u8> {
    hex::decode(hex.as_str().unwrap()).unwrap()
}

fn time(number: &Value) -> Timestamp {
    Timestamp::from_millis(number.as_u64().unwrap())
}

fn enrolled(vector: &Value) -> Enrolment {
    let me1 = Me1::parse(&long(&vector["Me1"])).unwrap();
    let drawn = ["message", "salt", "m"].map(|name| long(&vector[name]));
    wu::enrol(&me1, &Table::default(), &mut Played::new(drawn.concat())).unwrap()
}

#[test]
fn registration_gives_the_expected_answer_and_row() {
    let vector = vector();

    let Enrolment { answer, mapping } = enrolled(&vector);

    assert_eq!(answer.encode(), long(&vector["Me3"]));
    assert_eq!(*answer.sp.expose(), bytes(&vector["SP"]));
    assert_eq!(answer.pp.to_bytes(), bytes(&vector["PP"]));
    assert_eq!(*answer.v_u.expose(), bytes(&vector["V_u"]));
    assert_eq!(*answer.aid.as_bytes(), bytes(&vector["AID"]));
    assert_eq!(mapping.id.expose().as_bytes(), long(&vector["ID"]));
    assert_eq!(*mapping.a.expose(), bytes(&vector["A"]));
    assert_eq!(*mapping.m.expose(), bytes(&vector["m"]));
    assert_eq!(mapping.aid, answer.aid);
}

#[test]
fn the_card_is_the_answer_and_the_hash_of_the_identity() {
    let vector = vector();
    let me1 = Me1::parse(&long(&vector["Me1"])).unwrap();
    let me3 = Me3::parse(&long(&vector["Me3"])).unwrap();

    let card = Card::new(me3, &me1.id).encode();

    assert_eq!(
        *card,
        [long(&vector["Me3"]), long(&vector["h_ID"])].concat()
    );
}

#[test]
fn a_sign_in_gives_the_expected_messages_key_and_session() {
    let vector = vector();
    let me1 = Me1::parse(&long(&vector["Me1"])).unwrap();
    let card = Card::new(enrolled(&vector).answer, &me1.id);
    let ledger = Ledger::of([(card.aid(), me1.id.clone())]);
    let probe = Template::new(bytes(&vector["BIO'"]));
    let credential = card.unlock(me1.id, &me1.password, probe).unwrap();

    let Opened {
        message: me5,
        state: patient,
    } = Wu2021::open(
        &credential,
        time(&vector["T1"]),
        &mut Played::new(long(&vector["m_i drawn"])),
    );
    let Opened {
        message: me7,
        state: Answered::Accepted(accepted),
    } = Wu2021::answer(
        &(),
        &ledger,
        me5.clone(),
        time(&vector["T3"]),
        &mut Played::new(long(&vector["m_j drawn"])),
    )
    .unwrap();
    let finished = patient.finish(&me7, time(&vector["T3"])).unwrap();

    assert_eq!(me5.m1, bytes(&vector["M1"]));
    assert_eq!(me5.m2, bytes(&vector["M2"]));
    assert_eq!(me5.encode(), long(&vector["Me5"]));
    assert_eq!(me7.m3, bytes(&vector["M3"]));
    assert_eq!(me7.m4, bytes(&vector["M4"]));
    assert_eq!(me7.encode(), long(&vector["Me7"]));
    assert_eq!(*accepted.session.as_bytes(), bytes(&vector["sid"]));
    assert_eq!(*finished.session.as_bytes(), bytes(&vector["sid"]));
    assert_eq!(*accepted.key.expose(), bytes(&vector["K"]));
    assert_eq!(*finished.key.expose(), bytes(&vector["K"]));
    assert_eq!(accepted.started, time(&vector["T1"]));
    assert_eq!(accepted.answered, time(&vector["T3"]));
}

#[test]
fn the_messages_have_the_sizes_that_are_published() {
    let vector = vector();
    let [me3, me5, me7] = ["Me3", "Me5", "Me7"].map(|name| long(&vector[name]));

    assert_eq!((me3.len(), me5.len(), me7.len()), (416, 680, 72));
    assert_eq!(Me3::parse(&me3).unwrap().encode(), me3);
    assert_eq!(Me5::parse(&me5).unwrap().encode(), me5);
    assert_eq!(Me7::parse(&me7).unwrap().encode(), me7);
}
