//! Suite AIDC-1 against values that a program without a line of this crate computed.

use contract::contracts::identity::id_commitment;
use contract::encoding::{Blob, encode};
use contract::{
    BlockTime, ChainId, Height, PatientRecord, PublicKey, ServerId, ServerRecord, SignatureBytes,
    Status, SuiteId,
};
use protocol::aidc1::{
    self, Answer, Certified, Credential, EpochSecret, Gate, Me5, Me7, Me9, Peer, Seed, Server,
};
use protocol::suite::{Accepted, Answered, Message, Opened, Pending, Suite};
use protocol::{Aidc1, Secret, Timestamp};
use serde_json::Value;

use crate::aidc1_world::{Patients, identity};
use crate::faces::bytes;
use crate::seeded::Played;

fn vectors() -> Vec<Value> {
    let file = include_str!("../vectors/aidc1.json");
    let file: Value = serde_json::from_str(file).unwrap();
    file["vectors"].as_array().unwrap().clone()
}

fn long(hex: &Value) -> Vec<u8> {
    hex::decode(hex.as_str().unwrap()).unwrap()
}

fn number(value: &Value) -> u64 {
    value.as_u64().unwrap()
}

fn time(value: &Value) -> Timestamp {
    Timestamp::from_millis(number(value))
}

fn server_record(vector: &Value) -> ServerRecord {
    let server = &vector["server"];
    let suites = server["suites"].as_array().unwrap().iter();
    ServerRecord {
        server_id: ServerId::new(bytes(&server["server_id"])),
        node_key: PublicKey::new(bytes(&server["node_key"])),
        dh_epoch_key: PublicKey::new(bytes(&server["B_j"])),
        key_epoch: u32::try_from(number(&server["key_epoch"])).unwrap(),
        not_before: BlockTime::new(number(&server["not_before"])),
        not_after: BlockTime::new(number(&server["not_after"])),
        suites: suites
            .map(|suite| SuiteId::new(u16::try_from(number(suite)).unwrap()))
            .collect(),
    }
}

fn patient_record(vector: &Value) -> PatientRecord {
    let patient = &vector["patient"];
    let aid = contract::Aid::new(bytes(&patient["AID"]));
    let id = patient["ID"].as_str().unwrap().as_bytes();
    let id_commit = id_commitment(&aid, &bytes(&patient["salt"]), id);
    assert_eq!(*id_commit.as_bytes(), bytes(&patient["id_commit"]));
    PatientRecord {
        aid,
        pk_dh: PublicKey::new(bytes(&patient["pk_dh"])),
        pk_sig: PublicKey::new(bytes(&patient["pk_sig"])),
        pk_recovery: PublicKey::new([0; 32]),
        status: Status::Active,
        epoch: 0,
        c_id: Blob::new(Vec::new()),
        id_commit,
    }
}

fn chain(vector: &Value) -> ChainId {
    ChainId::new(bytes(&vector["server"]["chain_id"]))
}

fn credential(vector: &Value) -> Credential {
    let keys = Seed::new(Secret::new(bytes(&vector["patient"]["seed"]))).keys();
    let certified = Certified {
        height: Height::new(number(&vector["patient's height"])),
        time: Timestamp::from_millis(number(&vector["T1"]).saturating_sub(1_000)),
    };
    let peer = Peer::new(chain(vector), server_record(vector), certified).unwrap();
    let credential = Credential::new(keys, peer);
    if vector["identified"] == true {
        let salt = bytes(&vector["patient"]["salt"]);
        credential.identified(identity(salt, vector["patient"]["ID"].as_str().unwrap()))
    } else {
        credential
    }
}

fn server(vector: &Value) -> Server {
    let server = &vector["server"];
    let kept = [long(&server["b_j wide"]), long(&server["hedge"])].concat();
    let secret = EpochSecret::new(Secret::new(kept.try_into().unwrap()));
    let id = ServerId::new(bytes(&server["server_id"]));
    let mut server = Server::new(chain(vector), id);
    server.install(server_record(vector), &secret).unwrap();
    server
}

#[test]
fn four_sign_ins_give_the_expected_messages_keys_and_statements() {
    let vectors = vectors();
    assert_eq!(vectors.len(), 4);

    for vector in &vectors {
        let mut ledger = Patients::at(number(&vector["server's height"]));
        ledger.insert(patient_record(vector));

        let mut drawn = Played::new(long(&vector["m_i drawn"]));
        let hello = Aidc1::open(&credential(vector), time(&vector["T1"]), &mut drawn);
        let t3 = time(&vector["T3"]);
        let admitted = Aidc1::admit(&mut Gate::default(), hello.message.clone(), t3).unwrap();
        let mut drawn = Played::new(long(&vector["m_j drawn"]));
        let Opened {
            message: me7,
            state: Answered::AwaitConfirm(serving),
        } = Aidc1::answer(&server(vector), &ledger, admitted, t3, &mut drawn).unwrap()
        else {
            panic!("the suite has a third message");
        };
        let finished = hello.state.finish(&me7, t3).unwrap();
        let accepted = serving.finish(&finished.confirm, t3).unwrap();

        assert_eq!(hello.message.encode(), long(&vector["Me5"]));
        assert_eq!(hello.message.m1, bytes(&vector["M1"]));
        assert_eq!(me7.encode(), long(&vector["Me7"]));
        assert_eq!(me7.m3, bytes(&vector["M3"]));
        assert_eq!(finished.confirm.encode(), long(&vector["Me9"]));
        assert_eq!(*finished.session.as_bytes(), bytes(&vector["sid"]));
        assert_eq!(*finished.key.expose(), bytes(&vector["K_ij"]));
        both_ends_hold(vector, &finished.after, accepted);
    }
}

/// The server's end, and the answer that it gives.
fn both_ends_hold(
    vector: &Value,
    unanswered: &aidc1::Unanswered,
    accepted: Accepted<aidc1::Evidence>,
) {
    let result = &accepted.evidence.result;
    let said = result.statement(&chain(vector));
    assert_eq!(said.digest, bytes(&vector["statement"]));
    let sigma = SignatureBytes::new(long(&vector["sigma"]).try_into().unwrap());
    assert_eq!(result.sigma, sigma);
    assert!(said.holds());
    assert_eq!(*accepted.session.as_bytes(), bytes(&vector["sid"]));
    assert_eq!(*accepted.key.expose(), bytes(&vector["K_ij"]));
    let told = accepted
        .evidence
        .id
        .as_ref()
        .map(|id| id.expose().to_owned());
    let expected = vector["identified"].as_bool().unwrap();
    let expected = expected.then(|| vector["patient"]["ID"].as_str().unwrap().to_owned());
    assert_eq!(told, expected);

    let height = Height::new(number(&vector["status height"]));
    let status = match number(&vector["status"]) {
        1 => aidc1::Status::Recorded(height),
        _ => aidc1::Status::Accepted(height),
    };
    let answer = accepted.evidence.answering.answer(status);
    assert_eq!(answer.encode(), long(&vector["answer"]));
    assert_eq!(unanswered.open(&answer).unwrap(), status);
    assert_eq!(unanswered.exporter(), &accepted.evidence.exporter);
}

#[test]
fn the_ledger_stores_a_server_s_record_as_published() {
    for vector in vectors() {
        let record = server_record(&vector);

        assert_eq!(encode(&record), long(&vector["server"]["record"]));
        assert_eq!(record.digest(), bytes(&vector["server"]["record digest"]));
    }
}

#[test]
fn the_messages_have_the_sizes_that_are_published() {
    for vector in vectors() {
        let [me5, me7, me9, answer] =
            ["Me5", "Me7", "Me9", "answer"].map(|name| long(&vector[name]));
        let expected = if vector["identified"] == true {
            184
        } else {
            88
        };

        let sizes = [me5.len(), me7.len(), me9.len(), answer.len()];
        assert_eq!(sizes, [128, 72, expected, 33]);
        assert_eq!(Me5::parse(&me5).unwrap().encode(), me5);
        assert_eq!(Me7::parse(&me7).unwrap().encode(), me7);
        assert_eq!(Me9::parse(&me9).unwrap().encode(), me9);
        assert_eq!(Answer::parse(&answer).unwrap().encode(), answer);
    }
}
