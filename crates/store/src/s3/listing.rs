//! The listing of a bucket, its class folders side by side. A page follows from the page before it, so that a million
//! keys listed one folder after the other would take minutes of waiting.

use futures::{StreamExt, TryStreamExt, stream};
use headwater_types::SampleKey;
use headwater_types::caps::S3_LISTINGS;
use headwater_types::key::from_bytes;
use object_store::path::Path;

use super::access::{Access, DENIED};
use super::document::Object;
use super::link::Link;
use super::pages::Pages;
use crate::catalog::CatalogBuilder;
use crate::error::StoreError;
use crate::options::StoreOptions;
use crate::skip::Skip;

/// A listing of a bucket, or of a folder in it.
#[derive(Clone, Copy)]
pub(super) struct Listing<'a> {
    pub(super) link: &'a Link,
    pub(super) access: &'a Access,
    /// What every key begins with: empty, or ends with a slash.
    pub(super) prefix: &'a str,
    pub(super) options: &'a StoreOptions,
}

// === impl Listing ===

impl<'a> Listing<'a> {
    /// Lists everything below the prefix into `all`.
    pub(super) async fn all(self, mut all: CatalogBuilder) -> Result<CatalogBuilder, StoreError> {
        let mut folders = Vec::new();
        let mut pages = Pages::shallow(self.link, &self.options.found, self.prefix);
        while let Some(page) = pages.next().await.map_err(|fault| self.access.error(&fault))? {
            page.objects.iter().try_for_each(|object| self.add(object, &mut all))?;
            for folder in &page.folders {
                // Nothing below a folder of no name, or of dots, can be a path: it is counted once, and not listed.
                match SampleKey::check(self.beneath(folder).trim_end_matches('/')) {
                    Ok(()) => folders.push(folder.clone()),
                    Err(_) => all.skip(Skip::Key, folder),
                }
            }
        }
        let blank = all.fork();
        let listings = stream::iter(folders).map(|folder| self.folder(folder, blank.fork()));
        let listings = listings.buffer_unordered(S3_LISTINGS);
        listings.try_for_each(|found| std::future::ready(all.absorb(found))).await?;
        Ok(all)
    }

    async fn folder(self, folder: String, mut found: CatalogBuilder) -> Result<CatalogBuilder, StoreError> {
        let name = from_bytes(self.beneath(&folder).trim_end_matches('/').as_bytes());
        let name = &*name;
        if name.starts_with('.') {
            found.skip(Skip::Hidden, name);
            return Ok(found);
        }
        found.folder(name)?;
        let mut pages = Pages::deep(self.link, &self.options.found, &folder);
        loop {
            match pages.next().await {
                Ok(Some(page)) => page.objects.iter().try_for_each(|object| self.add(object, &mut found))?,
                Ok(None) => return Ok(found),
                // Policies may allow the bucket and deny a folder of it.
                Err(fault) if fault.code() == DENIED => {
                    found.unreadable(name, true, DENIED)?;
                    return Ok(found);
                }
                Err(fault) => return Err(self.access.error(&fault)),
            }
        }
    }

    /// Adds an object, unless it only marks a folder: consoles make such objects, with a slash at the end of their
    /// keys.
    fn add(self, object: &Object, found: &mut CatalogBuilder) -> Result<(), StoreError> {
        let key = self.beneath(&object.key);
        if key.is_empty() || key.ends_with('/') {
            found.skip(Skip::FolderMarker, &object.key);
            return Ok(());
        }
        // What `object_store` could not ask for again: control characters, say.
        if Path::parse(&object.key).is_err() {
            found.skip(Skip::Key, &object.key);
            return Ok(());
        }
        found.push(&from_bytes(key.as_bytes()), object.version)
    }

    /// A key without the prefix.
    fn beneath(self, key: &str) -> &str {
        key.strip_prefix(self.prefix).unwrap_or(key)
    }
}
