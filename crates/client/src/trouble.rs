//! Why a call to a server ended early.

use crate::error::ClientError;

/// Why a call ended before its work was done. It is shown in the words that a person is told.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Trouble {
    /// The connection broke, or the server restarts: another try may succeed.
    #[error("{0}")]
    Passing(String),
    /// The server said nothing in the time that the call had for it: another try may succeed.
    #[error("{0}")]
    Silent(&'static str),
    /// The server is starting, and says what it is doing: another try will succeed.
    #[error("{0}")]
    Starting(String),
    /// The server has as many connections or calls as it takes: another try succeeds once others have ended.
    #[error("{0}")]
    Busy(String),
    /// The server is not trusted, or does not trust this client: another try succeeds only where files are just being
    /// changed.
    #[error("{0}")]
    Untrusted(ClientError),
    /// Every other try would fail with the same error.
    #[error("{0}")]
    Lasting(ClientError),
}
