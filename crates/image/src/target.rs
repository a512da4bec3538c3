//! Where a resized photo goes: into pixels, or row by row into the floats of a tensor, while each row is in the nearest
//! cache.

use headwater_types::Framing;
use headwater_types::recipe::Stages;

use crate::floats::Floats;
use crate::resample::{Resampler, Source};
use crate::tensor;

/// The output that is filled, of the recipe's size.
pub(crate) enum Target<'a> {
    /// Pixels, u8 `[h, w, 3]`, not mirrored.
    Pixels(&'a mut [u8]),
    /// A tensor, f32 `[3, h, w]`, mirrored where the framing says so, and normalised where `normalize` is set.
    Tensor { stages: &'a Stages, normalize: bool, out: &'a mut [f32] },
}

// === impl Target ===

impl Target<'_> {
    /// Crops and resizes as `framing` says.
    pub(crate) fn fill(self, source: Source<'_>, framing: &Framing, resampler: &mut Resampler, floats: &mut Floats) {
        match self {
            Self::Pixels(out) => resampler.resample(source, framing, out),
            Self::Tensor { stages, normalize, out } => {
                let floats = floats.of(stages, normalize);
                resampler.rows(source, framing, |y, row| tensor::write_row(floats, y, row, framing.flip, out));
            }
        }
    }
}
