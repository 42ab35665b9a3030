//! What reading a block file from outside finds, and that it needs nobody's leave for it.
#![expect(
    clippy::arithmetic_side_effects,
    reason = "a fixture of tests: a wrong number is a failed test"
)]

use std::{fs, ops::Range, path::PathBuf};

use contract::Height;
use node::store::{Fault, Inspected, inspect};
use tempfile::TempDir;

use super::{
    executor::four_blocks,
    research_ledger::{Consortium, Node},
};

/// Octets in front of the first entry; the salt of the checksums ends four before that.
const HEADER: usize = 70;
const SALT: Range<usize> = 50..66;

/// Octets of a block's header.
const BLOCK_HEADER: usize = 278;

/// The block file of a ledger of blocks 0 to 4, whose node is gone.
struct Scene {
    consortium: Consortium,
    home: TempDir,
    bytes: Vec<u8>,
}

impl Scene {
    fn new() -> Self {
        let home = tempfile::tempdir().unwrap();
        let mut consortium = Consortium::new();
        let node = Node::start(home.path(), &consortium);
        four_blocks(&node, &mut consortium);
        node.stop();
        let bytes = fs::read(home.path().join("ledger/blocks")).unwrap();
        Self {
            consortium,
            home,
            bytes,
        }
    }

    fn dir(&self) -> PathBuf {
        self.home.path().join("ledger")
    }

    /// Where the payloads of the blocks stand, in order.
    fn blocks(&self) -> Vec<Range<usize>> {
        let mut blocks = Vec::new();
        let mut at = HEADER;
        while at < self.bytes.len() {
            let length = u32::from_le_bytes(self.bytes[at..at + 4].try_into().unwrap());
            let payload = at + 8..at + 8 + usize::try_from(length).unwrap();
            at = payload.end;
            if self.bytes[payload.start] == 1 {
                blocks.push(payload);
            }
        }
        blocks
    }

    /// The file with one octet of a payload changed, and sealed again as its node would.
    fn sealed(&self, payload: &Range<usize>, changed: usize) -> Vec<u8> {
        let mut bytes = self.bytes.clone();
        bytes[changed] ^= 1;
        let mut sum = crc32fast::Hasher::new();
        sum.update(&bytes[SALT]);
        sum.update(&(payload.len() as u64).to_le_bytes());
        sum.update(&bytes[payload.clone()]);
        let sum = sum.finalize().to_le_bytes();
        bytes[payload.start - 4..payload.start].copy_from_slice(&sum);
        bytes
    }

    /// What is found in these bytes.
    fn of(&self, bytes: &[u8]) -> Inspected {
        fs::write(self.dir().join("blocks"), bytes).unwrap();
        let found = inspect(&self.dir(), &self.consortium.genesis, usize::MAX);
        assert_eq!(fs::read(self.dir().join("blocks")).unwrap(), bytes);
        found.unwrap().unwrap()
    }
}

#[test]
fn a_block_file_is_read_while_its_node_writes_on_it() {
    let home = tempfile::tempdir().unwrap();
    let mut consortium = Consortium::new();
    let node = Node::start(home.path(), &consortium);
    four_blocks(&node, &mut consortium);
    let look = |newest| inspect(&home.path().join("ledger"), &consortium.genesis, newest);

    let all = look(usize::MAX).unwrap().unwrap();
    assert_eq!((all.blocks, all.checked, all.torn_bytes), (5, 5, 0));
    assert_eq!(all.fault, None);
    let some = look(2).unwrap().unwrap();
    assert_eq!((some.blocks, some.checked), (5, 2));
    let block = node.ledger.block(Height::new(4)).unwrap().unwrap();
    let newest = some.roots.last_key_value().unwrap();
    assert_eq!(
        newest,
        (
            &Height::new(4),
            &(block.header.state_root, block.header.time)
        )
    );
    node.stop();
}

#[test]
fn a_block_that_was_changed_and_sealed_again_is_found_by_its_hashes() {
    let scene = Scene::new();
    let blocks = scene.blocks();
    let third = &blocks[2];
    let height = Height::new(2);

    // First octet, view, length, header, length: the batch begins.
    let batch = third.start + 1 + 8 + 4 + BLOCK_HEADER + 4;
    let found = scene.of(&scene.sealed(third, batch));
    assert_eq!(
        found.fault,
        Some(Fault::Part {
            height,
            part: "batch"
        })
    );
    assert_eq!(found.checked, 2);
    let found = scene.of(&scene.sealed(third, third.end - 1));
    let part = "list of outcomes";
    assert_eq!(found.fault, Some(Fault::Part { height, part }));
    // The parent's hash: behind version, chain, height, epoch and time.
    let parent = third.start + 1 + 8 + 4 + 2 + 32 + 8 + 4 + 8;
    let found = scene.of(&scene.sealed(third, parent));
    assert_eq!(found.fault, Some(Fault::Link { height }));
}

#[test]
fn a_broken_entry_is_told_from_one_that_is_being_written() {
    let scene = Scene::new();
    let blocks = scene.blocks();

    let torn = [&scene.bytes[..], &[200, 1, 0, 0, 9, 9, 9]].concat();
    let found = scene.of(&torn);
    assert_eq!((found.fault, found.torn_bytes, found.blocks), (None, 7, 5));
    let mut broken = scene.bytes.clone();
    broken[blocks[1].start + 20] ^= 1;
    let found = scene.of(&broken);
    let offset = u64::try_from(blocks[1].start - 8).unwrap();
    assert_eq!(found.fault, Some(Fault::Entry { offset }));
    let mut headless = scene.bytes.clone();
    headless[60] ^= 1;
    let found = scene.of(&headless);
    assert_eq!(found.fault, Some(Fault::Entry { offset: 0 }));
}
