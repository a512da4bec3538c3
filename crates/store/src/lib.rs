//! A dataset as it rests, in a folder or a bucket: as a catalog of samples, and as their bytes.
//!
//! Invariants: nothing outside the dataset's root is read, through no key and no symbolic link; nothing is ever written
//! or deleted; the bytes that a read gives are those of the catalogued version, or none.
//!
//! What is *not* here: file formats. Which files are samples is seen from their names ([`Files`]); what is in them, by whoever
//! decodes it: a text file named like a photo is a sample that fails by itself.
//!
//! The seam is [`Store`]. A further kind of dataset (tar shards) is a module beside `folder` and `s3` that fills a
//! [`CatalogBuilder`], and a variant of [`Location`]; a cache is a `Store` around a `Store`, and finds in ([`SampleKey`],
//! [`Version`]) a key that never names two contents.
//!
//! [`SampleKey`]: headwater_types::SampleKey

mod location;
mod options;
mod version;

mod files;
mod found;
mod scope;
mod waiting;

mod catalog;

mod error;
mod store;

mod folder;
mod s3;

pub use catalog::{Catalog, CatalogBuilder, Entry, LeftOut, Skip, Skipped};
pub use error::StoreError;
pub use files::Files;
pub use found::Found;
pub use headwater_types::{Partition, PartitionError};
pub use location::{Location, LocationError};
pub use options::{S3Options, StoreOptions};
pub use s3::{Endpoint, EndpointError};
pub use scope::Scope;
pub use store::{Store, open};
pub use version::Version;
pub use waiting::Waiting;
