//! The name of an entry's file: which sample of which dataset it is of, and which entry of that sample.
//!
//! ```text
//! 3f/a1b2c3d4e5f607-0123456789abcdef-fedcba9876543210
//! ── ────────────── ──────────────── ────────────────
//!  └──────┴ sample          └ dataset         └ entry        the first 8 bytes of each digest
//! ```
//!
//! The sample's digest is that by which a sample belongs to a partition
//! ([`Partition::address`](headwater_types::Partition::address)), so that a server knows the entries of its own part.
//! Names say what may be dropped, never what is served: that is for the whole digest in the frame.

use std::fmt;

use headwater_types::{Digest, Partition};

/// An entry's file, below the folder.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EntryName {
    sample: [u8; 8],
    dataset: [u8; 8],
    entry: [u8; 8],
}

/// Bytes of a name within its shard.
const LENGTH: usize = 14 + 1 + 16 + 1 + 16;
/// Bytes of the names that were given at first: digits of the entry's digest alone.
const OUTDATED: usize = 30;
const DIGITS: &[u8; 16] = b"0123456789abcdef";

// === impl EntryName ===

impl EntryName {
    pub(crate) fn new(sample: u64, dataset: &Digest, entry: &Digest) -> Self {
        Self { sample: sample.to_le_bytes(), dataset: first(dataset), entry: first(entry) }
    }

    /// The shard that has the file.
    pub(crate) fn shard(&self) -> u8 {
        self.sample[0]
    }

    /// The file's name in its shard.
    pub(crate) fn in_shard(&self) -> [u8; LENGTH] {
        let mut text = [b'-'; LENGTH];
        write(&mut text[..14], &self.sample[1..]);
        write(&mut text[15..31], &self.dataset);
        write(&mut text[32..], &self.entry);
        text
    }

    /// The file's path below the folder.
    pub(crate) fn path(&self) -> [u8; 3 + LENGTH] {
        let mut path = [b'/'; 3 + LENGTH];
        write(&mut path[..2], &self.sample[..1]);
        path[3..].copy_from_slice(&self.in_shard());
        path
    }

    /// The name that a file in a shard has; `None` for any other.
    pub(crate) fn parse(shard: u8, text: &[u8]) -> Option<Self> {
        let text: &[u8; LENGTH] = text.try_into().ok()?;
        let mut sample = [shard; 8];
        sample[1..].copy_from_slice(&read::<7>(&text[..14])?);
        let name = Self { sample, dataset: read(&text[15..31])?, entry: read(&text[32..])? };
        (name.in_shard() == *text).then_some(name)
    }

    /// Whether a file in a shard has a name as they were given at first: no entry is looked for under such a name any
    /// more.
    pub(crate) fn is_outdated(text: &[u8]) -> bool {
        text.len() == OUTDATED && text.iter().all(|digit| DIGITS.contains(digit))
    }

    /// Whether the entry is of a sample of this part of this dataset.
    pub(crate) fn is_of(&self, dataset: &Digest, part: Partition) -> bool {
        self.dataset == first(dataset) && part.contains_address(u64::from_le_bytes(self.sample))
    }

    /// Which entry, of whatever sample.
    pub(crate) fn entry(&self) -> u64 {
        u64::from_le_bytes(self.entry)
    }
}

impl fmt::Display for EntryName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&String::from_utf8_lossy(&self.path()))
    }
}

fn first(digest: &Digest) -> [u8; 8] {
    digest.as_bytes().first_chunk().copied().unwrap_or_default()
}

fn write(text: &mut [u8], bytes: &[u8]) {
    for (digits, byte) in text.as_chunks_mut::<2>().0.iter_mut().zip(bytes) {
        *digits = [DIGITS[usize::from(byte >> 4)], DIGITS[usize::from(byte & 15)]];
    }
}

fn read<const N: usize>(text: &[u8]) -> Option<[u8; N]> {
    let mut bytes = [0; N];
    for (byte, digits) in bytes.iter_mut().zip(text.as_chunks::<2>().0) {
        let digit = |digit: u8| DIGITS.iter().position(|known| *known == digit);
        // Two of 16 each.
        *byte = (digit(digits[0])? << 4 | digit(digits[1])?) as u8;
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name() -> EntryName {
        EntryName::new(Partition::address("cat/1.jpg"), &Digest::of(b"/srv/photos"), &Digest::of(b"entry"))
    }

    #[test]
    fn a_name_is_read_as_it_was_written_and_nothing_else_is_one() {
        let path = String::from_utf8(name().path().to_vec()).unwrap();
        let (shard, text) = path.split_once('/').unwrap();
        let shard = u8::from_str_radix(shard, 16).unwrap();
        assert_eq!((shard, EntryName::parse(shard, text.as_bytes())), (name().shard(), Some(name())));
        assert_eq!(path, name().to_string());
        for other in [text.to_uppercase(), text.replace('-', "_"), format!("{text}0"), text[1..].to_owned()] {
            assert_eq!(EntryName::parse(shard, other.as_bytes()), None, "{other}");
        }
        assert!(EntryName::is_outdated(b"0123456789abcdef0123456789abcd") && !EntryName::is_outdated(text.as_bytes()));
    }

    #[test]
    fn it_is_of_one_dataset_and_of_one_of_its_parts() {
        let here = Digest::of(b"/srv/photos");
        let parts: Vec<_> =
            Partition::ALL.all().chain((1..=3).filter_map(|number| Partition::new(number, 3))).collect();
        for part in parts {
            assert_eq!(name().is_of(&here, part), part.contains("cat/1.jpg"), "{part}");
            assert!(!name().is_of(&Digest::of(b"/srv/others"), part));
        }
    }
}
