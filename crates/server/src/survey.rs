//! One survey stream: headers read side by side, gathered into messages.

use std::sync::Arc;
use std::time::Duration;

use futures::{StreamExt, stream};
use headwater_pipeline::Account;
use headwater_types::SampleIndex;
use headwater_wire::{PhotoFacts, Survey, Surveyed, proto};
use tokio::sync::{OwnedSemaphorePermit, mpsc};
use tokio::time::{Instant, timeout_at};
use tokio_util::task::AbortOnDropHandle;
use tonic::Status;

use crate::service::Shared;

/// Headers of one message: about 100 bytes each.
const HEADERS_PER_MESSAGE: usize = 1024;
/// How long the first of a message waits for the others.
const LINGER: Duration = Duration::from_millis(50);

/// What a client reads.
pub(crate) type Headers = stream::BoxStream<'static, Result<proto::SurveyBatch, Status>>;

/// Begins the work; it ends when the stream is dropped.
pub(crate) fn start(shared: Arc<Shared>, survey: Survey, account: Account, permit: OwnedSemaphorePermit) -> Headers {
    // One message waits for the network, and headers behind it in their window.
    let (sender, receiver) = mpsc::channel(1);
    let driver = AbortOnDropHandle::new(tokio::spawn(drive(shared, survey, account, sender)));
    stream::unfold((receiver, driver, permit), |(mut receiver, driver, permit)| async move {
        let samples = receiver.recv().await?;
        Some((Ok(proto::SurveyBatch { samples }), (receiver, driver, permit)))
    })
    .boxed()
}

async fn drive(
    shared: Arc<Shared>,
    survey: Survey,
    account: Account,
    messages: mpsc::Sender<Vec<proto::SurveyedSample>>,
) {
    let window = shared.stream_window.get();
    let mut headers =
        stream::iter(survey.samples.iter()).map(|index| look(&shared, &account, index)).buffer_unordered(window);
    while let Some(first) = headers.next().await {
        let mut message = vec![proto::SurveyedSample::from(first)];
        let close = Instant::now() + LINGER;
        while message.len() < HEADERS_PER_MESSAGE {
            let Ok(Some(next)) = timeout_at(close, headers.next()).await else { break };
            message.push(next.into());
        }
        if messages.send(message).await.is_err() {
            return;
        }
    }
}

async fn look(shared: &Shared, account: &Account, index: SampleIndex) -> Surveyed {
    let outcome = shared.pipeline.survey(index, account).await.map(|header| PhotoFacts {
        format: header.format,
        size: header.stored,
        orientation: header.orientation,
    });
    let catalog = &shared.pipeline.catalog;
    let stored = catalog.get(index).map(|entry| entry.version.size()).unwrap_or_default();
    Surveyed { index, key: catalog.key(index), stored, outcome }
}
