//! Samples into files, and into the list of what is in the folder.

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, Write as _};
use std::path::Path;
use std::sync::Arc;

use anyhow::Context as _;
use headwater_cli::{Failures, OutputFile, OutputFolder};
use headwater_client::{Finished, Finisher, Sample};
use headwater_pilot::Steering;
use headwater_types::{ClassId, Draws, FailureKind, Framing, Recipe, SampleFailure, SampleIndex};

use super::npy;
use super::row::{FieldsOf, SampleRow, Wire};

/// Turns samples into files and rows.
pub(super) struct Writer {
    pub(super) recipe: Arc<Recipe>,
    /// Whether what comes are features, and not pixels to be finished.
    pub(super) features: bool,
    /// Whether rows say how samples travelled.
    pub(super) wire: bool,
    /// Hears of every sample.
    pub(super) steering: Arc<Steering>,
    pub(super) finisher: Finisher,
    pub(super) classes: Vec<String>,
    /// The names of the fields that come with each sample.
    pub(super) fields: Vec<String>,
    pub(super) folder: Arc<OutputFolder>,
}

// === impl Writer ===

impl Writer {
    /// Finishes and writes one sample. An error is one of the folder; what is wrong with the sample stands in its row.
    pub(super) async fn write(self: Arc<Self>, mut sample: Sample) -> anyhow::Result<SampleRow> {
        let fields = FieldsOf::new(&self.fields, std::mem::take(&mut sample.fields));
        let wire = self.wire.then(|| Wire::of(&sample.outcome));
        let (row, file) = if self.features {
            self.vector(sample)
        } else {
            let way = sample.outcome.as_ref().ok().map(|delivered| delivered.way);
            let there = sample.cpu.unwrap_or_default();
            let (finished, here) = self.finisher.finish_metered(&self.recipe, sample).await;
            self.steering.came(finished.index, way, there, here);
            self.tensor(finished)
        };
        let name = format!("{}.npy", row.index);
        let put = move || match file {
            Some(file) => Ok(self.folder.file(&name)?.unsynced().write_all(&file)?),
            None => {
                // An earlier run's array must not pass for this one's.
                let path = self.folder.path().join(name);
                remove(&path).with_context(|| format!("cannot remove {}", path.display()))
            }
        };
        tokio::task::spawn_blocking(put).await.context("writing a file")??;
        Ok(row.with(fields).travelled(wire))
    }

    fn tensor(&self, finished: Finished) -> (SampleRow, Option<Vec<u8>>) {
        let row = self.row(finished.index.0, finished.key.as_ref().map(|key| key.as_str()), finished.label);
        match finished.outcome {
            Ok(done) => {
                let size = done.tensor.size();
                let data = done.tensor.values().iter().map(|value| value.to_le_bytes());
                (row.framed(done.source, &done.framing), Some(npy::file(&[3, size.height, size.width], data)))
            }
            Err(failure) => (row.failed(failure), None),
        }
    }

    fn vector(&self, sample: Sample) -> (SampleRow, Option<Vec<u8>>) {
        let row = self.row(sample.index.0, sample.key.as_ref().map(|key| key.as_str()), sample.label);
        match (sample.outcome, &sample.key) {
            (Ok(delivered), Some(key)) => {
                let data = delivered.payload.as_chunks::<4>().0.iter().copied();
                let file = npy::file(delivered.shape.axes(), data);
                let draws = Draws { address: sample.address, key };
                let framed = |source| row.clone().framed(source, &Framing::new(self.recipe.stages(), source, &draws));
                (delivered.source.map_or_else(|| row.clone(), framed), Some(file))
            }
            (Ok(_), None) => (row.failed(SampleFailure::new(FailureKind::Internal, "it came without a key")), None),
            (Err(failure), _) => (row.failed(failure), None),
        }
    }

    fn row(&self, index: u64, key: Option<&str>, label: Option<ClassId>) -> SampleRow {
        let class = label.and_then(|class| self.classes.get(class.0 as usize));
        SampleRow::new(index, key.map(str::to_owned), class.cloned())
    }
}

/// Writes the list.
pub(super) fn write_rows(listing: OutputFile, rows: &BTreeMap<u64, SampleRow>) -> anyhow::Result<()> {
    Ok(listing.write(|sink| {
        for row in rows.values() {
            serde_json::to_writer(&mut *sink, row)?;
            sink.write_all(b"\n")?;
        }
        io::Result::Ok(())
    })?)
}

/// The samples that failed, and why.
pub(super) fn failures_of<'a>(rows: impl Iterator<Item = &'a SampleRow>) -> Failures {
    let mut failures = Failures::default();
    for row in rows {
        if let Some(error) = &row.error {
            failures.add(error.kind, SampleIndex(row.index), row.key.as_deref());
        }
    }
    failures
}

/// Removes a file, if it is there.
pub(super) fn remove(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}
