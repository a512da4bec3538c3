//! The name of an entry's file: which sample of which dataset it is of, which version of that sample, and what was made
//! of it.
//!
//! ```text
//! 3f/a1b2c3d4e5f607-0123456789abcdef-fedcba9876543210-r0f1e2d3c4b5a6978
//! ── ────────────── ──────────────── ──────────────── ─────────────────
//!  └──────┴ sample          └ dataset         └ version   └ kind, and what made it where there are several
//! ```
//!
//! The numbers are the first 8 bytes of each digest. The sample's is that by which a sample belongs to a partition
//! ([`Partition::address`](headwater_types::Partition::address)), so that a server knows the entries of its own part.
//! The version's is the same for all kinds, so that one listing tells which entries of any kind are dead. Names say
//! what may be dropped and what is counted as which kind, never what is served: that is for the whole digest in the
//! frame.

use std::fmt;
use std::hash::{Hash, Hasher};
use std::ops::Deref;

use headwater_types::{Digest, Partition};

use crate::kind::{Kind, KindName};

/// An entry's file, below the folder.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EntryName {
    sample: [u8; 8],
    dataset: [u8; 8],
    version: [u8; 8],
    kind: KindName,
    /// The first bytes of the digest of what made it; zeros where only one thing could.
    maker: [u8; 8],
}

/// A name as text.
#[derive(Clone, Copy, Debug)]
pub(crate) struct NameText {
    bytes: [u8; 3 + LONGEST],
    length: usize,
}

/// Bytes of a name within its shard, up to the kind's letter and with it.
const LENGTH: usize = 14 + 1 + 16 + 1 + 16 + 1 + 1;
/// Bytes of a name that says what made the entry.
const LONGEST: usize = LENGTH + 16;
/// Bytes of the names that were given before: digits of the entry's digest alone, and names without a kind.
const OUTDATED: [usize; 2] = [30, 48];
const DIGITS: &[u8; 16] = b"0123456789abcdef";

// === impl EntryName ===

impl EntryName {
    pub(crate) fn new(sample: u64, dataset: &Digest, version: &Digest, kind: Kind) -> Self {
        let (sample, maker) = (sample.to_le_bytes(), kind.maker().map_or([0; 8], first));
        Self { sample, dataset: first(dataset), version: first(version), kind: kind.name(), maker }
    }

    /// The shard that has the file.
    pub(crate) fn shard(&self) -> u8 {
        self.sample[0]
    }

    /// The file's name in its shard.
    pub(crate) fn in_shard(&self) -> NameText {
        let mut text = self.path();
        text.bytes.copy_within(3.., 0);
        text.length -= 3;
        text
    }

    /// The file's path below the folder.
    pub(crate) fn path(&self) -> NameText {
        let mut bytes = [b'-'; 3 + LONGEST];
        write(&mut bytes[..2], &self.sample[..1]);
        bytes[2] = b'/';
        write(&mut bytes[3..17], &self.sample[1..]);
        write(&mut bytes[18..34], &self.dataset);
        write(&mut bytes[35..51], &self.version);
        bytes[52] = self.kind.letter();
        write(&mut bytes[53..], &self.maker);
        NameText { bytes, length: 3 + if self.has_maker() { LONGEST } else { LENGTH } }
    }

    /// The name that a file in a shard has; `None` for any other.
    pub(crate) fn parse(shard: u8, text: &[u8]) -> Option<Self> {
        let (head, maker) = text.split_at_checked(LENGTH)?;
        let mut sample = [shard; 8];
        sample[1..].copy_from_slice(&read::<7>(&head[..14])?);
        let (dataset, version) = (read(&head[15..31])?, read(&head[32..48])?);
        let kind = KindName::of_letter(head[49])?;
        let maker = if maker.is_empty() { [0; 8] } else { read(maker)? };
        let name = Self { sample, dataset, version, kind, maker };
        let has_dashes = [14, 31, 48].iter().all(|&at| head[at] == b'-');
        (has_dashes && name.has_maker() == (text.len() > LENGTH)).then_some(name)
    }

    /// Whether a file in a shard has a name as they were given before: no entry is looked for under such a name any
    /// more.
    pub(crate) fn is_outdated(text: &[u8]) -> bool {
        let digit = |digit: &u8| DIGITS.contains(digit) || *digit == b'-';
        OUTDATED.contains(&text.len()) && text.iter().all(digit)
    }

    /// Whether the entry is of a sample of this part of this dataset.
    pub(crate) fn is_of(&self, dataset: &Digest, part: Partition) -> bool {
        self.dataset == first(dataset) && part.contains_address(u64::from_le_bytes(self.sample))
    }

    /// Which version of the sample, whatever was made of it.
    pub(crate) fn version(&self) -> u64 {
        u64::from_le_bytes(self.version)
    }

    /// What was made of the sample.
    pub fn kind(&self) -> KindName {
        self.kind
    }

    fn has_maker(&self) -> bool {
        matches!(self.kind, KindName::Resized | KindName::Features)
    }
}

impl Hash for EntryName {
    /// What differs between entries, in one number: it is of a digest already.
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write_u64(self.version() ^ u64::from_le_bytes(self.maker) ^ u64::from(self.kind.code()) << 56);
    }
}

impl fmt::Display for EntryName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&String::from_utf8_lossy(&self.path()))
    }
}

// === impl NameText ===

impl Deref for NameText {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.bytes[..self.length]
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
    if text.len() != 2 * N {
        return None;
    }
    for (byte, digits) in bytes.iter_mut().zip(text.as_chunks::<2>().0) {
        *byte = digit(digits[0])? << 4 | digit(digits[1])?;
    }
    Some(bytes)
}

fn digit(digit: u8) -> Option<u8> {
    match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(kind: Kind) -> EntryName {
        EntryName::new(Partition::address("cat/1.jpg"), &Digest::of(b"/srv/photos"), &Digest::of(b"version"), kind)
    }

    #[test]
    fn a_name_is_read_as_it_was_written_and_nothing_else_is_one() {
        let maker = Digest::of(b"maker");
        let kinds = [Kind::Encoded, Kind::Indexed, Kind::Resized { recipe: maker }, Kind::Features { model: maker }];
        for name in kinds.map(name) {
            let path = String::from_utf8(name.path().to_vec()).unwrap();
            let (shard, text) = path.split_once('/').unwrap();
            assert_eq!(text.as_bytes(), &*name.in_shard());
            let shard = u8::from_str_radix(shard, 16).unwrap();
            assert_eq!((shard, EntryName::parse(shard, text.as_bytes())), (name.shard(), Some(name)));
            assert_eq!(path, name.to_string());
            let (cut, longer) = (text[..text.len() - 1].to_owned(), format!("{text}0"));
            for other in [text.to_uppercase(), text.replace('-', "_"), longer, text[1..].to_owned(), cut] {
                assert_eq!(EntryName::parse(shard, other.as_bytes()), None, "{other}");
            }
            assert!(!EntryName::is_outdated(text.as_bytes()) && EntryName::is_outdated(&text.as_bytes()[..48]));
        }
        assert!(EntryName::is_outdated(b"0123456789abcdef0123456789abcd"));
    }

    #[test]
    fn it_is_of_one_dataset_and_of_one_of_its_parts() {
        let (here, name) = (Digest::of(b"/srv/photos"), name(Kind::Indexed));
        let parts: Vec<_> =
            Partition::ALL.all().chain((1..=3).filter_map(|number| Partition::new(number, 3))).collect();
        for part in parts {
            assert_eq!(name.is_of(&here, part), part.contains("cat/1.jpg"), "{part}");
            assert!(!name.is_of(&Digest::of(b"/srv/others"), part));
        }
    }
}
