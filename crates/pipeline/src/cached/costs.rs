//! What it costs here to bring samples of one dataset back, measured while they are served.
//!
//! Everything is a line over the sample's stored bytes, which are listed before a byte is read: seconds of reading it
//! from the store, of decoding and cropping it, of re-writing it, of inferring it, and the bytes of what is made of it.

use std::time::Duration;

use headwater_cache::KindName;

use super::line::Line;

/// What samples cost, as lines over their stored bytes.
#[derive(Debug, Default)]
pub(crate) struct Costs {
    origin: Line,
    made: [Line; KindName::ALL.len()],
    bytes: [Line; KindName::ALL.len()],
}

/// Keeping a sample in one kind: what the next use then saves, and what the entry takes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Offered {
    pub(crate) kind: KindName,
    /// Seconds; `None` before any was measured.
    pub(crate) seconds: Option<f64>,
    /// Bytes; `None` before any was measured.
    pub(crate) bytes: Option<f64>,
}

// === impl Costs ===

impl Costs {
    /// A sample of so many stored bytes was read from the store.
    pub(crate) fn read(&self, stored: usize, took: Duration) {
        self.origin.add(stored as f64, took.as_secs_f64());
    }

    /// Something of a kind was made of a sample of so many stored bytes, once those were there.
    pub(crate) fn made(&self, kind: KindName, stored: u64, took: Duration, bytes: usize) {
        self.made[kind as usize].add(stored as f64, took.as_secs_f64());
        self.bytes[kind as usize].add(stored as f64, bytes as f64);
    }

    /// About how long reading a sample from the store takes, in seconds.
    pub(crate) fn origin(&self, stored: u64) -> Option<f64> {
        self.origin.at(stored as f64)
    }

    /// What keeping a sample in a kind saves, and takes.
    pub(crate) fn offered(&self, kind: KindName, stored: u64) -> Offered {
        let size = stored as f64;
        if kind == KindName::Encoded {
            return Offered { kind, seconds: self.origin.at(size), bytes: Some(size) };
        }
        let (read, making) = (self.origin.at(size), self.made[kind as usize].at(size));
        let seconds = making.map(|making| making + read.unwrap_or_default());
        Offered { kind, seconds, bytes: self.bytes[kind as usize].at(size) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_made_saves_its_making_and_the_read_before_it() {
        let costs = Costs::default();
        let unknown = costs.offered(KindName::Features, 100);
        assert_eq!((unknown.seconds, unknown.bytes), (None, None));
        assert_eq!(costs.offered(KindName::Encoded, 100).bytes, Some(100.0));
        costs.read(100, Duration::from_millis(5));
        costs.made(KindName::Features, 100, Duration::from_millis(20), 4096);
        let features = costs.offered(KindName::Features, 100);
        assert!((features.seconds.unwrap() - 0.025).abs() < 1e-9, "{features:?}");
        assert_eq!(features.bytes, Some(4096.0));
        assert_eq!(costs.offered(KindName::Encoded, 100).seconds, Some(0.005));
        assert_eq!(costs.offered(KindName::Resized, 100).seconds, None);
    }
}
