//! The index of one shard: every member's name, kind and place, and what small companions of photos say.
//!
//! ```text
//! "HWTARIX1" | bytes of the shard u64 | members u64 | bytes behind its end u64
//! damage: length u32 | UTF-8                                             no bytes where the shard is whole
//! each member:  kind u8 | shared v | rest v | rest of the name           shared with the name before it, in bytes
//!               start v | length v                                       start as its distance to the end before it
//!               value v | bytes                                          0: none, 1: unreadable, n + 2: n bytes
//! ```
//!
//! Numbers are little endian, and `v` is LEB128. A place that goes back is never written: members come in order.
//! Invariant: an index was read through once when it was made, so that going through it cannot fail.

use std::ops::Range;

use super::companion::Value;
use super::scan::MemberKind;
use super::varint;

/// The index of one shard, encoded: some 20 bytes a member.
#[derive(Clone, Debug)]
pub(super) struct Index {
    bytes: Vec<u8>,
    head: Head,
}

/// What stands before the members.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Head {
    size: u64,
    members: u64,
    /// Bytes behind the archive's end that are no part of it.
    behind: u64,
    /// Why the shard could not be read to its end.
    damage: Option<String>,
    /// Where the members begin.
    at: usize,
}

/// An index that is being made.
#[derive(Clone, Debug, Default)]
pub(super) struct Making {
    bytes: Vec<u8>,
    members: u64,
    name: Vec<u8>,
    end: u64,
}

/// One member.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Entry<'a> {
    pub(super) name: &'a str,
    pub(super) kind: MemberKind,
    pub(super) content: Range<u64>,
    /// Of a companion what it says, of a hard link the name of what it leads to.
    pub(super) value: Value<'a>,
}

/// Goes through an index.
#[derive(Clone, Debug)]
pub(super) struct Entries<'a> {
    rest: &'a [u8],
    left: u64,
    size: u64,
    name: String,
    end: u64,
}

const MAGIC: &[u8; 8] = b"HWTARIX1";
const KINDS: [MemberKind; 6] = [
    MemberKind::File,
    MemberKind::Sparse,
    MemberKind::HardLink,
    MemberKind::Symlink,
    MemberKind::Special,
    MemberKind::Folder,
];

// === impl Making ===

impl Making {
    pub(super) fn push(&mut self, name: &str, kind: MemberKind, content: &Range<u64>, value: &Value<'_>) {
        let shared = shared(&self.name, name);
        let rest = &name.as_bytes()[shared..];
        self.bytes.push(KINDS.iter().position(|known| *known == kind).unwrap_or_default() as u8);
        varint::write(&mut self.bytes, shared as u64);
        varint::write(&mut self.bytes, rest.len() as u64);
        self.bytes.extend_from_slice(rest);
        varint::write(&mut self.bytes, content.start.saturating_sub(self.end));
        varint::write(&mut self.bytes, content.end - content.start);
        let (length, value) = match value {
            Value::None => (0, &[][..]),
            Value::Unreadable => (1, &[][..]),
            Value::Text(text) => (text.len() as u64 + 2, text.as_bytes()),
        };
        varint::write(&mut self.bytes, length);
        self.bytes.extend_from_slice(value);
        self.name.truncate(shared);
        self.name.extend_from_slice(rest);
        (self.members, self.end) = (self.members + 1, content.end);
    }

    pub(super) fn members(&self) -> u64 {
        self.members
    }

    /// The index of a shard of this size.
    pub(super) fn finish(self, size: u64, behind: u64, damage: Option<&str>) -> Index {
        let damage = damage.unwrap_or_default();
        let mut bytes = MAGIC.to_vec();
        for number in [size, self.members, behind] {
            bytes.extend_from_slice(&number.to_le_bytes());
        }
        bytes.extend_from_slice(&(damage.len() as u32).to_le_bytes());
        bytes.extend_from_slice(damage.as_bytes());
        let at = bytes.len();
        bytes.extend_from_slice(&self.bytes);
        let damage = (!damage.is_empty()).then(|| damage.to_owned());
        Index { bytes, head: Head { size, members: self.members, behind, damage, at } }
    }
}

// === impl Index ===

impl Index {
    /// Reads what [`Self::as_bytes`] gave for a shard of this size; `None` for anything else.
    pub(super) fn read(bytes: Vec<u8>, size: u64) -> Option<Self> {
        let head = Head::read(&bytes).filter(|head| head.size == size)?;
        let index = Self { bytes, head };
        let mut entries = index.entries();
        while entries.left > 0 {
            entries.next()?;
        }
        let is_whole = entries.rest.is_empty();
        is_whole.then_some(index)
    }

    pub(super) fn as_bytes(&self) -> &[u8] {
        &self.bytes
    }

    pub(super) fn members(&self) -> u64 {
        self.head.members
    }

    pub(super) fn damage(&self) -> Option<&str> {
        self.head.damage.as_deref()
    }

    /// Bytes behind the archive's end that are no part of it.
    pub(super) fn behind(&self) -> u64 {
        self.head.behind
    }

    pub(super) fn entries(&self) -> Entries<'_> {
        let Head { size, members: left, at, .. } = self.head;
        Entries { rest: &self.bytes[at..], left, size, name: String::new(), end: 0 }
    }
}

// === impl Head ===

impl Head {
    fn read(bytes: &[u8]) -> Option<Self> {
        let mut rest = bytes.strip_prefix(MAGIC)?;
        let mut number = || {
            let (first, after) = rest.split_first_chunk()?;
            rest = after;
            Some(u64::from_le_bytes(*first))
        };
        let (size, members, behind) = (number()?, number()?, number()?);
        let (length, rest) = rest.split_first_chunk()?;
        let damage = rest.get(..u32::from_le_bytes(*length) as usize)?;
        let damage = std::str::from_utf8(damage).ok()?.to_owned();
        let at = bytes.len() - rest.len() + damage.len();
        Some(Self { size, members, behind, damage: (!damage.is_empty()).then_some(damage), at })
    }
}

// === impl Entries ===

impl<'a> Entries<'a> {
    /// The next member.
    pub(super) fn next(&mut self) -> Option<Entry<'_>> {
        self.left = self.left.checked_sub(1)?;
        let (kind, rest) = self.rest.split_first()?;
        self.rest = rest;
        let kind = *KINDS.get(usize::from(*kind))?;
        let shared = usize::try_from(self.number()?).ok().filter(|at| self.name.is_char_boundary(*at))?;
        let length = self.number()?;
        let rest = std::str::from_utf8(self.take(length)?).ok()?;
        self.name.truncate(shared);
        self.name.push_str(rest);
        let start = self.end.checked_add(self.number()?)?;
        let end = start.checked_add(self.number()?).filter(|end| *end <= self.size)?;
        self.end = end;
        let value = match self.number()? {
            0 => Value::None,
            1 => Value::Unreadable,
            length => Value::Text(std::str::from_utf8(self.take(length - 2)?).ok()?),
        };
        Some(Entry { name: &self.name, kind, content: start..end, value })
    }

    fn number(&mut self) -> Option<u64> {
        varint::read(&mut self.rest)
    }

    fn take(&mut self, length: u64) -> Option<&'a [u8]> {
        let (taken, rest) = self.rest.split_at_checked(usize::try_from(length).ok()?)?;
        self.rest = rest;
        Some(taken)
    }
}

/// How many bytes two names begin with alike, up to where a character begins.
fn shared(before: &[u8], name: &str) -> usize {
    let alike = before.iter().zip(name.as_bytes()).take_while(|(a, b)| a == b).count();
    (0..=alike).rev().find(|at| name.is_char_boundary(*at)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn made() -> Index {
        let mut making = Making::default();
        making.push("cat/1.jpg", MemberKind::File, &(512..1000), &Value::None);
        making.push("cat/1.cls", MemberKind::File, &(1536..1537), &Value::Text("7"));
        making.push("cat/\u{e9}.jpg", MemberKind::Symlink, &(2560..2560), &Value::Unreadable);
        making.push("cat/\u{e8}.jpg", MemberKind::File, &(3072..4000), &Value::Text(""));
        making.finish(10_240, 3, Some("its end is missing"))
    }

    #[test]
    fn an_index_reads_what_it_wrote() {
        let index = Index::read(made().as_bytes().to_vec(), 10_240).unwrap();
        assert_eq!((index.members(), index.behind(), index.damage()), (4, 3, Some("its end is missing")));
        let mut entries = index.entries();
        let first = entries.next().unwrap();
        assert_eq!((first.name, first.content, first.value), ("cat/1.jpg", 512..1000, Value::None));
        let second = entries.next().unwrap();
        assert_eq!((second.name, second.content, second.value), ("cat/1.cls", 1536..1537, Value::Text("7")));
        let third = entries.next().unwrap();
        assert_eq!((third.name, third.kind, third.value), ("cat/\u{e9}.jpg", MemberKind::Symlink, Value::Unreadable));
        assert_eq!(entries.next().unwrap().name, "cat/\u{e8}.jpg");
        assert_eq!(entries.next(), None);
    }

    #[test]
    fn bytes_that_are_no_index_of_the_shard_are_none() {
        let good = made().as_bytes().to_vec();
        assert!(Index::read(good.clone(), 10_239).is_none(), "of a shard of another size");
        assert!(Index::read([&good[..], b"x"].concat(), 10_240).is_none());
        for cut in 0..good.len() {
            assert!(Index::read(good[..cut].to_vec(), 10_240).is_none(), "{cut}");
        }
        for at in 0..good.len() {
            for bit in 0..8 {
                let mut bytes = good.clone();
                bytes[at] ^= 1 << bit;
                let _ = Index::read(bytes, 10_240);
            }
        }
    }
}
