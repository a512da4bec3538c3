//! Lists a bucket, its class folders side by side: a page follows from the page before it, so that one after the other a
//! million keys would take minutes of waiting.

use futures::{StreamExt, TryStreamExt, stream};
use headwater_types::caps::S3_LISTINGS;
use object_store::ObjectMeta;

use super::pages::{Page, Pages};
use super::{Bucket, version_of};
use crate::catalog::{CatalogBuilder, Skip};
use crate::error::StoreError;

pub(super) async fn list(bucket: &Bucket) -> Result<CatalogBuilder, StoreError> {
    let mut all = CatalogBuilder::new(bucket.partition);
    let mut folders = Vec::new();
    let mut pages = Pages::shallow(&bucket.client, &bucket.prefix);
    while let Some(page) = pages.next().await.map_err(|error| bucket.listing_error(error))? {
        let Page::Found(page) = page else {
            all.skip(Skip::Key);
            continue;
        };
        for object in &page.objects {
            add(bucket, object, &mut all)?;
        }
        for folder in page.common_prefixes {
            // A folder with an empty name shows as the prefix itself.
            match format!("{folder}/") {
                folder if folder.len() > bucket.prefix.len() + 1 => folders.push(folder),
                _ => all.skip(Skip::Key),
            }
        }
    }
    let listings = stream::iter(folders).map(|folder| list_folder(bucket, folder)).buffer_unordered(S3_LISTINGS);
    listings.try_for_each(|found| std::future::ready(all.absorb(found))).await?;
    Ok(all)
}

async fn list_folder(bucket: &Bucket, folder: String) -> Result<CatalogBuilder, StoreError> {
    let mut found = CatalogBuilder::new(bucket.partition);
    if is_hidden(bucket, &folder) {
        found.skip(Skip::Hidden);
        return Ok(found);
    }
    let mut pages = Pages::deep(&bucket.client, &folder);
    while let Some(page) = pages.next().await.map_err(|error| bucket.listing_error(error))? {
        match page {
            Page::Found(page) => page.objects.iter().try_for_each(|object| add(bucket, object, &mut found))?,
            Page::Refused => found.skip(Skip::Key),
        }
    }
    Ok(found)
}

/// Adds an object, unless it only marks a folder. Such markers end with a slash, but `object_store` drops it: any object of
/// no bytes is taken for one. No photo is lost by it.
fn add(bucket: &Bucket, object: &ObjectMeta, found: &mut CatalogBuilder) -> Result<(), StoreError> {
    match object.location.as_ref().strip_prefix(&bucket.prefix) {
        Some(key) if object.size > 0 => found.push(key, version_of(object)),
        _ => {
            found.skip(Skip::FolderMarker);
            Ok(())
        }
    }
}

fn is_hidden(bucket: &Bucket, folder: &str) -> bool {
    folder.strip_prefix(&bucket.prefix).is_some_and(|name| name.starts_with('.'))
}
