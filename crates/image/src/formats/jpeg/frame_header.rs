//! What a frame header says: how large the picture is, how it is coded, and of which planes.

use headwater_types::{Format, Size};

use crate::error::ImageError;

/// The contents of a frame header (SOF).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct FrameHeader {
    pub(super) size: Size,
    pub(super) coding: Coding,
    pub(super) components: Components,
}

/// How coefficients are coded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Coding {
    pub(super) progressive: bool,
    pub(super) arithmetic: bool,
}

/// The planes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Components {
    count: u8,
    /// Horizontal and vertical sampling factor, 1 to 4.
    sampling: [(u8, u8); 4],
}

// === impl FrameHeader ===

impl FrameHeader {
    /// Reads the contents of the segment behind `marker`.
    pub(super) fn read(marker: u8, segment: &[u8]) -> Result<Self, ImageError> {
        let (progressive, arithmetic) = match marker {
            0xc0 | 0xc1 => (false, false),
            0xc2 => (true, false),
            0xc9 => (false, true),
            0xca => (true, true),
            0xc3 | 0xcb => return Err(unsupported("lossless coding")),
            _ => return Err(unsupported("hierarchical coding")),
        };
        let &[precision, h1, h0, w1, w0, count, ref rest @ ..] = segment else {
            return Err(malformed("its frame header is too short"));
        };
        if precision != 8 {
            return Err(unsupported(&format!("{precision} bits a sample")));
        }
        let size = Size { width: u16::from_be_bytes([w1, w0]).into(), height: u16::from_be_bytes([h1, h0]).into() };
        if size.pixels() == 0 {
            return Err(malformed("it is empty"));
        }
        if !matches!(count, 1 | 3 | 4) {
            return Err(unsupported(&format!("{count} components")));
        }
        let mut components = Components { count, sampling: [(1, 1); 4] };
        let (specs, _) = rest.as_chunks::<3>();
        if specs.len() < usize::from(count) {
            return Err(malformed("its frame header is too short"));
        }
        for (&[_, factors, _], sampling) in specs.iter().zip(&mut components.sampling).take(usize::from(count)) {
            *sampling = (factors >> 4, factors & 15);
            if !(1..=4).contains(&sampling.0) || !(1..=4).contains(&sampling.1) {
                return Err(malformed("its sampling factors are out of range"));
            }
        }
        Ok(Self { size, coding: Coding { progressive, arithmetic }, components })
    }
}

// === impl Components ===

impl Components {
    /// How many planes there are: 1, 3 or 4.
    pub(super) fn count(&self) -> u8 {
        self.count
    }

    /// The sampling factors of each plane, across and down.
    pub(super) fn sampling(&self) -> &[(u8, u8)] {
        &self.sampling[..usize::from(self.count)]
    }
}

fn malformed(reason: &str) -> ImageError {
    ImageError::malformed(Format::Jpeg, reason)
}

fn unsupported(feature: &str) -> ImageError {
    ImageError::UnsupportedFeature { format: Format::Jpeg, feature: feature.to_owned() }
}
