//! Features as they arrive, and the plan by which they arrive.

use std::future::Future as _;
use std::task::Poll;

use futures::stream::BoxStream;
use futures::{StreamExt, stream};
use headwater_client::Dataset;
use headwater_pilot::Steering;
use headwater_tables::features::FeatureSample;

use crate::error::SourceError;

/// Features of some samples, each sample once. An error is the last item.
pub type Arrivals = BoxStream<'static, Result<FeatureSample, SourceError>>;

/// These arrivals, and beside them the watch of a plan that is planned anew by what is seen. An error of planning is
/// the last item.
pub(crate) fn watched(mut arrivals: Arrivals, dataset: Dataset, steering: Steering) -> Arrivals {
    if !steering.listens() {
        return arrivals;
    }
    let mut watcher = Some(Box::pin(async move { steering.watch(&dataset).await }));
    stream::poll_fn(move |context| {
        if let Some(Poll::Ready(ended)) = watcher.as_mut().map(|watcher| watcher.as_mut().poll(context)) {
            watcher = None;
            if let Err(error) = ended {
                return Poll::Ready(Some(Err(error.into())));
            }
        }
        arrivals.poll_next_unpin(context)
    })
    .boxed()
}
