//! One sample's value as a file: its pickle, and the buffers of its arrays and tensors beside it, unpickled.
//!
//! ```text
//!  0        8          16      24         32      40       48      52         64
//! ┌────────┬──────────┬───────┬──────────┬───────┬────────┬───────┬──────────┬─────────────┬────────┬──┬────────┐
//! │ magic  │ checksum │ index │ identity │ bytes │ pickle │ count │ 12 zeros │ count x u64 │ pickle │..│ buffer │..
//! └────────┴──────────┴───────┴──────────┴───────┴────────┴───────┴──────────┴─────────────┴────────┴──┴────────┘
//!
//! magic     "HWSAMPL" and the format's version, 1
//! checksum  XXH3-64 of everything behind it; 0 in memory, where nothing can be torn or flipped
//! index     of the sample, and the first 8 bytes of its dataset's digest: a file that was moved is of no other sample
//! bytes     of the whole file
//! pickle    bytes of the pickle, which stands behind the lengths of all buffers
//! buffer    each begins at a multiple of 64, so that arrays are aligned
//! ```

use std::hash::Hasher as _;
use std::ops::Range;

use twox_hash::XxHash3_64;

use super::layout::u64_at;

const MAGIC: &[u8; 8] = b"HWSAMPL\x01";
/// Bytes before the lengths of the buffers.
pub const SAMPLE_HEAD: usize = 64;
/// Where the bytes begin that the checksum covers.
const CHECKED: usize = 16;
const ALIGNED: usize = 64;
/// Buffers that one sample may have: what has more is pickled whole.
pub const MOST_BUFFERS: usize = 4096;

/// Of which sample of which dataset a value is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SampleId {
    /// The sample's index.
    pub index: u64,
    /// The first 8 bytes of the dataset's digest.
    pub identity: u64,
}

/// Where the parts of a value are in its file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SampleLayout {
    /// The pickle.
    pub pickle: Range<usize>,
    /// The buffers, in the pickle's order.
    pub buffers: Vec<Range<usize>>,
}

/// Bytes that are no value of this sample.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SampleError {
    /// No value of this version.
    #[error("it is no value of this version")]
    NotOurs,
    /// The bytes are another sample's, or of another dataset.
    #[error("it is of another sample or dataset")]
    Other,
    /// The lengths say something else than the file's.
    #[error("its lengths do not fit")]
    Lengths,
    /// The checksum does not fit.
    #[error("its checksum does not fit")]
    Checksum,
}

// === impl SampleLayout ===

impl SampleLayout {
    /// The layout of a pickle of so many bytes, and buffers; and the bytes of the whole.
    pub(super) fn of(pickle: usize, buffers: impl ExactSizeIterator<Item = usize>) -> Option<(Self, usize)> {
        let start = SAMPLE_HEAD.checked_add(buffers.len().checked_mul(8)?)?;
        let mut end = start.checked_add(pickle)?;
        let pickle = start..end;
        let mut found = Vec::with_capacity(buffers.len());
        for length in buffers {
            let start = end.checked_next_multiple_of(ALIGNED)?;
            end = start.checked_add(length)?;
            found.push(start..end);
        }
        Some((Self { pickle, buffers: found }, end))
    }

    /// Bytes of the head of a value that begins with these; `None` where they are none.
    pub fn head_length(bytes: &[u8]) -> Option<usize> {
        let count = u32::from_le_bytes(*bytes.get(48..52)?.first_chunk()?) as usize;
        (bytes.starts_with(MAGIC) && count <= MOST_BUFFERS).then_some(SAMPLE_HEAD + 8 * count)
    }

    /// Where the parts are of a value of `length` bytes, of which the head is given.
    ///
    /// # Errors
    /// Where it is not a value of this sample.
    pub fn parse(head: &[u8], length: usize, id: SampleId) -> Result<Self, SampleError> {
        let buffers = Self::head_length(head).and_then(|end| head.get(SAMPLE_HEAD..end)).ok_or(SampleError::NotOurs)?;
        if (SampleId { index: u64_at(head, 16), identity: u64_at(head, 24) }) != id {
            return Err(SampleError::Other);
        }
        let size = |number: u64| usize::try_from(number).map_err(|_| SampleError::Lengths);
        let buffers: Vec<_> =
            buffers.as_chunks::<8>().0.iter().map(|one| size(u64::from_le_bytes(*one))).collect::<Result<_, _>>()?;
        let layout = Self::of(size(u64_at(head, 40))?, buffers.into_iter());
        let (layout, end) = layout.ok_or(SampleError::Lengths)?;
        (end == length && u64_at(head, 32) == length as u64).then_some(layout).ok_or(SampleError::Lengths)
    }

    /// The same, of a whole value whose checksum is looked at too.
    ///
    /// # Errors
    /// Where it is anything but what was put.
    pub fn verify(bytes: &[u8], id: SampleId) -> Result<Self, SampleError> {
        let layout = Self::parse(bytes, bytes.len(), id)?;
        (u64_at(bytes, 8) == XxHash3_64::oneshot(&bytes[CHECKED..])).then_some(layout).ok_or(SampleError::Checksum)
    }
}

/// The head of a value of these parts, its checksum left open; `None` where they are more than a file can have.
pub(super) fn head(id: SampleId, pickle: usize, buffers: &[&[u8]]) -> Option<(Vec<u8>, SampleLayout, usize)> {
    let (layout, length) = SampleLayout::of(pickle, buffers.iter().map(|buffer| buffer.len()))?;
    let mut head = Vec::with_capacity(layout.pickle.start);
    head.extend(MAGIC);
    for number in [0, id.index, id.identity, length as u64, pickle as u64] {
        head.extend(number.to_le_bytes());
    }
    head.extend(u32::try_from(buffers.len()).ok().filter(|count| *count as usize <= MOST_BUFFERS)?.to_le_bytes());
    head.resize(SAMPLE_HEAD, 0);
    buffers.iter().for_each(|buffer| head.extend((buffer.len() as u64).to_le_bytes()));
    Some((head, layout, length))
}

/// A value's parts in the order of its file, with the zeros between them.
pub(super) fn parts<'a>(
    head: &'a [u8],
    layout: &SampleLayout,
    pickle: &'a [u8],
    buffers: &[&'a [u8]],
) -> Vec<&'a [u8]> {
    const ZEROS: [u8; ALIGNED] = [0; ALIGNED];
    let (mut parts, mut end) = (vec![head, pickle], layout.pickle.end);
    for (range, buffer) in layout.buffers.iter().zip(buffers) {
        parts.extend([&ZEROS[..range.start - end], buffer]);
        end = range.end;
    }
    parts
}

/// Closes a head with the checksum of its parts, which begin with it.
pub(super) fn checksum(parts: &[&[u8]]) -> u64 {
    let mut hasher = twox_hash::xxhash3_64::Hasher::new();
    let mut before = CHECKED;
    for part in parts {
        hasher.write(part.get(before..).unwrap_or_default());
        before = before.saturating_sub(part.len());
    }
    hasher.finish()
}

/// Writes a checksum into a value's head.
pub(super) fn close(head: &mut [u8], checksum: u64) {
    if let Some(place) = head.get_mut(8..CHECKED) {
        place.copy_from_slice(&checksum.to_le_bytes());
    }
}

/// Closes a whole value with its checksum.
pub fn seal(bytes: &mut [u8]) {
    let checksum = XxHash3_64::oneshot(bytes.get(CHECKED..).unwrap_or_default());
    close(bytes, checksum);
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const ID: SampleId = SampleId { index: 3, identity: 9 };

    fn whole(pickle: &[u8], buffers: &[&[u8]]) -> Vec<u8> {
        let (mut head, layout, length) = head(ID, pickle.len(), buffers).unwrap();
        let sum = checksum(&parts(&head, &layout, pickle, buffers));
        close(&mut head, sum);
        let bytes = parts(&head, &layout, pickle, buffers).concat();
        assert_eq!(bytes.len(), length);
        bytes
    }

    proptest! {
        #[test]
        fn parts_are_found_again_and_a_changed_bit_a_cut_or_a_tail_too(
            pickle in prop::collection::vec(any::<u8>(), 0..200),
            buffers in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..300), 0..5),
            at: prop::sample::Index, bit in 0..8_u8, tail in 1..70_usize,
        ) {
            let buffers: Vec<_> = buffers.iter().map(|buffer| &buffer[..]).collect();
            let bytes = whole(&pickle, &buffers);
            let found = SampleLayout::verify(&bytes, ID).unwrap();
            prop_assert_eq!(&bytes[found.pickle.clone()], &pickle[..]);
            prop_assert_eq!(found.buffers.iter().map(|range| &bytes[range.clone()]).collect::<Vec<_>>(), buffers);
            prop_assert!(found.buffers.iter().all(|range| range.start % 64 == 0));
            let mut flipped = bytes.clone();
            flipped[at.index(bytes.len())] ^= 1_u8 << bit;
            prop_assert!(SampleLayout::verify(&flipped, ID).is_err());
            prop_assert!(SampleLayout::verify(&bytes[..at.index(bytes.len())], ID).is_err());
            prop_assert!(SampleLayout::verify(&[bytes, vec![0; tail]].concat(), ID).is_err());
        }
    }

    #[test]
    fn a_value_stands_in_for_no_other_sample_or_dataset() {
        let bytes = whole(b"pickle", &[b"array"]);
        for other in [SampleId { index: 4, ..ID }, SampleId { identity: 8, ..ID }] {
            assert_eq!(SampleLayout::verify(&bytes, other), Err(SampleError::Other));
        }
    }

    #[test]
    fn the_layout_never_changes_in_silence() {
        let bytes = whole(b"pickle", &[b"array"]);
        assert_eq!(&bytes[..8], b"HWSAMPL\x01");
        assert_eq!(bytes[8..16], XxHash3_64::oneshot(&bytes[16..]).to_le_bytes());
        assert_eq!((bytes[16], bytes[24], bytes[32], bytes[40], bytes[48], bytes[64]), (3, 9, 133, 6, 1, 5));
        assert_eq!((&bytes[72..78], &bytes[128..]), (&b"pickle"[..], &b"array"[..]));
        let mut sealed = bytes.clone();
        sealed[8] ^= 1;
        seal(&mut sealed);
        assert_eq!(sealed, bytes);
    }
}
