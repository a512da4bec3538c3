//! Finished samples in batches: one buffer for each batch, a row of it for each sample, written by the pool's threads.
//!
//! Invariants: batches come in the order in which their samples were asked for, and so do their rows; a sample that
//! fails leaves its row unspecified, and its failure stands beside the row; at most `ahead` batches wait for their
//! reader besides the one in the making, and at most two samples for each thread are held that no thread has taken up.
//!
//! Rows are pieces of one `BytesMut`, so that several threads write into one buffer without a lock or a copy; joining
//! them again is free, for they lie side by side.

mod layout;
mod rows;

mod plan;

mod work;

mod stream;

pub use layout::RowLayout;
pub use plan::{BatchPlan, Listener};
pub use rows::{Batch, BatchRow};
pub use stream::BatchStream;
