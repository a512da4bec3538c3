//! Where re-written photos are kept: in a folder of the server's own, never in the source.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use clap::Args;
use headwater_cache::DirectoryError;
use headwater_pipeline::PhotoIndex;
use headwater_store::Location;
use headwater_types::{ByteCount, Digest, ImageLimits, caps};

/// The photo index.
#[derive(Args, Clone, Debug)]
pub(crate) struct IndexDirArgs {
    /// Keep re-written photos in this folder, made if need be; several servers may share it
    /// [default: headwater/index in the user's cache folder]
    #[arg(long, value_name = "DIR", help_heading = "Photo index")]
    index_dir: Option<PathBuf>,
    /// Most disk that they may take
    #[arg(long, value_name = "SIZE", default_value_t = caps::INDEX_BYTES, help_heading = "Photo index")]
    index_bytes: ByteCount,
}

// === impl IndexDirArgs ===

impl IndexDirArgs {
    /// Opens the index of the dataset that rests at this place. Blocks on the disk.
    ///
    /// # Errors
    /// No folder to keep it in, one within the dataset or around it, or one that is something else.
    pub(crate) fn open(&self, data: &Location, place: Digest, limits: ImageLimits) -> Result<PhotoIndex> {
        let path = self.folder(data)?;
        let index = PhotoIndex::open(&path, self.index_bytes, place, limits).map_err(|error| {
            let remedy = match &error {
                DirectoryError::Io { .. } => format!(": {}", error.not_kept().remedy()),
                _ => String::new(),
            };
            anyhow::Error::new(error).context(format!("--index-dir {}{remedy}", path.display()))
        })?;
        warn_of_a_small_disk(&index);
        Ok(index)
    }

    /// Says that a folder was given and is not used: `--no-index` stands above what a file may say for all servers.
    pub(crate) fn say_unused(&self) {
        if let Some(folder) = &self.index_dir {
            tracing::warn!(folder = %folder.display(), "--index-dir is not used: --no-index holds");
        }
    }

    /// Whether no photo fits.
    pub(crate) fn holds_nothing(&self) -> bool {
        self.index_bytes == ByteCount::new(0)
    }

    /// The folder that they are kept in.
    ///
    /// # Errors
    /// There is none, or it lies within the dataset or around it.
    pub(crate) fn folder(&self, data: &Location) -> Result<PathBuf> {
        let path = match &self.index_dir {
            Some(path) => path.clone(),
            None => in_the_users_cache(|name| std::env::var_os(name))
                .context("no home folder to keep re-written photos in: give --index-dir DIR")?,
        };
        if let Location::Folder(data) = data
            && overlap(data, &path)?
        {
            bail!(
                "--index-dir {} and --data {} lie in each other: the source is never written",
                path.display(),
                data.display()
            );
        }
        Ok(path)
    }
}

/// Says where the index ends before a limit that was chosen: the disk's end is nothing that a limit protects from.
fn warn_of_a_small_disk(index: &PhotoIndex) {
    let (usage, limit) = (index.usage(), index.limit());
    let Some(free) = index.free() else { return };
    if limit != caps::INDEX_BYTES && usage.get().saturating_add(free.get()) < limit.get() {
        tracing::warn!(
            folder = %index.path().display(),
            usage_bytes = usage.get(),
            free_bytes = free.get(),
            limit_bytes = limit.get(),
            "--index-bytes is more than the disk has: the index ends where the disk is full"
        );
    }
}

/// By the XDG Base Directory Specification, where a relative path counts as none.
fn in_the_users_cache(variable: impl Fn(&str) -> Option<OsString>) -> Option<PathBuf> {
    let folder = |name: &str| variable(name).map(PathBuf::from).filter(|path| path.is_absolute());
    let cache = folder("XDG_CACHE_HOME").or_else(|| folder("HOME").map(|home| home.join(".cache")));
    cache.map(|cache| cache.join("headwater").join("index"))
}

/// Whether one lies in the other, whatever links lead there. Neither has to exist.
fn overlap(data: &Path, index: &Path) -> Result<bool> {
    let (data, index) = (real(data)?, real(index)?);
    Ok(data.starts_with(&index) || index.starts_with(&data))
}

/// The path without links, as far as it exists.
fn real(path: &Path) -> Result<PathBuf> {
    let path = std::path::absolute(path).with_context(|| path.display().to_string())?;
    for there in path.ancestors() {
        if let Ok(real) = there.canonicalize() {
            return Ok(path.strip_prefix(there).map_or(real.clone(), |rest| real.join(rest)));
        }
    }
    Ok(path)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn the_users_cache_folder_follows_xdg() {
        let with = |xdg: &str, home: &str| {
            let (xdg, home) = (OsString::from(xdg), OsString::from(home));
            in_the_users_cache(move |name| match name {
                "XDG_CACHE_HOME" => Some(xdg.clone()),
                "HOME" => Some(home.clone()),
                _ => None,
            })
        };
        assert_eq!(with("/var/cache", "/home/a").unwrap(), Path::new("/var/cache/headwater/index"));
        for not_absolute in ["", "cache"] {
            assert_eq!(with(not_absolute, "/home/a").unwrap(), Path::new("/home/a/.cache/headwater/index"));
        }
        assert_eq!(with("", ""), None);
    }

    #[test]
    fn an_index_in_the_dataset_or_around_it_is_seen_through_links() {
        let root = tempfile::TempDir::new().unwrap();
        let at = |path: &str| root.path().join(path);
        std::fs::create_dir_all(at("photos/cat")).unwrap();
        symlink(at("photos"), at("link")).unwrap();
        for within in ["photos", "photos/new/index", "link/index", "link/../photos/index", "."] {
            assert!(overlap(&at("photos"), &at(within)).unwrap(), "{within}");
        }
        for apart in ["photos-index", "index/new", "cat"] {
            assert!(!overlap(&at("link"), &at(apart)).unwrap(), "{apart}");
        }
    }
}
