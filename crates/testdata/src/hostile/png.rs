//! PNG files with a lie in them. A chunk is `length32 type4 data crc32`, big endian, the CRC over type and data.

/// Signature (8), then length and type of the header chunk (8), then its data.
const HEADER: usize = 16;
const HEADER_DATA: usize = 13;
const AFTER_HEADER: usize = HEADER + HEADER_DATA + 4;

/// The PNG file with another size in its header, and a CRC that agrees.
pub(super) fn with_size(file: &[u8], width: u32, height: u32) -> Vec<u8> {
    let (data, rest) = (&file[HEADER + 8..HEADER + HEADER_DATA], &file[AFTER_HEADER..]);
    let data = [&width.to_be_bytes(), &height.to_be_bytes(), data].concat();
    [&file[..8], &chunk(*b"IHDR", &data), rest].concat()
}

/// The PNG file with a header that fails its CRC.
pub(super) fn with_wrong_crc(file: &[u8]) -> Vec<u8> {
    let mut file = file.to_vec();
    file[AFTER_HEADER - 1] ^= 0xff;
    file
}

/// The PNG file with so many comments before its pixels.
pub(super) fn with_many_chunks(file: &[u8], chunks: usize) -> Vec<u8> {
    let comments = chunk(*b"tEXt", b"Comment\0again and again").repeat(chunks);
    [&file[..AFTER_HEADER], &comments, &file[AFTER_HEADER..]].concat()
}

fn chunk(name: [u8; 4], data: &[u8]) -> Vec<u8> {
    let named = [&name, data].concat();
    [&(data.len() as u32).to_be_bytes(), named.as_slice(), &crc(&named).to_be_bytes()].concat()
}

/// CRC-32 bit by bit (PNG specification, annex D): a header is short.
fn crc(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(u32::MAX, |crc, byte| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| if crc & 1 == 1 { 0xedb8_8320 ^ (crc >> 1) } else { crc >> 1 })
    })
}
