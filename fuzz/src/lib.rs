//! What fuzz targets share.

use headwater_types::{ByteCount, ImageLimits};

/// Small limits: a fuzzer learns nothing from a large picture.
pub fn small_limits() -> ImageLimits {
    ImageLimits {
        max_pixels: 1 << 18,
        max_sample_memory: ByteCount::mebibytes(32),
        max_scan_pixels: 1 << 20,
        ..ImageLimits::default()
    }
}
