//! A file's footer: its columns, and where each row group has them.
//!
//! ```text
//! "PAR1" │ row group: column chunk, column chunk … │ … │ footer │ its length, 4 bytes │ "PAR1"
//! ```
//!
//! Format: <https://github.com/apache/parquet-format/blob/master/src/main/thrift/parquet.thrift>

use std::ops::Range;

use super::chunk::{Chunk, Raw};
use super::fault::Fault;
use super::schema::{Element, Leaf, MAX_ELEMENTS, leaves};
use super::thrift::Thrift;

/// The bytes behind every footer: its length and the magic.
pub(super) const TAIL: u64 = 8;
/// The largest footer that is read. One of 100,000 row groups of ten columns has about 100 MB.
const MAX_FOOTER: u64 = 256 << 20;
const MAX_GROUPS: usize = 1 << 20;

/// What a footer says of the whole file.
#[derive(Debug)]
pub(crate) struct Footer {
    pub(super) columns: Vec<Leaf>,
    pub(super) rows: u64,
    /// The JSON that Hugging Face's `datasets` keeps beside the schema.
    pub(super) huggingface: Option<String>,
}

/// A row group, as far as the columns that were asked for go.
#[derive(Clone, Debug)]
pub(crate) struct Group {
    pub(super) rows: u64,
    /// The chunks of those columns, in the order in which they were asked for.
    pub(super) chunks: Vec<Chunk>,
}

/// The footer's place in a file of this size, from the file's last bytes.
pub(super) fn place(tail: &[u8], size: u64) -> Result<Range<u64>, Fault> {
    let [a, b, c, d, magic @ ..] = tail else { return Err(Fault::Short("the file")) };
    match magic {
        b"PAR1" => {}
        b"PARE" => return Err(Fault::Unsupported("it is encrypted: write it without encryption".to_owned())),
        _ => return Err(Fault::Broken("it does not end as Parquet does: it may not have been written to its end")),
    }
    let (length, end) = (u64::from(u32::from_le_bytes([*a, *b, *c, *d])), size.saturating_sub(TAIL));
    if length > MAX_FOOTER {
        return Err(Fault::Broken("its footer is larger than is read here"));
    }
    // The file begins with the magic too.
    let start = end.checked_sub(length).filter(|&start| start >= 4);
    Ok(start.ok_or(Fault::Broken("its footer is larger than the file"))?..end)
}

// === impl Footer ===

impl Footer {
    pub(super) fn read(bytes: &[u8]) -> Result<Self, Fault> {
        let (mut elements, mut rows, mut huggingface) = (Vec::new(), 0, None);
        Thrift::new(bytes).structure(|thrift, field| match field.id {
            2 => thrift.structures(field, MAX_ELEMENTS, |thrift| {
                elements.push(Element::read(thrift)?);
                Ok(())
            }),
            3 => thrift.natural(field).map(|count| rows = count),
            5 => thrift.structures(field, MAX_ELEMENTS, |thrift| {
                let (key, value) = key_value(thrift)?;
                huggingface = huggingface.take().or_else(|| (key == "huggingface").then(|| value.to_owned()));
                Ok(())
            }),
            8 => Err(Fault::Unsupported("it is encrypted: write it without encryption".to_owned())),
            _ => thrift.skip(field),
        })?;
        Ok(Self { columns: leaves(elements)?, rows, huggingface })
    }

    /// The row groups of a file of this footer, with the chunks of these columns. `end` is where the footer begins,
    /// before which all of them must lie.
    pub(super) fn groups(&self, bytes: &[u8], columns: &[usize], end: u64) -> Result<Vec<Group>, Fault> {
        let mut groups = Vec::new();
        Thrift::new(bytes).structure(|thrift, field| match field.id {
            4 => thrift.structures(field, MAX_GROUPS, |thrift| {
                groups.push(self.group(thrift, columns, end)?);
                Ok(())
            }),
            _ => thrift.skip(field),
        })?;
        let rows = groups.iter().map(|group: &Group| group.rows).fold(0, u64::saturating_add);
        if rows == self.rows { Ok(groups) } else { Err(Fault::Broken("its row groups have other rows than it says")) }
    }

    fn group(&self, thrift: &mut Thrift<'_>, columns: &[usize], end: u64) -> Result<Group, Fault> {
        let (mut found, mut rows, mut at) = (vec![None; columns.len()], 0, 0);
        thrift.structure(|thrift, field| match field.id {
            1 => thrift.structures(field, self.columns.len(), |thrift| {
                let raw = Raw::read(thrift)?;
                for (found, _) in found.iter_mut().zip(columns).filter(|(_, wanted)| **wanted == at) {
                    *found = Some(raw.chunk(end)?);
                }
                at += 1;
                Ok(())
            }),
            3 => thrift.natural(field).map(|count| rows = count),
            _ => thrift.skip(field),
        })?;
        let chunks = found.into_iter().collect::<Option<Vec<_>>>();
        // A page numbers its values with 32 bits.
        if rows > u64::from(u32::MAX) {
            return Err(Fault::Broken("a row group has more rows than a row group may have"));
        }
        Ok(Group { rows, chunks: chunks.ok_or(Fault::Short("a row group"))? })
    }
}

fn key_value<'a>(thrift: &mut Thrift<'a>) -> Result<(&'a str, &'a str), Fault> {
    let mut pair = ("", "");
    thrift.structure(|thrift, field| {
        match field.id {
            1 => pair.0 = thrift.text(field)?,
            // Values may hold anything, as Arrow's do.
            2 => pair.1 = std::str::from_utf8(thrift.binary(field)?).unwrap_or_default(),
            _ => thrift.skip(field)?,
        }
        Ok(())
    })?;
    Ok(pair)
}
