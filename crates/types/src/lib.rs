//! The vocabulary of Headwater: what a sample is, what a recipe does to it, where it may be cut, and every limit.
//!
//! Invariant: nothing here reads a file, a clock, the network or ambient randomness; every function is a pure function
//! of its arguments, and gives the same bits on every machine.

pub mod backoff;
pub mod caps;
pub mod hedging;
pub mod patience;
pub mod shown;
pub mod units;

pub mod amount;

pub mod device_pool;

pub mod limits;
pub mod priority;

pub mod digest;
pub mod host_port;
pub mod ids;
pub mod key;
pub mod option_text;
pub mod scored;

pub mod field;

pub mod differences;
pub mod listing;
pub mod partition;

pub mod coding;
pub mod cut;
pub mod way;

pub mod network_cut;

pub mod format;
pub mod payload;

pub mod address;
pub mod permutation;
pub mod randomness;

pub mod area;
pub mod recipe;

pub mod framing;
pub mod scale;

pub mod failure;
pub mod write_fault;

pub use address::{Address, Draws, Epoch, Seed};
pub use amount::{Amount, AmountError};
pub use area::{PixelBox, Position, RealBox, Size};
pub use backoff::Backoff;
pub use coding::PixelCoding;
pub use cut::{Cut, Form};
pub use device_pool::{DevicePool, DevicePoolError};
pub use differences::Differences;
pub use digest::Digest;
pub use failure::{FailureKind, SampleFailure};
pub use field::{Field, FieldKind, FieldValue, Fields};
pub use format::Format;
pub use framing::Framing;
pub use hedging::Hedging;
pub use ids::{ClassId, DatasetName, JobName, ModelName, NameError, SampleIndex, ServerName};
pub use key::SampleKey;
pub use limits::{AgreedLimits, ImageLimits, LimitSetting};
pub use listing::Listing;
pub use network_cut::{NetworkCut, NetworkCutError};
pub use partition::{Partition, PartitionError};
pub use payload::{DType, Shape};
pub use permutation::Permutation;
pub use priority::{Priority, PriorityError};
pub use recipe::Recipe;
pub use scale::Scale;
pub use scored::Scored;
pub use units::{BitsPerSecond, ByteCount, CpuSeconds};
pub use way::Way;
pub use write_fault::WriteFault;
