//! Settings of what samples may take, which serving and indexing share.

use clap::Args;
use headwater_cache::memory_limit;
use headwater_cli::exit::UsageError;
use headwater_cli::values::{pixels, scans, side, some_bytes};
use headwater_image::IndexedJpeg;
use headwater_pipeline::Memory;
use headwater_types::{ByteCount, ImageLimits, caps};

/// Limits that hold before pixels.
#[derive(Args, Clone, Debug)]
pub(crate) struct LimitArgs {
    /// Memory for all samples in flight, until the network has taken them. The process takes at most 256 MiB more, and
    /// what its models take [default: 1GiB; in a container at most three quarters of what its limit leaves beside
    /// those]
    #[arg(long, value_name = "SIZE", value_parser = some_bytes, help_heading = "Limits")]
    memory: Option<ByteCount>,
    /// Most memory for one sample, known from its header [default: 224MiB; in a container with little memory what the
    /// default of --memory has room for]
    #[arg(long, value_name = "SIZE", value_parser = some_bytes, help_heading = "Limits")]
    max_sample_memory: Option<ByteCount>,
    /// Most bytes of one stored object [default: 64MiB; in a container with little memory what the default of
    /// --memory has room for]
    #[arg(long, value_name = "SIZE", value_parser = some_bytes, help_heading = "Limits")]
    max_object_bytes: Option<ByteCount>,
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

/// Sizes as they are in force: as they were given, or as they come about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Sizes {
    memory: ByteCount,
    sample: ByteCount,
    object: ByteCount,
}

/// One of so many parts of the memory is granted to nobody: the allocator keeps as much between samples of many sizes.
/// After forty crowds of readers that stopped, at eight cuts one after the other, a server of 1 GiB had 279 MiB beside
/// its grants.
const KEPT_BY_ALLOCATOR: u64 = 16;
/// What a process takes beside `--memory`.
const BESIDE: u64 = 256 << 20;
/// The least `--memory` that comes about by itself. A container of less is too small for a server: it may be killed
/// while it works on large photos.
const LEAST: u64 = 64 << 20;

// === impl LimitArgs ===

impl LimitArgs {
    /// Limits of one image.
    pub(crate) fn of_image(&self) -> ImageLimits {
        let Sizes { sample, object, .. } = self.sizes(memory_limit());
        ImageLimits {
            max_dimension: self.max_dimension,
            max_pixels: self.max_pixels,
            max_object: object,
            max_sample_memory: sample,
            max_scans: self.max_scans,
            max_scan_pixels: self.max_scan_pixels,
        }
    }

    /// Memory for all samples in flight.
    ///
    /// # Errors
    /// Too little for one sample as large as may be.
    pub(crate) fn memory(&self) -> Result<Memory, UsageError> {
        let sizes = self.sizes(memory_limit());
        sizes.memory()
    }

    /// Says what a container's limit has made of the defaults.
    pub(crate) fn say(&self) {
        let Some(limit) = memory_limit() else { return };
        let (here, elsewhere) = (self.sizes(Some(limit)), self.sizes(None));
        if here != elsewhere {
            let Sizes { memory, sample, object } = here;
            tracing::info!(
                container_bytes = limit.get(),
                memory_bytes = memory.get(),
                max_sample_memory_bytes = sample.get(),
                max_object_bytes = object.get(),
                "the container's limit of memory makes the defaults of --memory, --max-sample-memory and \
                 --max-object-bytes smaller"
            );
        }
    }

    /// The sizes in force where the process and those beside it may take so much.
    fn sizes(&self, limit: Option<ByteCount>) -> Sizes {
        let of_limit = |limit: ByteCount| {
            let most = limit.get().saturating_sub(BESIDE) / 4 * 3;
            ByteCount::mebibytes(most.max(LEAST) >> 20)
        };
        let usual = limit.map_or(caps::SAMPLE_MEMORY, |limit| of_limit(limit).min(caps::SAMPLE_MEMORY));
        let memory = self.memory.unwrap_or(usual);
        let Memory { encoded, decoded } = parts(memory);
        // A photo of the index may be a quarter larger than the object of which it was made, and a little.
        let room = ByteCount::new(encoded.get().saturating_sub(1 << 20) / 5 * 4);
        // Whoever chooses the memory hears what is too little.
        let (sample, object) = match self.memory {
            Some(_) => (caps::MAX_SAMPLE_MEMORY, caps::MAX_OBJECT),
            None => (caps::MAX_SAMPLE_MEMORY.min(decoded), caps::MAX_OBJECT.min(room)),
        };
        Sizes {
            memory,
            sample: self.max_sample_memory.unwrap_or(sample),
            object: self.max_object_bytes.unwrap_or(object),
        }
    }
}

// === impl Sizes ===

impl Sizes {
    fn memory(self) -> Result<Memory, UsageError> {
        let Self { memory, sample, object } = self;
        let Memory { encoded, decoded } = parts(memory);
        // A photo of the index may be larger than the object of which it was made.
        let largest = IndexedJpeg::most_bytes(object);
        if decoded < sample || encoded < largest {
            // Of 16 parts 4 are for encoded bytes, and one is the allocator's.
            let for_samples = sample.get().saturating_mul(16).div_ceil(11);
            let least = for_samples.max(largest.get().saturating_mul(4));
            return Err(UsageError(format!(
                "--memory {memory} is too little for samples of --max-sample-memory {sample} and objects of \
                 --max-object-bytes {object}: give at least {}, or lower those",
                ByteCount::mebibytes(least.div_ceil(1 << 20)),
            )));
        }
        Ok(Memory { encoded, decoded })
    }
}

/// The parts of so much memory.
fn parts(memory: ByteCount) -> Memory {
    let encoded = memory.get() / 4;
    let decoded = memory.get() - encoded - memory.get() / KEPT_BY_ALLOCATOR;
    Memory { encoded: ByteCount::new(encoded), decoded: ByteCount::new(decoded) }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Settings {
        #[command(flatten)]
        limits: LimitArgs,
    }

    fn sizes(given: &[&str], limit: Option<u64>) -> Sizes {
        let settings = Settings::parse_from(["serve"].iter().chain(given));
        settings.limits.sizes(limit.map(ByteCount::mebibytes))
    }

    #[test]
    fn a_machine_of_its_own_and_a_large_container_have_the_usual_sizes() {
        let usual = Sizes { memory: caps::SAMPLE_MEMORY, sample: caps::MAX_SAMPLE_MEMORY, object: caps::MAX_OBJECT };
        for limit in [None, Some(2048), Some(1 << 20)] {
            assert_eq!(sizes(&[], limit), usual);
        }
        usual.memory().unwrap();
    }

    #[test]
    fn a_small_container_has_smaller_ones_that_fit_into_it_and_into_each_other() {
        for limit in [0, 128, 300, 512, 768, 1024, 1500] {
            let found = sizes(&[], Some(limit));
            found.memory().unwrap();
            let all = found.memory.get() + BESIDE;
            assert!(limit < 512 || all <= limit << 20, "{limit}: {found:?}");
        }
        assert_eq!(sizes(&[], Some(512)).memory, ByteCount::mebibytes(192));
    }

    #[test]
    fn what_is_given_holds_and_is_refused_where_it_does_not_fit() {
        let given = sizes(&["--memory", "3GiB", "--max-sample-memory", "100MiB"], Some(512));
        assert_eq!((given.memory, given.sample), (ByteCount::mebibytes(3072), ByteCount::mebibytes(100)));
        let error = sizes(&["--max-sample-memory", "224MiB"], Some(512)).memory().unwrap_err().to_string();
        assert!(error.contains("--memory 192MiB is too little") && error.contains("give at least 326MiB"), "{error}");
        let error = sizes(&["--memory", "100MiB", "--max-sample-memory", "9MiB"], None).memory().unwrap_err();
        assert!(error.to_string().contains("give at least 321MiB"), "{error}");
    }
}
