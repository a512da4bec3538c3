//! Who makes the call that is worked on, for whatever asks about its dataset.

use std::sync::{Arc, OnceLock};

use headwater_access::Grant;

tokio::task_local! {
    /// The caller. A task that works for no call has none, and may do nothing with a dataset where tokens are asked
    /// for.
    static CALLER: Caller;
}

/// Whoever makes a call.
#[derive(Clone, Debug)]
pub(super) struct Caller {
    /// `None` where nobody is asked for a token.
    pub(super) grant: Option<Arc<Grant>>,
    /// The dataset that the call was about, for the audit.
    pub(super) dataset: Arc<OnceLock<String>>,
}

// === impl Caller ===

impl Caller {
    pub(super) fn new(grant: Option<Arc<Grant>>) -> Self {
        Self { grant, dataset: Arc::default() }
    }

    /// Runs a call as this one's.
    pub(super) async fn scope<T>(self, call: impl Future<Output = T>) -> T {
        CALLER.scope(self, call).await
    }
}

/// Whether the call that is worked on may use the dataset that it is about.
///
/// # Errors
/// The caller's name, where it may not.
pub(crate) fn covers(dataset: &str) -> Result<(), String> {
    // Without a caller nothing is noted, and nothing covered.
    drop(CALLER.try_with(|caller| caller.dataset.set(dataset.to_owned())));
    shows(dataset)
}

/// Whether the call may see that there is this dataset.
///
/// # Errors
/// As [`covers`].
pub(crate) fn shows(dataset: &str) -> Result<(), String> {
    let covered = CALLER.try_with(|caller| match &caller.grant {
        Some(grant) if !grant.covers(dataset) => Err(grant.name.clone()),
        _ => Ok(()),
    });
    covered.unwrap_or_else(|_| Err("a task of the server's".to_owned()))
}
