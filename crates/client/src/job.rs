//! What the workers of one server share.

use std::sync::Arc;

use headwater_wire::Fetch;

use crate::chunk::ChunkSource;
use crate::connection::Server;
use crate::counters::Counting;
use crate::expect::Expectation;
use crate::live::LivePlan;
use crate::options::ClientOptions;
use crate::outlet::Outlet;
use crate::partition::Partition;
use crate::pulse::Pulse;
use crate::refusals::Refusals;

/// One server's part of a request.
#[derive(Debug)]
pub(crate) struct Job {
    pub(crate) server: Arc<Server>,
    pub(crate) partition: Partition,
    pub(crate) source: ChunkSource,
    /// What is asked, but for the samples, and how and as of which epoch each comes.
    pub(crate) fetch: Fetch,
    pub(crate) expectation: Expectation,
    /// The plan that says how samples come, where that may change.
    pub(crate) live: Option<LivePlan>,
    pub(crate) pulse: Arc<Pulse>,
    pub(crate) refusals: Refusals,
    pub(crate) outlet: Arc<Outlet>,
    pub(crate) options: ClientOptions,
    pub(crate) counting: Arc<Counting>,
}
