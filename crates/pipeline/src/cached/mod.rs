//! What a server keeps of samples, so that it is neither read nor made again.
//!
//! ```text
//! kinds      encoded ─────▶ indexed                          crops of JPEGs (see the photo index)
//!               └─ decode ─▶ resized ─▶ flip, floats         recipes that draw no crop at random
//!                                └────▶ features             recipes that draw nothing at random, by model
//! ```
//!
//! Every kind is a function of the sample's bytes, so a sample has the same bits with every kind and without.
//! Invariant: a crop that is drawn at random is kept in no kind; what is found was made of the version that was listed;
//! and what is measured for a plan is neither found nor kept.

mod kinds;
mod line;

mod costs;
mod prices;

mod packages;
mod shared;

mod names;

mod dataset;

mod size_head;

pub(crate) mod resized;
pub(crate) mod vector;

mod place;

mod belongs;
mod encoded;
mod package;
mod prefetch;

pub use dataset::DatasetCache;
pub use kinds::{CacheKinds, KindSet, KindsError};
pub use package::Package;
pub use packages::Packages;
pub use prefetch::Prefetched;
pub use shared::SharedCache;

pub(crate) use dataset::worth;
pub(crate) use encoded::Asked;
pub(crate) use place::Place;
