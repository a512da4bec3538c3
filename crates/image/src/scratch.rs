//! Buffers that one worker keeps from sample to sample, so that the hot path allocates its results only.

use std::time::Duration;

use crate::floats::Floats;
use crate::formats::jpeg;
use crate::level::Level;
use crate::resample::Resampler;

/// One worker's buffers. They grow to the largest sample seen, within its limits; nothing of a sample can be read from
/// them afterwards, and no result depends on them.
#[derive(Default)]
pub struct Scratch {
    /// Room for decoded pixels that a crop is made from.
    pub(crate) decoded: Vec<u8>,
    pub(crate) resampler: Resampler,
    pub(crate) floats: Floats,
    pub(crate) decoder: DecoderBuffers,
}

/// The buffers that decoders need beside their output.
#[derive(Default)]
pub(crate) struct DecoderBuffers {
    /// Room for rows or pictures in a layout other than RGB.
    pub(crate) raw: Vec<u8>,
    /// Room for pixels as they are stored, where they are turned afterwards.
    pub(crate) stored: Vec<u8>,
    /// The buffers of our own JPEG decoder.
    pub(crate) jpeg: jpeg::Buffers,
    /// Time spent decoding since it was last asked for.
    pub(crate) spent: Duration,
}

/// Buffers above this size are given back after use: one huge photo should not pin its memory to a worker for ever.
const KEEP_BYTES: usize = 32 << 20;

// === impl Scratch ===

impl Scratch {
    /// Empty buffers.
    pub fn new() -> Self {
        Self::default()
    }

    /// Empty buffers of a worker that computes with the instructions of `level` instead of the machine's best: for the
    /// same results at another speed, to compare the two.
    pub fn at(level: Level) -> Self {
        let decoder = DecoderBuffers { jpeg: jpeg::Buffers::at(level), ..DecoderBuffers::default() };
        Self { resampler: Resampler::at(level), floats: Floats::at(level), decoder, ..Self::default() }
    }

    /// Empty buffers of a worker that has libjpeg-turbo decode every JPEG: for the same results, to compare the two.
    pub fn by_libjpeg_turbo() -> Self {
        let decoder = DecoderBuffers { jpeg: jpeg::Buffers::idle(), ..DecoderBuffers::default() };
        Self { decoder, ..Self::default() }
    }

    /// Wall time spent decoding since the last call: [`crate::advance`] fuses decoding with the steps behind it, and
    /// metrics tell them apart.
    pub fn take_decode_time(&mut self) -> Duration {
        std::mem::take(&mut self.decoder.spent)
    }

    /// Gives back the memory of buffers that an unusually large sample has left.
    pub(crate) fn trim(&mut self) {
        for buffer in [&mut self.decoded, &mut self.decoder.raw, &mut self.decoder.stored] {
            if buffer.capacity() > KEEP_BYTES {
                *buffer = Vec::new();
            }
        }
        self.decoder.jpeg.trim(KEEP_BYTES);
    }
}
