//! What goes wrong in the pipeline itself, as a failure of the sample that it happened to.

use headwater_image::PoolError;
use headwater_types::{FailureKind, SampleFailure};
use tokio::task::JoinError;

/// The failure of a sample whose work the CPU pool has not done.
pub(crate) fn pool_failure(error: &PoolError) -> SampleFailure {
    let kind = match error {
        PoolError::Closed => FailureKind::Unavailable,
        PoolError::NoWorkers | PoolError::Panicked(_) => FailureKind::Internal,
    };
    SampleFailure::new(kind, error.to_string())
}

/// The failure of a sample that waited when the process stopped.
pub(crate) fn stopping() -> SampleFailure {
    SampleFailure::new(FailureKind::Unavailable, "the server is stopping")
}

/// The failure of a sample whose thread that waits for the disk was lost: the runtime is being shut down.
pub(crate) fn lost(error: &JoinError) -> SampleFailure {
    SampleFailure::new(FailureKind::Unavailable, format!("not read: {error}"))
}
