//! What an epoch costs: the one function from choices to seconds, for every algorithm.
//!
//! Each resource's seconds are what it has to do over what it can do in a second:
//!
//! ```text
//! network         (payload bytes x (1 + envelope per byte) + samples x envelope bytes) x 8 / bandwidth
//! storage cpu     CPU seconds of the server's pool / its cores
//! storage device  samples that come as features / (devices x the rate of one)
//! trainer cpu     (CPU seconds to finish + samples x receive seconds + bytes x receive seconds per byte) / cores
//! trainer device  samples that come as anything else and are inferred / (devices x the rate of one)
//! accelerator     samples / rate
//! epoch           the largest of these: all resources work at once, and the slowest is waited for
//! ```
//!
//! The trainer's network carries what all servers send, a server's what it sends. A server's cores are one pool, for
//! pixels and for inference: what it announced as `--cpu-workers`. Where a model runs on devices, a sample's CPU
//! seconds are those of decoding and resizing, and every sample takes a device the same time: a model's input is of one
//! size.

mod load;

mod line;

mod model;

pub(crate) use load::{Load, Rates};
pub(crate) use model::CostModel;
