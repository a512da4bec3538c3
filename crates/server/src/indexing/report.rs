//! What an indexing run did.

use std::collections::BTreeMap;
use std::fmt;

use headwater_cache::NotKept;
use headwater_cli::Failures;
use headwater_types::SampleFailure;
use serde::Serialize;

use super::stopped::Stopped;

/// What a run of `storage-server index` did. Every photo is in exactly one of the counts.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(super) struct IndexReport {
    pub(super) photos: u64,
    pub(super) rewritten: u64,
    pub(super) already_there: u64,
    /// Photos that are served from their source, by reason.
    pub(super) fallen_back: BTreeMap<&'static str, u64>,
    /// Photos that are not in the index, by reason: its limit, or its disk.
    pub(super) not_kept: BTreeMap<&'static str, u64>,
    /// Photos that were not read, and why.
    pub(super) failed: u64,
    pub(super) failures: Failures,
    /// Bytes of the photos that are in the index, as stored and re-written.
    pub(super) bytes_before: u64,
    pub(super) bytes_after: u64,
    /// Bytes after / bytes before; `null` where no photo is in the index.
    pub(super) ratio: Option<f64>,
    /// Bytes of the whole index, other datasets' photos included.
    pub(super) disk_bytes: u64,
    /// Entries that were dropped before, since their photos are gone or changed.
    pub(super) dropped: u64,
    pub(super) seconds: f64,
    pub(super) photos_per_second: f64,
    /// Why the disk took no more; `null` where it did not.
    pub(super) stopped: Option<Stopped>,
    #[serde(skip)]
    pub(super) first_failure: Option<SampleFailure>,
}

// === impl IndexReport ===

impl IndexReport {
    /// The disk that took no more.
    pub(super) fn stopped(&self) -> Option<&Stopped> {
        self.stopped.as_ref()
    }

    /// Why nothing was done, where there was something to do. A disk that took no more says so itself.
    pub(super) fn nothing_done(&self) -> Option<String> {
        if self.photos == 0
            || self.stopped.is_some()
            || self.rewritten + self.already_there > 0
            || !self.fallen_back.is_empty()
            // --max-failures judges photos that failed.
            || self.failed > 0
        {
            return None;
        }
        Some("the cache is full: raise --cache-ssd, or give another --cache-dir".to_owned())
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
                true => line(f, *count, "left out: the cache is full, see --cache-ssd")?,
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

fn line(f: &mut fmt::Formatter<'_>, count: u64, what: &str) -> fmt::Result {
    writeln!(f, "{count:>10}  {what}")
}
