//! A genesis file is read strictly, and every mistake is named.

use contract::genesis::{Content, Problem, committee_digest, server_id};
use contract::{Genesis, GenesisError, Kind, PublicKey, Role, SuiteId, found};

use std::sync::Arc;

use crate::consortium::{Confessions, Patient, content, server_record};

fn error_of(content: &Content) -> GenesisError {
    Genesis::parse(&content.to_json()).unwrap_err()
}

/// The field that the error names.
fn field_of(content: &Content) -> String {
    match error_of(content) {
        GenesisError::Value { field, .. } => field,
        GenesisError::TooLong(_) | GenesisError::Json { .. } => String::new(),
    }
}

fn text_error(change: impl Fn(String) -> String) -> String {
    let file = String::from_utf8(content(Kind::Secure).to_json()).unwrap();
    let changed = change(file);
    Genesis::parse(changed.as_bytes()).unwrap_err().to_string()
}

#[test]
fn a_written_genesis_reads_back() {
    let content = content(Kind::Research);

    let genesis = Genesis::parse(&content.to_json()).unwrap();

    assert_eq!(*genesis.content(), content);
    assert_eq!(genesis.members()[0].role, Role::Rc);
    assert_eq!(genesis.member_named("clinic-b"), Some(&content.members[2]));
    let id = content.members[3].server_id();
    assert_eq!(genesis.member_with_id(&id), Some(&content.members[3]));
}

#[test]
fn the_chain_id_covers_every_byte_of_the_file() {
    let file = content(Kind::Secure).to_json();
    let mut with_a_space = file.clone();
    with_a_space.push(b' ');

    let one = Genesis::parse(&file).unwrap();
    let other = Genesis::parse(&with_a_space).unwrap();

    assert_eq!(one.content(), other.content());
    assert_ne!(one.chain(), other.chain());
}

#[test]
fn unknown_missing_and_repeated_keys_are_named() {
    let unknown = text_error(|file| file.replacen("\"name\"", "\"colour\": 1, \"name\"", 1));
    assert!(unknown.contains("line 5"), "{unknown}");
    assert!(unknown.contains("unknown field `colour`"), "{unknown}");

    let missing = text_error(|file| file.replace("  \"suites\": [\n    \"0x0001\"\n  ],\n", ""));
    assert!(missing.contains("missing field `suites`"), "{missing}");

    let repeated = text_error(|file| file.replacen('{', "{ \"name\": \"a\",", 1));
    assert!(repeated.contains("duplicate field `name`"), "{repeated}");

    let in_a_member = text_error(|file| file.replacen("\"role\"", "\"rule\"", 1));
    assert!(
        in_a_member.contains("unknown field `rule`"),
        "{in_a_member}"
    );
}

#[test]
fn a_key_with_a_digit_too_few_is_named_with_its_line() {
    let key = content(Kind::Secure).members[0].key.to_string();
    let error = text_error(|file| file.replacen(&key, key.get(1..).unwrap(), 1));

    assert!(
        error.contains("not a public key: 63 characters, need 64 hex digits"),
        "{error}"
    );
    assert!(error.starts_with("genesis.json line "), "{error}");
}

#[test]
fn each_broken_rule_names_its_field() {
    let broken = |change: fn(&mut Content)| {
        let mut content = content(Kind::Secure);
        change(&mut content);
        field_of(&content)
    };

    assert_eq!(
        broken(|c| "aidchain.genesis/2".clone_into(&mut c.schema)),
        "schema"
    );
    assert_eq!(broken(|c| c.version = 2), "version");
    assert_eq!(broken(|c| c.name.clear()), "name");
    assert_eq!(broken(|c| c.members.clear()), "members");
    assert_eq!(broken(|c| c.members[2].role = Role::Rc), "members");
    assert_eq!(
        broken(|c| "Clinic A".clone_into(&mut c.members[1].name)),
        "members[1].name"
    );
    assert_eq!(
        broken(|c| c.members[1].name = c.members[2].name.clone()),
        "members[2].name"
    );
    assert_eq!(
        broken(|c| c.members[3].key = c.members[0].key),
        "members[3].key"
    );
    assert_eq!(
        broken(|c| c.members[3].network_key = PublicKey::new([0; 32])),
        "members[3].network_key"
    );
    assert_eq!(broken(|c| c.members[0].api.clear()), "members[0].api");
    assert_eq!(broken(|c| c.parameters.depth = 0), "parameters.depth");
    assert_eq!(
        broken(|c| c.parameters.heartbeat_ms = 100_000),
        "parameters.heartbeat_ms"
    );
    assert_eq!(broken(|c| c.suites.push(SuiteId::WU_2021)), "suites[1]");
    assert_eq!(broken(|c| c.suites.push(SuiteId::new(9))), "suites[1]");
    assert_eq!(broken(|c| c.suites.clear()), "suites");
    assert_eq!(broken(|c| c.contracts[1].version = 2), "contracts[1]");
    assert_eq!(broken(|c| drop(c.contracts.remove(4))), "contracts");
}

#[test]
fn no_session_can_be_recorded_at_both_ends_of_the_replay_window() {
    let with = |future| {
        let mut content = content(Kind::Secure);
        content.parameters.result_past_ms = 120_000;
        content.parameters.result_future_ms = future;
        content
    };

    Genesis::parse(&with(30_000).to_json()).unwrap();
    assert_eq!(field_of(&with(30_001)), "parameters.result_future_ms");
}

#[test]
fn listed_records_must_fit_their_keys_and_members() {
    let mut other_aid = content(Kind::Secure);
    other_aid.patients = vec![Patient::new(1).record];
    other_aid.patients[0].aid = Patient::new(2).record.aid;
    assert_eq!(field_of(&other_aid), "patients[0].aid");

    let mut twice = content(Kind::Secure);
    twice.patients = vec![Patient::new(1).record, Patient::new(1).record];
    assert_eq!(field_of(&twice), "patients[1].aid");

    let mut stranger = content(Kind::Secure);
    stranger.servers = vec![server_record(&stranger, 1)];
    stranger.servers[0].node_key = stranger.members[2].key;
    assert_eq!(field_of(&stranger), "servers[0].server_id");

    let mut backwards = content(Kind::Secure);
    backwards.servers = vec![server_record(&backwards, 1)];
    backwards.servers[0].not_after = contract::BlockTime::new(0);
    let error = GenesisError::Value {
        field: "servers[0].not_after".to_owned(),
        problem: Problem::Validity,
    };
    assert_eq!(error_of(&backwards), error);
}

#[test]
fn thirty_one_members_are_the_most() {
    let with_members = |count: u8| {
        let mut content = content(Kind::Secure);
        let first = content.members[0].clone();
        let more = (5..=count).map(|seed| {
            let key = |seed| {
                let signer = ed25519_dalek::SigningKey::from_bytes(&[seed; 32]);
                crate::consortium::public(&signer)
            };
            contract::Member {
                name: format!("clinic-{seed}"),
                role: Role::Server,
                key: key(seed),
                network_key: key(seed + 100),
                ..first.clone()
            }
        });
        content.members.extend(more);
        Genesis::parse(&content.to_json())
    };

    assert_eq!(with_members(31).unwrap().members().len(), 31);
    assert!(matches!(
        with_members(32),
        Err(GenesisError::Value {
            problem: Problem::Range { found: 32, .. },
            ..
        })
    ));
}

#[test]
fn block_0_is_what_the_genesis_says_and_nothing_else() {
    let genesis = Arc::new(Genesis::parse(&content(Kind::Secure).to_json()).unwrap());

    let (tip, block_0) = found(Arc::clone(&genesis), Arc::new(Confessions)).unwrap();

    let header = block_0.header();
    assert_eq!(header.time, genesis.time());
    assert_eq!(header.height.get(), 0);
    assert_eq!(header.parent.as_bytes(), &[0; 32]);
    assert_eq!(header.batch_digest, contract::Root::ZERO);
    assert_eq!(header.transactions_root, contract::merkle::empty_root());
    assert_eq!(header.history_root, contract::merkle::empty_root());
    assert_eq!(
        header.next_committee,
        committee_digest(&genesis.committee())
    );
    assert_eq!(block_0.header_bytes().len(), contract::block::HEADER_BYTES);
    assert_eq!(tip.hash(), block_0.hash());
}

#[test]
fn a_server_id_depends_on_key_and_name() {
    let key = PublicKey::new([1; 32]);

    assert_ne!(server_id(&key, "a"), server_id(&key, "b"));
    assert_ne!(
        server_id(&key, "a"),
        server_id(&PublicKey::new([2; 32]), "a")
    );
}
