//! Fetching samples: a checked request becomes a job for each server, and a stream for its reader.

use std::sync::Arc;
use std::time::Duration;

use headwater_types::ByteCount;

use crate::checked::CheckedRequest;
use crate::dataset::{Dataset, Inner};
use crate::error::ClientError;
use crate::job::FetchJobs;
use crate::options::ClientOptions;
use crate::outlet::Outlet;
use crate::request::FetchRequest;
use crate::stream::SampleStream;
use crate::throttle::Throttle;

/// The size of a batch over a slow link, as time of the link,
const BATCH_TIME: Duration = Duration::from_millis(20);
/// and the least size.
const LEAST_BATCH: ByteCount = ByteCount::new(16 << 10);

impl Dataset {
    /// Streams samples.
    ///
    /// # Errors
    /// Those of the request itself: an index past the end, a model that is missing or not the same everywhere, a way
    /// without what it needs.
    pub fn fetch(&self, request: FetchRequest) -> Result<SampleStream, ClientError> {
        let Inner { union, servers, options, counting, runtime, .. } = &*self.0;
        let job = self.0.job().clone();
        let request = CheckedRequest::new(request, union)?;
        let (total, window) = (request.wish.indices.len(), options.window.get());
        let outlet = Arc::new(Outlet::new(total, window, request.ordered, Arc::clone(counting)));
        let jobs = FetchJobs {
            request: &request,
            union,
            servers,
            options,
            batch: batch_bytes(options, self.throttle()),
            outlet: &outlet,
            counting,
            job,
        };
        let jobs = jobs.of_all_servers();
        Ok(SampleStream::start(runtime, outlet, jobs))
    }
}

/// Payload bytes after which a server is asked to close a batch. Over a slow link batches are smaller: until a batch is
/// whole nothing of it is of use, and a batch that is given up is given up whole.
fn batch_bytes(options: &ClientOptions, throttle: Option<&Throttle>) -> ByteCount {
    let most = options.batch;
    throttle.map_or(most, |throttle| throttle.bytes_in(BATCH_TIME).max(LEAST_BATCH).min(most))
}
