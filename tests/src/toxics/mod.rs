//! A proxy in front of an S3 store that does to its answers what networks and stores do: ten kinds of it, each
//! repeatable by its seed.

mod act;
mod proxy;
mod toxic;
mod trial;
mod upstream;

pub use proxy::Proxy;
pub use toxic::{Strain, Toxic};
pub use trial::{Trial, Verdict};
pub use upstream::Upstream;
