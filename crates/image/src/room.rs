//! Room in a buffer that is kept from sample to sample.

/// The first `length` bytes of a buffer, which grows where it must. They keep their old values: clearing bytes
/// that are overwritten anyway would cost as much as a good part of decoding.
pub(crate) fn room(buffer: &mut Vec<u8>, length: usize) -> &mut [u8] {
    if buffer.len() < length {
        buffer.resize(length, 0);
    }
    &mut buffer[..length]
}
