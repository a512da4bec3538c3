//! A page's header.

use super::fault::Fault;
use super::thrift::{Field, Thrift};

/// What is in a page.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Kind {
    Data,
    DataV2,
    Dictionary,
    /// A page that has no values, and that is passed over.
    #[default]
    Other,
}

/// The header of a page; the page's bytes come behind it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Header {
    pub(super) kind: Kind,
    /// The header's own length in bytes.
    pub(super) length: u32,
    /// The length of what follows, as it is in the file.
    pub(super) packed: u32,
    /// Its length when unpacked.
    pub(super) unpacked: u32,
    pub(super) checksum: Option<u32>,
    /// The number of values, nulls included: that of rows, where a row has one value.
    pub(super) values: u32,
    /// By its number in the format.
    pub(super) encoding: i64,
    /// How the definition levels of a first-version page are encoded.
    pub(super) levels: i64,
    /// The bytes of the definition levels of a second-version page.
    pub(super) level_bytes: u32,
    /// The bytes of the repetition levels of a second-version page, which come before them.
    pub(super) repetition_bytes: u32,
    /// Whether a second-version page is packed.
    pub(super) is_packed: bool,
}

// === impl Header ===

impl Header {
    /// Reads a header at the beginning of these bytes. [`Fault::Short`] says that more of them are needed.
    pub(super) fn read(bytes: &[u8]) -> Result<Self, Fault> {
        let mut header = Self { is_packed: true, ..Self::default() };
        let mut thrift = Thrift::new(bytes);
        thrift.structure(|thrift, field| header.take(thrift, field))?;
        header.length = u32::try_from(thrift.at()).map_err(|_| Fault::Broken("a page's header has no end"))?;
        Ok(header)
    }

    /// The length of header and page.
    pub(super) fn whole(&self) -> u64 {
        u64::from(self.length) + u64::from(self.packed)
    }

    fn take(&mut self, thrift: &mut Thrift<'_>, field: Field) -> Result<(), Fault> {
        match field.id {
            1 => {
                self.kind = match thrift.integer(field)? {
                    0 => Kind::Data,
                    2 => Kind::Dictionary,
                    3 => Kind::DataV2,
                    _ => Kind::Other,
                }
            }
            2 => self.unpacked = size(thrift, field)?,
            3 => self.packed = size(thrift, field)?,
            4 => self.checksum = Some(thrift.integer(field)? as u32),
            5 => thrift.structure(|thrift, field| self.take_data(thrift, field))?,
            7 => thrift.structure(|thrift, field| self.take_dictionary(thrift, field))?,
            8 => thrift.structure(|thrift, field| self.take_second(thrift, field))?,
            _ => thrift.skip(field)?,
        }
        Ok(())
    }

    fn take_data(&mut self, thrift: &mut Thrift<'_>, field: Field) -> Result<(), Fault> {
        match field.id {
            3 => self.levels = thrift.integer(field)?,
            _ => self.take_dictionary(thrift, field)?,
        }
        Ok(())
    }

    fn take_dictionary(&mut self, thrift: &mut Thrift<'_>, field: Field) -> Result<(), Fault> {
        match field.id {
            1 => self.values = size(thrift, field)?,
            2 => self.encoding = thrift.integer(field)?,
            _ => thrift.skip(field)?,
        }
        Ok(())
    }

    fn take_second(&mut self, thrift: &mut Thrift<'_>, field: Field) -> Result<(), Fault> {
        match field.id {
            1 => self.values = size(thrift, field)?,
            4 => self.encoding = thrift.integer(field)?,
            5 => self.level_bytes = size(thrift, field)?,
            6 => self.repetition_bytes = size(thrift, field)?,
            7 => self.is_packed = thrift.flag(field)?,
            _ => thrift.skip(field)?,
        }
        Ok(())
    }
}

/// A size or a count: the format has 31 bits for each.
fn size(thrift: &mut Thrift<'_>, field: Field) -> Result<u32, Fault> {
    let value = thrift.natural(field)?;
    let fits = u32::try_from(value).ok().filter(|&value| value <= i32::MAX.cast_unsigned());
    fits.ok_or(Fault::Broken("a page's header has a size that none may have"))
}
