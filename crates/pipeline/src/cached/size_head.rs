//! The size of the decoded photo, which stands before what was made of it and goes with the sample.

use headwater_types::Size;

/// Bytes of a size.
pub(super) const HEAD: usize = 8;

pub(super) fn put_size(entry: &mut Vec<u8>, source: Size) {
    entry.extend(source.width.to_le_bytes());
    entry.extend(source.height.to_le_bytes());
}

/// The size, and what stands behind it.
pub(super) fn take_size(entry: &[u8]) -> Option<(Size, &[u8])> {
    let (width, rest) = entry.split_first_chunk()?;
    let (height, rest) = rest.split_first_chunk()?;
    Some((Size { width: u32::from_le_bytes(*width), height: u32::from_le_bytes(*height) }, rest))
}
