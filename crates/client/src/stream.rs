//! The samples of a request, as a stream.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use futures::Stream;
use tokio::runtime::Handle;
use tokio::task::JoinSet;
use tokio_util::task::AbortOnDropHandle;

use crate::error::ClientError;
use crate::job::FetchJob;
use crate::outlet::Outlet;
use crate::sample::Sample;
use crate::worker::Worker;

/// Samples, each once. An error is the last item: nothing can come any more. Dropping the stream ends its calls.
#[derive(Debug)]
#[must_use = "a stream that is not read is not fetched"]
pub struct SampleStream {
    outlet: Arc<Outlet>,
    _workers: AbortOnDropHandle<()>,
}

// === impl SampleStream ===

impl SampleStream {
    /// Starts the workers.
    pub(crate) fn start(runtime: &Handle, outlet: Arc<Outlet>, jobs: Vec<Arc<FetchJob>>) -> Self {
        let supervised = supervise(Arc::clone(&outlet), jobs);
        Self { outlet, _workers: AbortOnDropHandle::new(runtime.spawn(supervised)) }
    }
}

impl Stream for SampleStream {
    type Item = Result<Sample, ClientError>;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.outlet.poll(context)
    }
}

/// Runs the workers; the first that cannot go on ends them all, and so does whoever drops this.
async fn supervise(outlet: Arc<Outlet>, jobs: Vec<Arc<FetchJob>>) {
    let mut workers = JoinSet::new();
    let streams = jobs.iter().flat_map(|job| std::iter::repeat_n(job, job.streams()));
    for (number, job) in (0..).zip(streams) {
        workers.spawn(Worker::new(Arc::clone(job), number).run());
    }
    while let Some(ended) = workers.join_next().await {
        let ended = ended.unwrap_or_else(|panic| Err(ClientError::Internal(panic.to_string())));
        if let Err(error) = ended {
            return outlet.fail(error);
        }
    }
    outlet.close();
}
