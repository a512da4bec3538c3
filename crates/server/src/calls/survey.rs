//! `Survey`: what the headers of photos say. They are read side by side and gathered into messages.

use std::sync::Arc;
use std::time::Duration;

use futures::{StreamExt, stream};
use headwater_pipeline::Job;
use headwater_types::{Digest, Priority, SampleIndex};
use headwater_wire::{PhotoFacts, Survey, Surveyed, proto};
use tokio::sync::mpsc;
use tokio::time::{Instant, timeout_at};
use tokio_util::task::AbortOnDropHandle;
use tonic::{Request, Status};

use crate::offer::Offer;

use super::desk::{Admitted, Desk, OfDataset};

/// Headers of one message: about 100 bytes each.
const HEADERS_PER_MESSAGE: usize = 1024;
/// How long the first header of a message waits for the others.
const LINGER: Duration = Duration::from_millis(50);

/// The messages of a survey.
pub(super) type SurveyBatches = stream::BoxStream<'static, Result<proto::SurveyBatch, Status>>;

/// Begins the work. It ends when the stream is dropped.
pub(super) fn survey(desk: &Desk, request: Request<proto::SurveyRequest>) -> Result<SurveyBatches, Status> {
    let Admitted { offer, request: survey, peer } = desk.admit::<_, Survey>(request)?;
    let place = offer.house.place().map_err(|refusal| desk.refuse(refusal))?;
    tracing::debug!(samples = survey.samples.len(), "survey");
    // One message waits for the network, and headers behind it in their window.
    let (sender, receiver) = mpsc::channel(1);
    let job = offer.house.job(&peer, (Priority::default(), None));
    let drive = drive(offer, survey, job, sender);
    let driver = AbortOnDropHandle::new(tokio::spawn(drive));
    let messages = stream::unfold((receiver, driver, place), |(mut receiver, driver, place)| async move {
        let samples = receiver.recv().await?;
        Some((Ok(proto::SurveyBatch { samples }), (receiver, driver, place)))
    });
    Ok(messages.boxed())
}

async fn drive(offer: Arc<Offer>, survey: Survey, job: Job, messages: mpsc::Sender<Vec<proto::SurveyedSample>>) {
    let window = offer.house.stream_window.get();
    let mut headers =
        stream::iter(survey.samples.iter()).map(|index| look(&offer, &job, index)).buffer_unordered(window);
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

async fn look(offer: &Offer, job: &Job, index: SampleIndex) -> Surveyed {
    let outcome = offer.generation.pipeline.survey(index, offer.is_home(index), job).await.map(|header| PhotoFacts {
        format: header.format,
        size: header.stored,
        orientation: header.orientation,
    });
    let catalog = offer.generation.catalog();
    let stored = catalog.get(index).map(|entry| entry.version.size()).unwrap_or_default();
    Surveyed { index, key: catalog.key(index), stored, outcome }
}

// === impl Survey ===

impl OfDataset for Survey {
    fn dataset(&self) -> &str {
        &self.dataset
    }

    fn dataset_digest(&self) -> Option<Digest> {
        self.dataset_digest
    }
}
