//! Crops of JPEGs without decoding: many samples at a time, because each takes a few microseconds. A task of its own,
//! two changes of threads and a grant of memory for each would cost more than the work.
//!
//! ```text
//! run of samples ─▶ permit for all ─▶ index: glimpse, slice ──────────────────▶ payloads, each with its part
//!                                     (CPU pool)                            ▲   of the permit
//!                                      └ not in memory ─▶ read ─────▶ slice ┤
//!                                                   (blocking thread)  (CPU pool)
//!                                                    └ not there ─▶ fetch ─▶ re-write, verify, slice ─▶ keep
//! ```
//!
//! A photo that has no indexed form is delivered as it is stored, and says so.

mod request;

mod first_use;
mod indexed;
mod runs;

use futures::{StreamExt, stream};
use headwater_types::{SampleFailure, SampleIndex};

use crate::index::Lookup;
use crate::pipeline::Pipeline;
use crate::prepared::Prepared;
use crate::resources::Job;
use indexed::serve_indexed;
use runs::RUN_SAMPLES;

pub(crate) use request::CropRequest;

// === impl Pipeline ===

impl Pipeline {
    /// Makes crops, each with its place. They come in no order.
    pub(crate) async fn crops(&self, wanted: Vec<CropRequest>, job: &Job) -> Vec<(usize, Prepared)> {
        let all: Vec<_> = wanted.iter().map(|wanted| (wanted.place, wanted.sample.index)).collect();
        let served = match &self.index {
            _ if wanted.is_empty() => return Vec::new(),
            Some(index) => serve_indexed(index, &self.store, wanted, job).await,
            None => Ok((Vec::new(), wanted.into_iter().map(|wanted| (wanted, Lookup::Absent)).collect())),
        };
        let (mut done, left) = match served {
            Ok(served) => served,
            Err(failure) => {
                return all.into_iter().map(|(place, index)| (place, self.failed(index, &failure))).collect();
            }
        };
        let mut first_uses = stream::iter(left)
            .map(|(wanted, lookup)| self.first_use(wanted, lookup, job))
            .buffer_unordered(RUN_SAMPLES);
        while let Some(prepared) = first_uses.next().await {
            done.push(prepared);
        }
        done
    }

    fn failed(&self, index: SampleIndex, failure: &SampleFailure) -> Prepared {
        match self.set_out(index, (false, false)) {
            Ok(sample) => sample.end(Err(failure.clone())),
            Err(unknown) => Prepared::failed(index, unknown),
        }
    }
}
