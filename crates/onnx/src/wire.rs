//! Protobuf's wire format, read where it lies and written in order.
//!
//! ```text
//! message = field*      field = tag payload      tag = varint(number << 3 | kind)
//! kind 0: varint    kind 1: 8 bytes    kind 2: varint(length) bytes    kind 5: 4 bytes
//! ```
//!
//! A reader holds a slice and nothing else; a length is only ever used to split what is there.

use std::borrow::Cow;

use crate::error::OnnxError;

/// One field of a message.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Field<'a> {
    pub(crate) number: u32,
    pub(crate) payload: Payload<'a>,
    /// Tag and payload as they stand in the message, to be carried over.
    pub(crate) raw: &'a [u8],
}

#[derive(Clone, Copy, Debug)]
pub(crate) enum Payload<'a> {
    Varint(u64),
    /// 8 bytes or 4: nothing that is read here.
    Fixed,
    Bytes(&'a [u8]),
}

/// The fields of a message, in order. Ends after the first error.
#[derive(Clone, Debug)]
pub(crate) struct Fields<'a> {
    rest: &'a [u8],
}

/// A message put together from fields that are carried over where they lie and fields that are new, and copied once.
#[derive(Clone, Debug, Default)]
pub(crate) struct Parts<'a> {
    parts: Vec<Cow<'a, [u8]>>,
}

/// Writes a message, field by field.
#[derive(Clone, Debug, Default)]
pub(crate) struct Writer {
    out: Vec<u8>,
}

const TRUNCATED: OnnxError = OnnxError::Malformed("it ends in the middle of a field");

// === impl Fields ===

/// Reads a message.
pub(crate) fn fields(message: &[u8]) -> Fields<'_> {
    Fields { rest: message }
}

/// Reads the numbers of a packed field.
pub(crate) fn varints(packed: &[u8]) -> impl Iterator<Item = Result<u64, OnnxError>> {
    let mut fields = fields(packed);
    std::iter::from_fn(move || (!fields.rest.is_empty()).then(|| fields.varint()))
}

impl<'a> Fields<'a> {
    fn field(&mut self) -> Result<Field<'a>, OnnxError> {
        let start = self.rest;
        let tag = self.varint()?;
        let number = u32::try_from(tag >> 3).ok().filter(|number| *number > 0);
        let number = number.ok_or(OnnxError::Malformed("a field has no valid number"))?;
        let payload = match tag & 7 {
            0 => Payload::Varint(self.varint()?),
            1 => self.fixed(8)?,
            2 => {
                let length = usize::try_from(self.varint()?).map_err(|_| TRUNCATED)?;
                Payload::Bytes(self.take(length)?)
            }
            5 => self.fixed(4)?,
            _ => return Err(OnnxError::Malformed("a field is of no kind that protobuf knows")),
        };
        Ok(Field { number, payload, raw: &start[..start.len() - self.rest.len()] })
    }

    fn varint(&mut self) -> Result<u64, OnnxError> {
        let mut value = 0;
        for shift in (0..64).step_by(7) {
            let (&byte, rest) = self.rest.split_first().ok_or(TRUNCATED)?;
            self.rest = rest;
            value |= u64::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return Ok(value);
            }
        }
        Err(OnnxError::Malformed("a number is longer than 64 bits"))
    }

    fn take(&mut self, length: usize) -> Result<&'a [u8], OnnxError> {
        let (taken, rest) = self.rest.split_at_checked(length).ok_or(TRUNCATED)?;
        self.rest = rest;
        Ok(taken)
    }

    fn fixed(&mut self, length: usize) -> Result<Payload<'a>, OnnxError> {
        self.take(length).map(|_| Payload::Fixed)
    }
}

impl<'a> Iterator for Fields<'a> {
    type Item = Result<Field<'a>, OnnxError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.rest.is_empty() {
            return None;
        }
        let field = self.field();
        if field.is_err() {
            self.rest = &[];
        }
        Some(field)
    }
}

// === impl Field ===

impl<'a> Field<'a> {
    /// The payload of a field that holds bytes or a message.
    pub(crate) fn bytes(&self) -> Result<&'a [u8], OnnxError> {
        match self.payload {
            Payload::Bytes(bytes) => Ok(bytes),
            _ => Err(OnnxError::Malformed("a number stands where a message belongs")),
        }
    }

    /// The payload of a field that holds text.
    pub(crate) fn text(&self) -> Result<&'a str, OnnxError> {
        std::str::from_utf8(self.bytes()?).map_err(|_| OnnxError::Malformed("a name is not UTF-8"))
    }

    /// The payload of a field that holds a whole number.
    pub(crate) fn number(&self) -> Result<u64, OnnxError> {
        match self.payload {
            Payload::Varint(value) => Ok(value),
            _ => Err(OnnxError::Malformed("a message stands where a number belongs")),
        }
    }
}

// === impl Writer ===

impl Writer {
    /// A writer whose output will not grow in small steps.
    pub(crate) fn with_capacity(bytes: usize) -> Self {
        Self { out: Vec::with_capacity(bytes) }
    }

    pub(crate) fn number(&mut self, number: u32, value: u64) {
        self.raw_varint(u64::from(number) << 3);
        self.raw_varint(value);
    }

    pub(crate) fn bytes(&mut self, number: u32, bytes: &[u8]) {
        self.raw_varint(u64::from(number) << 3 | 2);
        self.raw_varint(bytes.len() as u64);
        self.out.extend_from_slice(bytes);
    }

    pub(crate) fn text(&mut self, number: u32, text: &str) {
        self.bytes(number, text.as_bytes());
    }

    pub(crate) fn message(&mut self, number: u32, write: impl FnOnce(&mut Self)) {
        let mut inner = Self::default();
        write(&mut inner);
        self.bytes(number, &inner.out);
    }

    pub(crate) fn finish(self) -> Vec<u8> {
        self.out
    }

    fn raw_varint(&mut self, mut value: u64) {
        while value >= 0x80 {
            self.out.push(value as u8 | 0x80);
            value >>= 7;
        }
        self.out.push(value as u8);
    }
}

// === impl Parts ===

impl<'a> Parts<'a> {
    /// Carries a field over.
    pub(crate) fn carry(&mut self, field: &Field<'a>) {
        self.parts.push(Cow::Borrowed(field.raw));
    }

    /// Adds fields that are new.
    pub(crate) fn write(&mut self, write: impl FnOnce(&mut Writer)) {
        let mut writer = Writer::default();
        write(&mut writer);
        self.parts.push(Cow::Owned(writer.finish()));
    }

    /// Adds fields that were written elsewhere.
    pub(crate) fn append(&mut self, fields: Vec<u8>) {
        self.parts.push(Cow::Owned(fields));
    }

    /// Adds a field that is itself a message put together from parts.
    pub(crate) fn nest(&mut self, number: u32, inner: Self) {
        self.write(|out| {
            out.raw_varint(u64::from(number) << 3 | 2);
            out.raw_varint(inner.length() as u64);
        });
        self.parts.extend(inner.parts);
    }

    pub(crate) fn finish(self) -> Vec<u8> {
        let mut out = Vec::with_capacity(self.length());
        self.parts.iter().for_each(|part| out.extend_from_slice(part));
        out
    }

    fn length(&self) -> usize {
        self.parts.iter().map(|part| part.len()).sum()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn what_is_written_reads_back(number in 1_u32..1 << 29, value: u64, bytes: Vec<u8>) {
            let mut writer = Writer::default();
            writer.number(number, value);
            writer.bytes(number, &bytes);
            writer.message(number, |inner| inner.number(1, value));
            let message = writer.finish();
            let read: Vec<_> = fields(&message).collect::<Result<_, _>>().unwrap();
            prop_assert!(read.iter().all(|field| field.number == number));
            prop_assert_eq!(read[0].number().unwrap(), value);
            prop_assert_eq!(read[1].bytes().unwrap(), &bytes[..]);
            prop_assert_eq!(fields(read[2].bytes().unwrap()).next().unwrap().unwrap().number().unwrap(), value);
            let carried: Vec<u8> = read.iter().flat_map(|field| field.raw).copied().collect();
            prop_assert_eq!(carried, message);
        }

        #[test]
        fn no_bytes_make_the_reader_panic_or_run_on(bytes: Vec<u8>) {
            prop_assert!(fields(&bytes).count() <= bytes.len());
            prop_assert!(varints(&bytes).take(bytes.len() + 1).count() <= bytes.len());
        }
    }

    #[test]
    fn a_length_beyond_the_end_is_refused() {
        let huge = [0x0a, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01];
        assert_eq!(fields(&huge).next().unwrap().unwrap_err().to_string(), TRUNCATED.to_string());
        assert!(fields(&[0x0b]).next().unwrap().is_err(), "groups are not read");
        assert!(fields(&[0x00, 0x00]).next().unwrap().is_err(), "field 0");
    }
}
