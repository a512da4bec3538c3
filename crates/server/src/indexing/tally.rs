//! What came of the photos of a run, counted.

use std::collections::BTreeMap;
use std::time::Duration;

use headwater_cache::NotKept;
use headwater_cli::Failures;
use headwater_pipeline::PhotoIndex;
use headwater_types::{ByteCount, SampleFailure};

use super::outcome::Outcome;
use super::report::IndexReport;
use super::stopped::Stopped;

/// Outcomes of photos, counted.
#[derive(Default)]
pub(super) struct Tally {
    photos: u64,
    /// Stored bytes of the photos that are not kept.
    not_kept_bytes: u64,
    rewritten: u64,
    already_there: u64,
    fallen_back: BTreeMap<&'static str, u64>,
    not_kept: BTreeMap<&'static str, u64>,
    disk: Option<NotKept>,
    failures: Failures,
    first_failure: Option<SampleFailure>,
    before: u64,
    after: u64,
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
                if why.is_of_disk() {
                    self.disk.get_or_insert(why);
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

    /// The report of a run that took so long, with its index and the setting that names the index's folder.
    pub(super) fn report(self, took: Duration, (setting, index): (&'static str, &PhotoIndex)) -> IndexReport {
        let seconds = took.as_secs_f64();
        // The photos that are not in the index would be as much larger or smaller as those that are.
        let ratio = if self.before > 0 { self.after as f64 / self.before as f64 } else { 1.0 };
        let stopped = self.disk.map(|why| {
            let needed = ByteCount::new((self.not_kept_bytes as f64 * ratio) as u64);
            Stopped::new(why, (setting, index), needed, self.rewritten + self.already_there)
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
            disk_bytes: index.cache().shared().disk_usage().get(),
            dropped: index.cache().shared().cache().directory_counts().dropped,
            seconds,
            photos_per_second: if seconds > 0.0 { self.photos as f64 / seconds } else { 0.0 },
            stopped,
            first_failure: self.first_failure,
        }
    }
}

#[cfg(test)]
mod tests {
    use headwater_cache::{CacheSettings, SsdSettings};
    use headwater_image::Unindexable;
    use headwater_pipeline::{DatasetCache, SharedCache};
    use headwater_types::{Digest, FailureKind, ImageLimits, SampleIndex, WriteFault};
    use serde_json::json;

    use super::*;

    const SIZE: ByteCount = ByteCount::new(1000);

    fn report(outcomes: Vec<Outcome>) -> IndexReport {
        let folder = tempfile::TempDir::new().unwrap();
        let ssd = SsdSettings { folder: folder.path().join("cache"), limit: ByteCount::mebibytes(1), floor: None };
        let settings = CacheSettings { memory: ByteCount::new(0), ssd: Some(ssd), policy: "lru".parse().unwrap() };
        let shared = SharedCache::open(settings, "indexed".parse().unwrap()).unwrap();
        let cache = DatasetCache::new(&shared, Digest::of(b"here"), true, ImageLimits::default());
        let index = PhotoIndex::new(&cache).unwrap();
        let mut tally = Tally::default();
        outcomes.into_iter().for_each(|outcome| tally.add(SIZE, outcome));
        tally.report(Duration::from_secs(2), ("--cache-dir", &index))
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
        for line in ["5  photos", "1  served as they are: not-jpeg", "1  failed: changed", "99.00 %", "--cache-ssd"] {
            assert!(text.contains(line), "{line} in {text}");
        }
    }

    #[test]
    fn it_is_an_error_only_where_nothing_could_be_done() {
        assert_eq!(report(vec![]).nothing_done(), None);
        assert_eq!(report(vec![failure(), Outcome::FellBack(Unindexable::NotJpeg)]).nothing_done(), None);
        let failed = report(vec![failure(), failure()]);
        assert_eq!((failed.nothing_done(), failed.failures().to_string().as_str()), (None, "2 changed"));
        assert!(report(vec![Outcome::NotKept(NotKept::Limit)]).nothing_done().unwrap().contains("--cache-ssd"));
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
            ["--cache-dir /", "the file system is full", "1 photos are in the index", "are free", "run this again"]
        {
            assert!(text.contains(part), "{part} in {text}");
        }
        assert!(!text.contains("--cache-ssd"), "{text}");
    }

    #[test]
    fn a_disk_of_which_some_is_to_stay_free_takes_no_more_either() {
        let report = report(vec![rewritten(), Outcome::NotKept(NotKept::Floor)]);
        let stopped = report.stopped().unwrap();
        assert_eq!(serde_json::to_value(stopped).unwrap()["reason"], "free-space");
        assert!(stopped.to_string().contains("less of the disk is free than is to stay free"), "{stopped}");
    }
}
