//! What a sign-in by AIDC-1 gives both ends, and what the patient checks before she signs.

use contract::{BlockTime, ChainId, Height, PublicKey, SuiteId};
use protocol::aidc1::{Certified, Credential, EpochTag, Me5, Me7, NotUsable, Peer, Server, Status};
use protocol::suite::{Message, Pending};
use protocol::{Failed, Reason, Timestamp};

use crate::aidc1_world::{
    CERTIFIED, CHAIN, Clinic, ID, SALT, admitted, identity, keys, open, record_of, secret, seed,
    server_id, server_record,
};
use crate::world::{NOW, later};

fn sooner(millis: u64) -> Timestamp {
    Timestamp::from_millis(NOW.as_millis().saturating_sub(millis))
}

fn why<T>(outcome: Result<T, Failed>) -> Option<Reason> {
    outcome.err().map(Failed::reason)
}

#[test]
fn a_sign_in_leaves_a_statement_that_holds_and_tells_no_name() {
    let clinic = Clinic::new();

    let signed_in = clinic.sign_in(&clinic.credential()).unwrap();

    let evidence = &signed_in.accepted.evidence;
    assert!(evidence.result.statement(&CHAIN).holds());
    assert_eq!(evidence.result.suite, SuiteId::AIDC_1);
    assert_eq!(evidence.result.server_id, server_id(1));
    assert_eq!(evidence.result.key_epoch, 1);
    assert_eq!(evidence.result.aid, *keys(1).aid());
    assert_eq!(evidence.result.t1, NOW.to_block_time());
    assert_eq!(evidence.result.t3, later(20).to_block_time());
    assert_eq!(evidence.result.sid, signed_in.finished.session);
    assert_eq!(evidence.result.pk_sig, *keys(1).pk_sig());
    assert!(evidence.id.is_none());
    assert_eq!(signed_in.finished.key, signed_in.accepted.key);
    assert_eq!(signed_in.finished.after.exporter(), &evidence.exporter);
    assert_eq!(signed_in.finished.after.signed(), &evidence.result);
    let travelled = signed_in.hello.encode().len()
        + signed_in.reply.encode().len()
        + signed_in.finished.confirm.encode().len();
    assert_eq!(travelled, 288);
}

/// The header of a first message, and its time.
const PUBLIC: usize = 16;

/// How many octets of two messages of one length are alike at their place.
fn alike(one: &[u8], other: &[u8]) -> usize {
    one.iter().zip(other).filter(|(a, b)| a == b).count()
}

#[test]
fn two_sign_ins_of_a_patient_share_no_octets_but_what_everybody_s_share() {
    let clinic = Clinic::new();
    let messages = |patient: u8| {
        let credential = Credential::new(keys(patient), clinic.peer(CERTIFIED));
        [NOW, later(60_000)].map(|now| open(&credential, now).message.encode())
    };

    let [[first, second], [stranger, _]] = [1, 2].map(messages);

    let hers = alike(&first[PUBLIC..], &second[PUBLIC..]);
    let anybodys = alike(&first[PUBLIC..], &stranger[PUBLIC..]);
    // Of 112 random octets two in 256 are alike by chance; seven or more come once in 10^7 draws, and these are fixed.
    assert!(
        hers < 7,
        "{hers} octets of two sign-ins of one patient are alike"
    );
    assert!(anybodys < 7, "{anybodys}");
    assert_eq!(first[..8], stranger[..8]);
}

#[test]
fn the_server_knows_which_session_of_which_aid_it_waits_for_and_until_when() {
    let clinic = Clinic::new();
    let opened = open(&clinic.credential(), NOW);

    let served = clinic.answer(&opened.message, later(20)).unwrap();

    let finished = opened.state.finish(&served.message, later(40)).unwrap();
    assert_eq!(served.state.session(), finished.session);
    assert_eq!(served.state.aid(), keys(1).aid());
    assert_eq!(served.state.answered(), later(20));
}

#[test]
fn a_statement_does_not_hold_on_another_ledger_server_epoch_or_time() {
    let clinic = Clinic::new();
    let result = clinic
        .sign_in(&clinic.credential())
        .unwrap()
        .accepted
        .evidence
        .result;
    let mut moved = vec![result.clone(); 6];
    moved[0].server_id = server_id(2);
    moved[1].key_epoch = 2;
    moved[2].t3 = moved[2].t3.plus_ms(1);
    moved[3].t1 = moved[3].t1.plus_ms(1);
    moved[4].aid = *keys(2).aid();
    moved[5].suite = SuiteId::WU_2021;

    assert!(result.statement(&CHAIN).holds());
    assert!(!result.statement(&ChainId::new([0; 32])).holds());
    for other in moved {
        assert!(!other.statement(&CHAIN).holds(), "{other:?}");
    }
}

#[test]
fn an_identified_sign_in_tells_the_id_that_the_ledger_commits_to_and_no_other() {
    let clinic = Clinic::new();
    let told = |salt, id| {
        let credential = clinic.credential().identified(identity(salt, id));
        clinic.sign_in(&credential).map(|signed_in| {
            let id = signed_in.accepted.evidence.id.unwrap();
            id.expose().to_owned()
        })
    };

    assert_eq!(told(SALT, ID), Ok(ID.to_owned()));
    assert_eq!(why(told(SALT, "patient-0002")), Some(Reason::NotProved));
    assert_eq!(why(told([0; 32], ID)), Some(Reason::NotProved));
}

#[test]
fn both_forms_of_me9_are_never_sealed_with_one_key() {
    let clinic = Clinic::new();

    // The same dice and times, so the same transcript up to Me9.
    let plain = clinic.sign_in(&clinic.credential()).unwrap();
    let identified = clinic.sign_in(&clinic.identified()).unwrap();

    assert_eq!(plain.hello, identified.hello);
    assert_eq!(plain.reply, identified.reply);
    assert_eq!(plain.finished.session, identified.finished.session);
    // σ is deterministic and first in both: under one key its ciphertext would be the same.
    let (one, other) = (plain.finished.confirm, identified.finished.confirm);
    assert_ne!(one.encode()[8..72], other.encode()[8..72]);
}

#[test]
fn a_server_whose_clock_is_ten_minutes_off_gets_no_signature() {
    let clinic = Clinic::new();
    for t3 in [
        sooner(600_000),
        later(600_000),
        sooner(120_001),
        later(120_001),
    ] {
        let hello = open(&clinic.credential(), NOW);
        let admitted = admitted(&hello.message, NOW).unwrap();
        let reply = clinic.answer_admitted(admitted, t3).unwrap().message;

        assert_eq!(why(hello.state.finish(&reply, NOW)), Some(Reason::Expired));
    }
}

#[test]
fn the_newest_certified_header_corrects_a_terminal_s_slow_clock() {
    let clinic = Clinic::new();
    let certified = |time| Certified { time, ..CERTIFIED };
    // Her clock is ten minutes slow when Me7 arrives; the server's is right.
    let outcome = |time| {
        let credential = Credential::new(keys(1), clinic.peer(certified(time)));
        let hello = open(&credential, NOW);
        let reply = clinic.answer(&hello.message, NOW).unwrap().message;
        why(hello.state.finish(&reply, sooner(600_000)))
    };

    assert_eq!(outcome(NOW), None);
    assert_eq!(outcome(sooner(600_000)), Some(Reason::Expired));
    assert_eq!(outcome(later(120_001)), Some(Reason::Expired));
}

#[test]
fn she_signs_no_time_more_than_two_minutes_before_she_began() {
    let clinic = Clinic::new();
    let outcome = |t3| {
        let hello = open(&clinic.credential(), later(60_000));
        let admitted = admitted(&hello.message, NOW).unwrap();
        let reply = clinic.answer_admitted(admitted, t3).unwrap().message;
        why(hello.state.finish(&reply, NOW))
    };

    assert_eq!(outcome(sooner(60_000)), None);
    assert_eq!(outcome(sooner(60_001)), Some(Reason::Expired));
}

#[test]
fn a_reply_that_is_of_another_handshake_gets_no_signature() {
    let clinic = Clinic::new();
    let hello = open(&clinic.credential(), NOW);
    let other = open(&clinic.credential(), later(1));

    let reply = clinic.answer(&other.message, later(1)).unwrap().message;

    assert_eq!(
        why(hello.state.finish(&reply, later(1))),
        Some(Reason::Mismatch)
    );
}

#[test]
fn a_reply_with_a_point_off_the_curve_gets_no_signature() {
    let clinic = Clinic::new();
    for x in [[0xFF; 32], [0; 32]] {
        let hello = open(&clinic.credential(), NOW);
        let reply = clinic.answer(&hello.message, NOW).unwrap().message;
        let off = Me7 { m3: x, ..reply };

        assert_eq!(why(hello.state.finish(&off, NOW)), Some(Reason::NotOnCurve));
    }
}

#[test]
fn a_hello_for_one_server_is_worth_nothing_at_another() {
    let (here, there) = (Clinic::numbered(1, 1), Clinic::numbered(2, 1));
    let hello = open(&here.credential(), NOW).message;
    // A server of another name, or on another ledger, with a copy of the very key.
    let copied = |chain, id| {
        let record = server_record(id, 1, &secret(1));
        let mut server = Server::new(chain, server_id(id));
        server.install(record, &secret(1)).unwrap();
        Clinic {
            server,
            ..Clinic::new()
        }
    };

    assert_eq!(why(here.answer(&hello, NOW)), None);
    assert_eq!(why(there.answer(&hello, NOW)), Some(Reason::Mismatch));
    for other in [copied(CHAIN, 2), copied(ChainId::new([1; 32]), 1)] {
        assert_eq!(why(other.answer(&hello, NOW)), Some(Reason::Mismatch));
    }
    assert_eq!(why(copied(CHAIN, 1).answer(&hello, NOW)), None);
}

#[test]
fn a_me9_counts_in_its_own_session_and_in_time() {
    let clinic = Clinic::new();
    let begun = |now| {
        let hello = open(&clinic.credential(), now);
        let served = clinic.answer(&hello.message, now).unwrap();
        let me9 = hello.state.finish(&served.message, now).unwrap().confirm;
        (served.state, me9)
    };

    let (serving, me9) = begun(NOW);
    let (other, _) = begun(later(1));
    assert_eq!(why(other.finish(&me9, later(1))), Some(Reason::Mismatch));
    assert_eq!(why(serving.finish(&me9, later(120_000))), None);
    let (serving, me9) = begun(NOW);
    assert_eq!(
        why(serving.finish(&me9, later(120_001))),
        Some(Reason::Expired)
    );
}

#[test]
fn a_message_that_names_another_key_epoch_is_refused_for_that() {
    let clinic = Clinic::new();
    let epoch = EpochTag::of(2);
    let hello = open(&clinic.credential(), NOW);
    let served = clinic.answer(&hello.message, NOW).unwrap();
    let renamed = Me5 {
        epoch,
        ..hello.message
    };
    assert_eq!(why(clinic.answer(&renamed, NOW)), Some(Reason::WrongEpoch));

    let mut reply = served.message.clone();
    reply.epoch = epoch;
    let refused = open(&clinic.credential(), NOW).state.finish(&reply, NOW);
    assert_eq!(why(refused), Some(Reason::WrongEpoch));

    let mut me9 = hello.state.finish(&served.message, NOW).unwrap().confirm;
    me9.epoch = epoch;
    assert_eq!(
        why(served.state.finish(&me9, NOW)),
        Some(Reason::WrongEpoch)
    );
}

#[test]
fn a_statement_by_another_key_than_the_record_s_is_refused() {
    let mut clinic = Clinic::new();
    let mut record = record_of(&keys(1));
    record.pk_sig = *keys(2).pk_sig();
    clinic.ledger.insert(record);

    let outcome = clinic.sign_in(&clinic.credential());

    assert_eq!(why(outcome), Some(Reason::NotProved));
}

#[test]
fn only_the_server_s_own_answer_says_signed_in_and_a_false_one_does_no_harm() {
    let clinic = Clinic::new();
    let signed_in = clinic.sign_in(&clinic.credential()).unwrap();
    let unanswered = signed_in.finished.after;
    let said = Status::Recorded(Height::new(43));
    let answer = signed_in.accepted.evidence.answering.answer(said);

    let bytes = answer.encode();
    for bit in 0..bytes.len() * 8 {
        let mut changed = bytes.clone();
        changed[bit / 8] ^= 1 << (bit % 8);
        let opened = protocol::aidc1::Answer::parse(&changed).map(|one| unanswered.open(&one));
        assert!(!matches!(opened, Ok(Ok(_))), "bit {bit}");
    }
    assert_eq!(unanswered.open(&answer), Ok(said));
}

#[test]
fn a_kept_static_secret_changes_no_byte_and_a_foreign_one_is_replaced() {
    let (clinic, other_clinic) = (Clinic::new(), Clinic::numbered(2, 1));
    let fresh = clinic.credential();
    let foreign_server = other_clinic.credential();
    let foreign_patient = Credential::new(keys(2), clinic.peer(CERTIFIED));
    let hello = open(&fresh, NOW).message;

    for kept in [&fresh, &foreign_server, &foreign_patient] {
        let again = Credential::with_kept(keys(1), clinic.peer(CERTIFIED), kept.kept().clone());
        assert_eq!(open(&again, NOW).message, hello);
    }
}

#[test]
fn a_server_s_record_is_refused_when_it_is_over_of_other_suites_or_off_the_curve() {
    let record = server_record(1, 1, &secret(1));
    let refused = |record, certified| Peer::new(CHAIN, record, certified).err();
    let at = |time| Certified { time, ..CERTIFIED };
    let end = Timestamp::from_millis(record.not_after.get());
    let after = Timestamp::from_millis(record.not_after.get() + 1);

    let mut silent = record.clone();
    silent.suites = vec![SuiteId::WU_2021];
    let mut off = record.clone();
    off.dh_epoch_key = PublicKey::new([0xFF; 32]);

    assert_eq!(refused(record.clone(), at(end)), None);
    assert_eq!(refused(record, at(after)), Some(NotUsable::Over));
    assert_eq!(refused(silent, CERTIFIED), Some(NotUsable::Suite));
    assert_eq!(refused(off, CERTIFIED), Some(NotUsable::Key));
}

#[test]
fn the_record_s_whole_content_is_in_the_transcript() {
    let clinic = Clinic::new();
    let mut records = vec![clinic.record.clone(); 4];
    records[0].node_key = PublicKey::new([9; 32]);
    records[1].key_epoch = 0x0001_0001;
    records[2].not_after = BlockTime::new(records[2].not_after.get() + 1);
    records[3].suites.push(SuiteId::new(0x0003));

    for record in records {
        let peer = Peer::new(CHAIN, record.clone(), CERTIFIED).unwrap();
        let hello = open(&Credential::new(keys(1), peer), NOW).message;

        assert_eq!(
            why(clinic.answer(&hello, NOW)),
            Some(Reason::Mismatch),
            "{record:?}"
        );
    }
}

#[test]
fn nothing_that_either_end_holds_prints_a_secret() {
    let clinic = Clinic::new();
    let opened = open(&clinic.identified(), NOW);
    let served = clinic.answer(&opened.message, NOW).unwrap();
    let waiting = format!("{:?} {:?}", opened.state, served.state);
    let signed_in = clinic.sign_in(&clinic.identified()).unwrap();
    let key = signed_in.finished.key.clone();
    let exporter = signed_in.finished.after.exporter().to_patient();
    let shown = format!(
        "{:?} {:?} {:?} {:?} {waiting} {:?}",
        clinic.identified(),
        clinic.server,
        signed_in.finished,
        signed_in.accepted,
        secret(1),
    );

    let kept = secret(1);
    let planted: [&[u8]; 5] = [
        &seed(1),
        &SALT,
        key.expose(),
        exporter.expose(),
        kept.expose(),
    ];
    for bytes in planted {
        let numbers = format!("{bytes:?}");
        let inside = numbers.trim_matches(['[', ']']);
        assert!(!shown.contains(inside), "{inside}");
        assert!(!shown.contains(&hex::encode(bytes)));
    }
    assert!(!shown.contains(ID));
}
