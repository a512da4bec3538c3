//! A photo index that others meddle with, and photos that go while they are served.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use headwater_testdata::PhotoSet;

use crate::run::run;
use crate::server::ServerOptions;
use crate::strain::cut::Cut;
use crate::strain::figure::Figure;
use crate::strain::honest::Epoch;
use crate::strain::stage::Stage;
use crate::strain::subject::{DEFAULT_MEMORY, Subject, nap};

/// Photos of a set.
const PHOTOS: usize = 40;
/// The most that rounds over other photos may add to what one set takes.
const MOST_GROWTH: f64 = 1.5;

/// Photos that change, and their index.
struct Indexed {
    photos: PathBuf,
    index: PathBuf,
}

// === impl Indexed ===

impl Indexed {
    fn new(stage: &Stage, name: &str) -> Result<Self> {
        let folder = stage.scratch().join(name);
        let indexed = Self { photos: folder.join("photos"), index: folder.join("index") };
        indexed.draw(1)?;
        Ok(indexed)
    }

    /// Other photos of the same names.
    fn draw(&self, seed: u64) -> Result<()> {
        let set = PhotoSet { seed, classes: 2, per_class: PHOTOS / 2, min_side: 200, max_side: 320 };
        if self.photos.exists() {
            fs::remove_dir_all(&self.photos)?;
        }
        set.write(&self.photos)?;
        Ok(())
    }

    /// `storage-server index`, to its end.
    fn build(&self) -> Result<()> {
        let [photos, index] = [&self.photos, &self.index].map(|path| path.display().to_string());
        run("storage-server", ["index", "--data", &photos, "--cache-dir", &index, "--log", "warn"])?.success()?;
        Ok(())
    }

    fn serve(&self, stage: &Stage) -> Result<Subject> {
        stage.start(ServerOptions::new(&self.photos).arg("--cache-dir").arg(&self.index), DEFAULT_MEMORY)
    }

    /// The index's entries: the files that are neither a ledger nor a lock.
    fn entries(&self) -> Result<Vec<PathBuf>> {
        let mut entries: Vec<_> =
            files(&self.index)?.into_iter().filter(|file| file.parent() != Some(&self.index)).collect();
        entries.retain(|file| file.file_name().is_some_and(|name| name.len() > 16));
        ensure!(!entries.is_empty(), "no entry below {}", self.index.display());
        entries.sort();
        Ok(entries)
    }
}

/// An entry that is a FIFO now.
pub(super) fn fifo(stage: &Stage) -> Result<Vec<Figure>> {
    let indexed = Indexed::new(stage, "fifo")?;
    indexed.build()?;
    let subject = indexed.serve(stage)?;
    for entry in indexed.entries()?.iter().take(3) {
        fs::remove_file(entry)?;
        let status = Command::new("mkfifo").arg(entry).stdin(Stdio::null()).status().context("mkfifo")?;
        ensure!(status.success(), "mkfifo: {status}");
    }
    Ok(vec![epoch(stage, &subject, "an epoch with three entries that are FIFOs", PHOTOS)?])
}

/// The index's folder is deleted under the server.
pub(super) fn deleted(stage: &Stage) -> Result<Vec<Figure>> {
    let indexed = Indexed::new(stage, "deleted")?;
    let subject = indexed.serve(stage)?;
    let mut figures = vec![epoch(stage, &subject, "an epoch", PHOTOS)?];
    let misses = || subject.metric("headwater_index_misses_total{dataset=\"photos\"}");
    nap(Duration::from_secs(1));
    fs::remove_dir_all(&indexed.index)?;
    figures.push(epoch(stage, &subject, "an epoch after the folder is gone", PHOTOS)?);
    nap(Duration::from_secs(1));
    let before = misses()?;
    for _ in 0..3 {
        figures.push(epoch(stage, &subject, "another", PHOTOS)?);
    }
    nap(Duration::from_secs(1));
    let again = misses()? - before;
    figures.push(Figure::at_most("photos not found in it, of three more epochs", again, "", PHOTOS as f64));
    Ok(figures)
}

/// Photos that are replaced again and again: the entries of those that are gone are dropped.
pub(super) fn dead_entries(stage: &Stage) -> Result<Vec<Figure>> {
    let indexed = Indexed::new(stage, "dead")?;
    indexed.build()?;
    let once = disk(&indexed)?;
    for seed in 2..6 {
        indexed.draw(seed)?;
        indexed.build()?;
    }
    // Whoever opens it next may be the one who sweeps.
    indexed.build()?;
    nap(Duration::from_secs(2));
    let growth = disk(&indexed)? / once;
    Ok(vec![Figure::at_most("an index after five sets of photos", growth, "times that of one", MOST_GROWTH)])
}

/// A photo that is deleted after the listing.
pub(super) fn photo_gone(stage: &Stage) -> Result<Vec<Figure>> {
    let indexed = Indexed::new(stage, "gone")?;
    indexed.build()?;
    let subject = indexed.serve(stage)?;
    let all = files(&indexed.photos)?;
    let gone = all.iter().find(|file| file.extension().is_some_and(|suffix| suffix == "jpg")).context("no JPEG")?;
    fs::remove_file(gone)?;
    let mut figures = Vec::new();
    for cut in [Cut::JPEG_CROP, Cut::CROPPED, Cut::ENCODED] {
        let epoch = Epoch::read(&subject.address(), cut, PHOTOS, stage.scratch())?;
        let named = epoch.log.contains(&gone.file_name().unwrap_or_default().display().to_string());
        let found = if epoch.complete { "served".to_owned() } else { epoch.last_words() };
        let what = format!("a photo that is deleted after the listing, at {cut}");
        figures.push(Figure::holds(what, found, "fails, by name", !epoch.complete && named));
    }
    Ok(figures)
}

fn epoch(stage: &Stage, subject: &Subject, what: &str, samples: usize) -> Result<Figure> {
    let epoch = Epoch::read(&subject.address(), Cut::JPEG_CROP, samples, stage.scratch())?;
    let found = if epoch.complete { format!("{:.2} s", epoch.seconds) } else { epoch.last_words() };
    Ok(Figure::holds(what, found, "complete", epoch.complete))
}

/// Bytes of the entries.
fn disk(indexed: &Indexed) -> Result<f64> {
    indexed.entries()?.iter().map(|entry| Ok(fs::metadata(entry)?.len() as f64)).sum()
}

/// Every file below a folder.
fn files(folder: &Path) -> Result<Vec<PathBuf>> {
    let (mut files, mut folders) = (Vec::new(), vec![folder.to_owned()]);
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder)? {
            let path = entry?.path();
            if path.is_dir() { folders.push(path) } else { files.push(path) }
        }
    }
    files.sort();
    Ok(files)
}
