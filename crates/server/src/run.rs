//! A run of a fetch stream's samples, on a task of its own, so that the samples of one stream use all cores.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use headwater_pipeline::{Call, Prepared, SampleRequest};
use headwater_types::{FailureKind, SampleFailure};
use tokio_util::task::AbortOnDropHandle;

use crate::forward::forward;
use crate::offer::Offer;
use crate::routes::{Leg, Route};

/// A run in work. Dropping it ends the work.
pub(crate) struct Run {
    places: Vec<usize>,
    task: AbortOnDropHandle<Vec<Option<Prepared>>>,
}

/// What the samples of a stream have in common: where they may be kept, and where another server is their home.
#[derive(Clone)]
pub(crate) struct Calls {
    pub(crate) own: Arc<Call>,
    alone: Arc<Call>,
}

/// Places of a run, and what came of their samples: `None` for one that its home has not given. Nothing came where the
/// server has a fault.
pub(crate) type Ended = (Vec<usize>, Option<Vec<Option<Prepared>>>);

// === impl Calls ===

impl Calls {
    pub(crate) fn new(call: Call) -> Self {
        let alone = Arc::new(Call { keep: false, ..call.clone() });
        Self { own: Arc::new(call), alone }
    }
}

// === impl Run ===

impl Run {
    /// Begins to prepare the samples of a leg.
    pub(crate) fn begin(leg: Leg, requests: Vec<SampleRequest>, offer: &Arc<Offer>, calls: &Calls) -> Self {
        let (offer, calls, Leg { places, route }) = (Arc::clone(offer), calls.clone(), leg);
        let task = tokio::spawn(async move { prepare(&offer, &requests, &calls, &route).await });
        Self { places, task: AbortOnDropHandle::new(task) }
    }

    /// Places of the run's samples in the call.
    pub(crate) fn places(&self) -> &[usize] {
        &self.places
    }
}

impl Future for Run {
    type Output = Ended;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Ended> {
        let ended = ready!(Pin::new(&mut self.task).poll(context));
        let say = |error| {
            tracing::error!(first = self.places.first(), samples = self.places.len(), %error, "a task ended badly");
        };
        let ended = ended.map_err(say).ok();
        Poll::Ready((std::mem::take(&mut self.places), ended))
    }
}

async fn prepare(offer: &Offer, requests: &[SampleRequest], calls: &Calls, route: &Route) -> Vec<Option<Prepared>> {
    if let Some(job) = &offer.job {
        // Before they are made, so that what is kept of them is kept for the access after this one.
        offer.generation.jobs.took(job, requests.iter().map(|request| (request.address, request.index)));
    }
    let prepared = match route {
        Route::Own => here(offer, requests, &calls.own).await,
        Route::Alone => here(offer, requests, &calls.alone).await,
        Route::Home(home) => forward(offer, home, requests, &calls.own).await,
    };
    for sample in prepared.iter().flatten() {
        if let Err(failure) = &sample.outcome {
            let key = sample.key.as_ref().map(|key| key.as_str());
            tracing::debug!(index = sample.index.0, key, kind = %failure.kind, %failure, "sample failed");
        }
        offer.counts.prepared(sample);
        offer.trace.prepared(sample);
    }
    prepared
}

async fn here(offer: &Offer, requests: &[SampleRequest], call: &Call) -> Vec<Option<Prepared>> {
    offer.generation.pipeline.prepare(requests, call).await.into_iter().map(Some).collect()
}

/// A sample whose run ended badly.
pub(crate) fn lost(request: &SampleRequest) -> Prepared {
    let message = "a fault of the server: please report this, with its log";
    Prepared::failed(request.index, SampleFailure::new(FailureKind::Internal, message))
}
