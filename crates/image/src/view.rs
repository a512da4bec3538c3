//! Which pixels of a photo are decoded for a sample, and at what scale.
//!
//! Invariant: a view is a pure function of the recipe, the framing, and whether the photo can be scaled. So the side
//! that cuts a piece out of a photo and the side that decodes it mean the same pixels.

use headwater_types::recipe::Stages;
use headwater_types::{Framing, PixelBox, Position, Scale, Size};

use crate::resample::pixels_read;

/// A framing, in the pixels of the photo at the scale at which it is decoded.
pub(crate) struct View {
    pub(crate) scale: Scale,
    /// The framing, in coordinates of the photo at that scale.
    pub(crate) framing: Framing,
}

// === impl View ===

impl View {
    /// The view of a photo with this framing. `scalable` says whether the photo can be decoded at a fraction of its
    /// size.
    pub(crate) fn new(stages: &Stages, framing: &Framing, scalable: bool) -> Self {
        let scale = if scalable { Scale::of(stages, framing) } else { Scale::WHOLE };
        Self { scale, framing: scale.framing(framing) }
    }

    /// The pixels that the resize reads, in coordinates of the photo at its scale.
    pub(crate) fn read(&self) -> PixelBox {
        pixels_read(&self.framing)
    }

    /// The pixels of the unscaled photo that the read pixels are made from.
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

    /// Where a pixel of the unscaled photo lies at the scale; `None` where that is between two pixels.
    pub(crate) fn scaled(&self, position: Position) -> Option<Position> {
        let eighths = u64::from(self.scale.eighths());
        let place = |at: u32| {
            let at = u64::from(at) * eighths;
            if at % 8 == 0 { u32::try_from(at / 8).ok() } else { None }
        };
        Some(Position { x: place(position.x)?, y: place(position.y)? })
    }
}
