//! The one check that all calls share: a request is whole, and names the dataset that is served, in the version that is
//! served.

use std::sync::Arc;

use headwater_types::{DatasetName, Digest};
use headwater_wire::status::{Invalid, Refusal};
use tonic::{Request, Status};

use crate::life::Life;
use crate::metrics::Metrics;
use crate::peer::Peer;
use crate::shared::Shared;

/// Where calls come in, from the moment that the server listens.
pub(crate) struct Desk {
    pub(crate) dataset: DatasetName,
    /// Made at random at the start, so that a client that reaches this server by two names sees that it is one.
    pub(crate) instance: [u8; 16],
    pub(crate) life: Arc<Life>,
    pub(crate) metrics: Arc<Metrics>,
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
pub(super) struct Admitted<'a, R> {
    pub(super) shared: &'a Arc<Shared>,
    pub(super) request: R,
    pub(super) peer: Peer,
}

// === impl Desk ===

impl Desk {
    /// What is served, where it is this dataset and is served already.
    pub(super) fn served(&self, asked: &str) -> Result<&Arc<Shared>, Status> {
        if asked != self.dataset.as_str() {
            let asked = asked.chars().take(100).collect();
            return Err(self.refuse(Refusal::UnknownDataset { asked, served: self.dataset.to_string() }));
        }
        self.life.shared().map_err(|refusal| self.refuse(refusal))
    }

    /// A call with one answer, checked.
    pub(super) fn check<M, R>(&self, request: Request<M>) -> Result<(&Arc<Shared>, R), Status>
    where
        R: OfDataset + TryFrom<M, Error = Invalid>,
    {
        let request = R::try_from(request.into_inner()).map_err(|invalid| self.refuse(invalid))?;
        let shared = self.served(request.dataset())?;
        shared.check_digest(request.dataset_digest()).map_err(|refusal| self.refuse(refusal))?;
        Ok((shared, request))
    }

    /// A call that streams, checked. There are no new ones while the server drains.
    pub(super) fn admit<M, R>(&self, request: Request<M>) -> Result<Admitted<'_, R>, Status>
    where
        R: OfDataset + TryFrom<M, Error = Invalid>,
    {
        let peer = request.extensions().get::<Peer>().cloned();
        let peer = peer.ok_or_else(|| Status::internal("a call without a connection"))?;
        let request = R::try_from(request.into_inner()).map_err(|invalid| self.refuse(invalid))?;
        let shared = self.served(request.dataset())?;
        let checked = shared.check_running().and_then(|()| shared.check_digest(request.dataset_digest()));
        checked.map_err(|refusal| self.refuse(refusal))?;
        Ok(Admitted { shared, request, peer })
    }

    /// Counts a refusal on its way to the client.
    pub(super) fn refuse(&self, refusal: impl Into<Refusal>) -> Status {
        self.metrics.refuse(refusal)
    }
}
