//! Work that may wait for a disk or takes long, on a thread that may.

use std::sync::Arc;

use headwater_types::{FailureKind, SampleFailure};

use crate::error::StoreError;
use crate::extent::Extent;
use crate::store::Store;

/// Does work on a thread that may wait.
///
/// # Errors
/// `Interrupted` where the work panics, or the program ends meanwhile.
pub(crate) async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T, StoreError> {
    tokio::task::spawn_blocking(work).await.map_err(|error| StoreError::Interrupted { reason: error.to_string() })
}

/// Looks whether an object still is of the version that was listed, for what is in memory of it. Waits for a disk only
/// where the store cannot say without.
///
/// # Errors
/// The errors of [`Store::check`].
pub(crate) async fn check(store: &Arc<dyn Store>, whole: Extent) -> Result<(), SampleFailure> {
    if store.check_now(&whole) {
        return Ok(());
    }
    let store = Arc::clone(store);
    let looked = tokio::task::spawn_blocking(move || store.check(&whole)).await;
    looked.unwrap_or_else(|error| Err(SampleFailure::new(FailureKind::Unavailable, error.to_string())))
}
