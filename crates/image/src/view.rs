//! What is decoded for a sample: which of its photo's pixels, and at what scale.
//!
//! Invariant: a pure function of recipe, framing, and whether the photo can be scaled, so that who cuts a piece out of a
//! photo and who decodes it mean the same pixels.

use headwater_types::recipe::Stages;
use headwater_types::{Framing, PixelBox, Position, Scale, Size};

use crate::resample::pixels_read;

/// A framing in the pixels that are decoded for it.
pub(crate) struct View {
    pub(crate) scale: Scale,
    /// In coordinates of the photo at that scale.
    pub(crate) framing: Framing,
}

// === impl View ===

impl View {
    /// How a photo that is framed like this is looked at; `scalable` where it can be decoded at a scale.
    pub(crate) fn new(stages: &Stages, framing: &Framing, scalable: bool) -> Self {
        let scale = if scalable { Scale::of(stages, framing) } else { Scale::WHOLE };
        Self { scale, framing: scale.framing(framing) }
    }

    /// The pixels that the resize reads, in the photo at its scale.
    pub(crate) fn read(&self) -> PixelBox {
        pixels_read(&self.framing)
    }

    /// The pixels of the photo, as stored, that those are made from.
    pub(crate) fn stored(&self, photo: Size) -> PixelBox {
        let read = self.read();
        if self.scale == Scale::WHOLE {
            return read;
        }
        // Chroma is interpolated at the scale: a pixel more to each side is one of the scale's.
        let eighths = u32::from(self.scale.eighths());
        let side = |start: u32, length: u32, whole: u32| {
            let first = start.saturating_sub(1) * 8 / eighths;
            let end = ((start + length + 1) * 8).div_ceil(eighths).min(whole);
            (first, end - first)
        };
        let ((x, width), (y, height)) =
            (side(read.x, read.width, photo.width), side(read.y, read.height, photo.height));
        PixelBox { x, y, width, height }
    }

    /// Where a pixel of the photo lies at the scale; `None` where that is between two.
    pub(crate) fn scaled(&self, position: Position) -> Option<Position> {
        let eighths = u64::from(self.scale.eighths());
        let place = |at: u32| {
            let at = u64::from(at) * eighths;
            if at % 8 == 0 { u32::try_from(at / 8).ok() } else { None }
        };
        Some(Position { x: place(position.x)?, y: place(position.y)? })
    }
}
