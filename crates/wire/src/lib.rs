//! The gRPC protocol of Headwater: generated code, conversions to and from the vocabulary, checksums, HTTP/2 settings,
//! and the one place where errors become statuses.
//!
//! Invariant: whatever arrives is checked here before it becomes a type of `headwater-types`; nothing here panics on,
//! or allocates more than, what a peer sent.

mod codec;
pub mod proto;

pub mod transport;

pub mod announce;
mod bearer;
mod cache_report;
pub mod cached;
mod checksum;
mod choice;
pub mod devices;
pub mod differences;
mod failure;
pub mod field;
pub mod framed;
pub mod ingest;
mod introduction;
pub mod labels;
mod limits;
pub mod list;
pub mod low;
pub mod models;
mod priority;
pub mod replaced;
pub mod report;
pub mod request;
pub mod sample;
pub mod served;
pub mod status;
pub mod survey;
pub mod training;
mod way;

pub use bearer::{Bearer, BearerChannel};
pub use cache_report::{CacheLatency, CacheReport, CacheSetup, CacheShare};
pub use checksum::checksum;
pub use choice::{Choice, Epochs, Ways};
pub use codec::{MessageCodec, MessageEncoder};
pub use differences::Compare;
pub use introduction::Introduction;
pub use list::{List, Listed};
pub use request::{Asked, Fetch, Samples};
pub use sample::{Delivered, Delivery};
pub use served::{DatasetState, ListedDataset, ServedDataset};
pub use survey::{PhotoFacts, Survey, Surveyed};
