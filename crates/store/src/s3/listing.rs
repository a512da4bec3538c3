//! Lists a bucket, its class folders side by side: a page follows from the page before it, so that one after the other a
//! million keys would take minutes of waiting.

use futures::{StreamExt, TryStreamExt, stream};
use headwater_types::caps::S3_LISTINGS;
use object_store::ObjectMeta;

use super::pages::{Page, Pages};
use super::{Bucket, DENIED, code, version_of};
use crate::catalog::{CatalogBuilder, Skip};
use crate::error::StoreError;
use crate::files::Files;

pub(super) async fn list(bucket: &Bucket) -> Result<CatalogBuilder, StoreError> {
    let mut all = CatalogBuilder::of(&bucket.options);
    let mut folders = Vec::new();
    let mut pages = Pages::shallow(&bucket.client, &bucket.prefix);
    while let Some(page) = pages.next().await.map_err(|error| bucket.listing_error(error))? {
        let page = match page {
            Page::Found(page) => page,
            Page::Refused(path) => {
                all.skip(Skip::Key, &path);
                continue;
            }
        };
        for object in &page.objects {
            add(bucket, object, &mut all)?;
        }
        for folder in page.common_prefixes {
            // A folder with an empty name shows as the prefix itself.
            match format!("{folder}/") {
                folder if folder.len() > bucket.prefix.len() + 1 => folders.push(folder),
                folder => all.skip(Skip::Key, &folder),
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
    let mut pages = Pages::deep(&bucket.client, &folder);
    loop {
        match pages.next().await {
            Ok(Some(Page::Found(page))) => {
                page.objects.iter().try_for_each(|object| add(bucket, object, &mut found))?;
            }
            Ok(Some(Page::Refused(path))) => found.skip(Skip::Key, &path),
            Ok(None) => return Ok(found),
            // Policies may allow the bucket and deny a folder of it.
            Err(error) if code(&error.to_string()) == Some(DENIED) => {
                found.unreadable(name, true, DENIED)?;
                return Ok(found);
            }
            Err(error) => return Err(bucket.listing_error(error)),
        }
    }
}

/// Adds an object, unless it only marks a folder. Such markers end with a slash, but `object_store` drops it: any object of
/// no bytes is taken for one, unless it is named like a photo.
fn add(bucket: &Bucket, object: &ObjectMeta, found: &mut CatalogBuilder) -> Result<(), StoreError> {
    match object.location.as_ref().strip_prefix(&bucket.prefix) {
        Some(key) if object.size > 0 || Files::Photos.leave_out(key).is_none() => found.push(key, version_of(object)),
        _ => {
            found.skip(Skip::FolderMarker, object.location.as_ref());
            Ok(())
        }
    }
}
