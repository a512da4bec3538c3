//! Protobuf's wire format, read where it lies and written in order.
//!
//! ```text
//! message = field*      field = tag payload      tag = varint(number << 3 | kind)
//! kind 0: varint    kind 1: 8 bytes    kind 2: varint(length) bytes    kind 5: 4 bytes
//! ```
//!
//! A reader holds a slice and nothing else; a length is only ever used to split the bytes that are there.

mod fields;
mod parts;
mod writer;

pub(crate) use fields::{Field, Payload, fields, varints};
pub(crate) use parts::Parts;
pub(crate) use writer::Writer;

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
        let error = fields(&huge).next().unwrap().unwrap_err();
        assert_eq!(error, crate::error::OnnxError::Malformed("it ends in the middle of a field"));
        assert!(fields(&[0x0b]).next().unwrap().is_err(), "groups are not read");
        assert!(fields(&[0x00, 0x00]).next().unwrap().is_err(), "field 0");
    }
}
