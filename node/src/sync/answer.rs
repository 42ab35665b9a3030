//! The bytes of a sync answer, bounded on both sides.

use crate::limits;

/// A block as it travels: nothing in it is proved.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RawBlock {
    /// The header's bytes.
    pub header: Vec<u8>,
    /// The batch's bytes.
    pub batch: Vec<u8>,
    /// The certificate's bytes.
    pub certificate: Vec<u8>,
}

impl RawBlock {
    /// Octets in an answer.
    fn size(&self) -> usize {
        [&self.header, &self.batch, &self.certificate]
            .into_iter()
            .fold(0, |sum: usize, part| {
                sum.saturating_add(part.len()).saturating_add(4)
            })
    }

    /// Adds the block to an answer.
    fn write(&self, answer: &mut Vec<u8>) {
        for part in [&self.header, &self.batch, &self.certificate] {
            let length = u32::try_from(part.len()).unwrap_or(u32::MAX);
            answer.extend_from_slice(&length.to_le_bytes());
            answer.extend_from_slice(part);
        }
    }
}

/// Answers a request with as many blocks as fit; `block` gives the certified block of a height, while there is one.
pub fn answer(request: &[u8], block: impl Fn(u64) -> Option<RawBlock>) -> Vec<u8> {
    let mut answer = Vec::new();
    let Some((from, to)) = range(request) else {
        return answer;
    };
    let last = to.min(
        from.saturating_add(u64::from(limits::SYNC_BLOCKS))
            .saturating_sub(1),
    );
    let room = usize::try_from(limits::SYNC_ANSWER).unwrap_or(usize::MAX);
    for height in from..=last {
        let Some(block) = block(height) else { break };
        if answer.len().saturating_add(block.size()) > room {
            break;
        }
        block.write(&mut answer);
    }
    answer
}

/// The heights of a request.
fn range(request: &[u8]) -> Option<(u64, u64)> {
    let (from, to) = request.split_at_checked(8)?;
    let number = |bytes: &[u8]| Some(u64::from_le_bytes(bytes.try_into().ok()?));
    Some((number(from)?, number(to)?))
}

/// The blocks of an answer; `None` if it is not a row of at most [`limits::SYNC_BLOCKS`] blocks.
pub(super) fn read(mut answer: &[u8]) -> Option<Vec<RawBlock>> {
    let mut blocks = Vec::new();
    while !answer.is_empty() {
        if blocks.len() >= usize::from(limits::SYNC_BLOCKS) {
            return None;
        }
        let header = part(&mut answer)?;
        let batch = part(&mut answer)?;
        let certificate = part(&mut answer)?;
        blocks.push(RawBlock {
            header,
            batch,
            certificate,
        });
    }
    Some(blocks)
}

/// Takes one part off the front.
fn part(answer: &mut &[u8]) -> Option<Vec<u8>> {
    let (length, rest) = answer.split_at_checked(4)?;
    let length = usize::try_from(u32::from_le_bytes(length.try_into().ok()?)).ok()?;
    let (part, rest) = rest.split_at_checked(length)?;
    *answer = rest;
    Some(part.to_vec())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn block(height: u64) -> RawBlock {
        RawBlock {
            header: height.to_le_bytes().to_vec(),
            batch: vec![1; 5],
            certificate: vec![2; 7],
        }
    }

    fn request(from: u64, to: u64) -> Vec<u8> {
        [from.to_le_bytes(), to.to_le_bytes()].concat()
    }

    #[test]
    fn the_blocks_asked_for_come_out_as_far_as_there_are_any() {
        let bytes = answer(&request(3, 9), |height| (height < 6).then(|| block(height)));
        assert_eq!(read(&bytes).unwrap(), [block(3), block(4), block(5)]);
    }

    #[test]
    fn c14_an_answer_never_holds_more_blocks_or_octets_than_its_limits() {
        let many = answer(&request(0, u64::MAX), |height| Some(block(height)));
        assert_eq!(read(&many).unwrap().len(), usize::from(limits::SYNC_BLOCKS));

        let megabyte = |_| {
            Some(RawBlock {
                batch: vec![0; 1 << 20],
                ..block(0)
            })
        };
        let large = answer(&request(0, 100), megabyte);
        assert!(large.len() <= usize::try_from(limits::SYNC_ANSWER).unwrap());
        assert_eq!(read(&large).unwrap().len(), 7);

        let mut too_many = Vec::new();
        for height in 0..=u64::from(limits::SYNC_BLOCKS) {
            block(height).write(&mut too_many);
        }
        assert_eq!(read(&too_many), None);
    }

    #[test]
    fn nonsense_is_answered_with_nothing_and_read_as_nothing() {
        assert!(answer(b"short", |height| Some(block(height))).is_empty());
        assert!(answer(&[0; 17], |height| Some(block(height))).is_empty());
        assert!(answer(&request(5, 4), |height| Some(block(height))).is_empty());
        let whole = answer(&request(1, 1), |height| Some(block(height)));
        for cut in 1..whole.len() {
            assert_eq!(read(&whole[..cut]), None, "cut at {cut}");
        }
    }

    proptest! {
        #[test]
        fn an_answer_is_read_as_blocks_that_write_it_again_or_not_at_all(
            noise in proptest::collection::vec(any::<u8>(), 0..40),
            at in any::<prop::sample::Index>(),
            byte in any::<u8>(),
        ) {
            let mut changed = answer(&request(3, 9), |height| Some(block(height)));
            let at = at.index(changed.len());
            changed[at] = byte;
            for bytes in [changed, noise] {
                if let Some(blocks) = read(&bytes) {
                    let mut again = Vec::new();
                    for block in &blocks {
                        block.write(&mut again);
                    }
                    prop_assert_eq!(again, bytes);
                }
            }
        }
    }
}
