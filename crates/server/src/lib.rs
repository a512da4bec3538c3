//! The storage server: one dataset partition and its models, served over gRPC.
//!
//! ```text
//! args ─▶ listen ─▶ open: models, store, catalog ─▶ calls ─▶ driver (window, permits) ─▶ outbox ─▶ body ─▶ HTTP/2
//!                                            │                                   metrics ◀──┘
//!                                            └─ SIGTERM: not serving ─▶ grace ─▶ end
//! ```
//!
//! Invariant: every queue, stream, connection and byte in flight is bounded by a setting; the source data is only read.

mod args;
mod models;
mod open;

mod life;
mod shared;

mod importance;
mod metrics;
mod seldom;

mod listen;
mod reception;

mod exporter;

mod admission;
mod connection;
mod handshake;
mod idle;
mod peer;

mod calls;

mod allowance;
mod batch;
mod body;
mod driver;
mod outbox;
mod run;
mod streams;

mod grpc;
mod health;
mod supervisor;

mod serve;

mod indexing;
mod keeper;

mod check;
mod command;

pub use args::{IndexArgs, ServeArgs, StorageServerArgs};
pub use command::run;
pub use metrics::metrics_reference;
