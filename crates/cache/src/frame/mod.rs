//! An entry as it lies on disk.
//!
//! ```text
//!  0        8          16       24     25      26     32     64                 64 + 8 n
//! ┌────────┬──────────┬────────┬──────┬───────┬──────┬──────┬──────────────────┬─────────────┐
//! │ magic  │ checksum │ length │ kind │ entry │ zero │ key  │ a check for each │ payload     │
//! │ 8      │ u64      │ u64    │ u8   │ u8    │ 6    │ 32   │ chunk, n x u64   │ length      │
//! └────────┴──────────┴────────┴──────┴───────┴──────┴──────┴──────────────────┴─────────────┘
//!                     └──────────────── XXH3-64 of all this ─────────────────┘
//!
//! magic     "HWFRAME" and the format's version, 2
//! entry     0: the payload is what was made; 1: it is the reason why nothing was
//! check     XXH3-64 of 16 KiB of payload; the last chunk ends with the payload: n = ceil(length / 16 KiB)
//! numbers   little endian
//! ```
//!
//! The file ends where the payload does. Checksums guard against disks and crashes, not against somebody who may write
//! to the folder: XXH3 for its speed, as on the wire, with the key under it so that no file can stand in for another.
//! One for each chunk, so that of a large entry only the part that is wanted need be read: a crop of a photo of 450 kB
//! takes two thirds of it on average.

mod error;
mod head;
mod layout;

use bytes::{Buf as _, Bytes};
use twox_hash::XxHash3_64;

use self::layout::{BYTES, CHECK, CHECKED, CHUNK, HEADER, MAGIC, REFUSED, front_length};
use crate::entry::Entry;
use crate::key::EntryKey;

pub use error::FrameError;
pub(crate) use head::FrameHead;
pub(crate) use layout::{file_length, payload_length};

/// What comes before an entry's payload on disk.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Frame(Vec<u8>);

// === impl Frame ===

impl Frame {
    /// Bytes before the checks.
    pub const HEADER: usize = HEADER;

    /// The header and the checks of this entry under this key.
    pub fn seal(key: &EntryKey, entry: &Entry) -> Self {
        let payload = entry.payload();
        let mut front = Vec::with_capacity(front_length(payload.len()));
        front.extend(MAGIC);
        front.extend([0; CHECKED - MAGIC.len()]);
        front.extend((payload.len() as u64).to_le_bytes());
        front.push(key.kind().name().code());
        front.push(match entry {
            Entry::Bytes(_) => BYTES,
            Entry::Refused(_) => REFUSED,
        });
        front.resize(Self::HEADER - key.digest().as_bytes().len(), 0);
        front.extend(key.digest().as_bytes());
        front.extend(payload.chunks(CHUNK).flat_map(|chunk| XxHash3_64::oneshot(chunk).to_le_bytes()));
        close(&mut front);
        Self(front)
    }

    /// The header and the checks as bytes.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// Makes the checks and the checksum of a whole frame, of the length that its header says, those of what is there.
    /// For who tests what lies behind them.
    pub fn mend(frame: &mut [u8]) {
        let claimed = FrameHead::claimed_front(frame).and_then(|front| usize::try_from(front).ok());
        let Some((front, payload)) = claimed.and_then(|front| frame.split_at_mut_checked(front)) else { return };
        let checks = front[Self::HEADER..].as_chunks_mut::<CHECK>().0;
        for (chunk, check) in payload.chunks(CHUNK).zip(checks) {
            *check = XxHash3_64::oneshot(chunk).to_le_bytes();
        }
        close(front);
    }

    /// The entry in a whole frame, without a copy.
    ///
    /// # Errors
    /// Where it is anything but the frame that was put under this key, to the last byte.
    pub fn open(mut frame: Bytes, key: &EntryKey) -> Result<Entry, FrameError> {
        let head = FrameHead::read(&frame, frame.len() as u64, key)?;
        head.check(&frame, 0..head.length())?;
        frame.advance(front_length(head.length()));
        Ok(if head.made { Entry::Bytes(frame) } else { Entry::Refused(frame) })
    }
}

/// Makes the header's checksum that of what stands behind it, up to the payload.
fn close(front: &mut [u8]) {
    let checksum = XxHash3_64::oneshot(&front[CHECKED..]);
    front[MAGIC.len()..CHECKED].copy_from_slice(&checksum.to_le_bytes());
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

    /// Of no chunk, of one, and of some.
    fn payload() -> impl Strategy<Value = Vec<u8>> {
        let length = prop_oneof![0..600_usize, CHUNK - 2..CHUNK + 2, 2 * CHUNK..3 * CHUNK];
        (length, any::<u64>())
            .prop_map(|(length, seed)| (0..length as u64).map(|at| (at.wrapping_mul(seed | 1) >> 7) as u8).collect())
    }

    fn whole(key: &EntryKey, entry: &Entry) -> Vec<u8> {
        [Frame::seal(key, entry).as_bytes(), entry.payload()].concat()
    }

    proptest! {
        #[test]
        fn an_entry_survives_its_frame(payload in payload(), refused: bool) {
            let entry = if refused { Entry::Refused(payload.into()) } else { Entry::Bytes(payload.into()) };
            prop_assert_eq!(Frame::open(whole(&key("a"), &entry).into(), &key("a")), Ok(entry));
        }

        #[test]
        fn a_changed_bit_a_cut_or_a_tail_is_found(
            payload in payload(), at: prop::sample::Index, bit in 0..8_u8, tail in 1..70_usize,
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
    fn a_part_is_verified_by_its_own_chunks() {
        let payload: Vec<u8> = (0..3 * CHUNK + 5).map(|at| (at * 7 + at / 256) as u8).collect();
        let mut frame = whole(&key("a"), &Entry::Bytes(payload.into()));
        let head = FrameHead::read(&frame, frame.len() as u64, &key("a")).unwrap();
        let front = front_length(head.length());
        frame[front + CHUNK] ^= 1;
        for (range, good) in [
            (0..CHUNK, true),
            (CHUNK - 1..CHUNK, true),
            (CHUNK - 1..CHUNK + 1, false),
            (2 * CHUNK - 1..2 * CHUNK, false),
            (2 * CHUNK..3 * CHUNK + 5, true),
            (3 * CHUNK + 4..3 * CHUNK + 6, false),
        ] {
            assert_eq!(head.check(&frame, range.clone()).is_ok(), good, "{range:?}");
        }
        assert_eq!(head.chunks(&(CHUNK + 1..CHUNK + 2)), Some(front + CHUNK..front + 2 * CHUNK));
        assert_eq!(head.chunks(&(0..3 * CHUNK + 6)), None);
    }

    #[test]
    fn a_files_length_tells_that_of_its_payload() {
        let chunk = CHUNK as u64;
        for payload in (0..200).chain(chunk - 20..chunk + 20).chain(3 * chunk - 30..3 * chunk + 30) {
            assert_eq!(payload_length(file_length(payload)), payload);
        }
        let between = file_length(chunk) + 1;
        assert_eq!([0, 63, between].map(payload_length), [0; 3], "no frame has this length");
    }

    #[test]
    fn the_layout_never_changes_in_silence() {
        let frame = whole(&key("a"), &Entry::Refused(Bytes::from_static(b"not-jpeg")));
        assert_eq!(&frame[..8], b"HWFRAME\x02");
        assert_eq!(frame[16..32], [8, 0, 0, 0, 0, 0, 0, 0, 1, 1, 0, 0, 0, 0, 0, 0]);
        assert_eq!(&frame[32..64], key("a").digest().as_bytes());
        assert_eq!(frame[64..72], XxHash3_64::oneshot(b"not-jpeg").to_le_bytes());
        assert_eq!(&frame[72..], b"not-jpeg");
        assert_eq!(frame[8..16], XxHash3_64::oneshot(&frame[16..72]).to_le_bytes());
    }
}
