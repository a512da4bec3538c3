//! What traces say of fetching. A chunk has one span, from the first call for it until nobody needs its samples any
//! more, whatever their number. What is done to each of them is summed up.
//!
//! ```text
//! iterate, or the program's name           a chunk: its samples, retries as events
//!  ├ headwater.v1.Samples/Fetch (client)   one for each try: the server, bytes, samples
//!  └ finish                                the rest of the recipe, from the first sample to the last
//! ```
//!
//! Why a chunk, and not an epoch: an epoch of a million samples is no trace that anybody reads, and a share of 1 % of
//! epochs is none at all. Chunks are of a few thousand samples at most, and a share of them is spread over an epoch.

mod call_span;
mod origin;
mod sample_trace;

pub(crate) use call_span::CallSpan;
pub(crate) use origin::Origin;
pub use sample_trace::{Finishing, SampleTrace};
