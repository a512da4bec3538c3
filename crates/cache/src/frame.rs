//! An entry as it lies on disk.
//!
//! ```text
//!  0        8          16       24     25      26     32     64
//! ┌────────┬──────────┬────────┬──────┬───────┬──────┬──────┬─────────────┐
//! │ magic  │ checksum │ length │ kind │ entry │ zero │ key  │ payload     │
//! │ 8      │ u64      │ u64    │ u8   │ u8    │ 6    │ 32   │ length      │
//! └────────┴──────────┴────────┴──────┴───────┴──────┴──────┴─────────────┘
//!                     └───────────── XXH3-64 of all this ─────────────────┘
//!
//! magic     "HWFRAME" and the format's version, 1
//! entry     0: the payload is what was made; 1: it is the reason why nothing was
//! numbers   little endian
//! ```
//!
//! The file ends where the payload does. The checksum guards against disks and crashes, not against somebody who may write to the
//! folder: XXH3 for its speed, as on the wire (0.6 us for 22 kB), with the key under it so that no file can stand in for another.

use bytes::{Buf as _, Bytes};
use xxhash_rust::xxh3::{Xxh3, xxh3_64};

use crate::entry::Entry;
use crate::key::EntryKey;

/// The header of an entry's frame; its payload follows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Frame([u8; Frame::HEADER]);

/// What is in an entry's place is not its frame. Whatever the reason, it is removed and made again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FrameError {
    /// Something else, or of another version of this program.
    #[error("it is no frame of this version")]
    Foreign,
    /// A frame of another key or kind.
    #[error("it is another entry's frame")]
    OtherKey,
    /// Shorter or longer than its header says.
    #[error("it has {actual} bytes of payload and should have {expected}")]
    Length {
        /// As its header says.
        expected: u64,
        /// What is there.
        actual: u64,
    },
    /// Not the bytes that were put.
    #[error("its checksum does not fit")]
    Checksum,
}

const MAGIC: &[u8; 8] = b"HWFRAME\x01";
/// What the checksum is over begins here.
const CHECKED: usize = 16;
const BYTES: u8 = 0;
const REFUSED: u8 = 1;

// === impl Frame ===

impl Frame {
    /// Bytes before the payload.
    pub const HEADER: usize = 64;

    /// The header for this entry under this key.
    pub fn seal(key: &EntryKey, entry: &Entry) -> Self {
        let payload = entry.payload();
        let mut header = [0; Self::HEADER];
        header[..8].copy_from_slice(MAGIC);
        header[16..24].copy_from_slice(&(payload.len() as u64).to_le_bytes());
        header[24] = key.kind().code();
        header[25] = match entry {
            Entry::Bytes(_) => BYTES,
            Entry::Refused(_) => REFUSED,
        };
        header[32..].copy_from_slice(key.digest().as_bytes());
        let mut hasher = Xxh3::new();
        hasher.update(&header[CHECKED..]);
        hasher.update(payload);
        header[8..CHECKED].copy_from_slice(&hasher.digest().to_le_bytes());
        Self(header)
    }

    /// The header's bytes.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// Bytes of payload that a frame claims to have; `None` for what is no frame.
    pub(crate) fn claimed_length(frame: &[u8]) -> Option<u64> {
        (frame.starts_with(MAGIC) && frame.len() >= Self::HEADER).then(|| u64_at(frame, 16))?
    }

    /// The entry in a whole frame, without a copy.
    ///
    /// # Errors
    /// Where it is anything but the frame that was put under this key, to the last byte.
    pub fn open(mut frame: Bytes, key: &EntryKey) -> Result<Entry, FrameError> {
        let expected = Self::claimed_length(&frame).ok_or(FrameError::Foreign)?;
        let actual = (frame.len() - Self::HEADER) as u64;
        if actual != expected {
            return Err(FrameError::Length { expected, actual });
        }
        if frame[24] != key.kind().code() || frame[32..Self::HEADER] != key.digest().as_bytes()[..] {
            return Err(FrameError::OtherKey);
        }
        if Some(xxh3_64(&frame[CHECKED..])) != u64_at(&frame, 8) {
            return Err(FrameError::Checksum);
        }
        if frame[26..32] != [0; 6] {
            return Err(FrameError::Foreign);
        }
        let form = frame[25];
        frame.advance(Self::HEADER);
        match form {
            BYTES => Ok(Entry::Bytes(frame)),
            REFUSED => Ok(Entry::Refused(frame)),
            _ => Err(FrameError::Foreign),
        }
    }
}

fn u64_at(bytes: &[u8], at: usize) -> Option<u64> {
    Some(u64::from_le_bytes(*bytes.get(at..)?.first_chunk()?))
}

#[cfg(test)]
mod tests {
    use headwater_store::Version;
    use headwater_types::{ByteCount, Digest};
    use proptest::prelude::*;

    use super::*;
    use crate::kind::Kind;

    const MOST: ByteCount = ByteCount::mebibytes(1);

    fn key(sample: &str) -> EntryKey {
        EntryKey::new(
            Kind::Indexed,
            &Digest::of(b"/srv/photos"),
            &sample.parse().unwrap(),
            Version::of_file(10, 1, 2),
            MOST,
        )
    }

    fn whole(key: &EntryKey, entry: &Entry) -> Vec<u8> {
        [Frame::seal(key, entry).as_bytes(), entry.payload()].concat()
    }

    proptest! {
        #[test]
        fn an_entry_survives_its_frame(payload in prop::collection::vec(any::<u8>(), 0..2000), refused: bool) {
            let entry = if refused { Entry::Refused(payload.into()) } else { Entry::Bytes(payload.into()) };
            prop_assert_eq!(Frame::open(whole(&key("a"), &entry).into(), &key("a")), Ok(entry));
        }

        #[test]
        fn a_changed_bit_a_cut_or_a_tail_is_found(
            payload in prop::collection::vec(any::<u8>(), 0..600), at: prop::sample::Index, bit in 0..8_u8, tail in 1..70_usize,
        ) {
            let frame = whole(&key("a"), &Entry::Bytes(payload.into()));
            let mut flipped = frame.clone();
            flipped[at.index(frame.len())] ^= 1_u8 << bit;
            prop_assert!(Frame::open(flipped.into(), &key("a")).is_err());
            prop_assert!(Frame::open(frame[..at.index(frame.len())].to_vec().into(), &key("a")).is_err());
            prop_assert!(Frame::open([frame, vec![0; tail]].concat().into(), &key("a")).is_err());
        }
    }

    #[test]
    fn a_frame_stands_in_for_no_other_key() {
        let frame = Bytes::from(whole(&key("a"), &Entry::Bytes(Bytes::from_static(b"photo"))));
        assert_eq!(Frame::open(frame, &key("b")), Err(FrameError::OtherKey));
    }

    #[test]
    fn the_layout_never_changes_in_silence() {
        let frame = whole(&key("a"), &Entry::Refused(Bytes::from_static(b"not-jpeg")));
        assert_eq!(&frame[..8], b"HWFRAME\x01");
        assert_eq!(frame[16..32], [8, 0, 0, 0, 0, 0, 0, 0, 1, 1, 0, 0, 0, 0, 0, 0]);
        assert_eq!(&frame[32..64], key("a").digest().as_bytes());
        assert_eq!(&frame[64..], b"not-jpeg");
        assert_eq!(frame[8..16], xxh3_64(&frame[16..]).to_le_bytes());
    }
}
