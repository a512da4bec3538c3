//! What goes wrong in the pipeline itself, as a failure of the sample that it happened to.

use headwater_image::PoolError;
use headwater_types::{FailureKind, SampleFailure};
use tokio::task::JoinError;

/// The CPU pool gave nothing.
pub(crate) fn pool_failure(error: &PoolError) -> SampleFailure {
    let kind = match error {
        PoolError::Closed => FailureKind::Unavailable,
        PoolError::NoWorkers | PoolError::Panicked(_) => FailureKind::Internal,
    };
    SampleFailure::new(kind, error.to_string())
}

/// A thread that waits for the disk was lost: the runtime is being shut down.
pub(crate) fn lost(error: &JoinError) -> SampleFailure {
    SampleFailure::new(FailureKind::Unavailable, format!("not read: {error}"))
}

/// The request was checked before: reaching this is a fault of ours.
pub(crate) fn missing(what: &str) -> SampleFailure {
    SampleFailure::new(FailureKind::Internal, format!("the {what} is missing: please report this"))
}
