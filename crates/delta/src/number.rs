//! Whole numbers of any size, seven bits a byte, the least significant first; and a reader of them and of bytes.

use crate::error::DeltaError;

const ENDS: DeltaError = DeltaError::Malformed("it ends in the middle of a part");

/// Adds a number.
pub(crate) fn push(out: &mut Vec<u8>, mut value: usize) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

/// Reads what is left of some bytes.
#[derive(Clone, Debug)]
pub(crate) struct Reader<'a> {
    rest: &'a [u8],
}

// === impl Reader ===

impl<'a> Reader<'a> {
    pub(crate) fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }

    /// All that is left.
    pub(crate) fn rest(&self) -> &'a [u8] {
        self.rest
    }

    pub(crate) fn byte(&mut self) -> Result<u8, DeltaError> {
        let (&byte, rest) = self.rest.split_first().ok_or(ENDS)?;
        self.rest = rest;
        Ok(byte)
    }

    pub(crate) fn take(&mut self, length: usize) -> Result<&'a [u8], DeltaError> {
        let (taken, rest) = self.rest.split_at_checked(length).ok_or(ENDS)?;
        self.rest = rest;
        Ok(taken)
    }

    /// A number of at most `most`.
    pub(crate) fn number(&mut self, most: usize) -> Result<usize, DeltaError> {
        let mut value = 0_u64;
        for shift in (0..63).step_by(7) {
            let byte = self.byte()?;
            value |= u64::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                let value = usize::try_from(value).ok().filter(|value| *value <= most);
                return value.ok_or(DeltaError::Malformed("a number is too large"));
            }
        }
        Err(DeltaError::Malformed("a number is too long"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_come_back_and_larger_ones_are_refused() {
        for value in [0, 1, 127, 128, 300, 1 << 31, (1 << 62) + 5] {
            let mut bytes = Vec::new();
            push(&mut bytes, value);
            assert_eq!(Reader::new(&bytes).number(value), Ok(value));
            assert!(value == 0 || Reader::new(&bytes).number(value - 1).is_err());
            assert_eq!(Reader::new(&bytes[1..]).number(0).is_err(), value != 0 || bytes.len() == 1);
        }
        assert!(Reader::new(&[0xff; 12]).number(usize::MAX).is_err());
    }
}
