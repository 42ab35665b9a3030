//! Every intermediate value of the published vectors, inside the crate where they can be
//! seen. `tests/it/aidc1_vectors.rs` compares what travels.

use contract::{PublicKey, ServerId, SessionId};
use rand_core::{TryCryptoRng, TryRng};
use serde_json::Value;

use super::aead::OnceKey;
use super::dh::Exponent;
use super::hedge::{self, Purpose, Role};
use super::kdf::Extracted;
use super::message::{EpochTag, Kind};
use super::record::PROTOCOL_NAME;
use super::schedule::Schedule;
use super::seed::Seed;
use super::serving::DUMMY_KEY;
use super::symmetric::Symmetric;
use crate::curve::Point;
use crate::freshness::Timestamp;
use crate::secret::Secret;

fn vectors() -> Vec<Value> {
    let file = include_str!("../../tests/vectors/aidc1.json");
    let file: Value = serde_json::from_str(file).unwrap();
    file["vectors"].as_array().unwrap().clone()
}

fn long(text: &Value) -> Vec<u8> {
    hex::decode(text.as_str().unwrap()).unwrap()
}

fn bytes<const N: usize>(text: &Value) -> [u8; N] {
    long(text).try_into().unwrap()
}

/// A generator that gives these 32 bytes, once.
struct Drawn(Option<[u8; 32]>);

impl TryRng for Drawn {
    type Error = core::convert::Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Self::Error> {
        panic!("an ephemeral takes 32 bytes at once")
    }

    fn try_next_u64(&mut self) -> Result<u64, Self::Error> {
        panic!("an ephemeral takes 32 bytes at once")
    }

    fn try_fill_bytes(&mut self, into: &mut [u8]) -> Result<(), Self::Error> {
        into.copy_from_slice(&self.0.take().expect("an ephemeral draws once"));
        Ok(())
    }
}

impl TryCryptoRng for Drawn {}

/// The exponent of the given number: the one that `number − 1` reduces to.
fn exponent(number: &Value) -> Exponent {
    let below = k256::U256::from_be_slice(&bytes::<32>(number)).wrapping_sub(&k256::U256::ONE);
    let mut wide = [0; 48];
    wide[16..].copy_from_slice(&k256::elliptic_curve::bigint::Encoding::to_be_bytes(&below));
    Exponent::from_seed(&Secret::new(wide))
}

fn agreed(exponent: &Exponent, key: &Value) -> [u8; 32] {
    *exponent
        .agree(&Point::lift_x(&bytes(key)).unwrap())
        .expose()
}

#[test]
fn the_seeds_give_the_published_keys() {
    for vector in vectors() {
        let patient = &vector["patient"];
        let seed = Seed::new(Secret::new(bytes(&patient["seed"])));
        let keys = seed.keys();

        assert_eq!(keys.pk_dh(), exponent(&patient["a"]).public());
        assert_eq!(*keys.pk_dh().as_bytes(), bytes(&patient["pk_dh"]));
        assert_eq!(keys.sig().to_bytes(), bytes(&patient["sig"]));
        assert_eq!(*keys.pk_sig().as_bytes(), bytes(&patient["pk_sig"]));
        assert_eq!(*keys.hedge().expose(), bytes(&patient["hedge"]));
        assert_eq!(*keys.aid().as_bytes(), bytes(&patient["AID"]));
    }
}

#[test]
fn the_dice_give_the_published_ephemerals() {
    for vector in vectors() {
        let server = ServerId::new(bytes(&vector["server"]["server_id"]));
        let time = |name: &str| Timestamp::from_millis(vector[name].as_u64().unwrap());
        let drawn = |name: &str| Drawn(Some(bytes(&vector[name])));
        let hedge = |whose: &str| Secret::new(bytes(&vector[whose]["hedge"]));
        let b_j = PublicKey::new(bytes(&vector["server"]["B_j"]));
        let m1 = PublicKey::new(bytes(&vector["M1"]));

        let for_patient = Purpose {
            role: Role::Patient,
            server: &server,
            time: time("T1"),
            peer: &b_j,
        };
        let for_server = Purpose {
            role: Role::Server,
            server: &server,
            time: time("T3"),
            peer: &m1,
        };
        let m_i = hedge::ephemeral(&hedge("patient"), &for_patient, &mut drawn("m_i drawn"));
        let m_j = hedge::ephemeral(&hedge("server"), &for_server, &mut drawn("m_j drawn"));

        assert_eq!(m_i.public(), exponent(&vector["m_i"]).public());
        assert_eq!(*m_i.public().as_bytes(), bytes(&vector["M1"]));
        assert_eq!(m_j.public(), exponent(&vector["m_j"]).public());
        assert_eq!(*m_j.public().as_bytes(), bytes(&vector["M3"]));
    }
}

#[test]
fn both_sides_agree_on_the_published_secrets() {
    for vector in vectors() {
        let (patient, server) = (&vector["patient"], &vector["server"]);
        let (a, b_j) = (exponent(&patient["a"]), exponent(&server["b_j"]));
        let (m_i, m_j) = (exponent(&vector["m_i"]), exponent(&vector["m_j"]));

        for (name, ours, theirs) in [
            (
                "es",
                agreed(&m_i, &server["B_j"]),
                agreed(&b_j, &vector["M1"]),
            ),
            (
                "ss",
                agreed(&a, &server["B_j"]),
                agreed(&b_j, &patient["pk_dh"]),
            ),
            (
                "ee",
                agreed(&m_i, &vector["M3"]),
                agreed(&m_j, &vector["M1"]),
            ),
            (
                "se",
                agreed(&a, &vector["M3"]),
                agreed(&m_j, &patient["pk_dh"]),
            ),
        ] {
            assert_eq!(ours, bytes(&vector[name]), "{name}");
            assert_eq!(theirs, ours, "{name}");
        }
    }
}

/// Whether a key seals as the published one does; nothing else can be seen of it.
fn are_equal(key: OnceKey, published: &Value) -> bool {
    let published = OnceKey::new(Secret::new(bytes(published)));
    key.seal(b"", &[0; 32]) == published.seal(b"", &[0; 32])
}

/// One step of a transcript, done again.
fn step(state: &mut Symmetric, key: &mut Option<OnceKey>, step: &Value) {
    let input = long(&step["input"]);
    match step["step"].as_str().unwrap() {
        "start" => assert_eq!(input, PROTOCOL_NAME),
        "MixHash" => state.mix_hash(&[&input]),
        "MixKey" => {
            let secret = Secret::new(bytes(&step["input"]));
            assert!(are_equal(state.clone().mix_key(&secret), &step["k"]));
            *key = Some(state.mix_key(&secret));
        }
        "Seal" => {
            let key = key.take().expect("a key is sealed with once");
            let sealed = match input.len() {
                32 => state
                    .seal::<32>(key, &bytes(&step["input"]))
                    .parts()
                    .concat(),
                16 => state
                    .seal::<16>(key, &bytes(&step["input"]))
                    .parts()
                    .concat(),
                8 => state
                    .seal::<8>(key, &bytes(&step["input"]))
                    .parts()
                    .concat(),
                other => panic!("nothing of {other} bytes is sealed"),
            };
            assert_eq!(sealed, long(&step["output"]));
        }
        other => panic!("no step is called {other}"),
    }
}

#[test]
fn the_transcripts_run_through_the_published_states() {
    for vector in vectors() {
        let mut state = Symmetric::new(PROTOCOL_NAME);
        let mut key = None;
        let steps = vector["transcript"].as_array().unwrap();
        assert_eq!(steps.len(), 15);

        for one in steps {
            step(&mut state, &mut key, one);
            assert_eq!(*state.hash(), bytes(&one["h"]), "{one}");
            let ck = state.clone().into_chaining_key();
            assert_eq!(*ck.expose(), bytes(&one["ck"]), "{one}");
        }
        assert_eq!(*state.hash(), bytes(&vector["sid"]));

        let chaining_key = state.clone().into_chaining_key();
        let prk: [u8; 32] = bytes(&vector["prk"]);
        let expected = Extracted::from_prk(&Secret::new(prk)).expand::<32>(&[b"check"]);
        let found = Extracted::new(chaining_key.expose(), state.hash()).expand::<32>(&[b"check"]);
        assert_eq!(found, expected);
        the_end_gives_the_published_keys(&Schedule::of(state), &vector);
    }
}

fn the_end_gives_the_published_keys(schedule: &Schedule, vector: &Value) {
    let key_epoch = u32::try_from(vector["server"]["key_epoch"].as_u64().unwrap()).unwrap();
    let identified = vector["identified"].as_bool().unwrap();
    let (taken, other) = if identified {
        (Kind::Me9Identified, Kind::Me9)
    } else {
        (Kind::Me9, Kind::Me9Identified)
    };
    let epoch = EpochTag::of(key_epoch);

    let (k9, ad) = schedule.statement_key(epoch.header(taken));
    let (k9_of_the_other_form, _) = schedule.statement_key(epoch.header(other));

    assert_eq!(schedule.sid(), SessionId::new(bytes(&vector["sid"])));
    assert!(are_equal(k9, &vector["k9"]));
    assert!(!are_equal(k9_of_the_other_form, &vector["k9"]));
    assert_eq!(ad[..32], bytes::<32>(&vector["sid"]));
    assert_eq!(ad[32..], long(&vector["Me9"])[..8]);
    assert_eq!(*schedule.session_key().expose(), bytes(&vector["K_ij"]));
    let exporter = schedule.exporter();
    let published = Extracted::from_prk(&Secret::new(bytes(&vector["exporter"])));
    assert_eq!(published.expand(&[b"aidc1/s2p"]), exporter.to_patient());
    assert_eq!(*exporter.to_patient().expose(), bytes(&vector["s2p"]));
    assert_eq!(*exporter.to_server().expose(), bytes(&vector["p2s"]));
}

#[test]
fn the_dummy_key_is_a_hash_and_a_point() {
    let hash = <sha2::Sha256 as sha2::Digest>::digest(b"aidc1/dummy\0");

    assert_eq!(DUMMY_KEY, <[u8; 32]>::from(hash));
    assert!(Point::lift_x(&DUMMY_KEY).is_some());
}
