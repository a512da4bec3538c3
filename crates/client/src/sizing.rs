//! How large chunks are: about how many bytes a sample has, and how many samples a worker takes at a time.

use headwater_types::{Form, Size, Way};

use crate::expectation::Expectation;
use crate::options::ClientOptions;
use crate::partition::Partition;
use crate::ways::Ways;

/// How large chunks are.
pub(crate) struct Sizing<'a> {
    pub(crate) options: &'a ClientOptions,
    pub(crate) ordered: bool,
    /// Workers of all servers together.
    pub(crate) streams: usize,
}

/// The number of samples below which a chunk is not made smaller: a call costs a round trip.
const SMALL_CHUNK: u64 = 16;

// === impl Sizing ===

impl Sizing<'_> {
    /// Samples in one chunk of a server that has about `share` of the request's samples, of about `bytes` each.
    pub(crate) fn chunk(&self, share: u64, bytes: u64) -> usize {
        let most = self.options.chunk.get() as u64;
        let even = share.div_ceil(self.options.streams_per_server.get() as u64).max(SMALL_CHUNK);
        // In order, chunks ahead of the reader wait whole: together they should fill half the window.
        let room = self.options.window.get() / 2 / bytes.max(1) / self.streams.max(1) as u64;
        let fitting = if self.ordered { room.max(1) } else { u64::MAX };
        usize::try_from(most.min(even).min(fitting)).unwrap_or(usize::MAX)
    }
}

/// About how many payload bytes a sample of a partition has, before any coding.
pub(crate) fn payload_bytes(expectation: &Expectation, partition: &Partition, ways: &Ways) -> u64 {
    let pixels = expectation.output.map_or(0, Size::pixels);
    let bytes = |way: Way| match way.cut().form() {
        // A crop is smaller than its photo; by how much depends on the recipe, and some photos come whole.
        Form::Stored | Form::Crop => partition.stored_bytes / partition.samples.max(1),
        // A megapixel: the size is not known before the header is read.
        Form::Photo => 3 << 20,
        Form::Floats if expectation.floats => 12 * pixels,
        Form::Pixels | Form::Floats => 3 * pixels,
        Form::Features => 4 * u64::from(expectation.feature_len.unwrap_or(0)),
    };
    let mean =
        |ways: &[Way]| ways.iter().map(|&way| bytes(way)).fold(0, u64::saturating_add) / (ways.len() as u64).max(1);
    match ways {
        Ways::All(way) => bytes(*way),
        Ways::PerSample(ways) => mean(ways),
        Ways::Live(plan) => mean(&plan.ways()),
    }
}
