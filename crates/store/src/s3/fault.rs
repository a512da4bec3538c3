//! Why one request to a store has not given what was asked for, and whether the same request may later.

use std::error::Error as StdError;
use std::time::Duration;

use object_store::Error;
use object_store::client::{HttpError, HttpErrorKind};

use super::answer::Answer;
use super::document::NoListing;

/// What went wrong with one request.
#[derive(Clone, Debug, thiserror::Error)]
pub(super) enum Fault {
    /// The store refused.
    #[error("it answered with {0}")]
    Answered(Box<Answer>),
    /// The store answered with something else than was asked for.
    #[error("it answered with {0}")]
    Garbled(String),
    /// The object's size is another than was listed, and its ETag is the same: one of both is a mistake of the way.
    #[error("it gave {given} bytes of an object of {listed}")]
    Length {
        /// The number of bytes that the store announced, or that came.
        given: u64,
        /// The number of bytes in the listing.
        listed: u64,
    },
    /// The object is another than was listed.
    #[error("it has another object under that key than it listed")]
    Changed,
    /// No connection could be made.
    #[error("no connection: {0}")]
    Unconnected(String),
    /// The connection broke.
    #[error("the connection broke: {0}")]
    Broken(String),
    /// Nothing came for this long.
    #[error("it sent nothing for {} s", .0.as_secs())]
    Silent(Duration),
    /// Not all of the answer came within this time.
    #[error("one request took longer than {} s", .0.as_secs())]
    Slow(Duration),
    /// There were no credentials to sign the request with.
    #[error("no credentials: {0}")]
    Credentials(String),
}

/// Whether to ask again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Again {
    /// The answer would be the same.
    Never,
    /// A few times: a fault on the way passes, and what is no store never becomes one.
    Few,
    /// For as long as there is patience.
    Long,
}

/// The error of a request that was sent and got no answer. Requests for credentials, which `object_store` makes by
/// itself, do not have it.
#[derive(Debug, thiserror::Error)]
#[error("{source}")]
pub(super) struct Transport {
    pub(super) source: HttpError,
}

// === impl Fault ===

impl Fault {
    pub(super) fn again(&self) -> Again {
        match self {
            Self::Answered(answer) if answer.may_pass() => Again::Long,
            Self::Answered(_) | Self::Changed => Again::Never,
            Self::Garbled(_) | Self::Length { .. } | Self::Credentials(_) => Again::Few,
            Self::Unconnected(_) | Self::Broken(_) | Self::Silent(_) | Self::Slow(_) => Again::Long,
        }
    }

    pub(super) fn retry_after(&self) -> Option<Duration> {
        if let Self::Answered(answer) = self { answer.retry_after } else { None }
    }

    /// Whether the store says that it is asked too much: then nothing is known of the object that was asked for.
    pub(super) fn is_throttling(&self) -> bool {
        matches!(self, Self::Answered(answer) if answer.is_throttling())
    }

    /// S3's own word for the refusal; empty where there is none.
    pub(super) fn code(&self) -> &str {
        if let Self::Answered(answer) = self { answer.code() } else { "" }
    }

    /// The fault that an error of `object_store` stands for. `sent` says whether the request itself was sent, and not
    /// only others for its credentials.
    pub(super) fn of(error: &Error, sent: bool) -> Self {
        let mut cause: Option<&(dyn StdError + 'static)> = Some(error);
        let mut last = error.to_string();
        while let Some(inner) = cause {
            if let Some(answer) = inner.downcast_ref::<Answer>() {
                return Self::Answered(Box::new(answer.clone()));
            }
            if let Some(listing) = inner.downcast_ref::<NoListing>() {
                return Self::from(listing.clone());
            }
            if let Some(transport) = inner.downcast_ref::<Transport>() {
                return Self::of_transport(&transport.source);
            }
            last = inner.to_string();
            cause = inner.source();
        }
        if sent { Self::Garbled(format!("what cannot be read: {last}")) } else { Self::Credentials(last) }
    }

    pub(super) fn of_transport(error: &HttpError) -> Self {
        let words = deepest(error);
        match error.kind() {
            HttpErrorKind::Connect => Self::Unconnected(words),
            _ => Self::Broken(words),
        }
    }
}

impl From<NoListing> for Fault {
    fn from(listing: NoListing) -> Self {
        match listing {
            NoListing::Error(answer) => Self::Answered(answer),
            NoListing::Garbled { .. } => Self::Garbled(listing.to_string()),
        }
    }
}

/// The words of the innermost cause: the causes around it only say that there was an error.
pub(super) fn deepest(error: &(dyn StdError + 'static)) -> String {
    let causes = std::iter::successors(Some(error), |&error| error.source());
    causes.last().map(ToString::to_string).unwrap_or_default()
}
