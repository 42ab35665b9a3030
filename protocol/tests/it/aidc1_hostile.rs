//! AIDC-1 against bytes that nobody meant well.
//!
//! `PROPTEST_CASES=10000000 cargo test --release -p protocol --test it aidc1_hostile` runs
//! the random ones ten million times each; without the variable it is 256 times.

use contract::Height;
use proptest::prelude::*;
use protocol::aidc1::{Answer, Credential, Gate, Me5, Me7, Me9, Status};
use protocol::suite::{Message, Pending, Suite};
use protocol::{Aidc1, Malformed};

use crate::aidc1_world::{Clinic, open};
use crate::world::NOW;

/// What is wrong with these bytes as a message.
fn complaint<M: Message>(bytes: &[u8]) -> Option<&'static str> {
    match M::parse(bytes) {
        Ok(message) => {
            assert_eq!(message.encode(), bytes);
            None
        }
        Err(Malformed::Field { field, .. }) => Some(field),
        Err(Malformed::Length { .. }) => Some("length"),
        Err(other) => panic!("{other}"),
    }
}

fn decoder_refuses_all_but_its_own<M: Message>(message: &M) {
    let good = message.encode();
    assert_eq!(complaint::<M>(&good), None);
    for length in 0..good.len() {
        assert_eq!(complaint::<M>(&good[..length]), Some("length"), "{length}");
    }
    assert_eq!(complaint::<M>(&[&good[..], &[0]].concat()), Some("length"));

    let fields = ["magic", "magic", "version", "type", "suite", "suite"];
    for (at, field) in fields.into_iter().enumerate() {
        for value in (0..=255).filter(|value| *value != good[at]) {
            let mut changed = good.clone();
            changed[at] = value;
            let found = complaint::<M>(&changed);
            // The type of the other form of Me9 asks for another length.
            let other_form = at == 3 && matches!((good[3], value), (0x09, 0x19) | (0x19, _));
            let expected = if other_form { "length" } else { field };
            assert_eq!(found, Some(expected), "byte {at} = {value:#x}");
        }
    }
}

#[test]
fn a_decoder_takes_one_length_magic_version_type_and_suite() {
    let clinic = Clinic::new();
    let plain = clinic.sign_in(&clinic.credential()).unwrap();
    let identified = clinic.sign_in(&clinic.identified()).unwrap();
    let status = Status::Accepted(Height::new(1));
    let answer = plain.accepted.evidence.answering.answer(status);

    decoder_refuses_all_but_its_own(&plain.hello);
    decoder_refuses_all_but_its_own(&plain.reply);
    decoder_refuses_all_but_its_own(&plain.finished.confirm);
    decoder_refuses_all_but_its_own(&identified.finished.confirm);
    decoder_refuses_all_but_its_own(&answer);
}

#[test]
fn no_bit_of_either_me9_can_be_changed() {
    let clinic = Clinic::new();
    for credential in [clinic.credential(), clinic.identified()] {
        let length = clinic
            .sign_in(&credential)
            .unwrap()
            .finished
            .confirm
            .encode()
            .len();

        for bit in 0..length * 8 {
            let opened = open(&credential, NOW);
            let served = clinic.answer(&opened.message, NOW).unwrap();
            let finished = opened.state.finish(&served.message, NOW).unwrap();
            let mut me9 = finished.confirm.encode();
            me9[bit / 8] ^= 1 << (bit % 8);

            let accepted = Me9::parse(&me9).map(|me9| served.state.finish(&me9, NOW));
            assert!(
                !matches!(accepted, Ok(Ok(_))),
                "bit {bit} of {length} bytes"
            );
        }
    }
}

/// One thing done to a message.
#[derive(Clone, Debug)]
enum Change {
    Flip(prop::sample::Index, u8),
    Set(prop::sample::Index, u8),
    Cut(prop::sample::Index),
    Grow(Vec<u8>),
    Copy(prop::sample::Index, prop::sample::Index, u8),
    Header(u8, u16, u16),
    Zero(prop::sample::Index, u8),
}

impl Change {
    fn apply(&self, bytes: &mut Vec<u8>) {
        if bytes.is_empty() {
            return;
        }
        let length = bytes.len();
        match self {
            Self::Flip(at, bit) => bytes[at.index(length)] ^= 1 << (bit % 8),
            Self::Set(at, value) => bytes[at.index(length)] = *value,
            Self::Cut(at) => bytes.truncate(at.index(length)),
            Self::Grow(more) => bytes.extend(more),
            Self::Copy(from, to, count) => {
                let (from, to) = (from.index(length), to.index(length));
                let room = length.saturating_sub(from.max(to));
                let end = from.saturating_add(usize::from(*count).min(room));
                bytes.copy_within(from..end, to);
            }
            Self::Header(kind, suite, epoch) if length >= 8 => {
                bytes[3] = *kind;
                bytes[4..6].copy_from_slice(&suite.to_be_bytes());
                bytes[6..8].copy_from_slice(&epoch.to_be_bytes());
            }
            Self::Header(..) => {}
            Self::Zero(at, count) => {
                let at = at.index(length);
                let end = at.saturating_add(usize::from(*count)).min(length);
                bytes[at..end].fill(0);
            }
        }
    }
}

fn change() -> impl Strategy<Value = Change> {
    let index = any::<prop::sample::Index>;
    let kinds = prop::sample::select(vec![0x05, 0x07, 0x09, 0x16, 0x19, 0x1A]);
    prop_oneof![
        4 => (index(), any::<u8>()).prop_map(|(at, bit)| Change::Flip(at, bit)),
        2 => (index(), any::<u8>()).prop_map(|(at, value)| Change::Set(at, value)),
        1 => index().prop_map(Change::Cut),
        1 => prop::collection::vec(any::<u8>(), 1..200).prop_map(Change::Grow),
        2 => (index(), index(), any::<u8>()).prop_map(|(from, to, n)| Change::Copy(from, to, n)),
        1 => (kinds, 0..3_u16, 0..3_u16).prop_map(|(kind, suite, epoch)| {
            Change::Header(kind, suite, epoch)
        }),
        1 => (index(), 1..40_u8).prop_map(|(at, count)| Change::Zero(at, count)),
    ]
}

/// What somebody made of these bytes.
fn changed(good: &[u8], changes: &[Change]) -> Vec<u8> {
    let mut bytes = good.to_vec();
    for change in changes {
        change.apply(&mut bytes);
    }
    bytes
}

fn changes() -> impl Strategy<Value = Vec<Change>> {
    prop::collection::vec(change(), 1..6)
}

/// Both ends, made once: ten million cases should not make them ten million times.
struct Ends {
    clinic: Clinic,
    plain: Credential,
    identified: Credential,
    me5: Vec<u8>,
}

fn with_ends<T>(run: impl FnOnce(&Ends) -> T) -> T {
    thread_local! {
        static ENDS: Ends = {
            let clinic = Clinic::new();
            let (plain, identified) = (clinic.credential(), clinic.identified());
            let me5 = open(&plain, NOW).message.encode();
            Ends { clinic, plain, identified, me5 }
        };
    }
    ENDS.with(run)
}

proptest! {
    #[test]
    fn a_changed_me5_is_answered_by_nobody(changes in changes()) {
        let good = with_ends(|ends| ends.me5.clone());
        let bytes = changed(&good, &changes);
        let mut gate = Gate::with_room_for(4);

        let parsed = Me5::parse(&bytes).ok();
        let admitted = parsed.and_then(|me5| Aidc1::admit(&mut gate, me5, NOW).ok());
        let answered = admitted.map(|admitted| {
            with_ends(|ends| ends.clinic.answer_admitted(admitted, NOW).is_ok())
        });

        prop_assert_eq!(answered == Some(true), bytes == good);
        prop_assert!(gate.remembered() <= 1);
    }

    #[test]
    fn a_changed_me7_gets_no_signature(changes in changes()) {
        let (opened, good) = with_ends(|ends| {
            let opened = open(&ends.plain, NOW);
            let reply = ends.clinic.answer(&opened.message, NOW).unwrap().message;
            (opened, reply.encode())
        });
        let bytes = changed(&good, &changes);

        let finished = Me7::parse(&bytes).map(|me7| opened.state.finish(&me7, NOW).is_ok());

        prop_assert_eq!(finished == Ok(true), bytes == good);
    }

    #[test]
    fn a_changed_me9_is_accepted_by_nobody(changes in changes(), identified in any::<bool>()) {
        let (served, good) = with_ends(|ends| {
            let opened = open(if identified { &ends.identified } else { &ends.plain }, NOW);
            let served = ends.clinic.answer(&opened.message, NOW).unwrap();
            let me9 = opened.state.finish(&served.message, NOW).unwrap().confirm;
            (served, me9.encode())
        });
        let bytes = changed(&good, &changes);

        let accepted = Me9::parse(&bytes).map(|me9| served.state.finish(&me9, NOW).is_ok());

        prop_assert_eq!(accepted == Ok(true), bytes == good);
    }

    #[test]
    fn any_bytes_are_a_message_in_one_way_or_none(
        bytes in prop::collection::vec(any::<u8>(), 0..200),
        kind in prop::sample::select(vec![0x05_u8, 0x07, 0x09, 0x19, 0x1A]),
    ) {
        let length = match kind {
            0x05 => 128,
            0x07 => 72,
            0x09 => 88,
            0x19 => 184,
            _ => 33,
        };
        let mut shaped = bytes.clone();
        shaped.resize(length, 0);
        shaped[..6].copy_from_slice(&[b'A', b'D', 1, kind, 0, 1]);

        for bytes in [&bytes, &shaped] {
            let kinds = [
                Me5::parse(bytes).map(|message| message.encode()),
                Me7::parse(bytes).map(|message| message.encode()),
                Me9::parse(bytes).map(|message| message.encode()),
                Answer::parse(bytes).map(|message| message.encode()),
            ];
            let read: Vec<_> = kinds.into_iter().flatten().collect();
            prop_assert!(read.len() <= 1);
            prop_assert!(read.iter().all(|again| again == bytes));
        }
        prop_assert!(Me5::parse(&shaped).is_ok() == (kind == 0x05));
    }
}
