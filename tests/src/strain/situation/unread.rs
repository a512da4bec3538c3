//! Streams that nobody reads, and who else wants samples.

use std::time::{Duration, Instant};

use anyhow::Result;

use super::beside::Pair;
use crate::server::ServerOptions;
use crate::strain::cut::Cut;
use crate::strain::figure::Figure;
use crate::strain::photos::Photos;
use crate::strain::readers::{Manner, Origin, Pace, Readers};
use crate::strain::stage::Stage;
use crate::strain::subject::{DEFAULT_MEMORY, Subject, nap};

/// How long the server waits for a reader, in [`end`].
const PATIENCE: Duration = Duration::from_secs(4);
/// How much later the end may be.
const LATER: Duration = Duration::from_secs(10);
const LOOK_EVERY: Duration = Duration::from_millis(50);
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

/// 32 clients that read large photos at a modem's pace: each holds one message, which the network has already.
pub(super) fn slow(stage: &Stage) -> Result<Vec<Figure>> {
    let pair = Pair::start(stage, &Photos::large(stage.either(24, 18)))?;
    let (pace, origin) = (Pace::BytesPerSecond(20_000), Origin::Each);
    let manner = Manner { connections: 32, pace, origin, most_samples: 2, ..Manner::stopped(Cut::DECODED) };
    let readers = pair.strain(stage, &manner.with_our_windows())?;
    let mut figures = vec![granted(&pair.strained)?];
    figures.extend(pair.compare(stage, Cut::CROPPED, "32 slow clients")?);
    figures.push(pair.strained.most_memory("at most"));
    drop(readers);
    Ok(figures)
}

/// One that reads on once it was ended, and one that never does.
pub(super) fn end(stage: &Stage) -> Result<Vec<Figure>> {
    let photos = Photos::middle(120);
    // As a variable: a server that does not know it only says so.
    let patience = PATIENCE.as_secs().to_string();
    let options = ServerOptions::new(&stage.photos(&photos)?).arg("--no-cache");
    let subject = stage.start(options.variable("HEADWATER_UNREAD_LIMIT", &patience), DEFAULT_MEMORY)?;
    let open = || Readers::open(stage.runtime(), &subject.address(), photos.count, &Manner::stopped(Cut::DECODED));
    let (reads_on, never_reads) = (open()?, open()?);
    let refused = || Ok(subject.server.metric("headwater_calls_refused_total{reason=\"unread\"}")?.unwrap_or(0.0));
    let counted = reach(&refused, 2.0)?;
    let mut figures = vec![Figure::holds("counted", counted, "2", counted == 2.0)];
    for ended in reads_on.read_on(TO_THE_END)? {
        let found =
            format!("{:?}, {:?}, {:?} after {} samples", ended.code, ended.reason, ended.message, ended.samples);
        let kept = ended.code == tonic::Code::ResourceExhausted && ended.reason == "unread";
        figures.push(Figure::holds("what a reader finds that reads on", found, "ResourceExhausted, \"unread\"", kept));
    }
    let logged = subject.log()?.lines().any(|line| line.contains("WARN") && line.contains("--unread-limit"));
    figures.push(Figure::holds("logged", logged, "true", logged));
    for metric in ["headwater_streams", "headwater_memory_granted_bytes"] {
        let left = reach(&|| subject.metric(metric), 0.0)?;
        figures.push(Figure::at_most(format!("{metric}, where the other never reads on"), left, "", 0.0));
    }
    drop(never_reads);
    Ok(figures)
}

/// A metric once it has this value, or as it is after the time in which it should.
fn reach(metric: &dyn Fn() -> Result<f64>, wanted: f64) -> Result<f64> {
    let started = Instant::now();
    loop {
        let found = metric()?;
        if found == wanted || started.elapsed() > 2 * PATIENCE + LATER {
            return Ok(found);
        }
        nap(LOOK_EVERY);
    }
}

/// What the readers have been granted.
fn granted(subject: &Subject) -> Result<Figure> {
    let bytes = subject.metric("headwater_memory_granted_bytes")?;
    Ok(Figure::number("granted to readers", bytes / f64::from(1 << 20), "MiB"))
}
