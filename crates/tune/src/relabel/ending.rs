//! How a labelling ended that did not come to its end.

/// A labelling that this command does not wait for any more. It goes on at the servers.
#[derive(Debug, thiserror::Error)]
#[error(
    "{done} of {samples} photos are labelled, and the servers go on: run the same command again to follow them, or \
     with --cancel to end it"
)]
pub(crate) struct Left {
    pub(super) done: u64,
    pub(super) samples: u64,
}

/// A labelling whose features are brought from here, which ended early.
#[derive(Debug, thiserror::Error)]
#[error("{done} of {samples} photos are labelled: run the same command again to go on from there")]
pub(crate) struct Cut {
    pub(super) done: u64,
    pub(super) samples: u64,
    #[source]
    pub(super) why: anyhow::Error,
}

/// The command was stopped before any server was asked.
#[derive(Debug, thiserror::Error)]
#[error("stopped before a labelling was begun")]
pub(crate) struct Unbegun;

/// The command was asked to stop.
#[derive(Debug, thiserror::Error)]
#[error("stopped before the end")]
pub(super) struct Stopped;

/// Servers whose labelling did not end as it should.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(crate) struct NotDone(pub(super) String);
