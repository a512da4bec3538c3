//! One fetch stream: samples prepared side by side within a window, gathered into batches, handed to the network.

use std::sync::Arc;
use std::time::Instant;

use futures::{StreamExt, stream};
use headwater_pipeline::{Prepared, SampleRequest, Work};
use headwater_types::{FailureKind, SampleFailure};
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
    let request = |Asked { index, cut, pixels }| SampleRequest { index, cut, pixels };
    let requests: Vec<_> = fetch.iter().map(request).collect();
    let mut samples = stream::iter(requests)
        .map(|request| prepare(Arc::clone(&shared), Arc::clone(&work), request))
        .buffer_unordered(window);
    while let Some(batch) = Batch::gather(&mut samples, most).await {
        let (count, asked) = (batch.len(), Instant::now());
        if batches.send(batch).await.is_err() {
            return;
        }
        shared.metrics.sent(count, asked.elapsed());
    }
}

/// On a task of its own, so that the samples of one stream use all cores; ended with the stream.
async fn prepare(shared: Arc<Shared>, work: Arc<Work>, request: SampleRequest) -> Prepared {
    let task = {
        let shared = Arc::clone(&shared);
        tokio::spawn(async move { shared.pipeline.prepare(request, &work).await })
    };
    let prepared = AbortOnDropHandle::new(task).await.unwrap_or_else(|error| {
        tracing::error!(index = request.index.0, %error, "a sample's task ended badly");
        let message = "a fault of the server: please report this, with its log";
        Prepared::failed(request.index, SampleFailure::new(FailureKind::Internal, message))
    });
    if let Err(failure) = &prepared.outcome {
        let key = prepared.key.as_ref().map(|key| key.as_str());
        tracing::debug!(index = request.index.0, key, kind = %failure.kind, %failure, "sample failed");
    }
    shared.metrics.prepared(&prepared);
    prepared
}
