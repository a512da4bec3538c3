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
pub struct LivePlan(Arc<watch::Sender<Arc<Tables>>>);

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
    /// Tables of different lengths; the cut `features`, which is no way to the same tensor.
    pub fn new(cuts: Arc<[Cut]>, pixels: Arc<[PixelCoding]>) -> Result<Self, ClientError> {
        Ok(Self(Arc::new(watch::Sender::new(Arc::new(Tables::new(cuts, pixels)?)))))
    }

    /// From now on these. Streams that run take it up at once.
    ///
    /// # Errors
    /// Those of [`Self::new`]; tables of another length than before.
    pub fn set(&self, cuts: Arc<[Cut]>, pixels: Arc<[PixelCoding]>) -> Result<(), ClientError> {
        let tables = Tables::new(cuts, pixels)?;
        if tables.cuts.len() != self.tables().cuts.len() {
            return Err(ClientError::Request("a plan cannot be exchanged for one of another number of samples"));
        }
        self.0.send_replace(Arc::new(tables));
        Ok(())
    }

    /// What holds now.
    pub(crate) fn tables(&self) -> Arc<Tables> {
        Arc::clone(&self.0.borrow())
    }

    /// Follows it.
    pub(crate) fn follow(&self) -> Following {
        Following(self.0.subscribe())
    }
}

impl fmt::Debug for LivePlan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "LivePlan of {} samples", self.tables().cuts.len())
    }
}

impl PartialEq for LivePlan {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl Eq for LivePlan {}

// === impl Tables ===

impl Tables {
    fn new(cuts: Arc<[Cut]>, pixels: Arc<[PixelCoding]>) -> Result<Self, ClientError> {
        if cuts.len() != pixels.len() {
            return Err(ClientError::Request("a plan must have a cut and a pixel coding for each sample"));
        }
        if cuts.contains(&Cut::Features) {
            return Err(ClientError::Request("a plan that changes while it runs cannot have the cut features"));
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
