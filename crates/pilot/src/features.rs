//! What a sample's costs are predicted from: all of it is known from its header and the address of its randomness.

use headwater_types::{Draws, Framing, Recipe};

use crate::survey::PhotoHeader;

/// The predictors of one sample.
#[derive(Clone, Debug)]
pub(crate) struct Features {
    pub(crate) jpeg: bool,
    row: [f64; WIDTH],
}

const WIDTH: usize = 9;
/// Columns that a few samples can tell apart.
const FEW: usize = 3;

/// What a crop is widened by, to whole strips and to what upsampling looks at: pixels to both sides together.
const AROUND: [f64; 2] = [72.0, 24.0];

// === impl Features ===

impl Features {
    pub(crate) fn new(stored: u64, header: PhotoHeader, recipe: &Recipe, draws: &Draws<'_>) -> Self {
        let framing = Framing::new(recipe.stages(), header.size, draws);
        let (width, height) = (f64::from(header.size.width), f64::from(header.size.height));
        let (stored, pixels) = (stored as f64, width * height);
        let region = framing.region;
        let area = region.width * region.height;
        let widened = (region.width + AROUND[0]).min(width) * (region.height + AROUND[1]).min(height);
        let output = framing.output.pixels() as f64;
        let inside = stored * area / pixels;
        let row = [
            1.0,
            stored,
            pixels,
            // What entropy decoding passes over: every row down to the crop's last.
            stored * ((region.y + region.height) / height).min(1.0),
            // What a crop of bytes holds.
            stored * widened / pixels,
            widened,
            area,
            // How busy the output is: bits that describe it, as they are and as they are spread over its pixels.
            (inside * output).sqrt(),
            output * (stored / pixels).sqrt(),
        ];
        Self { jpeg: header.jpeg, row }
    }

    /// The columns that `observations` samples can bear.
    pub(crate) fn columns(&self, observations: usize) -> Vec<f64> {
        let take = if observations >= 3 * WIDTH { WIDTH } else { FEW.min(observations.max(1)) };
        self.row[..take].to_vec()
    }

    pub(crate) fn stored(&self) -> f64 {
        self.row[1]
    }
}
