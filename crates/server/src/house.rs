//! What all datasets of a server share: its resources, its models, and the places that calls draw from.

use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::Duration;

use headwater_features::Extractor;
use headwater_pipeline::{Caller, Job, Resources, SharedCache};
use headwater_types::{Digest, JobName, ModelName, NetworkCut, Priority};
use headwater_wire::status::Refusal;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::spawn_blocking;
use tokio_util::sync::CancellationToken;

use crate::homes::Share;
use crate::labels::Shelf;
use crate::metrics::Metrics;
use crate::models::Models;
use crate::peer::Peer;
use crate::streams::Streams;

/// What all datasets share.
pub(crate) struct House {
    pub(crate) resources: Arc<Resources>,
    pub(crate) models: Arc<Models>,
    /// Where labels are kept; `None` where the server has no state folder.
    pub(crate) shelf: Option<Shelf>,
    /// What is kept of all datasets' samples; `None` where nothing is.
    pub(crate) cache: Option<Arc<SharedCache>>,
    /// Those with which the server shares its store; `None` where it shares with nobody.
    pub(crate) share: Option<Arc<Share>>,
    pub(crate) metrics: Arc<Metrics>,
    /// Samples of a stream that are worked on at a time.
    pub(crate) stream_window: NonZeroUsize,
    pub(crate) max_streams: NonZeroUsize,
    /// How long a request may bring nothing.
    pub(crate) idle_timeout: Duration,
    pub(crate) stream_permits: Arc<Semaphore>,
    pub(crate) streams: Streams,
    /// Cancelled when the server begins to drain.
    pub(crate) stopping: CancellationToken,
}

// === impl House ===

impl House {
    /// Streams that are open, of samples, headers and lists.
    pub(crate) fn open_streams(&self) -> usize {
        self.max_streams.get().saturating_sub(self.stream_permits.available_permits())
    }

    /// A job for a call of this peer, and of its training job where it names one.
    pub(crate) fn job(&self, peer: &Peer, (priority, name): (Priority, Option<&JobName>)) -> Job {
        let (client, connection) = (peer.client(), peer.connection());
        let job = name.map(JobName::as_str).unwrap_or_default();
        self.resources.serve(priority, &Caller { client: &client, connection: &connection, job })
    }

    /// Checks that the server takes new streams: none while it drains.
    pub(crate) fn check_running(&self) -> Result<(), Refusal> {
        if self.stopping.is_cancelled() { Err(Refusal::Stopping) } else { Ok(()) }
    }

    /// Where labels are kept.
    pub(crate) fn shelf(&self) -> Result<&Shelf, Refusal> {
        let message = "this server has no place for labels: start it with --state DIR";
        self.shelf.as_ref().ok_or_else(|| Refusal::NoLabels { message: message.to_owned() })
    }

    /// A place among the streams.
    pub(crate) fn place(&self) -> Result<OwnedSemaphorePermit, Refusal> {
        let busy = |_| Refusal::Busy { limit: self.max_streams.get() };
        Arc::clone(&self.stream_permits).try_acquire_owned().map_err(busy)
    }

    /// The front of a model's network up to this cut, opened where it is not open, without holding up other calls.
    pub(crate) async fn front(
        self: &Arc<Self>,
        name: &ModelName,
        cut: &NetworkCut,
        expected: Option<Digest>,
    ) -> Result<Arc<Extractor>, Refusal> {
        let (house, name, cut) = (Arc::clone(self), name.clone(), cut.clone());
        let opened = spawn_blocking(move || house.models.front(&name, &cut, expected)).await;
        let lost = |_| Refusal::NoFront { message: "opening a front ended badly: please report it".to_owned() };
        opened.map_err(lost)?
    }

    /// The model of this name, where it is the one that the client expects, or is held for it.
    pub(crate) fn model(&self, name: &ModelName, expected: Option<Digest>) -> Result<Arc<Extractor>, Refusal> {
        self.models.find(name, expected)
    }
}
