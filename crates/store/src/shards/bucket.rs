//! The shards of a bucket, as its listing has them.

use headwater_types::key;

use super::names::Names;
use super::shelf::Shelf;
use crate::error::StoreError;
use crate::extent::Extent;
use crate::s3::Bucket;
use crate::skip::Skip;

/// Lists what begins as all names do, and takes what is named.
pub(super) async fn list(bucket: &Bucket, names: &Names, is_shard: fn(&str) -> bool) -> Result<Shelf, StoreError> {
    let mut shelf = Shelf::default();
    // An index beside a shard begins as the shard does.
    let common = names.common().strip_suffix(".tar").unwrap_or(names.common());
    for (name, version) in bucket.objects(common).await? {
        if name.is_empty() || name.ends_with('/') || !(names.holds(&name) || is_beside(&name, names)) {
            continue;
        }
        let Ok(key) = key::from_bytes(name.as_bytes()).parse() else {
            shelf.left_out.push((Skip::Key, name));
            continue;
        };
        if name.split('/').any(|part| part.starts_with('.') && !part.starts_with(".nv-meta")) {
            shelf.left_out.push((Skip::Hidden, name));
            continue;
        }
        let extents = if names.names(&name) || is_shard(&name) { &mut shelf.shards } else { &mut shelf.others };
        extents.push(Extent::whole(key, version));
    }
    Ok(shelf)
}

/// Whether an object has the name of a shard and a suffix more, as an index of it has.
fn is_beside(name: &str, names: &Names) -> bool {
    let shard = name.rsplit_once('.').map(|(shard, _)| shard);
    shard.is_some_and(|shard| names.names(shard) || names.names(&format!("{shard}.tar")))
}
