//! One frame of an append-only file: length `u32`, CRC-32 `u32`, bytes (little-endian).
//!
//! The checksum also covers the length and a random salt from the file's header.
//! Whoever chooses bytes that end up in a frame (a patient, a peer) does not know
//! the salt, so no payload can pass for a frame when a damaged file is searched.

use crc32fast::Hasher;

/// Bytes in front of each payload.
pub(crate) const FRAME_HEAD: usize = 8;

/// Longest payload that is written or believed: a window of full batches fits.
pub(crate) const PAYLOAD_BYTES_MAX: usize = 64 * 1024 * 1024;

/// Random bytes of one file, mixed into every checksum in it.
pub(crate) type Salt = [u8; 16];

/// What stands at an offset of a file.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Frame<'a> {
    /// A whole frame: its payload, and the offset behind it.
    Whole {
        /// The bytes that were sealed.
        payload: &'a [u8],
        /// Offset of what follows.
        end: usize,
    },
    /// The file ends exactly here.
    End,
    /// Bytes that are no frame.
    Broken,
}

/// The checksum of `payload` in the file with this `salt`.
fn checksum(salt: &Salt, payload: &[u8]) -> u32 {
    let mut hasher = Hasher::new_with_initial(checksum_of_head(salt, payload.len()));
    hasher.update(payload);
    hasher.finalize()
}

/// The checksum of what stands for a payload of `length` bytes before it.
fn checksum_of_head(salt: &Salt, length: usize) -> u32 {
    let mut hasher = Hasher::new();
    hasher.update(salt);
    hasher.update(&(length as u64).to_le_bytes());
    hasher.finalize()
}

/// The eight bytes that go in front of `payload`; `None` if it is too long for a frame.
pub(crate) fn head(salt: &Salt, payload: &[u8]) -> Option<[u8; FRAME_HEAD]> {
    if payload.len() > PAYLOAD_BYTES_MAX {
        return None;
    }
    let length = u32::try_from(payload.len()).ok()?.to_le_bytes();
    let sum = checksum(salt, payload).to_le_bytes();
    let mut bytes = [0; FRAME_HEAD];
    for (to, from) in bytes.iter_mut().zip(length.into_iter().chain(sum)) {
        *to = from;
    }
    Some(bytes)
}

/// The length and checksum that a frame's head claims.
pub(crate) fn claim(head: &[u8]) -> Option<(usize, u32)> {
    let length = u32::from_le_bytes(head.get(..4)?.try_into().ok()?);
    let sum = u32::from_le_bytes(head.get(4..FRAME_HEAD)?.try_into().ok()?);
    Some((usize::try_from(length).ok()?, sum))
}

/// Whether `payload` is what a head with this checksum stands in front of.
pub(crate) fn fits(salt: &Salt, payload: &[u8], sum: u32) -> bool {
    checksum(salt, payload) == sum
}

/// Reads what stands at `offset`.
pub(crate) fn read<'a>(salt: &Salt, file: &'a [u8], offset: usize) -> Frame<'a> {
    if offset == file.len() {
        return Frame::End;
    }
    whole(salt, file, offset).unwrap_or(Frame::Broken)
}

/// The whole frame at `offset`, if there is one.
fn whole<'a>(salt: &Salt, file: &'a [u8], offset: usize) -> Option<Frame<'a>> {
    let (length, sum) = claim(file.get(offset..)?)?;
    if length > PAYLOAD_BYTES_MAX {
        return None;
    }
    let start = offset.checked_add(FRAME_HEAD)?;
    let end = start.checked_add(length)?;
    let payload = file.get(start..end)?;
    fits(salt, payload, sum).then_some(Frame::Whole { payload, end })
}

/// Whether any whole frame begins behind `offset`.
///
/// A frame is written only after the one before it is durable, so a whole frame
/// behind a broken one says that the broken one was whole once.
///
/// Of random bytes one in 64 claims to begin a frame that could be there, megabytes long. So long ones
/// are not summed each by itself: the time is that of the file's length, not of its square.
pub(crate) fn any_behind(salt: &Salt, file: &[u8], offset: usize) -> bool {
    let sums = Sums::of(file);
    let begins = |at: usize| {
        let (length, sum) = claim(file.get(at..)?)?;
        if length <= STRIDE {
            return whole(salt, file, at).map(|_frame| true);
        }
        let start = at.checked_add(FRAME_HEAD)?;
        let end = start.checked_add(length)?;
        (length <= PAYLOAD_BYTES_MAX && end <= file.len()).then_some(())?;
        let payload = sums.between(start, end)?;
        Some(joined(checksum_of_head(salt, length), payload, length) == sum)
    };
    (offset.saturating_add(1)..file.len()).any(|at| begins(at) == Some(true))
}

/// Bytes between two sums that are kept of a file.
const STRIDE: usize = 4_096;

/// The sums of a file's beginnings, from which that of any part follows: CRC-32 is linear.
struct Sums<'a> {
    file: &'a [u8],
    /// Of the first 0, 1, 2 … strides.
    kept: Vec<u32>,
}

impl<'a> Sums<'a> {
    fn of(file: &'a [u8]) -> Self {
        let mut hasher = Hasher::new();
        let mut kept = vec![hasher.clone().finalize()];
        for stride in file.chunks_exact(STRIDE) {
            hasher.update(stride);
            kept.push(hasher.clone().finalize());
        }
        Self { file, kept }
    }

    /// The sum of the bytes up to here.
    fn up_to(&self, end: usize) -> Option<u32> {
        let strides = end / STRIDE;
        let start = strides.checked_mul(STRIDE)?;
        let mut hasher = Hasher::new_with_initial(*self.kept.get(strides)?);
        hasher.update(self.file.get(start..end)?);
        Some(hasher.finalize())
    }

    /// The sum of the bytes between the two.
    fn between(&self, start: usize, end: usize) -> Option<u32> {
        let length = end.checked_sub(start)?;
        Some(self.up_to(end)? ^ joined(self.up_to(start)?, 0, length))
    }
}

/// The sum of a text whose beginning has the sum `first` and whose last `length` bytes have the sum `next`.
fn joined(first: u32, next: u32, length: usize) -> u32 {
    let mut hasher = Hasher::new_with_initial(first);
    hasher.combine(&Hasher::new_with_initial_len(next, length as u64));
    hasher.finalize()
}

#[cfg(test)]
mod tests {
    use super::*;

    const SALT: Salt = [7; 16];

    fn sealed(payload: &[u8]) -> Vec<u8> {
        let mut bytes = head(&SALT, payload).unwrap().to_vec();
        bytes.extend_from_slice(payload);
        bytes
    }

    #[test]
    fn a_frame_reads_back_and_ends_where_the_next_begins() {
        let mut file = sealed(b"one");
        let second = file.len();
        file.extend(sealed(b""));

        assert_eq!(
            read(&SALT, &file, 0),
            Frame::Whole {
                payload: b"one",
                end: second
            }
        );
        assert_eq!(
            read(&SALT, &file, second),
            Frame::Whole {
                payload: b"",
                end: file.len()
            }
        );
        assert_eq!(read(&SALT, &file, file.len()), Frame::End);
    }

    #[test]
    fn every_flipped_bit_breaks_a_frame() {
        let good = sealed(b"a vote and its certificate");
        for bit in 0..good.len() * 8 {
            let mut bad = good.clone();
            bad[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(read(&SALT, &bad, 0), Frame::Broken, "bit {bit}");
        }
    }

    #[test]
    fn zeros_are_no_frame_and_another_files_frame_is_none_here() {
        assert_eq!(read(&SALT, &[0; 64], 0), Frame::Broken);
        assert_eq!(read(&[8; 16], &sealed(b"one"), 0), Frame::Broken);
    }

    #[test]
    fn a_frame_inside_a_payload_does_not_count_without_the_salt() {
        let embedded = {
            let mut bytes = head(&[0; 16], b"forged").unwrap().to_vec();
            bytes.extend_from_slice(b"forged");
            bytes
        };
        let mut file = sealed(&embedded);
        assert!(!any_behind(&SALT, &file, 0));

        file.extend(sealed(b"real"));
        assert!(any_behind(&SALT, &file, 0));
    }

    /// Bytes that look like nothing, from a xorshift.
    fn noise(length: usize) -> Vec<u8> {
        let mut state = 0x2545_F491_4F6C_DD1D_u64;
        let next = || {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            state.to_le_bytes()[0]
        };
        std::iter::repeat_with(next).take(length).collect()
    }

    #[test]
    fn a_long_frame_is_found_wherever_it_begins_and_only_whole() {
        for before in [1, 4_087, 4_096, 10_000] {
            let mut file = noise(before);
            file.extend(sealed(&noise(20_000)));
            assert!(any_behind(&SALT, &file, 0), "behind {before} bytes");

            file.extend(noise(3));
            assert!(any_behind(&SALT, &file, 0), "and bytes behind it");

            file[before + 15_000] ^= 1;
            assert!(!any_behind(&SALT, &file, 0), "a bit of it changed");
        }
    }

    #[test]
    fn megabytes_of_noise_are_searched_in_a_time_that_nobody_minds() {
        // Some 9,000 places here claim a frame of up to 6 MB: 27 GB if each were summed by itself.
        let file = noise(6 << 20);

        assert!(!any_behind(&SALT, &file, 0));
    }

    #[test]
    fn the_longest_payload_is_sealed_and_one_byte_more_is_not() {
        let longest = vec![0; PAYLOAD_BYTES_MAX];
        assert!(head(&SALT, &longest).is_some());

        let longer = vec![0; PAYLOAD_BYTES_MAX + 1];
        assert_eq!(head(&SALT, &longer), None);
    }
}
