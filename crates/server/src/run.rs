//! A run of a fetch stream's samples, on a task of its own, so that the samples of one stream use all cores.

use std::ops::Range;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use headwater_pipeline::{Call, Prepared, SampleRequest};
use headwater_types::{FailureKind, SampleFailure};
use tokio_util::task::AbortOnDropHandle;

use crate::offer::Offer;

/// A run in work. Dropping it ends the work.
pub(crate) struct Run {
    places: Range<usize>,
    task: AbortOnDropHandle<Vec<Prepared>>,
}

/// Places of a run, and what came of their samples; `None` where the server has a fault.
pub(crate) type Ended = (Range<usize>, Option<Vec<Prepared>>);

// === impl Run ===

impl Run {
    /// Begins to prepare the samples at these places of a call.
    pub(crate) fn begin(
        places: Range<usize>,
        requests: Vec<SampleRequest>,
        offer: &Arc<Offer>,
        call: &Arc<Call>,
    ) -> Self {
        let (offer, call) = (Arc::clone(offer), Arc::clone(call));
        let task = tokio::spawn(async move { prepare(&offer, &requests, &call).await });
        Self { places, task: AbortOnDropHandle::new(task) }
    }

    /// Places of the run's samples in the call.
    pub(crate) fn places(&self) -> Range<usize> {
        self.places.clone()
    }
}

impl Future for Run {
    type Output = Ended;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Ended> {
        let ended = ready!(Pin::new(&mut self.task).poll(context));
        let say = |error| {
            tracing::error!(first = self.places.start, samples = self.places.len(), %error, "a task ended badly");
        };
        Poll::Ready((self.places(), ended.map_err(say).ok()))
    }
}

async fn prepare(offer: &Offer, requests: &[SampleRequest], call: &Call) -> Vec<Prepared> {
    if let Some(job) = &offer.job {
        // Before they are made, so that what is kept of them is kept for the access after this one.
        offer.generation.jobs.took(job, requests.iter().map(|request| (request.address, request.index)));
    }
    let prepared = offer.generation.pipeline.prepare(requests, call).await;
    for sample in &prepared {
        if let Err(failure) = &sample.outcome {
            let key = sample.key.as_ref().map(|key| key.as_str());
            tracing::debug!(index = sample.index.0, key, kind = %failure.kind, %failure, "sample failed");
        }
        offer.counts.prepared(sample);
    }
    prepared
}

/// A sample whose run ended badly.
pub(crate) fn lost(request: &SampleRequest) -> Prepared {
    let message = "a fault of the server: please report this, with its log";
    Prepared::failed(request.index, SampleFailure::new(FailureKind::Internal, message))
}
