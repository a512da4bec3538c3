//! Finished samples in batches: one buffer for each batch, a row of it for each sample, written by the pool's threads.
//!
//! Invariants: batches come in the order in which their samples were asked for, and so do their rows; a sample that fails
//! leaves its row unspecified and says so beside it; at most `ahead` batches wait for their reader besides the one in the
//! making, and at most two samples for each thread are held that no thread has taken up.
//!
//! Who wants to know how it goes gives a [`Listener`].
//!
//! Rows are pieces of one `BytesMut`, so that several threads write into one buffer without a lock or a copy; joining them
//! again is free, for they lie side by side.

use std::collections::VecDeque;
use std::fmt;
use std::num::NonZeroUsize;
use std::sync::Arc;

use bytes::BytesMut;
use futures::StreamExt as _;
use headwater_image::{CpuMeter, ImageError, Payload, Scratch, advance, finish_into};
use headwater_types::{
    Address, AgreedLimits, ClassId, CpuSeconds, Cut, Draws, FailureKind, Recipe, SampleFailure, SampleIndex, SampleKey,
    Size,
};
use headwater_wire::Delivered;
use tokio::runtime::Handle;
use tokio::sync::{Semaphore, mpsc};
use tokio_util::task::AbortOnDropHandle;

use crate::error::ClientError;
use crate::finish::{Finisher, payload_of};
use crate::limits::failure_of;
use crate::sample::Sample;
use crate::stream::SampleStream;

/// What each row of a batch holds, native endian.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RowLayout {
    /// The finished tensor: f32 `[3, height, width]`.
    Tensor(Size),
    /// The pixels that it is made from, as of the cut `flipped`: u8 `[height, width, 3]`.
    Pixels(Size),
    /// Features: f32 `[d]`.
    Vector(u32),
}

/// How batches are made.
#[derive(Clone, Debug)]
pub struct BatchPlan {
    /// The recipe; `None` only for features.
    pub recipe: Option<Arc<Recipe>>,
    /// What rows hold.
    pub layout: RowLayout,
    /// Samples of each batch, in order. Samples past their sum are left unread.
    pub sizes: Vec<usize>,
    /// Batches that may wait for the reader.
    pub ahead: NonZeroUsize,
    /// Hears how it goes.
    pub listener: Option<Arc<dyn Listener>>,
}

/// Hears of samples on the threads that finish them, and so must not keep those.
pub trait Listener: fmt::Debug + Send + Sync {
    /// A sample has come, at this cut, and its row is written; for so much CPU time at its server (where the request has
    /// `measure_cpu`) and here.
    fn came(&self, index: SampleIndex, cut: Option<Cut>, storage: CpuSeconds, trainer: CpuSeconds);
}

/// Samples, finished, in one buffer.
#[derive(Clone, Debug, PartialEq)]
pub struct Batch {
    /// One after the other, each [`RowLayout::bytes`] long.
    pub values: Vec<u8>,
    /// In step with them.
    pub rows: Vec<Row>,
}

/// What is known of a sample of a batch.
#[derive(Clone, Debug, PartialEq)]
pub struct Row {
    /// Index in the dataset.
    pub index: SampleIndex,
    /// Its key.
    pub key: Option<SampleKey>,
    /// Its class.
    pub label: Option<ClassId>,
    /// Why its row holds nothing.
    pub failure: Option<SampleFailure>,
}

/// Batches, as they become ready. An error is the last item. Dropping it ends its calls.
#[derive(Debug)]
pub struct BatchStream {
    begun: mpsc::Receiver<Result<Waiting, ClientError>>,
    current: Option<Waiting>,
    _driver: AbortOnDropHandle<()>,
}

/// A batch whose rows are being written.
#[derive(Debug)]
struct Waiting {
    rows: VecDeque<AbortOnDropHandle<Written>>,
    written: Vec<Written>,
}

type Written = (BytesMut, Row);

/// What the rows of all batches have in common.
struct Work {
    finisher: Finisher,
    recipe: Option<Arc<Recipe>>,
    layout: RowLayout,
    listener: Option<Arc<dyn Listener>>,
}

/// Samples that are held and not taken up, for each thread that finishes: one is being taken up while another waits.
const HELD_PER_WORKER: usize = 2;

// === impl RowLayout ===

impl RowLayout {
    /// Bytes of a row.
    pub fn bytes(self) -> usize {
        let elements = |size: Size| 3 * usize::try_from(size.pixels()).unwrap_or(usize::MAX / 12);
        match self {
            Self::Tensor(size) => 4 * elements(size),
            Self::Pixels(size) => elements(size),
            Self::Vector(len) => 4 * len as usize,
        }
    }
}

// === impl BatchStream ===

impl BatchStream {
    /// Starts making batches of what a stream gives, which must be in order.
    pub(crate) fn start(runtime: &Handle, samples: SampleStream, finisher: Finisher, plan: BatchPlan) -> Self {
        let BatchPlan { recipe, layout, sizes, ahead, listener } = plan;
        let (sender, begun) = mpsc::channel(ahead.get());
        let work = Arc::new(Work { finisher, recipe, layout, listener });
        let driver = AbortOnDropHandle::new(runtime.spawn(drive(samples, work, sizes, sender)));
        Self { begun, current: None, _driver: driver }
    }

    /// The next batch; `None` at the end, or after an error. May be dropped and called again without losing anything.
    pub async fn next(&mut self) -> Option<Result<Batch, ClientError>> {
        if self.current.is_none() {
            match self.begun.recv().await? {
                Ok(waiting) => self.current = Some(waiting),
                Err(error) => return Some(Err(error)),
            }
        }
        let waiting = self.current.as_mut()?;
        while let Some(row) = waiting.rows.front_mut() {
            let written = match row.await {
                Ok(written) => written,
                Err(error) => {
                    self.current = None;
                    return Some(Err(ClientError::Internal(error.to_string())));
                }
            };
            waiting.rows.pop_front();
            waiting.written.push(written);
        }
        self.current.take().map(|waiting| Ok(waiting.join()))
    }
}

// === impl Waiting ===

impl Waiting {
    fn join(self) -> Batch {
        let mut values = BytesMut::new();
        let mut rows = Vec::with_capacity(self.written.len());
        for (piece, row) in self.written {
            // Beside each other: no copy. (A row that was lost with its thread is another buffer, and copied.)
            if values.is_empty() {
                values = piece;
            } else {
                values.unsplit(piece);
            }
            rows.push(row);
        }
        Batch { values: values.into(), rows }
    }
}

async fn drive(
    mut samples: SampleStream,
    work: Arc<Work>,
    sizes: Vec<usize>,
    sender: mpsc::Sender<Result<Waiting, ClientError>>,
) {
    let held = Arc::new(Semaphore::new(work.finisher.workers() * HELD_PER_WORKER));
    let row_bytes = work.layout.bytes();
    for size in sizes {
        let mut buffer = BytesMut::zeroed(size.saturating_mul(row_bytes));
        let mut rows = VecDeque::with_capacity(size);
        while rows.len() < size {
            let Ok(permit) = Arc::clone(&held).acquire_owned().await else { return };
            match samples.next().await {
                Some(Ok(sample)) => {
                    let (work, row) = (Arc::clone(&work), buffer.split_to(row_bytes));
                    let writing = async move {
                        let written = work.write(sample, row).await;
                        drop(permit);
                        written
                    };
                    rows.push_back(AbortOnDropHandle::new(tokio::spawn(writing)));
                }
                Some(Err(error)) => {
                    // Nobody is there to be told.
                    drop(sender.send(Err(error)).await);
                    return;
                }
                None => break,
            }
        }
        if rows.is_empty() || sender.send(Ok(Waiting { rows, written: Vec::with_capacity(size) })).await.is_err() {
            return;
        }
    }
}

// === impl Work ===

impl Work {
    async fn write(self: Arc<Self>, sample: Sample, row: BytesMut) -> Written {
        let Sample { index, address, key, label, limits, outcome, cpu } = sample;
        let of = |failure| Row { index, key: key.clone(), label, failure };
        let came = |cut, here: Option<CpuSeconds>| {
            if let Some(listener) = &self.listener {
                listener.came(index, cut, cpu.unwrap_or_default(), here.unwrap_or_default());
            }
        };
        let delivered = match outcome {
            Ok(delivered) => delivered,
            Err(failure) => {
                came(None, None);
                return (row, of(Some(failure)));
            }
        };
        let cut = delivered.cut;
        let job = {
            let (work, key, mut row) = (Arc::clone(&self), key.clone(), row);
            move |scratch: &mut Scratch| {
                let meter = CpuMeter::start(work.listener.is_some());
                let done = work.fill((delivered, &limits), key.as_ref(), address, &mut row, scratch);
                (row, done.err(), meter.read())
            }
        };
        match self.finisher.on_pool(job).await {
            Ok((row, failure, here)) => {
                came(Some(cut), here);
                (row, of(failure))
            }
            Err(failure) => (BytesMut::zeroed(self.layout.bytes()), of(Some(failure))),
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
        let internal = |message: &str| SampleFailure::new(FailureKind::Internal, message);
        if let RowLayout::Vector(_) = self.layout {
            let (from, to) = (delivered.payload.as_chunks::<4>().0, row.as_chunks_mut::<4>().0);
            if from.len() != to.len() {
                return Err(internal("its features are of another length than the model's"));
            }
            to.iter_mut().zip(from).for_each(|(to, from)| *to = f32::from_le_bytes(*from).to_ne_bytes());
            return Ok(());
        }
        let recipe = self.recipe.as_deref().ok_or_else(|| internal("there is no recipe to finish it with"))?;
        let key = key.ok_or_else(|| internal("a sample without a key cannot be framed"))?;
        let draws = Draws { address, key };
        let (held, failed) = (limits.limits(), |error| failure_of(error, limits));
        let (payload, _) = payload_of(recipe, delivered, limits)?;
        if let RowLayout::Pixels(_) = self.layout {
            match advance(recipe, payload, Cut::Flipped, &draws, &held, scratch).map_err(failed)? {
                Payload::Flipped(rgb) if rgb.pixels().len() == row.len() => row.copy_from_slice(rgb.pixels()),
                other => return Err(ImageError::NoSuchStep { at: other.cut(), to: Cut::Flipped }.into()),
            }
            return Ok(());
        }
        if let Ok(floats) = bytemuck::try_cast_slice_mut(row) {
            finish_into(recipe, &payload, &draws, &held, scratch, floats).map_err(failed)?;
            return Ok(());
        }
        // An allocator that aligns nothing.
        let mut floats = vec![0.0_f32; row.len() / 4];
        finish_into(recipe, &payload, &draws, &held, scratch, &mut floats).map_err(failed)?;
        row.copy_from_slice(bytemuck::cast_slice(&floats));
        Ok(())
    }
}
