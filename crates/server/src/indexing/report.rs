//! What an indexing run did, photo by photo and in all.

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use headwater_cache::NotKept;
use headwater_cli::Failures;
use headwater_image::Unindexable;
use headwater_pipeline::PhotoIndex;
use headwater_types::{ByteCount, SampleFailure, SampleIndex, SampleKey, WriteFault, shown};
use serde::Serialize;

/// What came of one photo.
pub(super) enum Outcome {
    /// It was re-written now.
    Rewritten { before: ByteCount, after: ByteCount },
    /// It was re-written before.
    AlreadyThere { before: ByteCount, after: ByteCount },
    /// It has no indexed form, and is served from its source.
    FellBack(Unindexable),
    /// It is not in the index, which is full or cannot be written.
    NotKept(NotKept),
    /// It could not be read.
    Failed { at: SampleIndex, key: Option<SampleKey>, failure: SampleFailure },
}

/// Outcomes, counted.
#[derive(Default)]
pub(super) struct Tally {
    photos: u64,
    /// Stored bytes of the photos that are not kept.
    not_kept_bytes: u64,
    rewritten: u64,
    already_there: u64,
    fallen_back: BTreeMap<&'static str, u64>,
    not_kept: BTreeMap<&'static str, u64>,
    disk: Option<WriteFault>,
    failures: Failures,
    first_failure: Option<SampleFailure>,
    before: u64,
    after: u64,
}

/// What a run of `storage-server index` did. Every photo is in exactly one of the counts.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(super) struct IndexReport {
    photos: u64,
    rewritten: u64,
    already_there: u64,
    /// Served from their source, by reason.
    fallen_back: BTreeMap<&'static str, u64>,
    /// Not in the index, by reason: its limit, or its disk.
    not_kept: BTreeMap<&'static str, u64>,
    /// Not read, and why.
    failed: u64,
    failures: Failures,
    /// Of the photos that are in the index: as stored, and re-written.
    bytes_before: u64,
    bytes_after: u64,
    /// After / before; `null` where there is none.
    ratio: Option<f64>,
    /// What the whole index takes, other datasets' photos included.
    disk_bytes: u64,
    /// Entries that were dropped before, since their photos are gone or changed.
    dropped: u64,
    seconds: f64,
    photos_per_second: f64,
    /// Why the disk took no more; `null` where it did not.
    stopped: Option<Stopped>,
    #[serde(skip)]
    first_failure: Option<SampleFailure>,
}

/// A disk that took no more.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(super) struct Stopped {
    /// `disk-full`, `quota-full`, `read-only`, `forbidden` ...
    reason: &'static str,
    index_dir: PathBuf,
    /// About what the photos that are not in the index would take there.
    bytes_needed: u64,
    /// What the disk has left; `null` where it does not say.
    bytes_free: Option<u64>,
    #[serde(skip)]
    fault: WriteFault,
    #[serde(skip)]
    kept: u64,
}

// === impl Tally ===

impl Tally {
    /// Counts what came of a photo of this size.
    pub(super) fn add(&mut self, size: ByteCount, outcome: Outcome) {
        self.photos += 1;
        match outcome {
            Outcome::Rewritten { before, after } => {
                self.rewritten += 1;
                self.add_bytes(before, after);
            }
            Outcome::AlreadyThere { before, after } => {
                self.already_there += 1;
                self.add_bytes(before, after);
            }
            Outcome::FellBack(reason) => *self.fallen_back.entry(reason.as_str()).or_default() += 1,
            Outcome::NotKept(why) => {
                *self.not_kept.entry(why.as_str()).or_default() += 1;
                self.not_kept_bytes += size.get();
                if let NotKept::Disk(fault) = why {
                    self.disk.get_or_insert(fault);
                }
            }
            Outcome::Failed { at, key, failure } => {
                self.failures.add(failure.kind, at, key.as_ref().map(|key| key.as_str()));
                tracing::debug!(kind = %failure.kind, %failure, "photo not indexed");
                self.first_failure.get_or_insert(failure);
            }
        }
    }

    fn add_bytes(&mut self, before: ByteCount, after: ByteCount) {
        self.before += before.get();
        self.after += after.get();
    }

    pub(super) fn report(self, took: Duration, index: &PhotoIndex) -> IndexReport {
        let seconds = took.as_secs_f64();
        // As much larger or smaller as those that are there.
        let ratio = if self.before > 0 { self.after as f64 / self.before as f64 } else { 1.0 };
        let stopped = self.disk.map(|fault| Stopped {
            reason: fault.as_str(),
            index_dir: index.path().to_owned(),
            bytes_needed: (self.not_kept_bytes as f64 * ratio) as u64,
            bytes_free: index.free().map(ByteCount::get),
            fault,
            kept: self.rewritten + self.already_there,
        });
        IndexReport {
            photos: self.photos,
            rewritten: self.rewritten,
            already_there: self.already_there,
            fallen_back: self.fallen_back,
            not_kept: self.not_kept,
            failed: self.failures.count(),
            failures: self.failures,
            bytes_before: self.before,
            bytes_after: self.after,
            ratio: (self.before > 0).then(|| self.after as f64 / self.before as f64),
            disk_bytes: index.usage().get(),
            dropped: index.counts().dropped,
            seconds,
            photos_per_second: if seconds > 0.0 { self.photos as f64 / seconds } else { 0.0 },
            stopped,
            first_failure: self.first_failure,
        }
    }
}

// === impl IndexReport ===

impl IndexReport {
    /// The disk that took no more.
    pub(super) fn stopped(&self) -> Option<&Stopped> {
        self.stopped.as_ref()
    }

    /// Why nothing was done, where nothing was and there was something to do. A disk that took no more says so itself.
    pub(super) fn nothing_done(&self) -> Option<String> {
        if self.photos == 0
            || self.stopped.is_some()
            || self.rewritten + self.already_there > 0
            || !self.fallen_back.is_empty()
            // That photos failed is for --max-failures to judge.
            || self.failed > 0
        {
            return None;
        }
        Some("the index is full: raise --index-bytes, or give another --index-dir".to_owned())
    }

    /// Photos that were looked at.
    pub(super) fn photos(&self) -> u64 {
        self.photos
    }

    /// Photos that could not be read.
    pub(super) fn failures(&self) -> &Failures {
        &self.failures
    }
}

impl fmt::Display for IndexReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        line(f, self.photos, "photos")?;
        line(f, self.rewritten, "re-written")?;
        line(f, self.already_there, "already there")?;
        for (reason, count) in &self.fallen_back {
            line(f, *count, &format!("served as they are: {reason}"))?;
        }
        for (reason, count) in &self.not_kept {
            match *reason == NotKept::Limit.as_str() {
                true => line(f, *count, "left out: the index is full, see --index-bytes")?,
                false => line(f, *count, &format!("left out: {reason}"))?,
            }
        }
        for (kind, count) in self.failures.by_kind() {
            line(f, count, &format!("failed: {kind}"))?;
        }
        if let Some(failure) = &self.first_failure {
            writeln!(f, "{:>10}  the first because {failure}", "")?;
        }
        if self.dropped > 0 {
            line(f, self.dropped, "dropped from the index: their photos are gone or changed")?;
        }
        if let Some(ratio) = self.ratio {
            line(f, self.bytes_before, "bytes before")?;
            line(f, self.bytes_after, &format!("bytes after ({:.2} %)", 100.0 * ratio))?;
        }
        write!(f, "{:>10.1}  seconds, {:.1} photos/s", self.seconds, self.photos_per_second)
    }
}

// === impl Stopped ===

impl fmt::Display for Stopped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { index_dir, bytes_needed, fault, kept, .. } = self;
        let words = fault.words().unwrap_or("it could not be written, see the log");
        let needed = shown::bytes(*bytes_needed);
        write!(f, "--index-dir {}: {words}: {kept} photos are in the index and stay there, ", index_dir.display())?;
        match self.bytes_free {
            Some(free) => write!(f, "the others need about {needed} and {} are free: ", shown::bytes(free))?,
            None => write!(f, "the others need about {needed}: ")?,
        }
        write!(f, "{}, and run this again", NotKept::Disk(*fault).remedy())
    }
}

fn line(f: &mut fmt::Formatter<'_>, count: u64, what: &str) -> fmt::Result {
    writeln!(f, "{count:>10}  {what}")
}

#[cfg(test)]
mod tests {
    use headwater_store::Apart;
    use headwater_types::{Digest, FailureKind, ImageLimits};
    use serde_json::json;

    use super::*;

    const SIZE: ByteCount = ByteCount::new(1000);

    fn report(outcomes: Vec<Outcome>) -> IndexReport {
        let folder = tempfile::TempDir::new().unwrap();
        let (path, limit) = (folder.path().join("index"), ByteCount::mebibytes(1));
        let apart = Apart::from(&"s3://photos".parse().unwrap(), "--index-dir", path).unwrap();
        let index = PhotoIndex::open(&apart, limit, Digest::of(b"here"), ImageLimits::default()).unwrap();
        let mut tally = Tally::default();
        outcomes.into_iter().for_each(|outcome| tally.add(SIZE, outcome));
        tally.report(Duration::from_secs(2), &index)
    }

    fn failure() -> Outcome {
        let failure = SampleFailure::new(FailureKind::Changed, "it is another than was listed");
        Outcome::Failed { at: SampleIndex(4), key: "a.jpg".parse().ok(), failure }
    }

    fn rewritten() -> Outcome {
        Outcome::Rewritten { before: SIZE, after: ByteCount::new(990) }
    }

    #[test]
    fn every_photo_is_in_one_count() {
        let (before, after) = (SIZE, ByteCount::new(990));
        let report = report(vec![
            rewritten(),
            Outcome::AlreadyThere { before, after },
            Outcome::FellBack(Unindexable::NotJpeg),
            Outcome::NotKept(NotKept::Limit),
            failure(),
        ]);
        assert_eq!((report.photos, report.bytes_before, report.ratio), (5, 2000, Some(0.99)));
        assert_eq!(report.photos_per_second, 2.5);
        assert!(report.nothing_done().is_none() && report.stopped().is_none());
        let text = report.to_string();
        for line in ["5  photos", "1  served as they are: not-jpeg", "1  failed: changed", "99.00 %", "--index-bytes"] {
            assert!(text.contains(line), "{line} in {text}");
        }
    }

    #[test]
    fn it_is_an_error_only_where_nothing_could_be_done() {
        assert_eq!(report(vec![]).nothing_done(), None);
        assert_eq!(report(vec![failure(), Outcome::FellBack(Unindexable::NotJpeg)]).nothing_done(), None);
        let failed = report(vec![failure(), failure()]);
        assert_eq!((failed.nothing_done(), failed.failures().to_string().as_str()), (None, "2 changed"));
        assert!(report(vec![Outcome::NotKept(NotKept::Limit)]).nothing_done().unwrap().contains("--index-bytes"));
    }

    #[test]
    fn a_disk_that_takes_no_more_says_what_is_needed_and_what_is_left() {
        let full = NotKept::Disk(WriteFault::DiskFull);
        let not_kept = || Outcome::NotKept(full);
        let report = report(vec![rewritten(), failure(), not_kept(), not_kept()]);
        assert_eq!((report.photos, report.nothing_done()), (4, None));
        // Two of 1000 bytes, a hundredth smaller.
        let said = serde_json::to_value(report.stopped().unwrap()).unwrap();
        assert_eq!((&said["reason"], &said["bytes_needed"]), (&json!("disk-full"), &json!(1980)));
        assert!(said["bytes_free"].as_u64().unwrap() > 0);
        let text = report.stopped().unwrap().to_string();
        for part in
            ["--index-dir /", "the file system is full", "1 photos are in the index", "are free", "run this again"]
        {
            assert!(text.contains(part), "{part} in {text}");
        }
        assert!(!text.contains("--index-bytes"), "{text}");
    }
}
