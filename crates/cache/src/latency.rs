//! How long entries took to come, by where they came from.

use std::time::Duration;

use crate::counters::Counter;

/// Where an entry came from, or what it waited for. Memory is not timed: reading the clock takes as long as the hit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Source {
    /// The SSD's tier.
    Ssd,
    /// Its origin, and the making. Timed by who brings it.
    Origin,
    /// Another who brought it.
    Coalesced,
    /// Room in memory, where entries that wait for the SSD had it.
    Stalled,
}

/// How many took how long.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Latency {
    /// Those that took less than 2 us, less than 4 us, and so on; the last has all others.
    pub buckets: [u64; Latency::BUCKETS],
    /// All of them together.
    pub total: Duration,
}

/// The counters of every source.
#[derive(Debug, Default)]
pub(crate) struct Stopwatches([Stopwatch; Source::ALL.len()]);

#[derive(Debug, Default)]
struct Stopwatch {
    buckets: [Counter; Latency::BUCKETS],
    nanoseconds: Counter,
}

// === impl Source ===

impl Source {
    /// Every source that is timed.
    pub const ALL: [Self; 4] = [Self::Ssd, Self::Origin, Self::Coalesced, Self::Stalled];

    /// The source's name in metrics and JSON.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Ssd => "ssd",
            Self::Origin => "origin",
            Self::Coalesced => "coalesced",
            Self::Stalled => "stalled",
        }
    }
}

// === impl Latency ===

impl Latency {
    /// Buckets: the last but one ends at 8 s.
    pub const BUCKETS: usize = 24;

    /// The upper end of a bucket; `None` for the last, and beyond.
    pub fn end(bucket: usize) -> Option<Duration> {
        (bucket + 1 < Self::BUCKETS).then(|| Duration::from_micros(2 << bucket))
    }

    /// The time within which this share of them came, as the upper end of a bucket; `None` where there were none, or
    /// where it is beyond the last end.
    pub fn quantile(&self, share: f64) -> Option<Duration> {
        let wanted = self.count() as f64 * share;
        let mut counted = 0;
        let bucket = self.buckets.iter().position(|count| {
            counted += count;
            counted > 0 && counted as f64 >= wanted
        });
        bucket.and_then(Self::end)
    }

    /// How many there were.
    pub fn count(&self) -> u64 {
        self.buckets.iter().sum()
    }
}

// === impl Stopwatches ===

impl Stopwatches {
    pub(crate) fn took(&self, source: Source, time: Duration) {
        let watch = &self.0[source as usize];
        let micros = u64::try_from(time.as_micros()).unwrap_or(u64::MAX);
        let bucket = (micros | 1).ilog2() as usize;
        watch.buckets[bucket.min(Latency::BUCKETS - 1)].add();
        watch.nanoseconds.add_all(u64::try_from(time.as_nanos()).unwrap_or(u64::MAX));
    }

    pub(crate) fn read(&self, source: Source) -> Latency {
        let watch = &self.0[source as usize];
        let total = Duration::from_nanos(watch.nanoseconds.get());
        Latency { buckets: watch.buckets.each_ref().map(Counter::get), total }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_time_is_counted_below_the_end_of_its_bucket() {
        for micros in [0, 1, 2, 3, 4, 1000, 7_999_999, 100_000_000] {
            let (watches, time) = (Stopwatches::default(), Duration::from_micros(micros));
            watches.took(Source::Origin, time);
            let latency = watches.read(Source::Origin);
            let bucket = latency.buckets.iter().position(|count| *count == 1).unwrap();
            assert_eq!((latency.count(), latency.total), (1, time));
            assert!(Latency::end(bucket).is_none_or(|end| time < end), "{micros}");
            assert!(bucket == 0 || Latency::end(bucket - 1).unwrap() <= time, "{micros}");
            assert_eq!(watches.read(Source::Ssd).count(), 0);
        }
    }

    #[test]
    fn a_share_of_times_is_within_the_end_of_a_bucket() {
        let watches = Stopwatches::default();
        assert_eq!(watches.read(Source::Ssd).quantile(0.5), None);
        (0..100).for_each(|time| watches.took(Source::Ssd, Duration::from_micros(if time < 60 { 10 } else { 1000 })));
        let of = |share| watches.read(Source::Ssd).quantile(share).unwrap().as_micros();
        assert_eq!([0.0, 0.5, 0.6, 0.61, 1.0].map(of), [16, 16, 16, 1024, 1024]);
    }
}
