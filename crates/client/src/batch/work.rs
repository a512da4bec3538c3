//! What a thread does to a sample of a batch: it finishes the recipe straight into the sample's row.

use std::sync::Arc;

use bytes::BytesMut;
use headwater_image::{CpuMeter, ImageError, Payload, Scratch, advance, finish_into};
use headwater_types::{Address, AgreedLimits, CpuSeconds, Cut, Draws, FailureKind, Recipe, SampleFailure, SampleKey};
use headwater_wire::Delivered;

use crate::batch::layout::RowLayout;
use crate::batch::plan::Listener;
use crate::batch::rows::{BatchRow, WrittenRow};
use crate::finish::{Finisher, payload_of};
use crate::limits::failure_of;
use crate::sample::Sample;

/// What the rows of all batches have in common.
pub(crate) struct BatchWork {
    pub(crate) finisher: Finisher,
    pub(crate) recipe: Option<Arc<Recipe>>,
    pub(crate) layout: RowLayout,
    pub(crate) listener: Option<Arc<dyn Listener>>,
}

/// A sample's payload, and what is needed to finish it.
struct Unfinished<'a> {
    recipe: &'a Recipe,
    payload: Payload,
    draws: Draws<'a>,
    limits: &'a AgreedLimits,
}

// === impl BatchWork ===

impl BatchWork {
    /// Writes a sample into its row.
    pub(crate) async fn write(self: Arc<Self>, sample: Sample, mut row: BytesMut) -> WrittenRow {
        let Sample { index, address, key, label, fields, limits, outcome, cpu, trace } = sample;
        let described = |failure| BatchRow { index, key: key.clone(), label, fields, failure };
        let came = |way, here: Option<CpuSeconds>| {
            if let Some(listener) = &self.listener {
                listener.came(index, way, cpu.unwrap_or_default(), here.unwrap_or_default());
            }
        };
        let delivered = match outcome {
            Ok(delivered) => delivered,
            Err(failure) => {
                came(None, None);
                return (row, described(Some(failure)));
            }
        };
        let (work, key, way) = (Arc::clone(&self), key.clone(), delivered.way);
        let job = move |scratch: &mut Scratch| {
            let _finishing = trace.finishing();
            let meter = CpuMeter::start(work.listener.is_some());
            let done = work.fill((delivered, &limits), key.as_ref(), address, &mut row, scratch);
            (row, done.err(), meter.read())
        };
        match self.finisher.on_pool(job).await {
            Ok((row, failure, here)) => {
                came(Some(way), here);
                (row, described(failure))
            }
            Err(failure) => (BytesMut::zeroed(self.layout.bytes()), described(Some(failure))),
        }
    }

    fn fill(
        &self,
        (delivered, limits): (Delivered, &AgreedLimits),
        key: Option<&SampleKey>,
        address: Address,
        row: &mut [u8],
        scratch: &mut Scratch,
    ) -> Result<(), SampleFailure> {
        if let RowLayout::Vector(_) = self.layout {
            return copy_features(&delivered.payload, row);
        }
        let recipe = self.recipe.as_deref().ok_or_else(|| internal("there is no recipe to finish it with"))?;
        let key = key.ok_or_else(|| internal("a sample without a key cannot be framed"))?;
        let draws = Draws { address, key };
        let (payload, _) = payload_of(recipe, delivered, limits)?;
        let unfinished = Unfinished { recipe, payload, draws, limits };
        match self.layout {
            RowLayout::Pixels(_) => unfinished.write_pixels(row, scratch),
            _ => unfinished.write_tensor(row, scratch),
        }
    }
}

// === impl Unfinished ===

impl Unfinished<'_> {
    fn write_pixels(self, row: &mut [u8], scratch: &mut Scratch) -> Result<(), SampleFailure> {
        let Self { recipe, payload, draws, limits } = self;
        let advanced = advance(recipe, payload, Cut::Flipped, &draws, &limits.limits(), scratch);
        match advanced.map_err(|error| failure_of(error, limits))? {
            Payload::Flipped(rgb) if rgb.pixels().len() == row.len() => row.copy_from_slice(rgb.pixels()),
            other => return Err(ImageError::NoSuchStep { at: other.cut(), to: Cut::Flipped }.into()),
        }
        Ok(())
    }

    fn write_tensor(&self, row: &mut [u8], scratch: &mut Scratch) -> Result<(), SampleFailure> {
        if let Ok(floats) = bytemuck::try_cast_slice_mut(row) {
            return self.finish(floats, scratch);
        }
        // An allocator that aligns nothing.
        let mut floats = vec![0.0_f32; row.len() / 4];
        self.finish(&mut floats, scratch)?;
        row.copy_from_slice(bytemuck::cast_slice(&floats));
        Ok(())
    }

    fn finish(&self, floats: &mut [f32], scratch: &mut Scratch) -> Result<(), SampleFailure> {
        let Self { recipe, payload, draws, limits } = self;
        finish_into(recipe, payload, draws, &limits.limits(), scratch, floats)
            .map_err(|error| failure_of(error, limits))
    }
}

/// Features travel little endian, and lie in rows native endian.
fn copy_features(payload: &[u8], row: &mut [u8]) -> Result<(), SampleFailure> {
    let (from, to) = (payload.as_chunks::<4>().0, row.as_chunks_mut::<4>().0);
    if from.len() != to.len() {
        return Err(internal("its features are of another length than the model's"));
    }
    to.iter_mut().zip(from).for_each(|(to, from)| *to = f32::from_le_bytes(*from).to_ne_bytes());
    Ok(())
}

fn internal(message: &str) -> SampleFailure {
    SampleFailure::new(FailureKind::Internal, message)
}
