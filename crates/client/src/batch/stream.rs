//! Batches as they become ready.

use std::collections::VecDeque;
use std::sync::Arc;

use bytes::BytesMut;
use futures::StreamExt as _;
use tokio::runtime::Handle;
use tokio::sync::{Semaphore, mpsc};
use tokio_util::task::AbortOnDropHandle;

use crate::batch::plan::BatchPlan;
use crate::batch::rows::{Batch, WrittenRow};
use crate::batch::work::BatchWork;
use crate::dataset::Dataset;
use crate::error::ClientError;
use crate::finish::Finisher;
use crate::request::FetchRequest;
use crate::stream::SampleStream;

/// Batches, as they become ready. An error is the last item. Dropping the stream ends its calls.
#[derive(Debug)]
pub struct BatchStream {
    begun: mpsc::Receiver<Result<BegunBatch, ClientError>>,
    current: Option<BegunBatch>,
    _driver: AbortOnDropHandle<()>,
}

/// A batch whose rows are being written.
#[derive(Debug)]
struct BegunBatch {
    rows: VecDeque<AbortOnDropHandle<WrittenRow>>,
    written: Vec<WrittenRow>,
}

/// Samples that are held and not taken up, for each thread that finishes: one is being taken up while another waits.
const HELD_PER_WORKER: usize = 2;

// === impl Dataset ===

impl Dataset {
    /// Streams samples in the order of the request, finished, in batches.
    ///
    /// # Errors
    /// Those of [`Self::fetch`].
    pub fn fetch_batches(
        &self,
        request: FetchRequest,
        finisher: Finisher,
        plan: BatchPlan,
    ) -> Result<BatchStream, ClientError> {
        let samples = self.fetch(FetchRequest { ordered: true, ..request })?;
        Ok(BatchStream::start(&self.0.runtime, samples, finisher, plan))
    }
}

// === impl BatchStream ===

impl BatchStream {
    /// Starts making batches of what a stream gives, which must be in order.
    fn start(runtime: &Handle, samples: SampleStream, finisher: Finisher, plan: BatchPlan) -> Self {
        let BatchPlan { recipe, layout, sizes, ahead, listener } = plan;
        let (sender, begun) = mpsc::channel(ahead.get());
        let work = Arc::new(BatchWork { finisher, recipe, layout, listener });
        let driver = AbortOnDropHandle::new(runtime.spawn(drive(samples, work, sizes, sender)));
        Self { begun, current: None, _driver: driver }
    }

    /// The next batch; `None` at the end, or after an error. May be dropped and called again without losing anything.
    pub async fn next(&mut self) -> Option<Result<Batch, ClientError>> {
        if self.current.is_none() {
            match self.begun.recv().await? {
                Ok(begun) => self.current = Some(begun),
                Err(error) => return Some(Err(error)),
            }
        }
        let begun = self.current.as_mut()?;
        while let Some(row) = begun.rows.front_mut() {
            let written = match row.await {
                Ok(written) => written,
                Err(error) => {
                    self.current = None;
                    return Some(Err(ClientError::Internal(error.to_string())));
                }
            };
            begun.rows.pop_front();
            begun.written.push(written);
        }
        self.current.take().map(|begun| Ok(Batch::join(begun.written)))
    }
}

/// Begins one batch after the other, and hands each over as soon as its samples are there.
async fn drive(
    mut samples: SampleStream,
    work: Arc<BatchWork>,
    sizes: Vec<usize>,
    sender: mpsc::Sender<Result<BegunBatch, ClientError>>,
) {
    let held = Arc::new(Semaphore::new(work.finisher.workers() * HELD_PER_WORKER));
    for size in sizes {
        match begin(&mut samples, &work, size, &held).await {
            Ok(begun) if begun.rows.is_empty() => return,
            Ok(begun) => {
                if sender.send(Ok(begun)).await.is_err() {
                    return;
                }
            }
            Err(error) => {
                // Without a reader, the error is dropped too.
                drop(sender.send(Err(error)).await);
                return;
            }
        }
    }
}

/// A batch of the next `size` samples, or of as many as there are.
async fn begin(
    samples: &mut SampleStream,
    work: &Arc<BatchWork>,
    size: usize,
    held: &Arc<Semaphore>,
) -> Result<BegunBatch, ClientError> {
    let row_bytes = work.layout.bytes();
    let mut buffer = BytesMut::zeroed(size.saturating_mul(row_bytes));
    let mut rows = VecDeque::with_capacity(size);
    while rows.len() < size {
        let permit = Arc::clone(held).acquire_owned().await;
        let Some(sample) = samples.next().await.transpose()? else { break };
        let (work, row) = (Arc::clone(work), buffer.split_to(row_bytes));
        let writing = async move {
            let written = work.write(sample, row).await;
            drop(permit);
            written
        };
        rows.push_back(AbortOnDropHandle::new(tokio::spawn(writing)));
    }
    Ok(BegunBatch { rows, written: Vec::with_capacity(size) })
}
