//! A page's bytes, unpacked and decoded: the values of its rows.

use bytes::Bytes;
use headwater_types::ByteCount;

use super::codec::Codec;
use super::fault::Fault;
use super::header::{Header, Kind};
use super::hybrid;
use super::schema::Leaf;
use super::values::{Cells, Values, is_dictionary};

/// How the definition levels of first-version pages are encoded by every writer since 2013.
const RUNS: i64 = 3;

/// The most memory that a row of a page takes beside its bytes: level, position, place and span.
pub(super) const ROW_MEMORY: u64 = 24;

/// What it takes to decode pages of one chunk.
#[derive(Clone, Copy)]
pub(super) struct Decoding<'a> {
    pub(super) leaf: &'a Leaf,
    pub(super) codec: Codec,
    /// How many bytes a page may have when unpacked.
    pub(super) room: u64,
}

/// A page's parts, unpacked.
struct Parts {
    repetition: Option<Bytes>,
    definition: Option<Bytes>,
    values: Bytes,
}

/// The elements of lists, as a page has them.
pub(super) struct Elements {
    /// 0 where a row begins.
    pub(super) repetition: Vec<u32>,
    /// Whether there is a list, an element, and a value.
    pub(super) definition: Vec<u32>,
    /// The values that are there.
    pub(super) values: Cells,
}

// === impl Decoding ===

impl Decoding<'_> {
    /// Whether the page at the beginning of these bytes needs its chunk's dictionary.
    pub(super) fn needs_dictionary(page: &[u8]) -> Result<bool, Fault> {
        let header = Header::read(page)?;
        Ok(is_dictionary(header.encoding) && header.kind != Kind::Dictionary)
    }

    /// Decodes a data page of so many rows: its header and its bytes. `dictionary` is the dictionary page of the chunk,
    /// likewise.
    pub(super) fn decode(self, page: &Bytes, dictionary: Option<&Bytes>, rows: u32) -> Result<Cells, Fault> {
        let (header, parts) = self.open(page, Some(rows))?;
        let rows = rows as usize;
        let levels = parts.definition.map(|levels| hybrid::read(&levels, self.level_bits(), rows)).transpose()?;
        let is_there = |level: &u32| *level == u32::from(self.leaf.optional);
        let count = levels.as_ref().map_or(rows, |levels| levels.iter().filter(|level| is_there(level)).count());
        let values = self.values(&header, &parts.values, dictionary, count)?;
        Ok(match levels {
            Some(levels) if count < rows => Cells::some(values, levels.iter().map(is_there)),
            _ => Cells::full(values),
        })
    }

    /// Decodes a data page of a column whose rows are lists.
    pub(super) fn decode_lists(self, page: &Bytes, dictionary: Option<&Bytes>) -> Result<Elements, Fault> {
        let (header, parts) = self.open(page, None)?;
        let count = header.values as usize;
        let read = |levels: Option<Bytes>, bits| levels.map(|levels| hybrid::read(&levels, bits, count)).transpose();
        let repetition = read(parts.repetition, 1)?.unwrap_or_else(|| vec![0; count]);
        let definition = read(parts.definition, self.level_bits())?.unwrap_or_else(|| vec![0; count]);
        let present = definition.iter().filter(|level| **level == u32::from(self.leaf.optional)).count();
        let values = Cells::full(self.values(&header, &parts.values, dictionary, present)?);
        Ok(Elements { repetition, definition, values })
    }

    /// The header and the parts of a data page, of so many rows where that is known.
    fn open(self, page: &Bytes, rows: Option<u32>) -> Result<(Header, Parts), Fault> {
        let header = Header::read(page)?;
        let memory = u64::from(header.values) * ROW_MEMORY;
        if memory > self.room {
            return Err(Fault::Larger(ByteCount::new(memory)));
        }
        if !matches!(header.kind, Kind::Data | Kind::DataV2) || rows.is_some_and(|rows| header.values != rows) {
            return Err(Fault::Broken("a page has other rows than the file says"));
        }
        let parts = self.parts(&header, page)?;
        Ok((header, parts))
    }

    /// So many values of a page.
    fn values(self, header: &Header, bytes: &Bytes, dictionary: Option<&Bytes>, count: usize) -> Result<Values, Fault> {
        let dictionary = match dictionary {
            Some(page) if is_dictionary(header.encoding) => Some(self.dictionary(page)?),
            None if is_dictionary(header.encoding) => return Err(Fault::Short("its dictionary")),
            _ => None,
        };
        Values::read(bytes, header.encoding, count, self.leaf.physical, dictionary.as_ref(), self.room)
    }

    fn parts(self, header: &Header, page: &Bytes) -> Result<Parts, Fault> {
        let (repeated, optional) = (self.leaf.is_repeated, self.leaf.optional > 0);
        if header.kind == Kind::DataV2 {
            let stored = self.stored(header, page)?;
            let (start, end) = (u64::from(header.repetition_bytes), u64::from(header.level_bytes));
            let (start, end) = (start as usize, (start + end) as usize);
            if end > stored.len() || end > header.unpacked as usize {
                return Err(Fault::Short("a page's levels"));
            }
            let values = stored.slice(end..);
            let codec = if header.is_packed { self.codec } else { Codec::Plain };
            let values = unpack(codec, &values, header.unpacked as usize - end)?;
            let repetition = repeated.then(|| stored.slice(..start));
            return Ok(Parts { repetition, definition: optional.then(|| stored.slice(start..end)), values });
        }
        let mut values = unpack(self.codec, &self.stored(header, page)?, header.unpacked as usize)?;
        let repetition = repeated.then(|| levels(header, &mut values)).transpose()?;
        let definition = optional.then(|| levels(header, &mut values)).transpose()?;
        Ok(Parts { repetition, definition, values })
    }

    fn dictionary(self, page: &Bytes) -> Result<Values, Fault> {
        let header = Header::read(page)?;
        if header.kind != Kind::Dictionary || !matches!(header.encoding, 0 | 2) {
            return Err(Fault::Broken("there is no dictionary in its place"));
        }
        let bytes = unpack(self.codec, &self.stored(&header, page)?, header.unpacked as usize)?;
        Values::read(&bytes, 0, header.values as usize, self.leaf.physical, None, self.room)
    }

    /// A page's bytes as they are in the file, once they are known to be right and not too many.
    fn stored(self, header: &Header, page: &Bytes) -> Result<Bytes, Fault> {
        if u64::from(header.unpacked) > self.room {
            return Err(Fault::Larger(ByteCount::new(u64::from(header.unpacked))));
        }
        let range = header.length as usize..header.whole() as usize;
        if range.end > page.len() {
            return Err(Fault::Short("a page"));
        }
        let stored = page.slice(range);
        match header.checksum {
            Some(checksum) if crc32fast::hash(&stored) != checksum => {
                Err(Fault::Broken("a page's checksum is not that of its bytes: the file is damaged"))
            }
            _ => Ok(stored),
        }
    }

    fn level_bits(self) -> u32 {
        u8::BITS - self.leaf.optional.leading_zeros()
    }
}

fn unpack(codec: Codec, bytes: &Bytes, size: usize) -> Result<Bytes, Fault> {
    match codec {
        Codec::Plain if bytes.len() == size => Ok(bytes.clone()),
        Codec::Plain => Err(Fault::Broken("a page has other bytes than its header says")),
        codec => codec.unpack(bytes, size).map(Bytes::from),
    }
}

/// Takes levels from the front of a first-version page.
fn levels(header: &Header, page: &mut Bytes) -> Result<Bytes, Fault> {
    if header.levels != RUNS {
        return Err(Fault::Unsupported("its levels are packed as before 2013: write it anew".to_owned()));
    }
    let length = page.first_chunk().map(|length| u32::from_le_bytes(*length) as usize);
    let end = length.and_then(|length| length.checked_add(4)).filter(|&end| end <= page.len());
    let end = end.ok_or(Fault::Short("a page's levels"))?;
    let levels = page.slice(4..end);
    *page = page.slice(end..);
    Ok(levels)
}
