//! Links to folders on the way down a tree: none is followed back to where it came from.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use headwater_types::caps::NESTED_LINKS;
use headwater_types::key::to_bytes;
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;

use crate::local::Root;

/// The link through which a folder was reached, and those through which that was.
#[derive(Debug)]
pub(super) struct Followed {
    /// The bytes of the link's key.
    length: usize,
    /// The path of the folder in which the link stands, without links.
    from: PathBuf,
    /// The path to which the link leads, without links.
    target: PathBuf,
    above: Option<Arc<Followed>>,
    depth: usize,
}

/// What becomes of a link to a folder.
#[derive(Debug)]
pub(super) enum Step {
    /// The link is followed.
    Into(Arc<Followed>),
    /// The link leads to no folder into which links are followed.
    Outside,
    /// The link leads to a folder above itself, or is the last of too many on one way.
    Loop,
}

/// What to do at the link to a folder that has this key, in a folder that was reached through `above`.
pub(super) fn step(root: &Root, key: &str, above: Option<&Arc<Followed>>) -> Step {
    let Some(target) = root.target(key) else { return Step::Outside };
    let folder = key.rsplit_once('/').map_or("", |(folder, _)| folder);
    let from = real(root, folder, above.map(Arc::as_ref));
    let depth = above.map_or(1, |above| above.depth + 1);
    let mut ways = std::iter::successors(above.map(Arc::as_ref), |followed| followed.above.as_deref());
    let is_above = from.starts_with(&target) || ways.any(|followed| followed.from.starts_with(&target));
    if depth > NESTED_LINKS || is_above {
        return Step::Loop;
    }
    Step::Into(Arc::new(Followed { length: key.len(), from, target, above: above.cloned(), depth }))
}

/// The path without links of a folder that was reached through this link.
fn real(root: &Root, folder: &str, followed: Option<&Followed>) -> PathBuf {
    let (start, below) = match followed {
        None => (root.path(), folder),
        Some(followed) => (followed.target.as_path(), folder.get(followed.length..).unwrap_or_default()),
    };
    match below.trim_start_matches('/') {
        "" => start.to_owned(),
        below => start.join(Path::new(OsStr::from_bytes(&to_bytes(below)))),
    }
}
