//! Runs: the samples of a call that are prepared together.

use std::ops::Range;

use headwater_types::ByteCount;

use crate::pipeline::Pipeline;
use crate::request::{SampleRequest, Wanted};

/// Most samples of a run: what they share then costs each of them less than a microsecond.
pub(super) const RUN_SAMPLES: usize = 32;
/// Most stored bytes of a run of several samples: large photos gain little from company, and of a longer run the first
/// crops would have left the core's cache when they are sent.
const RUN_BYTES: ByteCount = ByteCount::mebibytes(1);

// === impl Pipeline ===

impl Pipeline {
    /// Parts a call's samples into runs: crops of JPEGs share a run, and every other sample has its own.
    pub fn runs<'a>(&self, requests: impl IntoIterator<Item = &'a SampleRequest>) -> Vec<Range<usize>> {
        part(requests.into_iter().map(|request| {
            let size = self.catalog.get(request.index).map(|entry| entry.version.size()).unwrap_or_default();
            (matches!(request.wanted, Wanted::JpegCrop(_)), size)
        }))
    }
}

/// Parts samples, of which each says whether it may share a run and how many bytes it has, into runs.
fn part(samples: impl Iterator<Item = (bool, ByteCount)>) -> Vec<Range<usize>> {
    let mut runs: Vec<Range<usize>> = Vec::new();
    // Bytes of the last run, where it takes company.
    let mut open: Option<u64> = None;
    for (place, (shares, size)) in samples.enumerate() {
        let together = open.map(|bytes| bytes.saturating_add(size.get()));
        match (runs.last_mut(), together) {
            (Some(run), Some(bytes)) if shares && run.len() < RUN_SAMPLES && bytes <= RUN_BYTES.get() => {
                run.end = place + 1;
                open = Some(bytes);
            }
            _ => {
                runs.push(place..place + 1);
                open = shares.then_some(size.get());
            }
        }
    }
    runs
}

#[cfg(test)]
mod tests {
    use super::*;

    fn runs(samples: &[(bool, u64)]) -> Vec<Range<usize>> {
        part(samples.iter().map(|&(shares, size)| (shares, ByteCount::new(size))))
    }

    #[test]
    fn only_crops_share_a_run_and_no_run_is_too_long_or_too_large() {
        assert_eq!(runs(&[]), []);
        assert_eq!(runs(&[(true, 1), (true, 1), (false, 1), (false, 1), (true, 1)]), [0..2, 2..3, 3..4, 4..5]);
        let many = runs(&[(true, 1); RUN_SAMPLES + 1]);
        assert_eq!(many, [0..RUN_SAMPLES, RUN_SAMPLES..RUN_SAMPLES + 1]);
        let most = RUN_BYTES.get();
        assert_eq!(runs(&[(true, most + 1), (true, 1), (true, most - 1), (true, 1)]), [0..1, 1..3, 3..4]);
    }
}
