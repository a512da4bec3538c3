//! The values of one sample's fields as bytes, as a catalog keeps them.
//!
//! ```text
//! a value for each field:  kind u8 | content
//!   0 absent                         nothing
//!   1 integer   2 number             8 bytes
//!   3 text                           length u32 | UTF-8
//!   4 integers  5 numbers            count u32  | 8 bytes each
//! ```
//!
//! Numbers are little endian. A record in which every value is absent is empty.

use super::named::Fields;
use super::value::FieldValue;
use crate::caps::MAX_RECORD_BYTES;

/// The values of one sample's fields, encoded.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Record(Vec<u8>);

/// Why values make no record, or bytes are none.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RecordError {
    /// The values take more than [`MAX_RECORD_BYTES`].
    #[error("its fields take {0} bytes, more than {MAX_RECORD_BYTES}: name fewer fields")]
    TooLong(usize),
    /// The values are not those of these fields: another number of them, or of other kinds.
    #[error("its values are not of the dataset's fields")]
    Fields,
    /// The bytes are not a record.
    #[error("its record of fields is damaged")]
    Damaged,
}

// === impl Record ===

impl Record {
    /// Encodes a sample's values, one for each field.
    ///
    /// # Errors
    /// Values that are not of these fields; more than [`MAX_RECORD_BYTES`].
    pub fn encode(values: &[FieldValue], fields: &Fields) -> Result<Self, RecordError> {
        if values.len() != fields.len() || !values.iter().zip(fields.iter()).all(|(value, of)| value.fits(of.kind)) {
            return Err(RecordError::Fields);
        }
        Self::of(values)
    }

    /// Encodes values of whatever kinds, for readers of tables who learn a column's kind at its end.
    ///
    /// # Errors
    /// More than [`MAX_RECORD_BYTES`].
    pub fn of(values: &[FieldValue]) -> Result<Self, RecordError> {
        if values.iter().all(|value| *value == FieldValue::Absent) {
            return Ok(Self::default());
        }
        let length = values.iter().map(length).fold(0, usize::saturating_add);
        if length > MAX_RECORD_BYTES {
            return Err(RecordError::TooLong(length));
        }
        let mut bytes = Vec::with_capacity(length);
        for value in values {
            write(value, &mut bytes);
        }
        Ok(Self(bytes))
    }

    /// The bytes, at most [`MAX_RECORD_BYTES`].
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// Decodes a sample's values, one for each field.
    ///
    /// # Errors
    /// Bytes that are no record of these fields.
    pub fn decode(bytes: &[u8], fields: &Fields) -> Result<Vec<FieldValue>, RecordError> {
        let values = Self::values(bytes, fields.len())?;
        let fit = values.iter().zip(fields.iter()).all(|(value, field)| value.fits(field.kind));
        if fit { Ok(values) } else { Err(RecordError::Fields) }
    }

    /// Decodes so many values of whatever kinds.
    ///
    /// # Errors
    /// Bytes that are no record of so many values.
    pub fn values(bytes: &[u8], count: usize) -> Result<Vec<FieldValue>, RecordError> {
        if bytes.is_empty() {
            return Ok(vec![FieldValue::Absent; count]);
        }
        if bytes.len() > MAX_RECORD_BYTES {
            return Err(RecordError::TooLong(bytes.len()));
        }
        let mut rest = bytes;
        let values = (0..count).map(|_| read(&mut rest)).collect::<Option<_>>().ok_or(RecordError::Damaged)?;
        if rest.is_empty() { Ok(values) } else { Err(RecordError::Damaged) }
    }
}

/// Bytes of a value in a record.
fn length(value: &FieldValue) -> usize {
    match value {
        FieldValue::Absent => 1,
        FieldValue::Integer(_) | FieldValue::Number(_) => 9,
        FieldValue::Text(text) => text.len().saturating_add(5),
        FieldValue::Integers(list) => list.len().saturating_mul(8).saturating_add(5),
        FieldValue::Numbers(list) => list.len().saturating_mul(8).saturating_add(5),
    }
}

fn write(value: &FieldValue, to: &mut Vec<u8>) {
    // A record is shorter than MAX_RECORD_BYTES, so that every length and count fits.
    let count = |length: usize| (length as u32).to_le_bytes();
    match value {
        FieldValue::Absent => to.push(0),
        FieldValue::Integer(whole) => to.extend([1].into_iter().chain(whole.to_le_bytes())),
        FieldValue::Number(number) => to.extend([2].into_iter().chain(number.to_le_bytes())),
        FieldValue::Text(text) => to.extend([3].into_iter().chain(count(text.len())).chain(text.bytes())),
        FieldValue::Integers(list) => {
            to.extend([4].into_iter().chain(count(list.len())).chain(list.iter().flat_map(|each| each.to_le_bytes())));
        }
        FieldValue::Numbers(list) => {
            to.extend([5].into_iter().chain(count(list.len())).chain(list.iter().flat_map(|each| each.to_le_bytes())));
        }
    }
}

/// Takes one value off the front.
fn read(rest: &mut &[u8]) -> Option<FieldValue> {
    let [kind] = *take(rest)?;
    Some(match kind {
        0 => FieldValue::Absent,
        1 => FieldValue::Integer(i64::from_le_bytes(*take(rest)?)),
        2 => FieldValue::Number(f64::from_le_bytes(*take(rest)?)),
        3 => {
            let length = count(rest)?;
            let (text, after) = rest.split_at_checked(length)?;
            *rest = after;
            FieldValue::Text(std::str::from_utf8(text).ok()?.to_owned())
        }
        4 => FieldValue::Integers(list(rest, i64::from_le_bytes)?),
        5 => FieldValue::Numbers(list(rest, f64::from_le_bytes)?),
        _ => return None,
    })
}

fn list<T>(rest: &mut &[u8], of: impl Fn([u8; 8]) -> T) -> Option<Vec<T>> {
    let (items, after) = {
        let length = count(rest)?.checked_mul(8)?;
        rest.split_at_checked(length)?
    };
    *rest = after;
    Some(items.as_chunks().0.iter().map(|item| of(*item)).collect())
}

fn count(rest: &mut &[u8]) -> Option<usize> {
    usize::try_from(u32::from_le_bytes(*take(rest)?)).ok()
}

fn take<'a, const N: usize>(rest: &mut &'a [u8]) -> Option<&'a [u8; N]> {
    let (taken, after) = rest.split_first_chunk()?;
    *rest = after;
    Some(taken)
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;
    use crate::field::{Field, FieldKind};

    fn a_value() -> impl Strategy<Value = (FieldKind, FieldValue)> {
        prop_oneof![
            any::<i64>().prop_map(|value| (FieldKind::Integer, FieldValue::Integer(value))),
            (-1e300..1e300).prop_map(|value| (FieldKind::Number, FieldValue::Number(value))),
            any::<String>().prop_map(|value| (FieldKind::Text, FieldValue::Text(value))),
            vec(any::<i64>(), 0..9).prop_map(|value| (FieldKind::Integers, FieldValue::Integers(value))),
            vec(-1e9..1e9, 0..9).prop_map(|value| (FieldKind::Numbers, FieldValue::Numbers(value))),
            Just((FieldKind::Text, FieldValue::Absent)),
        ]
    }

    fn fields(kinds: impl IntoIterator<Item = FieldKind>) -> Fields {
        let named = |(at, kind): (usize, FieldKind)| Field { name: format!("f{at}"), kind };
        Fields::new(kinds.into_iter().enumerate().map(named).collect()).unwrap()
    }

    proptest! {
        #[test]
        fn a_record_is_read_as_it_was_written_and_no_part_of_it_is_one(of in vec(a_value(), 0..6)) {
            let (kinds, values): (Vec<_>, Vec<_>) = of.into_iter().unzip();
            let fields = fields(kinds);
            let record = Record::encode(&values, &fields).unwrap();
            let bytes = record.as_bytes();
            prop_assert_eq!(Record::decode(bytes, &fields).unwrap(), values);
            for cut in 1..bytes.len() {
                prop_assert_eq!(Record::decode(&bytes[..cut], &fields), Err(RecordError::Damaged));
            }
        }

        #[test]
        fn any_bytes_are_read_or_refused(bytes in vec(0_u8..8, 0..60)) {
            if let Ok(values) = Record::decode(&bytes, &fields(FieldKind::ALL)) {
                let all_absent = values.iter().all(|value| *value == FieldValue::Absent);
                let again = Record::encode(&values, &fields(FieldKind::ALL)).unwrap();
                prop_assert!(all_absent || again.as_bytes() == bytes);
            }
        }
    }

    #[test]
    fn what_is_too_long_or_of_another_kind_makes_no_record() {
        let text = fields([FieldKind::Text]);
        let fits = FieldValue::Text("x".repeat(MAX_RECORD_BYTES - 5));
        assert_eq!(Record::encode(&[fits], &text).unwrap().as_bytes().len(), MAX_RECORD_BYTES);
        let over = FieldValue::Text("x".repeat(MAX_RECORD_BYTES - 4));
        assert_eq!(Record::encode(&[over], &text), Err(RecordError::TooLong(MAX_RECORD_BYTES + 1)));
        assert_eq!(Record::encode(&[FieldValue::Integer(1)], &text), Err(RecordError::Fields));
        assert_eq!(Record::encode(&[], &text), Err(RecordError::Fields));
        let number = Record::encode(&[FieldValue::Number(1.0)], &fields([FieldKind::Number])).unwrap();
        assert_eq!(Record::decode(number.as_bytes(), &text), Err(RecordError::Fields));
    }

    #[test]
    fn a_sample_of_which_nothing_is_said_takes_no_bytes() {
        let two = fields([FieldKind::Text, FieldKind::Number]);
        let record = Record::encode(&[FieldValue::Absent, FieldValue::Absent], &two).unwrap();
        assert!(record.as_bytes().is_empty());
        assert_eq!(Record::decode(&[], &two).unwrap(), [FieldValue::Absent, FieldValue::Absent]);
    }
}
