//! Where re-written photos are kept: in a folder of the server's own, never in the source.

use std::ffi::OsString;
use std::path::PathBuf;

use anyhow::{Context, Result};
use clap::Args;
use headwater_cache::DirectoryError;
use headwater_pipeline::PhotoIndex;
use headwater_store::{Apart, Location};
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
        let folder = self.folder(data)?;
        let index = PhotoIndex::open(&folder, self.index_bytes, place, limits).map_err(|error| {
            let remedy = match &error {
                DirectoryError::Io { .. } => format!(": {}", error.not_kept().remedy()),
                _ => String::new(),
            };
            anyhow::Error::new(error).context(format!("--index-dir {}{remedy}", folder.path().display()))
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
    pub(crate) fn folder(&self, data: &Location) -> Result<Apart> {
        let path = match &self.index_dir {
            Some(path) => path.clone(),
            None => in_the_users_cache(|name| std::env::var_os(name))
                .context("no home folder to keep re-written photos in: give --index-dir DIR")?,
        };
        Ok(Apart::from(data, "--index-dir", path)?)
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

#[cfg(test)]
mod tests {
    use std::path::Path;

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
}
