//! The part of the cache on disk: in the state folder, or in another folder of the server's own.

use std::path::PathBuf;

use anyhow::Result;
use clap::Args;
use headwater_cache::{Directory, PolicyName, SsdSettings};
use headwater_cli::exit::UsageError;
use headwater_store::{Apart, Location};
use headwater_types::{Amount, ByteCount, caps};

use super::state::StateArgs;

/// The setting that names the folder, and what it was called before.
const CACHE_DIR: &str = "--cache-dir";
const INDEX_DIR: &str = "--index-dir";
/// The folder's name in the state folder, and what it was called before.
const FOLDER: &str = "cache";
const EARLIER_FOLDER: &str = "index";

/// The cache's folder and its limit.
#[derive(Args, Clone, Debug)]
pub(crate) struct CacheDirArgs {
    /// Keep what is made of samples in this folder, made if need be; several servers may share it [default: cache in
    /// --state]
    #[arg(long, value_name = "DIR", help_heading = "Cache")]
    cache_dir: Option<PathBuf>,
    /// Most disk that the cache may take, or a share of what its file system has free; with 0 there is only
    /// --cache-memory [default: 32GiB]
    #[arg(long, value_name = "SIZE|%", help_heading = "Cache")]
    cache_ssd: Option<Amount>,
    /// Disk that the cache leaves free, or a share of the file system's size; with 0 it may fill the disk [default:
    /// 10%, or --cache-ssd where that is less]
    #[arg(long, value_name = "SIZE|%", help_heading = "Cache")]
    cache_min_free: Option<Amount>,
    /// What is kept where there is no room for all: planned (by what is needed next, where jobs announce their order,
    /// and by what it costs to bring back), importance (by the losses that jobs report, too), static (what came first),
    /// lru, lfu or s3-fifo
    #[arg(long, value_name = "POLICY", default_value = "planned", value_parser = served, help_heading = "Cache")]
    pub(super) cache_policy: PolicyName,

    /// The earlier name of --cache-dir
    #[arg(long, value_name = "DIR", hide = true)]
    index_dir: Option<PathBuf>,
    /// The earlier name of --cache-ssd
    #[arg(long, value_name = "SIZE", hide = true)]
    index_bytes: Option<ByteCount>,
}

/// A policy that a server can follow: it does not know the future.
fn served(text: &str) -> Result<PolicyName, String> {
    match text.parse() {
        Ok(PolicyName::Belady) => Err("belady knows what comes: it is for profiler simulate cache alone".to_owned()),
        Ok(policy) => Ok(policy),
        Err(error) => Err(error.to_string()),
    }
}

// === impl CacheDirArgs ===

impl CacheDirArgs {
    /// Settings that do not go together, each with the fix.
    pub(crate) fn conflicts(&self) -> Vec<UsageError> {
        let twice = [
            (INDEX_DIR, CACHE_DIR, self.index_dir.is_some() && self.cache_dir.is_some()),
            ("--index-bytes", "--cache-ssd", self.index_bytes.is_some() && self.cache_ssd.is_some()),
        ];
        let twice = twice.into_iter().filter(|(.., both)| *both);
        let mut found: Vec<_> =
            twice.map(|(old, new, _)| format!("{old} is the earlier name of {new}: leave {old} out")).collect();
        if self.has_no_ssd() && (self.cache_dir.is_some() || self.index_dir.is_some()) {
            found.push(
                "--cache-ssd 0 keeps nothing in --cache-dir: give it some bytes, or leave --cache-dir out".into(),
            );
        }
        if self.has_no_ssd() && self.cache_min_free.is_some_and(|floor| floor != Amount::ZERO) {
            found.push("--cache-ssd 0 keeps nothing on a disk: leave --cache-min-free out".into());
        }
        found.into_iter().map(UsageError).collect()
    }

    /// Says by which names settings go now that were given by earlier ones.
    pub(crate) fn say_new_names(&self) {
        let given = [
            (INDEX_DIR, CACHE_DIR, self.index_dir.is_some()),
            ("--index-bytes", "--cache-ssd", self.index_bytes.is_some()),
        ];
        for (old, new, _) in given.into_iter().filter(|(.., given)| *given) {
            tracing::info!("{old} is called {new} now, and holds for everything that is kept");
        }
    }

    /// Says that a folder was given and is not used: `--no-cache` stands above what a file may say for all servers.
    pub(crate) fn say_unused(&self) {
        if let Some(folder) = self.given() {
            tracing::warn!(folder = %folder.display(), "{} is not used: --no-cache holds", self.name());
        }
    }

    /// Whether there is no part of the cache on disk.
    pub(crate) fn has_no_ssd(&self) -> bool {
        self.size() == Amount::ZERO
    }

    /// The setting that the folder comes from; `--cache-dir` where neither it nor `--state` is given.
    pub(crate) fn setting(&self, state: &StateArgs) -> &'static str {
        let given = self.given().map(|_| self.name());
        given.or_else(|| state.setting()).unwrap_or(CACHE_DIR)
    }

    /// The cache's folder.
    ///
    /// # Errors
    /// There is none, or it lies within the dataset or around it.
    pub(crate) fn folder(&self, state: &StateArgs, data: &Location) -> Result<Apart> {
        match self.given() {
            Some(path) => Ok(Apart::from(data, self.name(), path.clone())?),
            None => state.folder(FOLDER, CACHE_DIR, data),
        }
    }

    /// The folder of a cache that holds nothing of these datasets' places, and its limit. `None` where there is to be
    /// none. Blocks on the disk.
    ///
    /// # Errors
    /// No folder, one within a dataset or around it, or one that is something else.
    pub(crate) fn ssd(&self, state: &StateArgs, datasets: &[Location]) -> Result<Option<SsdSettings>> {
        if self.has_no_ssd() {
            return Ok(None);
        }
        let folders = datasets.iter().map(|data| self.folder(state, data)).collect::<Result<Vec<_>>>()?;
        let Some(folder) = folders.into_iter().next() else { return Ok(None) };
        self.say_of_an_earlier_folder(state, &folder);
        let folder = folder.path().to_owned();
        let limit = match self.size() {
            Amount::Bytes(limit) => limit,
            share @ Amount::Share(_) => share.of(room(&folder)?),
        };
        Ok(Some(SsdSettings { folder, limit, floor: self.cache_min_free }))
    }

    /// The same settings for a run that prepares entries ahead: it pushes nothing out that others have kept.
    pub(crate) fn that_evicts_nothing(&self) -> Self {
        Self { cache_policy: PolicyName::Static, ..self.clone() }
    }

    /// Whether the limit was given, and not as a share of what there is.
    pub(super) fn is_chosen(&self) -> bool {
        self.index_bytes.is_some() || self.cache_ssd.is_some_and(|size| size.bytes().is_some())
    }

    fn size(&self) -> Amount {
        let given = self.cache_ssd.or(self.index_bytes.map(Amount::Bytes));
        given.unwrap_or(Amount::Bytes(caps::CACHE_SSD))
    }

    fn given(&self) -> Option<&PathBuf> {
        self.cache_dir.as_ref().or(self.index_dir.as_ref())
    }

    fn name(&self) -> &'static str {
        if self.cache_dir.is_some() { CACHE_DIR } else { INDEX_DIR }
    }

    /// Says that the photos of an earlier version lie beside, where nobody looks for them any more.
    fn say_of_an_earlier_folder(&self, state: &StateArgs, folder: &Apart) {
        let earlier = folder.path().with_file_name(EARLIER_FOLDER);
        if self.given().is_none() && earlier.is_dir() && !folder.path().is_dir() {
            tracing::warn!(
                folder = %earlier.display(),
                "the photo index of an earlier version is not used any more: the cache of {} begins anew in {}; delete \
                 the other folder",
                state.setting().unwrap_or("this user"),
                folder.path().display()
            );
        }
    }
}

/// What the folder's file system has free, with what the cache takes there already.
fn room(folder: &std::path::Path) -> Result<ByteCount> {
    let there = Directory::open(folder, ByteCount::new(u64::MAX))?;
    let free = there.free().unwrap_or_default();
    Ok(ByteCount::new(free.get().saturating_add(there.usage().get())))
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
        cache: CacheDirArgs,
    }

    fn read(given: &[&str]) -> Settings {
        Settings::parse_from(["serve"].iter().chain(given))
    }

    #[test]
    fn the_folder_is_known_by_the_setting_that_was_given() {
        let setting = |given: &[&str]| {
            let settings = read(given);
            settings.cache.setting(&settings.state)
        };
        assert_eq!(setting(&["--state", "/s"]), "--state");
        assert_eq!(setting(&["--state", "/s", "--cache-dir", "/i"]), "--cache-dir");
        assert_eq!(setting(&["--index-dir", "/i"]), "--index-dir");
        assert_eq!(setting(&[]), "--cache-dir");
    }

    #[test]
    fn earlier_names_mean_the_same_and_both_at_once_are_refused() {
        let data: Location = "s3://bucket/photos".parse().unwrap();
        for given in [["--cache-dir", "/c", "--cache-ssd", "1GiB"], ["--index-dir", "/c", "--index-bytes", "1GiB"]] {
            let settings = read(&given);
            assert!(settings.cache.conflicts().is_empty());
            let ssd = settings.cache.ssd(&settings.state, std::slice::from_ref(&data)).unwrap().unwrap();
            assert_eq!((ssd.folder, ssd.limit), (PathBuf::from("/c"), ByteCount::mebibytes(1024)));
        }
        for (given, words) in [
            (&["--cache-dir", "/c", "--index-dir", "/c"][..], "leave --index-dir out"),
            (&["--cache-ssd", "50%", "--index-bytes", "1GiB"], "leave --index-bytes out"),
            (&["--cache-dir", "/c", "--cache-ssd", "0"], "leave --cache-dir out"),
            (&["--cache-ssd", "0", "--cache-min-free", "5%"], "leave --cache-min-free out"),
        ] {
            let found = read(given).cache.conflicts();
            assert!(found.len() == 1 && found[0].to_string().contains(words), "{given:?}: {found:?}");
        }
    }

    #[test]
    fn a_share_is_of_what_is_free_and_of_what_the_cache_takes_already() {
        let folder = tempfile::TempDir::new().unwrap();
        let data: Location = "s3://bucket/photos".parse().unwrap();
        let path = folder.path().join("cache");
        let limit = |size: &str| {
            let settings = read(&["--cache-dir", path.to_str().unwrap(), "--cache-ssd", size]);
            settings.cache.ssd(&settings.state, std::slice::from_ref(&data)).unwrap().map(|ssd| ssd.limit.get())
        };
        let (half, tenth) = (limit("50%").unwrap(), limit("10%").unwrap());
        assert!(tenth > 0 && half > 4 * tenth && half < 6 * tenth, "{half} {tenth}");
        assert_eq!(limit("0B"), None);
    }

    #[test]
    fn a_server_knows_no_future() {
        let policy = |name: &str| Settings::try_parse_from(["serve", "--cache-policy", name]).map(|_| ());
        assert!(policy("s3-fifo").is_ok() && policy("lru").is_ok());
        assert!(policy("belady").unwrap_err().to_string().contains("profiler simulate cache"));
        assert!(policy("random").unwrap_err().to_string().contains("planned"));
    }
}
