//! Cuts and codings that may change while a stream runs: a plan that is planned anew.
//!
//! The samples stay what they are, and so do their finished tensors; only how they travel changes. Calls in flight whose
//! samples are to come otherwise now are ended, and what is left of them is asked for anew, each sample once.

use std::fmt;
use std::sync::Arc;

use headwater_types::{Cut, PixelCoding};
use tokio::sync::watch;

use crate::error::ClientError;

/// A table of cuts and codings, one for each sample of the dataset, that can be exchanged for another. Clones are the same
/// table.
#[derive(Clone)]
pub struct LivePlan {
    sender: Arc<watch::Sender<Arc<Tables>>>,
    /// Whether the cut `features` may be in it, now or later.
    features: bool,
}

/// What holds at a moment.
#[derive(Debug)]
pub(crate) struct Tables {
    pub(crate) cuts: Arc<[Cut]>,
    pub(crate) pixels: Arc<[PixelCoding]>,
}

/// One reader's view of the table: what holds now, and when that changes.
#[derive(Debug)]
pub(crate) struct Following(watch::Receiver<Arc<Tables>>);

// === impl LivePlan ===

impl LivePlan {
    /// Begins with these: one cut and one coding for each sample.
    ///
    /// # Errors
    /// Tables of different lengths; the cut `features`, which is no way to a tensor.
    pub fn new(cuts: Arc<[Cut]>, pixels: Arc<[PixelCoding]>) -> Result<Self, ClientError> {
        Self::begin(cuts, pixels, false)
    }

    /// The same for requests that name a model: samples may come as its features too, or as pixels that the reader infers
    /// itself.
    ///
    /// # Errors
    /// Tables of different lengths.
    pub fn with_features(cuts: Arc<[Cut]>, pixels: Arc<[PixelCoding]>) -> Result<Self, ClientError> {
        Self::begin(cuts, pixels, true)
    }

    fn begin(cuts: Arc<[Cut]>, pixels: Arc<[PixelCoding]>, features: bool) -> Result<Self, ClientError> {
        let tables = Tables::new(cuts, pixels, features)?;
        Ok(Self { sender: Arc::new(watch::Sender::new(Arc::new(tables))), features })
    }

    /// From now on these. Streams that run take it up at once.
    ///
    /// # Errors
    /// Those with which it began; tables of another length than before.
    pub fn set(&self, cuts: Arc<[Cut]>, pixels: Arc<[PixelCoding]>) -> Result<(), ClientError> {
        let tables = Tables::new(cuts, pixels, self.features)?;
        if tables.cuts.len() != self.tables().cuts.len() {
            return Err(ClientError::Request("a plan cannot be exchanged for one of another number of samples"));
        }
        self.sender.send_replace(Arc::new(tables));
        Ok(())
    }

    /// Whether samples may be asked for as features, now or later.
    pub(crate) fn may_take_features(&self) -> bool {
        self.features
    }

    /// What holds now.
    pub(crate) fn tables(&self) -> Arc<Tables> {
        Arc::clone(&self.sender.borrow())
    }

    /// Follows it.
    pub(crate) fn follow(&self) -> Following {
        Following(self.sender.subscribe())
    }
}

impl fmt::Debug for LivePlan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "LivePlan of {} samples", self.tables().cuts.len())
    }
}

impl PartialEq for LivePlan {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.sender, &other.sender)
    }
}

impl Eq for LivePlan {}

// === impl Tables ===

impl Tables {
    fn new(cuts: Arc<[Cut]>, pixels: Arc<[PixelCoding]>, features: bool) -> Result<Self, ClientError> {
        if cuts.len() != pixels.len() {
            return Err(ClientError::Request("a plan must have a cut and a pixel coding for each sample"));
        }
        if !features && cuts.contains(&Cut::Features) {
            return Err(ClientError::Request("a plan for tensors cannot have the cut features"));
        }
        Ok(Self { cuts, pixels })
    }

    /// A sample's way; a table that is too short was refused before.
    pub(crate) fn of(&self, index: u64) -> Option<(Cut, PixelCoding)> {
        let place = usize::try_from(index).ok()?;
        Some((*self.cuts.get(place)?, *self.pixels.get(place)?))
    }
}

// === impl Following ===

impl Following {
    /// What holds now; what comes later is a change.
    pub(crate) fn now(&mut self) -> Arc<Tables> {
        Arc::clone(&self.0.borrow_and_update())
    }

    /// Waits for a change; for ever, once nobody can make one.
    pub(crate) async fn changed(&mut self) {
        if self.0.changed().await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}
