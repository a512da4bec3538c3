//! What fuzz targets share.

use headwater_onnx::{GraphBuilder, Limits};
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

/// Small limits: a fuzzer learns nothing from a large model.
pub fn small_model() -> Limits {
    Limits { max_bytes: ByteCount::mebibytes(1), ..Limits::default() }
}

/// Sizes and times out of one input: a NUL stands between them.
pub fn sophon_files(bytes: &[u8]) -> (&[u8], &[u8], Provenance) {
    let end = bytes.iter().position(|&byte| byte == 0).unwrap_or(bytes.len());
    let provenance = Provenance::new(Source::Sophon, "2026-11-21T00:00:00Z", "fuzz", "0");
    (&bytes[..end], bytes.get(end + 1..).unwrap_or_default(), provenance)
}

/// The model that the corpus of deltas is for: that of `crates/delta/tests/delta/corpus.rs`.
pub fn delta_base() -> Vec<u8> {
    let weights: Vec<f32> = (0..600).map(|at| 0.25 + at as f32 / 4096.0).collect();
    GraphBuilder::new("delta").constant("w", &[600], &weights).constant("b", &[40], &weights[..40]).finish()
}
