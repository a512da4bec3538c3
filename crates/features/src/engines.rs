//! Engines that TensorRT has built, kept for the next start: building one takes minutes.
//!
//! ```text
//! FOLDER/
//!   <digest>/                what TensorRT wrote for one model, device, driver, range of shapes and precision
//!   <digest>.building-<pid>/ what a process is building; it gets its name when the engine has run
//! ```
//!
//! So a process that is killed while it builds leaves nothing that is taken for an engine. An engine that cannot be
//! loaded any more is removed and built anew. Whatever is wrong with the folder costs time at the next start, and is
//! said.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use headwater_types::Digest;
use headwater_types::caps::MAX_ENGINES;
use headwater_types::digest::Digester;

use crate::driver::Driver;
use crate::model::Model;
use crate::provider::Target;
use crate::runtime::Runtime;

/// The place of one engine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Engines {
    folder: PathBuf,
    key: Digest,
}

/// The end of the name of what is being built.
const BUILDING: &str = ".building-";
/// A file that is written anew whenever an engine is used, so that its folder's time is that of the last use.
const USED: &str = "used";

// === impl Engines ===

impl Engines {
    /// The place of a target's engine in this folder.
    pub(crate) fn of(folder: &Path, model: &Model, target: &Target, driver: &Driver, runtime: &Runtime) -> Self {
        let visible = std::env::var("CUDA_VISIBLE_DEVICES").unwrap_or_default();
        let device = target.device.gpu().map(|gpu| driver.model_of(gpu, &visible)).unwrap_or_default();
        let most = target.shapes.as_ref().map(|shapes| shapes.of(shapes.most)).unwrap_or_default();
        let key = Digester::default()
            .field(Digest::of(&model.bytes).as_bytes())
            .field(device.as_bytes())
            .field(driver.version.as_bytes())
            .field(most.as_bytes())
            .field(target.precision.as_str().as_bytes())
            .field(runtime.build().as_bytes())
            .finish();
        Self { folder: folder.to_owned(), key }
    }

    /// The engine's folder, where there is one.
    pub(crate) fn kept(&self) -> Option<PathBuf> {
        Some(self.place()).filter(|place| place.is_dir())
    }

    /// Opens what runs on the engine, which is loaded or else built. `open` is told where the engine lies or is to be
    /// left; nowhere, where it cannot be kept.
    ///
    /// # Errors
    /// What `open` says of an engine that is built.
    pub(crate) fn open<T, E: std::fmt::Display>(
        &self,
        mut open: impl FnMut(Option<&Path>) -> Result<T, E>,
    ) -> Result<T, E> {
        if let Some(kept) = self.kept() {
            match open(Some(&kept)) {
                Ok(opened) => {
                    self.tidied();
                    return Ok(opened);
                }
                Err(error) => {
                    let folder = kept.display();
                    tracing::warn!(%folder, %error, "a kept TensorRT engine cannot be used: it is built anew");
                    said(fs::remove_dir_all(&kept), &kept);
                }
            }
        }
        let building = self.folder.join(format!("{}{BUILDING}{}", self.key, std::process::id()));
        // What a process of the same number has left.
        let cleared = if building.exists() { fs::remove_dir_all(&building) } else { Ok(()) };
        let place = said(cleared.and_then(|()| fs::create_dir_all(&building)), &building).map(|()| &*building);
        tracing::info!(folder = %self.folder.display(), "building a TensorRT engine, which takes minutes");
        let opened = open(place);
        if place.is_some() {
            // Another process may have been quicker; its engine is as good.
            let is_wanted = opened.is_ok() && self.kept().is_none();
            match is_wanted {
                true => _ = said(fs::rename(&building, self.place()), &building),
                false => _ = said(fs::remove_dir_all(&building), &building),
            }
            self.tidied();
        }
        opened
    }

    fn place(&self) -> PathBuf {
        self.folder.join(self.key.to_string())
    }

    /// Marks the engine as used now, and removes those that have not been used for longest, past the most.
    fn tidied(&self) {
        if let Some(kept) = self.kept() {
            said(fs::write(kept.join(USED), ""), &kept);
        }
        let Some(entries) = said(fs::read_dir(&self.folder), &self.folder) else { return };
        let ours = entries.flatten().map(|entry| entry.path()).filter(|path| is_ours(path));
        let mut by_use: Vec<_> = ours.map(|path| (last_use(&path), path)).collect();
        by_use.sort_by(|(earlier, _), (later, _)| later.cmp(earlier));
        for (_, path) in by_use.iter().skip(MAX_ENGINES) {
            said(fs::remove_dir_all(path), path);
        }
    }
}

/// Whether a folder is one that is made here.
fn is_ours(path: &Path) -> bool {
    let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    let key = name.split_once(BUILDING).map_or(name, |(key, _)| key);
    path.is_dir() && key.parse::<Digest>().is_ok()
}

fn last_use(path: &Path) -> Option<std::time::SystemTime> {
    let of = |path: &Path| fs::metadata(path).and_then(|facts| facts.modified()).ok();
    of(&path.join(USED)).or_else(|| of(path))
}

/// What came of work on the folder; what went wrong is logged, since it costs no more than time.
fn said<T>(outcome: io::Result<T>, path: &Path) -> Option<T> {
    let warn = |error: &io::Error| {
        tracing::warn!(path = %path.display(), %error, "a TensorRT engine cannot be kept as it should be");
    };
    outcome.inspect_err(warn).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn engines(folder: &Path, name: &str) -> Engines {
        Engines { folder: folder.to_owned(), key: Digest::of(name.as_bytes()) }
    }

    /// Stands for TensorRT: builds where there is no engine, and says whether it did.
    fn tensorrt(place: Option<&Path>) -> Result<bool, String> {
        let engine = place.unwrap().join("engine");
        match fs::read_to_string(&engine) {
            Ok(content) if content == "sound" => Ok(false),
            Ok(_) => Err("cannot deserialize".to_owned()),
            Err(_) => fs::write(engine, "sound").map(|()| true).map_err(|error| error.to_string()),
        }
    }

    #[test]
    fn an_engine_is_built_once_and_again_where_it_is_damaged() {
        let folder = tempfile::tempdir().unwrap();
        let engines = engines(folder.path(), "a");
        assert_eq!(engines.kept(), None);
        assert_eq!([engines.open(tensorrt), engines.open(tensorrt)], [Ok(true), Ok(false)]);
        fs::write(engines.kept().unwrap().join("engine"), "half of").unwrap();
        assert_eq!([engines.open(tensorrt), engines.open(tensorrt)], [Ok(true), Ok(false)]);
    }

    #[test]
    fn what_was_not_finished_is_no_engine() {
        let folder = tempfile::tempdir().unwrap();
        let engines = engines(folder.path(), "a");
        let failing = |place: Option<&Path>| {
            fs::write(place.unwrap().join("engine"), "half of").unwrap();
            Err::<bool, _>("no memory".to_owned())
        };
        assert_eq!(engines.open(failing), Err("no memory".to_owned()));
        assert_eq!((engines.kept(), fs::read_dir(folder.path()).unwrap().count()), (None, 0));
    }

    #[test]
    fn those_that_were_not_used_for_longest_are_removed_and_nothing_else() {
        let folder = tempfile::tempdir().unwrap();
        let not_ours = folder.path().join("notes");
        fs::create_dir(&not_ours).unwrap();
        for number in 0..MAX_ENGINES + 3 {
            assert_eq!(engines(folder.path(), &number.to_string()).open(tensorrt), Ok(true));
        }
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), MAX_ENGINES + 1);
        assert!(not_ours.is_dir() && engines(folder.path(), &(MAX_ENGINES + 2).to_string()).kept().is_some());
    }

    #[test]
    fn a_folder_that_cannot_be_written_costs_time_alone() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let engines = engines(file.path(), "a");
        let without = |place: Option<&Path>| if place.is_none() { Ok(7) } else { Err("a place".to_owned()) };
        assert_eq!(engines.open(without), Ok(7));
    }
}
