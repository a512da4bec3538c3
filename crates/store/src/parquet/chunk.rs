//! Where one column lies in one row group.

use std::ops::Range;

use super::codec::Codec;
use super::fault::Fault;
use super::thrift::{Field, Thrift};

/// One column in one row group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Chunk {
    pub(super) codec: Codec,
    /// The chunk's bytes in the file: a dictionary page, where there is one, and data pages.
    pub(super) range: Range<u64>,
    /// The place of the first data page.
    pub(super) data: u64,
    /// The chunk's size when unpacked.
    pub(super) unpacked: u64,
    /// Where the file says at which places pages begin, if it does.
    pub(super) index: Option<Range<u64>>,
    /// How many values are null, if the file says it.
    pub(super) nulls: Option<u64>,
}

/// A chunk as its footer gives it.
#[derive(Default)]
pub(super) struct Raw {
    codec: i64,
    length: u64,
    unpacked: u64,
    data: u64,
    dictionary: Option<u64>,
    nulls: Option<u64>,
    index: (Option<u64>, Option<u64>),
    is_elsewhere: bool,
    is_encrypted: bool,
}

// === impl Raw ===

impl Raw {
    pub(super) fn read(thrift: &mut Thrift<'_>) -> Result<Self, Fault> {
        let mut raw = Self::default();
        thrift.structure(|thrift, field| {
            match field.id {
                1 => raw.is_elsewhere = !thrift.binary(field)?.is_empty(),
                3 => thrift.structure(|thrift, field| raw.take(thrift, field))?,
                4 => raw.index.0 = Some(thrift.natural(field)?),
                5 => raw.index.1 = Some(thrift.natural(field)?),
                8 | 9 => {
                    raw.is_encrypted = true;
                    thrift.skip(field)?;
                }
                _ => thrift.skip(field)?,
            }
            Ok(())
        })?;
        Ok(raw)
    }

    fn take(&mut self, thrift: &mut Thrift<'_>, field: Field) -> Result<(), Fault> {
        match field.id {
            4 => self.codec = thrift.integer(field)?,
            6 => self.unpacked = thrift.natural(field)?,
            7 => self.length = thrift.natural(field)?,
            9 => self.data = thrift.natural(field)?,
            11 => self.dictionary = Some(thrift.natural(field)?),
            12 => thrift.structure(|thrift, field| match field.id {
                3 => thrift.natural(field).map(|nulls| self.nulls = Some(nulls)),
                _ => thrift.skip(field),
            })?,
            _ => thrift.skip(field)?,
        }
        Ok(())
    }

    /// The chunk, which must lie before `end`, where the footer begins.
    pub(super) fn chunk(&self, end: u64) -> Result<Chunk, Fault> {
        if self.is_encrypted {
            return Err(Fault::Unsupported("a column is encrypted: write it without encryption".to_owned()));
        }
        if self.is_elsewhere {
            return Err(Fault::Unsupported("its columns lie in other files".to_owned()));
        }
        // Some writers give 0 where there is no dictionary.
        let start = self.dictionary.filter(|&at| at > 0 && at < self.data).unwrap_or(self.data);
        let within = |start: u64, length: u64| {
            let last = start.checked_add(length).filter(|&last| start >= 4 && last <= end);
            last.map(|last| start..last).ok_or(Fault::Broken("a column's bytes lie outside the file"))
        };
        let range = within(start, self.length)?;
        if self.data > range.end {
            return Err(Fault::Broken("a column's pages begin behind its end"));
        }
        let index = match self.index {
            (Some(at), Some(length)) if length > 0 => Some(within(at, length)?),
            _ => None,
        };
        let (data, unpacked, nulls) = (self.data, self.unpacked, self.nulls);
        Ok(Chunk { codec: Codec::of(self.codec), range, data, unpacked, index, nulls })
    }
}

// === impl Chunk ===

impl Chunk {
    /// Where the dictionary page lies, if there is one.
    pub(super) fn dictionary(&self) -> Option<Range<u64>> {
        (self.range.start < self.data).then_some(self.range.start..self.data)
    }
}
