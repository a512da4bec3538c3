//! Lists a bucket, its class folders side by side: a page follows from the page before it, so that one after the other a
//! million keys would take minutes of waiting.

use futures::{StreamExt, TryStreamExt, stream};
use headwater_types::SampleKey;
use headwater_types::caps::S3_LISTINGS;
use object_store::path::Path;

use super::document::Object;
use super::pages::Pages;
use super::{Bucket, DENIED};
use crate::catalog::{CatalogBuilder, Skip};
use crate::error::StoreError;

pub(super) async fn list(bucket: &Bucket) -> Result<CatalogBuilder, StoreError> {
    let mut all = CatalogBuilder::of(&bucket.options);
    let mut folders = Vec::new();
    let mut pages = Pages::shallow(&bucket.link, &bucket.options.found, &bucket.prefix);
    while let Some(page) = pages.next().await.map_err(|fault| bucket.listing_error(&fault))? {
        page.objects.iter().try_for_each(|object| add(bucket, object, &mut all))?;
        for folder in &page.folders {
            // Nothing below a folder of no name, or of dots, can be a path: it is counted once, and not listed.
            match SampleKey::check(folder.strip_prefix(&bucket.prefix).unwrap_or(folder).trim_end_matches('/')) {
                Ok(()) => folders.push(folder.clone()),
                Err(_) => all.skip(Skip::Key, folder),
            }
        }
    }
    let listings = stream::iter(folders).map(|folder| list_folder(bucket, folder)).buffer_unordered(S3_LISTINGS);
    listings.try_for_each(|found| std::future::ready(all.absorb(found))).await?;
    Ok(all)
}

async fn list_folder(bucket: &Bucket, folder: String) -> Result<CatalogBuilder, StoreError> {
    let mut found = CatalogBuilder::of(&bucket.options);
    let name = folder.strip_prefix(&bucket.prefix).unwrap_or(&folder).trim_end_matches('/');
    if name.starts_with('.') {
        found.skip(Skip::Hidden, name);
        return Ok(found);
    }
    found.folder(name)?;
    let mut pages = Pages::deep(&bucket.link, &bucket.options.found, &folder);
    loop {
        match pages.next().await {
            Ok(Some(page)) => page.objects.iter().try_for_each(|object| add(bucket, object, &mut found))?,
            Ok(None) => return Ok(found),
            // Policies may allow the bucket and deny a folder of it.
            Err(fault) if fault.code() == DENIED => {
                found.unreadable(name, true, DENIED)?;
                return Ok(found);
            }
            Err(fault) => return Err(bucket.listing_error(&fault)),
        }
    }
}

/// Adds an object, unless it only marks a folder: consoles make such, with a slash at the end of their keys.
fn add(bucket: &Bucket, object: &Object, found: &mut CatalogBuilder) -> Result<(), StoreError> {
    let key = object.key.strip_prefix(&bucket.prefix).unwrap_or(&object.key);
    if key.is_empty() || key.ends_with('/') {
        found.skip(Skip::FolderMarker, &object.key);
        return Ok(());
    }
    // What `object_store` could not ask for again: control characters, say.
    if Path::parse(&object.key).is_err() {
        found.skip(Skip::Key, &object.key);
        return Ok(());
    }
    found.push(key, object.version)
}
