//! Ways that may change while a stream runs: a plan that is planned anew.
//!
//! The samples stay what they are, and so do their finished tensors; only how they travel changes. Calls in flight
//! whose samples are to come another way now are ended, and what is left of them is asked for anew, each sample once.

use std::fmt;
use std::sync::Arc;

use headwater_types::Way;
use tokio::sync::watch;

use crate::error::ClientError;

/// A table of ways, one for each sample of the dataset, that can be exchanged for another. Clones are the same table.
#[derive(Clone)]
pub struct LivePlan {
    sender: Arc<watch::Sender<Arc<[Way]>>>,
    /// Whether the way `features` may be in the table, now or later.
    features: bool,
}

/// One reader's view of the table: what holds now, and when that changes.
#[derive(Debug)]
pub(crate) struct Following(watch::Receiver<Arc<[Way]>>);

// === impl LivePlan ===

impl LivePlan {
    /// Begins with these ways to tensors, one for each sample.
    ///
    /// # Errors
    /// The way `features`, which leads to no tensor.
    pub fn new(ways: Arc<[Way]>) -> Result<Self, ClientError> {
        let plan = Self::begin(ways, false);
        plan.check(&plan.ways())?;
        Ok(plan)
    }

    /// Begins with these ways, one for each sample, for requests that name a model. Samples may come as the model's
    /// features too, or as pixels of which the reader makes features.
    pub fn with_features(ways: Arc<[Way]>) -> Self {
        Self::begin(ways, true)
    }

    fn begin(ways: Arc<[Way]>, features: bool) -> Self {
        Self { sender: Arc::new(watch::Sender::new(ways)), features }
    }

    /// Exchanges the table for another. Streams that run take it up at once.
    ///
    /// # Errors
    /// A table of another length than before; the way `features` in a plan for tensors.
    pub fn set(&self, ways: Arc<[Way]>) -> Result<(), ClientError> {
        self.check(&ways)?;
        if ways.len() != self.ways().len() {
            return Err(ClientError::Request("a plan cannot be exchanged for one of another number of samples"));
        }
        self.sender.send_replace(ways);
        Ok(())
    }

    fn check(&self, ways: &[Way]) -> Result<(), ClientError> {
        if !self.features && ways.iter().any(|way| way.is_features()) {
            return Err(ClientError::Request("a plan for tensors cannot have the cut features"));
        }
        Ok(())
    }

    /// Whether samples may be asked for as features, now or later.
    pub(crate) fn may_take_features(&self) -> bool {
        self.features
    }

    /// The ways that hold now.
    pub(crate) fn ways(&self) -> Arc<[Way]> {
        Arc::clone(&self.sender.borrow())
    }

    /// A reader of the table.
    pub(crate) fn follow(&self) -> Following {
        Following(self.sender.subscribe())
    }
}

impl fmt::Debug for LivePlan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "LivePlan of {} samples", self.ways().len())
    }
}

impl PartialEq for LivePlan {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.sender, &other.sender)
    }
}

impl Eq for LivePlan {}

// === impl Following ===

impl Following {
    /// The ways that hold now; ways that are set later are a change.
    pub(crate) fn now(&mut self) -> Arc<[Way]> {
        Arc::clone(&self.0.borrow_and_update())
    }

    /// Waits for a change; for ever, once nobody can make one.
    pub(crate) async fn changed(&mut self) {
        if self.0.changed().await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}

/// The way of a sample in a table; a table that is too short was refused before.
pub(crate) fn way_at(ways: &[Way], index: u64) -> Option<Way> {
    ways.get(usize::try_from(index).ok()?).copied()
}
