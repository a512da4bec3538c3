//! Streams that nobody reads, and who else wants samples.

use std::time::Duration;

use anyhow::Result;

use super::beside::Pair;
use crate::server::ServerOptions;
use crate::strain::cut::Cut;
use crate::strain::figure::Figure;
use crate::strain::photos::Photos;
use crate::strain::readers::{Manner, Readers};
use crate::strain::stage::Stage;
use crate::strain::subject::{DEFAULT_MEMORY, Subject, nap};

/// How long the server waits for a reader, in [`end`].
const PATIENCE: Duration = Duration::from_secs(2);
/// How much later the end may be.
const LATER: Duration = Duration::from_secs(4);
const TO_THE_END: Duration = Duration::from_secs(60);

/// One stream of 20-megapixel photos.
pub(super) fn large(stage: &Stage) -> Result<Vec<Figure>> {
    let pair = Pair::start(stage, &Photos::large(stage.either(24, 18)))?;
    let readers = pair.strain(stage, &Manner::stopped(Cut::DECODED))?;
    let mut figures = vec![granted(&pair.strained)?];
    for &cut in stage.either(&[Cut::DECODED, Cut::CROPPED, Cut::ENCODED][..], &[Cut::CROPPED]) {
        figures.extend(pair.compare(stage, cut, "one unread stream of 20 megapixels")?);
    }
    figures.push(pair.strained.most_memory("at most"));
    drop(readers);
    Ok(figures)
}

/// Eight streams of 1024-pixel photos on one connection.
pub(super) fn streams(stage: &Stage) -> Result<Vec<Figure>> {
    let pair = Pair::start(stage, &Photos::middle(120))?;
    let readers = pair.strain(stage, &Manner { streams: 8, ..Manner::stopped(Cut::DECODED) })?;
    let mut figures = vec![granted(&pair.strained)?];
    figures.extend(pair.compare(stage, Cut::DECODED, "eight unread streams")?);
    figures.push(pair.strained.most_memory("at most"));
    drop(readers);
    Ok(figures)
}

/// Five of our own clients, each with two calls, whose training loop is paused after the first batch.
pub(super) fn paused(stage: &Stage) -> Result<Vec<Figure>> {
    let pair = Pair::start(stage, &Photos::middle(120))?;
    let manner = Manner { connections: 10, ..Manner::stopped(Cut::DECODED).with_our_windows() };
    let mut readers = pair.strain(stage, &manner)?;
    readers.read_one()?;
    pair.strained.settle(Duration::from_secs(10))?;
    let mut figures = vec![granted(&pair.strained)?];
    figures.extend(pair.compare(stage, Cut::DECODED, "five paused trainers")?);
    figures.push(pair.strained.most_memory("at most"));
    drop(readers);
    Ok(figures)
}

/// 16 streams of stored files.
pub(super) fn encoded(stage: &Stage) -> Result<Vec<Figure>> {
    let pair = Pair::start(stage, &Photos::long_files(stage.either(240, 120)))?;
    let readers = pair.strain(stage, &Manner { connections: 16, ..Manner::stopped(Cut::ENCODED) })?;
    let mut figures = vec![granted(&pair.strained)?];
    let but_features = &Cut::ALL[..Cut::ALL.len() - 1];
    for &cut in stage.either(but_features, &[Cut::ENCODED, Cut::CROPPED]) {
        figures.extend(pair.compare(stage, cut, "16 unread streams at encoded")?);
    }
    figures.push(pair.strained.most_memory("at most"));
    drop(readers);
    Ok(figures)
}

/// A reader that reads on after the server's patience.
pub(super) fn end(stage: &Stage) -> Result<Vec<Figure>> {
    let photos = Photos::middle(120);
    // As a variable: a server that does not know it only says so.
    let patience = PATIENCE.as_secs().to_string();
    let options = ServerOptions::new(&stage.photos(&photos)?).arg("--no-index");
    let subject = stage.start(options.variable("HEADWATER_UNREAD_LIMIT", &patience), DEFAULT_MEMORY)?;
    let readers =
        Readers::open(stage.runtime(), &subject.address(), photos.count, &Manner::stopped(Cut::DECODED))?;
    nap(PATIENCE + LATER);
    let open = subject.metric("headwater_streams")?;
    let mut figures = vec![
        Figure::at_most("open streams, once the patience is over", open, "", 0.0),
        Figure::at_most("memory granted by then", subject.metric("headwater_memory_granted_bytes")?, "bytes", 0.0),
    ];
    let refused = subject.server.metric("headwater_calls_refused_total{reason=\"unread\"}")?;
    figures.push(Figure::holds("counted", refused.unwrap_or(0.0), "1", refused == Some(1.0)));
    let logged = subject.log()?.lines().any(|line| line.contains("unread"));
    figures.push(Figure::holds("logged", logged, "true", logged));
    for ended in readers.read_on(TO_THE_END)? {
        let found = format!("{:?}, {:?}, {:?} after {} samples", ended.code, ended.reason, ended.message, ended.samples);
        let kept = ended.code == tonic::Code::ResourceExhausted && ended.reason == "unread";
        figures.push(Figure::holds("what the reader finds", found, "ResourceExhausted, \"unread\"", kept));
    }
    Ok(figures)
}

/// What the readers have been granted.
fn granted(subject: &Subject) -> Result<Figure> {
    let bytes = subject.metric("headwater_memory_granted_bytes")?;
    Ok(Figure::number("granted to readers", bytes / f64::from(1 << 20), "MiB"))
}
