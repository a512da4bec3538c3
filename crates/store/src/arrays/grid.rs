//! What the header of an array says: how many photos there are, of which size, and where they begin.

use std::ops::Range;

/// Photos of one size, pixel after pixel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Grid {
    /// The place of the first photo's first byte.
    start: u64,
    pub(super) count: u64,
    height: u32,
    width: u32,
    /// 1 for grey, 3 for red, green and blue.
    channels: u32,
}

// === impl Grid ===

impl Grid {
    /// The photos of an array of these dimensions, in a file of this size.
    pub(super) fn new(start: u64, shape: &[u64], size: u64) -> Result<Self, String> {
        let (count, height, width, channels) = match *shape {
            [count, height, width] => (count, height, width, 1),
            [count, height, width, channels @ (1 | 3)] => (count, height, width, channels),
            _ => {
                return Err(format!(
                    "its shape is {shape:?}, and photos are [n, height, width], [n, height, width, 1] or [n, height, \
                     width, 3]: numpy.save(\"photos.npy\", array.reshape(n, height, width))"
                ));
            }
        };
        let side = |side: u64| u32::try_from(side).ok().filter(|&side| (1..=1 << 20).contains(&side));
        let (Some(height), Some(width)) = (side(height), side(width)) else {
            return Err(format!("its photos are {width} x {height} pixels"));
        };
        let grid = Self { start, count, height, width, channels: channels as u32 };
        let end = count.checked_mul(grid.pixels()).and_then(|length| length.checked_add(start));
        match end {
            Some(end) if end == size => Ok(grid),
            Some(end) => Err(format!("it has {size} bytes, and its header says {end}: it is not whole, or no array")),
            None => Err("its header says more bytes than there are".to_owned()),
        }
    }

    /// What stands before the pixels of a photo, so that it is a PNM file.
    pub(super) fn header(&self) -> String {
        let kind = if self.channels == 1 { 5 } else { 6 };
        format!("P{kind}\n{} {}\n255\n", self.width, self.height)
    }

    /// The size of a photo as a PNM file, in bytes.
    pub(super) fn length(&self) -> u64 {
        self.header().len() as u64 + self.pixels()
    }

    /// The bytes of a photo's pixels in the file.
    pub(super) fn range(&self, number: u64) -> Option<Range<u64>> {
        let start = self.start + number.checked_mul(self.pixels())?;
        (number < self.count).then(|| start..start + self.pixels())
    }

    /// The number of bytes of a photo's pixels.
    fn pixels(&self) -> u64 {
        u64::from(self.height) * u64::from(self.width) * u64::from(self.channels)
    }
}
