//! What came of photos that were put into a dataset.

use std::fmt;
use std::path::Path;
use std::time::Duration;

use headwater_cli::Failures;
use headwater_client::ingest_calls::{Ingested, IngestedLabels};
use headwater_types::{ByteCount, SampleFailure, shown};
use serde::Serialize;

use super::rate;

/// Photos that were sent, together and one by one.
#[derive(Clone, Debug, Default, Serialize)]
pub(crate) struct IngestSummary {
    /// Photos that are in the dataset now and were not before.
    ingested: u64,
    /// Photos whose bytes the dataset had already.
    duplicates: u64,
    /// Photos that were not taken in, and why.
    failed: u64,
    failures: Failures,
    /// Bytes of the photos that are in the dataset now.
    bytes: u64,
    images_per_second: f64,
    seconds: f64,
    photos: Vec<IngestedPhoto>,
}

/// What came of one photo.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct IngestedPhoto {
    file: String,
    /// The server that was asked; null for a file that could not be read.
    server: Option<String>,
    bytes: u64,
    /// Where it is in the dataset; null where it was not taken in.
    key: Option<String>,
    duplicate: bool,
    /// Why it was not taken in; null where it was.
    error: Option<String>,
    labels: Vec<PhotoLabels>,
    #[serde(skip)]
    failure: Option<SampleFailure>,
}

/// What a model says of a photo.
#[derive(Clone, Debug, Serialize)]
struct PhotoLabels {
    model: String,
    model_digest: String,
    best: Vec<PhotoLabel>,
}

/// A class, by its name, or by its number where it has none.
#[derive(Clone, Debug, Serialize)]
struct PhotoLabel {
    label: String,
    class: u32,
    score: f32,
}

// === impl IngestedPhoto ===

impl IngestedPhoto {
    pub(crate) fn new(file: &Path, server: &str, bytes: u64, ingested: Ingested) -> Self {
        let server = (!server.is_empty()).then(|| server.to_owned());
        let nothing = Self {
            file: file.display().to_string(),
            server,
            bytes,
            key: None,
            duplicate: false,
            error: None,
            labels: Vec::new(),
            failure: None,
        };
        match ingested {
            Ingested::Taken { key, duplicate, labels } => Self {
                key: Some(key.as_str().to_owned()),
                duplicate,
                labels: labels.into_iter().map(PhotoLabels::from).collect(),
                ..nothing
            },
            Ingested::Refused(failure) => Self { error: Some(failure.to_string()), failure: Some(failure), ..nothing },
        }
    }
}

impl From<IngestedLabels> for PhotoLabels {
    fn from(labels: IngestedLabels) -> Self {
        let name = |at: usize, class: u32| labels.names.get(at).cloned().unwrap_or_else(|| class.to_string());
        let best = labels.best.iter().enumerate().map(|(at, scored)| PhotoLabel {
            label: name(at, scored.class.0),
            class: scored.class.0,
            score: scored.score,
        });
        Self { best: best.collect(), model: labels.model.to_string(), model_digest: labels.model_digest.to_string() }
    }
}

// === impl IngestSummary ===

impl IngestSummary {
    pub(crate) fn add(&mut self, photo: IngestedPhoto) {
        match &photo.failure {
            Some(failure) => {
                self.failed += 1;
                self.failures.add_counted(failure.kind, 1, std::iter::once(photo.file.as_str()));
            }
            None if photo.duplicate => self.duplicates += 1,
            None => {
                self.ingested += 1;
                self.bytes += photo.bytes;
            }
        }
        self.photos.push(photo);
    }

    /// The summary of a command that took so long.
    pub(crate) fn within(self, time: Duration) -> Self {
        let seconds = time.as_secs_f64();
        let images_per_second = rate(self.ingested + self.duplicates + self.failed, seconds);
        Self { seconds, images_per_second, ..self }
    }

    pub(crate) fn failures(&self) -> &Failures {
        &self.failures
    }
}

impl fmt::Display for IngestSummary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for photo in &self.photos {
            let best = photo.labels.iter().filter_map(|labels| labels.best.first());
            let best: String = best.map(|best| format!("  {} {:.3}", best.label, best.score)).collect();
            let there = if photo.duplicate { "is there as " } else { "" };
            match (&photo.key, &photo.error) {
                (_, Some(error)) => writeln!(f, "{}  not taken in: {error}", photo.file)?,
                (Some(key), _) if photo.duplicate || !best.is_empty() => {
                    writeln!(f, "{}  {there}{key}{best}", photo.file)?;
                }
                _ => {}
            }
        }
        let Self { ingested, duplicates, failed, bytes, images_per_second, .. } = self;
        let (bytes, rate) = (ByteCount::new(*bytes), shown::count(*images_per_second));
        write!(f, "{ingested} taken in ({bytes}, {rate}/s), {duplicates} there already, {failed} not taken in")
    }
}
