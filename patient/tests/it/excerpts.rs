//! Excerpts of the state: believed for their proofs from the genesis file on, and for nothing else.

use contract::contract_id::{IDENTITY, SERVERS};
use contract::contracts::{authlog, disclosure, identity, membership, servers};
use contract::genesis::{Genesis, Member};
use contract::identity::{Aid, Height};
use patient::excerpt::{ENTRIES_MAX, Excerpt};
use patient::light::{NotShown, NotValid, Shown};

use crate::consortium::{Consortium, NAMES};

const NOBODY: Aid = Aid::new([9; 32]);

fn now() -> u64 {
    patient::clock::wall_ms()
}

fn verdict(excerpt: &Excerpt, genesis: &Genesis) -> Result<Shown, NotShown> {
    Shown::verify(excerpt, genesis, Height::new(0), now())
}

fn of_servers(members: &Consortium) -> (Excerpt, Genesis) {
    let world = members.world();
    (world.chain.servers(), (*world.chain.genesis).clone())
}

#[test]
fn an_excerpt_comes_back_from_its_text_and_shows_each_server_s_newest_key() {
    let members = Consortium::start();
    let (excerpt, genesis) = of_servers(&members);

    let text = serde_json::to_vec(&excerpt).unwrap();
    let shown = verdict(&Excerpt::parse(&text).unwrap(), &genesis).unwrap();

    for (at, name) in NAMES.iter().enumerate() {
        let id = genesis.member_named(name).unwrap().server_id();
        let expected = &genesis.content().servers[at];
        assert_eq!(shown.newest_server(&id).unwrap().as_ref(), Some(expected));
    }
}

#[test]
fn an_excerpt_shows_the_members_and_no_list_without_one_of_them() {
    let members = Consortium::start();
    let world = members.world();
    let genesis = &world.chain.genesis;
    let ids = genesis.members().iter().map(Member::server_id);
    let mut keys = vec![(membership::ID, membership::committee_key())];
    keys.extend(ids.map(|id| (membership::ID, membership::member_key(&id))));
    let shown = |keys| verdict(&world.chain.excerpt(keys), genesis).unwrap();

    let all = shown(keys.clone()).members().unwrap();

    assert!(all.iter().map(|one| &one.member).eq(genesis.members()));
    keys.pop();
    assert_eq!(shown(keys).members(), Err(NotShown::Missing("a member")));
}

#[test]
fn what_nobody_registered_is_proved_to_be_absent() {
    let members = Consortium::start();
    let world = members.world();
    let keys = vec![
        (IDENTITY, identity::identity_key(&NOBODY)),
        (IDENTITY, identity::events_key(&NOBODY)),
        (IDENTITY, identity::origin_key(&NOBODY)),
        (IDENTITY, identity::recovery_key(&NOBODY)),
        (authlog::ID, authlog::claims_key(&NOBODY)),
        (disclosure::ID, disclosure::count_key(&NOBODY)),
    ];
    let shown = verdict(&world.chain.excerpt(keys), &world.chain.genesis).unwrap();

    assert_eq!(shown.patient(&NOBODY), Ok(None));
    assert_eq!(shown.newest_events(&NOBODY), Ok((Vec::new(), 0)));
    assert_eq!(shown.origin(&NOBODY), Ok(None));
    assert_eq!(shown.open_recovery(&NOBODY), Ok(None));
    assert_eq!(shown.claims(&NOBODY).unwrap().count, 0);
    assert_eq!(shown.newest_disclosures(&NOBODY), Ok((Vec::new(), 0)));
}

#[test]
fn what_was_not_shown_is_missing_and_never_absent() {
    let members = Consortium::start();
    let (mut excerpt, genesis) = of_servers(&members);
    let id = genesis.members()[0].server_id();
    excerpt
        .entries
        .retain(|entry| entry.key.0 != servers::record_key(&id, 1));

    let shown = verdict(&excerpt, &genesis).unwrap();

    assert_eq!(
        shown.newest_server(&id),
        Err(NotShown::Missing("the server's record"))
    );
    assert_eq!(
        shown.patient(&NOBODY),
        Err(NotShown::Missing("the AID's record"))
    );
}

#[test]
fn no_single_bit_of_a_proof_of_the_header_or_of_a_signature_can_change() {
    let members = Consortium::start();
    let (excerpt, genesis) = of_servers(&members);
    verdict(&excerpt, &genesis).unwrap();

    for at in 0..excerpt.entries.len() {
        for bit in 0..excerpt.entries[at].proof.0.len() * 8 {
            let mut bent = excerpt.clone();
            bent.entries[at].proof.0[bit / 8] ^= 1 << (bit % 8);
            assert!(verdict(&bent, &genesis).is_err(), "bit {bit} of proof {at}");
        }
    }
    for bit in 0..excerpt.header.0.len() * 8 {
        let mut bent = excerpt.clone();
        bent.header.0[bit / 8] ^= 1 << (bit % 8);
        assert!(verdict(&bent, &genesis).is_err(), "bit {bit} of the header");
    }
    for at in 0..excerpt.certificate.signatures.len() {
        for bit in 0..512 {
            let mut bent = excerpt.clone();
            let one = &mut bent.certificate.signatures[at].signature;
            let mut bytes = one.to_bytes();
            bytes[bit / 8] ^= 1 << (bit % 8);
            *one = contract::identity::SignatureBytes::new(bytes);
            assert!(
                verdict(&bent, &genesis).is_err(),
                "bit {bit} of signature {at}"
            );
        }
    }
}

#[test]
fn a_proof_shows_its_own_key_of_its_own_contract_alone() {
    let members = Consortium::start();
    let (excerpt, genesis) = of_servers(&members);

    let mut other_key = excerpt.clone();
    other_key.entries[0].key.0[10] ^= 1;
    let mut other_contract = excerpt.clone();
    other_contract.entries[0].contract = "identity".to_owned();
    for bent in [other_key, other_contract] {
        assert!(matches!(
            verdict(&bent, &genesis),
            Err(NotShown::Proof { at: 0, .. })
        ));
    }
    let mut no_contract = excerpt.clone();
    no_contract.entries[0].contract = "Servers".to_owned();
    assert_eq!(verdict(&no_contract, &genesis), Err(NotShown::Entry(0)));
    let mut twice = excerpt;
    twice.entries.push(twice.entries[0].clone());
    let last = twice.entries.len() - 1;
    assert_eq!(verdict(&twice, &genesis), Err(NotShown::Twice(last)));
}

#[test]
fn another_ledger_fewer_signatures_an_older_state_and_the_future_are_refused() {
    let members = Consortium::start();
    let (excerpt, genesis) = of_servers(&members);
    let (other, other_genesis) = of_servers(&Consortium::start());

    assert!(matches!(
        verdict(&other, &genesis),
        Err(NotShown::OtherLedger { .. })
    ));
    let mut renamed = other;
    renamed.chain = *genesis.chain();
    assert_eq!(
        verdict(&renamed, &genesis),
        Err(NotShown::OtherLedger {
            found: *other_genesis.chain(),
            trusted: *genesis.chain(),
        })
    );
    let mut fewer = excerpt.clone();
    fewer.certificate.signatures.pop();
    assert!(matches!(
        verdict(&fewer, &genesis),
        Err(NotShown::Certified(NotValid::Certificate(_)))
    ));
    let stale = Shown::verify(&excerpt, &genesis, Height::new(2), now());
    assert_eq!(
        stale,
        Err(NotShown::Stale {
            found: Height::new(1),
            known: Height::new(2),
        })
    );
    let early = Shown::verify(&excerpt, &genesis, Height::new(1), now() - 240_000);
    assert!(matches!(
        early,
        Err(NotShown::Certified(NotValid::Future { .. }))
    ));
}

#[test]
fn a_text_with_a_second_reading_is_no_excerpt() {
    let members = Consortium::start();
    let (excerpt, _genesis) = of_servers(&members);
    let good = serde_json::to_string(&excerpt).unwrap();
    assert_eq!(Excerpt::parse(good.as_bytes()).as_ref(), Ok(&excerpt));

    for (from, to) in [
        ("\"version\":1", "\"version\":1,\"version\":1"),
        ("\"version\":1", "\"version\":2"),
        ("excerpt/1", "excerpt/2"),
        ("\"kind\":\"secure\"", "\"kind\":\"secure\",\"note\":1"),
        (
            "\"contract\":\"servers\"",
            "\"contract\":\"servers\",\"contract\":\"servers\"",
        ),
        ("\"key\":\"6e", "\"key\":\"6E"),
        ("\"epochs\":[]", "\"epochs\":null"),
    ] {
        let bad = good.replacen(from, to, 1);
        assert_ne!(bad, good, "{from}");
        assert!(Excerpt::parse(bad.as_bytes()).is_err(), "{to}");
    }
    let mut many = excerpt;
    many.entries = vec![many.entries[0].clone(); ENTRIES_MAX + 1];
    let text = serde_json::to_vec(&many).unwrap();
    Excerpt::parse(&text).unwrap_err();
}

#[test]
fn a_server_that_has_published_its_next_key_is_met_with_the_present_one() {
    let members = Consortium::start();
    let mut world = members.world();
    let id = world.chain.genesis.members()[1].server_id();
    let first = world.chain.genesis.content().servers[1].clone();
    let mut next = first.clone();
    next.key_epoch = 2;
    next.dh_epoch_key = world.chain.genesis.content().servers[2].dh_epoch_key;
    next.not_before = first.not_after;
    next.not_after = first.not_after.plus_ms(1_000);
    world
        .chain
        .calls(1, contract::transaction::Call::SetServer(next.clone()));
    let keys = [
        servers::newest_key(&id),
        servers::record_key(&id, 1),
        servers::record_key(&id, 2),
    ];
    let keys = keys.into_iter().map(|key| (SERVERS, key)).collect();
    let shown = verdict(&world.chain.excerpt(keys), &world.chain.genesis).unwrap();

    assert_eq!(shown.newest_server(&id), Ok(Some(next.clone())));
    let before = next.not_before.minus_ms(1);
    assert_eq!(shown.server_at(&id, before), Ok(Some(first)));
    assert_eq!(shown.server_at(&id, next.not_before), Ok(Some(next)));
}
