//! The names of shards as a user gave them, below what all have in common.

use std::collections::BTreeSet;
use std::io;
use std::path::{Path, PathBuf};

use crate::extent::Extent;
use crate::site::Site;

/// Names of shards, or of folders of shards, below a root.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Names(BTreeSet<String>);

// === impl Names ===

impl Names {
    /// The names in their order; the empty one is the root itself.
    pub(super) fn iter(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(String::as_str)
    }

    /// Whether a file of this name was named itself.
    pub(super) fn names(&self, name: &str) -> bool {
        self.0.contains(name)
    }

    /// Whether a file of this name was named, or lies in a folder that was.
    pub(super) fn holds(&self, name: &str) -> bool {
        let above = name.match_indices('/').map(|(at, _)| &name[..at]);
        self.names("") || self.names(name) || above.into_iter().any(|folder| self.names(folder))
    }

    /// What all names begin with.
    pub(super) fn common(&self) -> &str {
        let (Some(first), Some(last)) = (self.0.first(), self.0.last()) else { return "" };
        // Sorted, so that what the first and the last share, all share.
        let alike = first.char_indices().zip(last.chars()).find(|((_, a), b)| a != b);
        &first[..alike.map_or(first.len().min(last.len()), |((at, _), _)| at)]
    }

    /// The names under which there is no shard.
    pub(super) fn missing(&self, shards: &[Extent]) -> Vec<&str> {
        let mut there = BTreeSet::new();
        for name in shards.iter().map(|shard| shard.object().as_str()) {
            there.insert(name);
            there.extend(name.match_indices('/').map(|(at, _)| &name[..at]));
        }
        self.iter().filter(|name| !name.is_empty() && !there.contains(name)).collect()
    }
}

/// The deepest folder below which all these paths lie, and their names there. One path that is a folder is that folder.
///
/// # Errors
/// The path that is not there, or whose name is no UTF-8, and why.
pub(super) fn local<'a>(paths: impl Iterator<Item = &'a Path>) -> Result<(PathBuf, Names), (PathBuf, io::Error)> {
    let paths: Vec<_> = paths.map(Path::to_owned).collect();
    if let [path] = &paths[..] {
        let is_folder = path.metadata().map_err(|error| (path.clone(), error))?.is_dir();
        if is_folder {
            return Ok((path.clone(), Names(BTreeSet::from([String::new()]))));
        }
    }
    let mut root = paths.first().and_then(|path| path.parent()).unwrap_or(Path::new(""));
    while !paths.iter().all(|path| path.starts_with(root)) {
        root = root.parent().unwrap_or(Path::new(""));
    }
    let mut names = BTreeSet::new();
    for path in &paths {
        let name = path.strip_prefix(root).ok().and_then(Path::to_str);
        let no_text = || (path.clone(), io::Error::new(io::ErrorKind::InvalidInput, "its name is not UTF-8"));
        names.insert(name.ok_or_else(no_text)?.to_owned());
    }
    let root = if root.as_os_str().is_empty() { PathBuf::from(".") } else { root.to_owned() };
    Ok((root, Names(names)))
}

/// The bucket of these places, the prefix that all have in common up to a slash, and their names below it; `None` for
/// places in several buckets. One place alone may be a prefix or a shard: which, the bucket's listing says.
pub(super) fn in_bucket(sites: &[Site]) -> Option<(String, String, Names)> {
    let mut keys = BTreeSet::new();
    let mut only = None;
    for site in sites {
        let Site::S3 { bucket, prefix } = site else { return None };
        if *only.get_or_insert(bucket) != bucket {
            return None;
        }
        keys.insert(prefix.clone());
    }
    let names = Names(keys);
    let common = names.common();
    let root = common.rfind('/').map_or("", |slash| &common[..slash]).to_owned();
    let beneath = |key: &str| key.strip_prefix(&root).unwrap_or(key).trim_start_matches('/').to_owned();
    let names = Names(names.iter().map(beneath).collect());
    Some((only?.clone(), root, names))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn s3(texts: &[&str]) -> Option<(String, String, Names)> {
        in_bucket(&texts.iter().map(|text| text.parse().unwrap()).collect::<Vec<_>>())
    }

    fn names(names: &[&str]) -> Names {
        Names(names.iter().map(|name| (*name).to_owned()).collect())
    }

    #[test]
    fn names_lie_below_what_they_have_in_common() {
        let one = s3(&["s3://photos/a/b/x.tar"]).unwrap();
        assert_eq!(one, ("photos".into(), "a/b".into(), names(&["x.tar"])));
        let two = s3(&["s3://photos/a/train/x.tar", "s3://photos/a/test/x.tar"]).unwrap();
        assert_eq!(two, ("photos".into(), "a".into(), names(&["train/x.tar", "test/x.tar"])));
        assert_eq!(two.2.common(), "t");
        assert_eq!(s3(&["s3://photos"]).unwrap(), ("photos".into(), String::new(), names(&[""])));
        assert_eq!(s3(&["s3://photos/a.tar", "s3://other/a.tar"]), None);
        let there = ["/data/a/1.tar", "/data/b/2.tar"].map(Path::new);
        assert_eq!(local(there.into_iter()).unwrap(), ("/data".into(), names(&["a/1.tar", "b/2.tar"])));
        assert_eq!(local(["1.tar", "2.tar"].map(Path::new).into_iter()).unwrap().0, Path::new("."));
        assert!(local([Path::new("/nothing/here.tar")].into_iter()).is_err());
    }

    #[test]
    fn a_folder_that_is_named_holds_what_lies_in_it() {
        let some = names(&["train", "x.tar"]);
        for (name, is_held) in [("train/1.tar", true), ("x.tar", true), ("train-2/1.tar", false), ("y.tar", false)] {
            assert_eq!(some.holds(name), is_held, "{name}");
        }
        let version = crate::version::Version::of_file(1, 0, 0);
        let there = [Extent::whole("train/a/1.tar".parse().unwrap(), version)];
        assert_eq!(some.missing(&there), ["x.tar"]);
    }
}
