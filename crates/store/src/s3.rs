//! A dataset in a bucket of an S3-compatible store.
//!
//! Invariant: what a read gives is of the ETag that was listed. The ETag is compared when the answer's headers are here and
//! before its body is taken, not sent ahead as `If-Match`: a catalog keeps a hash of it (8 bytes a sample instead of about
//! 40), and a store behind a proxy that marks its ETags as weak would fail every `If-Match`, as HTTP says it must.

mod connect;
mod listing;
mod pages;

use std::error::Error as _;
use std::sync::Arc;
use std::time::Instant;

use async_trait::async_trait;
use bytes::Bytes;
use futures::StreamExt;
use headwater_types::digest::Digester;
use headwater_types::{Digest, FailureKind, SampleFailure, SampleKey};
use object_store::aws::{AmazonS3, AmazonS3Builder};
use object_store::path::Path;
use object_store::{Error, GetResult, ObjectMeta, ObjectStoreExt};

use crate::catalog::Catalog;
use crate::error::StoreError;
use crate::options::StoreOptions;
use crate::store::{Store, finished};
use crate::version::{LIST_ANEW, Version};

pub(crate) use connect::settings_from_environment;

/// A bucket, or a folder in it, whose first-level folders are the classes.
pub(crate) struct Bucket {
    client: Arc<AmazonS3>,
    /// As the user wrote it, for messages.
    location: String,
    /// What every key begins with in the bucket: empty, or ends with a slash.
    prefix: String,
    place: Digest,
    /// Whether the settings name credentials, of whatever kind.
    has_credentials: bool,
    options: StoreOptions,
}

// === impl Bucket ===

impl Bucket {
    /// Prepares to speak to the store with these settings; nothing is sent yet.
    pub(crate) fn open(
        bucket: &str,
        prefix: &str,
        options: &StoreOptions,
        settings: AmazonS3Builder,
    ) -> Result<Self, StoreError> {
        let has_credentials = connect::has_credentials(&settings);
        let endpoint = connect::endpoint(&options.s3, &settings).unwrap_or_default();
        let place = Digester::default()
            .field(b"s3")
            .field(endpoint.trim_end_matches('/').as_bytes())
            .field(bucket.as_bytes())
            .field(prefix.as_bytes())
            .finish();
        let client = Arc::new(connect::connect(bucket, &options.s3, settings)?);
        let (location, prefix) = match prefix {
            "" => (format!("s3://{bucket}"), String::new()),
            prefix => (format!("s3://{bucket}/{prefix}"), format!("{prefix}/")),
        };
        Ok(Self { client, location, prefix, place, has_credentials, options: options.clone() })
    }

    fn listing_error(&self, source: Error) -> StoreError {
        let location = self.location.clone();
        match code(&source.to_string()) {
            Some("NoSuchBucket") => StoreError::NoSuchBucket { location, source },
            _ if !self.has_credentials => StoreError::NoCredentials { location, source },
            Some(DENIED | "InvalidAccessKeyId" | "SignatureDoesNotMatch" | "ExpiredToken" | "InvalidToken") => {
                StoreError::Refused { location, source }
            }
            _ => StoreError::S3 { location, source },
        }
    }
}

#[async_trait]
impl Store for Bucket {
    async fn list(&self) -> Result<Catalog, StoreError> {
        let began = Instant::now();
        let found = listing::list(self).await?;
        let catalog = tokio::task::spawn_blocking(move || found.finish())
            .await
            .map_err(|error| StoreError::Interrupted { reason: error.to_string() })?;
        finished(&self.location, catalog, &self.options, began.elapsed())
    }

    fn place(&self) -> Digest {
        self.place
    }

    async fn read(&self, key: &SampleKey, version: Version) -> Result<Bytes, SampleFailure> {
        if version.size() > self.options.max_object {
            return Err(SampleFailure::new(
                FailureKind::LimitExceeded,
                format!("it has {} and may have {}: see --max-object-bytes", version.size(), self.options.max_object),
            ));
        }
        let path = Path::parse(format!("{}{key}", self.prefix))
            .map_err(|error| SampleFailure::new(FailureKind::Forbidden, error.to_string()))?;
        let answer = self.client.get(&path).await.map_err(|error| failure(&error))?;
        if version_of(&answer.meta) != version {
            let message = format!("it is another than was listed: its size or ETag differs; {LIST_ANEW}");
            return Err(SampleFailure::new(FailureKind::Changed, message));
        }
        body(answer, version.size().as_usize()).await
    }
}

/// The version of an object, the same from a listing and from an answer to a read.
fn version_of(object: &ObjectMeta) -> Version {
    let modified;
    let tag = match &object.e_tag {
        // Stores differ in whether a listing has the quotes, and proxies in whether they mark it as weak.
        Some(tag) => tag.trim_start_matches("W/").trim_matches('"'),
        None => {
            // HTTP dates have whole seconds, listings have more.
            modified = object.last_modified.timestamp().to_string();
            &modified
        }
    };
    Version::of_object(object.size, tag)
}

/// The body, which must have exactly this size: a store that sends more is not followed.
async fn body(answer: GetResult, size: usize) -> Result<Bytes, SampleFailure> {
    let mut bytes = Vec::with_capacity(size);
    let mut chunks = answer.into_stream();
    while let Some(chunk) = chunks.next().await {
        let chunk = chunk.map_err(|error| failure(&error))?;
        if chunk.len() > size - bytes.len() {
            return Err(SampleFailure::new(FailureKind::Io, format!("the store sent more than {size} bytes")));
        }
        bytes.extend_from_slice(&chunk);
    }
    if bytes.len() < size {
        let message = format!("the store sent {} of {size} bytes", bytes.len());
        return Err(SampleFailure::new(FailureKind::Io, message));
    }
    Ok(bytes.into())
}

/// The code of a caller who is known and may not.
const DENIED: &str = "AccessDenied";

/// The S3 error code in an error's text, where the store's answer is quoted: `object_store` has no kinds for the errors of a
/// listing, and does not let out their status.
fn code(error: &str) -> Option<&str> {
    let (_, rest) = error.split_once("<Code>")?;
    rest.split_once("</Code>").map(|(code, _)| code)
}

fn failure(error: &Error) -> SampleFailure {
    match error {
        Error::NotFound { .. } => SampleFailure::new(FailureKind::NotFound, "it is gone since it was listed"),
        Error::PermissionDenied { .. } | Error::Unauthenticated { .. } => SampleFailure::new(
            FailureKind::Forbidden,
            "the store refused to have it read: the credentials must allow s3:GetObject",
        ),
        _ => {
            let cause = error.source().map(|cause| format!(": {cause}")).unwrap_or_default();
            SampleFailure::new(FailureKind::Io, format!("the store could not be read{cause}"))
        }
    }
}

#[cfg(test)]
mod tests;
