//! One fetch stream: samples prepared side by side within a window, gathered into batches, handed to the network.

use std::sync::Arc;
use std::time::Instant;

use futures::{StreamExt, stream};
use headwater_pipeline::{Prepared, SampleRequest, Work};
use headwater_types::{Cut, FailureKind, SampleFailure};
use headwater_wire::{Asked, Fetch, proto};
use tokio::sync::{OwnedSemaphorePermit, mpsc};
use tokio_util::task::AbortOnDropHandle;
use tonic::Status;

use crate::batch::Batch;
use crate::service::Shared;

/// Batches that wait for the network. When they are full the stream's samples wait in their window, and its work stops.
const BATCHES_AHEAD: usize = 2;

/// What a client reads.
pub(crate) type Batches = stream::BoxStream<'static, Result<proto::FetchBatch, Status>>;

/// Keeps count of a stream for as long as it lives.
struct Open {
    shared: Arc<Shared>,
    _permit: OwnedSemaphorePermit,
}

impl Drop for Open {
    fn drop(&mut self) {
        self.shared.metrics.streams.dec();
    }
}

/// Begins the work. It ends when the stream is dropped, whether or not all was sent.
pub(crate) fn start(shared: Arc<Shared>, fetch: Fetch, work: Work, permit: OwnedSemaphorePermit) -> Batches {
    shared.metrics.streams.inc();
    let open = Open { shared: Arc::clone(&shared), _permit: permit };
    let (sender, receiver) = mpsc::channel(BATCHES_AHEAD);
    let driver = AbortOnDropHandle::new(tokio::spawn(drive(shared, fetch, work, sender)));
    stream::unfold((receiver, driver, open), |(mut receiver, driver, open)| async move {
        let batch: Batch = receiver.recv().await?;
        Some((Ok(batch.into_message()), (receiver, driver, open)))
    })
    .boxed()
}

async fn drive(shared: Arc<Shared>, fetch: Fetch, work: Work, batches: mpsc::Sender<Batch>) {
    let work = Arc::new(work);
    let window = shared.window(&work);
    let most = fetch.batch_bytes;
    let asked: Vec<_> = fetch.iter().collect();
    let runs = shared.pipeline.runs(asked.iter().map(request));
    let at_once = if asked.iter().all(|asked| asked.cut == Cut::JpegCrop) {
        // Enough to keep every worker at work; what is cut ahead of that leaves the cores' caches before it is sent.
        shared.pipeline.pool.workers() + 1
    } else {
        (window * runs.len()).div_ceil(asked.len().max(1)).max(2)
    };
    let mut samples = stream::iter(runs)
        .map(|run| prepare(Arc::clone(&shared), Arc::clone(&work), asked[run].to_vec()))
        .buffer_unordered(at_once)
        .flat_map(stream::iter);
    while let Some(batch) = Batch::gather(&mut samples, most).await {
        let (count, asked) = (batch.len(), Instant::now());
        if batches.send(batch).await.is_err() {
            return;
        }
        shared.metrics.sent(count, asked.elapsed());
    }
}

fn request(asked: &Asked) -> SampleRequest {
    let Asked { index, cut, pixels, epoch, position: _ } = *asked;
    SampleRequest { index, cut, pixels, epoch }
}

/// A run on a task of its own, so that the samples of one stream use all cores; ended with the stream. Each with its place in
/// the request.
async fn prepare(shared: Arc<Shared>, work: Arc<Work>, asked: Vec<Asked>) -> Vec<(u32, Prepared)> {
    let task = {
        let shared = Arc::clone(&shared);
        let run: Vec<_> = asked.iter().map(request).collect();
        tokio::spawn(async move {
            match run[..] {
                [request] if request.cut != Cut::JpegCrop => vec![shared.pipeline.prepare(request, &work).await],
                _ => shared.pipeline.crops(&run, &work).await,
            }
        })
    };
    let prepared = AbortOnDropHandle::new(task).await.unwrap_or_else(|error| {
        tracing::error!(first = ?asked.first().map(|asked| asked.index), samples = asked.len(), %error, "a task ended badly");
        let message = "a fault of the server: please report this, with its log";
        let failed = |index| Prepared::failed(index, SampleFailure::new(FailureKind::Internal, message));
        asked.iter().map(|asked| failed(asked.index)).collect()
    });
    for sample in &prepared {
        if let Err(failure) = &sample.outcome {
            let key = sample.key.as_ref().map(|key| key.as_str());
            tracing::debug!(index = sample.index.0, key, kind = %failure.kind, %failure, "sample failed");
        }
        shared.metrics.prepared(sample);
    }
    asked.iter().map(|asked| asked.position).zip(prepared).collect()
}
