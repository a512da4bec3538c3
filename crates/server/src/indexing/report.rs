//! What an indexing run did, photo by photo and in all.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use headwater_image::Unindexable;
use headwater_types::{ByteCount, SampleFailure};
use serde::Serialize;

/// What came of one photo.
pub(super) enum Outcome {
    /// It was re-written now.
    Rewritten { before: ByteCount, after: ByteCount },
    /// It was re-written before.
    AlreadyThere { before: ByteCount, after: ByteCount },
    /// It has no indexed form, and is served from its source.
    FellBack(Unindexable),
    /// The index is full.
    NoRoom,
    /// It could not be read or kept.
    Failed(SampleFailure),
}

/// Outcomes, counted.
#[derive(Default)]
pub(super) struct Tally {
    rewritten: u64,
    already_there: u64,
    fallen_back: BTreeMap<&'static str, u64>,
    no_room: u64,
    failed: BTreeMap<&'static str, u64>,
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
    skipped_full: u64,
    /// Not read or not kept, by kind.
    failed: BTreeMap<&'static str, u64>,
    /// Of the photos that are in the index: as stored, and re-written.
    bytes_before: u64,
    bytes_after: u64,
    /// After / before; `null` where there is none.
    ratio: Option<f64>,
    /// What the whole index takes, other datasets' photos included.
    disk_bytes: u64,
    seconds: f64,
    photos_per_second: f64,
    #[serde(skip)]
    first_failure: Option<SampleFailure>,
}

// === impl Tally ===

impl Tally {
    pub(super) fn add(&mut self, outcome: Outcome) {
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
            Outcome::NoRoom => self.no_room += 1,
            Outcome::Failed(failure) => {
                *self.failed.entry(failure.kind.as_str()).or_default() += 1;
                tracing::debug!(kind = %failure.kind, %failure, "photo not indexed");
                self.first_failure.get_or_insert(failure);
            }
        }
    }

    fn add_bytes(&mut self, before: ByteCount, after: ByteCount) {
        self.before += before.get();
        self.after += after.get();
    }

    pub(super) fn report(self, took: Duration, disk: ByteCount) -> IndexReport {
        let sum = |counts: &BTreeMap<_, u64>| counts.values().sum::<u64>();
        let photos = self.rewritten + self.already_there + sum(&self.fallen_back) + self.no_room + sum(&self.failed);
        let seconds = took.as_secs_f64();
        IndexReport {
            photos,
            rewritten: self.rewritten,
            already_there: self.already_there,
            fallen_back: self.fallen_back,
            skipped_full: self.no_room,
            failed: self.failed,
            bytes_before: self.before,
            bytes_after: self.after,
            ratio: (self.before > 0).then(|| self.after as f64 / self.before as f64),
            disk_bytes: disk.get(),
            seconds,
            photos_per_second: if seconds > 0.0 { photos as f64 / seconds } else { 0.0 },
            first_failure: self.first_failure,
        }
    }
}

// === impl IndexReport ===

impl IndexReport {
    /// Why nothing was done, where nothing was and there was something to do.
    pub(super) fn nothing_done(&self) -> Option<String> {
        if self.photos == 0 || self.rewritten + self.already_there > 0 || !self.fallen_back.is_empty() {
            return None;
        }
        Some(match &self.first_failure {
            Some(failure) => failure.to_string(),
            None => "the index is full: raise --index-bytes, or give another --index-dir".to_owned(),
        })
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
        if self.skipped_full > 0 {
            line(f, self.skipped_full, "left out: the index is full, see --index-bytes")?;
        }
        for (kind, count) in &self.failed {
            line(f, *count, &format!("failed: {kind}"))?;
        }
        if let Some(failure) = &self.first_failure {
            writeln!(f, "{:>10}  the first because {failure}", "")?;
        }
        if let Some(ratio) = self.ratio {
            line(f, self.bytes_before, "bytes before")?;
            line(f, self.bytes_after, &format!("bytes after ({:.2} %)", 100.0 * ratio))?;
        }
        write!(f, "{:>10.1}  seconds, {:.1} photos/s", self.seconds, self.photos_per_second)
    }
}

fn line(f: &mut fmt::Formatter<'_>, count: u64, what: &str) -> fmt::Result {
    writeln!(f, "{count:>10}  {what}")
}

#[cfg(test)]
mod tests {
    use headwater_types::FailureKind;

    use super::*;

    fn report(outcomes: impl IntoIterator<Item = Outcome>) -> IndexReport {
        let mut tally = Tally::default();
        outcomes.into_iter().for_each(|outcome| tally.add(outcome));
        tally.report(Duration::from_secs(2), ByteCount::new(4096))
    }

    fn failure() -> Outcome {
        Outcome::Failed(SampleFailure::new(FailureKind::Changed, "it is another than was listed"))
    }

    #[test]
    fn every_photo_is_in_one_count() {
        let (before, after) = (ByteCount::new(1000), ByteCount::new(990));
        let report = report([
            Outcome::Rewritten { before, after },
            Outcome::AlreadyThere { before, after },
            Outcome::FellBack(Unindexable::NotJpeg),
            Outcome::NoRoom,
            failure(),
        ]);
        assert_eq!((report.photos, report.bytes_before, report.ratio), (5, 2000, Some(0.99)));
        assert_eq!(report.photos_per_second, 2.5);
        assert_eq!(report.nothing_done(), None);
        let text = report.to_string();
        for line in ["5  photos", "1  served as they are: not-jpeg", "1  failed: changed", "99.00 %", "--index-bytes"] {
            assert!(text.contains(line), "{line} in {text}");
        }
    }

    #[test]
    fn it_is_an_error_only_where_nothing_could_be_done() {
        assert_eq!(report([]).nothing_done(), None);
        assert_eq!(report([failure(), Outcome::FellBack(Unindexable::NotJpeg)]).nothing_done(), None);
        assert!(report([failure(), failure()]).nothing_done().unwrap().contains("another than was listed"));
        assert!(report([Outcome::NoRoom]).nothing_done().unwrap().contains("--index-bytes"));
    }
}
