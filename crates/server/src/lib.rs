//! The storage server: partitions of datasets and their models, served over gRPC.
//!
//! ```text
//! args ─▶ listen ─▶ open: models, store, catalog ─▶ calls ─▶ driver (window, permits) ─▶ outbox ─▶ body ─▶ HTTP/2
//!                                            │                                   metrics ◀──┘
//!                                            └─ SIGTERM: not serving ─▶ grace ─▶ end
//! ```
//!
//! Invariant: every queue, stream, connection and byte in flight is bounded by a setting; the source data is only read.

mod args;

mod doing;
mod jobs;
mod packages;

mod generation;
mod generations;
mod listings;
mod served;

mod datasets;
mod seldom;

mod homes;

mod labels;

mod models;

mod metrics;

mod listen;
mod reception;

mod admission;
mod connection;
mod egress;
mod gate;
mod greeting;
mod guests;
mod handshake;
mod idle;
mod others;
mod peer;
mod transport;

mod allowance;
mod batch;
mod body;
mod driver;
mod fields;
mod forward;
mod house;
mod offer;
mod outbox;
mod routes;
mod run;
mod streams;
mod traces;

mod life;

mod page;
mod status;

mod exporter;

mod health;
mod supervisor;

mod keeper;
mod open;

mod reload;

mod first;

mod ahead;
mod labelling;

mod ingest;

mod training;

mod calls;
mod ceding;
mod grpc;

mod serve;

mod indexing;

mod reloading;
mod tokens;

mod check;
mod command;

pub use args::{IndexArgs, ReloadArgs, ServeArgs, StorageServerArgs, TokenArgs};
pub use command::run;
pub use metrics::metrics_reference;
