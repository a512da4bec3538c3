//! The data of a scan, without the bytes that only keep markers apart, and where its segments begin.

use memchr::memchr;

/// A scan's bytes, unstuffed: ready to be read eight at a time.
#[derive(Default)]
pub(super) struct Scan {
    /// The bytes of all segments, one behind the other, and [`OVERREAD`] zeros.
    bytes: Vec<u8>,
    /// The offset of each segment, and the end of the last one.
    starts: Vec<usize>,
}

/// Bytes behind the last that a reader may load.
pub(super) const OVERREAD: usize = 16;

const RST0: u8 = 0xd0;

// === impl Scan ===

impl Scan {
    /// Takes the data of a scan that should have so many segments. `None` for data that no encoder writes: with a
    /// marker too many, too few or out of order, or with fill bytes.
    pub(super) fn read(&mut self, data: &[u8], segments: usize) -> Option<()> {
        let Self { bytes, starts } = self;
        bytes.clear();
        starts.clear();
        bytes.reserve(data.len() + OVERREAD);
        starts.push(0);
        let mut rest = data;
        while let Some(at) = memchr(0xff, rest) {
            match *rest.get(at + 1)? {
                0 => bytes.extend_from_slice(&rest[..=at]),
                marker if marker == RST0 | (starts.len() - 1) as u8 & 7 => {
                    bytes.extend_from_slice(&rest[..at]);
                    starts.push(bytes.len());
                }
                _ => return None,
            }
            rest = &rest[at + 2..];
        }
        bytes.extend_from_slice(rest);
        starts.push(bytes.len());
        bytes.resize(bytes.len() + OVERREAD, 0);
        (starts.len() == segments + 1).then_some(())
    }

    /// The bytes of all segments, and the zeros behind them.
    pub(super) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Where a segment begins and ends.
    pub(super) fn segment(&self, number: usize) -> Option<(usize, usize)> {
        Some((*self.starts.get(number)?, *self.starts.get(number + 1)?))
    }

    /// Gives the memory back where it is more than `most` bytes.
    pub(super) fn trim(&mut self, most: usize) {
        if self.bytes.capacity() > most {
            *self = Self::default();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stuffing_goes_and_segments_are_told_apart() {
        let mut scan = Scan::default();
        scan.read(&[1, 0xff, 0, 2, 0xff, 0xd0, 3, 0xff, 0xd1, 0xff, 0], 3).unwrap();
        assert_eq!(scan.bytes()[..scan.bytes().len() - OVERREAD], [1, 0xff, 2, 3, 0xff]);
        assert_eq!([0, 1, 2].map(|number| scan.segment(number).unwrap()), [(0, 3), (3, 4), (4, 5)]);
        assert_eq!(scan.segment(3), None);
    }

    #[test]
    fn what_no_encoder_writes_is_refused() {
        let read = |data: &[u8], segments| Scan::default().read(data, segments);
        assert!(read(&[1, 0xff, 0xd0, 2], 2).is_some());
        assert!(read(&[1, 0xff, 0xd0, 2], 1).is_none(), "a segment too many");
        assert!(read(&[1, 0xff, 0xd0, 2], 3).is_none(), "a segment too few");
        assert!(read(&[1, 0xff, 0xd1, 2], 2).is_none(), "markers out of order");
        assert!(read(&[1, 0xff, 0xff, 0, 2], 1).is_none(), "fill bytes");
        assert!(read(&[1, 0xff], 1).is_none(), "half a marker");
    }
}
