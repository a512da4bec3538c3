//! Several storage servers as one dataset: ask, fan out, retry, verify, finish the recipe.
//!
//! Invariants: every sample that is asked for is given exactly once, whatever breaks or restarts on the way; a sample
//! that fails is a value beside the others; what waits for the reader is bounded in bytes, and a reader that stops
//! reading stops the servers; dropping a stream ends everything that works for it. What arrives is not trusted: it must
//! be what was asked for, where it was asked for, in the shape that its cut and recipe say.
//!
//! Never here: which samples to take in which epoch, or which cut is best. That is the caller's.

mod options;

mod error;

mod named;

mod throttle;

mod arriving;
mod frames;
mod socket;

mod trouble;

mod connection;
mod counters;
mod pulse;

mod patience;

mod description;
mod mistaken;

mod describe;

mod inquiry;

mod caches;
mod datasets;
mod labels;
mod models;

mod classes;

mod partition;

mod model;

mod left_out;
mod parts;

mod replicas;

mod union;

mod addresses;
mod indices;
mod live;
mod ways;

mod request;

mod wanted;

mod chunk;
mod chunk_source;

mod trace;

mod sample;

mod checked;

mod awaited;
mod limits;

mod expectation;
mod sizing;

mod outlet;
mod refusals;

mod job;

mod reply;
mod second;

mod call;

mod worker;

mod stream;

mod dataset;

mod announce;
mod asked_model;
mod cached;
mod differences;
mod fetch;
mod listing;
mod low;
mod replaced;
mod report;
mod survey;

mod ingest;

mod training;

mod finish;

mod batch;

pub use addresses::Addresses;
pub use announce::{Announced, Pass, PassOrder};
pub use asked_model::{AskedModel, Front};
pub use batch::{Batch, BatchPlan, BatchRow, BatchStream, Listener, RowLayout};
pub use caches::{ServerCache, caches};
pub use counters::Counters;
pub use dataset::Dataset;
pub use datasets::{ServerDatasets, datasets};
pub use error::ClientError;
pub use finish::{Finished, FinishedTensor, Finisher};
pub use headwater_discovery::{DiscoveryError, ServerAddress, ServerSource, Servers};
pub use headwater_image::{Payload, Tensor};
pub use headwater_spans::{SpanContext, Tracer};
pub use headwater_types::host_port::HostPortError;
pub use headwater_wire::ingest as ingest_calls;
pub use headwater_wire::labels as label_calls;
pub use headwater_wire::models as model_calls;
pub use headwater_wire::training as training_calls;
pub use headwater_wire::{CacheLatency, CacheReport, CacheSetup, CacheShare};
pub use headwater_wire::{DatasetState, Delivered, Listed, ListedDataset, PhotoFacts, ServedDataset, Surveyed};
pub use indices::Indices;
pub use ingest::Photo;
pub use labels::{
    AskedLabels, LackingLabels, ServerLabellings, ask_labels, control_labelling, count_labels, label_features,
    labellings, open_labelling, relabel,
};
pub use live::LivePlan;
pub use low::LowSamples;
pub use model::{ModelInfo, RegisteredModel};
pub use models::{ServerModels, activate_model, model_standing, models, push_version, roll_back_model};
pub use named::check_named;
pub use options::{ClientOptions, Retry};
pub use partition::Partition;
pub use parts::{Holders, Missing, PartsError};
pub use report::{ReportSummary, ReportedSample};
pub use request::FetchRequest;
pub use sample::Sample;
pub use stream::SampleStream;
pub use throttle::Throttle;
pub use trace::{Finishing, SampleTrace};
pub use training::{Came, Order, SILENCE, TrainingError, TrainingServer};
pub use union::REMARKS;
pub use ways::Ways;
