//! Messages of a fetch stream as they stand in an HTTP/2 body: gRPC's prefix, then the message.
//!
//! ```text
//! one of several samples       ┌ 0 ┬ length ┬ FetchBatch ──────────────────────────────────┐
//!                              1   4
//! one large sample             ┌ 0 ┬ length ┬ tag, length ┬ Sample but payload ┬ tag, length ┐ payload
//!                                             of sample                          of payload
//! ```
//!
//! A large sample's payload comes last, which protobuf allows, so that it can be sent piece by piece out of where it
//! lies.

use prost::Message as _;
use prost::encoding::{WireType, encode_key, encode_varint, encoded_len_varint, key_len};

use crate::proto;

/// Bytes before each message: a flag, and a length of 32 bits.
const PREFIX: usize = 5;
/// `FetchBatch.samples` and `Sample.payload`.
const SAMPLES: u32 = 1;
const PAYLOAD: u32 = 7;

/// A whole message; `None` for one of 4 GiB or more.
pub fn message(batch: &proto::FetchBatch) -> Option<Vec<u8>> {
    let length = batch.encoded_len();
    let mut framed = prefixed(length, length)?;
    // There is room: it grows.
    batch.encode(&mut framed).ok()?;
    Some(framed)
}

/// A message of one sample, up to its payload of so many bytes, which is not in it yet; `None` for one of 4 GiB or
/// more.
pub fn head(sample: &proto::Sample, payload: usize) -> Option<Vec<u8>> {
    let head = sample.encoded_len();
    let of_payload = key_len(PAYLOAD) + encoded_len_varint(payload as u64);
    let of_sample = head.checked_add(of_payload)?.checked_add(payload)?;
    let length = key_len(SAMPLES) + encoded_len_varint(of_sample as u64) + of_sample;
    let mut framed = prefixed(length, length - payload)?;
    encode_key(SAMPLES, WireType::LengthDelimited, &mut framed);
    encode_varint(of_sample as u64, &mut framed);
    sample.encode(&mut framed).ok()?;
    encode_key(PAYLOAD, WireType::LengthDelimited, &mut framed);
    encode_varint(payload as u64, &mut framed);
    Some(framed)
}

/// The prefix of a message of this length, with room for so many bytes more.
fn prefixed(length: usize, room: usize) -> Option<Vec<u8>> {
    let mut framed = Vec::with_capacity(PREFIX + room);
    // Not compressed.
    framed.push(0);
    framed.extend_from_slice(&u32::try_from(length).ok()?.to_be_bytes());
    Some(framed)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample(payload: &'static [u8]) -> proto::Sample {
        proto::Sample {
            index: 7,
            key: "red/a.jpg".to_owned(),
            checksum: 9,
            payload: payload.into(),
            ..proto::Sample::default()
        }
    }

    fn read(framed: &[u8]) -> proto::FetchBatch {
        let (prefix, message) = framed.split_at(PREFIX);
        assert_eq!(prefix, [&[0], &u32::try_from(message.len()).unwrap().to_be_bytes()[..]].concat());
        proto::FetchBatch::decode(message).unwrap()
    }

    #[test]
    fn a_sample_in_pieces_is_the_same_message_as_a_whole_one() {
        for payload in [&b""[..], b"abc", &[5; 70_000]] {
            let whole = proto::FetchBatch { samples: vec![sample(payload)], waiting: None };
            assert_eq!(read(&message(&whole).unwrap()), whole);
            let mut pieces = head(&sample(b""), payload.len()).unwrap();
            pieces.extend_from_slice(payload);
            assert_eq!(read(&pieces), whole);
        }
    }

    #[test]
    fn what_no_prefix_can_say_is_no_message() {
        assert!(head(&sample(b""), u32::MAX as usize).is_none());
        assert!(head(&sample(b""), usize::MAX).is_none());
    }
}
