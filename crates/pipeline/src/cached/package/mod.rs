//! Packages: samples that lie one behind another in one object, brought ahead in one read.
//!
//! ```text
//! object:  │ a │gap│ b │ c │  gap  │ d │         a, b, c, d are wanted; what is between is read and dropped
//!          └──────── one read ─────────┘         at most PACKAGE_BYTES, no gap above PACKAGE_GAP
//! ```
//!
//! So it is in tar files. A sample that is an object of its own, or a row of a table, is a package by itself: there is
//! nothing to save by reading two at once.

use bytes::Bytes;
use headwater_cache::{Entry, EntryKey, Flight, KindName, Lead, Outcome};
use headwater_store::Extent;
use headwater_types::caps::{PACKAGE_BYTES, PACKAGE_GAP};
use headwater_types::{SampleFailure, SampleIndex};

use crate::pipeline::Pipeline;
use crate::resources::Job;

/// Samples that are read at once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Package {
    samples: Vec<(SampleIndex, Extent)>,
    /// All of them, and what lies between them.
    whole: Extent,
}

/// A sample of a package, of which nobody else is the one to bring it.
struct Taken {
    index: SampleIndex,
    extent: Extent,
    key: EntryKey,
    lead: Lead,
}

// === impl Package ===

impl Package {
    /// How many samples it has.
    pub fn samples(&self) -> u64 {
        self.samples.len() as u64
    }
}

// === impl Pipeline ===

impl Pipeline {
    /// Counts samples in whose places others are given.
    pub fn replaced(&self, samples: u64) {
        if let Some(cache) = &self.cache {
            cache.cache().count(Outcome::Substituted, KindName::Encoded, samples);
        }
    }

    /// The package that begins with a sample, of at most so many: this one and those behind it that are wanted and not
    /// cached. `None` where this one is cached, or stored bytes are not kept here.
    pub fn package(&self, first: SampleIndex, most: u64, is_wanted: impl Fn(SampleIndex) -> bool) -> Option<Package> {
        self.cache.as_ref().filter(|cache| cache.has_encoded())?;
        let begin = self.catalog.extent(first).filter(|_| !self.is_cached(first))?;
        let mut package = Package { samples: vec![(first, begin.clone())], whole: begin };
        for index in (first.0 + 1..).map(SampleIndex) {
            let next = self.catalog.extent(index).and_then(|extent| self.joined(&package.whole, extent));
            let Some((extent, whole)) = next.filter(|_| package.samples() < most) else { break };
            if is_wanted(index) && !self.is_cached(index) {
                package.samples.push((index, extent));
                package.whole = whole;
            }
        }
        Some(package)
    }

    /// An extent that lies behind another one, so near that both are read at once, and both together.
    fn joined(&self, whole: &Extent, next: Extent) -> Option<(Extent, Extent)> {
        if next.object() != whole.object() || next.listed() != whole.listed() {
            return None;
        }
        let (before, range) = (whole.range()?, next.range()?);
        let gap = range.start.checked_sub(before.end)?;
        let (together, most) = (before.start..range.end, PACKAGE_BYTES.min(self.limits.max_object));
        let is_near = gap <= PACKAGE_GAP.get() && together.end - together.start <= most.get();
        let both = Extent::part(whole.object().clone(), whole.listed(), together).filter(|_| is_near)?;
        Some((next, both))
    }

    /// Reads a package into the cache, within the memory of a job of the background. How many of the samples that came
    /// are kept; `None` where somebody else is bringing all of them.
    ///
    /// # Errors
    /// Those of reading, of which every sample of the package is not there.
    pub async fn prefetch_package(&self, package: Package, job: &Job) -> Result<Option<u64>, SampleFailure> {
        let Some(cache) = self.cache.as_ref().filter(|cache| cache.has_encoded()) else { return Ok(None) };
        let flight = |(index, extent): (SampleIndex, Extent)| {
            let key = cache.names.encoded(&self.catalog.key(index)?, &extent);
            match cache.cache().flight(&key) {
                Flight::Lead(lead) if cache.cache().find(&key).is_none() => Some(Taken { index, extent, key, lead }),
                Flight::Lead(_) | Flight::Follow(_) => None,
            }
        };
        let taken: Vec<_> = package.samples.into_iter().filter_map(flight).collect();
        if taken.is_empty() {
            return Ok(None);
        }
        let _permit = job.encoded(self.store.length(&package.whole).await?).await?;
        let bytes = self.read_package(cache, &package.whole).await?;
        let mut kept = 0;
        for Taken { index, extent, key, lead } in taken {
            let Some(part) = part_of(&bytes, &package.whole, &extent) else { continue };
            self.keep_encoded(cache, key, index, &part).await;
            lead.land(Entry::Bytes(part));
            cache.cache().count(Outcome::Origin, KindName::Encoded, 1);
            cache.cache().count(Outcome::Prefetched, KindName::Encoded, 1);
            kept += u64::from(self.is_cached(index));
        }
        cache.shared.packages.count(bytes.len());
        Ok(Some(kept))
    }
}

/// The bytes of a sample, of a package's. A package of one may be a row, which has no range.
fn part_of(bytes: &Bytes, whole: &Extent, extent: &Extent) -> Option<Bytes> {
    if extent == whole {
        return Some(bytes.clone());
    }
    let (all, range) = (whole.range()?, extent.range()?);
    let begin = usize::try_from(range.start.checked_sub(all.start)?).ok()?;
    let end = usize::try_from(range.end.checked_sub(all.start)?).ok()?;
    (end <= bytes.len()).then(|| bytes.slice(begin..end))
}

#[cfg(test)]
mod tests;
