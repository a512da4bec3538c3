//! Where re-written photos are kept: in the state folder, or in another folder of the server's own.

use std::path::PathBuf;

use anyhow::{Context as _, Result};
use clap::Args;
use headwater_cache::DirectoryError;
use headwater_pipeline::PhotoIndex;
use headwater_store::{Apart, Location};
use headwater_types::{ByteCount, Digest, ImageLimits, caps};

use super::state::StateArgs;

/// The setting that names the folder.
const INDEX_DIR: &str = "--index-dir";

/// The photo index.
#[derive(Args, Clone, Debug)]
pub(crate) struct IndexDirArgs {
    /// Keep re-written photos in this folder, made if need be; several servers may share it [default: index in --state]
    #[arg(long, value_name = "DIR", help_heading = "Photo index")]
    index_dir: Option<PathBuf>,
    /// Most disk that re-written photos may take
    #[arg(long, value_name = "SIZE", default_value_t = caps::INDEX_BYTES, help_heading = "Photo index")]
    index_bytes: ByteCount,
}

// === impl IndexDirArgs ===

impl IndexDirArgs {
    /// Opens the index of the dataset whose place has this digest. Blocks on the disk.
    ///
    /// # Errors
    /// No folder to keep it in, a folder within one of these datasets or around it, or a folder that is something else.
    pub(crate) fn open(
        &self,
        state: &StateArgs,
        datasets: &[Location],
        place: Digest,
        limits: ImageLimits,
    ) -> Result<PhotoIndex> {
        let folders = datasets.iter().map(|data| self.folder(state, data)).collect::<Result<Vec<_>>>()?;
        let folder = folders.into_iter().next().context("no dataset to index")?;
        let index = PhotoIndex::open(&folder, self.index_bytes, place, limits).map_err(|error| {
            let remedy = match &error {
                DirectoryError::Io { .. } => format!(": {}", error.not_kept().remedy()),
                _ => String::new(),
            };
            anyhow::Error::new(error).context(format!("{} {}{remedy}", self.setting(state), folder.path().display()))
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

    /// The setting that the folder comes from; `--index-dir` where neither it nor `--state` is given.
    pub(crate) fn setting(&self, state: &StateArgs) -> &'static str {
        let given = self.index_dir.as_ref().map(|_| INDEX_DIR);
        given.or_else(|| state.setting()).unwrap_or(INDEX_DIR)
    }

    /// The folder of the re-written photos.
    ///
    /// # Errors
    /// There is none, or it lies within the dataset or around it.
    pub(crate) fn folder(&self, state: &StateArgs, data: &Location) -> Result<Apart> {
        match &self.index_dir {
            Some(path) => Ok(Apart::from(data, INDEX_DIR, path.clone())?),
            None => state.folder("index", INDEX_DIR, data),
        }
    }
}

/// Warns where the disk ends before a limit that was chosen: no limit protects from a full disk.
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

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Settings {
        #[command(flatten)]
        state: StateArgs,
        #[command(flatten)]
        index: IndexDirArgs,
    }

    #[test]
    fn the_folder_is_known_by_the_setting_that_was_given() {
        let setting = |given: &[&str]| {
            let settings = Settings::parse_from(["serve"].iter().chain(given));
            settings.index.setting(&settings.state)
        };
        assert_eq!(setting(&["--state", "/s"]), "--state");
        assert_eq!(setting(&["--state", "/s", "--index-dir", "/i"]), "--index-dir");
        assert_eq!(setting(&[]), "--index-dir");
    }
}
