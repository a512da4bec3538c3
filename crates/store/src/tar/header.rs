//! The header of one member: 512 bytes of fixed fields, as v7, ustar, GNU tar and pax have them.
//!
//! ```text
//!   0 name 100    124 size 12    148 checksum 8    156 kind 1    157 link 100    257 magic 8    345 prefix 155
//! ```

use super::damage::Damage;
use super::number::number;

/// The unit of tar files: headers, and what contents are padded to.
pub(super) const BLOCK: u64 = 512;

/// What a header says of its member, long names and extended headers aside.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Header {
    /// The path, as bytes.
    pub(super) name: Vec<u8>,
    /// What a link leads to.
    pub(super) link: Vec<u8>,
    /// The content's bytes, padding not counted.
    pub(super) size: u64,
    pub(super) kind: Kind,
    /// Of an old sparse file: whether blocks with more of its map follow the header.
    pub(super) is_extended: bool,
}

/// What a header is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// A file with its content.
    File,
    /// A further name of a member that was there before.
    HardLink,
    Symlink,
    /// A device, a pipe, a part of another volume, a volume's name.
    Special,
    Folder,
    /// A file with holes, as GNU tar wrote it before pax.
    Sparse,
    /// Its content is the name of the member after it.
    LongName,
    /// Its content is what the member after it links to.
    LongLink,
    /// Its content is an extended header of the member after it.
    Extended,
    /// Its content is an extended header of all members after it.
    Global,
}

// === impl Header ===

impl Header {
    /// Reads a block; `None` for one of zeros, which stands at an archive's end.
    ///
    /// # Errors
    /// A checksum that is not the block's, or a size that is no number.
    pub(super) fn read(block: &[u8; BLOCK as usize]) -> Result<Option<Self>, Damage> {
        if block.iter().all(|byte| *byte == 0) {
            return Ok(None);
        }
        if !has_its_checksum(block) {
            return Err(Damage::NoHeader);
        }
        let mut name = prefix(block).to_vec();
        if !name.is_empty() {
            name.push(b'/');
        }
        name.extend_from_slice(text(&block[..100]));
        let kind = Kind::of(block[156], &name);
        // What is no file has no content, whatever its size says: some programs write that of a link's target.
        let has_none =
            matches!(kind, Kind::HardLink | Kind::Symlink | Kind::Folder) || (b'3'..=b'6').contains(&block[156]);
        let size = if has_none { 0 } else { number(&block[124..136]).ok_or(Damage::Number)? };
        let link = text(&block[157..257]).to_vec();
        Ok(Some(Self { name, link, size, kind, is_extended: kind == Kind::Sparse && block[482] != 0 }))
    }
}

// === impl Kind ===

impl Kind {
    fn of(kind: u8, name: &[u8]) -> Self {
        match kind {
            // Before ustar a folder was a file whose name ends with a slash.
            0 | b'0' if name.ends_with(b"/") => Self::Folder,
            b'1' => Self::HardLink,
            b'2' => Self::Symlink,
            b'3' | b'4' | b'6' | b'M' | b'N' | b'V' => Self::Special,
            b'5' | b'D' => Self::Folder,
            b'S' => Self::Sparse,
            b'L' => Self::LongName,
            b'K' => Self::LongLink,
            b'x' | b'X' => Self::Extended,
            b'g' => Self::Global,
            // POSIX: a kind that is not known is a file.
            _ => Self::File,
        }
    }
}

/// The sum of all bytes with the checksum's own as blanks. Some old programs took the bytes as signed.
fn has_its_checksum(block: &[u8; BLOCK as usize]) -> bool {
    let Some(written) = number(&block[148..156]) else { return false };
    let own: i64 = block[148..156].iter().map(|byte| i64::from(*byte)).sum();
    let unsigned = block.iter().map(|byte| i64::from(*byte)).sum::<i64>() - own + 8 * i64::from(b' ');
    let high = block.iter().enumerate().filter(|(at, byte)| **byte >= 0x80 && !(148..156).contains(at)).count();
    let written = i64::try_from(written).unwrap_or(-1);
    written == unsigned || written == unsigned - 256 * high as i64
}

/// The folders before the name, which only ustar has: in those bytes GNU tar keeps times.
fn prefix(block: &[u8; BLOCK as usize]) -> &[u8] {
    let length = if &block[508..512] == b"tar\0" { 131 } else { 155 };
    if &block[257..263] == b"ustar\0" { text(&block[345..345 + length]) } else { b"" }
}

/// The bytes up to the first NUL.
fn text(field: &[u8]) -> &[u8] {
    let end = field.iter().position(|byte| *byte == 0).unwrap_or(field.len());
    &field[..end]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tar::written::{Written, block};

    #[test]
    fn a_header_is_read_with_its_prefix() {
        let written = Written { name: b"1.jpg", prefix: b"a/cat", size: 1000, ..Written::default() };
        let header = Header::read(&block(&written)).unwrap().unwrap();
        assert_eq!((header.name.as_slice(), header.size, header.kind), (&b"a/cat/1.jpg"[..], 1000, Kind::File));
        let gnu = block(&Written { magic: b"ustar  \0", ..written });
        assert_eq!(Header::read(&gnu).unwrap().unwrap().name, b"1.jpg", "GNU tar has times there");
    }

    #[test]
    fn zeros_are_the_end_and_any_other_byte_that_is_changed_is_seen() {
        assert_eq!(Header::read(&[0; 512]), Ok(None));
        let good = block(&Written { name: b"a.jpg", size: 5, ..Written::default() });
        for at in 0..512 {
            let mut changed = good;
            changed[at] ^= 1;
            // A blank or NUL behind the checksum may be either.
            assert!(Header::read(&changed).is_err() || (148..156).contains(&at), "{at}");
        }
    }

    #[test]
    fn old_folders_and_links_have_no_content() {
        for (kind, name, expected) in
            [(0, &b"cat/"[..], Kind::Folder), (b'1', b"a", Kind::HardLink), (b'4', b"a", Kind::Special)]
        {
            let header = Header::read(&block(&Written { name, kind, size: 7, ..Written::default() }));
            let header = header.unwrap().unwrap();
            assert_eq!((header.kind, header.size), (expected, 0));
        }
    }

    #[test]
    fn a_size_that_is_no_number_is_damage() {
        let mut bad = block(&Written { name: b"a", ..Written::default() });
        bad[124..136].copy_from_slice(b"00000000008\0");
        let sum: u64 = bad.iter().map(|byte| u64::from(*byte)).sum::<u64>()
            - bad[148..156].iter().map(|byte| u64::from(*byte)).sum::<u64>()
            + 8 * 32;
        bad[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
        assert_eq!(Header::read(&bad), Err(Damage::Number));
    }
}
