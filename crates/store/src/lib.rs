//! A dataset as it rests, in a folder or a bucket: as a catalog of samples, and as their bytes.
//!
//! ```text
//! Location ─open─▶ Store ─list─▶ Catalog: key, version, extent, label
//!                    └─read(extent)─▶ the bytes of that range of an object, of the listed version, or a failure
//! ```
//!
//! Invariants: nothing outside the dataset's root is read, through no key and no symbolic link; nothing is ever
//! replaced or deleted, and nothing added but by a [`Deposit`], which puts photos where nothing stands; the bytes that
//! a read gives are those of the catalogued version, or none.
//!
//! What is *not* here: file formats. Which files are samples is seen from their names ([`Files`]), and what is in them
//! by the decoder: a text file named like a photo is a sample that fails by itself.
//!
//! The seam is [`Store`]. A further kind of dataset is a module beside `folder` and `s3` that fills a
//! [`CatalogBuilder`], and a variant of [`Kind`]; the compiler names the rest. What keeps its photos within larger
//! files (archives) is a `Store` around a `Store`: it lists the members as [`Extent`]s of the inner store's objects,
//! and reads through it. What every kind of store promises is the suite `conformance`, which each kind's tests run.

mod braces;
mod endpoint;
mod kind;
mod site;

mod repack;

mod location;
mod spec;

mod apart;
mod part;
mod version;

mod extent;

mod skip;

mod fetched;
mod files;
mod found;
mod given;
mod kept;
mod level;
mod scope;
mod waiting;

mod labels;
mod options;

mod catalog;
mod history;

mod local;

mod error;
mod listed;
mod store;

mod blocking;

mod folder;
mod s3;

mod shards;

mod arrays;
mod parquet;
mod tar;

mod labelled;

mod detect;
mod open;

mod deposit;

mod start;

#[cfg(test)]
mod conformance;

pub use apart::{Apart, ApartError};
pub use arrays::are_photos;
pub use catalog::{Catalog, CatalogBuilder, Entry, LeftOut, Skipped, count_kept};
pub use deposit::{Deposit, DepositError, InHand, Published, Staged};
pub use endpoint::{Endpoint, EndpointError};
pub use error::StoreError;
pub use extent::Extent;
pub use fetched::Fetched;
pub use files::Files;
pub use found::Found;
pub use given::Given;
pub use headwater_types::{Partition, PartitionError};
pub use history::{Step, count_steps};
pub use kept::Kept;
pub use kind::{Kind, KindError};
pub use labelled::prepared;
pub use labels::{LabelsError, RowFault, SheetSlot, count_rows};
pub use local::FollowError;
pub use location::{Location, LocationError};
pub use open::open;
pub use options::{S3Options, StoreOptions};
pub use parquet::{PageMemory, count_label_rows, count_photos};
pub use part::Part;
pub use s3::{count_listed, upload};
pub use scope::Scope;
pub use site::{Site, SiteError};
pub use skip::Skip;
pub use spec::{
    ClassList, ClassListError, DatasetOptions, DatasetSource, DatasetSpec, KeyRule, OptionError, SpecError,
};
pub use start::{Past, Start, Underway, start};
pub use store::Store;
pub use tar::count_members;
pub use version::Version;
pub use waiting::Waiting;
