//! One labelling: what it was asked to do, how far it is, and what is to become of it.

use std::sync::Arc;
use std::time::Duration;

use headwater_features::Classifier;
use headwater_wire::labels::{Labelling, LabellingState, Relabel};
use tokio::sync::watch;

/// A labelling that was begun since the server's start.
pub(crate) struct LabellingJob {
    pub(super) request: Relabel,
    pub(super) classifier: Arc<Classifier>,
    told: watch::Sender<Labelling>,
    wish: watch::Sender<Wish>,
}

/// What is to become of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Wish {
    Go,
    Pause,
    Cancel,
}

// === impl LabellingJob ===

impl LabellingJob {
    pub(super) fn new(request: Relabel, classifier: Arc<Classifier>, wish: Wish) -> Self {
        let told = Labelling {
            dataset: request.dataset.clone(),
            model: request.model.clone(),
            digest: Some(classifier.digest()),
            model_digest: Some(classifier.file()),
            state: LabellingState::Waiting,
            reason: String::new(),
            samples: 0,
            labelled: 0,
            skipped: 0,
            failed: 0,
            decoded: 0,
            changed: 0,
            ran: Duration::ZERO,
            failures: Vec::new(),
        };
        Self { request, classifier, told: watch::Sender::new(told), wish: watch::Sender::new(wish) }
    }

    /// How far it is.
    pub(crate) fn labelling(&self) -> Labelling {
        self.told.borrow().clone()
    }

    /// Hears whenever it is further.
    pub(crate) fn follow(&self) -> watch::Receiver<Labelling> {
        self.told.subscribe()
    }

    /// Says how far it is.
    pub(super) fn tell(&self, change: impl FnOnce(&mut Labelling)) {
        self.told.send_modify(change);
    }

    /// Says how it is, and why.
    pub(super) fn is(&self, state: LabellingState, reason: impl Into<String>) {
        let reason = reason.into();
        self.tell(|told| (told.state, told.reason) = (state, reason));
    }

    /// Whether nothing more comes of it.
    pub(super) fn is_ended(&self) -> bool {
        self.told.borrow().state.is_ended()
    }

    pub(super) fn wish(&self, wish: Wish) {
        self.wish.send_replace(wish);
    }

    pub(super) fn wished(&self) -> Wish {
        *self.wish.borrow()
    }

    /// Hears what is wished.
    pub(super) fn wishes(&self) -> watch::Receiver<Wish> {
        self.wish.subscribe()
    }
}
