//! Settings of what samples may take, which serving and indexing share.

use clap::Args;
use headwater_cli::exit::UsageError;
use headwater_cli::values::{pixels, scans, side, some_bytes};
use headwater_image::IndexedJpeg;
use headwater_pipeline::Memory;
use headwater_types::{ByteCount, ImageLimits, caps};

/// Limits that hold before pixels.
#[derive(Args, Clone, Debug)]
pub(crate) struct LimitArgs {
    /// Memory for all samples in flight, until the network has taken them. The process takes at most 256 MiB more, and
    /// what its models take
    #[arg(
        long,
        value_name = "SIZE",
        default_value_t = caps::SAMPLE_MEMORY,
        value_parser = some_bytes,
        help_heading = "Limits",
    )]
    memory: ByteCount,
    /// Most memory for one sample, known from its header
    #[arg(
        long,
        value_name = "SIZE",
        default_value_t = caps::MAX_SAMPLE_MEMORY,
        value_parser = some_bytes,
        help_heading = "Limits",
    )]
    max_sample_memory: ByteCount,
    /// Most bytes of one stored object
    #[arg(
        long,
        value_name = "SIZE",
        default_value_t = caps::MAX_OBJECT,
        value_parser = some_bytes,
        help_heading = "Limits",
    )]
    max_object_bytes: ByteCount,
    /// Most pixels of an image
    #[arg(
        long,
        value_name = "PIXELS",
        default_value_t = caps::MAX_PIXELS,
        value_parser = pixels,
        help_heading = "Limits",
    )]
    max_pixels: u64,
    /// Longest side of an image, in pixels
    #[arg(
        long,
        value_name = "PIXELS",
        default_value_t = caps::MAX_DIMENSION,
        value_parser = side,
        help_heading = "Limits",
    )]
    max_dimension: u32,
    /// Most scans of a progressive JPEG
    #[arg(long, value_name = "SCANS", default_value_t = caps::MAX_SCANS, value_parser = scans, help_heading = "Limits")]
    max_scans: u32,
    /// Most pixels x scans of a progressive JPEG: each scan goes over every pixel
    #[arg(
        long,
        value_name = "PIXELS",
        default_value_t = caps::MAX_SCAN_PIXELS,
        value_parser = pixels,
        help_heading = "Limits",
    )]
    max_scan_pixels: u64,
}

/// One of so many parts of the memory is granted to nobody: the allocator keeps as much between samples of many sizes.
/// After forty crowds of readers that stopped, at eight cuts one after the other, a server of 1 GiB had 279 MiB beside
/// its grants.
const KEPT_BY_ALLOCATOR: u64 = 16;

// === impl LimitArgs ===

impl LimitArgs {
    /// Limits of one image.
    pub(crate) fn of_image(&self) -> ImageLimits {
        ImageLimits {
            max_dimension: self.max_dimension,
            max_pixels: self.max_pixels,
            max_object: self.max_object_bytes,
            max_sample_memory: self.max_sample_memory,
            max_scans: self.max_scans,
            max_scan_pixels: self.max_scan_pixels,
        }
    }

    /// Memory for all samples in flight.
    ///
    /// # Errors
    /// Too little for one sample as large as may be.
    pub(crate) fn memory(&self) -> Result<Memory, UsageError> {
        let encoded = ByteCount::new(self.memory.get() / 4);
        let kept = self.memory.get() / KEPT_BY_ALLOCATOR;
        let decoded = ByteCount::new(self.memory.get() - encoded.get() - kept);
        // A photo of the index may be larger than the object of which it was made.
        let largest = IndexedJpeg::most_bytes(self.max_object_bytes);
        if decoded < self.max_sample_memory || encoded < largest {
            // Of 16 parts 4 are for encoded bytes, and one is the allocator's.
            let for_samples = self.max_sample_memory.get().saturating_mul(16).div_ceil(11);
            let least = for_samples.max(largest.get().saturating_mul(4));
            return Err(UsageError(format!(
                "--memory {} is too little for samples of --max-sample-memory {} and objects of --max-object-bytes {}: \
                 give at least {}, or lower those",
                self.memory,
                self.max_sample_memory,
                self.max_object_bytes,
                ByteCount::mebibytes(least.div_ceil(1 << 20)),
            )));
        }
        Ok(Memory { encoded, decoded })
    }
}
