//! The one check that all calls share: a request is whole, and names a dataset that is served, in a generation that is
//! held.

use std::sync::Arc;

use headwater_spans::Tracer;
use headwater_types::Digest;
use headwater_wire::status::{Invalid, Refusal};
use tonic::{Request, Status};

use crate::gate::covers;
use crate::ingest::Intakes;
use crate::labelling::LabellingJobs;
use crate::life::Life;
use crate::metrics::Metrics;
use crate::offer::Offer;
use crate::peer::Peer;
use crate::reload::Reloader;
use crate::traces::CallTrace;
use crate::training::Trainings;

/// Where calls come in, from the moment that the server listens.
pub(crate) struct Desk {
    /// Made at random at the start, so that a client that reaches this server by two names sees that it is one.
    pub(crate) instance: [u8; 16],
    pub(crate) life: Arc<Life>,
    pub(crate) metrics: Arc<Metrics>,
    pub(crate) reloader: Arc<Reloader>,
    pub(crate) labelling: Arc<LabellingJobs>,
    pub(crate) intakes: Arc<Intakes>,
    pub(crate) trainings: Trainings,
    pub(crate) tracer: Tracer,
}

/// A request of a dataset, as all of them name it.
pub(super) trait OfDataset {
    /// The dataset's name.
    fn dataset(&self) -> &str;

    /// The partition's digest that the client expects; `None` where it expects none.
    fn dataset_digest(&self) -> Option<Digest>;
}

/// A call that may stream once it has a place among the streams. It takes its place after its own checks: so a client
/// whose request is wrong hears of that from a full server too.
pub(super) struct Admitted<R> {
    pub(super) offer: Arc<Offer>,
    pub(super) request: R,
    pub(super) peer: Peer,
}

// === impl Desk ===

impl Desk {
    /// What is served of this dataset: the generation of this digest, or the current one where none is named.
    pub(super) fn offer(&self, asked: &str, digest: Option<Digest>) -> Result<Arc<Offer>, Status> {
        self.covers(asked)?;
        let served = self.life.datasets.find(asked).ok_or_else(|| {
            let asked = asked.chars().take(100).collect();
            self.refuse(Refusal::UnknownDataset { asked, served: self.life.datasets.names() })
        })?;
        let house = self.life.house().map_err(|refusal| self.refuse(refusal))?;
        let generation = served.generation(digest).map_err(|refusal| self.refuse(self.with_others(refusal)))?;
        let counts = self.metrics.samples(&served.name);
        let (house, served, trace) = (Arc::clone(house), Arc::clone(served), CallTrace::default());
        Ok(Arc::new(Offer { house, served, generation, counts, job: None, trace }))
    }

    /// Sees that the caller may use a dataset.
    pub(super) fn covers(&self, dataset: &str) -> Result<(), Status> {
        covers(dataset).map_err(|name| {
            let message = format!(
                "the token of {name} is not for the dataset {dataset}: have its line in --tokens, or its role, name it \
                 too"
            );
            self.refuse(Refusal::Forbidden { message })
        })
    }

    /// A dataset that is not ready does not speak for the others.
    fn with_others(&self, refusal: Refusal) -> Refusal {
        let others = self.life.datasets.served();
        match refusal {
            Refusal::NotReady { dataset, reason } if !others.is_empty() => {
                Refusal::NotReady { dataset, reason: format!("{reason}; this server serves {others}") }
            }
            refusal => refusal,
        }
    }

    /// A call with one answer, checked.
    pub(super) fn check<M, R>(&self, request: Request<M>) -> Result<(Arc<Offer>, R), Status>
    where
        R: OfDataset + TryFrom<M, Error = Invalid>,
    {
        let request = R::try_from(request.into_inner()).map_err(|invalid| self.refuse(invalid))?;
        let offer = self.offer(request.dataset(), request.dataset_digest())?;
        Ok((offer, request))
    }

    /// A call that streams, checked. There are no new ones while the server drains.
    pub(super) fn admit<M, R>(&self, request: Request<M>) -> Result<Admitted<R>, Status>
    where
        R: OfDataset + TryFrom<M, Error = Invalid>,
    {
        let peer = request.extensions().get::<Peer>().cloned();
        let peer = peer.ok_or_else(|| Status::internal("a call without a connection"))?;
        let (offer, request) = self.check(request)?;
        offer.house.check_running().map_err(|refusal| self.refuse(refusal))?;
        Ok(Admitted { offer, request, peer })
    }

    /// Counts a refusal on its way to the client.
    pub(super) fn refuse(&self, refusal: impl Into<Refusal>) -> Status {
        self.metrics.refuse(refusal)
    }
}
