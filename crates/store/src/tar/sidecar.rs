//! Indexes that other programs leave beside shards. They spare the reading of a shard in a bucket, if they are right.
//!
//! ```text
//! wds2idx (DALI):  "v1.2 SAMPLES"  then a line for each sample: (suffix offset size name) for each of its members
//! ```
//!
//! The offset is that of the content. Energon's indexes (`x.tar.idx`) hold where samples begin and neither names nor
//! sizes, so that every header would have to be read all the same: they are not used.

use std::collections::HashMap;
use std::ops::Range;

use super::header::{BLOCK, Header, Kind};

/// A member as an index has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Listed {
    pub(super) name: String,
    pub(super) content: Range<u64>,
}

/// Most bytes of an index that are read: some 10 million members.
pub(super) const MOST_INDEX: u64 = 1024 * 1024 * 1024;
/// Headers that are held against an index before it is believed.
const CHECKED: usize = 16;

/// The members of an index for a shard of this size, in the order of the shard.
///
/// # Errors
/// In words, why it is none that can be used.
pub(super) fn read(bytes: &[u8], size: u64) -> Result<Vec<Listed>, &'static str> {
    let Ok(text) = std::str::from_utf8(bytes) else {
        return Err("it is not one of wds2idx: Energon's say neither names nor sizes");
    };
    let mut lines = text.lines();
    let head = lines.next().unwrap_or_default();
    let count = match head.split_once(' ') {
        Some(("v1.2", count)) => count.trim().parse::<u64>().map_err(|_| "its first line has no number of samples")?,
        Some(("v1.1", _)) => return Err("it is of version 1.1, which has no names: make it anew with wds2idx"),
        _ => return Err("it is not one of wds2idx"),
    };
    let (mut listed, mut samples) = (Vec::new(), 0);
    for line in lines.filter(|line| !line.is_empty()) {
        samples += 1;
        let words: Vec<_> = line.split(' ').collect();
        if words.len() % 4 != 0 {
            return Err("a line has another number of words than four for each member: names with blanks");
        }
        for member in words.chunks_exact(4) {
            listed.push(member_of(member).ok_or("an offset or a size is no number")?);
        }
    }
    if samples != count {
        return Err("it has another number of samples than it says");
    }
    listed.sort_unstable_by_key(|member| member.content.start);
    let is_apart = listed.windows(2).all(|two| two[0].content.end + BLOCK <= two[1].content.start);
    let is_within = listed.first().is_none_or(|first| first.content.start >= BLOCK)
        && listed.last().is_none_or(|last| last.content.end <= size);
    let is_in_blocks = listed.iter().all(|member| member.content.start % BLOCK == 0);
    if is_apart && is_within && is_in_blocks { Ok(listed) } else { Err("its members do not lie in the shard") }
}

/// The positions of members whose headers are looked at: the first, the last and some between.
pub(super) fn checked(members: usize) -> Vec<usize> {
    let last = members.saturating_sub(1);
    let mut places: Vec<_> = (0..CHECKED).map(|n| last * n / (CHECKED - 1)).collect();
    places.dedup();
    places.truncate(members);
    places
}

/// Whether this block is the header of the member that an index has there.
pub(super) fn agrees(listed: &Listed, block: &[u8; BLOCK as usize]) -> bool {
    let Ok(Some(header)) = Header::read(block) else { return false };
    let short = super::name::text(&header.name);
    // The name of a header is cut where a longer one stands before it.
    let is_name = *short == *listed.name || header.name.len() >= 99 && listed.name.starts_with(&*short);
    header.kind == Kind::File && is_name && header.size == listed.content.end - listed.content.start
}

/// The indexes beside shards, by the shards' names: `x.idx` or `x.tar.idx` for `x.tar`.
pub(super) fn beside<T: Clone>(others: impl Iterator<Item = (String, T)>) -> HashMap<String, T> {
    let mut found = HashMap::new();
    for (name, place) in others {
        if let Some(shard) = name.strip_suffix(".idx") {
            let shard = if shard.ends_with(".tar") { shard.to_owned() } else { format!("{shard}.tar") };
            found.insert(shard, place);
        }
    }
    found
}

fn member_of(words: &[&str]) -> Option<Listed> {
    let [_, start, size, name] = words else { return None };
    let start: u64 = start.parse().ok()?;
    let end = start.checked_add(size.parse().ok()?)?;
    let name = super::name::text(name.as_bytes()).into_owned();
    end.checked_add(BLOCK).map(|_| Listed { name, content: start..end })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tar::written::{Written, block};

    #[test]
    fn an_index_is_read_in_the_order_of_the_shard() {
        let text = b"v1.2 2\njpg 1536 10 ./b/2.jpg cls 2560 1 ./b/2.cls\njpg 512 7 a.jpg\n";
        let listed = read(text, 4096).unwrap();
        let names: Vec<_> = listed.iter().map(|member| (member.name.as_str(), member.content.clone())).collect();
        assert_eq!(names, [("a.jpg", 512..519), ("b/2.jpg", 1536..1546), ("b/2.cls", 2560..2561)]);
        let good = block(&Written { name: b"a.jpg", size: 7, ..Written::default() });
        assert!(agrees(&listed[0], &good) && !agrees(&listed[1], &good) && !agrees(&listed[0], &[0; 512]));
    }

    #[test]
    fn an_index_that_cannot_be_right_says_why() {
        for (text, why) in [
            (&b"\x00\x02\xff\x00"[..], "Energon"),
            (b"v1.1 1\njpg 512 7\n", "1.1"),
            (b"v1.2 2\njpg 512 7 a.jpg\n", "another number of samples"),
            (b"v1.2 1\njpg 512 7 an odd.jpg\n", "blanks"),
            (b"v1.2 1\njpg 512 x a.jpg\n", "no number"),
            (b"v1.2 1\njpg 513 7 a.jpg\n", "do not lie"),
            (b"v1.2 1\njpg 512 4000 a.jpg\n", "do not lie"),
            (b"v1.2 1\njpg 512 18446744073709551615 a.jpg\n", "no number"),
            (b"v1.2 2\njpg 512 700 a.jpg\njpg 1024 7 b.jpg\n", "do not lie"),
            (b"", "not one of wds2idx"),
        ] {
            assert!(read(text, 4096).unwrap_err().contains(why), "{why}");
        }
    }

    #[test]
    fn the_first_the_last_and_some_between_are_checked() {
        assert_eq!((checked(0).len(), checked(1), checked(3)), (0, vec![0], vec![0, 1, 2]));
        let many = checked(1_000_000);
        assert_eq!((many.len(), many[0], many[CHECKED - 1]), (CHECKED, 0, 999_999));
    }
}
