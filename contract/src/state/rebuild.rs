//! Nodes and values of a state that came in parts, as a store keeps them.

use serde::Serialize;

use super::proof::EMPTY_TREE;
use super::subtree::{HashedLeaf, StateLeaf, StatePath};
use super::walk::{Child, WIDTH, range_hash};
use super::{Entry, Table, entry_key};
use crate::encoding;
use crate::identity::Height;
use crate::merkle::Hash;

/// A subtree that was rebuilt: what the node above it notes of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rebuilt {
    /// Its hash.
    pub hash: Hash,
    /// How many leaves it has.
    pub leaves: u64,
}

/// A node as `jmt` encodes it: the crate keeps its types to itself, their encoding it does not.
#[derive(Serialize)]
enum StoredNode {
    /// Without a leaf.
    Null,
    /// With two leaves or more below it: its children, how many there are, and its leaves.
    Internal(Box<[Option<StoredChild>; WIDTH]>, u64, u64),
    /// A leaf: hashed key and hash of the value.
    Leaf(Hash, Hash),
}

/// A child in a node: hash, version, and what it is.
#[derive(Clone, Copy, Serialize)]
struct StoredChild(Hash, u64, StoredKind);

/// What a child is.
#[derive(Clone, Copy, Serialize)]
enum StoredKind {
    /// A leaf.
    Leaf,
    /// A node with so many leaves below it.
    Internal(u64),
}

/// Nodes and values of the subtree with these leaves, in order and under the path, as if the
/// block at `height` had written all of it.
pub fn rebuild(path: &StatePath, leaves: &[StateLeaf], height: Height) -> (Rebuilt, Vec<Entry>) {
    let mut entries = Vec::with_capacity(leaves.len().saturating_mul(2));
    let hashed: Vec<HashedLeaf> = leaves.iter().map(HashedLeaf::of).collect();
    let rebuilt = nodes(path, &hashed, height, &mut entries);
    entries.extend(leaves.iter().map(|leaf| Entry {
        table: Table::Values,
        key: entry_key(&leaf.key, height),
        value: leaf.value.as_bytes().to_vec(),
    }));
    (rebuilt, entries)
}

/// The node above subtrees that were rebuilt, each with its nibble, in their order.
pub fn join(path: &StatePath, parts: &[(u8, Rebuilt)], height: Height) -> (Rebuilt, Entry) {
    let mut stored = Box::new([None; WIDTH]);
    let mut total = 0_u64;
    let mut children = Vec::with_capacity(parts.len());
    for (nibble, part) in parts {
        let kind = if part.leaves == 1 {
            StoredKind::Leaf
        } else {
            StoredKind::Internal(part.leaves)
        };
        if let Some(place) = stored.get_mut(usize::from(*nibble)) {
            *place = Some(StoredChild(part.hash, height.get(), kind));
        }
        total = total.saturating_add(part.leaves);
        children.push(Child {
            nibble: *nibble,
            hash: part.hash,
            version: height,
            is_leaf: part.leaves == 1,
        });
    }
    let count = u64::try_from(parts.len()).unwrap_or(u64::MAX);
    let rebuilt = Rebuilt {
        hash: range_hash(&children, 0, WIDTH),
        leaves: total,
    };
    let node = StoredNode::Internal(stored, count, total);
    (rebuilt, entry(path, height, &node))
}

/// Adds the nodes of a subtree, the lower ones first.
fn nodes(
    path: &StatePath,
    leaves: &[HashedLeaf],
    height: Height,
    entries: &mut Vec<Entry>,
) -> Rebuilt {
    if let [leaf] = leaves {
        entries.push(entry(
            path,
            height,
            &StoredNode::Leaf(leaf.key, leaf.value_hash),
        ));
        return Rebuilt {
            hash: leaf.hash,
            leaves: 1,
        };
    }
    if leaves.is_empty() {
        entries.push(entry(path, height, &StoredNode::Null));
        return Rebuilt {
            hash: *EMPTY_TREE,
            leaves: 0,
        };
    }
    let mut parts = Vec::new();
    let mut rest = leaves;
    for nibble in 0..16_u8 {
        let child = path.child(nibble);
        let (_, high) = child.bounds();
        let (here, behind) = rest.split_at(rest.partition_point(|leaf| leaf.key <= high));
        rest = behind;
        if !here.is_empty() {
            parts.push((nibble, nodes(&child, here, height, entries)));
        }
    }
    let (rebuilt, node) = join(path, &parts, height);
    entries.push(node);
    rebuilt
}

/// A node under its path.
fn entry(path: &StatePath, height: Height, node: &StoredNode) -> Entry {
    let nibbles = path.nibbles();
    let mut prefix = vec![u8::try_from(nibbles.len()).unwrap_or(u8::MAX)];
    prefix.extend_from_slice(nibbles);
    Entry {
        table: Table::Nodes,
        key: entry_key(&prefix, height),
        value: encoding::encode(node),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::super::subtree::{Below, Limb, NotThePart, StatePart};
    use super::super::{MemoryState, Snapshot, WriteSet, tree};
    use super::*;
    use crate::encoding::Blob;
    use crate::hash;
    use crate::identity::Root;

    /// Leaves that a sender puts into one part.
    const PART_LEAVES: usize = 20;

    type Values = BTreeMap<Hash, Vec<u8>>;

    fn values(numbers: std::ops::Range<u32>) -> Values {
        let pair = |number: u32| {
            let key = hash::plain(&[&number.to_le_bytes()]);
            (key, number.to_le_bytes().repeat(3))
        };
        numbers.map(pair).collect()
    }

    /// A state that three blocks wrote, its values, and the height of the newest.
    fn written(numbers: u32) -> (MemoryState, Values, Root) {
        let mut state = MemoryState::new();
        let mut all = Values::new();
        let mut root = Root::ZERO;
        let third = numbers / 3;
        for (height, first) in (0..3).zip([0, third, numbers.saturating_sub(third)]) {
            let part = values(first..first.saturating_add(third));
            all.extend(part.clone());
            let at = Height::new(height);
            let (new, writes) = tree::write(&state, at, part).unwrap();
            state.apply(&writes);
            root = new;
        }
        (state, all, root)
    }

    /// What a sender answers for a path.
    fn part_of(state: &MemoryState, all: &Values, path: &StatePath) -> StatePart {
        let (low, high) = path.bounds();
        let under: Vec<StateLeaf> = all
            .range(low..=high)
            .map(|(key, value)| StateLeaf {
                key: *key,
                value: Blob::new(value.clone()),
            })
            .collect();
        if under.len() <= PART_LEAVES {
            return StatePart::Leaves(under);
        }
        let snapshot = Snapshot::new(state, Height::new(2));
        StatePart::Split(snapshot.limbs(path).unwrap().unwrap())
    }

    /// Moves the subtree under a path to another state, checking every part.
    fn move_over(
        from: (&MemoryState, &Values),
        path: &StatePath,
        expected: &Hash,
        to: &mut MemoryState,
    ) -> Rebuilt {
        let part = part_of(from.0, from.1, path);
        let part = StatePart::decode(&part.encode()).unwrap();
        assert_eq!(part.check(path, expected), Ok(()));
        let height = Height::new(9);
        let (rebuilt, entries) = match &part {
            StatePart::Leaves(leaves) => rebuild(path, leaves, height),
            StatePart::Split(limbs) => {
                let parts: Vec<(u8, Rebuilt)> = limbs
                    .iter()
                    .map(|limb| {
                        let child = path.child(limb.nibble);
                        (limb.nibble, move_over(from, &child, &limb.hash(), to))
                    })
                    .collect();
                let (rebuilt, entry) = join(path, &parts, height);
                (rebuilt, vec![entry])
            }
        };
        to.apply(&WriteSet {
            entries,
            stale: Vec::new(),
        });
        assert_eq!(rebuilt.hash, *expected);
        rebuilt
    }

    #[test]
    fn a_state_moved_part_by_part_is_the_same_state_and_goes_on_alike() {
        for numbers in [3, 30, 300, 3_000] {
            let (state, all, root) = written(numbers);
            let mut moved = MemoryState::new();

            let rebuilt = move_over(
                (&state, &all),
                &StatePath::ROOT,
                root.as_bytes(),
                &mut moved,
            );

            assert_eq!(rebuilt.leaves, u64::from(numbers));
            let next = Height::new(10);
            assert_eq!(tree::root(&moved, Height::new(9)).unwrap(), root);
            for key in all.keys() {
                let here = tree::prove(&state, Height::new(9), *key).unwrap();
                assert_eq!(tree::prove(&moved, Height::new(9), *key).unwrap(), here);
            }
            let change = values(numbers / 2..numbers.saturating_add(50));
            let (old, _) = tree::write(&state, next, change.clone()).unwrap();
            let (new, writes) = tree::write(&moved, next, change).unwrap();
            assert_eq!(new, old);
            moved.apply(&writes);
            assert_eq!(tree::root(&moved, next).unwrap(), new);
        }
    }

    /// What a receiver takes from a part: of a child with a sibling beside it, no hash says
    /// whether it is a leaf, and nothing is built from that.
    fn says(part: &StatePart) -> (Vec<StateLeaf>, Vec<(u8, Hash)>) {
        match part {
            StatePart::Leaves(leaves) => (leaves.clone(), Vec::new()),
            StatePart::Split(limbs) => {
                let named = limbs.iter().map(|limb| (limb.nibble, limb.hash()));
                (Vec::new(), named.collect())
            }
        }
    }

    #[test]
    fn a_part_with_any_byte_changed_is_refused_or_names_the_same_leaves_and_hashes() {
        let (state, all, root) = written(90);
        let limbs = part_of(&state, &all, &StatePath::ROOT);
        let StatePart::Split(children) = &limbs else {
            panic!("one part");
        };
        let child = children
            .iter()
            .find(|limb| matches!(limb.below, Below::Tree(_)))
            .unwrap();
        let path = StatePath::ROOT.child(child.nibble);
        let leaves = part_of(&state, &all, &path);

        for (part, path, expected) in [
            (limbs.clone(), StatePath::ROOT, *root.as_bytes()),
            (leaves, path, child.hash()),
        ] {
            let good = part.encode();
            assert_eq!(part.check(&path, &expected), Ok(()));
            for at in 0..good.len() {
                let mut bad = good.clone();
                bad[at] ^= 1;
                let taken = StatePart::decode(&bad).ok();
                let taken = taken.filter(|part| part.check(&path, &expected).is_ok());
                let same = taken.as_ref().is_none_or(|bad| says(bad) == says(&part));
                assert!(same, "byte {at} of {}", good.len());
            }
        }
    }

    #[test]
    fn no_child_of_a_part_can_be_moved_to_another_place() {
        // Few leaves: most of them hang alone, where their hash alone would fit in a neighbour's place.
        for numbers in (3..24).step_by(3) {
            let (state, _, root) = written(numbers);
            let snapshot = Snapshot::new(&state, Height::new(2));
            let limbs = snapshot.limbs(&StatePath::ROOT).unwrap().unwrap();
            let check = |limbs: &[Limb]| {
                let part = StatePart::Split(limbs.to_vec());
                part.check(&StatePath::ROOT, root.as_bytes())
            };
            assert_eq!(check(&limbs), Ok(()));

            for place in 0..limbs.len() {
                for nibble in (0..16).filter(|other| *other != limbs[place].nibble) {
                    let mut moved = limbs.clone();
                    moved[place].nibble = nibble;
                    assert!(
                        check(&moved).is_err(),
                        "{numbers} leaves, {place} to {nibble}"
                    );
                }
            }
        }
    }

    #[test]
    fn leaves_that_are_missing_repeated_swapped_or_from_elsewhere_are_refused() {
        let (state, all, root) = written(18);
        let StatePart::Leaves(leaves) = part_of(&state, &all, &StatePath::ROOT) else {
            panic!("several parts");
        };
        let verdict = |change: &dyn Fn(&mut Vec<StateLeaf>), path: &StatePath| {
            let mut changed = leaves.clone();
            change(&mut changed);
            StatePart::Leaves(changed).check(path, root.as_bytes())
        };
        let root_path = StatePath::ROOT;

        assert_eq!(verdict(&|_| {}, &root_path), Ok(()));
        let missing = verdict(&|all| drop(all.pop()), &root_path);
        assert_eq!(missing, Err(NotThePart::OtherHash));
        let empty = verdict(&Vec::clear, &root_path);
        assert_eq!(empty, Err(NotThePart::OtherHash));
        let repeated = verdict(&|all| all.push(all[17].clone()), &root_path);
        assert_eq!(repeated, Err(NotThePart::Disorder));
        let swapped = verdict(&|all| all.swap(3, 4), &root_path);
        assert_eq!(swapped, Err(NotThePart::Disorder));
        let elsewhere = verdict(&|_| {}, &StatePath::new(&[1, 2]).unwrap());
        assert_eq!(elsewhere, Err(NotThePart::Disorder));
    }

    #[test]
    fn a_path_bounds_exactly_the_keys_that_begin_with_it() {
        let path = StatePath::new(&[0xa, 0xb, 0xc]).unwrap();
        let (low, high) = path.bounds();

        assert_eq!((low[0], low[1], low[2]), (0xab, 0xc0, 0));
        assert_eq!((high[0], high[1], high[31]), (0xab, 0xcf, 0xff));
        assert_eq!(StatePath::new(&[16]), None);
        assert_eq!(StatePath::new(&[0; 65]), None);
    }
}
