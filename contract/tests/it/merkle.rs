//! Trees agree with the published vectors, and no changed bit passes.

use std::collections::BTreeMap;

use contract::contracts::identity;
use contract::merkle::{Hash, leaf_hash, path, root, root_from_path};
use contract::state::{NotProved, StateProof};
use contract::{Call, ContractId, Root, Snapshot};

use crate::consortium::{Consortium, Patient};

/// The leaves of the Certificate Transparency test vectors (RFC 6962).
const LEAVES: [&str; 8] = [
    "",
    "00",
    "10",
    "2021",
    "3031",
    "40414243",
    "5051525354555657",
    "606162636465666768696a6b6c6d6e6f",
];

/// The roots over the first 0 to 8 of them.
const ROOTS: [&str; 9] = [
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
];

/// Index, size and path of the published inclusion proofs.
const PATHS: [(usize, usize, &[&str]); 5] = [
    (0, 1, &[]),
    (
        0,
        8,
        &[
            "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
            "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
            "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
        ],
    ),
    (
        5,
        8,
        &[
            "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
            "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
            "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
        ],
    ),
    (
        2,
        3,
        &["fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125"],
    ),
    (
        1,
        5,
        &[
            "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
            "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
            "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
        ],
    ),
];

fn published_leaves() -> Vec<Hash> {
    let hash = |text: &&str| leaf_hash(&hex::decode(text).unwrap());
    LEAVES.iter().map(hash).collect()
}

fn hash(text: &str) -> Hash {
    *text.parse::<Root>().unwrap().as_bytes()
}

#[test]
fn the_published_roots_come_out() {
    let leaves = published_leaves();

    for (size, expected) in ROOTS.iter().enumerate() {
        assert_eq!(root(&leaves[..size]).to_string(), *expected, "size {size}");
    }
}

#[test]
fn the_published_paths_come_out_and_lead_to_the_roots() {
    let leaves = published_leaves();

    for (index, size, expected) in PATHS {
        let expected: Vec<Hash> = expected.iter().map(|text| hash(text)).collect();
        let found = path(&leaves[..size], index).unwrap();
        assert_eq!(found, expected, "leaf {index} of {size}");

        let reached = root_from_path(
            &leaves[index],
            u64::try_from(index).unwrap(),
            u64::try_from(size).unwrap(),
            &found,
        );
        assert_eq!(reached, Some(Root::new(hash(ROOTS[size]))));
    }
}

#[test]
fn every_leaf_of_every_small_tree_is_proved_and_only_at_its_place() {
    let leaves: Vec<Hash> = (0..40_u8).map(|i| leaf_hash(&[i])).collect();

    for size in 1..=leaves.len() {
        let tree = &leaves[..size];
        let expected = root(tree);
        let count = u64::try_from(size).unwrap();
        for (index, leaf) in tree.iter().enumerate() {
            let steps = path(tree, index).unwrap();
            for claimed in 0..count + 2 {
                let reached = root_from_path(leaf, claimed, count, &steps);
                let is_its_place = claimed == u64::try_from(index).unwrap();
                assert_eq!(reached == Some(expected), is_its_place, "{index} of {size}");
            }
        }
        assert_eq!(path(tree, size), None);
    }
}

#[test]
fn a_path_cut_short_extended_or_changed_in_one_bit_leads_elsewhere() {
    let leaves: Vec<Hash> = (0..21_u8).map(|i| leaf_hash(&[i])).collect();
    let expected = Some(root(&leaves));
    let steps = path(&leaves, 13).unwrap();
    let reached = |steps: &[Hash]| root_from_path(&leaves[13], 13, 21, steps);
    assert_eq!(reached(&steps), expected);

    assert_ne!(reached(&steps[1..]), expected);
    assert_ne!(reached(&steps[..steps.len() - 1]), expected);
    let longer = [steps.as_slice(), &[[0; 32]]].concat();
    assert_eq!(reached(&longer), None);
    for bit in 0..steps.len() * 256 {
        let mut changed = steps.clone();
        changed[bit / 256][bit % 256 / 8] ^= 1 << (bit % 8);
        assert_ne!(reached(&changed), expected, "bit {bit}");
    }
}

#[test]
fn a_node_does_not_pass_for_a_leaf() {
    let leaves = published_leaves();
    let node = [leaves[0], leaves[1]].concat();

    assert_ne!(leaf_hash(&node), hash(ROOTS[2]));
}

/// A ledger with a hundred patients and more.
fn populated() -> Consortium {
    let mut ledger = Consortium::secure();
    let mut registrations = Vec::new();
    for seed in 2..100 {
        let registration = Patient::new(seed).registration(ledger.chain());
        registrations.push(ledger.by_member(0, Call::Register(Box::new(registration))));
    }
    let now = ledger.tip.header().time;
    ledger.block(now, &registrations);
    ledger
}

#[test]
fn what_is_in_the_state_is_proved_against_the_header() {
    let ledger = populated();
    let snapshot = ledger.snapshot();
    let state_root = ledger.tip.header().state_root;

    for seed in 1..100 {
        let key = identity::identity_key(&Patient::new(seed).record.aid);
        let proof = snapshot.prove(&identity::ID, &key).unwrap();
        let proved = proof.verify(&state_root, &identity::ID, &key).unwrap();
        let stored = snapshot.get(&identity::ID, &key).unwrap();
        assert_eq!(proved, stored.as_deref());
        assert!(proved.is_some(), "patient {seed}");
    }
}

#[test]
fn what_is_not_in_the_state_is_proved_absent() {
    let ledger = populated();
    let snapshot = ledger.snapshot();
    let state_root = ledger.tip.header().state_root;
    let mut kinds = BTreeMap::new();

    for seed in 100..250 {
        let key = identity::identity_key(&Patient::new(seed).record.aid);
        let proof = snapshot.prove(&identity::ID, &key).unwrap();
        assert_eq!(proof.verify(&state_root, &identity::ID, &key), Ok(None));
        *kinds.entry(proof.neighbour.is_some()).or_insert(0) += 1;
    }

    assert_eq!(kinds.len(), 2, "both an empty place and a neighbour occur");
}

#[test]
fn an_older_snapshot_is_proved_by_its_own_root_only() {
    let mut ledger = Consortium::secure();
    let first_root = ledger.tip.header().state_root;
    let first_state = ledger.state.clone();
    let patient = Patient::new(2);
    let key = identity::identity_key(&patient.record.aid);
    let registration = Box::new(patient.registration(ledger.chain()));
    let transaction = ledger.by_member(0, Call::Register(registration));
    ledger.one(transaction);
    let second_root = ledger.tip.header().state_root;

    let old = Snapshot::new(&first_state, contract::Height::new(0));
    let absent = old.prove(&identity::ID, &key).unwrap();
    let present = ledger.snapshot().prove(&identity::ID, &key).unwrap();

    assert_eq!(absent.verify(&first_root, &identity::ID, &key), Ok(None));
    let wrong = absent.verify(&second_root, &identity::ID, &key);
    assert_eq!(wrong, Err(NotProved::Root));
    let wrong = present.verify(&first_root, &identity::ID, &key);
    assert_eq!(wrong, Err(NotProved::Root));
}

/// Flips each bit of bytes in turn.
fn flips(bytes: &[u8]) -> impl Iterator<Item = Vec<u8>> + '_ {
    (0..bytes.len() * 8).map(move |bit| {
        let mut changed = bytes.to_vec();
        changed[bit / 8] ^= 1 << (bit % 8);
        changed
    })
}

fn holds(proof: &[u8], root: &Root, contract: &ContractId, key: &[u8]) -> bool {
    StateProof::decode(proof).is_ok_and(|proof| proof.verify(root, contract, key).is_ok())
}

#[test]
fn every_changed_bit_of_a_proof_a_key_or_a_root_is_refused() {
    let ledger = populated();
    let snapshot = ledger.snapshot();
    let state_root = ledger.tip.header().state_root;
    let mut neighbour = None;
    let mut empty = None;
    for seed in 100..250 {
        let key = identity::identity_key(&Patient::new(seed).record.aid);
        let proof = snapshot.prove(&identity::ID, &key).unwrap();
        let slot = if proof.neighbour.is_some() {
            &mut neighbour
        } else {
            &mut empty
        };
        slot.get_or_insert((key, proof));
    }
    let key = identity::identity_key(&Patient::new(1).record.aid);
    let present = snapshot.prove(&identity::ID, &key).unwrap();
    let cases = [(key, present), neighbour.unwrap(), empty.unwrap()];

    for (key, proof) in cases {
        let bytes = proof.encode();
        assert!(holds(&bytes, &state_root, &identity::ID, &key));
        for changed in flips(&bytes) {
            assert!(!holds(&changed, &state_root, &identity::ID, &key));
        }
        for changed in flips(state_root.as_bytes()) {
            let root = Root::new(*changed.first_chunk().unwrap());
            assert!(!holds(&bytes, &root, &identity::ID, &key));
        }
        for changed in flips(&key) {
            // Another key may truly be absent from the same small subtree; that
            // it is present with this value is never shown.
            let decoded = StateProof::decode(&bytes).unwrap();
            let shown = decoded.verify(&state_root, &identity::ID, &changed);
            assert!(shown.is_err() || shown == Ok(None));
        }
        let other: ContractId = "servers".parse().unwrap();
        assert!(!holds(&bytes, &state_root, &other, &key));
    }
}
