//! The five phases of Limbasiya et al., and who is refused in each.

use contract::Aid;
use protocol::limbasiya::{
    Application, Card, Centre, Issued, JoinRequest, Joined, PasswordChange, Refused, Rows,
    RowsRequest, UserRow,
};
use protocol::suite::{Accepted, Answered, Finished, Message, Opened, Pending as _, Suite as _};
use protocol::wu::Nothing;
use protocol::{Failed, Limbasiya2020, Reason, Secret, Timestamp};

use crate::limbasiya_world::{Land, PASSWORD, applicant, enrol, id, password, word};
use crate::seeded::dice;
use crate::world::{NOW, later};

/// Her sign-in at a server that has the centre's table, a second at each step.
fn sign_in(
    land: &Land,
    server: &str,
    now: Timestamp,
) -> Result<(Finished<Nothing>, Accepted<()>), Failed> {
    let credential = land.unlocked().credential(&word(server)).unwrap();
    let Opened { message, state } = Limbasiya2020::open(&credential, now, &mut dice(1));
    let station = land.station(server);
    let answered = Limbasiya2020::answer(&station, &land.ledger, message, now, &mut dice(2))?;
    let finished = state.finish(&answered.message, now)?;
    match answered.state {
        Answered::Accepted(accepted) => Ok((finished, accepted)),
        Answered::AwaitConfirm(_) => panic!("the suite has two messages"),
    }
}

#[test]
fn a_user_who_registered_once_signs_in_at_every_server() {
    let land = Land::new();

    for server in ["hospital2", "hospital3"] {
        let (hers, theirs) = sign_in(&land, server, NOW).unwrap();

        assert_eq!(hers.key, theirs.key);
        assert_eq!(hers.session, theirs.session);
        assert_eq!(theirs.aid, *land.unlocked().uid());
    }
}

#[test]
fn two_sessions_at_one_server_have_the_same_key() {
    let land = Land::new();

    let (one, _) = sign_in(&land, "hospital2", NOW).unwrap();
    let (other, _) = sign_in(&land, "hospital2", later(3_600_000)).unwrap();

    assert_eq!(one.key, other.key, "B4");
    assert_ne!(one.session, other.session);
}

#[test]
fn another_id_or_password_does_not_open_the_card() {
    let land = Land::new();

    for (who, typed) in [("patient-0002", PASSWORD), ("patient-0001", "wrong")] {
        let failed = land.card.unlock(id(who), password(typed)).unwrap_err();
        assert_eq!(failed.reason(), Reason::Locked);
    }
}

#[test]
fn a_server_that_is_on_no_list_cannot_be_signed_in_at() {
    assert!(
        Land::new()
            .unlocked()
            .credential(&word("hospital4"))
            .is_none()
    );
}

#[test]
fn names_and_uids_are_registered_once() {
    let mut land = Land::new();
    let application = Application {
        uid: *land.unlocked().uid(),
        a: Secret::new([1; 32]),
    };

    let again = land.centre.register_user(&application, &mut dice(3));
    let mut join = applicant("hospital2").request();
    join.p = Secret::new([1; 32]);

    assert_eq!(again, Err(Refused::Taken));
    assert_eq!(land.centre.register_server(&join, NOW), Err(Refused::Taken));
}

#[test]
fn a_server_whose_answer_was_lost_asks_again_and_has_the_same_secret() {
    let mut land = Land::new();
    let join = applicant("hospital2").request();

    let again = land.centre.register_server(&join, later(5_000)).unwrap();

    assert_eq!(again.ssk, land.station("hospital2").place().ssk);
}

#[test]
fn a_centre_has_no_more_users_than_a_table_has_rows() {
    let row = UserRow {
        r3: Secret::new([0; 16]),
        c: Secret::new([0; 32]),
    };
    let full = (0_u32..65_536).map(|number| {
        let mut uid = [0; 32];
        uid[..4].copy_from_slice(&number.to_be_bytes());
        (Aid::new(uid), row.clone())
    });
    let mut centre = Centre::new(Secret::new([9; 32]), [], full);
    let application = Application {
        uid: Aid::new([9; 32]),
        a: Secret::new([1; 32]),
    };

    let one_more = centre.register_user(&application, &mut dice(3));
    assert_eq!(one_more, Err(Refused::TooManyUsers));

    centre.put_back_user(&Aid::new([0; 32]), None);
    centre.register_user(&application, &mut dice(3)).unwrap();
}

#[test]
fn what_the_disk_did_not_take_is_undone() {
    let mut land = Land::new();
    let join = applicant("hospital9").request();
    land.centre.register_server(&join, NOW).unwrap();

    land.centre.put_back_server(&join.id, None);

    assert_eq!(land.centre.server(&join.id), None);
}

#[test]
fn a_server_that_would_make_the_list_too_long_for_a_card_is_refused() {
    let mut land = Land::new();
    let mut join = |number: u32| {
        let request = applicant(&format!("hospital{number}")).request();
        land.centre.register_server(&request, NOW)
    };

    let refused = (4..200).find(|number| join(*number) == Err(Refused::Full));

    assert!(refused.is_some_and(|number| number > 60), "{refused:?}");
}

#[test]
fn a_new_password_opens_the_new_card_and_counts_at_a_server_once_it_has_the_table() {
    let mut land = Land::new();
    let before = land.station("hospital2");
    let (change, draft) = land.unlocked().change(password("another"), NOW);

    let issued = land.centre.update_password(&change, later(1_000)).unwrap();
    let card = draft.card(&issued);

    let old = card.unlock(id("patient-0001"), password(PASSWORD));
    assert_eq!(old.unwrap_err().reason(), Reason::Locked);
    let opened = card
        .unlock(id("patient-0001"), password("another"))
        .unwrap();
    assert_eq!(opened.uid(), land.unlocked().uid());
    let credential = opened.credential(&word("hospital2")).unwrap();
    let hello = || Limbasiya2020::open(&credential, NOW, &mut dice(1)).message;
    let ask = |station| Limbasiya2020::answer(station, &land.ledger, hello(), NOW, &mut dice(2));
    let reason = |station| ask(station).err().map(Failed::reason);
    assert_eq!(reason(&before), Some(Reason::Mismatch));
    assert_eq!(reason(&land.station("hospital2")), None);
}

#[test]
fn a_password_is_changed_by_nobody_who_does_not_know_the_old_one() {
    let mut land = Land::new();
    let (good, _) = land.unlocked().change(password("another"), NOW);
    let mut update = |change: &PasswordChange, now| land.centre.update_password(change, now);

    let mut forged = good.clone();
    forged.proof[0] ^= 1;
    let mut other = good.clone();
    other.a = other.next.clone();
    let mut stranger = good.clone();
    stranger.uid = Aid::new([3; 32]);

    assert_eq!(update(&forged, NOW), Err(Refused::NotProved));
    assert_eq!(update(&other, NOW), Err(Refused::NotProved));
    assert_eq!(update(&stranger, NOW), Err(Refused::UnknownUser));
    assert_eq!(update(&good, later(60_000)), Err(Refused::Stale));
    let issued = update(&good, later(59_999)).unwrap();
    // The answer may have been lost; another change of the old password is one of a password that is over.
    assert_eq!(update(&good, NOW), Ok(issued));
    let (late, _) = Land::new().unlocked().change(password("a third"), NOW);
    assert_eq!(update(&late, NOW), Err(Refused::NotProved));
}

#[test]
fn the_table_is_given_to_registered_servers_that_ask_now() {
    let mut land = Land::new();
    enrol(&mut land.centre, &mut land.ledger, ("patient-0002", 2));
    let ask = |name: &str, now| {
        let request = RowsRequest {
            id: word(name),
            t: NOW.as_millis() / 1_000,
        };
        land.centre.rows(&request, now)
    };

    assert_eq!(ask("hospital2", NOW).unwrap().0.len(), 2);
    assert_eq!(ask("hospital9", NOW), Err(Refused::UnknownServer));
    assert_eq!(ask("hospital2", later(60_000)), Err(Refused::Stale));
}

#[test]
fn a_uid_that_is_not_on_the_ledger_is_refused() {
    let mut land = Land::new();
    land.ledger.0.clear();

    let failed = sign_in(&land, "hospital2", NOW).err();

    assert_eq!(failed.map(Failed::reason), Some(Reason::UnknownAid));
}

#[test]
fn of_the_second_paper_s_values_only_a_server_s_name_and_two_stamps_travel_in_clear() {
    let land = Land::new();
    let unlocked = land.unlocked();
    let credential = unlocked.credential(&word("hospital3")).unwrap();
    let opened = Limbasiya2020::open(&credential, NOW, &mut dice(1));
    let served = Limbasiya2020::answer(
        &land.station("hospital3"),
        &land.ledger,
        opened.message.clone(),
        NOW,
        &mut dice(2),
    );
    let reply = served.unwrap().message;
    let key = opened.state.finish(&reply, NOW).unwrap().key;
    let wire = [opened.message.encode(), reply.encode()].concat();
    let travels = |part: &[u8]| wire.windows(part.len()).any(|window| window == part);

    assert!(travels(b"hospital3"), "ID_j");
    assert!(travels(&opened.message.t1.to_be_bytes()), "T1");
    let uid = unlocked.uid();
    let c = land.centre.user(uid).unwrap().c.clone();
    let ssk = land
        .centre
        .server(&word("hospital3"))
        .unwrap()
        .place
        .ssk
        .clone();
    for secret in [uid.as_bytes(), c.expose(), ssk.expose(), key.expose()] {
        assert!(!travels(secret));
    }
    for typed in ["patient-0001", PASSWORD] {
        assert!(!travels(typed.as_bytes()), "{typed}");
    }
}

#[test]
fn a_card_is_stored_and_read_again() {
    let land = Land::new();
    let bytes = land.card.encode();

    assert_eq!(Card::parse(&bytes).unwrap(), land.card);
    Card::parse(&bytes[..127]).unwrap_err();
    Card::parse(&[0; 128 + 8_193]).unwrap_err();
}

/// Parsing consumes all, and gives the same bytes again.
fn has_one_encoding<M: Message + PartialEq + std::fmt::Debug>(message: &M) {
    let bytes = message.encode();
    assert_eq!(M::parse(&bytes).as_ref(), Ok(message));
    for length in 0..bytes.len() {
        assert!(M::parse(&bytes[..length]).is_err(), "{length} bytes");
    }
    M::parse(&[bytes.as_slice(), &[0]].concat()).unwrap_err();
}

#[test]
fn every_message_has_one_encoding() {
    let mut land = Land::new();
    let (change, _) = land.unlocked().change(password("another"), NOW);
    let issued: Issued = land.centre.update_password(&change, NOW).unwrap();
    let join: JoinRequest = applicant("hospital4").request();
    let joined: Joined = land.centre.register_server(&join, NOW).unwrap();
    let rows: Rows = land.rows("hospital4", NOW);

    has_one_encoding(&change);
    has_one_encoding(&issued);
    has_one_encoding(&join);
    has_one_encoding(&joined);
    has_one_encoding(&rows);
    has_one_encoding(&Application {
        uid: change.uid,
        a: change.a.clone(),
    });
    has_one_encoding(&RowsRequest {
        id: word("hospital4"),
        t: 7,
    });
}
