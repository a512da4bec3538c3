//! A dataset in a bucket of an S3-compatible store.
//!
//! Invariant: what a read gives is of the ETag that was listed. The ETag is compared when the answer's headers are here
//! and before its body is taken, not sent ahead as `If-Match`: a catalog keeps a hash of it (8 bytes a sample instead
//! of about 40), and a store behind a proxy that marks its ETags as weak would fail every `If-Match`, as HTTP says it
//! must.
//!
//! The way of a request, from the inside: [`http`] looks at every answer, [`document`] reads listings, [`fault`] says
//! what went wrong, [`tries`] asks again, by [`quota`]; [`read`] and [`pages`] are what is asked for, and [`access`]
//! says what a listing that fails means. How long each may take is in `headwater_types::patience`.

mod connect;
mod credentials;
mod proxy;
mod settings;

mod access;
mod answer;
mod denial;
mod document;
mod fault;
mod http;

mod link;
mod quota;
mod tries;

mod level;
mod listing;
mod pages;
mod read;
mod upload;
mod whole;

mod put;

use std::time::Instant;

use async_trait::async_trait;
use bytes::Bytes;
use headwater_types::digest::Digester;
use headwater_types::key::to_bytes;
use headwater_types::{Digest, FailureKind, SampleFailure};
use object_store::path::Path;

use self::access::Access;
use self::document::Object;
use self::link::Link;
use self::listing::Listing;
use self::pages::Pages;
use crate::blocking::blocking;
use crate::catalog::{Catalog, CatalogBuilder};
use crate::endpoint::Endpoint;
use crate::error::StoreError;
use crate::extent::Extent;
use crate::listed::listed;
use crate::options::StoreOptions;
use crate::store::Store;
use crate::version::Version;
use crate::waiting::{Underway, Waiting};

pub(crate) use settings::Settings;
pub use upload::upload;
pub(crate) use whole::{WholeError, whole};

/// A bucket, or a folder in it, whose first-level folders are the classes.
pub(crate) struct Bucket {
    link: Link,
    access: Access,
    /// What every key begins with in the bucket: empty, or ends with a slash.
    prefix: String,
    place: Digest,
    underway: Underway,
    options: StoreOptions,
}

// === impl Bucket ===

impl Bucket {
    /// Prepares to speak to the store with these settings; nothing is sent yet.
    pub(crate) fn open(
        bucket: &str,
        prefix: &str,
        options: &StoreOptions,
        settings: &Settings,
    ) -> Result<Self, StoreError> {
        let endpoint = connect::endpoint(&options.s3, settings);
        let place = Digester::default()
            .field(b"s3")
            .field(endpoint.as_ref().map_or("", Endpoint::as_str).as_bytes())
            .field(bucket.as_bytes())
            .field(prefix.as_bytes())
            .finish();
        let (location, prefix) = match prefix {
            "" => (format!("s3://{bucket}"), String::new()),
            prefix => (format!("s3://{bucket}/{prefix}"), format!("{prefix}/")),
        };
        Ok(Self {
            link: connect::connect(bucket, &options.s3, settings, options.fetched.clone())?,
            access: Access {
                location,
                has_credentials: settings.have_credentials(),
                proxy: proxy::in_the_way(endpoint.as_ref(), settings),
            },
            prefix,
            place,
            underway: Underway::default(),
            options: options.clone(),
        })
    }

    /// The object that was listed under this key.
    fn path(&self, key: &str) -> Result<Path, SampleFailure> {
        let forbidden = |error: String| SampleFailure::new(FailureKind::Forbidden, error);
        let name = to_bytes(key);
        let name = str::from_utf8(&name).map_err(|_| forbidden("an object's name is UTF-8".to_owned()))?;
        Path::parse(format!("{}{name}", self.prefix)).map_err(|error| forbidden(error.to_string()))
    }

    /// Every object whose key begins so below the prefix, by its name there, with its version.
    pub(crate) async fn objects(&self, beneath: &str) -> Result<Vec<(String, Version)>, StoreError> {
        let begin = format!("{}{beneath}", self.prefix);
        let mut pages = Pages::deep(&self.link, &self.options.found, &begin);
        let mut objects = Vec::new();
        while let Some(page) = pages.next().await.map_err(|fault| self.access.error(&fault))? {
            let named = |object: &Object| {
                let name = object.key.strip_prefix(&self.prefix).unwrap_or(&object.key);
                (name.to_owned(), object.version)
            };
            objects.extend(page.objects.iter().map(named));
        }
        Ok(objects)
    }
}

#[async_trait]
impl Store for Bucket {
    async fn list(&self, base: Option<&Catalog>) -> Result<Catalog, StoreError> {
        let began = Instant::now();
        let found = Listing { link: &self.link, access: &self.access, prefix: &self.prefix, options: &self.options };
        let found = found.all(CatalogBuilder::of(&self.options, base)).await?;
        let catalog = blocking(move || found.finish()).await?;
        listed(&self.access.location, catalog, &self.options, began.elapsed())
    }

    fn place(&self) -> Digest {
        self.place
    }

    fn source(&self) -> &'static str {
        "s3"
    }

    async fn read(&self, extent: &Extent) -> Result<Bytes, SampleFailure> {
        extent.check_length(self.options.max_object)?;
        extent.bytes()?;
        let path = self.path(extent.object().as_str())?;
        let wait = self.underway.begin();
        read::read(&self.link, &path, extent, &wait).await
    }

    /// The store is not asked: a request for each sample would cost what there is to save. What was listed is what is
    /// served.
    fn check(&self, _: &Extent) -> Result<(), SampleFailure> {
        Ok(())
    }

    fn check_now(&self, _: &Extent) -> bool {
        true
    }

    fn waiting(&self) -> Option<Waiting> {
        self.underway.waiting()
    }
}

/// The number of objects and folders in the answer to a listing of the keys that begin with `prefix`: what the S3 store
/// makes of outside bytes, for those who test it with any.
///
/// # Errors
/// The reason for which the answer is no whole listing.
pub fn count_listed(body: &[u8], prefix: &str) -> Result<usize, String> {
    let page = document::read(body, prefix).map_err(|error| error.to_string())?;
    Ok(page.objects.len() + page.folders.len())
}

#[cfg(test)]
mod tests;
