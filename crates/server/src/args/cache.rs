//! The cache of a server: its memory, its part on disk, and what is kept in it.

use std::sync::Arc;

use anyhow::{Context as _, Result};
use clap::Args;
use headwater_cache::{CacheError, CacheSettings, DirectoryError, free_memory};
use headwater_cli::exit::UsageError;
use headwater_pipeline::{CacheKinds, SharedCache};
use headwater_store::Location;
use headwater_types::{Amount, ByteCount, caps};

use super::cache_dir::CacheDirArgs;
use super::state::StateArgs;

/// What is kept of samples, and where.
#[derive(Args, Clone, Debug)]
pub(crate) struct CacheArgs {
    #[command(flatten)]
    pub(crate) folder: CacheDirArgs,
    /// Memory for what is kept, or a share of what is free; it comes on top of --memory. With 0 the system's page cache
    /// holds what was read last from --cache-dir
    #[arg(long, value_name = "SIZE|%", default_value = "0B", help_heading = "Cache")]
    cache_memory: Amount,
    /// What is kept: encoded (stored bytes), indexed (photos re-written to be cropped without decoding), resized
    /// (pixels, where a recipe draws no crop at random), features (by model, where its recipe draws nothing at random);
    /// auto keeps each sample in the one kind that saves the most time for its bytes, as measured here, and no bytes of
    /// a folder of this machine
    #[arg(long, value_name = "auto|KIND,…", default_value = "auto", help_heading = "Cache")]
    cache_kinds: CacheKinds,
    /// Keep nothing of samples, and use nothing that was kept
    #[arg(long, help_heading = "Cache")]
    no_cache: bool,

    /// The earlier name of --no-cache
    #[arg(long, hide = true)]
    no_index: bool,
}

// === impl CacheArgs ===

impl CacheArgs {
    /// Settings that do not go together, each with the fix.
    pub(crate) fn conflicts(&self) -> Vec<UsageError> {
        if self.is_off() {
            return Vec::new();
        }
        let nothing = self.cache_memory == Amount::ZERO && self.folder.has_no_ssd();
        let nothing = nothing.then(|| {
            UsageError(
                "--cache-ssd 0 without --cache-memory keeps nothing: give --no-cache to do without, or some bytes"
                    .into(),
            )
        });
        let memory = self.cache_memory.bytes().filter(|memory| memory.get() > 0 && *memory < caps::CACHE_LEAST);
        let low = memory.map(|memory| {
            let least = caps::CACHE_LEAST;
            UsageError(format!("--cache-memory {memory} keeps next to nothing: give at least {least}, or 0"))
        });
        self.folder.conflicts().into_iter().chain(nothing).chain(low).collect()
    }

    /// Whether nothing is kept.
    pub(crate) fn is_off(&self) -> bool {
        self.no_cache || self.no_index
    }

    /// Says what the settings mean that were given by earlier names, or in vain.
    pub(crate) fn say(&self) {
        if self.no_index {
            tracing::info!("--no-index is called --no-cache now, and holds for everything that is kept");
        }
        match self.is_off() {
            true => self.folder.say_unused(),
            false => self.folder.say_new_names(),
        }
    }

    /// Opens the cache; `None` where nothing is kept. Blocks on the disk.
    ///
    /// # Errors
    /// No folder to keep it in, a folder within one of these datasets or around it, a folder that is something else, or
    /// a limit that is too low to work.
    pub(crate) fn open(&self, state: &StateArgs, datasets: &[Location]) -> Result<Option<Arc<SharedCache>>> {
        if self.is_off() {
            return Ok(None);
        }
        let memory = match self.cache_memory {
            Amount::Bytes(memory) => memory,
            share @ Amount::Share(_) => share.of(free_memory().context("--cache-memory: looking what is free")?),
        };
        open((&self.folder, state), datasets, memory, self.cache_kinds).map(Some)
    }
}

/// Opens a cache with so much memory, and says how large it is.
///
/// # Errors
/// See [`CacheArgs::open`].
pub(crate) fn open(
    (folder, state): (&CacheDirArgs, &StateArgs),
    datasets: &[Location],
    memory: ByteCount,
    kinds: CacheKinds,
) -> Result<Arc<SharedCache>> {
    let ssd = folder.ssd(state, datasets)?;
    let place = ssd.as_ref().map(|ssd| ssd.folder.display().to_string()).unwrap_or_default();
    let settings = CacheSettings { memory, ssd, policy: folder.cache_policy };
    let cache = SharedCache::open(settings, kinds).map_err(|error| {
        let remedy = match &error {
            CacheError::Directory(error @ DirectoryError::Io { .. }) => format!(": {}", error.not_kept().remedy()),
            _ => String::new(),
        };
        let setting = match &error {
            CacheError::TooLow { .. } => "--cache-memory or --cache-ssd".to_owned(),
            _ => format!("{} {place}{remedy}", folder.setting(state)),
        };
        anyhow::Error::new(error).context(setting)
    })?;
    tracing::info!(
        folder = place,
        bytes = cache.disk_usage().get(),
        limit_bytes = cache.disk_limit().get(),
        memory_limit_bytes = memory.get(),
        policy = %cache.policy(),
        %kinds,
        "cache: its memory comes on top of --memory"
    );
    if folder.is_chosen() {
        warn_of_a_small_disk(&cache);
    }
    Ok(cache)
}

/// Warns where the disk ends before a limit that was chosen: no limit protects from a full disk.
fn warn_of_a_small_disk(cache: &SharedCache) {
    let (usage, limit, floor) = (cache.disk_usage(), cache.disk_limit(), cache.disk_floor());
    let Some((folder, free)) = cache.folder().zip(cache.disk_free()) else { return };
    if usage.get().saturating_add(free.get().saturating_sub(floor.get())) < limit.get() {
        tracing::warn!(
            folder = %folder.display(),
            usage_bytes = usage.get(),
            free_bytes = free.get(),
            limit_bytes = limit.get(),
            stays_free_bytes = floor.get(),
            "--cache-ssd is more than the disk has: the cache ends where --cache-min-free begins"
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
        cache: CacheArgs,
    }

    #[test]
    fn what_keeps_nothing_is_refused_with_the_fix() {
        let found = |given: &[&str]| {
            let settings = Settings::parse_from(["serve"].iter().chain(given));
            settings.cache.conflicts().iter().map(ToString::to_string).collect::<Vec<_>>()
        };
        assert!(found(&[]).is_empty() && found(&["--cache-memory", "50%", "--cache-ssd", "0"]).is_empty());
        for (given, words) in [
            (&["--cache-ssd", "0"][..], "give --no-cache"),
            (&["--index-bytes", "0"], "give --no-cache"),
            (&["--cache-memory", "1000"], "--cache-memory 1000B keeps next to nothing"),
        ] {
            let found = found(given);
            assert!(found.len() == 1 && found[0].contains(words), "{given:?}: {found:?}");
        }
        assert!(found(&["--no-cache", "--cache-ssd", "0"]).is_empty());
        assert!(found(&["--no-index", "--cache-ssd", "0"]).is_empty());
    }
}
