//! Payload checksums.

/// XXH3 with the sample's index as seed, so that a payload delivered under another index is found too. XXH3 and not
/// CRC-32C: as fast as memory, 64 bits, and the same in portable code.
pub fn checksum(index: u64, payload: &[u8]) -> u64 {
    xxhash_rust::xxh3::xxh3_64_with_seed(payload, index)
}
