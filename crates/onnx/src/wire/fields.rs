//! The fields of a message, read where they lie.

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
    /// 8 bytes or 4: none of them is read here.
    Fixed,
    Bytes(&'a [u8]),
}

/// The fields of a message, in order. The first error is the last item.
#[derive(Clone, Debug)]
pub(crate) struct Fields<'a> {
    rest: &'a [u8],
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
