//! What an epoch costs: the one function from choices to seconds, for every algorithm.
//!
//! Each resource's seconds are what it has to do over what it can do in a second:
//!
//! ```text
//! network      (payload bytes x (1 + envelope per byte) + samples x envelope bytes) x 8 / bandwidth
//! storage cpu  CPU seconds of the server's pool / its cores
//! trainer cpu  (CPU seconds to finish + samples x receive seconds + bytes x receive seconds per byte) / cores
//! accelerator  samples / rate
//! epoch        the largest of these: all resources work at once, and the slowest is waited for
//! ```
//!
//! The trainer's network carries what all servers send, a server's what it sends. A server's cores are one pool, for
//! pixels and for inference: what it announced as `--cpu-workers`.

mod load;

mod line;

mod model;

pub(crate) use load::{Load, Rates};
pub(crate) use model::CostModel;
