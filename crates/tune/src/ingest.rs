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
use headwater_types::{Digest, FailureKind, SampleFailure, caps};
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
    let servers = args.parts.servers();
    let connecting = Dataset::connect(&servers, &args.dataset, args.parts.options()?);
    let connected = stop.run_until_cancelled(Box::pin(connecting)).await;
    let dataset = connected.context("stopped before a photo was sent")??;
    let bar = GrowingBar::new(progress, "ingest");
    let photos = files.len();
    let mut summary = IngestSummary::default();
    // The next file is read while a photo is on its way.
    let ahead = args.in_flight.get() + 1;
    let read = stream::iter(files).map(|file| async { (photo(args, &file).await, file) }).buffered(ahead);
    let sending = read.zip(stream::iter(0..)).map(|((photo, file), task)| {
        let dataset = &dataset;
        async move {
            let sent = match photo {
                Ok(photo) => send(dataset, &photo, task).await,
                Err(failure) => Ok((String::new(), 0, Ingested::Refused(failure))),
            };
            (file, sent)
        }
    });
    let mut sent = sending.buffer_unordered(args.in_flight.get());
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

/// Sends one photo: to which server, how many bytes, and what came of it.
async fn send(dataset: &Dataset, photo: &Photo, task: u64) -> Result<(String, u64, Ingested), ClientError> {
    let (server, ingested) = dataset.ingest(photo, task).await?;
    Ok((server.to_string(), photo.bytes.len() as u64, ingested))
}

/// A file as a photo. One that cannot be read is a photo that was not taken in.
async fn photo(args: &IngestArgs, file: &Path) -> Result<Photo, SampleFailure> {
    let malformed = |words: String| SampleFailure::new(FailureKind::Malformed, words);
    let name = file.file_name().and_then(|name| name.to_str());
    let name = name.ok_or_else(|| malformed("its name is no text".to_owned()))?;
    check_name("its name", name).map_err(|error| malformed(error.to_string()))?;
    let path = file.to_owned();
    let read = tokio::task::spawn_blocking(move || read(&path)).await.map_err(std::io::Error::other);
    let (bytes, digest) = read.flatten().map_err(|error| SampleFailure::new(FailureKind::Io, error.to_string()))?;
    Ok(Photo {
        name: name.to_owned(),
        label: args.label.clone(),
        new_class: args.new_class,
        labels: args.wanted(),
        bytes,
        digest,
    })
}

fn read(file: &Path) -> std::io::Result<(Bytes, Digest)> {
    let length = std::fs::metadata(file)?.len();
    if length > caps::MAX_OBJECT.get() {
        return Err(std::io::Error::other(format!("its {length} bytes are more than a photo may have")));
    }
    let bytes = std::fs::read(file)?;
    let digest = Digest::of(&bytes);
    Ok((bytes.into(), digest))
}
