//! `tuner ingest`: photos put into a dataset of storage servers.

use std::io::BufRead;
use std::path::{Path, PathBuf};
use std::time::Instant;

use anyhow::Context;
use bytes::Bytes;
use futures::{StreamExt, stream};
use headwater_cli::{GrowingBar, Outcome, Progress};
use headwater_client::ingest_calls::{Ingested, check_name};
use headwater_client::{ClientError, Dataset, Photo};
use headwater_types::{FailureKind, SampleFailure, caps};
use tokio_util::sync::CancellationToken;

use crate::args::IngestArgs;
use crate::report::{IngestSummary, IngestedPhoto};

/// The command was stopped before all photos had been sent.
#[derive(Debug, thiserror::Error)]
#[error("{done} of {photos} photos were sent: run the same command again, which sends no photo twice")]
pub(crate) struct Left {
    done: usize,
    photos: usize,
}

/// What keeps every further photo from being taken in.
#[derive(Debug, thiserror::Error)]
#[error("{done} of {photos} photos were sent: {error}")]
pub(crate) struct Ended {
    done: usize,
    photos: usize,
    error: ClientError,
}

/// Most files that a list may name.
const MOST_FILES: usize = 100_000_000;

/// Sends the photos, and says what came of each.
pub(crate) async fn ingest(
    args: &IngestArgs,
    progress: &Progress,
    stop: &CancellationToken,
) -> anyhow::Result<Outcome<IngestSummary>> {
    let begin = Instant::now();
    let files = tokio::task::spawn_blocking({
        let files = args.files.clone();
        move || named(&files)
    });
    let files = stop.run_until_cancelled(files).await.context("stopped before a photo was sent")???;
    let connecting = Dataset::connect(args.parts.servers(), &args.dataset, args.parts.options());
    let connected = stop.run_until_cancelled(Box::pin(connecting)).await;
    let dataset = connected.context("stopped before a photo was sent")??;
    let bar = GrowingBar::new(progress, "ingest");
    let photos = files.len();
    let mut summary = IngestSummary::default();
    let sending = (0..).zip(files).map(|(task, file)| {
        let dataset = &dataset;
        async move {
            let sent = send(dataset, args, &file, task).await;
            (file, sent)
        }
    });
    let mut sent = stream::iter(sending).buffer_unordered(args.in_flight.get());
    let mut done = 0;
    while let Some(next) = stop.run_until_cancelled(sent.next()).await {
        let Some((file, outcome)) = next else {
            let few_enough = summary.failures().check(photos as u64, args.failures.max_failures);
            return Ok(Outcome::of(summary.within(begin.elapsed()), few_enough));
        };
        match outcome {
            Ok((server, bytes, ingested)) => summary.add(IngestedPhoto::new(&file, &server, bytes, ingested)),
            Err(error) => {
                let ended = Ended { done, photos, error };
                return Ok(Outcome::short(summary.within(begin.elapsed()), ended));
            }
        }
        done += 1;
        bar.update(done as u64, photos as u64);
    }
    Ok(Outcome::short(summary.within(begin.elapsed()), Left { done, photos }))
}

/// The files that the arguments name.
fn named(files: &[PathBuf]) -> anyhow::Result<Vec<PathBuf>> {
    let mut named = Vec::new();
    for file in files {
        if file.as_os_str() != "-" {
            named.push(file.clone());
            continue;
        }
        for line in std::io::stdin().lock().lines().take(MOST_FILES) {
            let line = line.context("the list of files from standard input")?;
            if !line.trim().is_empty() {
                named.push(line.into());
            }
        }
    }
    Ok(named)
}

/// Sends one photo: to which server, how many bytes, and what came of it. A file that cannot be read is a photo that
/// was not taken in.
async fn send(
    dataset: &Dataset,
    args: &IngestArgs,
    file: &Path,
    task: u64,
) -> Result<(String, u64, Ingested), ClientError> {
    let unread = |kind, words: String| Ok((String::new(), 0, Ingested::Refused(SampleFailure::new(kind, words))));
    let Some(name) = file.file_name().and_then(|name| name.to_str()) else {
        return unread(FailureKind::Malformed, "its name is no text".to_owned());
    };
    if let Err(error) = check_name("its name", name) {
        return unread(FailureKind::Malformed, error.to_string());
    }
    let bytes = match read(file).await {
        Ok(bytes) => bytes,
        Err(error) => return unread(FailureKind::Io, error.to_string()),
    };
    let photo = Photo {
        name: name.to_owned(),
        label: args.label.clone(),
        new_class: args.new_class,
        labels: args.wanted(),
        bytes,
    };
    let (server, ingested) = dataset.ingest(&photo, task).await?;
    Ok((server.to_string(), photo.bytes.len() as u64, ingested))
}

async fn read(file: &Path) -> std::io::Result<Bytes> {
    let length = tokio::fs::metadata(file).await?.len();
    if length > caps::MAX_OBJECT.get() {
        return Err(std::io::Error::other(format!("its {length} bytes are more than a photo may have")));
    }
    tokio::fs::read(file).await.map(Bytes::from)
}
