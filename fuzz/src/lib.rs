//! What fuzz targets share.

use headwater_plan::{Provenance, Source};
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

/// Sizes and times out of one input: a NUL stands between them.
pub fn sophon_files(bytes: &[u8]) -> (&[u8], &[u8], Provenance) {
    let end = bytes.iter().position(|&byte| byte == 0).unwrap_or(bytes.len());
    let provenance = Provenance::new(Source::Sophon, "2026-11-21T00:00:00Z", "fuzz", "0");
    (&bytes[..end], bytes.get(end + 1..).unwrap_or_default(), provenance)
}
